// Starting, stopping and suspending vCPUs, and the ends of a VM.
#include "tests/unit/core/vm/vm_fixture.hpp"

namespace ax::vm::test {
namespace {

constexpr Answer success = Answer::of_call(CallStatus::Success);

constexpr PowerCall cpu_on(u64 target, Gpa entry = ram, u64 argument = 0) {
    return {.op = PowerOp::CpuOn, .target = target, .entry = entry, .argument = argument};
}
constexpr PowerCall cpu_status(u64 target) { return {.op = PowerOp::CpuStatus, .target = target, .entry = {}}; }
constexpr PowerCall suspend_and_keep() { return {.op = PowerOp::CpuSuspend, .entry = {}}; }
constexpr PowerCall suspend_and_lose(Gpa entry, u64 argument) {
    return {.op = PowerOp::CpuSuspend, .entry = entry, .argument = argument, .loses_state = true};
}
constexpr PowerCall cpu_off() { return {.op = PowerOp::CpuOff, .entry = {}}; }

class PowerTest : public VmTest {
protected:
    void SetUp() override { build(2); }
    Answer status_of(std::size_t i) { return answer(cpu_status(TestVm::first_cpu + i)); }
};

TEST_F(PowerTest, boot_starts_the_first_vcpu_alone) {
    EXPECT_EQ(cpu(0).all<BootState>(), std::vector{(BootState{ram, 10, boot_argument})});
    EXPECT_EQ(task(0).state(), VcpuState::Ready);
    EXPECT_EQ(task(1).state(), VcpuState::Free);
    EXPECT_EQ(status_of(0), Answer::of_call(CallStatus::Success, 0));
    EXPECT_EQ(status_of(1), Answer::of_call(CallStatus::Success, 1));
}

struct StartCase {
    const char* name;
    PowerCall call;
    CallStatus status;
};
constexpr StartCase refused_starts[] = {
    {"running already", cpu_on(10), CallStatus::AlreadyAvailable},
    {"no such CPU", cpu_on(12), CallStatus::InvalidParameter},
    {"index instead of number", cpu_on(1), CallStatus::InvalidParameter},
    {"farthest number", cpu_on(~u64{0}), CallStatus::InvalidParameter},
    {"entry nowhere", cpu_on(11, nowhere), CallStatus::InvalidAddress},
    {"entry in a device", cpu_on(11, device), CallStatus::InvalidAddress},
    {"entry without execute permission", cpu_on(11, rom), CallStatus::InvalidAddress},
    {"entry at the end of numbers", cpu_on(11, Gpa{~u64{0}}), CallStatus::InvalidAddress},
};

TEST_F(PowerTest, refused_start_changes_nothing) {
    cpu(0).clear_log();
    for (const StartCase& c : refused_starts) {
        EXPECT_EQ(answer(c.call), Answer::of_call(c.status)) << c.name;
        EXPECT_EQ(task(1).state(), VcpuState::Free) << c.name;
    }
    EXPECT_TRUE(cpu(0).log().empty());
    EXPECT_TRUE(cpu(1).log().empty());
}

TEST_F(PowerTest, start_resets_to_entry_number_and_argument) {
    EXPECT_EQ(answer(cpu_on(11, lazy + 0x10, 42)), success);
    EXPECT_EQ(cpu(1).all<BootState>(), std::vector{(BootState{lazy + 0x10, 11, 42})});
    EXPECT_EQ(task(1).state(), VcpuState::Ready);
    EXPECT_EQ(status_of(1), Answer::of_call(CallStatus::Success, index(PowerState::StartPending)));
}

TEST_F(PowerTest, start_is_pending_until_the_vcpu_runs) {
    EXPECT_EQ(answer(cpu_on(11)), success);
    EXPECT_EQ(answer(cpu_on(11)), Answer::of_call(CallStatus::StartPending));
    static_cast<void>(exit(BudgetEnd{}, 1));
    EXPECT_EQ(status_of(1), Answer::of_call(CallStatus::Success, index(PowerState::Started)));
    EXPECT_EQ(answer(cpu_on(11)), Answer::of_call(CallStatus::AlreadyAvailable));
}

TEST_F(PowerTest, status_of_an_unknown_cpu_is_an_error) {
    EXPECT_EQ(answer(cpu_status(12)), Answer::of_call(CallStatus::InvalidParameter));
}

TEST_F(PowerTest, stopped_vcpu_sleeps_through_interrupts_until_it_is_started) {
    guest->power_on(1);
    static_cast<void>(exit(cpu_off(), 1));
    EXPECT_EQ(task(1).state(), VcpuState::Free);
    EXPECT_EQ(status_of(1), Answer::of_call(CallStatus::Success, 1));
    EXPECT_FALSE(task(1).inject({EventLine::External, true}));
    EXPECT_EQ(task(1).state(), VcpuState::Free);
    EXPECT_EQ(answer(cpu_on(11)), success);
    EXPECT_EQ(task(1).state(), VcpuState::Ready);
}

TEST_F(PowerTest, stopping_cancels_the_timer) {
    static_cast<void>(step_for(SetTimer{50}));
    static_cast<void>(step_for(cpu_off()));
    EXPECT_EQ(host.timer_deadline_ns(), timer::never);
}

/// The controller's input is a wire; IPIs and timers of an earlier life are not the new one's.
TEST_F(PowerTest, start_lowers_old_ipis_and_timers_but_not_the_controllers_input) {
    for (const EventLine line : {EventLine::Software, EventLine::Timer, EventLine::External})
        static_cast<void>(task(1).inject({line, true}));
    EXPECT_EQ(answer(cpu_on(11)), success);
    EXPECT_FALSE(cpu(1).line(EventLine::Software));
    EXPECT_FALSE(cpu(1).line(EventLine::Timer));
    EXPECT_TRUE(cpu(1).line(EventLine::External));
}

TEST_F(PowerTest, retentive_suspend_goes_on_after_the_call) {
    cpu(0).clear_log();
    const Dispatched done = exit(suspend_and_keep());
    EXPECT_EQ(done.answer, success);
    EXPECT_TRUE(done.yields);
    EXPECT_EQ(task(0).state(), VcpuState::Blocked);
    EXPECT_EQ(task(0).power(), PowerState::Suspended);
    EXPECT_EQ(status_of(0), Answer::of_call(CallStatus::Success, 4));
    EXPECT_TRUE(task(0).inject({EventLine::Software, true}));
    EXPECT_EQ(task(0).state(), VcpuState::Ready);
    EXPECT_EQ(task(0).power(), PowerState::Started);
    EXPECT_TRUE(cpu(0).all<BootState>().empty());
}

TEST_F(PowerTest, non_retentive_suspend_starts_again_at_its_entry) {
    cpu(0).clear_log();
    EXPECT_EQ(answer(suspend_and_lose(ram + 0x40, 7)), success);
    EXPECT_TRUE(cpu(0).all<BootState>().empty());
    static_cast<void>(task(0).inject({EventLine::Timer, true}));
    EXPECT_EQ(cpu(0).all<BootState>(), std::vector{(BootState{ram + 0x40, 10, 7})});
    EXPECT_EQ(task(0).power(), PowerState::Started);
    EXPECT_TRUE(cpu(0).line(EventLine::Timer));
    // The next wait is an ordinary one again.
    static_cast<void>(task(0).inject({EventLine::Timer, false}));
    EXPECT_EQ(answer(suspend_and_keep()), success);
    static_cast<void>(task(0).inject({EventLine::Timer, true}));
    EXPECT_EQ(cpu(0).all<BootState>().size(), 1U);
}

TEST_F(PowerTest, non_retentive_suspend_to_a_bad_entry_is_refused) {
    for (const Gpa entry : {nowhere, device, rom}) {
        EXPECT_EQ(answer(suspend_and_lose(entry, 0)), Answer::of_call(CallStatus::InvalidAddress));
        EXPECT_EQ(task(0).state(), VcpuState::Ready);
        EXPECT_EQ(task(0).power(), PowerState::Started);
    }
}

TEST_F(PowerTest, suspend_with_something_pending_ends_at_once) {
    static_cast<void>(task(0).inject({EventLine::External, true}));
    EXPECT_EQ(answer(suspend_and_keep()), success);
    EXPECT_EQ(task(0).state(), VcpuState::Ready);
    EXPECT_EQ(task(0).power(), PowerState::Started);
    cpu(0).clear_log();
    EXPECT_EQ(answer(suspend_and_lose(ram, 1)), success);
    EXPECT_EQ(task(0).state(), VcpuState::Ready);
    EXPECT_EQ(cpu(0).all<BootState>().size(), 1U);
}

TEST_F(PowerTest, suspended_vcpu_cannot_be_started) {
    guest->power_on(1);
    static_cast<void>(exit(suspend_and_keep(), 1));
    EXPECT_EQ(answer(cpu_on(11)), Answer::of_call(CallStatus::AlreadyAvailable));
    EXPECT_EQ(task(1).state(), VcpuState::Blocked);
}

TEST_F(PowerTest, system_calls_end_the_vm) {
    struct {
        PowerOp op;
        StopReason reason;
    } constexpr cases[] = {{PowerOp::SystemOff, StopReason::PoweredOff}, {PowerOp::SystemReset, StopReason::ResetRequested}};
    for (const auto& c : cases) {
        ScriptedHost other_host{{Hpa{0x1'0000'0000}, 0x40'0000}};
        Vmm other(other_host, tick_ns);
        TestVm one(other_host, other, VmId{1}, {~u64{0}, ~u64{0}});
        one.vm.boot(ram, 0);
        one.power_on(1);
        EXPECT_FALSE(other.is_finished());
        const PowerCall call{.op = c.op, .entry = {}, .argument = 1};
        EXPECT_TRUE(one.vm.dispatch(one.task(1), {call, 1}).yields);
        EXPECT_EQ(one.vm.status(), VmStatus::Stopped);
        EXPECT_EQ(one.vm.stop_state().reason, c.reason);
        EXPECT_EQ(one.vm.stop_state().vcpu, VcpuId{1});
        EXPECT_EQ(one.vm.stop_state().cause, 1U);
        EXPECT_TRUE(other.is_finished());
        for (VcpuTask& t : one.vm.vcpus()) EXPECT_EQ(t.state(), VcpuState::Free);
    }
}

TEST_F(PowerTest, first_reason_to_stop_is_the_one_that_counts) {
    static_cast<void>(exit(PowerCall{.op = PowerOp::SystemOff, .entry = {}}));
    vm().stop({StopReason::Failed, VcpuId{1}, Gva{1}, "too late", 1, 2});
    EXPECT_EQ(vm().stop_state().reason, StopReason::PoweredOff);
}

}  // namespace
}  // namespace ax::vm::test
