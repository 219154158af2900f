// The local APIC's timer: cases, and every setting against a model that counts tick by tick.
#include "tests/unit/devices/irqchip/vlapic_fixture.hpp"

namespace ax::device_test {
namespace {

using namespace lapic_page;
using dev::lapic::Timer;
using dev::lapic::TimerMode;

class LapicTimerTest : public testing::Test, protected LapicBench {
protected:
    LapicTimerTest() { enable(0); }
};

// "Divide Configuration Register".
TEST_F(LapicTimerTest, divisors) {
    constexpr std::array<std::pair<u64, u64>, 8> divisors{
        {{0, 2}, {1, 4}, {2, 8}, {3, 16}, {8, 32}, {9, 64}, {10, 128}, {11, 1}}};
    for (const auto& [setting, divisor] : divisors) {
        put(TDCR, setting);
        put(TMICT, 1000);
        time.now += 10 * divisor;
        EXPECT_EQ(get(TMCCT), 990u) << setting;
        time.now += divisor - 1;
        EXPECT_EQ(get(TMCCT), 990u) << setting;
    }
    put(TDCR, 0xffff'fff4);
    EXPECT_EQ(get(TDCR), 0u);
}

TEST_F(LapicTimerTest, one_shot_fires_once_and_stays_at_0) {
    put(TDCR, 0xb);
    put(LVTT, 0x20);
    put(TMICT, 5000);
    EXPECT_EQ(time.deadline, 5000u);
    time.advance_to(4999);
    EXPECT_EQ(pending(), std::nullopt);
    time.advance_to(5000);
    EXPECT_EQ(ack(), 0x20);
    EXPECT_EQ(get(TMCCT), 0u);
    EXPECT_EQ(time.deadline, timer::never);
}

TEST_F(LapicTimerTest, periodic_fires_again_and_again_also_after_a_leap) {
    put(LVTT, 0x2'0020);
    put(TMICT, 5000);
    for (u64 n = 1; n <= 3; ++n) {
        EXPECT_EQ(time.deadline, n * 10'000);
        time.advance_to(n * 10'000);
        EXPECT_EQ(ack(), 0x20);
        put(EOI, 0);
    }
    time.jump_to(75'000);
    EXPECT_EQ(ack(), 0x20);
    EXPECT_EQ(pending(), std::nullopt) << "missed ones merge";
    EXPECT_EQ(time.deadline, 80'000u);
    EXPECT_EQ(get(TMCCT), 2500u);
    put(TMICT, 0);
    EXPECT_EQ(time.deadline, timer::never);
}

TEST_F(LapicTimerTest, masked_timer_sets_no_alarm_and_what_passed_is_lost) {
    put(TMICT, 5000);
    EXPECT_EQ(time.deadline, timer::never);
    time.advance_to(20'000);
    put(LVTT, 0x20);
    EXPECT_EQ(pending(), std::nullopt);
}

// "TSC-Deadline Mode".
TEST_F(LapicTimerTest, tsc_deadline_arms_fires_and_clears) {
    EXPECT_TRUE(wrmsr(0x6e0, 500));
    EXPECT_EQ(rdmsr(0x6e0), 0u) << "ignored in another mode";
    put(LVTT, 0x4'0020);
    put(TMICT, 7);
    EXPECT_EQ(get(TMICT), 0u) << "ignored in this mode";
    EXPECT_TRUE(wrmsr(0x6e0, 700));
    EXPECT_EQ(time.deadline, 700u);
    EXPECT_EQ(get(TMCCT), 0u);
    time.advance_to(700);
    EXPECT_EQ(ack(), 0x20);
    put(EOI, 0);
    EXPECT_EQ(rdmsr(0x6e0), 0u);
    EXPECT_TRUE(wrmsr(0x6e0, 1));
    EXPECT_EQ(ack(), 0x20) << "a deadline in the past is due at once";
    EXPECT_TRUE(wrmsr(0x6e0, ~u64{0}));
    EXPECT_EQ(rdmsr(0x6e0), ~u64{0});
    EXPECT_TRUE(wrmsr(0x6e0, 0));
    EXPECT_EQ(time.deadline, timer::never);
    EXPECT_TRUE(wrmsr(0x6e0, 5000));
    put(LVTT, 0x20);
    EXPECT_EQ(time.deadline, timer::never) << "another mode disarms";
    EXPECT_EQ(rdmsr(0x6e0), 0u);
}

TEST(LapicTimerRateTest, a_faster_counter_is_due_earlier) {
    LapicBench bench({.vcpus = 1, .tsc_hz = 4'000'000'000});
    bench.enable(0);
    bench.put(LVTT, 0x4'0020);
    EXPECT_TRUE(bench.wrmsr(0x6e0, 8000));
    EXPECT_EQ(bench.time.deadline, 2000u);
}

TEST_F(LapicTimerTest, deadline_is_in_the_guests_tsc) {
    put(LVTT, 0x4'0020);
    apics.set_tsc_offset(VcpuId{0}, 1000);
    EXPECT_TRUE(wrmsr(0x6e0, 1500));
    EXPECT_EQ(time.deadline, 500u);
    apics.set_tsc_offset(VcpuId{0}, 1200);
    EXPECT_EQ(time.deadline, 300u);
    apics.set_tsc_offset(VcpuId{0}, u64{0} - 100);
    EXPECT_EQ(pending(), 0x20) << "the TSC has wrapped to a huge value";
}

TEST_F(LapicTimerTest, without_the_feature_its_mode_and_msr_do_not_exist) {
    LapicBench bench({.vcpus = 1, .has_x2apic = true, .has_tsc_deadline = false});
    bench.enable(0);
    EXPECT_EQ(bench.rdmsr(0x6e0), std::nullopt);
    EXPECT_FALSE(bench.wrmsr(0x6e0, 1));
    bench.put(LVTT, 0x4'0020);
    EXPECT_EQ(bench.get(LVTT), 0x20u);
}

TEST_F(LapicTimerTest, one_alarm_serves_all_cpus) {
    enable(1);
    put(LVTT, 0x20);
    put(LVTT, 0x21, 1);
    put(TMICT, 500);
    put(TMICT, 300, 1);
    EXPECT_EQ(time.deadline, 600u);
    time.advance_to(600);
    EXPECT_EQ(ack(1), 0x21);
    EXPECT_EQ(time.deadline, 1000u);
    time.advance_to(1000);
    EXPECT_EQ(ack(0), 0x20);
}

/// Counts down one nanosecond at a time, as the manual tells it.
struct SlowTimer {
    TimerMode mode = TimerMode::OneShot;
    u32 initial = 0, count = 0;
    u64 divisor = 2, phase = 0;
    u64 fired = 0;
    void tick() {
        if (count == 0 || ++phase < divisor) return;
        phase = 0;
        if (--count != 0) return;
        ++fired;
        if (mode == TimerMode::Periodic) count = initial;
    }
    void set_initial(u32 value) {
        initial = count = value;
        phase = 0;
    }
};

TEST(LapicTimerModel, random_settings_agree_at_every_nanosecond) {
    for (u64 seed = 1; seed <= 40; ++seed) {
        Lcg lcg(seed);
        Timer timer;
        SlowTimer slow;
        u64 fired = 0;
        for (u64 now = 0; now < 4000; ++now) {
            if (now != 0) slow.tick();
            if (timer.expire(now)) ++fired;
            switch (lcg.below(60)) {
                case 0: {
                    // Periods stay above the shortest that interrupts separately.
                    const u32 value = lcg.below(5) == 0 ? 0 : static_cast<u32>(1000 + lcg.below(300));
                    timer.set_initial_count(now, value);
                    slow.set_initial(value);
                    break;
                }
                case 1: {
                    const auto mode = lcg.below(2) == 0 ? TimerMode::OneShot : TimerMode::Periodic;
                    timer.set_mode(now, mode);
                    slow.mode = mode;
                    break;
                }
                default: break;
            }
            ASSERT_EQ(timer.current_count(now), slow.count) << "seed " << seed << " at " << now;
            ASSERT_EQ(fired, slow.fired) << "seed " << seed << " at " << now;
        }
    }
}

TEST(LapicTimerModel, every_count_and_divisor_counts_as_the_model) {
    for (const u32 setting : {0u, 1u, 2u, 3u, 8u, 9u, 10u, 11u})
        for (const u32 initial : {1u, 2u, 3u, 7u, 8u, 100u})
            for (const auto mode : {TimerMode::OneShot, TimerMode::Periodic}) {
                constexpr std::array<u64, 12> divisors{2, 4, 8, 16, 0, 0, 0, 0, 32, 64, 128, 1};
                Timer timer;
                SlowTimer slow{.mode = mode, .divisor = divisors.at(setting)};
                timer.set_mode(0, mode);
                timer.set_divide(0, setting);
                timer.set_initial_count(0, initial);
                slow.set_initial(initial);
                u64 fired = 0;
                for (u64 now = 1; now < 3000; ++now) {
                    slow.tick();
                    fired += timer.expire(now);
                    ASSERT_EQ(timer.current_count(now), slow.count) << setting << " " << initial << " " << now;
                }
                EXPECT_EQ(fired != 0, slow.fired != 0);
                EXPECT_LE(fired, slow.fired);
                const bool is_slow = initial * slow.divisor >= dev::lapic::min_period_ns;
                EXPECT_TRUE(!is_slow || fired == slow.fired);
            }
}

TEST(LapicTimerModel, deadlines_count_at_the_counters_own_rate) {
    struct Case {
        u64 now_ns, tsc, hz, deadline, due_ns;
    };
    const Case cases[] = {{1000, 4000, 4'000'000'000, 8000, 2000},
                          {1000, 4000, 4'000'000'000, 4001, 1001},
                          {1000, 3000, 3'000'000'000, 3001, 1001},
                          {1000, 100, 100'000'000, 103, 1030},
                          {1000, 4000, 4'000'000'000, 3999, 1000},
                          {1000, 0, 1, ~u64{0}, timer::never}};
    for (const Case& c : cases) {
        Timer timer;
        timer.set_mode(0, TimerMode::TscDeadline);
        timer.set_tsc_deadline(c.now_ns, {c.tsc, c.hz}, c.deadline);
        EXPECT_EQ(timer.due_ns(), c.due_ns) << c.deadline << " at " << c.hz;
    }
}

TEST(LapicTimerModel, damaged_state_and_extreme_times_do_no_harm) {
    for (u64 seed = 1; seed <= 2000; ++seed) {
        Scrambler scrambler(seed);
        Timer timer;
        timer.fields(scrambler);
        Lcg lcg(seed);
        for (int i = 0; i < 20; ++i) {
            const u64 now = lcg.below(2) == 0 ? lcg.word() : ~u64{0} - lcg.below(4);
            timer.expire(now);
            static_cast<void>(timer.current_count(now));
            timer.set_mode(now, static_cast<TimerMode>(lcg.below(4)));
            timer.set_divide(now, static_cast<u32>(lcg.word()));
            timer.set_initial_count(now, static_cast<u32>(lcg.word()));
            timer.set_tsc_deadline(now, {lcg.word(), 1 + lcg.below(10'000'000'000)}, lcg.word());
        }
    }
}

}  // namespace
}  // namespace ax::device_test
