// The PL011 serial port: 32-bit registers, a 16-byte receive FIFO, one interrupt line.
#pragma once

#include <array>
#include <expected>
#include <string_view>

#include "core/base/types.hpp"
#include "core/bus/device.hpp"
#include "core/irq/irq_chip.hpp"
#include "devices/uart/byte_stream.hpp"
#include "devices/uart/pl011_regs.hpp"

namespace ax::dev {

/// PrimeCell UART (PL011) Technical Reference Manual, revision r1p5.
///
/// Choices where the part has a wire or a clock and the model has none: a byte written is sent at
/// once, whatever UARTEN, TXE, the baud rate and the word length say (firmware that a guest need not
/// have would have set them), so the transmit interrupt is raised after every write; the receive
/// timeout is over as soon as a byte waits, so its interrupt is raised with every byte that arrives,
/// below the trigger level as well as above; while RXE is clear input waits outside; an empty
/// receiver reads 0; parity and framing errors never arrive, a break only by loopback. DMA and IrDA
/// registers are kept and do nothing.
///
/// Accesses are 1, 2 or 4 bytes at a register's offset and concern its low bytes; others are refused.
/// Places without a register read 0 and ignore writes.
class Pl011 final : public bus::Device {
public:
    static constexpr u64 window_bytes = 0x1000;
    static constexpr u32 fifo_bytes = 16;

    struct State {
        u16 control = pl011::CR::after_reset;
        u16 integer_divisor = 0;
        u8 fractional_divisor = 0;
        u8 low_power_counter = 0;
        u8 line_control = 0;
        u8 fifo_levels = pl011::IFLS::after_reset;
        u8 dma_control = 0;
        /// UARTIMSC.
        u16 mask = 0;
        /// UARTRIS.
        u16 raw = 0;
        /// UARTRSR.
        u8 receive_status = 0;
        /// A byte was lost; the next to be kept says so.
        bool has_overrun = false;
        /// Level of the interrupt line.
        bool line = false;
        /// Ring of received bytes with their error bits, as UARTDR shows them; `fifo_head` is the oldest.
        std::array<u16, fifo_bytes> fifo{};
        u8 fifo_head = 0;
        u8 fifo_count = 0;

        void fields(FieldVisitor& v);
    };

    /// Sends to `sink` and raises `line`; takes input from `source`, when there is one, whenever the
    /// receiver has room. All must outlive the port.
    Pl011(ByteSink& sink, irq::Line line, ByteSource* source = nullptr) : sink_(&sink), source_(source), line_(line) {}

    [[nodiscard]] std::string_view name() const override { return "pl011"; }
    [[nodiscard]] std::expected<u64, bus::BusFault> read(u64 offset, u8 size) override;
    [[nodiscard]] std::expected<void, bus::BusFault> write(u64 offset, u8 size, u64 value) override;
    void reset() override;
    void fields(FieldVisitor& v) override { state_.fields(v); }

    /// True when a byte from outside would be kept: the receiver is on and has room, and the port is
    /// not looped back.
    [[nodiscard]] bool can_receive() const;
    /// A byte arrives from outside. Without room it is lost and the overrun shows; with the receiver
    /// off or looped back it is lost without trace.
    void receive(u8 byte);
    /// The source has new bytes: takes as many as there is room for.
    void pump();

    [[nodiscard]] const State& state() const { return state_; }

private:
    [[nodiscard]] u64 read_register(u64 offset);
    void write_register(u64 offset, u64 value);
    [[nodiscard]] u16 read_receiver();
    [[nodiscard]] u64 flags() const;
    void transmit(u8 byte);
    void write_line_control(u64 value);
    void write_control(u64 value);

    [[nodiscard]] bool is_connected() const;
    void push(u64 entry);
    void fill();
    void set_raw(u64 interrupts) { state_.raw = static_cast<u16>(state_.raw | interrupts); }
    void clear_raw(u64 interrupts) { state_.raw = static_cast<u16>(state_.raw & ~interrupts); }
    void settle_receive_causes();
    void update_line();
    [[nodiscard]] u32 depth() const;
    [[nodiscard]] u32 trigger() const;

    ByteSink* sink_;
    ByteSource* source_;
    irq::Line line_;
    State state_;
};

}  // namespace ax::dev
