// The 8254 as a device: its interrupt line in time, and its corner in port 0x61; ports 0x61 and 0x92.
#include "devices/pc/i8254.hpp"

#include <gtest/gtest.h>

#include "devices/pc/system_ports.hpp"
#include "tests/unit/devices/pc/pc_fixture.hpp"

namespace ax::device_test {
namespace {

struct PitBench {
    void out(u64 offset, u64 value) { EXPECT_NE(write_word(pit, offset, 1, value), fault); }
    u64 in(u64 offset) { return read_word(pit, offset, 1); }
    void start(u64 control, u64 count, u64 counter = 0) {
        out(3, counter << 6 | 0x30 | control);
        out(counter, count & 0xff);
        out(counter, count >> 8);
    }
    u64 port61() { return read_word(port, 0, 1); }
    FakeTime time;
    EdgeCounter irq;
    dev::I8254 pit{time, time, irq::Line(irq, 0)};
    dev::Port61 port{pit, time};
};

class PitTest : public testing::Test, protected PitBench {};

// Linux's periodic mode, HZ 250: 4772 ticks.
TEST_F(PitTest, rate_generator_interrupts_at_its_rate) {
    start(4, 4772);
    EXPECT_TRUE(irq.line) << "mode 2 rests high";
    irq.rises = 0;
    time.advance_to(1'000'000'000);
    EXPECT_EQ(irq.rises, 250u);
    EXPECT_EQ(time.deliveries, 501u) << "an alarm for each change, and one for the load";
}

TEST_F(PitTest, one_shot_of_mode_0_interrupts_once) {
    start(0, 1193);
    EXPECT_FALSE(irq.line);
    time.advance_to(1'000'000);
    EXPECT_FALSE(irq.line);
    time.advance_to(1'001'000);
    EXPECT_TRUE(irq.line);
    EXPECT_EQ(time.deadline, timer::never);
}

TEST_F(PitTest, count_follows_time) {
    start(4, 0x1000);
    time.now = 1'000'000;
    out(3, 0);
    const u64 low = in(0);
    EXPECT_EQ(low | in(0) << 8, 0x1000u - 1192) << "1193 ticks, one of them to load";
    out(3, 0xc2 | 0x10);
    EXPECT_EQ(in(0), (0x1000u - 1192) & 0xff) << "read-back latched the count, not the status";
}

TEST_F(PitTest, read_back_latches_status_and_count_of_several) {
    start(4, 0x1000);
    start(6, 0x2000, 2);
    out(3, 0xca);
    EXPECT_EQ(in(0), 0xf4u) << "output, not loaded yet, both bytes, mode 2";
    EXPECT_EQ(in(2), 0xf6u) << "mode 3";
}

TEST_F(PitTest, reset_stops_it) {
    start(4, 100);
    pit.reset();
    EXPECT_FALSE(irq.line);
    EXPECT_EQ(time.deadline, timer::never);
}

TEST_F(PitTest, saved_state_goes_on) {
    start(4, 4772);
    time.advance_to(1'234'567);
    const SavedState saved = save(pit);
    PitBench other;
    other.time.now = time.now;
    ASSERT_TRUE(restore(other.pit, saved));
    EXPECT_EQ(other.time.deadline, time.deadline);
    EXPECT_EQ(save(other.pit), saved);
}

TEST_F(PitTest, t1_only_bytes) {
    EXPECT_TRUE(is_byte_wide(pit, 4));
    EXPECT_TRUE(is_byte_wide(port, 1));
    EXPECT_EQ(in(3), 0xffu);
}

TEST_F(PitTest, t2_smallest_count_sets_one_alarm_for_a_tick) {
    start(4, 1);
    time.advance_to(1'000'000);
    EXPECT_LE(time.deliveries, 1194u);
}

TEST_F(PitTest, t6_leap_over_many_periods_is_a_few_edges) {
    start(6, 100);
    irq.rises = 0;
    time.jump_to(10'000'000'000);
    EXPECT_GE(irq.rises, 1u);
    EXPECT_LE(irq.rises, 3u);
    EXPECT_GT(time.deadline, time.now);
}

// How Linux and SeaBIOS measure the TSC: counter 2, mode 0, gate in bit 0, output in bit 5.
TEST_F(PitTest, counter_2_is_seen_and_gated_through_port_61) {
    EXPECT_EQ(port61() & 0x2f, 0u);
    EXPECT_NE(write_word(port, 0, 1, 0x01), fault);
    start(0, 0x1000, 2);
    u64 polls = 0;
    while ((port61() & 0x20) == 0 && polls < 100'000) {
        time.now += 100;
        ++polls;
    }
    EXPECT_EQ(time.now / 1000, 4097u * 1'000'000 / 1'193'182) << "microseconds";
    EXPECT_NE(write_word(port, 0, 1, 0x00), fault);
    start(0, 0x10, 2);
    time.now += 1'000'000;
    EXPECT_EQ(port61() & 0x20, 0u) << "the gate is closed";
}

TEST_F(PitTest, refresh_bit_toggles_with_time_and_others_are_kept) {
    u64 toggles = 0;
    u64 last = port61() & 0x10;
    for (u32 i = 0; i < 1000; ++i) {
        time.now += 1'000;
        toggles += (port61() & 0x10) != last;
        last = port61() & 0x10;
    }
    EXPECT_EQ(toggles, 66u) << "one in 15.085 microseconds";
    EXPECT_NE(write_word(port, 0, 1, 0xfe), fault);
    EXPECT_EQ(port61() & 0xef, 0x0eu);
}

TEST(Port92Test, reset_is_an_edge_and_a20_is_kept) {
    FakePower power;
    dev::Port92 port(power);
    EXPECT_EQ(read_word(port, 0, 1), 2u);
    for (const u64 value : {0x02u, 0x03u, 0x01u, 0x00u, 0xffu}) EXPECT_NE(write_word(port, 0, 1, value), fault);
    EXPECT_EQ(power.resets, 2u);
    EXPECT_EQ(read_word(port, 0, 1), 3u);
    EXPECT_TRUE(is_byte_wide(port, 1));
    port.reset();
    EXPECT_EQ(read_word(port, 0, 1), 2u);
}

TEST(PitThreats, noise_and_damaged_state_do_no_harm) {
    for (u64 seed = 1; seed <= 30; ++seed) {
        Lcg lcg(seed);
        PitBench bench;
        if (seed % 3 == 0) {
            Scrambler scrambler(seed);
            bench.pit.fields(scrambler);
        }
        for (u32 i = 0; i < 3'000; ++i) {
            switch (lcg.below(5)) {
                case 0:
                case 1: bench.out(lcg.below(4), lcg.below(256)); break;
                case 2: static_cast<void>(bench.in(lcg.below(4))); break;
                case 3: static_cast<void>(write_word(bench.port, 0, 1, lcg.below(4))); break;
                default:
                    bench.time.jump_to(bench.time.now + (lcg.below(20) == 0 ? lcg.word() >> 8 : lcg.below(100'000)));
                    ASSERT_TRUE(bench.time.deadline == timer::never || bench.time.deadline > bench.time.now || seed % 3 == 0);
                    break;
            }
        }
    }
}

}  // namespace
}  // namespace ax::device_test
