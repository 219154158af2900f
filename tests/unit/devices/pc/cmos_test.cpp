// The clock and memory of a PC, and the calendar behind it.
#include "devices/pc/cmos.hpp"

#include <gtest/gtest.h>

#include "tests/unit/devices/pc/pc_fixture.hpp"

namespace ax::device_test {
namespace {

using dev::CalendarTime;
namespace calendar = dev::calendar;

// Every day of 10000 years, counted on by hand.
TEST(CalendarTest, every_day_follows_the_one_before) {
    u32 year = 0, month = 1, day = 1, weekday = 7;
    for (u64 n = 0; n < calendar::seconds_in_all / 86'400; ++n) {
        const CalendarTime time = calendar::from_seconds(n * 86'400 + 86'399);
        ASSERT_EQ(time, (CalendarTime{59, 59, 23, weekday, day, month, year})) << n;
        ASSERT_EQ(calendar::to_seconds(time), n * 86'400 + 86'399);
        const bool is_leap = year % 400 == 0 || (year % 4 == 0 && year % 100 != 0);
        const u32 length = month == 2 ? (is_leap ? 29 : 28) : month == 4 || month == 6 || month == 9 || month == 11 ? 30 : 31;
        if (++day > length) day = 1, ++month;
        if (month > 12) month = 1, ++year;
        weekday = weekday % 7 + 1;
    }
    EXPECT_EQ(year, 10'000u);
    EXPECT_EQ(calendar::from_seconds(calendar::unix_epoch).weekday, 5u) << "1970-01-01 was a Thursday";
}

TEST(CalendarTest, what_does_not_exist_becomes_the_nearest) {
    EXPECT_EQ(calendar::from_seconds(calendar::to_seconds({99, 99, 99, 0, 31, 2, 2023})), (CalendarTime{59, 59, 23, 3, 28, 2, 2023}));
    EXPECT_EQ(calendar::from_seconds(calendar::to_seconds({0, 0, 0, 0, 0, 0, 20'000})), (CalendarTime{0, 0, 0, 6, 1, 1, 9999}));
}

constexpr u64 second = 1'000'000'000;
// 2024-02-28T23:59:50Z, a Wednesday.
constexpr u64 epoch = 1'709'164'790;

struct CmosBench {
    u64 get(u64 number) {
        EXPECT_NE(write_word(cmos, 0, 1, number), fault);
        return read_word(cmos, 1, 1);
    }
    void put(u64 number, u64 value) {
        EXPECT_NE(write_word(cmos, 0, 1, number), fault);
        EXPECT_NE(write_word(cmos, 1, 1, value), fault);
    }
    std::string shown() {
        std::string text;
        for (const u64 number : {0x32u, 9u, 8u, 7u, 4u, 2u, 0u}) {
            constexpr std::string_view digits = "0123456789abcdef";
            const u64 value = get(number);
            text += digits[value >> 4];
            text += digits[value & 15];
        }
        return text;
    }
    FakeTime time;
    EdgeCounter irq;
    dev::Cmos cmos{{.epoch_ns = epoch * second, .memory_below_4g = 3u << 30, .memory_above_4g = u64{5} << 30, .vcpus = 4},
                   time,
                   time,
                   irq::Line(irq, 8)};
};

class CmosTest : public testing::Test, protected CmosBench {};

TEST_F(CmosTest, time_follows_the_clock_in_bcd_and_24_hours) {
    EXPECT_EQ(shown(), "20240228235950");
    EXPECT_EQ(get(6), 4u);
    time.now = 10 * second;
    EXPECT_EQ(shown(), "20240229000000");
    EXPECT_EQ(get(6), 5u);
    EXPECT_EQ(get(0x0a), 0x26u);
    EXPECT_EQ(get(0x0b), 0x02u);
    EXPECT_EQ(get(0x0d), 0x80u);
}

TEST_F(CmosTest, binary_and_12_hours) {
    put(0x0b, 0x06);
    EXPECT_EQ(get(0), 50u);
    EXPECT_EQ(get(4), 23u);
    EXPECT_EQ(get(0x32), 20u);
    put(0x0b, 0x04);
    EXPECT_EQ(get(4), 0x80u | 11);
    put(4, 12);
    EXPECT_EQ(get(4), 12u);
    put(0x0b, 0x06);
    EXPECT_EQ(get(4), 0u) << "12 before noon is midnight";
    put(4, 12);
    put(0x0b, 0x00);
    EXPECT_EQ(get(4), 0x92u);
}

TEST_F(CmosTest, setting_the_time_holds_updates_and_goes_on_from_there) {
    put(0x0b, 0x82);
    time.now = 5 * second;
    EXPECT_EQ(shown(), "20240228235950") << "held";
    EXPECT_EQ(get(0x0c) & 0x30, 0u) << "no updates, no flags";
    const std::pair<u64, u64> fields[] = {{0x32, 0x19}, {9, 0x99}, {8, 0x12}, {7, 0x31}, {4, 0x23}, {2, 0x59}, {0, 0x58}};
    for (const auto& [number, value] : fields) put(number, value);
    EXPECT_EQ(shown(), "19991231235958");
    put(0x0b, 0x02);
    time.now = 7 * second;
    EXPECT_EQ(shown(), "20000101000000");
}

TEST_F(CmosTest, update_in_progress_comes_before_the_second) {
    time.now = second - 244'001;
    EXPECT_EQ(get(0x0a), 0x26u);
    time.now = second - 244'000;
    EXPECT_EQ(get(0x0a), 0xa6u);
    time.now = second;
    EXPECT_EQ(get(0x0a), 0x26u);
}

TEST_F(CmosTest, update_interrupt_each_second_until_answered) {
    put(0x0b, 0x12);
    time.advance_to(second - 1);
    EXPECT_FALSE(irq.line);
    time.advance_to(second);
    EXPECT_TRUE(irq.line);
    EXPECT_EQ(time.deadline, timer::never) << "nothing more can happen to the line";
    EXPECT_EQ(get(0x0c), 0xd0u) << "the periodic flag is there too";
    EXPECT_FALSE(irq.line);
    EXPECT_EQ(get(0x0c), 0u);
    time.advance_to(4 * second);
    EXPECT_EQ(irq.rises, 2u);
}

TEST_F(CmosTest, alarm_interrupts_at_its_time) {
    put(1, 0x05);
    put(3, 0x00);
    put(5, 0x00);
    put(0x0b, 0x22);
    time.advance_to(15 * second - 1);
    EXPECT_FALSE(irq.line);
    time.advance_to(15 * second);
    EXPECT_TRUE(irq.line);
    EXPECT_EQ(get(0x0c), 0xf0u) << "the other flags are there too";
    EXPECT_EQ(time.deadline, (86'400 + 15) * second);
}

TEST_F(CmosTest, alarm_fields_that_do_not_care) {
    put(1, 0x30);
    put(3, 0xff);
    put(5, 0xc0);
    put(0x0b, 0x22);
    EXPECT_EQ(time.deadline, 40 * second);
    time.advance_to(40 * second);
    get(0x0c);
    EXPECT_EQ(time.deadline, 100 * second);
}

TEST_F(CmosTest, every_alarm_time_is_found) {
    Lcg lcg(7);
    for (u32 i = 0; i < 300; ++i) {
        CmosBench bench;
        const u64 at = lcg.below(86'400);
        const auto bcd = [](u64 value) { return value / 10 << 4 | value % 10; };
        bench.put(1, bcd(at % 60));
        bench.put(3, bcd(at / 60 % 60));
        bench.put(5, bcd(at / 3600));
        bench.put(0x0b, 0x22);
        const u64 start = epoch % 86'400;
        const u64 ahead = (at + 86'400 - start) % 86'400;
        EXPECT_EQ(bench.time.deadline, (ahead == 0 ? 86'400 : ahead) * second);
    }
}

TEST_F(CmosTest, every_alarm_within_hours_is_found_from_the_middle_of_a_minute) {
    Lcg lcg(8);
    for (u32 i = 0; i < 300; ++i) {
        CmosBench bench;
        bench.time.now = lcg.below(5'000) * second;
        bench.get(0x0c);
        const u64 ahead = 1 + lcg.below(7'000);
        const u64 at = (epoch + bench.time.now / second + ahead) % 86'400;
        const auto bcd = [](u64 value) { return value / 10 << 4 | value % 10; };
        bench.put(1, bcd(at % 60));
        bench.put(3, bcd(at / 60 % 60));
        bench.put(5, bcd(at / 3600));
        bench.put(0x0b, 0x22);
        EXPECT_EQ(bench.time.deadline, bench.time.now + ahead * second);
    }
}

TEST_F(CmosTest, holding_updates_disables_their_interrupt) {
    put(0x0b, 0x92);
    EXPECT_EQ(get(0x0b), 0x82u);
    EXPECT_EQ(time.deadline, timer::never);
}

TEST_F(CmosTest, periodic_rates) {
    constexpr std::array<u64, 16> hz{0, 256, 128, 8192, 4096, 2048, 1024, 512, 256, 128, 64, 32, 16, 8, 4, 2};
    for (u32 rate = 0; rate < 16; ++rate) {
        CmosBench bench;
        bench.put(0x0a, 0x20 | rate);
        bench.put(0x0b, 0x42);
        u64 count = 0;
        while (bench.time.deadline <= second) {
            bench.time.advance_to(bench.time.deadline);
            EXPECT_EQ(bench.get(0x0c) & 0xc0, 0xc0u);
            ++count;
        }
        EXPECT_EQ(count, hz.at(rate)) << rate;
    }
}

TEST_F(CmosTest, memory_holds_what_firmware_looks_for) {
    const auto word = [&](u64 at) { return get(at) | get(at + 1) << 8; };
    EXPECT_EQ(word(0x15), 640u);
    EXPECT_EQ(word(0x17), 0xffffu);
    EXPECT_EQ(word(0x30), 0xffffu);
    EXPECT_EQ(word(0x34), ((3u << 30) - (16u << 20)) / 65'536);
    EXPECT_EQ(word(0x5b) | get(0x5d) << 16, (u64{5} << 30) / 65'536);
    EXPECT_EQ(get(0x5f), 3u);
    EXPECT_EQ(get(0x3d), 0x32u);
    EXPECT_EQ(get(0x0f), 0u);
    put(0x7f, 0x5a);
    EXPECT_EQ(get(0xff), 0x5au) << "bit 7 of the index is not part of it";
    dev::Cmos small({.memory_below_4g = 8u << 20}, time, time, {});
    EXPECT_NE(write_word(small, 0, 1, 0x18), fault);
    EXPECT_EQ(read_word(small, 1, 1), 7u * 1024 / 256);
}

TEST_F(CmosTest, t2_alarm_that_cannot_be_never_comes) {
    put(5, 0x25);
    put(0x0b, 0x22);
    EXPECT_EQ(time.deadline, timer::never);
}

TEST_F(CmosTest, t5_leap_over_days_shows_each_flag_once) {
    put(1, 0x05);
    put(3, 0);
    put(5, 0);
    put(0x0a, 0x2f);
    put(0x0b, 0x72);
    time.jump_to(1'000'000 * second);
    EXPECT_EQ(irq.rises, 1u);
    EXPECT_EQ(get(0x0c), 0xf0u);
    EXPECT_EQ(get(0x0c), 0u);
}

TEST_F(CmosTest, reset_and_saved_state) {
    const SavedState power_on = save(cmos);
    put(0x0b, 0x72);
    put(0x40, 5);
    put(9, 0x30);
    time.advance_to(second / 4);
    const SavedState saved = save(cmos);
    CmosBench other;
    other.time.now = time.now;
    ASSERT_TRUE(restore(other.cmos, saved));
    EXPECT_EQ(other.time.deadline, time.deadline);
    EXPECT_EQ(other.shown(), shown());
    time.now = 0;
    cmos.reset();
    EXPECT_EQ(save(cmos), power_on);
    EXPECT_FALSE(irq.line);
}

TEST_F(CmosTest, t1_t6_only_bytes_and_read_only_registers) {
    EXPECT_TRUE(is_byte_wide(cmos, 2));
    EXPECT_EQ(read_word(cmos, 0, 1), 0xffu);
    put(0x0c, 0xff);
    put(0x0d, 0);
    EXPECT_EQ(get(0x0c), 0u);
    EXPECT_EQ(get(0x0d), 0x80u);
}

TEST(CmosThreats, noise_and_damaged_state_do_no_harm) {
    for (u64 seed = 1; seed <= 30; ++seed) {
        Lcg lcg(seed);
        CmosBench bench;
        if (seed % 2 == 0) {
            Scrambler scrambler(seed);
            bench.cmos.fields(scrambler);
        }
        for (u32 i = 0; i < 2'000; ++i) {
            if (lcg.below(3) != 0)
                bench.put(lcg.below(16), lcg.below(256));
            else
                static_cast<void>(bench.get(lcg.below(128)));
            if (lcg.below(4) == 0) bench.time.jump_to(bench.time.now + (lcg.below(10) == 0 ? lcg.word() >> 6 : lcg.below(second)));
        }
    }
}

}  // namespace
}  // namespace ax::device_test
