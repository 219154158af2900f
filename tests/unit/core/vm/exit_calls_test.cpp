// Exits that ask the hypervisor for something: interrupts, fences, waits, and what has no rule.
#include "core/vm/hypercall.hpp"
#include "tests/unit/core/vm/vm_fixture.hpp"

namespace ax::vm::test {
namespace {

constexpr Answer success = Answer::of_call(CallStatus::Success);
constexpr Answer invalid = Answer::of_call(CallStatus::InvalidParameter);

class ExitCallsTest : public VmTest {
protected:
    void SetUp() override {
        build(4);
        for (std::size_t i = 1; i < 4; ++i) guest->power_on(i);
        for (std::size_t i = 0; i < 4; ++i) cpu(i).clear_log();
    }
    std::string lines(EventLine line) {
        std::string levels;
        for (std::size_t i = 0; i < 4; ++i) levels += cpu(i).line(line) ? '1' : '0';
        return levels;
    }
};

TEST_F(ExitCallsTest, wait_blocks_until_an_enabled_input_rises) {
    cpu().enable(EventLine::Timer, false);
    const Dispatched done = exit(WaitForInterrupt{});
    EXPECT_EQ(done.answer, Answer::of_value(0));
    EXPECT_TRUE(done.yields);
    EXPECT_EQ(task().state(), VcpuState::Blocked);
    EXPECT_FALSE(task().inject({EventLine::Timer, true}));
    EXPECT_FALSE(task().inject({EventLine::External, false}));
    EXPECT_EQ(task().state(), VcpuState::Blocked);
    EXPECT_TRUE(task().inject({EventLine::External, true}));
    EXPECT_EQ(task().state(), VcpuState::Ready);
}

TEST_F(ExitCallsTest, wait_with_something_pending_goes_on) {
    static_cast<void>(task().inject({EventLine::Software, true}));
    EXPECT_TRUE(exit(WaitForInterrupt{}).yields);
    EXPECT_EQ(task().state(), VcpuState::Ready);
}

TEST_F(ExitCallsTest, wake_up_is_reported_once) {
    static_cast<void>(task().take_woken());
    static_cast<void>(exit(WaitForInterrupt{}));
    EXPECT_FALSE(task().take_woken());
    static_cast<void>(task().inject({EventLine::External, true}));
    EXPECT_TRUE(task().take_woken());
    EXPECT_FALSE(task().take_woken());
}

struct TargetCase {
    const char* name;
    CpuSet targets;
    Answer answer;
    const char* reached;  ///< by vCPU
};
constexpr TargetCase target_cases[] = {
    {"self", {.base = 10, .mask = 1}, success, "1000"},
    {"one other", {.base = 10, .mask = 0b100}, success, "0010"},
    {"several", {.base = 11, .mask = 0b101}, success, "0101"},
    {"base below the first", {.base = 0, .mask = 0x3c00}, success, "1111"},
    {"all", {.all = true}, success, "1111"},
    {"all, mask ignored", {.all = true, .base = 99, .mask = 0}, success, "1111"},
    {"nobody", {.base = 10, .mask = 0}, success, "0000"},
    {"unknown alone", {.base = 14, .mask = 1}, invalid, "0000"},
    {"unknown among known", {.base = 10, .mask = 0b11111}, invalid, "0000"},
    {"far bit of the mask", {.base = 10, .mask = u64{1} << 63}, invalid, "0000"},
    {"base at the end of numbers", {.base = ~u64{0} - 1, .mask = 1}, invalid, "0000"},
    {"base that would wrap to a vCPU", {.base = ~u64{0} - 5, .mask = u64{1} << 16}, invalid, "0000"},
};

TEST_F(ExitCallsTest, ipi_reaches_its_targets_or_nobody) {
    for (const TargetCase& c : target_cases) {
        for (std::size_t i = 0; i < 4; ++i) static_cast<void>(task(i).inject({EventLine::Software, false}));
        EXPECT_EQ(answer(SendIpi{c.targets}), c.answer) << c.name;
        EXPECT_EQ(lines(EventLine::Software), c.reached) << c.name;
        EXPECT_EQ(lines(EventLine::External), "0000") << c.name;
    }
}

TEST_F(ExitCallsTest, fence_flushes_its_targets_or_nobody) {
    for (const bool instruction : {false, true}) {
        for (const TargetCase& c : target_cases) {
            for (std::size_t i = 0; i < 4; ++i) cpu(i).clear_log();
            EXPECT_EQ(answer(RemoteFence{c.targets, instruction}), c.answer) << c.name;
            std::string reached;
            for (std::size_t i = 0; i < 4; ++i) {
                const auto flushes = cpu(i).all<ScriptedFlush>();
                reached += flushes.empty() ? '0' : '1';
                for (const ScriptedFlush& f : flushes) EXPECT_EQ(f.instruction, instruction) << c.name;
            }
            EXPECT_EQ(reached, c.reached) << c.name;
        }
    }
}

TEST_F(ExitCallsTest, ipi_wakes_and_ends_the_slice) {
    static_cast<void>(exit(WaitForInterrupt{}, 2));
    ASSERT_EQ(task(2).state(), VcpuState::Blocked);
    EXPECT_TRUE(exit(SendIpi{{.base = 12, .mask = 1}}).yields);
    EXPECT_EQ(task(2).state(), VcpuState::Ready);
}

TEST_F(ExitCallsTest, interrupt_controller_drives_the_external_input) {
    vm().set_external(VcpuId{2}, true);
    EXPECT_EQ(lines(EventLine::External), "0010");
    vm().set_external(VcpuId{2}, false);
    vm().set_external(VcpuId{4}, true);
    vm().set_external(VcpuId{~u32{0}}, true);
    EXPECT_EQ(lines(EventLine::External), "0000");
}

TEST_F(ExitCallsTest, every_hypercall_number_is_answered) {
    for (const u64 number : {u64{0}, u64{1}, u64{3}, u64{6}, u64{7}, ~u64{0}}) {
        EXPECT_EQ(answer(Hypercall{number, {}}), Answer::of_value(hypercall_failed)) << number;
        EXPECT_EQ(vm().status(), VmStatus::Running);
    }
}

TEST_F(ExitCallsTest, spin_hint_ends_the_slice_but_not_the_run) {
    const Dispatched done = exit(SpinHint{});
    EXPECT_TRUE(done.yields);
    EXPECT_FALSE(done.is_blocked);
    EXPECT_TRUE(task().is_runnable());
}

TEST_F(ExitCallsTest, handled_call_needs_nothing_more) {
    const Dispatched done = exit(Handled{1, 2});
    EXPECT_EQ(done.answer, Answer::none());
    EXPECT_FALSE(done.yields);
}

TEST_F(ExitCallsTest, undefined_instruction_goes_to_the_guest) {
    EXPECT_EQ(answer(UndefinedInstruction{0xffff}), Answer::undefined());
    EXPECT_EQ(vm().status(), VmStatus::Running);
}

TEST_F(ExitCallsTest, exit_without_a_rule_stops_the_vm_with_its_numbers) {
    cpu(1).set_pc(Gva{0x77});
    static_cast<void>(exit(Unhandled{5, 6}, 1));
    const VmStop& stop = vm().stop_state();
    EXPECT_EQ(vm().status(), VmStatus::Stopped);
    EXPECT_EQ(stop.reason, StopReason::Failed);
    EXPECT_EQ(stop.vcpu, VcpuId{1});
    EXPECT_EQ(stop.pc, Gva{0x77});
    EXPECT_EQ(stop.cause, 5U);
    EXPECT_EQ(stop.detail, 6U);
    EXPECT_STRNE(stop.what, "");
}

TEST_F(ExitCallsTest, shutdown_of_a_cpu_stops_the_vm_in_words_of_its_own) {
    cpu(1).set_pc(Gva{0x77});
    static_cast<void>(exit(CpuShutdown{0x1234}, 1));
    const VmStop& stop = vm().stop_state();
    EXPECT_EQ(stop.reason, StopReason::Failed);
    EXPECT_EQ(stop.vcpu, VcpuId{1});
    EXPECT_EQ(stop.pc, Gva{0x77});
    EXPECT_EQ(stop.detail, 0x1234U);
    EXPECT_TRUE(std::string_view(stop.what).starts_with("triple fault")) << stop.what;
}

TEST_F(ExitCallsTest, refused_entry_stops_the_vm) {
    static_cast<void>(exit(EntryFailure{9}));
    EXPECT_EQ(vm().stop_state().reason, StopReason::Failed);
    EXPECT_EQ(vm().stop_state().cause, 9U);
}

}  // namespace
}  // namespace ax::vm::test
