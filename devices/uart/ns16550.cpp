#include "devices/uart/ns16550.hpp"

#include "devices/uart/ns16550_regs.hpp"

// Threats: what a hostile guest does, and what it gets. One test per row.
//
//  T1  access of 2, 4 or 8 bytes                          bus fault; nothing is read, sent or cleared
//  T2  offset 8 or above                                  bus fault
//  T3  reads of an empty receiver                         0, for ever; the FIFO never runs negative
//  T4  loopback writes into a full FIFO                   the byte is dropped, overrun is set, 16 bytes stay
//  T5  loopback writes without FIFO                       the newer byte replaces the older, overrun is set
//  T6  writes to LSR, MSR and reserved bits               ignored; reserved bits of IER and MCR read 0
//  T7  FCR settings while its enable bit is 0             only the disabling counts
//  T8  switching the FIFO on and off with bytes in it     the bytes are dropped, the line falls
//  T9  divisor 0 or any other                             kept; sending is not affected
//  T10 IIR polled for ever                                the transmit event is reported once per cause
//  T11 toggling an interrupt enable for ever              the line is driven only when it changes
//  T12 loopback while input waits outside                 the input waits and none is lost
//  T13 a receiver never read                              at most 16 bytes are taken from the source
//  T14 loopback for hiding output                         looped bytes never reach the sink
//
// A damaged saved state is made safe when it is restored: see State::fields.

