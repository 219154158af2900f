// Segment descriptors and gates as they lie in memory.
// Source: Intel SDM vol. 3, "Segment Descriptors", "IDT Descriptors", "64-Bit IDT Gate Descriptors".
#pragma once

#include "core/arch/x86/vmcs.hpp"

namespace ax::sim::x86 {

/// A code, data or TSS descriptor.
struct Descriptor {
    u64 raw = 0;

    using LimitLow = Bits<15, 0>;
    using BaseLow = Bits<39, 16>;
    using Type = Bits<43, 40>;
    using Accessed = Bits<40>;
    using S = Bits<44>;
    using DPL = Bits<46, 45>;
    using P = Bits<47>;
    using LimitHigh = Bits<51, 48>;
    using L = Bits<53>;
    using DB = Bits<54>;
    using G = Bits<55>;
    using BaseHigh = Bits<63, 56>;

    [[nodiscard]] constexpr u64 dpl() const { return DPL::get(raw); }
    [[nodiscard]] constexpr bool is_present() const { return P::test(raw); }
    [[nodiscard]] constexpr bool is_code() const { return S::test(raw) && (Type::get(raw) & 0b1000) != 0; }
    [[nodiscard]] constexpr bool is_conforming() const { return (Type::get(raw) & 0b0100) != 0; }
    [[nodiscard]] constexpr bool is_writable_data() const { return S::test(raw) && (Type::get(raw) & 0b1010) == 0b0010; }
    [[nodiscard]] constexpr u32 limit() const {
        const u64 limit = LimitLow::get(raw) | (LimitHigh::get(raw) << 16);
        return static_cast<u32>(G::test(raw) ? (limit << 12) | 0xfff : limit);
    }
    /// The segment register with this descriptor behind `selector`, accessed.
    [[nodiscard]] constexpr ax::x86::VmcsSegment segment(u16 selector) const {
        using AttributesLow = Bits<47, 40>;
        using AttributesHigh = Bits<55, 52>;
        return {.selector = selector,
                .limit = limit(),
                .access_rights = static_cast<u32>(AttributesLow::get(raw | Accessed::mask) | (AttributesHigh::get(raw) << 12)),
                .base = BaseLow::get(raw) | (BaseHigh::get(raw) << 24)};
    }
};
static_assert(Descriptor{0x00cf'9a00'0000'ffff}.segment(8) == ax::x86::VmcsSegment{8, 0xffff'ffff, 0xc09b, 0});
static_assert(Descriptor{0x1240'9334'5678'9abc}.segment(0).base == 0x1234'5678);

/// An entry of the IDT outside IA-32e mode, and the low half of one in it.
struct Gate {
    u64 raw = 0;

    using OffsetLow = Bits<15, 0>;
    using Selector = Bits<31, 16>;
    using Ist = Bits<34, 32>;
    using Type = Bits<44, 40>;  ///< S included, which is zero
    using DPL = Bits<46, 45>;
    using P = Bits<47>;
    using OffsetHigh = Bits<63, 48>;

    static constexpr u64 task = 5, interrupt16 = 6, trap16 = 7, interrupt = 14, trap = 15;

    [[nodiscard]] constexpr u64 type() const { return Type::get(raw); }
    [[nodiscard]] constexpr bool is_16_bit() const { return type() == interrupt16 || type() == trap16; }
    [[nodiscard]] constexpr bool is_interrupt() const { return type() == interrupt16 || type() == interrupt; }
    [[nodiscard]] constexpr u16 selector() const { return static_cast<u16>(Selector::get(raw)); }
    [[nodiscard]] constexpr u64 offset() const { return OffsetLow::get(raw) | (is_16_bit() ? 0 : OffsetHigh::get(raw) << 16); }
};
static_assert(Gate{0x1234'8e00'0008'5678}.offset() == 0x1234'5678 && Gate{0x1234'8e00'0008'5678}.type() == Gate::interrupt);

}  // namespace ax::sim::x86
