// A PL011 between a fake sink, source and interrupt line, with its registers by name.
#pragma once

#include <deque>
#include <string>

#include "devices/uart/pl011.hpp"
#include "tests/unit/devices/device_test_support.hpp"

namespace ax::device_test::pl011_bench {

/// Keeps what was sent.
class FakeSink final : public dev::ByteSink {
public:
    void put(u8 byte) override { text.push_back(static_cast<char>(byte)); }
    std::string text;
};

/// Input that waits.
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

// Register offsets and bits as the manual spells them.
inline constexpr u64 DR = 0x00, RSR = 0x04, FR = 0x18, ILPR = 0x20, IBRD = 0x24, FBRD = 0x28, LCR_H = 0x2c, CR = 0x30,
                     IFLS = 0x34, IMSC = 0x38, RIS = 0x3c, MIS = 0x40, ICR = 0x44, DMACR = 0x48;
inline constexpr u64 RXFE = 0x10, RXFF = 0x40, fifo_on = 0x10, send_break = 0x01, loop = 0x80, enables = 0x301;
inline constexpr u64 RX = 0x10, TX = 0x20, RT = 0x40, BE = 0x200, OE = 0x400, modem = 0x0f;

struct Pl011Bench {
    u64 get(u64 offset) { return read_word(uart, offset, 4); }
    void put(u64 offset, u64 value) { static_cast<void>(uart.write(offset, 4, value)); }
    void send(std::string_view text) {
        source.add(text);
        uart.pump();
    }
    std::string read_all() {
        std::string text;
        while ((get(FR) & RXFE) == 0) text.push_back(static_cast<char>(get(DR)));
        return text;
    }
    void overrun() {
        for (u32 i = 0; i < 17; ++i) uart.receive(static_cast<u8>('a' + i));
    }

    FakeSink sink;
    FakeSource source;
    FakeIrqChip chip;
    dev::Pl011 uart{sink, irq::Line(chip, 33), &source};
};

}  // namespace ax::device_test::pl011_bench
