#include "devices/uart/ns16550.hpp"

#include <gtest/gtest.h>

#include <deque>
#include <string>

#include "tests/unit/devices/device_test_support.hpp"

namespace ax::device_test {
namespace {

using dev::Ns16550;

class FakeSink final : public dev::ByteSink {
public:
    void put(u8 byte) override { text.push_back(static_cast<char>(byte)); }
    std::string text;
};

class FakeSource final : public dev::ByteSource {
public:
    bool take(u8& byte) override {
        if (waiting.empty()) return false;
        byte = waiting.front();
        waiting.pop_front();
        return true;
    }
    void add(std::string_view text) { waiting.insert(waiting.end(), text.begin(), text.end()); }
    std::deque<u8> waiting;
};

// Register offsets and values as the data sheet spells them.
constexpr u64 RBR = 0, THR = 0, DLL = 0, IER = 1, DLM = 1, IIR = 2, FCR = 2, LCR = 3, MCR = 4, LSR = 5, MSR = 6, SCR = 7;
constexpr u64 receive_enable = 1, transmit_enable = 2, line_status_enable = 4, modem_enable = 8;
constexpr u64 loop = 0x10, fifo_on = 1, fifo_clear = 2;

struct UartBench {
    u64 get(u64 offset) { return read_word(uart, offset, 1); }
    void put(u64 offset, u64 value) { static_cast<void>(uart.write(offset, 1, value)); }
    void send(std::string_view text) {
        source.add(text);
        uart.pump();
    }
    std::string read_all() {
        std::string text;
        while ((get(LSR) & 1) != 0) text.push_back(static_cast<char>(get(RBR)));
        return text;
    }

