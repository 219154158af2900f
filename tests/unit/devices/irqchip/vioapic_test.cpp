// The I/O APIC: registers, delivery, ends, and every setting of a pin against a model. 82093AA datasheet.
#include <gtest/gtest.h>

#include "devices/irqchip/vioapic.hpp"
#include "tests/unit/devices/irqchip/vlapic_fixture.hpp"

namespace ax::device_test {
namespace {

using dev::apic::DeliveryMode;
using dev::apic::Message;

struct FakeTarget final : dev::apic::MessageTarget {
    bool deliver(const Message& message) override {
        sent.push_back(message);
        return accepts;
    }
    std::vector<Message> sent;
    bool accepts = true;
};

struct IoApicBench {
    u64 get(u32 number) {
        EXPECT_NE(write_word(chip, 0, 4, number), fault);
        return read_word(chip, 0x10, 4);
    }
    void put(u32 number, u64 value) {
        EXPECT_NE(write_word(chip, 0, 4, number), fault);
        EXPECT_NE(write_word(chip, 0x10, 4, value), fault);
    }
    u64 entry(u32 pin) { return get(0x11 + 2 * pin) << 32 | get(0x10 + 2 * pin); }
    void set_entry(u32 pin, u64 value) {
        put(0x11 + 2 * pin, value >> 32);
        put(0x10 + 2 * pin, value & 0xffff'ffff);
    }
    FakeTarget target;
    dev::IoApic chip{5, target};
};

constexpr u64 masked = 0x1'0000, level = 0x8000, remote = 0x4000;

class IoApicTest : public testing::Test, protected IoApicBench {};

TEST_F(IoApicTest, powers_on_masked_and_says_what_it_is) {
    EXPECT_EQ(get(0), 0x0500'0000u);
    EXPECT_EQ(get(1), 0x0017'0020u);
    EXPECT_EQ(get(2), 0x0500'0000u);
    for (u32 pin = 0; pin < 24; ++pin) EXPECT_EQ(entry(pin), masked);
    put(0, 0xffff'ffff);
    EXPECT_EQ(get(0), 0x0f00'0000u);
    chip.reset();
    EXPECT_EQ(get(0), 0x0500'0000u);
}

TEST_F(IoApicTest, edge_is_sent_once_as_its_entry_says) {
    set_entry(3, u64{0x0a} << 56 | 0x941);
    chip.set_line(3, true);
    chip.set_line(3, true);
    ASSERT_EQ(target.sent.size(), 1u);
    EXPECT_EQ(target.sent[0].vector, 0x41);
    EXPECT_EQ(target.sent[0].mode, DeliveryMode::LowestPriority);
    EXPECT_TRUE(target.sent[0].is_logical);
    EXPECT_FALSE(target.sent[0].is_level);
    EXPECT_EQ(target.sent[0].destination, 0x0a);
    chip.set_line(3, false);
    chip.set_line(3, true);
    EXPECT_EQ(target.sent.size(), 2u);
}

TEST_F(IoApicTest, edge_at_a_masked_pin_is_lost) {
    chip.set_line(3, true);
    set_entry(3, 0x41);
    EXPECT_TRUE(target.sent.empty());
}

TEST_F(IoApicTest, level_is_sent_until_its_end_and_again_while_it_lasts) {
    set_entry(9, 0x51 | level);
    chip.set_line(9, true);
    ASSERT_EQ(target.sent.size(), 1u);
    EXPECT_TRUE(target.sent[0].is_level);
    EXPECT_EQ(entry(9), 0x51 | level | remote);
    chip.end_of_interrupt(0x52);
    EXPECT_EQ(target.sent.size(), 1u);
    chip.end_of_interrupt(0x51);
    EXPECT_EQ(target.sent.size(), 2u);
    chip.set_line(9, false);
    EXPECT_NE(write_word(chip, 0x40, 4, 0x51), fault);
    EXPECT_EQ(entry(9), 0x51 | level);
    EXPECT_EQ(target.sent.size(), 2u);
}

TEST_F(IoApicTest, edge_mode_clears_remote_irr) {
    set_entry(9, 0x51 | level);
    chip.set_line(9, true);
    set_entry(9, 0x51 | masked);
    EXPECT_EQ(entry(9), 0x51 | masked);
}

TEST_F(IoApicTest, t1_t2_widths_and_places_without_a_register) {
    EXPECT_NE(write_word(chip, 0, 1, 1), fault);
    EXPECT_EQ(read_word(chip, 0, 1), 1u);
    EXPECT_EQ(read_word(chip, 0x12, 1), 0x17u);
    EXPECT_EQ(read_word(chip, 0x10, 2), 0x20u);
    EXPECT_EQ(read_word(chip, 0x10, 8), 0u);
    for (u64 offset = 0; offset < 0xff8; ++offset)
        for (const u8 size : {u8{1}, u8{2}, u8{4}, u8{8}}) {
            ASSERT_NE(read_word(chip, offset, size), fault);
            if (offset != 0 && offset != 0x10 && offset != 0x40) {
                ASSERT_NE(write_word(chip, offset, size, ~u64{0}), fault);
            }
        }
    EXPECT_EQ(get(1), 0x0017'0020u);
    const SavedState before = save(chip);
    for (u32 number = 0; number < 256; ++number) {
        if (number >= 0x10 && number < 0x40) continue;
        if (number > 2) {
            EXPECT_EQ(get(number), 0u) << number;
        }
        if (number != 0) put(number, 0xffff'ffff);
    }
    EXPECT_NE(write_word(chip, 0, 4, 0), fault);
    for (u32 pin = 0; pin < 24; ++pin) EXPECT_EQ(entry(pin), masked);
    EXPECT_EQ(save(chip).size(), before.size());
    chip.set_line(24, true);
    chip.set_line(~0u, true);
    EXPECT_TRUE(target.sent.empty());
}

TEST_F(IoApicTest, t3_read_only_bits_are_kept) {
    put(0x10, 0xffff'ffff);
    put(0x11, 0xffff'ffff);
    EXPECT_EQ(entry(0), 0xff00'0000'0001'afffu);
}

TEST_F(IoApicTest, t4_what_nobody_takes_leaves_remote_irr_clear_and_is_tried_again) {
    target.accepts = false;
    set_entry(9, 0x51 | level);
    chip.set_line(9, true);
    EXPECT_EQ(entry(9), 0x51 | level);
    target.accepts = true;
    set_entry(9, 0x51 | level);
    EXPECT_EQ(entry(9), 0x51 | level | remote);
}

/// One pin as the datasheet tells it.
struct PinModel {
    bool is_masked = true, is_level = false, is_high = false, has_remote = false;
    u64 sent = 0;
    void look() {
        if (!is_level || is_masked || !is_high || has_remote) return;
        has_remote = true;
        ++sent;
    }
    void line(bool high) {
        const bool rises = high && !is_high;
        is_high = high;
        if (rises && !is_level && !is_masked) ++sent;
        look();
    }
    void write(bool mask, bool level_mode) {
        is_masked = mask;
        is_level = level_mode;
        if (!is_level) has_remote = false;
        look();
    }
    void end() {
        has_remote = false;
        look();
    }
};

// All sequences of seven steps.
TEST(IoApicModel, every_sequence_of_steps_agrees) {
    constexpr u32 kinds = 7, length = 7;
    u64 count = 1;
    for (u32 i = 0; i < length; ++i) count *= kinds;
    for (u64 sequence = 0; sequence < count; ++sequence) {
        FakeTarget target;
        dev::IoApic chip(0, target);
        PinModel model;
        const auto write = [&](u64 value) {
            static_cast<void>(chip.write(0, 4, 0x10 + 2 * 7));
            static_cast<void>(chip.write(0x10, 4, value));
            model.write((value & masked) != 0, (value & level) != 0);
        };
        u64 rest = sequence;
        for (u32 i = 0; i < length; ++i, rest /= kinds) {
            switch (rest % kinds) {
                case 0: chip.set_line(7, true), model.line(true); break;
                case 1: chip.set_line(7, false), model.line(false); break;
                case 2: write(0x40); break;
                case 3: write(0x40 | level); break;
                case 4: write(0x40 | masked); break;
                case 5: write(0x40 | masked | level); break;
                default: chip.end_of_interrupt(0x40), model.end(); break;
            }
            ASSERT_EQ(target.sent.size(), model.sent) << sequence << " step " << i;
            ASSERT_EQ((chip.state().entry[7] & remote) != 0, model.has_remote) << sequence << " step " << i;
        }
    }
}

// With real local APICs behind it: t5, t7.
TEST(IoApicWithLapics, level_goes_round_through_eoi) {
    LapicBench bench;
    dev::IoApic chip(4, bench.apics);
    bench.apics.connect(nullptr, &chip);
    bench.enable(0);
    const auto put = [&](u32 number, u64 value) {
        static_cast<void>(chip.write(0, 4, number));
        static_cast<void>(chip.write(0x10, 4, value));
    };
    put(0x10 + 2 * 9, 0x51 | level);
    chip.set_line(9, true);
    for (u32 i = 0; i < 3; ++i) {
        ASSERT_EQ(bench.pending(), 0x51);
        EXPECT_EQ(bench.ack(), 0x51);
        EXPECT_EQ(bench.pending(), std::nullopt);
        bench.put(lapic_page::EOI, 0);
    }
    EXPECT_EQ(bench.ack(), 0x51);
    chip.set_line(9, false);
    bench.put(lapic_page::EOI, 0);
    EXPECT_EQ(bench.pending(), std::nullopt);
}

TEST(IoApicThreats, noise_and_damaged_state_do_no_harm) {
    for (u64 seed = 1; seed <= 50; ++seed) {
        LapicBench bench;
        bench.enable_all();
        dev::IoApic chip(4, bench.apics);
        bench.apics.connect(&bench.pic, &chip);
        Scrambler scrambler(seed);
        chip.fields(scrambler);
        Lcg lcg(seed);
        for (u32 i = 0; i < 3000; ++i) {
            switch (lcg.below(4)) {
                case 0: static_cast<void>(chip.write(0, 4, lcg.below(0x50))); break;
                case 1: static_cast<void>(chip.write(lcg.below(6) * 16, static_cast<u8>(1u << lcg.below(4)), lcg.word())); break;
                case 2: chip.set_line(static_cast<u32>(lcg.below(26)), lcg.below(2) != 0); break;
                default: {
                    const u32 c = static_cast<u32>(lcg.below(4));
                    if (bench.pending(c)) bench.ack(c);
                    bench.put(lapic_page::EOI, 0, c);
                    break;
                }
            }
        }
    }
}

}  // namespace
}  // namespace ax::device_test
