// The NS16550A serial port: eight byte-wide registers, a 16-byte receive FIFO, one interrupt line.
#pragma once

#include <array>
#include <expected>
#include <string_view>

#include "core/base/types.hpp"
#include "core/bus/device.hpp"
#include "core/irq/irq_chip.hpp"
#include "devices/uart/byte_stream.hpp"

namespace ax::dev {

/// PC16550D Universal Asynchronous Receiver/Transmitter with FIFOs, Registers.
///
/// Choices where the part has a wire or a clock and the model has none: a byte written is sent at
/// once, whatever the divisor and word length; the character timeout is indicated at once while the
/// FIFO holds fewer bytes than the trigger level; OUT2 does not gate the interrupt line; an empty
/// receiver reads 0; break, parity and framing errors never arrive. Accesses are one byte at offsets
/// 0 to 7; others are refused.
class Ns16550 final : public bus::Device {
public:
    static constexpr u64 window_bytes = 8;
    static constexpr u32 fifo_bytes = 16;

    struct State {
        u16 divisor = 12;
        u8 interrupt_enable = 0;
        /// FIFO enable (bit 0) and receive trigger (bits 7-6) of the last FCR that took effect.
        u8 fifo_control = 0;
        u8 line_control = 0;
        u8 modem_control = 0;
        /// Deltas of the modem status; the levels above them derive from `modem_control`.
        u8 modem_deltas = 0;
        u8 scratch = 0;
        bool has_overrun = false;
        /// The transmitter became empty and IIR has not said so yet.
        bool has_transmit_event = false;
        /// Level of the interrupt line.
        bool line = false;
        /// Ring of received bytes; `fifo_head` is the oldest.
        std::array<u8, fifo_bytes> fifo{};
        u8 fifo_head = 0;
        u8 fifo_count = 0;

        void fields(FieldVisitor& v);
    };

    /// Sends to `sink` and raises `line`; takes input from `source`, when there is one, whenever the
    /// receiver has room. All must outlive the port.
    Ns16550(ByteSink& sink, irq::Line line, ByteSource* source = nullptr) : sink_(&sink), source_(source), line_(line) {}

    [[nodiscard]] std::string_view name() const override { return "ns16550"; }
    [[nodiscard]] std::expected<u64, bus::BusFault> read(u64 offset, u8 size) override;
    [[nodiscard]] std::expected<void, bus::BusFault> write(u64 offset, u8 size, u64 value) override;
    void reset() override;
    void fields(FieldVisitor& v) override { state_.fields(v); }

    /// True when a byte from outside would be kept: there is room and the port is not looped back.
    [[nodiscard]] bool can_receive() const;
    /// A byte arrives from outside. Without room it is lost and LSR says overrun; in loopback the
    /// receiver is disconnected and the byte is lost without trace.
    void receive(u8 byte);
    /// The source has new bytes: takes as many as there is room for.
    void pump();

    [[nodiscard]] const State& state() const { return state_; }

private:
    [[nodiscard]] u8 read_register(u64 offset);
    void write_register(u64 offset, u8 value);
    [[nodiscard]] u8 read_receiver();
    [[nodiscard]] u8 read_identification();
    [[nodiscard]] u8 read_line_status();
    [[nodiscard]] u8 read_modem_status();
    void transmit(u8 byte);
    void write_interrupt_enable(u8 value);
    void write_fifo_control(u8 value);
    void write_modem_control(u8 value);

    void push(u8 byte);
    void fill();
    void update_line();
    [[nodiscard]] u8 cause() const;
    [[nodiscard]] u32 depth() const;

    ByteSink* sink_;
    ByteSource* source_;
    irq::Line line_;
    State state_;
};

}  // namespace ax::dev
