// Steps of the machine's loop: answers reach vCPUs, ticks share a pCPU, a stopped VM stands still.
#include "tests/unit/core/vm/vm_fixture.hpp"

namespace ax::vm::test {
namespace {

constexpr PcpuId pcpu0{0};

class VmmTest : public VmTest {};

/// A guest that computes; time passes as it does, and the machine's timer interrupts it.
ScriptedVcpu::Generator computing(ScriptedHost& host, u64& instructions) {
    return [&host, &instructions](u64 budget) {
        host.advance(budget);
        instructions += budget;
        if (host.take_timer()) return hal::RunStop{HostInterrupt{}, budget};
        return hal::RunStop{BudgetEnd{}, budget};
    };
}

TEST_F(VmmTest, step_reports_and_answers_an_exit) {
    build(1);
    cpu().set_pc(Gva{0x99});
    cpu().add(MmioRead{device, 4}, 17);
    const StepResult step = vmm.step(pcpu0, 500);
    EXPECT_FALSE(step.is_idle);
    EXPECT_FALSE(step.ends_slice);
    EXPECT_EQ(step.vm, VmId{3});
    EXPECT_EQ(step.vcpu, VcpuId{0});
    EXPECT_EQ(step.pc, Gva{0x99});
    EXPECT_EQ(step.instructions, 17U);
    EXPECT_TRUE(std::holds_alternative<MmioRead>(step.exit));
    EXPECT_EQ(step.answer, Answer::of_value(0x1234));
    ASSERT_EQ(cpu().all<ScriptedRun>().size(), 1U);
    EXPECT_EQ(cpu().all<ScriptedRun>()[0].budget, 500U);
    EXPECT_EQ(cpu().all<Answer>(), std::vector{Answer::of_value(0x1234)});
}

TEST_F(VmmTest, budget_end_needs_no_answer) {
    build(1);
    const StepResult step = vmm.step(pcpu0, 500);
    EXPECT_TRUE(std::holds_alternative<BudgetEnd>(step.exit));
    EXPECT_EQ(step.instructions, 500U);
    EXPECT_TRUE(cpu().all<Answer>().empty());
    EXPECT_EQ(task().state(), VcpuState::Ready);
}

TEST_F(VmmTest, nothing_to_run_is_idle) {
    build(1);
    static_cast<void>(step_for(WaitForInterrupt{}));
    EXPECT_FALSE(vmm.has_work(pcpu0));
    const StepResult step = vmm.step(pcpu0, 500);
    EXPECT_TRUE(step.is_idle);
    EXPECT_EQ(cpu().all<ScriptedRun>().size(), 1U);
    EXPECT_FALSE(vmm.is_finished());
}

TEST_F(VmmTest, suspended_vcpu_gets_its_answer_before_it_sleeps) {
    build(1);
    static_cast<void>(step_for(PowerCall{.op = PowerOp::CpuSuspend, .entry = ram, .argument = 5, .loses_state = true}));
    static_cast<void>(task().inject({EventLine::Timer, true}));
    ASSERT_GE(cpu().log().size(), 2U);
    EXPECT_TRUE(std::holds_alternative<BootState>(cpu().log().back())) << "the reset is the last word";
    EXPECT_EQ(cpu().all<Answer>().size(), 1U);
}

TEST_F(VmmTest, nothing_runs_after_a_stop) {
    const VmExit ends[] = {PowerCall{.op = PowerOp::SystemOff, .entry = {}}, PowerCall{.op = PowerOp::SystemReset, .entry = {}},
                           Unhandled{1, 2}, EntryFailure{3}, CpuShutdown{4}};
    for (const VmExit& end : ends) {
        ScriptedHost own_host{{Hpa{0x1'0000'0000}, 0x40'0000}};
        Vmm own(own_host, tick_ns);
        TestVm one(own_host, own, VmId{0}, {~u64{0}, ~u64{0}});
        one.vm.boot(ram, 0);
        one.power_on(1);
        // Both take turns, so that both have an alarm when the end comes.
        for (ScriptedVcpu& c : one.cpus) {
            c.add(SetTimer{1000});
            c.add(SpinHint{});
            c.add(end);
        }
        while (!own.is_finished()) static_cast<void>(own.step(pcpu0, 100));
        for (ScriptedVcpu& c : one.cpus) c.clear_log();
        EXPECT_TRUE(own.step(pcpu0, 100).is_idle) << end.index();
        EXPECT_FALSE(own.has_work(pcpu0)) << end.index();
        own_host.advance(1'000'000'000);
        if (own_host.take_timer()) own.on_timer_interrupt();
        one.vm.set_external(VcpuId{0}, true);
        EXPECT_TRUE(own.step(pcpu0, 100).is_idle) << end.index();
        for (const ScriptedVcpu& c : one.cpus) {
            EXPECT_TRUE(c.all<ScriptedRun>().empty()) << end.index();
            EXPECT_TRUE(c.all<Answer>().empty()) << end.index();
            EXPECT_FALSE(c.line(EventLine::Timer)) << end.index();
        }
        EXPECT_EQ(own_host.timer_deadline_ns(), timer::never) << end.index();
    }
}

TEST_F(VmmTest, four_computing_vcpus_share_one_pcpu_evenly) {
    build(4);
    std::array<u64, 4> instructions{};
    for (std::size_t i = 0; i < 4; ++i) {
        cpu(i).set_generator(computing(host, instructions[i]));
        if (i > 0) guest->power_on(i);
    }
    constexpr u64 budget = 10'000;
    constexpr u64 rounds = 40;
    while (host.now_ns() < rounds * tick_ns) static_cast<void>(vmm.step(pcpu0, budget));
    const auto [least, most] = std::ranges::minmax_element(instructions);
    EXPECT_GE(*least, (rounds / 4 - 1) * tick_ns);
    EXPECT_LE(*most - *least, 2 * tick_ns);
}

TEST_F(VmmTest, lone_vcpu_needs_no_ticks) {
    build(1);
    static_cast<void>(step_for(Handled{}));
    EXPECT_EQ(host.timer_deadline_ns(), timer::never);
    EXPECT_EQ(host.timer_arms(), 0U);
}

/// A vCPU woken from outside must not depend on an exit of the one that computes.
TEST_F(VmmTest, vcpu_woken_by_a_device_gets_its_turn_beside_one_that_never_exits) {
    build(2);
    guest->power_on(1);
    while (task(1).state() != VcpuState::Blocked) {
        cpu(1).add(WaitForInterrupt{});
        static_cast<void>(vmm.step(pcpu0, 10));
    }
    std::array<u64, 2> instructions{};
    for (std::size_t i = 0; i < 2; ++i) cpu(i).set_generator(computing(host, instructions[i]));
    while (host.now_ns() < 4 * tick_ns) static_cast<void>(vmm.step(pcpu0, 10'000));
    ASSERT_EQ(instructions[1], 0U);
    vm().set_external(VcpuId{1}, true);
    while (host.now_ns() < 8 * tick_ns) static_cast<void>(vmm.step(pcpu0, 10'000));
    EXPECT_GT(instructions[1], 0U);
}

TEST_F(VmmTest, timer_is_armed_only_when_the_next_deadline_changes) {
    build(1);
    static_cast<void>(step_for(SetTimer{100}));
    const u64 arms = host.timer_arms();
    for (int i = 0; i < 10; ++i) static_cast<void>(step_for(MmioRead{device, 4}));
    EXPECT_EQ(host.timer_arms(), arms);
    static_cast<void>(step_for(SetTimer{200}));
    EXPECT_EQ(host.timer_arms(), arms + 1);
}

/// The host's timer goes off once; whoever takes its interrupt too early must set it again.
TEST_F(VmmTest, early_timer_interrupt_sets_the_timer_again) {
    build(1);
    static_cast<void>(step_for(SetTimer{100}));
    host.arm_timer(timer::never);
    vmm.on_timer_interrupt();
    EXPECT_EQ(host.timer_deadline_ns(), 10'000U);
    EXPECT_FALSE(cpu().line(EventLine::Timer));
}

TEST_F(VmmTest, alarms_of_two_vms_are_their_own) {
    TestVm first(host, vmm, VmId{1}, {1});
    TestVm second(host, vmm, VmId{2}, {2});
    first.vm.boot(ram, 0);
    second.vm.boot(ram, 0);
    first.cpus[0].add(SetTimer{10});
    second.cpus[0].add(SetTimer{20});
    static_cast<void>(vmm.step(PcpuId{0}, 1));
    static_cast<void>(vmm.step(PcpuId{1}, 1));
    advance(1000);
    EXPECT_TRUE(first.cpus[0].line(EventLine::Timer));
    EXPECT_FALSE(second.cpus[0].line(EventLine::Timer));
    advance(1000);
    EXPECT_TRUE(second.cpus[0].line(EventLine::Timer));
    first.vm.stop({.reason = StopReason::PoweredOff, .pc = {}});
    EXPECT_FALSE(vmm.is_finished());
    EXPECT_FALSE(vmm.has_work(PcpuId{0}));
    EXPECT_TRUE(vmm.has_work(PcpuId{1}));
}

TEST_F(VmmTest, machine_takes_no_more_vms_than_it_has_room_for) {
    std::deque<TestVm> guests;
    for (u32 i = 0; i < max_vms; ++i) guests.emplace_back(host, vmm, VmId{i}, std::vector<u64>{1});
    Vm one_more({VmId{99}, host, vmm.timers(), guests[0].memory, guests[0].bus, guests[0].ports, timer_hz});
    EXPECT_FALSE(vmm.add(one_more));
}

}  // namespace
}  // namespace ax::vm::test
