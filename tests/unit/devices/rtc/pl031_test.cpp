#include "devices/rtc/pl031.hpp"

#include <gtest/gtest.h>

#include "tests/unit/devices/device_test_support.hpp"

namespace ax::device_test {
namespace {

using dev::Pl031;

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

constexpr u64 DR = 0x00, MR = 0x04, LR = 0x08, CR = 0x0c, IMSC = 0x10, RIS = 0x14, MIS = 0x18, ICR = 0x1c;
constexpr u64 second = 1'000'000'000;
constexpr u64 turn = u64{1} << 32;
// 2024-01-01T00:00:00Z.
constexpr u64 epoch = 1'704'067'200;

struct Pl031Bench {
    explicit Pl031Bench(u64 epoch_ns = epoch * second) : rtc({.epoch_ns = epoch_ns}, time, time, irq::Line(chip, 34)) {}

    u64 get(u64 offset) { return read_word(rtc, offset, 4); }
    void put(u64 offset, u64 value) { static_cast<void>(rtc.write(offset, 4, value)); }

    FakeTime time;
    FakeIrqChip chip;
    Pl031 rtc;
};

class Pl031Test : public testing::Test, protected Pl031Bench {};

TEST_F(Pl031Test, powers_on_counting_with_no_interrupt) {
    struct Case {
        u64 offset;
        u64 value;
    };
    for (const Case c : {Case{DR, epoch}, Case{MR, 0}, Case{LR, 0}, Case{CR, 1}, Case{IMSC, 0}, Case{RIS, 0}, Case{MIS, 0},
                         Case{ICR, 0}})
        EXPECT_EQ(get(c.offset), c.value) << std::hex << c.offset;
    EXPECT_FALSE(chip.line);
    EXPECT_EQ(time.settings, 0u);
}

TEST_F(Pl031Test, identifies_itself) {
    u64 offset = 0xfe0;
    for (const u64 byte : {0x31u, 0x10u, 0x04u, 0x00u, 0x0du, 0xf0u, 0x05u, 0xb1u}) {
        EXPECT_EQ(get(offset), byte) << std::hex << offset;
        offset += 4;
    }
}

TEST_F(Pl031Test, counter_is_epoch_plus_clock_in_whole_seconds) {
    for (const u64 ns : {u64{0}, second - 1, second, 5 * second + 7, turn * second}) {
        time.now = ns;
        EXPECT_EQ(get(DR), (epoch + ns / second) % turn) << ns;
    }
}

TEST_F(Pl031Test, counter_counts_where_epoch_and_clock_together_pass_a_second) {
    Pl031Bench bench(7 * second + 600'000'000);
    EXPECT_EQ(bench.get(DR), 7u);
    bench.time.now = 399'999'999;
    EXPECT_EQ(bench.get(DR), 7u);
    bench.time.now = 400'000'000;
    EXPECT_EQ(bench.get(DR), 8u);
}

TEST_F(Pl031Test, time_loaded_goes_on_from_there) {
    time.now = 3 * second;
    put(LR, 0x1234'5678);
    EXPECT_EQ(get(DR), 0x1234'5678u);
    EXPECT_EQ(get(LR), 0x1234'5678u);
    time.now += 2 * second;
    EXPECT_EQ(get(DR), 0x1234'567au);
    EXPECT_EQ(get(LR), 0x1234'5678u);
}

TEST_F(Pl031Test, match_interrupts_when_the_counter_arrives) {
    time.now = 300'000'000;
    put(IMSC, 1);
    put(MR, epoch + 2);
    EXPECT_EQ(get(MR), epoch + 2);
    EXPECT_EQ(time.deadline, 2 * second);
    time.advance_to(2 * second - 1);
    EXPECT_FALSE(chip.line);
    EXPECT_EQ(get(RIS), 0u);
    time.advance_to(2 * second);
    EXPECT_TRUE(chip.line);
    EXPECT_EQ(chip.last_number, 34u);
    EXPECT_EQ(get(DR), epoch + 2);
    EXPECT_EQ(get(RIS), 1u);
    EXPECT_EQ(get(MIS), 1u);
    put(ICR, 0);
    EXPECT_TRUE(chip.line);
    put(ICR, 1);
    EXPECT_FALSE(chip.line);
    EXPECT_EQ(get(RIS), 0u);
}

TEST_F(Pl031Test, masked_match_sets_no_alarm_and_shows_in_the_raw_status) {
    put(MR, epoch + 5);
    EXPECT_EQ(time.settings, 0u);
    time.advance_to(5 * second);
    EXPECT_EQ(get(RIS), 1u);
    EXPECT_EQ(get(MIS), 0u);
    EXPECT_FALSE(chip.line);
    put(IMSC, 1);
    EXPECT_TRUE(chip.line);
    EXPECT_EQ(get(MIS), 1u);
    EXPECT_EQ(get(IMSC), 1u);
    put(IMSC, ~u64{1});
    EXPECT_FALSE(chip.line);
    EXPECT_EQ(get(IMSC), 0u);
}

TEST_F(Pl031Test, match_passed_unseen_counts_even_if_nobody_looked_in_time) {
    put(MR, epoch + 5);
    time.now = 9 * second;
    put(IMSC, 1);
    EXPECT_TRUE(chip.line);
}

TEST_F(Pl031Test, match_comes_again_after_a_turn_of_the_counter) {
    put(IMSC, 1);
    put(MR, epoch + 5);
    time.advance_to(5 * second);
    EXPECT_EQ(time.deadline, timer::never);
    put(ICR, 1);
    EXPECT_EQ(time.deadline, (turn + 5) * second);
    time.advance_to((turn + 5) * second);
    EXPECT_TRUE(chip.line);
    // Three turns later without a look in between.
    put(ICR, 1);
    time.now = (3 * turn + 6) * second;
    EXPECT_EQ(get(RIS), 1u);
    put(ICR, 1);
    EXPECT_EQ(time.deadline, (4 * turn + 5) * second);
}

TEST_F(Pl031Test, alarm_told_early_waits_for_its_time) {
    put(IMSC, 1);
    rtc.on_alarm();
    put(MR, epoch + 10);
    rtc.on_alarm();
    EXPECT_FALSE(chip.line);
    EXPECT_EQ(time.deadline, 10 * second);
}

// rtc-pl031: read the time, set an alarm, take the interrupt, clear it and mask it.
TEST_F(Pl031Test, linux_driver_sequence_works) {
    EXPECT_EQ(get(CR) & 1, 1u);
    put(IMSC, 0);
    put(ICR, 1);
    const u64 now = get(DR);
    put(MR, now + 3);
    put(IMSC, get(IMSC) | 1);
    time.advance_to(3 * second);
    EXPECT_TRUE(chip.line);
    EXPECT_EQ(get(MIS) & 1, 1u);
    put(ICR, 1);
    put(IMSC, get(IMSC) & ~u64{1});
    EXPECT_FALSE(chip.line);
    EXPECT_EQ(time.deadline, timer::never);
}

TEST_F(Pl031Test, reset_forgets_time_match_and_interrupt) {
    const SavedState power_on = save(rtc);
    put(IMSC, 1);
    put(LR, 5);
    put(MR, 5);
    EXPECT_TRUE(chip.line);
    put(ICR, 1);
    put(MR, 1'000);
    EXPECT_NE(time.deadline, timer::never);
    rtc.reset();
    EXPECT_FALSE(chip.line);
    EXPECT_EQ(time.deadline, timer::never);
    EXPECT_EQ(save(rtc), power_on);
}

TEST_F(Pl031Test, epoch_zero_powers_on_without_a_match) {
    Pl031Bench bench(0);
    EXPECT_EQ(bench.get(DR), 0u);
    EXPECT_EQ(bench.get(RIS), 0u);
    bench.rtc.reset();
    EXPECT_EQ(bench.get(RIS), 0u);
    EXPECT_EQ(bench.rtc.state().match_ns, turn * second);
}

TEST_F(Pl031Test, restoring_sets_the_alarm_and_saving_leaves_it_alone) {
    put(IMSC, 1);
    put(MR, epoch + 700);
    const u64 settings = time.settings;
    const SavedState saved = save(rtc);
    EXPECT_EQ(time.settings, settings);
    Pl031Bench other;
    ASSERT_TRUE(restore(other.rtc, saved));
    EXPECT_EQ(other.time.deadline, 700 * second);
    other.time.advance_to(700 * second);
    EXPECT_TRUE(other.chip.line);
}

TEST_F(Pl031Test, t1_access_of_wrong_size_or_alignment_faults_and_changes_nothing) {
    put(MR, epoch + 1);
    time.now = second;
    const SavedState before = save(rtc);
    for (u64 offset = 0; offset < 0x20; ++offset) {
        for (const u8 size : {u8{1}, u8{2}, u8{4}, u8{8}}) {
            if (size == 4 && offset % 4 == 0) continue;
            EXPECT_EQ(read_word(rtc, offset, size), fault);
            EXPECT_EQ(write_word(rtc, offset, size, 1), fault);
        }
    }
    EXPECT_EQ(save(rtc), before);
}

TEST_F(Pl031Test, t2_places_without_register_read_zero_and_ignore_writes) {
    put(IMSC, 1);
    const SavedState before = save(rtc);
    for (const u64 offset : {u64{0x20}, u64{0x24}, u64{0x100}, u64{0xfdc}, u64{0x1000}, u64{0x1'0000'0000}, ~u64{3}}) {
        put(offset, 0xffff'ffff);
        EXPECT_EQ(get(offset), 0u);
    }
    for (const u64 offset : {DR, CR, RIS, MIS, u64{0xfe0}, u64{0xffc}}) {
        const u64 value = get(offset);
        put(offset, ~value);
        EXPECT_EQ(get(offset), value) << offset;
    }
    EXPECT_EQ(get(ICR), 0u);
    EXPECT_EQ(save(rtc), before);
}

TEST_F(Pl031Test, t3_match_now_interrupts_at_once_and_once) {
    put(IMSC, 1);
    time.now = 700'000'000;
    put(MR, epoch);
    EXPECT_TRUE(chip.line);
    put(ICR, 1);
    EXPECT_FALSE(chip.line);
    EXPECT_EQ(get(RIS), 0u);
    EXPECT_EQ(time.deadline, turn * second);
    put(LR, 77);
    put(MR, 99);
    put(LR, 99);
    EXPECT_TRUE(chip.line);
}

TEST_F(Pl031Test, t4_match_in_the_past_is_a_turn_away) {
    time.now = 8 * second;
    put(IMSC, 1);
    put(MR, epoch + 7);
    EXPECT_FALSE(chip.line);
    EXPECT_EQ(time.deadline, (turn + 7) * second);
}

TEST_F(Pl031Test, t5_match_beyond_the_end_of_the_clock_is_never_due) {
    time.now = timer::never - 5 * second;
    put(ICR, 1);
    put(IMSC, 1);
    put(MR, get(DR) + 7);
    EXPECT_EQ(time.deadline, timer::never);
    EXPECT_EQ(rtc.state().match_ns, timer::never);
    time.now = timer::never;
    rtc.on_alarm();
    EXPECT_EQ(get(RIS), 0u);
}

TEST_F(Pl031Test, t5_match_passed_near_the_end_of_the_clock_does_not_come_again) {
    time.now = timer::never - 5 * second;
    put(ICR, 1);
    put(IMSC, 1);
    put(MR, get(DR) + 2);
    time.advance_to(timer::never - second);
    EXPECT_TRUE(chip.line);
    EXPECT_EQ(rtc.state().match_ns, timer::never);
}

TEST_F(Pl031Test, t6_setting_the_counter_moves_the_match) {
    put(IMSC, 1);
    put(MR, epoch + 100);
    time.now = 10 * second;
    put(LR, epoch + 40);
    EXPECT_EQ(time.deadline, 70 * second);
    put(LR, epoch);
    EXPECT_EQ(time.deadline, 110 * second);
    put(LR, epoch + 101);
    EXPECT_FALSE(chip.line);
    EXPECT_EQ(time.deadline, (turn + 9) * second);
    put(LR, 0xffff'ffff);
    time.now += second;
    EXPECT_EQ(get(DR), 0u);
}

TEST_F(Pl031Test, t7_clearing_what_is_not_there_is_ignored) {
    const SavedState before = save(rtc);
    put(ICR, 1);
    EXPECT_EQ(save(rtc), before);
    EXPECT_EQ(chip.changes, 0u);
    EXPECT_EQ(time.settings, 0u);
}

TEST_F(Pl031Test, t8_new_matches_leave_one_alarm) {
    put(IMSC, 1);
    for (u64 i = 0; i < 100; ++i) put(MR, epoch + 1'000 - i);
    EXPECT_EQ(time.deadline, 901 * second);
    time.advance_to(5'000 * second);
    EXPECT_EQ(time.deliveries, 1u);
    EXPECT_EQ(time.deadline, timer::never);
}

TEST_F(Pl031Test, t9_line_is_driven_only_when_it_changes) {
    put(MR, epoch);
    for (int i = 0; i < 5; ++i) {
        put(IMSC, 1);
        put(IMSC, 1);
        put(IMSC, 0);
        put(IMSC, 0);
    }
    EXPECT_EQ(chip.changes, 10u);
}

TEST_F(Pl031Test, t10_clock_cannot_be_stopped) {
    put(CR, 0);
    EXPECT_EQ(get(CR), 1u);
    time.now = second;
    EXPECT_EQ(get(DR), epoch + 1);
}

u64 random_step(Pl031Bench& bench, Lcg& lcg) {
    const u64 offset = lcg.below(32) == 0 ? lcg.word() : lcg.below(9) * 4;
    const u8 size = lcg.below(32) == 0 ? static_cast<u8>(1u << lcg.below(4)) : u8{4};
    const u64 wild = lcg.word();
    switch (lcg.below(8)) {
        case 0: bench.time.advance_to(bench.time.now + wild % (5 * second)); return 0;
        case 1: bench.put(MR, bench.get(DR) + wild % 8); return 0;
        case 2: bench.put(wild % 4 == 0 ? ICR : IMSC, wild >> 8); return 0;
        case 3: return write_word(bench.rtc, offset, size, wild);
        default: return read_word(bench.rtc, offset, size);
    }
}

TEST(Pl031Property, random_accesses_survive_and_a_restored_device_goes_on_the_same) {
    Pl031Bench first;
    Pl031Bench other;
    Lcg lcg(31);
    for (u32 i = 0; i < 200'000; ++i) {
        if (i % 1'000 == 0) {
            other.rtc.reset();
            ASSERT_TRUE(restore(other.rtc, save(first.rtc)));
            other.time.now = first.time.now;
            other.chip = first.chip;
        }
        Lcg same = lcg;
        ASSERT_EQ(random_step(first, lcg), random_step(other, same)) << i;
        ASSERT_EQ(first.time.deadline, other.time.deadline) << i;
        ASSERT_EQ(first.time.deadline, first.rtc.state().alarm_ns) << i;
        ASSERT_EQ(first.chip.line, first.rtc.state().line) << i;
    }
    EXPECT_EQ(save(first.rtc), save(other.rtc));
    EXPECT_EQ(first.chip.changes, other.chip.changes);
    EXPECT_GT(first.chip.changes, 1'000u);
    EXPECT_GT(first.time.deliveries, 100u);
}

TEST(Pl031Property, random_accesses_survive_a_scrambled_state) {
    for (u64 seed = 1; seed <= 100; ++seed) {
        Pl031Bench bench;
        Scrambler scrambler(seed);
        bench.rtc.fields(scrambler);
        Lcg lcg(seed);
        for (u32 i = 0; i < 2'000; ++i) static_cast<void>(random_step(bench, lcg));
    }
}

}  // namespace
}  // namespace ax::device_test
