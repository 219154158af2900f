// The timer of a vCPU: from the exit that sets it, over the host's one timer, to the interrupt.
#include "core/timer/ticks.hpp"
#include "tests/unit/core/vm/vm_fixture.hpp"

namespace ax::vm::test {
namespace {

constexpr Answer success = Answer::of_call(CallStatus::Success);

class VmTimerTest : public VmTest {
protected:
    void SetUp() override { build(1); }
};

TEST_F(VmTimerTest, timer_fires_at_its_deadline_and_not_before) {
    EXPECT_EQ(step_for(SetTimer{50}).answer, success);
    EXPECT_EQ(host.timer_deadline_ns(), 5000U);
    advance(4999);
    EXPECT_FALSE(cpu().line(EventLine::Timer));
    advance(1);
    EXPECT_TRUE(cpu().line(EventLine::Timer));
}

TEST_F(VmTimerTest, timer_ends_a_wait) {
    static_cast<void>(step_for(SetTimer{50}));
    static_cast<void>(step_for(WaitForInterrupt{}));
    ASSERT_EQ(task().state(), VcpuState::Blocked);
    advance(5000);
    EXPECT_EQ(task().state(), VcpuState::Ready);
}

TEST_F(VmTimerTest, setting_the_timer_takes_the_old_interrupt_away) {
    static_cast<void>(step_for(SetTimer{50}));
    advance(5000);
    ASSERT_TRUE(cpu().line(EventLine::Timer));
    EXPECT_EQ(answer(SetTimer{100}), success);
    EXPECT_FALSE(cpu().line(EventLine::Timer));
}

TEST_F(VmTimerTest, a_later_deadline_replaces_an_earlier_one) {
    static_cast<void>(step_for(SetTimer{50}));
    static_cast<void>(step_for(SetTimer{200}));
    EXPECT_EQ(host.timer_deadline_ns(), 20'000U);
    advance(10'000);
    EXPECT_FALSE(cpu().line(EventLine::Timer));
    advance(10'000);
    EXPECT_TRUE(cpu().line(EventLine::Timer));
}

TEST_F(VmTimerTest, farthest_deadline_cancels_the_timer) {
    static_cast<void>(step_for(SetTimer{50}));
    static_cast<void>(step_for(SetTimer{~u64{0}}));
    EXPECT_EQ(host.timer_deadline_ns(), timer::never);
    advance(1'000'000'000);
    EXPECT_FALSE(cpu().line(EventLine::Timer));
}

TEST_F(VmTimerTest, deadline_in_the_past_fires_at_once) {
    host.advance(1'000'000);
    static_cast<void>(step_for(SetTimer{1}));
    advance(0);
    EXPECT_TRUE(cpu().line(EventLine::Timer));
}

TEST_F(VmTimerTest, host_interrupt_runs_what_is_due) {
    static_cast<void>(step_for(SetTimer{50}));
    host.advance(5000);
    cpu().add(HostInterrupt{HostInterruptKind::Timer});
    const StepResult step = vmm.step(PcpuId{0}, 10);
    EXPECT_EQ(step.answer, Answer::none());
    EXPECT_TRUE(cpu().line(EventLine::Timer));
}

TEST(TicksTest, deadline_is_never_early) {
    constexpr u64 frequencies[] = {1, 3, 32'768, 1'000'000, 3'000'000, 10'000'000, 1'000'000'000, 10'000'000'000};
    constexpr u64 counts[] = {0, 1, 2, 999, 1'000'003, 123'456'789'012};
    for (const u64 hz : frequencies) {
        for (const u64 ticks : counts) {
            const u64 ns = timer::ticks_to_ns(ticks, hz);
            if (ns == timer::never || ns == 0) continue;
            EXPECT_GE(timer::ns_to_ticks(ns, hz), ticks) << hz;
            EXPECT_LT(timer::ns_to_ticks(ns - 1, hz), ticks) << hz << " " << ticks;
        }
    }
}

}  // namespace
}  // namespace ax::vm::test
