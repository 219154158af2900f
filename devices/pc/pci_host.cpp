#include "devices/pc/pci_host.hpp"

#include <algorithm>

#include "core/base/bits.hpp"

// Threats: what a hostile guest does, and what it gets. One test per row.
//
//  T1  widths and places that the mechanism lacks         bus fault; nothing changes
//  T2  buses, devices and functions that are not there    all ones; writes ignored
//  T3  identity and read-only registers written           kept
//  T4  an access that would run over the end of the       its bytes stay inside the register's four
//      configuration space
//  T5  a reset asked for again and again                  each rising edge asks once

namespace ax::dev {

namespace {

struct Address {
    using Register = Bits<7, 2>;
    using Function = Bits<23, 8>;  ///< bus, device and function in one
    using Enable = Bits<31>;
    static constexpr u64 all = Register::mask | Function::mask | Enable::mask;
};
/// Reset control: SRST says which kind, RCPU begins it.
struct ResetControl {
    using SRST = Bits<1>;
    using RCPU = Bits<2>;
};
constexpr u64 reset_offset = 1, data_offset = 4;

/// "Configuration Space Header": vendor, device, command with memory and bus master on, class 06 00.
constexpr std::array<u8, 16> header{0x86, 0x80, 0x37, 0x12, 0x06, 0x00, 0x80, 0x02, 0x02, 0x00, 0x00, 0x06, 0x00, 0x00, 0x00, 0x00};
constexpr u64 first_kept = 0x50;

}  // namespace

void PciHost::reset() {
    address_ = 0;
    reset_control_ = 0;
    config_ = {};
    std::ranges::copy(header, config_.begin());
}

bool PciHost::is_bridge() const { return Address::Enable::test(address_) && Address::Function::get(address_) == 0; }

u64 PciHost::register_at(u64 offset) const { return Address::Register::get(address_) * 4 + (offset - data_offset); }

std::expected<u64, bus::BusFault> PciHost::read(u64 offset, u8 size) {
    if (offset == 0 && size == 4) return address_;
    if (offset == reset_offset && size == 1) return reset_control_;
    if (offset < data_offset || size > 4 || offset + size > window_bytes) return std::unexpected(bus::BusFault{});
    if (!is_bridge()) return zero_extend(~u64{0}, size);
    u64 value = 0;
    for (u32 i = size; i > 0; --i) value = value << 8 | config_[register_at(offset + i - 1)];
    return value;
}

std::expected<void, bus::BusFault> PciHost::write(u64 offset, u8 size, u64 value) {
    if (offset == 0 && size == 4) {
        address_ = static_cast<u32>(value & Address::all);
        return {};
    }
    if (offset == reset_offset && size == 1) {
        const bool asks = ResetControl::RCPU::test(value) && !ResetControl::RCPU::test(reset_control_);
        reset_control_ = static_cast<u8>(value & (ResetControl::SRST::mask | ResetControl::RCPU::mask));
        if (asks) power_->reset();
        return {};
    }
    if (offset < data_offset || size > 4 || offset + size > window_bytes) return std::unexpected(bus::BusFault{});
    if (!is_bridge()) return {};
    for (u32 i = 0; i < size; ++i)
        if (const u64 at = register_at(offset + i); at >= first_kept) config_[at] = static_cast<u8>(value >> (8 * i));
    return {};
}

void PciHost::fields(FieldVisitor& v) {
    field(v, "address", address_);
    field(v, "reset_control", reset_control_);
    field(v, "config", config_);
}

}  // namespace ax::dev
