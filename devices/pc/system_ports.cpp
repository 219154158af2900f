#include "devices/pc/system_ports.hpp"

#include "core/base/bits.hpp"

// Threats: what a hostile guest does, and what it gets. One test per row.
//
//  T1  accesses of 2, 4 or 8 bytes                        bus fault; nothing changes
//  T2  reserved and read-only bits                        ignored
//  T3  asking for a reset again and again                 each rising edge asks once

namespace ax::dev {

namespace {

struct Bits61 {
    using Gate2 = Bits<0>;
    using Kept = Bits<3, 1>;
    using Refresh = Bits<4>;
    using Output2 = Bits<5>;
};
/// A refresh request every 18 ticks of the 8254's clock, as counter 1 of a PC is set.
constexpr u64 refresh_ns = 15'085;

struct Bits92 {
    using Reset = Bits<0>;
    using A20 = Bits<1>;
};

bool is_byte(u64 offset, u8 size) { return size == 1 && offset == 0; }

}  // namespace

std::expected<u64, bus::BusFault> Port61::read(u64 offset, u8 size) {
    if (!is_byte(offset, size)) return std::unexpected(bus::BusFault{});
    return Bits61::Gate2::of(timer_->gate2()) | Bits61::Kept::of(kept_) | Bits61::Refresh::of(clock_->now_ns() / refresh_ns) |
           Bits61::Output2::of(timer_->output2());
}

std::expected<void, bus::BusFault> Port61::write(u64 offset, u8 size, u64 value) {
    if (!is_byte(offset, size)) return std::unexpected(bus::BusFault{});
    timer_->set_gate2(Bits61::Gate2::test(value));
    kept_ = static_cast<u8>(Bits61::Kept::get(value));
    return {};
}

std::expected<u64, bus::BusFault> Port92::read(u64 offset, u8 size) {
    if (!is_byte(offset, size)) return std::unexpected(bus::BusFault{});
    return value_;
}

std::expected<void, bus::BusFault> Port92::write(u64 offset, u8 size, u64 value) {
    if (!is_byte(offset, size)) return std::unexpected(bus::BusFault{});
    const bool asks = Bits92::Reset::test(value) && !Bits92::Reset::test(value_);
    value_ = static_cast<u8>(value & (Bits92::Reset::mask | Bits92::A20::mask));
    if (asks) power_->reset();
    return {};
}

}  // namespace ax::dev
