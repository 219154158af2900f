#include "devices/irqchip/vioapic.hpp"

#include "core/base/bits.hpp"

// Threats: what a hostile guest does, and what it gets. One test per row.
//
//  T1  any width at any place                             no fault; reads 0 or part of a register
//  T2  registers that do not exist                        read 0, writes ignored
//  T3  read-only bits of an entry                         kept
//  T4  vectors, modes and destinations that nobody takes  nothing is delivered, remote IRR stays clear
//  T5  a level that is never taken away                   one message for each end
//  T6  an EOI of any vector, from guest or bus            entries with that vector only
//  T7  an end that makes a pin ask at once                one message, no recursion

namespace ax::dev {

using apic::DeliveryMode;

namespace {

constexpr u64 IOREGSEL = 0x00, IOWIN = 0x10, EOI = 0x40;
constexpr u32 IOAPICID = 0, IOAPICVER = 1, IOAPICARB = 2, IOREDTBL = 0x10;
using Id = Bits<27, 24>;
using MaxEntry = Bits<23, 16>;
constexpr u64 version = 0x20;

/// "I/O Redirection Table Registers".
struct Entry {
    using Vector = Bits<7, 0>;
    using Delivery = Bits<10, 8>;
    using Logical = Bits<11>;
    using DeliveryStatus = Bits<12>;
    using Polarity = Bits<13>;
    using RemoteIRR = Bits<14>;
    using Level = Bits<15>;
    using Masked = Bits<16>;
    using Destination = Bits<63, 56>;
    static constexpr u64 writable = Vector::mask | Delivery::mask | Logical::mask | Polarity::mask | Level::mask | Masked::mask |
                                    Destination::mask;
};
using LowHalf = Bits<31, 0>;
using HighHalf = Bits<63, 32>;

DeliveryMode delivery_of(u64 entry) { return static_cast<DeliveryMode>(Entry::Delivery::get(entry)); }

bool is_level(u64 entry) {
    const DeliveryMode mode = delivery_of(entry);
    return Entry::Level::test(entry) && (mode == DeliveryMode::Fixed || mode == DeliveryMode::LowestPriority);
}

}  // namespace

void IoApic::State::fields(FieldVisitor& v) {
    field(v, "select", select);
    field(v, "id", id);
    field(v, "entry", entry);
    field(v, "levels", levels);
    for (u64& e : entry) e &= Entry::writable | Entry::RemoteIRR::mask;
}

IoApic::IoApic(u8 id, apic::MessageTarget& target) : initial_id_(id), target_(&target) { reset(); }

void IoApic::reset() {
    const u32 levels = state_.levels;
    state_ = {};
    state_.levels = levels;
    state_.id = initial_id_ & static_cast<u32>(Id::max);
    state_.entry.fill(Entry::Masked::mask);
}

std::expected<u64, bus::BusFault> IoApic::read(u64 offset, u8 size) {
    const u64 within = offset % 16;
    if (within + size > sizeof(u32)) return 0;
    u32 value = 0;
    if (offset - within == IOREGSEL) value = state_.select;
    if (offset - within == IOWIN) value = read_register(state_.select);
    return zero_extend(u64{value} >> (8 * within), size);
}

std::expected<void, bus::BusFault> IoApic::write(u64 offset, u8 size, u64 value) {
    if (size > sizeof(u32)) return {};
    if (offset == IOREGSEL) state_.select = static_cast<u32>(value & 0xff);
    if (offset == IOWIN && size == sizeof(u32)) write_register(state_.select, static_cast<u32>(value));
    if (offset == EOI) end_of_interrupt(static_cast<u8>(value));
    return {};
}

u32 IoApic::read_register(u32 number) const {
    if (number == IOAPICID || number == IOAPICARB) return static_cast<u32>(Id::of(state_.id));
    if (number == IOAPICVER) return static_cast<u32>(MaxEntry::of(pins - 1) | version);
    if (number < IOREDTBL || number >= IOREDTBL + 2 * pins) return 0;
    const u64 entry = state_.entry[(number - IOREDTBL) / 2];
    return static_cast<u32>(number % 2 == 0 ? LowHalf::get(entry) : HighHalf::get(entry));
}

void IoApic::write_register(u32 number, u32 value) {
    if (number == IOAPICID) state_.id = static_cast<u32>(Id::get(value));
    if (number < IOREDTBL || number >= IOREDTBL + 2 * pins) return;
    const u32 pin = (number - IOREDTBL) / 2;
    const u64 entry = state_.entry[pin];
    write_entry(pin, number % 2 == 0 ? LowHalf::set(entry, value) : HighHalf::set(entry, value));
}

/// An entry that becomes edge-triggered forgets its remote IRR.
void IoApic::write_entry(u32 pin, u64 value) {
    const u64 remote = is_level(value) ? state_.entry[pin] & Entry::RemoteIRR::mask : 0;
    state_.entry[pin] = (value & Entry::writable) | remote;
    service_level(pin);
}

void IoApic::set_line(u32 number, bool level) {
    if (number >= pins) return;
    const bool was = (state_.levels >> number & 1) != 0;
    if (was == level) return;
    state_.levels ^= u32{1} << number;
    if (!level) return;
    if (is_level(state_.entry[number]))
        service_level(number);
    else if (!Entry::Masked::test(state_.entry[number]))
        send(number);
}

void IoApic::service_level(u32 pin) {
    const u64 entry = state_.entry[pin];
    const bool asks = (state_.levels >> pin & 1) != 0 && is_level(entry);
    if (!asks || Entry::Masked::test(entry) || Entry::RemoteIRR::test(entry)) return;
    if (send(pin)) state_.entry[pin] |= Entry::RemoteIRR::mask;
}

bool IoApic::send(u32 pin) {
    const u64 entry = state_.entry[pin];
    return target_->deliver({.vector = static_cast<u8>(Entry::Vector::get(entry)),
                             .mode = delivery_of(entry),
                             .is_logical = Entry::Logical::test(entry),
                             .is_level = is_level(entry),
                             .destination = static_cast<u8>(Entry::Destination::get(entry))});
}

void IoApic::end_of_interrupt(u8 vector) {
    for (u32 pin = 0; pin < pins; ++pin) {
        u64& entry = state_.entry[pin];
        if (Entry::Vector::get(entry) != vector || !Entry::RemoteIRR::test(entry)) continue;
        entry = Entry::RemoteIRR::set(entry, 0);
        service_level(pin);
    }
}

}  // namespace ax::dev
