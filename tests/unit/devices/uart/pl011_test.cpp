#include "devices/uart/pl011.hpp"

#include <gtest/gtest.h>

#include <string>

#include "tests/unit/devices/uart/pl011_fixture.hpp"

namespace ax::device_test {
namespace {

using namespace pl011_bench;
using dev::Pl011;

class Pl011Test : public testing::Test, protected Pl011Bench {};

TEST_F(Pl011Test, powers_on_as_the_manual_says) {
    struct Case {
        u64 offset;
        u64 value;
    };
    for (const Case c : {Case{DR, 0}, Case{RSR, 0}, Case{FR, 0x97}, Case{ILPR, 0}, Case{IBRD, 0}, Case{FBRD, 0}, Case{LCR_H, 0},
                         Case{CR, 0x300}, Case{IFLS, 0x12}, Case{IMSC, 0}, Case{RIS, 0}, Case{MIS, 0}, Case{DMACR, 0}})
        EXPECT_EQ(get(c.offset), c.value) << std::hex << c.offset;
    EXPECT_FALSE(chip.line);
}

TEST_F(Pl011Test, identifies_itself_as_revision_r1p5) {
    u64 offset = 0xfe0;
    for (const u64 byte : {0x11u, 0x10u, 0x14u, 0x00u, 0x0du, 0xf0u, 0x05u, 0xb1u}) {
        EXPECT_EQ(get(offset), byte) << std::hex << offset;
        offset += 4;
    }
}

TEST_F(Pl011Test, byte_written_is_sent_at_once) {
    for (const char c : std::string_view("hello")) put(DR, static_cast<u8>(c));
    EXPECT_EQ(sink.text, "hello");
    EXPECT_EQ(get(FR), 0x97u);
}

TEST_F(Pl011Test, narrow_accesses_concern_the_low_bytes) {
    for (const u8 size : {u8{1}, u8{2}, u8{4}}) {
        EXPECT_EQ(write_word(uart, DR, size, 0xffff'ff00u | 'x'), 0u);
        EXPECT_EQ(write_word(uart, IBRD, size, 0x0001'2345), 0u);
        EXPECT_EQ(read_word(uart, IBRD, 4), size == 1 ? 0x45u : 0x2345u);
        EXPECT_EQ(read_word(uart, IBRD, 1), 0x45u);
    }
    EXPECT_EQ(sink.text, "xxx");
    EXPECT_EQ(read_word(uart, CR, 1), 0x00u);
    EXPECT_EQ(read_word(uart, CR, 2), 0x300u);
}

TEST_F(Pl011Test, registers_keep_what_they_have_bits_for) {
    struct Case {
        u64 offset;
        u64 kept;
    };
    for (const Case c : {Case{ILPR, 0xff}, Case{IBRD, 0xffff}, Case{FBRD, 0x3f}, Case{LCR_H, 0xff}, Case{CR, 0xff87},
                         Case{IFLS, 0x3f}, Case{IMSC, 0x7ff}, Case{DMACR, 0x7}}) {
        put(c.offset, ~u64{0});
        EXPECT_EQ(get(c.offset), c.kept) << std::hex << c.offset;
        put(c.offset, 0);
        EXPECT_EQ(get(c.offset), 0u) << std::hex << c.offset;
    }
}

TEST_F(Pl011Test, without_fifo_one_byte_is_held_and_the_rest_waits) {
    send("abc");
    EXPECT_EQ(source.waiting.size(), 2u);
    EXPECT_EQ(get(FR) & (RXFE | RXFF), RXFF);
    EXPECT_FALSE(uart.can_receive());
    EXPECT_EQ(get(RIS), RX | RT);
    EXPECT_EQ(read_all(), "abc");
    EXPECT_EQ(get(RIS), 0u);
    EXPECT_TRUE(uart.can_receive());
}

TEST_F(Pl011Test, fifo_refills_as_it_is_read) {
    put(LCR_H, fifo_on);
    send("0123456789abcdefghij");
    EXPECT_EQ(source.waiting.size(), 4u);
    EXPECT_EQ(get(FR) & (RXFE | RXFF), RXFF);
    EXPECT_EQ(get(DR), u64{'0'});
    EXPECT_EQ(source.waiting.size(), 3u);
    EXPECT_EQ(read_all(), "123456789abcdefghij");
}

TEST_F(Pl011Test, trigger_level_decides_on_the_receive_interrupt_and_every_byte_on_the_timeout) {
    constexpr std::array<u32, 8> levels{2, 4, 8, 12, 14, 14, 14, 14};
    put(LCR_H, fifo_on);
    for (u32 select = 0; select < 8; ++select) {
        put(IFLS, select << 3);
        for (u32 count = 1; count <= 16; ++count) {
            uart.receive(u8{'x'});
            EXPECT_EQ(get(RIS), count >= levels[select] ? RX | RT : RT) << select << ' ' << count;
        }
        for (u32 count = 16; count > 0; --count) {
            EXPECT_EQ(get(RIS), (count >= levels[select] ? RX | RT : RT)) << select << ' ' << count;
            get(DR);
        }
        EXPECT_EQ(get(RIS), 0u);
    }
}

TEST_F(Pl011Test, each_receive_interrupt_moves_the_line_under_its_own_mask) {
    put(LCR_H, fifo_on);
    put(IMSC, RT);
    uart.receive(1);
    EXPECT_TRUE(chip.line);
    EXPECT_EQ(chip.last_number, 33u);
    put(IMSC, RX);
    EXPECT_FALSE(chip.line);
    for (u32 i = 0; i < 7; ++i) uart.receive(1);
    EXPECT_TRUE(chip.line);
    get(DR);
    EXPECT_FALSE(chip.line);
    EXPECT_EQ(get(MIS), 0u);
    EXPECT_EQ(get(RIS), RT);
}

TEST_F(Pl011Test, cleared_interrupt_comes_again_with_the_next_byte) {
    put(LCR_H, fifo_on);
    put(IMSC, RX | RT);
    send("a");
    put(ICR, RX | RT);
    EXPECT_FALSE(chip.line);
    EXPECT_EQ(get(FR) & RXFE, 0u);
    send("b");
    EXPECT_EQ(get(MIS), RT);
    EXPECT_TRUE(chip.line);
}

TEST_F(Pl011Test, raising_the_level_above_what_waits_takes_the_receive_interrupt_back) {
    put(LCR_H, fifo_on);
    put(IFLS, 0);
    send("ab");
    EXPECT_EQ(get(RIS), RX | RT);
    put(IFLS, 1 << 3);
    EXPECT_EQ(get(RIS), RT);
}

TEST_F(Pl011Test, transmit_interrupt_is_raised_by_each_write_and_not_by_its_mask) {
    put(IMSC, TX);
    EXPECT_FALSE(chip.line);
    put(DR, 'x');
    EXPECT_TRUE(chip.line);
    EXPECT_EQ(get(MIS), TX);
    put(ICR, TX);
    EXPECT_FALSE(chip.line);
    put(IMSC, 0);
    put(DR, 'y');
    EXPECT_EQ(get(RIS), TX);
    put(IMSC, TX);
    EXPECT_TRUE(chip.line);
}

TEST_F(Pl011Test, overrun_shows_in_the_status_at_once_and_in_the_next_byte_that_is_kept) {
    put(LCR_H, fifo_on);
    put(IMSC, OE);
    overrun();
    EXPECT_TRUE(chip.line);
    EXPECT_EQ(get(RSR), 0x8u);
    EXPECT_EQ(get(DR), u64{'a'});
    uart.receive(u8{'z'});
    EXPECT_EQ(get(RSR), 0x8u);
    put(RSR, 0xff);
    EXPECT_EQ(get(RSR), 0u);
    EXPECT_TRUE(chip.line);
    put(ICR, OE);
    EXPECT_FALSE(chip.line);
    for (u32 i = 1; i < 16; ++i) EXPECT_EQ(get(DR), u64{'a'} + i);
    EXPECT_EQ(get(DR), 0x800u | 'z');
    EXPECT_EQ(get(RSR), 0u);
}

TEST_F(Pl011Test, loopback_returns_bytes_and_modem_outputs) {
    put(CR, enables | loop);
    put(DR, 'q');
    EXPECT_EQ(get(FR) & RXFE, 0u);
    EXPECT_EQ(get(DR), u64{'q'});
    struct Case {
        u64 outputs;
        u64 inputs;
    };
    // RTS, DTR, Out1 and Out2 arrive as CTS, DSR, DCD and RI.
    for (const Case c : {Case{0x800, 0x001}, Case{0x400, 0x002}, Case{0x1000, 0x004}, Case{0x2000, 0x100}, Case{0x3c00, 0x107},
                         Case{0, 0}}) {
        put(CR, enables | loop | c.outputs);
        EXPECT_EQ(get(FR) & 0x107, c.inputs);
    }
}

TEST_F(Pl011Test, modem_inputs_that_change_interrupt) {
    put(CR, enables | loop);
    EXPECT_EQ(get(RIS), 0xeu);
    put(ICR, modem);
    put(IMSC, modem);
    struct Case {
        u64 output;
        u64 interrupt;
    };
    for (const Case c : {Case{0x800, 0x2}, Case{0x400, 0x8}, Case{0x1000, 0x4}, Case{0x2000, 0x1}}) {
        put(CR, enables | loop | c.output);
        EXPECT_EQ(get(MIS), c.interrupt);
        EXPECT_TRUE(chip.line);
        put(ICR, modem);
        put(CR, enables | loop);
        EXPECT_EQ(get(MIS), c.interrupt);
        put(ICR, modem);
        EXPECT_FALSE(chip.line);
    }
}

TEST_F(Pl011Test, break_looped_back_arrives_as_a_zero_byte_with_its_mark) {
    put(LCR_H, fifo_on);
    put(LCR_H, fifo_on | send_break);
    EXPECT_EQ(get(RIS), 0u);
    put(LCR_H, fifo_on);
    put(CR, enables | loop);
    put(ICR, modem);
    put(LCR_H, fifo_on | send_break);
    put(LCR_H, fifo_on | send_break);
    EXPECT_EQ(get(RIS), BE | RT);
    EXPECT_EQ(get(RSR), 0u);
    EXPECT_EQ(get(DR), 0x400u);
    EXPECT_EQ(get(RSR), 0x4u);
    EXPECT_EQ(get(FR) & RXFE, RXFE);
}

// What amba-pl011 does from probe to shutdown, in its order.
TEST_F(Pl011Test, linux_driver_sequence_works) {
    put(IMSC, 0);
    put(ICR, 0xffff);
    put(ICR, OE | BE | 0x180 | RT | RX);
    put(IFLS, 0x12);
    put(CR, 0x301);
    put(FBRD, 0);
    put(IBRD, 1);
    put(LCR_H, 0x70);
    put(IMSC, RX | RT);
    send("root\r");
    EXPECT_EQ(get(MIS), RT);
    EXPECT_EQ(read_all(), "root\r");
    EXPECT_FALSE(chip.line);
    for (const char c : std::string_view("login")) EXPECT_EQ((put(DR, static_cast<u8>(c)), get(FR) & 0x28), 0u);
    put(IMSC, RX | RT | TX);
    EXPECT_TRUE(chip.line);
    put(ICR, TX);
    put(IMSC, RX | RT);
    EXPECT_FALSE(chip.line);
    put(CR, 0x101);
    send("later");
    EXPECT_EQ(get(FR) & RXFE, RXFE);
    EXPECT_EQ(source.waiting.size(), 5u);
    put(CR, 0x301);
    EXPECT_EQ(get(MIS), RT);
    EXPECT_EQ(read_all(), "later");
    EXPECT_EQ(sink.text, "login");
}

TEST_F(Pl011Test, reset_lowers_the_line_and_returns_to_power_on) {
    const SavedState power_on = save(uart);
    put(LCR_H, fifo_on);
    put(IMSC, 0x7ff);
    put(CR, enables | loop);
    put(DR, 'a');
    put(IBRD, 5);
    EXPECT_TRUE(chip.line);
    uart.reset();
    EXPECT_FALSE(chip.line);
    EXPECT_EQ(save(uart), power_on);
}

TEST_F(Pl011Test, reset_takes_what_waits_outside) {
    send("ab");
    uart.reset();
    EXPECT_EQ(read_all(), "b");
}

TEST_F(Pl011Test, t1_access_of_wrong_size_or_alignment_faults_and_changes_nothing) {
    send("abc");
    put(IMSC, RX);
    const SavedState before = save(uart);
    for (u64 offset = 0; offset < 0x50; ++offset) {
        for (const u8 size : {u8{1}, u8{2}, u8{4}, u8{8}}) {
            if (size <= 4 && offset % 4 == 0) continue;
            EXPECT_EQ(read_word(uart, offset, size), fault) << std::hex << offset;
            EXPECT_EQ(write_word(uart, offset, size, 0xff), fault) << std::hex << offset;
        }
    }
    EXPECT_EQ(save(uart), before);
    EXPECT_TRUE(sink.text.empty());
}

TEST_F(Pl011Test, t2_places_without_register_read_zero_and_ignore_writes) {
    send("a");
    const SavedState before = save(uart);
    for (const u64 offset : {u64{0x08}, u64{0x0c}, u64{0x10}, u64{0x14}, u64{0x1c}, u64{0x4c}, u64{0x80}, u64{0xfdc}, u64{0x1000},
                             u64{0x1'0000}, u64{0x1'0000'0000}, ~u64{3}}) {
        put(offset, 0xffff'ffff);
        EXPECT_EQ(get(offset), 0u) << std::hex << offset;
    }
    for (const u64 offset : {FR, RIS, MIS, u64{0xfe0}, u64{0xff0}, u64{0xffc}}) {
        const u64 value = get(offset);
        put(offset, ~value);
        EXPECT_EQ(get(offset), value) << std::hex << offset;
    }
    EXPECT_EQ(get(ICR), 0u);
    EXPECT_EQ(save(uart), before);
}

TEST_F(Pl011Test, t3_empty_receiver_reads_zero) {
    for (int i = 0; i < 100; ++i) EXPECT_EQ(get(DR), 0u);
    EXPECT_EQ(uart.state().fifo_count, 0);
    send("a");
    EXPECT_EQ(read_all(), "a");
}

TEST_F(Pl011Test, t4_loopback_into_a_full_fifo_drops_and_reports) {
    put(LCR_H, fifo_on);
    put(CR, enables | loop);
    for (u32 i = 0; i < 40; ++i) put(DR, 'a' + i % 26);
    EXPECT_EQ(get(RSR), 0x8u);
    EXPECT_EQ(get(RIS) & OE, OE);
    EXPECT_EQ(read_all(), "abcdefghijklmnop");
}

TEST_F(Pl011Test, t5_reserved_bits_read_zero) {
    for (u64 offset = 4; offset < 0x4c; offset += 4) put(offset, ~u64{0});
    for (u64 offset = 4; offset < 0x4c; offset += 4) EXPECT_EQ(get(offset) & ~u64{0xffff}, 0u);
    EXPECT_EQ(get(CR) & 0x78, 0u);
    EXPECT_EQ(get(IMSC) & ~u64{0x7ff}, 0u);
}

TEST_F(Pl011Test, t6_switching_the_fifo_drops_what_is_in_it) {
    put(LCR_H, fifo_on);
    put(IMSC, RX | RT);
    for (u32 i = 0; i < 9; ++i) uart.receive(1);
    EXPECT_TRUE(chip.line);
    put(LCR_H, 0x60);
    EXPECT_FALSE(chip.line);
    EXPECT_EQ(get(FR) & RXFE, RXFE);
    uart.receive(2);
    put(LCR_H, fifo_on);
    EXPECT_EQ(get(FR) & RXFE, RXFE);
    uart.receive(3);
    put(LCR_H, fifo_on | 0x60);
    EXPECT_EQ(get(DR), 3u);
}

TEST_F(Pl011Test, t7_sending_ignores_divisor_and_enables) {
    for (const u64 control : {0x0u, 0x1u, 0x100u, 0x301u}) {
        put(CR, control);
        put(IBRD, 0);
        put(DR, 'x');
    }
    EXPECT_EQ(sink.text, "xxxx");
}

TEST_F(Pl011Test, t8_line_is_driven_only_when_it_changes) {
    put(DR, 'x');
    for (int i = 0; i < 5; ++i) {
        put(IMSC, TX);
        put(IMSC, TX | RX);
        put(IMSC, 0);
        put(IMSC, RX);
    }
    EXPECT_EQ(chip.changes, 10u);
}

TEST_F(Pl011Test, t9_input_waits_during_loopback_and_while_the_receiver_is_off) {
    for (const u64 control : {enables | loop, u64{0x101}}) {
        put(CR, control);
        send("in");
        uart.receive(u8{'x'});
        EXPECT_EQ(get(FR) & RXFE, RXFE);
        EXPECT_FALSE(uart.can_receive());
        put(CR, enables);
        EXPECT_EQ(read_all(), "in");
    }
    put(CR, 0x101 | loop);
    put(DR, 'z');
    EXPECT_EQ(get(FR) & RXFE, RXFE);
}

TEST_F(Pl011Test, t10_receiver_never_read_takes_sixteen_bytes) {
    put(LCR_H, fifo_on);
    for (int i = 0; i < 100; ++i) send("0123456789");
    EXPECT_EQ(source.waiting.size(), 1000u - 16);
    EXPECT_EQ(get(RSR), 0u);
}

TEST_F(Pl011Test, t11_looped_bytes_never_reach_the_sink) {
    put(DR, 'a');
    put(CR, enables | loop);
    put(DR, 'b');
    put(CR, enables);
    put(DR, 'c');
    EXPECT_EQ(sink.text, "ac");
}

TEST_F(Pl011Test, t12_clearing_what_is_not_there_is_ignored) {
    const SavedState before = save(uart);
    put(ICR, ~u64{0});
    put(RSR, ~u64{0});
    EXPECT_EQ(save(uart), before);
    EXPECT_EQ(chip.changes, 0u);
}

u64 random_step(Pl011Bench& bench, Lcg& lcg) {
    const u64 offset = lcg.below(32) == 0 ? lcg.word() : 4 * lcg.below(20);
    const u8 size = lcg.below(4) == 0 ? static_cast<u8>(1u << lcg.below(4)) : u8{4};
    const u64 value = lcg.word();
    switch (lcg.below(10)) {
        case 0: bench.uart.receive(static_cast<u8>(value)); return 0;
        case 1: bench.send(std::string_view("abcdefgh").substr(0, value % 4)); return 0;
        case 2: bench.put(CR, enables | (value & 0xff80)); return 0;
        case 3: return write_word(bench.uart, DR, size, value);
        case 4: bench.put(value % 2 != 0 ? ICR : IMSC, value >> 16); return 0;
        case 5: return write_word(bench.uart, offset, size, value);
        default: return read_word(bench.uart, offset, size);
    }
}

TEST(Pl011Property, random_accesses_survive_and_a_restored_device_goes_on_the_same) {
    Pl011Bench first;
    Pl011Bench second;
    Lcg lcg(11);
    for (u32 i = 0; i < 200'000; ++i) {
        if (i % 1'000 == 0) {
            second.uart.reset();
            ASSERT_TRUE(restore(second.uart, save(first.uart)));
            second.source.waiting = first.source.waiting;
            second.chip = first.chip;
        }
        Lcg same = lcg;
        ASSERT_EQ(random_step(first, lcg), random_step(second, same)) << i;
        ASSERT_EQ(first.chip.line, first.uart.state().line);
        ASSERT_EQ(first.chip.line, (first.uart.state().raw & first.uart.state().mask) != 0);
    }
    EXPECT_EQ(save(first.uart), save(second.uart));
    EXPECT_EQ(first.sink.text, second.sink.text);
    EXPECT_EQ(first.chip.changes, second.chip.changes);
    EXPECT_GT(first.chip.changes, 1'000u);
    EXPECT_GT(first.sink.text.size(), 1'000u);
}

TEST(Pl011Property, random_accesses_survive_a_scrambled_state) {
    for (u64 seed = 1; seed <= 100; ++seed) {
        Pl011Bench bench;
        Scrambler scrambler(seed);
        bench.uart.fields(scrambler);
        EXPECT_LE(bench.uart.state().fifo_count, Pl011::fifo_bytes);
        EXPECT_LT(bench.uart.state().fifo_head, Pl011::fifo_bytes);
        Lcg lcg(seed);
        for (u32 i = 0; i < 2'000; ++i) static_cast<void>(random_step(bench, lcg));
    }
}

}  // namespace
}  // namespace ax::device_test
