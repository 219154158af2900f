#include "devices/uart/pl011.hpp"

// Threats: what a hostile guest does, and what it gets. One test per row.
//
//  T1  access of 8 bytes, or not at a multiple of 4       bus fault; nothing is read, sent or cleared
//  T2  access to a place without a register, writes of    reads 0, writes ignored
//      read-only and reads of write-only registers
//  T3  reads of an empty receiver                         0, for ever; the FIFO never runs negative
//  T4  loopback writes into a full FIFO                   the byte is dropped, overrun is set, 16 bytes stay
//  T5  reserved bits of any register                      read 0
//  T6  switching the FIFO on and off with bytes in it     the bytes are dropped, the line falls
//  T7  divisor 0, transmitter or port disabled            kept; sending is not affected
//  T8  toggling an interrupt mask for ever                the line is driven only when it changes
//  T9  loopback or RXE off while input waits outside      the input waits and none is lost
//  T10 a receiver never read                              at most 16 bytes are taken from the source
//  T11 loopback for hiding output                         looped bytes never reach the sink
//  T12 clearing interrupts that are not there             ignored
//
// A damaged saved state is made safe when it is restored: see State::fields.

namespace ax::dev {

using namespace pl011;

namespace {

constexpr u64 register_bytes = 4;

bool is_register_access(u64 offset, u8 size) { return size <= register_bytes && offset % register_bytes == 0; }

bool is_looped(const Pl011::State& state) { return CR::LBE::test(state.control); }
bool has_fifo(const Pl011::State& state) { return LCR_H::FEN::test(state.line_control); }

// The modem's inputs: a connected terminal, or in loopback the port's own outputs.
u64 modem_levels(u64 control) {
    if (!CR::LBE::test(control)) return FR::CTS::of(1) | FR::DSR::of(1) | FR::DCD::of(1);
    return FR::CTS::of(CR::RTS::get(control)) | FR::DSR::of(CR::DTR::get(control)) | FR::DCD::of(CR::Out1::get(control)) |
           FR::RI::of(CR::Out2::get(control));
}

u64 modem_interrupts(u64 before, u64 after) {
    const u64 changed = before ^ after;
    return Interrupt::RI::of(FR::RI::get(changed)) | Interrupt::CTS::of(FR::CTS::get(changed)) |
           Interrupt::DCD::of(FR::DCD::get(changed)) | Interrupt::DSR::of(FR::DSR::get(changed));
}

}  // namespace

void Pl011::State::fields(FieldVisitor& v) {
    field(v, "control", control);
    field(v, "integer_divisor", integer_divisor);
    field(v, "fractional_divisor", fractional_divisor);
    field(v, "low_power_counter", low_power_counter);
    field(v, "line_control", line_control);
    field(v, "fifo_levels", fifo_levels);
    field(v, "dma_control", dma_control);
    field(v, "mask", mask);
    field(v, "raw", raw);
    field(v, "receive_status", receive_status);
    field(v, "has_overrun", has_overrun);
    field(v, "line", line);
    field(v, "fifo", fifo);
    field(v, "fifo_head", fifo_head);
    field(v, "fifo_count", fifo_count);
    // A damaged file may say anything; the ring must stay inside its array.
    fifo_head = static_cast<u8>(fifo_head % fifo_bytes);
    if (fifo_count > fifo_bytes) fifo_count = static_cast<u8>(fifo_bytes);
}

std::expected<u64, bus::BusFault> Pl011::read(u64 offset, u8 size) {
    if (!is_register_access(offset, size)) return std::unexpected(bus::BusFault{});
    const u64 value = read_register(offset);
    update_line();
    return zero_extend(value, size);
}

std::expected<void, bus::BusFault> Pl011::write(u64 offset, u8 size, u64 value) {
    if (!is_register_access(offset, size)) return std::unexpected(bus::BusFault{});
    write_register(offset, zero_extend(value, size));
    update_line();
    return {};
}

void Pl011::reset() {
    const bool line = state_.line;
    state_ = {};
    state_.line = line;
    fill();
    update_line();
}

bool Pl011::can_receive() const { return is_connected() && state_.fifo_count < depth(); }

void Pl011::receive(u8 byte) {
    if (!is_connected()) return;
    push(byte);
    update_line();
}

void Pl011::pump() {
    fill();
    update_line();
}

u64 Pl011::read_register(u64 offset) {
    if (offset >= window_bytes) return 0;
    switch (static_cast<Offset>(offset)) {
        case Offset::UARTDR: return read_receiver();
        case Offset::UARTRSR: return state_.receive_status;
        case Offset::UARTFR: return flags();
        case Offset::UARTILPR: return state_.low_power_counter;
        case Offset::UARTIBRD: return state_.integer_divisor;
        case Offset::UARTFBRD: return state_.fractional_divisor;
        case Offset::UARTLCR_H: return state_.line_control;
        case Offset::UARTCR: return state_.control;
        case Offset::UARTIFLS: return state_.fifo_levels;
        case Offset::UARTIMSC: return state_.mask;
        case Offset::UARTRIS: return state_.raw;
        case Offset::UARTMIS: return u64{state_.raw} & state_.mask;
        case Offset::UARTICR: return 0;
        case Offset::UARTDMACR: return state_.dma_control;
        case Offset::UARTPeriphID0:
        case Offset::UARTPeriphID1:
        case Offset::UARTPeriphID2:
        case Offset::UARTPeriphID3:
        case Offset::UARTPCellID0:
        case Offset::UARTPCellID1:
        case Offset::UARTPCellID2:
        case Offset::UARTPCellID3: return identification[(offset - index(Offset::UARTPeriphID0)) / register_bytes];
    }
    return 0;
}

void Pl011::write_register(u64 offset, u64 value) {
    if (offset >= window_bytes) return;
    switch (static_cast<Offset>(offset)) {
        case Offset::UARTDR: transmit(static_cast<u8>(DR::DATA::get(value))); break;
        case Offset::UARTRSR: state_.receive_status = 0; break;
        case Offset::UARTILPR: state_.low_power_counter = static_cast<u8>(ILPR::get(value)); break;
        case Offset::UARTIBRD: state_.integer_divisor = static_cast<u16>(IBRD::get(value)); break;
        case Offset::UARTFBRD: state_.fractional_divisor = static_cast<u8>(FBRD::get(value)); break;
        case Offset::UARTLCR_H: write_line_control(value); break;
        case Offset::UARTCR: write_control(value); break;
        case Offset::UARTIFLS:
            state_.fifo_levels = static_cast<u8>(IFLS::All::get(value));
            settle_receive_causes();
            break;
        case Offset::UARTIMSC: state_.mask = static_cast<u16>(Interrupt::All::get(value)); break;
        case Offset::UARTICR: clear_raw(value); break;
        case Offset::UARTDMACR: state_.dma_control = static_cast<u8>(DMACR::get(value)); break;
        case Offset::UARTFR:
        case Offset::UARTRIS:
        case Offset::UARTMIS:
        case Offset::UARTPeriphID0:
        case Offset::UARTPeriphID1:
        case Offset::UARTPeriphID2:
        case Offset::UARTPeriphID3:
        case Offset::UARTPCellID0:
        case Offset::UARTPCellID1:
        case Offset::UARTPCellID2:
        case Offset::UARTPCellID3: break;
    }
}

u16 Pl011::read_receiver() {
    if (state_.fifo_count == 0) return 0;
    const u16 entry = state_.fifo[state_.fifo_head];
    state_.fifo_head = static_cast<u8>((state_.fifo_head + 1u) % fifo_bytes);
    --state_.fifo_count;
    state_.receive_status = static_cast<u8>(RSR::Status::set(state_.receive_status, DR::Status::get(entry)));
    // The FIFO falls below its level first, then takes what comes next.
    settle_receive_causes();
    fill();
    return entry;
}

u64 Pl011::flags() const {
    return modem_levels(state_.control) | FR::RXFE::of(state_.fifo_count == 0) | FR::RXFF::of(state_.fifo_count >= depth()) |
           FR::TXFE::of(1);
}

void Pl011::transmit(u8 byte) {
    if (is_looped(state_)) {
        if (CR::RXE::test(state_.control)) push(byte);
    } else {
        sink_->put(byte);
    }
    set_raw(Interrupt::TX::mask);
}

void Pl011::write_line_control(u64 value) {
    const u64 before = state_.line_control;
    state_.line_control = static_cast<u8>(LCR_H::All::get(value));
    if (LCR_H::FEN::get(before) != LCR_H::FEN::get(value)) {
        state_.fifo_count = 0;
        settle_receive_causes();
    }
    const bool breaks = LCR_H::BRK::test(value) && !LCR_H::BRK::test(before);
    if (breaks && is_looped(state_) && CR::RXE::test(state_.control)) {
        push(DR::BE::mask);
        set_raw(Interrupt::BE::mask);
    }
    fill();
}

void Pl011::write_control(u64 value) {
    const u64 before = modem_levels(state_.control);
    state_.control = static_cast<u16>(value & CR::all);
    set_raw(modem_interrupts(before, modem_levels(state_.control)));
    fill();
}

bool Pl011::is_connected() const { return !is_looped(state_) && CR::RXE::test(state_.control); }

// What is full keeps what it has; the new byte is lost, and the next that finds room carries the news.
void Pl011::push(u64 entry) {
    if (state_.fifo_count >= depth()) {
        state_.has_overrun = true;
        state_.receive_status = static_cast<u8>(RSR::OE::set(state_.receive_status, 1));
        set_raw(Interrupt::OE::mask);
        return;
    }
    state_.fifo[(state_.fifo_head + u32{state_.fifo_count}) % fifo_bytes] =
        static_cast<u16>(DR::OE::set(entry, u64{state_.has_overrun}));
    ++state_.fifo_count;
    state_.has_overrun = false;
    set_raw(Interrupt::RT::mask | (state_.fifo_count >= trigger() ? Interrupt::RX::mask : 0));
}

void Pl011::fill() {
    if (source_ == nullptr) return;
    for (u8 byte = 0; can_receive() && source_->take(byte);) push(byte);
}

// What reading takes back: the receive interrupt below the level, the timeout with the last byte.
void Pl011::settle_receive_causes() {
    if (state_.fifo_count < trigger()) clear_raw(Interrupt::RX::mask);
    if (state_.fifo_count == 0) clear_raw(Interrupt::RT::mask);
}

void Pl011::update_line() {
    const bool level = (state_.raw & state_.mask) != 0;
    if (level == state_.line) return;
    state_.line = level;
    line_.set(level);
}

u32 Pl011::depth() const { return has_fifo(state_) ? fifo_bytes : 1; }

u32 Pl011::trigger() const { return has_fifo(state_) ? receive_levels[IFLS::RXIFLSEL::get(state_.fifo_levels)] : u32{1}; }

}  // namespace ax::dev
