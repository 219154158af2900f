// A counter of the 8254 against a model that takes CLK one pulse at a time: every mode, gates, counts rewritten.
#include "devices/pc/i8254_counter.hpp"

#include <gtest/gtest.h>

#include "tests/unit/devices/device_test_support.hpp"

namespace ax::device_test {
namespace {

using dev::i8254::Counter;

/// Intel 8254 datasheet, "Mode Definitions", pulse by pulse.
struct SlowCounter {
    u32 mode = 0, modulus = 65'536;
    bool gate = true, output = true, has_count = false, is_loaded = false, wants_load = false, runs = false, strobed = false, is_null = true;
    u32 count = 0, element = 0, period = 0;

    void set_mode(u32 m, bool bcd) {
        mode = m;
        modulus = bcd ? 10'000 : 65'536;
        output = mode != 0;
        has_count = is_loaded = wants_load = runs = strobed = false;
        is_null = true;
    }
    void write(u32 value) {
        count = value;
        if (count == 0) count = modulus;
        if (count == 1 && (mode == 2 || mode == 3)) count = 2;
        has_count = true;
        is_null = true;
        if (mode == 0) output = false, runs = false, wants_load = true, is_loaded = false;
        if (mode == 4) wants_load = true;
        // Modes 2 and 3 under way take it at the end of the cycle.
        if ((mode == 2 || mode == 3) && !runs) wants_load = true;
    }
    void set_gate(bool level) {
        const bool rises = level && !gate;
        const bool falls = !level && gate;
        gate = level;
        if (mode == 1 || mode == 5) {
            if (rises && has_count) wants_load = true;
        } else if (mode == 2 || mode == 3) {
            if (falls) runs = false, output = true;
            if (rises && has_count) wants_load = true;
        } else if (mode == 4 && falls && !output) {
            output = true;
            strobed = true;
            step();
        }
    }
    void load() {
        element = period = count;
        is_null = false;
        wants_load = false;
        is_loaded = true;
        strobed = false;
        runs = gate || mode == 1 || mode == 5;
    }
    void step() { element = element == 0 ? modulus - 1 : element - 1; }
    void pulse() {
        if (wants_load) {
            load();
            if (mode == 1) output = false;
            if (mode == 3) output = true, element &= ~1u;
            if (mode == 4 || mode == 5) output = true;
            return;
        }
        if (!is_loaded) return;
        switch (mode) {
            case 0:
                if (!gate) return;
                step();
                if (element == 0) output = true;
                break;
            case 1:
                step();
                if (element == 0) output = true;
                break;
            case 2:
                if (!runs) return;
                step();
                if (element == 1) output = false;
                if (element == 0) load(), output = true;
                break;
            case 3:
                if (!runs) return;
                // An odd count gives the high half one pulse more.
                if (element > (output && (period & 1) != 0 ? 0u : 2u)) {
                    element -= 2;
                    return;
                }
                output = !output;
                load();
                element &= ~1u;
                break;
            default:
                if (mode == 4 && !gate) return;
                if (!output) strobed = true;
                output = true;
                step();
                if (element == 0 && !strobed) output = false;
                break;
        }
    }
};

struct Pair {
    Counter counter;
    SlowCounter slow;
    u64 now = 0;
    u64 foretold = timer::never;

