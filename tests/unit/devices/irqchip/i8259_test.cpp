// The pair of 8259As: initialisation, acknowledge, ends, rotation, masks, poll, cascade; and a chip against a
// model. Intel 8259A datasheet.
#include "devices/irqchip/i8259.hpp"

#include <gtest/gtest.h>

#include "tests/unit/devices/device_test_support.hpp"

namespace ax::device_test {
namespace {

struct PicBench {
    PicBench() {
        // As a PC's firmware: vectors 0x30 and 0x38, cascade at 2.
        start(0x11, 0x01);
    }
    void start(u64 icw1, u64 icw4) {
        for (const u64 base : {u64{0}, u64{1}}) {
            put(base, 0, icw1);
            put(base, 1, 0x30 + 8 * base);
            put(base, 1, base == 0 ? 4 : 2);
            if ((icw1 & 1) != 0) put(base, 1, icw4);
        }
    }
    bus::Device& device(u64 chip) { return chip == 0 ? pair.master() : pair.slave(); }
    void put(u64 chip, u64 offset, u64 value) { EXPECT_NE(write_word(device(chip), offset, 1, value), fault); }
    u64 get(u64 chip, u64 offset) { return read_word(device(chip), offset, 1); }
    u64 irr(u64 chip) {
        put(chip, 0, 0x0a);
        return get(chip, 0);
    }
    u64 isr(u64 chip) {
        put(chip, 0, 0x0b);
        return get(chip, 0);
    }
    void pulse(u32 number) {
        pair.set_line(number, true);
        pair.set_line(number, false);
    }
    FakeIrqChip cpu;
    dev::I8259Pair pair{irq::Line(cpu, 0)};
};

class PicTest : public testing::Test, protected PicBench {};

TEST_F(PicTest, request_acknowledge_end) {
    pair.set_line(4, true);
    EXPECT_TRUE(cpu.line);
    EXPECT_EQ(irr(0), 0x10u);
    EXPECT_EQ(pair.peek(), 0x34);
    EXPECT_EQ(pair.acknowledge(), 0x34);
    EXPECT_FALSE(cpu.line);
    EXPECT_EQ(irr(0), 0u) << "an edge is taken once";
    EXPECT_EQ(isr(0), 0x10u);
    put(0, 0, 0x20);
    EXPECT_EQ(isr(0), 0u);
    EXPECT_FALSE(cpu.line);
}

TEST_F(PicTest, slave_requests_come_through_the_cascade) {
    pair.set_line(12, true);
    EXPECT_EQ(pair.acknowledge(), 0x3c);
    EXPECT_EQ(isr(0), 4u);
    EXPECT_EQ(isr(1), 0x10u);
    pair.set_line(9, true);
    EXPECT_FALSE(cpu.line) << "the master holds its input 2 back";
    put(0, 0, 0x20);
    EXPECT_TRUE(cpu.line);
    EXPECT_EQ(pair.acknowledge(), 0x39);
    put(1, 0, 0x20);
    EXPECT_EQ(isr(1), 0x10u) << "the most urgent one ends";
}

TEST_F(PicTest, special_fully_nested_mode_lets_the_slave_interrupt_itself) {
    start(0x11, 0x11);
    pair.set_line(12, true);
    EXPECT_EQ(pair.acknowledge(), 0x3c);
    pair.set_line(9, true);
    EXPECT_TRUE(cpu.line);
    EXPECT_EQ(pair.acknowledge(), 0x39);
}

TEST_F(PicTest, priorities_and_masks) {
    pair.set_line(5, true);
    pair.set_line(3, true);
    EXPECT_EQ(pair.acknowledge(), 0x33);
    EXPECT_FALSE(cpu.line);
    pair.set_line(1, true);
    EXPECT_EQ(pair.acknowledge(), 0x31) << "more urgent interrupts nest";
    put(0, 0, 0x63);
    put(0, 0, 0x61);
    EXPECT_EQ(pair.peek(), 0x35);
    put(0, 1, 0x20);
    EXPECT_FALSE(cpu.line);
    EXPECT_EQ(get(0, 1), 0x20u);
    put(0, 1, 0);
    EXPECT_TRUE(cpu.line);
}

TEST_F(PicTest, t3_request_that_goes_away_is_spurious) {
    pair.set_line(3, true);
    pair.set_line(3, false);
    EXPECT_FALSE(cpu.line);
    EXPECT_EQ(pair.acknowledge(), 0x37);
    EXPECT_EQ(isr(0), 0u);
}

TEST_F(PicTest, rotation) {
    pair.set_line(3, true);
    EXPECT_EQ(pair.acknowledge(), 0x33);
    put(0, 0, 0xa0);
    pair.set_line(4, true);
    pair.set_line(2, true);
    pair.set_line(1, true);
    EXPECT_EQ(pair.peek(), 0x34) << "4 follows what was just served";
    put(0, 0, 0xc0);
    EXPECT_EQ(pair.peek(), 0x31) << "priority set: 0 is lowest";
}

TEST_F(PicTest, automatic_end_and_its_rotation) {
    start(0x11, 0x03);
    put(0, 0, 0x80);
    pair.set_line(3, true);
    pair.set_line(1, true);
    EXPECT_EQ(pair.acknowledge(), 0x31);
    EXPECT_EQ(isr(0), 0u);
    EXPECT_EQ(pair.acknowledge(), 0x33);
    pulse(1);
    pair.set_line(1, true);
    pair.set_line(5, true);
    EXPECT_EQ(pair.acknowledge(), 0x35) << "3 is lowest now";
    put(0, 0, 0);
    EXPECT_EQ(pair.acknowledge(), 0x31);
}

TEST_F(PicTest, slave_asks_again_at_once_after_an_automatic_end) {
    start(0x11, 0x03);
    pair.set_line(9, true);
    pair.set_line(12, true);
    EXPECT_EQ(pair.acknowledge(), 0x39);
    EXPECT_TRUE(cpu.line);
    EXPECT_EQ(pair.acknowledge(), 0x3c);
    EXPECT_FALSE(cpu.line);
}

TEST_F(PicTest, special_mask_lets_less_urgent_ones_through) {
    pair.set_line(3, true);
    pair.acknowledge();
    pair.set_line(6, true);
    EXPECT_FALSE(cpu.line);
    put(0, 1, 0x08);
    put(0, 0, 0x68);
    EXPECT_TRUE(cpu.line);
    EXPECT_EQ(pair.acknowledge(), 0x36);
    put(0, 0, 0x20);
    EXPECT_EQ(isr(0), 8u) << "a masked one is not ended without being named";
    put(0, 0, 0x48);
    put(0, 0, 0x63);
    EXPECT_EQ(isr(0), 0u);
}

TEST_F(PicTest, poll_takes_a_request) {
    put(0, 0, 0x0c);
    EXPECT_EQ(get(0, 0), 0u);
    pair.set_line(5, true);
    put(0, 0, 0x0c);
    EXPECT_EQ(get(0, 0), 0x85u);
    EXPECT_FALSE(cpu.line);
    EXPECT_EQ(isr(0), 0x20u);
}

TEST_F(PicTest, level_inputs_ask_while_they_are_high) {
    EXPECT_NE(write_word(pair.elcr(), 0, 1, 0xff), fault);
    EXPECT_NE(write_word(pair.elcr(), 1, 1, 0xff), fault);
    EXPECT_EQ(read_word(pair.elcr(), 0, 1), 0xf8u);
    EXPECT_EQ(read_word(pair.elcr(), 1, 1), 0xdeu);
    pair.set_line(11, true);
    EXPECT_EQ(pair.acknowledge(), 0x3b);
    put(1, 0, 0x20);
    put(0, 0, 0x20);
    EXPECT_TRUE(cpu.line);
    pair.set_line(11, false);
    EXPECT_FALSE(cpu.line);
}

TEST_F(PicTest, t2_unfinished_initialisation_holds_interrupts) {
    put(0, 0, 0x11);
    pair.set_line(4, true);
    EXPECT_FALSE(cpu.line);
    put(0, 1, 0x57);
    put(0, 1, 4);
    EXPECT_FALSE(cpu.line);
    put(0, 1, 1);
    EXPECT_TRUE(cpu.line);
    EXPECT_EQ(pair.acknowledge(), 0x54);
    // Single, without ICW4.
    put(0, 0, 0x12);
    put(0, 1, 0x60);
    EXPECT_EQ(get(0, 1), 0u);
    put(0, 1, 0xfe);
    EXPECT_EQ(get(0, 1), 0xfeu) << "the sequence has ended";
}

TEST_F(PicTest, t1_wide_accesses_fault) {
    const SavedState before = save(pair.master());
    for (bus::Device* device : {&pair.master(), &pair.slave(), &pair.elcr()})
        for (const u8 size : {u8{2}, u8{4}, u8{8}}) {
            EXPECT_EQ(read_word(*device, 0, size), fault);
            EXPECT_EQ(write_word(*device, 0, size, 0x1f1f), fault);
        }
    EXPECT_EQ(save(pair.master()), before);
}

TEST_F(PicTest, reset_and_saved_state) {
    pair.set_line(12, true);
    pair.acknowledge();
    const SavedState saved = save(pair.master());
    PicBench other;
    ASSERT_TRUE(restore(other.pair.master(), saved));
    EXPECT_EQ(save(other.pair.master()), saved);
    EXPECT_EQ(other.isr(1), 0x10u);
    pair.master().reset();
    EXPECT_EQ(isr(1), 0u);
    EXPECT_FALSE(cpu.line);
    EXPECT_TRUE(save(pair.slave()).empty() && save(pair.elcr()).empty());
}

/// The master alone, told from the datasheet with an explicit order of priorities.
struct ChipModel {
    std::array<bool, 8> line{}, edge{}, served{}, masked{};
    std::array<u32, 8> order{0, 1, 2, 3, 4, 5, 6, 7};  ///< most urgent first
    bool special = false;

