// Where the registers of a PLIC lie: RISC-V Platform-Level Interrupt Controller Specification 1.0.0,
// Memory Map. Offsets are bytes from the start of the window.
#pragma once

#include "core/base/types.hpp"

namespace ax::dev::plic {

inline constexpr u64 pending_base = 0x1000;
inline constexpr u64 enable_base = 0x2000;
inline constexpr u64 enable_stride = 0x80;
inline constexpr u64 context_base = 0x20'0000;
inline constexpr u64 context_stride = 0x1000;
inline constexpr u64 claim_offset = 4;
inline constexpr u64 register_bytes = 4;

enum class Register : u8 { Reserved, Priority, Pending, Enable, Threshold, Claim };

/// How many sources (numbered from 1) and contexts a PLIC has.
struct Shape {
    u32 sources = 0;
    u32 contexts = 0;

    /// Pending and enable registers that hold at least one source or source 0.
    [[nodiscard]] constexpr u32 words() const { return sources / 32 + 1; }
};

/// One register.
struct Place {
    Register which = Register::Reserved;
    u32 context = 0;
    /// The source of a priority, the word of a pending or enable register.
    u32 index = 0;

    constexpr bool operator==(const Place&) const = default;
};

namespace detail {

constexpr Place place_in_context(u64 offset, Shape shape) {
    const u64 context = offset / context_stride;
    const u64 within = offset % context_stride;
    if (context >= shape.contexts || within > claim_offset) return {};
    return {within == claim_offset ? Register::Claim : Register::Threshold, static_cast<u32>(context), 0};
}

constexpr Place place_in_enables(u64 offset, Shape shape) {
    const u64 context = offset / enable_stride;
    const u64 word = offset % enable_stride / register_bytes;
    if (context >= shape.contexts || word >= shape.words()) return {};
    return {Register::Enable, static_cast<u32>(context), static_cast<u32>(word)};
}

}  // namespace detail

/// The register at `offset`, a multiple of 4; `Reserved` where this PLIC has none.
constexpr Place place_of(u64 offset, Shape shape) {
    if (offset >= context_base) return detail::place_in_context(offset - context_base, shape);
    if (offset >= enable_base) return detail::place_in_enables(offset - enable_base, shape);
    if (offset >= pending_base) {
        const u64 word = (offset - pending_base) / register_bytes;
        return word < shape.words() ? Place{Register::Pending, 0, static_cast<u32>(word)} : Place{};
    }
    const u64 source = offset / register_bytes;
    return source != 0 && source <= shape.sources ? Place{Register::Priority, 0, static_cast<u32>(source)} : Place{};
}

static_assert(place_of(0x0028, {95, 4}) == Place{Register::Priority, 0, 10});
static_assert(place_of(0x2084, {95, 4}) == Place{Register::Enable, 1, 1});
static_assert(place_of(0x20'3004, {95, 4}) == Place{Register::Claim, 3, 0});
static_assert(place_of(0x20'4004, {95, 4}) == Place{});

}  // namespace ax::dev::plic
