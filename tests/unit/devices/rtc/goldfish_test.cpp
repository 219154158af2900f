#include "devices/rtc/goldfish.hpp"

#include <gtest/gtest.h>

#include "tests/unit/devices/device_test_support.hpp"

namespace ax::device_test {
namespace {

using dev::Goldfish;

// A clock set by hand, with the one alarm a device may have on it.
class FakeTime final : public timer::Clock, public timer::Alarms {
public:
    u64 now_ns() override { return now; }
    void set_alarm(timer::AlarmClient& client, u64 deadline_ns) override {
        client_ = &client;
        deadline = deadline_ns;
        ++settings;
    }
    void advance_to(u64 time_ns) {
        now = time_ns;
        if (deadline == timer::never || deadline > now) return;
        deadline = timer::never;
        ++deliveries;
        client_->on_alarm();
    }
    u64 now = 0;
    u64 deadline = timer::never;
    u64 settings = 0;
    u64 deliveries = 0;

private:
    timer::AlarmClient* client_ = nullptr;
};

constexpr u64 TIME_LOW = 0x00, TIME_HIGH = 0x04, ALARM_LOW = 0x08, ALARM_HIGH = 0x0c, IRQ_ENABLED = 0x10, CLEAR_ALARM = 0x14,
              ALARM_STATUS = 0x18, CLEAR_INTERRUPT = 0x1c;
// 2024-01-01T00:00:00Z.
constexpr u64 epoch = 1'704'067'200'000'000'000;

struct RtcBench {
    explicit RtcBench(u64 epoch_ns = epoch) : rtc({.epoch_ns = epoch_ns}, time, time, irq::Line(chip, 11)) {}