    std::optional<u32> winner() const {
        for (const u32 n : order) {
            if (served[n] && !(special && masked[n])) return std::nullopt;
            if (edge[n] && !masked[n]) return n;
        }
        return std::nullopt;
    }
    void set(u32 n, bool level) {
        if (level && !line[n]) edge[n] = true;
        if (!level) edge[n] = false;
        line[n] = level;
    }
    u8 acknowledge() {
        const auto n = winner();
        if (!n) return 0x37;
        edge[*n] = false;
        served[*n] = true;
        return static_cast<u8>(0x30 + *n);
    }
    void make_lowest(u32 n) {
        while (order.back() != n) std::rotate(order.begin(), order.begin() + 1, order.end());
    }
    void end(bool rotates) {
        for (const u32 n : order) {
            if (!served[n] || (special && masked[n])) continue;
            served[n] = false;
            if (rotates) make_lowest(n);
            return;
        }
    }
};

TEST(PicModel, random_walks_of_one_chip_agree) {
    constexpr std::array<u32, 7> inputs{0, 1, 3, 4, 5, 6, 7};
    for (u64 seed = 1; seed <= 20; ++seed) {
        Lcg lcg(seed);
        PicBench bench;
        ChipModel model;
        u64 taken = 0;
        for (u32 i = 0; i < 10'000; ++i) {
            const u32 n = inputs[lcg.below(7)];
            switch (lcg.below(12)) {
                case 0:
                case 1:
                case 2:
                case 3: {
                    const bool level = lcg.below(3) != 0;
                    bench.pair.set_line(n, level);
                    model.set(n, level);
                    break;
                }
                case 4:
                case 5:
                case 6: {
                    if (model.winner()) ++taken;
                    ASSERT_EQ(bench.pair.peek(), bench.cpu.line ? 0x30 + *model.winner() : 0x37u);
                    ASSERT_EQ(bench.pair.acknowledge(), model.acknowledge());
                    break;
                }
                case 7: bench.put(0, 0, 0x20), model.end(false); break;
                case 8: bench.put(0, 0, 0xa0), model.end(true); break;
                case 9:
                    bench.put(0, 0, 0x60 | n);
                    model.served[n] = false;
                    break;
                case 10:
                    if (lcg.below(4) == 0) bench.put(0, 0, 0xc0 | n), model.make_lowest(n);
                    if (lcg.below(4) == 0) {
                        model.special = !model.special;
                        bench.put(0, 0, model.special ? 0x68 : 0x48);
                    }
                    break;
                default: {
                    const u64 mask = lcg.below(3) == 0 ? lcg.below(256) : 0;
                    bench.put(0, 1, mask);
                    for (u32 b = 0; b < 8; ++b) model.masked[b] = (mask >> b & 1) != 0;
                    break;
                }
            }
            u64 irr = 0, isr = 0;
            for (u32 b = 0; b < 8; ++b) irr |= u64{model.edge[b]} << b, isr |= u64{model.served[b]} << b;
            ASSERT_EQ(bench.cpu.line, model.winner().has_value()) << "seed " << seed << " step " << i;
            ASSERT_EQ(bench.irr(0), irr);
            ASSERT_EQ(bench.isr(0), isr);
        }
        EXPECT_GT(taken, 500u);
    }
}

TEST(PicThreats, noise_keeps_the_output_honest_and_damaged_state_does_no_harm) {
    for (u64 seed = 1; seed <= 40; ++seed) {
        Lcg lcg(seed);
        PicBench bench;
        if (seed % 2 == 0) {
            Scrambler scrambler(seed);
            bench.pair.master().fields(scrambler);
        }
        for (u32 i = 0; i < 5'000; ++i) {
            switch (lcg.below(5)) {
                case 0: bench.put(lcg.below(2), lcg.below(2), lcg.below(256)); break;
                case 1: static_cast<void>(bench.get(lcg.below(2), lcg.below(2))); break;
                case 2: bench.pair.set_line(static_cast<u32>(lcg.below(18)), lcg.below(2) != 0); break;
                case 3: static_cast<void>(write_word(bench.pair.elcr(), lcg.below(2), 1, lcg.below(256))); break;
                default: {
                    const u8 told = bench.pair.peek();
                    ASSERT_EQ(bench.pair.acknowledge(), told);
                    break;
                }
            }
            if (seed % 2 != 0) {
                const auto& first = bench.pair.chip(false);
                ASSERT_EQ(bench.cpu.line, first.winner(true) != 8) << "seed " << seed << " step " << i;
            }
        }
    }
}

}  // namespace
}  // namespace ax::device_test