    void set_mode(u8 mode, bool bcd) {
        counter.configure(now, Counter::Access::LowHigh, mode, bcd);
        slow.set_mode(mode, bcd);
        look();
    }
    void write(u32 count, bool bcd) {
        const u32 raw = bcd ? count / 1000 % 10 << 12 | count / 100 % 10 << 8 | count / 10 % 10 << 4 | count % 10 : count;
        counter.write(now, static_cast<u8>(raw));
        counter.write(now, static_cast<u8>(raw >> 8));
        slow.write(count);
        look();
    }
    void gate(bool level) {
        counter.set_gate(now, level);
        slow.set_gate(level);
        look();
    }
    void look() { foretold = counter.next_change(now); }
    void pulse() {
        const bool before = slow.output;
        ++now;
        slow.pulse();
        EXPECT_TRUE(slow.output == before || now >= foretold) << "a change that was not foretold";
        if (now >= foretold) look();
    }
    u32 element() {
        counter.latch_count(now);
        const u32 low = counter.read(now);
        const u32 raw = low | u32{counter.read(now)} << 8;
        if (slow.modulus == 65'536) return raw;
        return (raw >> 12) * 1000 + (raw >> 8 & 15) * 100 + (raw >> 4 & 15) * 10 + (raw & 15);
    }
    bool agrees() {
        if (counter.output(now) != slow.output) return false;
        counter.latch_status(now);
        if ((counter.read(now) >> 6 & 1) != slow.is_null) return false;
        return !slow.is_loaded || !slow.runs || element() == slow.element % slow.modulus;
    }
};

TEST(CounterModel, every_mode_and_small_count_agrees_pulse_by_pulse) {
    for (u8 mode = 0; mode < 6; ++mode)
        for (const bool bcd : {false, true})
            for (const u32 count : {0u, 1u, 2u, 3u, 4u, 5u, 6u, 7u, 8u, 9u, 10u, 11u, 99u, 100u}) {
                Pair pair;
                pair.set_mode(mode, bcd);
                ASSERT_TRUE(pair.agrees());
                pair.write(count, bcd);
                for (u32 i = 0; i < 300; ++i) {
                    if (i == 5) pair.gate(false);
                    if (i == 8) pair.gate(true);
                    ASSERT_TRUE(pair.agrees()) << "mode " << int{mode} << " bcd " << bcd << " count " << count << " at " << i;
                    pair.pulse();
                }
            }
}

TEST(CounterModel, random_gates_counts_and_modes_agree_pulse_by_pulse) {
    for (u64 seed = 1; seed <= 60; ++seed) {
        Lcg lcg(seed);
        Pair pair;
        bool bcd = false;
        u64 changes = 0;
        bool last = false;
        pair.set_mode(static_cast<u8>(seed % 6), bcd);
        for (u32 i = 0; i < 5'000; ++i) {
            // Several things may happen between two pulses.
            u32 happenings = 1 + static_cast<u32>(lcg.below(4) == 0 ? lcg.below(4) : 0);
            while (happenings-- > 0) switch (lcg.below(happenings == 0 ? 40 : 6)) {
                case 0:
                    if (lcg.below(8) == 0) {
                        bcd = lcg.below(2) != 0;
                        pair.set_mode(static_cast<u8>(lcg.below(6)), bcd);
                    }
                    break;
                case 1:
                case 2: pair.write(static_cast<u32>(lcg.below(lcg.below(10) == 0 ? 300 : 14)), bcd); break;
                case 3: pair.gate(false); break;
                case 4:
                case 5: pair.gate(true); break;
                default: break;
            }
            ASSERT_TRUE(pair.agrees()) << "seed " << seed << " at " << i << " mode " << pair.slow.mode << " " << pair.slow.element << " "
                                       << pair.element() << " " << pair.slow.output << pair.counter.output(pair.now);
            changes += pair.slow.output != last;
            last = pair.slow.output;
            pair.pulse();
        }
        EXPECT_GT(changes, 20u) << seed;
    }
}

TEST(CounterModel, leaps_arrive_where_single_pulses_do) {
    for (u8 mode = 0; mode < 6; ++mode)
        for (const u32 count : {2u, 3u, 7u, 100u, 1001u}) {
            Counter stepped, leapt;
            for (Counter* c : {&stepped, &leapt}) {
                c->configure(0, Counter::Access::LowHigh, mode, false);
                c->write(0, static_cast<u8>(count));
                c->write(0, static_cast<u8>(count >> 8));
                c->set_gate(0, false);
                c->set_gate(0, true);
            }
            for (u64 now = 1; now <= 5000; ++now) static_cast<void>(stepped.output(now));
            ASSERT_EQ(stepped.output(5000), leapt.output(5000));
            ASSERT_EQ(stepped.next_change(5000), leapt.next_change(5000));
        }
}

TEST(CounterTest, access_modes_latches_and_status) {
    Counter counter;
    counter.configure(0, Counter::Access::Low, 2, false);
    counter.write(0, 50);
    EXPECT_EQ(counter.read(1), 50);
    EXPECT_EQ(counter.read(11), 40);
    counter.configure(0, Counter::Access::High, 0, false);
    counter.write(0, 2);
    EXPECT_EQ(counter.read(2), 1) << "0x1ff";
    counter.configure(0, Counter::Access::LowHigh, 3, false);
    counter.latch_status(0);
    EXPECT_EQ(counter.read(0), 0xf6) << "output, null count, both bytes, mode 3";
    counter.write(0, 0x34);
    counter.write(0, 0x12);
    counter.latch_status(1);
    EXPECT_EQ(counter.read(1), 0xb6);
    counter.latch_count(1);
    counter.latch_count(500);
    counter.latch_status(500);
    EXPECT_EQ(counter.read(900), 0xb6) << "status before count";
    EXPECT_EQ(counter.read(900), 0x34) << "the first latch stays";
    EXPECT_EQ(counter.read(900), 0x12);
}

TEST(CounterTest, half_a_count_in_mode_0_stops_it) {
    Counter counter;
    counter.configure(0, Counter::Access::LowHigh, 0, false);
    counter.write(0, 10);
    counter.write(0, 0);
    EXPECT_TRUE(counter.output(11));
    counter.write(12, 5);
    EXPECT_FALSE(counter.output(12));
    EXPECT_FALSE(counter.output(1000));
    EXPECT_EQ(counter.next_change(1000), timer::never);
    counter.write(1000, 0);
    EXPECT_FALSE(counter.output(1005));
    EXPECT_TRUE(counter.output(1006));
}

TEST(CounterTest, damaged_state_and_extreme_times_do_no_harm) {
    for (u64 seed = 1; seed <= 3000; ++seed) {
        Scrambler scrambler(seed);
        Counter counter;
        counter.fields(scrambler);
        Lcg lcg(seed);
        for (int i = 0; i < 20; ++i) {
            const u64 now = lcg.below(2) == 0 ? lcg.word() : ~u64{0} - lcg.below(3);
            static_cast<void>(counter.output(now));
            static_cast<void>(counter.next_change(now));
            static_cast<void>(counter.read(now));
            counter.write(now, static_cast<u8>(lcg.word()));
            counter.set_gate(now, lcg.below(2) != 0);
            if (lcg.below(5) == 0) counter.configure(now, Counter::Access::LowHigh, static_cast<u8>(lcg.below(8)), lcg.below(2) != 0);
        }
    }
}

}  // namespace
}  // namespace ax::device_test
