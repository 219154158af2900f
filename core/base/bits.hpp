// Named bit fields of a raw register: `using EC = Bits<31, 26>; EC::get(esr)`.
#pragma once

#include "core/base/types.hpp"

namespace ax {

/// Bits Hi..Lo of a 64-bit word, numbered as in the manuals (bit 0 is the least significant).
template <unsigned Hi, unsigned Lo = Hi>
struct Bits {
    static_assert(Lo <= Hi && Hi < 64);
    static constexpr unsigned low = Lo;
    static constexpr unsigned width = Hi - Lo + 1;
    static constexpr u64 max = width == 64 ? ~u64{0} : (u64{1} << (width % 64)) - 1;
    static constexpr u64 mask = max << Lo;

    [[nodiscard]] static constexpr u64 get(u64 word) { return (word >> Lo) & max; }
    [[nodiscard]] static constexpr bool test(u64 word) { return (word & mask) != 0; }
    /// `word` with the field replaced by the low bits of `value`.
    [[nodiscard]] static constexpr u64 set(u64 word, u64 value) { return (word & ~mask) | ((value & max) << Lo); }
    /// A word with only this field set.
    [[nodiscard]] static constexpr u64 of(u64 value) { return (value & max) << Lo; }
    /// The field as a signed number.
    [[nodiscard]] static constexpr i64 get_signed(u64 word) {
        return static_cast<i64>(get(word) << (64 - width)) >> (64 - width);
    }
};

/// The word with only bit `n` set; `n` < 64.
[[nodiscard]] constexpr u64 bit(unsigned n) { return u64{1} << n; }

/// The low `bytes` bytes of `value`, the rest zero; `bytes` is 1 to 8.
[[nodiscard]] constexpr u64 zero_extend(u64 value, unsigned bytes) {
    return bytes >= 8 ? value : value & ((u64{1} << (8 * bytes)) - 1);
}

/// The low `bytes` bytes of `value` as a signed number widened to 64 bits; `bytes` is 1 to 8.
[[nodiscard]] constexpr u64 sign_extend(u64 value, unsigned bytes) {
    const unsigned shift = 64 - 8 * bytes;
    return static_cast<u64>(static_cast<i64>(value << shift) >> shift);
}

[[nodiscard]] constexpr u64 align_down(u64 value, u64 alignment) { return value & ~(alignment - 1); }
[[nodiscard]] constexpr u64 align_up(u64 value, u64 alignment) { return align_down(value + alignment - 1, alignment); }

static_assert(Bits<31, 26>::get(0x9600'0000) == 0x25);
static_assert(Bits<63, 0>::mask == ~u64{0});
static_assert(Bits<3, 0>::get_signed(0xf) == -1);
static_assert(sign_extend(0x80, 1) == 0xffff'ffff'ffff'ff80);

}  // namespace ax