namespace ax::dev {

using namespace ns16550;

namespace {

bool is_looped(const Ns16550::State& state) { return MCR::Loop::test(state.modem_control); }
bool has_fifo(const Ns16550::State& state) { return FCR::Enable::test(state.fifo_control); }
bool reaches_divisor(const Ns16550::State& state) { return LCR::DLAB::test(state.line_control); }

// The modem's inputs: a connected terminal, or in loopback the port's own outputs.
u64 modem_levels(u8 modem_control) {
    if (!MCR::Loop::test(modem_control)) return MSR::CTS::of(1) | MSR::DSR::of(1) | MSR::DCD::of(1);
    return MSR::CTS::of(MCR::RTS::get(modem_control)) | MSR::DSR::of(MCR::DTR::get(modem_control)) |
           MSR::RI::of(MCR::OUT1::get(modem_control)) | MSR::DCD::of(MCR::OUT2::get(modem_control));
}

// Ring indication counts only when it ends.
u64 modem_changes(u64 before, u64 after) {
    const u64 changed = before ^ after;
    return MSR::DCTS::of(MSR::CTS::get(changed)) | MSR::DDSR::of(MSR::DSR::get(changed)) |
           MSR::TERI::of(MSR::RI::get(before & ~after)) | MSR::DDCD::of(MSR::DCD::get(changed));
}

}  // namespace

void Ns16550::State::fields(FieldVisitor& v) {
    field(v, "divisor", divisor);
    field(v, "interrupt_enable", interrupt_enable);
    field(v, "fifo_control", fifo_control);
    field(v, "line_control", line_control);
    field(v, "modem_control", modem_control);
    field(v, "modem_deltas", modem_deltas);
    field(v, "scratch", scratch);
    field(v, "has_overrun", has_overrun);
    field(v, "has_transmit_event", has_transmit_event);
    field(v, "line", line);
    field(v, "fifo", fifo);
    field(v, "fifo_head", fifo_head);
    field(v, "fifo_count", fifo_count);
    // A damaged file may say anything; the ring must stay inside its array.
    fifo_head = static_cast<u8>(fifo_head % fifo_bytes);
    if (fifo_count > fifo_bytes) fifo_count = static_cast<u8>(fifo_bytes);
}

std::expected<u64, bus::BusFault> Ns16550::read(u64 offset, u8 size) {
    if (size != 1 || offset >= window_bytes) return std::unexpected(bus::BusFault{});
    const u8 value = read_register(offset);
    update_line();
    return value;
}

std::expected<void, bus::BusFault> Ns16550::write(u64 offset, u8 size, u64 value) {
    if (size != 1 || offset >= window_bytes) return std::unexpected(bus::BusFault{});
    write_register(offset, static_cast<u8>(value));
    update_line();
    return {};
}

void Ns16550::reset() {
    const bool line = state_.line;
    state_ = {};
    state_.line = line;
    fill();
    update_line();
}

bool Ns16550::can_receive() const { return !is_looped(state_) && state_.fifo_count < depth(); }

void Ns16550::receive(u8 byte) {
    if (is_looped(state_)) return;
    push(byte);
    update_line();
}

void Ns16550::pump() {
    fill();
    update_line();
}

u8 Ns16550::read_register(u64 offset) {
    switch (static_cast<Offset>(offset)) {
        case Offset::Data: return reaches_divisor(state_) ? static_cast<u8>(DivisorLow::get(state_.divisor)) : read_receiver();
        case Offset::InterruptEnable:
            return reaches_divisor(state_) ? static_cast<u8>(DivisorHigh::get(state_.divisor)) : state_.interrupt_enable;
        case Offset::Identification: return read_identification();
        case Offset::LineControl: return state_.line_control;
        case Offset::ModemControl: return state_.modem_control;
        case Offset::LineStatus: return read_line_status();
        case Offset::ModemStatus: return read_modem_status();
        case Offset::Scratch: return state_.scratch;
    }
    return 0;
}

void Ns16550::write_register(u64 offset, u8 value) {
    switch (static_cast<Offset>(offset)) {
        case Offset::Data:
            if (reaches_divisor(state_)) {
                state_.divisor = static_cast<u16>(DivisorLow::set(state_.divisor, value));
            } else {
                transmit(value);
            }
            break;
        case Offset::InterruptEnable:
            if (reaches_divisor(state_)) {
                state_.divisor = static_cast<u16>(DivisorHigh::set(state_.divisor, value));
            } else {
                write_interrupt_enable(value);
            }
            break;
        case Offset::Identification: write_fifo_control(value); break;
        case Offset::LineControl: state_.line_control = value; break;
        case Offset::ModemControl: write_modem_control(value); break;
        case Offset::LineStatus:
        case Offset::ModemStatus: break;
        case Offset::Scratch: state_.scratch = value; break;
    }
}

u8 Ns16550::read_receiver() {
    if (state_.fifo_count == 0) return 0;
    const u8 byte = state_.fifo[state_.fifo_head];
    state_.fifo_head = static_cast<u8>((state_.fifo_head + 1u) % fifo_bytes);
    --state_.fifo_count;
    fill();
    return byte;
}

u8 Ns16550::read_identification() {
    const u8 reported = cause();
    if (reported == IIR::transmitter_empty) state_.has_transmit_event = false;
    return static_cast<u8>(IIR::FifosEnabled::of(has_fifo(state_) ? IIR::FifosEnabled::max : 0) | reported);
}

u8 Ns16550::read_line_status() {
    const u64 value = LSR::DataReady::of(state_.fifo_count != 0) | LSR::Overrun::of(state_.has_overrun) |
                      LSR::TransmitterEmpty::of(LSR::TransmitterEmpty::max);
    state_.has_overrun = false;
    return static_cast<u8>(value);
}

u8 Ns16550::read_modem_status() {
    const u64 value = modem_levels(state_.modem_control) | state_.modem_deltas;
    state_.modem_deltas = 0;
    return static_cast<u8>(value);
}

void Ns16550::transmit(u8 byte) {
    if (is_looped(state_)) {
        push(byte);
    } else {
        sink_->put(byte);
    }
    state_.has_transmit_event = true;
}

void Ns16550::write_interrupt_enable(u8 value) {
    const u8 before = state_.interrupt_enable;
    state_.interrupt_enable = static_cast<u8>(IER::All::get(value));
    // The transmitter is always empty, so enabling its interrupt is itself an event.
    if (IER::Transmit::test(value) && !IER::Transmit::test(before)) state_.has_transmit_event = true;
}

void Ns16550::write_fifo_control(u8 value) {
    const bool was_enabled = has_fifo(state_);
    const bool is_enabled = FCR::Enable::test(value);
    if (is_enabled) {
        state_.fifo_control = static_cast<u8>(value & (FCR::Enable::mask | FCR::Trigger::mask));
    } else {
        state_.fifo_control = static_cast<u8>(FCR::Enable::set(state_.fifo_control, 0));
    }
    if (was_enabled != is_enabled || (is_enabled && FCR::ResetReceiver::test(value))) state_.fifo_count = 0;
    fill();
}

void Ns16550::write_modem_control(u8 value) {
    const u64 before = modem_levels(state_.modem_control);
    state_.modem_control = static_cast<u8>(MCR::All::get(value));
    state_.modem_deltas = static_cast<u8>(state_.modem_deltas | modem_changes(before, modem_levels(state_.modem_control)));
    fill();
}

// A full FIFO keeps what it has; the single buffer of FIFO-less operation keeps the newest.
void Ns16550::push(u8 byte) {
    if (state_.fifo_count >= depth()) {
        state_.has_overrun = true;
        if (!has_fifo(state_)) state_.fifo[state_.fifo_head] = byte;
        return;
    }
    state_.fifo[(state_.fifo_head + u32{state_.fifo_count}) % fifo_bytes] = byte;
    ++state_.fifo_count;
}

void Ns16550::fill() {
    if (source_ == nullptr) return;
    for (u8 byte = 0; can_receive() && source_->take(byte);) push(byte);
}

void Ns16550::update_line() {
    const bool level = cause() != IIR::none;
    if (level == state_.line) return;
    state_.line = level;
    line_.set(level);
}

// The highest enabled cause, as IIR bits 3-0.
u8 Ns16550::cause() const {
    const u8 enabled = state_.interrupt_enable;
    if (IER::LineStatus::test(enabled) && state_.has_overrun) return IIR::line_status;
    if (IER::Receive::test(enabled) && state_.fifo_count != 0) {
        const u8 trigger = has_fifo(state_) ? trigger_levels[FCR::Trigger::get(state_.fifo_control)] : u8{1};
        return state_.fifo_count >= trigger ? IIR::data_available : IIR::character_timeout;
    }
    if (IER::Transmit::test(enabled) && state_.has_transmit_event) return IIR::transmitter_empty;
    if (IER::ModemStatus::test(enabled) && state_.modem_deltas != 0) return IIR::modem_status;
    return IIR::none;
}

u32 Ns16550::depth() const { return has_fifo(state_) ? fifo_bytes : 1; }

}  // namespace ax::dev