    u64 get(u64 offset) { return read_word(rtc, offset, 4); }
    void put(u64 offset, u64 value) { static_cast<void>(rtc.write(offset, 4, value)); }
    u64 read_time() {
        const u64 low = get(TIME_LOW);
        return get(TIME_HIGH) << 32 | low;
    }
    void set_time(u64 ns) {
        put(TIME_HIGH, ns >> 32);
        put(TIME_LOW, ns & 0xffff'ffff);
    }
    void set_alarm(u64 ns) {
        put(ALARM_HIGH, ns >> 32);
        put(ALARM_LOW, ns & 0xffff'ffff);
    }

    FakeTime time;
    FakeIrqChip chip;
    Goldfish rtc;
};

class GoldfishTest : public testing::Test, protected RtcBench {};

TEST_F(GoldfishTest, time_is_the_epoch_plus_the_clock) {
    EXPECT_EQ(read_time(), epoch);
    time.now = 5'000'000'007;
    EXPECT_EQ(read_time(), epoch + 5'000'000'007);
}

TEST_F(GoldfishTest, time_written_goes_on_from_there) {
    time.now = 1'000;
    set_time(0x1234'5678'9abc'def0);
    EXPECT_EQ(read_time(), 0x1234'5678'9abc'def0u);
    time.now = 1'500;
    EXPECT_EQ(read_time(), 0x1234'5678'9abc'def0u + 500);
}

TEST_F(GoldfishTest, alarm_interrupts_at_its_time) {
    put(IRQ_ENABLED, 1);
    set_alarm(epoch + 1'000);
    EXPECT_EQ(get(ALARM_STATUS), 1u);
    EXPECT_EQ(time.deadline, 1'000u);
    time.advance_to(999);
    EXPECT_FALSE(chip.line);
    time.advance_to(1'000);
    EXPECT_TRUE(chip.line);
    EXPECT_EQ(chip.last_number, 11u);
    EXPECT_EQ(get(ALARM_STATUS), 0u);
    put(CLEAR_INTERRUPT, 1);
    EXPECT_FALSE(chip.line);
}

TEST_F(GoldfishTest, alarm_reads_back_and_its_high_half_alone_arms_nothing) {
    put(ALARM_HIGH, 0x1800'0000);
    EXPECT_EQ(get(ALARM_STATUS), 0u);
    EXPECT_EQ(time.settings, 0u);
    put(ALARM_LOW, 0x55);
    EXPECT_EQ(get(ALARM_STATUS), 1u);
    EXPECT_EQ(get(ALARM_HIGH), 0x1800'0000u);
    EXPECT_EQ(get(ALARM_LOW), 0x55u);
}

TEST_F(GoldfishTest, cleared_alarm_never_comes) {
    put(IRQ_ENABLED, 1);
    set_alarm(epoch + 1'000);
    put(CLEAR_ALARM, 1);
    EXPECT_EQ(get(ALARM_STATUS), 0u);
    EXPECT_EQ(time.deadline, timer::never);
    time.advance_to(2'000);
    EXPECT_FALSE(chip.line);
}

TEST_F(GoldfishTest, masked_interrupt_shows_when_it_is_enabled) {
    set_alarm(epoch + 10);
    time.advance_to(10);
    EXPECT_FALSE(chip.line);
    put(IRQ_ENABLED, 1);
    EXPECT_TRUE(chip.line);
    EXPECT_EQ(get(IRQ_ENABLED), 1u);
    put(IRQ_ENABLED, 0xffff'fffe);
    EXPECT_FALSE(chip.line);
    EXPECT_EQ(get(IRQ_ENABLED), 0u);
}

TEST_F(GoldfishTest, alarm_told_early_or_twice_waits_for_its_time) {
    put(IRQ_ENABLED, 1);
    rtc.on_alarm();
    set_alarm(epoch + 10);
    rtc.on_alarm();
    EXPECT_FALSE(chip.line);
    EXPECT_EQ(get(ALARM_STATUS), 1u);
    time.advance_to(10);
    put(CLEAR_INTERRUPT, 0);
    rtc.on_alarm();
    EXPECT_FALSE(chip.line);
}

TEST_F(GoldfishTest, reset_forgets_time_alarm_and_interrupt) {
    const SavedState power_on = save(rtc);
    put(IRQ_ENABLED, 1);
    set_time(5);
    set_alarm(5);
    EXPECT_TRUE(chip.line);
    set_alarm(1'000);
    rtc.reset();
    EXPECT_FALSE(chip.line);
    EXPECT_EQ(time.deadline, timer::never);
    EXPECT_EQ(save(rtc), power_on);
}

TEST_F(GoldfishTest, restoring_sets_the_alarm_and_saving_leaves_it_alone) {
    set_alarm(epoch + 700);
    const u64 settings = time.settings;
    const SavedState saved = save(rtc);
    EXPECT_EQ(time.settings, settings);
    RtcBench other;
    ASSERT_TRUE(restore(other.rtc, saved));
    EXPECT_EQ(other.time.deadline, 700u);
    other.put(IRQ_ENABLED, 1);
    other.time.advance_to(700);
    EXPECT_TRUE(other.chip.line);
}

TEST_F(GoldfishTest, t1_access_of_wrong_size_or_alignment_faults_and_changes_nothing) {
    time.now = 3;
    const SavedState before = save(rtc);
    for (u64 offset = 0; offset < 0x20; ++offset) {
        for (const u8 size : {u8{1}, u8{2}, u8{4}, u8{8}}) {
            if (size == 4 && offset % 4 == 0) continue;
            EXPECT_EQ(read_word(rtc, offset, size), fault);
            EXPECT_EQ(write_word(rtc, offset, size, 1), fault);
        }
    }
    EXPECT_EQ(save(rtc), before);
    EXPECT_EQ(time.settings, 0u);
}

TEST_F(GoldfishTest, t2_places_without_register_read_zero_and_ignore_writes) {
    put(IRQ_ENABLED, 1);
    const SavedState before = save(rtc);
    for (const u64 offset : {u64{0x20}, u64{0x24}, u64{0x100}, u64{0xffc}, u64{0x1000}, ~u64{3}}) {
        put(offset, 0xffff'ffff);
        EXPECT_EQ(get(offset), 0u);
    }
    EXPECT_EQ(get(CLEAR_ALARM), 0u);
    EXPECT_EQ(get(CLEAR_INTERRUPT), 0u);
    put(ALARM_STATUS, 1);
    EXPECT_EQ(get(ALARM_STATUS), 0u);
    EXPECT_EQ(save(rtc), before);
}

TEST_F(GoldfishTest, t3_alarm_not_in_the_future_interrupts_at_once_and_once) {
    put(IRQ_ENABLED, 1);
    for (const u64 alarm : {epoch, epoch - 1, u64{0}}) {
        set_alarm(alarm);
        EXPECT_TRUE(chip.line);
        EXPECT_EQ(get(ALARM_STATUS), 0u);
        put(CLEAR_INTERRUPT, 1);
        time.advance_to(time.now);
        EXPECT_FALSE(chip.line);
    }
    EXPECT_EQ(time.deliveries, 0u);
}

TEST_F(GoldfishTest, t4_alarm_beyond_the_end_of_the_clock_is_armed_and_never_due) {
    RtcBench bench(0);
    bench.put(IRQ_ENABLED, 1);
    bench.set_time(0);
    bench.time.now = 100;
    bench.set_time(0);
    for (const u64 alarm : {~u64{0}, ~u64{0} - 99, ~u64{0} - 100}) {
        bench.set_alarm(alarm);
        EXPECT_EQ(bench.get(ALARM_STATUS), 1u);
        EXPECT_EQ(bench.time.deadline, timer::never);
    }
    bench.set_alarm(~u64{0} - 101);
    EXPECT_EQ(bench.time.deadline, timer::never - 1);
    bench.time.advance_to(timer::never - 2);
    EXPECT_FALSE(bench.chip.line);
}

TEST_F(GoldfishTest, t5_time_wraps_and_an_alarm_not_above_it_is_due) {
    put(IRQ_ENABLED, 1);
    set_time(~u64{0});
    EXPECT_EQ(read_time(), ~u64{0});
    time.advance_to(time.now + 1);
    EXPECT_EQ(read_time(), 0u);
    set_alarm(0);
    EXPECT_TRUE(chip.line);
}

TEST_F(GoldfishTest, t6_setting_the_time_past_an_alarm_makes_it_due) {
    put(IRQ_ENABLED, 1);
    set_alarm(epoch + 1'000);
    set_time(epoch + 1'000);
    EXPECT_TRUE(chip.line);
    EXPECT_EQ(time.deadline, timer::never);
}

TEST_F(GoldfishTest, t6_setting_the_time_moves_an_armed_alarm) {
    set_alarm(epoch + 1'000);
    time.now = 100;
    set_time(epoch + 400);
    EXPECT_EQ(time.deadline, 700u);
    set_time(epoch);
    EXPECT_EQ(time.deadline, 1'100u);
}

TEST_F(GoldfishTest, t7_clearing_what_is_not_there_is_ignored) {
    const SavedState before = save(rtc);
    put(CLEAR_ALARM, 1);
    put(CLEAR_INTERRUPT, 1);
    EXPECT_EQ(save(rtc), before);
    EXPECT_EQ(chip.changes, 0u);
    EXPECT_EQ(time.settings, 0u);
}

TEST_F(GoldfishTest, t8_rearming_leaves_one_alarm) {
    put(IRQ_ENABLED, 1);
    for (u64 i = 0; i < 100; ++i) set_alarm(epoch + 1'000 - i);
    EXPECT_EQ(time.deadline, 901u);
    time.advance_to(5'000);
    EXPECT_EQ(time.deliveries, 1u);
    EXPECT_EQ(time.deadline, timer::never);
}

TEST_F(GoldfishTest, t9_line_is_driven_only_when_it_changes) {
    set_alarm(epoch);
    for (int i = 0; i < 5; ++i) {
        put(IRQ_ENABLED, 1);
        put(IRQ_ENABLED, 1);
        put(IRQ_ENABLED, 0);
        put(IRQ_ENABLED, 0);
    }
    EXPECT_EQ(chip.changes, 10u);
}

TEST_F(GoldfishTest, t10_high_half_is_that_of_the_last_low_read) {
    RtcBench bench(0);
    bench.time.now = 0xffff'ffff;
    EXPECT_EQ(bench.get(TIME_HIGH), 0u);
    EXPECT_EQ(bench.get(TIME_LOW), 0xffff'ffffu);
    bench.time.now = 0x5'0000'0000;
    EXPECT_EQ(bench.get(TIME_HIGH), 0u);
    EXPECT_EQ(bench.get(TIME_LOW), 0u);
    EXPECT_EQ(bench.get(TIME_HIGH), 5u);
}

u64 random_step(RtcBench& bench, Lcg& lcg) {
    const u64 offset = lcg.below(32) == 0 ? lcg.word() : lcg.below(9) * 4;
    const u8 size = lcg.below(32) == 0 ? static_cast<u8>(1u << lcg.below(4)) : u8{4};
    const u64 wild = lcg.word();
    switch (lcg.below(8)) {
        case 0: bench.time.advance_to(bench.time.now + wild % 5'000); return 0;
        case 1: bench.set_alarm(bench.read_time() + wild % 8'000); return 0;
        case 2: bench.put(IRQ_ENABLED, wild); return 0;
        case 3:
        case 4: return write_word(bench.rtc, offset, size, wild);
        default: return read_word(bench.rtc, offset, size);
    }
}

TEST(GoldfishProperty, random_accesses_survive_and_a_restored_device_goes_on_the_same) {
    RtcBench first;
    RtcBench second;
    Lcg lcg(1970);
    for (u32 i = 0; i < 200'000; ++i) {
        if (i % 1'000 == 0) {
            second.rtc.reset();
            ASSERT_TRUE(restore(second.rtc, save(first.rtc)));
            second.time.now = first.time.now;
            second.chip = first.chip;
        }
        Lcg same = lcg;
        ASSERT_EQ(random_step(first, lcg), random_step(second, same)) << i;
        ASSERT_EQ(first.time.deadline, second.time.deadline) << i;
        ASSERT_EQ(first.time.deadline, first.rtc.state().deadline_ns) << i;
    }
    EXPECT_EQ(save(first.rtc), save(second.rtc));
    EXPECT_EQ(first.chip.changes, second.chip.changes);
    EXPECT_GT(first.chip.changes, 1'000u);
    EXPECT_GT(first.time.deliveries, 100u);
}

TEST(GoldfishProperty, random_accesses_survive_a_scrambled_state) {
    for (u64 seed = 1; seed <= 100; ++seed) {
        RtcBench bench;
        Scrambler scrambler(seed);
        bench.rtc.fields(scrambler);
        Lcg lcg(seed);
        for (u32 i = 0; i < 2'000; ++i) static_cast<void>(random_step(bench, lcg));
    }
}

}  // namespace
}  // namespace ax::device_test
