// Sv39x4, the RISC-V second-stage format: 41-bit guest physical addresses, a root of 16 KiB.
#pragma once

#include "core/base/bits.hpp"
#include "core/mm/stage2_format.hpp"

namespace ax::mm {

/// RISC-V Privileged, "Guest Physical Address Translation" with the entry layout of "Sv39: Page-Based
/// 39-bit Virtual-Memory System". Memory types need Svpbmt, which is not used: `device` is not kept.
struct Sv39x4 {
    using V = Bits<0>;
    using R = Bits<1>;
    using W = Bits<2>;
    using X = Bits<3>;
    using U = Bits<4>;
    using A = Bits<6>;
    using D = Bits<7>;
    using PPN = Bits<53, 10>;

    static constexpr unsigned levels() { return 3; }
    static constexpr unsigned root_index_bits() { return 11; }
    static constexpr unsigned hpa_bits() { return 56; }
    static constexpr unsigned largest_leaf_level() { return 2; }
    /// "Supervisor Memory-Management Fence Instruction": an implementation may keep an invalid entry
    /// until a fence.
    static constexpr bool caches_invalid_entries() { return true; }

    /// Without any right an entry would point to a table; writable but unreadable is reserved.
    static constexpr bool is_encodable(Permissions p) { return p.read || (p.execute && !p.write); }

    /// "Guest Physical Address Translation" takes all accesses as user accesses, hence U. A and D are
    /// set from the start, so that hardware neither faults for them nor writes to the tables.
    static constexpr u64 encode_leaf(Hpa frame, Permissions p, unsigned /*level*/) {
        return PPN::of(frame.page_number()) | V::of(1) | R::of(p.read) | W::of(p.write) | X::of(p.execute) | U::of(1) | A::of(1) |
               D::of(p.write);
    }
    /// The other bits of an entry that points to a table are reserved.
    static constexpr u64 encode_table(Hpa table) { return PPN::of(table.page_number()) | V::of(1); }

    static constexpr Entry decode(u64 raw, unsigned /*level*/) {
        if (!V::test(raw)) return {};
        const Permissions permissions{R::test(raw), W::test(raw), X::test(raw), false};
        const bool is_leaf = permissions.read || permissions.write || permissions.execute;
        return {is_leaf ? EntryKind::Leaf : EntryKind::Table, Hpa{PPN::get(raw) << page_shift}, permissions};
    }
};

static_assert(Stage2Format<Sv39x4>);
static_assert(gpa_bits_of(Sv39x4{}) == 41 && root_pages_of(Sv39x4{}) == 4);
static_assert(Sv39x4::encode_leaf(Hpa{0x8020'0000}, Permissions::rwx(), 1) == 0x2008'00df);
static_assert(Sv39x4::encode_table(Hpa{0x8000'1000}) == 0x2000'0401);

}  // namespace ax::mm