    FakeSink sink;
    FakeSource source;
    FakeIrqChip chip;
    Ns16550 uart{sink, irq::Line(chip, 10), &source};
};

class Ns16550Test : public testing::Test, protected UartBench {};

TEST_F(Ns16550Test, powers_on_idle) {
    EXPECT_EQ(get(IER), 0u);
    EXPECT_EQ(get(IIR), 0x01u);
    EXPECT_EQ(get(LCR), 0u);
    EXPECT_EQ(get(MCR), 0u);
    EXPECT_EQ(get(LSR), 0x60u);
    EXPECT_EQ(get(MSR), 0xb0u);
    EXPECT_FALSE(chip.line);
}

TEST_F(Ns16550Test, byte_written_is_sent_at_once) {
    for (const char c : std::string_view("hello")) put(THR, static_cast<u8>(c));
    EXPECT_EQ(sink.text, "hello");
    EXPECT_EQ(get(LSR), 0x60u);
}

TEST_F(Ns16550Test, dlab_turns_the_first_two_registers_into_the_divisor) {
    put(LCR, 0x83);
    put(DLL, 0x34);
    put(DLM, 0x12);
    EXPECT_EQ(get(DLL), 0x34u);
    EXPECT_EQ(get(DLM), 0x12u);
    EXPECT_EQ(uart.state().divisor, 0x1234);
    put(LCR, 0x03);
    EXPECT_EQ(get(IER), 0u);
    EXPECT_TRUE(sink.text.empty());
}

TEST_F(Ns16550Test, scratch_and_line_control_keep_all_eight_bits) {
    for (const u64 value : {0xa5u, 0x5au, 0xffu, 0u}) {
        put(SCR, value);
        put(LCR, value);
        EXPECT_EQ(get(SCR), value);
        EXPECT_EQ(get(LCR), value);
    }
}

TEST_F(Ns16550Test, fifo_type_shows_in_the_identification) {
    put(FCR, fifo_on);
    EXPECT_EQ(get(IIR), 0xc1u);
    put(FCR, 0);
    EXPECT_EQ(get(IIR), 0x01u);
}

TEST_F(Ns16550Test, without_fifo_one_byte_is_held_and_the_rest_waits) {
    send("abc");
    EXPECT_EQ(source.waiting.size(), 2u);
    EXPECT_FALSE(uart.can_receive());
    EXPECT_EQ(read_all(), "abc");
    EXPECT_TRUE(uart.can_receive());
}

TEST_F(Ns16550Test, fifo_refills_as_it_is_read) {
    put(FCR, fifo_on);
    send("0123456789abcdefghij");
    EXPECT_EQ(source.waiting.size(), 4u);
    EXPECT_EQ(get(RBR), u64{'0'});
    EXPECT_EQ(source.waiting.size(), 3u);
    EXPECT_EQ(read_all(), "123456789abcdefghij");
}

TEST_F(Ns16550Test, trigger_level_separates_data_from_timeout) {
    struct Case {
        u64 fifo_control;
        u32 trigger;
    };
    for (const Case c : {Case{0x01, 1}, Case{0x41, 4}, Case{0x81, 8}, Case{0xc1, 14}}) {
        put(FCR, 0);
        put(FCR, c.fifo_control);
        put(IER, receive_enable);
        EXPECT_FALSE(chip.line);
        for (u32 count = 1; count <= 16; ++count) {
            uart.receive(u8{'x'});
            EXPECT_EQ(get(IIR), count >= c.trigger ? 0xc4u : 0xccu) << count;
            EXPECT_TRUE(chip.line);
        }
        read_all();
        EXPECT_EQ(get(IIR), 0xc1u);
        EXPECT_FALSE(chip.line);
    }
}

TEST_F(Ns16550Test, overrun_drops_the_new_byte_and_is_cleared_by_reading_it) {
    put(FCR, fifo_on);
    put(IER, line_status_enable);
    for (u32 i = 0; i < 17; ++i) uart.receive(static_cast<u8>('a' + i));
    EXPECT_TRUE(chip.line);
    EXPECT_EQ(get(IIR), 0xc6u);
    EXPECT_EQ(get(LSR), 0x63u);
    EXPECT_FALSE(chip.line);
    EXPECT_EQ(get(LSR), 0x61u);
    EXPECT_EQ(read_all(), "abcdefghijklmnop");
}

TEST_F(Ns16550Test, transmit_event_is_raised_by_enabling_and_by_each_write_and_cleared_by_its_report) {
    put(IER, transmit_enable);
    EXPECT_TRUE(chip.line);
    EXPECT_EQ(get(IIR), 0x02u);
    EXPECT_FALSE(chip.line);
    EXPECT_EQ(get(IIR), 0x01u);
    put(IER, transmit_enable);
    EXPECT_FALSE(chip.line);
    put(THR, 'x');
    EXPECT_TRUE(chip.line);
    EXPECT_EQ(get(IIR), 0x02u);
    put(IER, 0);
    put(IER, transmit_enable);
    EXPECT_EQ(get(IIR), 0x02u);
}

TEST_F(Ns16550Test, report_of_a_higher_cause_keeps_the_transmit_event) {
    put(IER, receive_enable | transmit_enable);
    send("a");
    EXPECT_EQ(get(IIR), 0x04u);
    EXPECT_EQ(get(IIR), 0x04u);
    EXPECT_EQ(get(RBR), u64{'a'});
    EXPECT_EQ(get(IIR), 0x02u);
    EXPECT_EQ(get(IIR), 0x01u);
}

TEST_F(Ns16550Test, causes_are_reported_by_priority) {
    put(IER, receive_enable | transmit_enable | line_status_enable | modem_enable);
    uart.receive(1);
    uart.receive(2);
    put(MCR, loop);
    put(MCR, 0);
    for (const u64 expected : {0x06u, 0x04u, 0x02u, 0x00u, 0x01u}) {
        EXPECT_EQ(get(IIR), expected);
        if (expected == 0x06) get(LSR);
        if (expected == 0x04) get(RBR);
        if (expected == 0x00) get(MSR);
    }
    EXPECT_FALSE(chip.line);
}

TEST_F(Ns16550Test, loopback_returns_bytes_and_modem_outputs) {
    put(MCR, loop);
    put(THR, 'q');
    EXPECT_EQ(get(LSR), 0x61u);
    EXPECT_EQ(get(RBR), u64{'q'});
    struct Case {
        u64 outputs;
        u64 inputs;
    };
    for (const Case c :
         {Case{0x1, 0x20}, Case{0x2, 0x10}, Case{0x4, 0x40}, Case{0x8, 0x80}, Case{0xf, 0xf0}, Case{0xa, 0x90}, Case{0, 0}}) {
        put(MCR, loop | c.outputs);
        EXPECT_EQ(get(MSR) & 0xf0, c.inputs);
    }
}

TEST_F(Ns16550Test, modem_deltas_report_changes_once_and_ring_only_when_it_ends) {
    put(MCR, loop);
    EXPECT_EQ(get(MSR), 0x0bu);
    EXPECT_EQ(get(MSR), 0x00u);
    put(MCR, loop | 0x4);
    EXPECT_EQ(get(MSR), 0x40u);
    put(IER, modem_enable);
    EXPECT_FALSE(chip.line);
    put(MCR, loop);
    EXPECT_TRUE(chip.line);
    EXPECT_EQ(get(MSR), 0x04u);
    EXPECT_FALSE(chip.line);
}

TEST_F(Ns16550Test, modem_deltas_gather_until_they_are_read) {
    put(MCR, loop | 0xb);
    get(MSR);
    put(MCR, loop | 0xa);
    put(MCR, loop | 0x8);
    EXPECT_EQ(get(MSR), 0x83u);
}

TEST_F(Ns16550Test, interrupt_is_not_gated_by_out2) {
    put(MCR, 0);
    put(IER, receive_enable);
    send("a");
    EXPECT_TRUE(chip.line);
    EXPECT_EQ(chip.last_number, 10u);
}

TEST_F(Ns16550Test, reset_lowers_the_line_and_returns_to_power_on) {
    const SavedState power_on = save(uart);
    put(IER, receive_enable | transmit_enable);
    put(FCR, fifo_on);
    put(LCR, 0x80);
    put(DLL, 1);
    put(MCR, 0x0f);
    EXPECT_TRUE(chip.line);
    uart.reset();
    EXPECT_FALSE(chip.line);
    EXPECT_EQ(save(uart), power_on);
}

TEST_F(Ns16550Test, port_without_source_works) {
    Ns16550 lone(sink, irq::Line());
    lone.pump();
    lone.receive(7);
    EXPECT_EQ(read_word(lone, RBR, 1), 7u);
}

TEST_F(Ns16550Test, t1_wide_access_faults_and_has_no_effect) {
    put(FCR, fifo_on);
    put(IER, transmit_enable);
    send("ab");
    const SavedState before = save(uart);
    for (u64 offset = 0; offset < 8; ++offset) {
        for (const u8 size : {u8{2}, u8{4}, u8{8}}) {
            EXPECT_EQ(read_word(uart, offset, size), fault);
            EXPECT_EQ(write_word(uart, offset, size, 0x41), fault);
        }
    }
    EXPECT_EQ(save(uart), before);
    EXPECT_TRUE(sink.text.empty());
}

TEST_F(Ns16550Test, t2_offset_beyond_the_registers_faults) {
    for (const u64 offset : {u64{8}, u64{0xff}, u64{0x100}, ~u64{0}}) {
        EXPECT_EQ(read_word(uart, offset, 1), fault);
        EXPECT_EQ(write_word(uart, offset, 1, 0), fault);
    }
}

TEST_F(Ns16550Test, t3_empty_receiver_reads_zero_for_ever) {
    for (const u64 fifo : {u64{0}, fifo_on}) {
        put(FCR, fifo);
        send("z");
        EXPECT_EQ(get(RBR), u64{'z'});
        for (int i = 0; i < 40; ++i) EXPECT_EQ(get(RBR), 0u);
        EXPECT_EQ(get(LSR), 0x60u);
    }
}

TEST_F(Ns16550Test, t4_looped_byte_into_a_full_fifo_is_dropped_as_overrun) {
    put(FCR, fifo_on);
    put(MCR, loop);
    for (u32 i = 0; i < 40; ++i) put(THR, u64{'a'} + i % 26);
    EXPECT_EQ(get(LSR), 0x63u);
    EXPECT_EQ(read_all(), "abcdefghijklmnop");
}

TEST_F(Ns16550Test, t5_looped_byte_without_fifo_replaces_the_older) {
    put(MCR, loop);
    put(THR, 'a');
    put(THR, 'b');
    EXPECT_EQ(get(LSR), 0x63u);
    EXPECT_EQ(read_all(), "b");
}

TEST_F(Ns16550Test, t6_read_only_registers_and_reserved_bits_ignore_writes) {
    put(LSR, 0xff);
    put(MSR, 0xff);
    EXPECT_EQ(get(LSR), 0x60u);
    EXPECT_EQ(get(MSR), 0xb0u);
    put(IER, 0xff);
    put(MCR, 0xff);
    EXPECT_EQ(get(IER), 0x0fu);
    EXPECT_EQ(get(MCR), 0x1fu);
}

TEST_F(Ns16550Test, t7_fifo_settings_count_only_with_the_enable_bit) {
    put(FCR, 0xc1);
    put(FCR, 0x40);
    EXPECT_EQ(get(IIR), 0x01u);
    send("ab");
    put(FCR, fifo_clear);
    EXPECT_EQ(read_all(), "ab");
    EXPECT_EQ(uart.state().fifo_control & 0xc0, 0xc0);
}

TEST_F(Ns16550Test, t8_switching_the_fifo_drops_bytes_and_lowers_the_line) {
    struct Case {
        u64 before;
        u64 after;
    };
    for (const Case c : {Case{0, fifo_on}, Case{fifo_on, 0}, Case{fifo_on, fifo_on | fifo_clear}}) {
        put(FCR, c.before);
        put(IER, receive_enable);
        send("x");
        EXPECT_TRUE(chip.line);
        put(FCR, c.after);
        EXPECT_FALSE(chip.line);
        EXPECT_EQ(get(LSR), 0x60u);
    }
    put(FCR, fifo_on);
    send("keep");
    put(FCR, fifo_on | 0x80);
    EXPECT_EQ(read_all(), "keep");
}

TEST_F(Ns16550Test, t9_any_divisor_is_kept_and_sending_goes_on) {
    for (const u64 half : {0x00u, 0xffu}) {
        put(LCR, 0x80);
        put(DLL, half);
        put(DLM, half);
        EXPECT_EQ(uart.state().divisor, half << 8 | half);
        put(LCR, 0);
        put(THR, '.');
    }
    EXPECT_EQ(sink.text, "..");
}

TEST_F(Ns16550Test, t10_polled_identification_reports_each_transmit_event_once) {
    put(IER, transmit_enable);
    for (u32 round = 0; round < 3; ++round) {
        u32 reports = 0;
        for (u32 i = 0; i < 20; ++i) reports += get(IIR) == 0x02;
        EXPECT_EQ(reports, 1u);
        put(THR, 'x');
    }
}

TEST_F(Ns16550Test, t11_line_is_driven_only_when_it_changes) {
    send("a");
    for (int i = 0; i < 5; ++i) {
        put(IER, receive_enable);
        put(IER, receive_enable);
        put(IER, 0);
        put(IER, 0);
        get(IIR);
    }
    EXPECT_EQ(chip.changes, 10u);
}

TEST_F(Ns16550Test, t12_input_waits_out_a_loopback) {
    put(FCR, fifo_on);
    put(MCR, loop);
    EXPECT_FALSE(uart.can_receive());
    send("later");
    put(THR, 'L');
    EXPECT_EQ(read_all(), "L");
    uart.receive(u8{'!'});
    EXPECT_EQ(get(LSR), 0x60u);
    put(MCR, 0);
    EXPECT_EQ(read_all(), "later");
}

TEST_F(Ns16550Test, t13_unread_receiver_takes_no_more_than_it_holds) {
    put(FCR, fifo_on);
    for (int i = 0; i < 100; ++i) send("0123456789");
    EXPECT_EQ(source.waiting.size(), 1000u - 16);
    EXPECT_EQ(get(LSR), 0x61u);
}

TEST_F(Ns16550Test, t14_looped_bytes_never_reach_the_sink) {
    put(THR, 'a');
    put(MCR, loop);
    put(THR, 'b');
    put(MCR, 0);
    put(THR, 'c');
    EXPECT_EQ(sink.text, "ac");
}

u64 random_step(UartBench& bench, Lcg& lcg) {
    const u64 offset = lcg.below(32) == 0 ? lcg.word() : lcg.below(8);
    const u8 size = lcg.below(32) == 0 ? static_cast<u8>(1u << lcg.below(4)) : u8{1};
    const u64 value = lcg.word();
    switch (lcg.below(8)) {
        case 0: bench.uart.receive(static_cast<u8>(value)); return 0;
        case 1: bench.send(std::string_view("abcdefgh").substr(0, value % 4)); return 0;
        case 2:
        case 3:
        case 4: return write_word(bench.uart, offset, size, value);
        default: return read_word(bench.uart, offset, size);
    }
}

TEST(Ns16550Property, random_accesses_survive_and_a_restored_device_goes_on_the_same) {
    UartBench first;
    UartBench second;
    Lcg lcg(16550);
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
    }
    EXPECT_EQ(save(first.uart), save(second.uart));
    EXPECT_EQ(first.sink.text, second.sink.text);
    EXPECT_EQ(first.chip.changes, second.chip.changes);
    EXPECT_GT(first.chip.changes, 1'000u);
    EXPECT_GT(first.sink.text.size(), 1'000u);
}

TEST(Ns16550Property, random_accesses_survive_a_scrambled_state) {
    for (u64 seed = 1; seed <= 100; ++seed) {
        UartBench bench;
        Scrambler scrambler(seed);
        bench.uart.fields(scrambler);
        EXPECT_LE(bench.uart.state().fifo_count, Ns16550::fifo_bytes);
        EXPECT_LT(bench.uart.state().fifo_head, Ns16550::fifo_bytes);
        Lcg lcg(seed);
        for (u32 i = 0; i < 2'000; ++i) static_cast<void>(random_step(bench, lcg));
    }
}

}  // namespace
}  // namespace ax::device_test
