// Extended page tables: Intel's second-stage format, four levels of 48 bits of guest physical address.
#pragma once

#include "core/base/bits.hpp"
#include "core/mm/stage2_format.hpp"

namespace ax::mm {

/// Intel SDM vol. 3, "EPT Translation Mechanism": entry layouts; "EPT Misconfigurations": what an entry may not hold. Accessed
/// and dirty flags are not used. Levels count from the leaves: 0 is a page of 4 KiB, 1 one of 2 MiB, 2 one of 1 GiB.
struct Ept {
    using R = Bits<0>;
    using W = Bits<1>;
    using X = Bits<2>;
    using MemoryType = Bits<5, 3>;  ///< leaves only
    using IgnorePat = Bits<6>;      ///< leaves only
    using PageSize = Bits<7>;       ///< a leaf above the last level
    using TableReserved = Bits<7, 3>;
    using Address = Bits<51, 12>;

    static constexpr u64 uncacheable = 0;
    static constexpr u64 write_back = 6;

    unsigned physical_bits = 46;   ///< MAXPHYADDR: bits of an address beyond it are reserved
    bool has_execute_only = true;  ///< IA32_VMX_EPT_VPID_CAP, bit 0
    bool has_1gib_pages = true;    ///< IA32_VMX_EPT_VPID_CAP, bit 17

    static constexpr unsigned levels() { return 4; }
    static constexpr unsigned root_index_bits() { return table_index_bits; }
    [[nodiscard]] constexpr unsigned hpa_bits() const { return physical_bits; }
    [[nodiscard]] constexpr unsigned largest_leaf_level() const { return has_1gib_pages ? 2 : 1; }
    /// "Information That May Be Cached": nothing of an entry that is not present or misconfigured.
    static constexpr bool caches_invalid_entries() { return false; }

    [[nodiscard]] constexpr bool is_encodable(Permissions p) const {
        return p.read || (p.execute && !p.write && has_execute_only);
    }

    static constexpr u64 encode_leaf(Hpa frame, Permissions p, unsigned level) {
        return R::of(p.read) | W::of(p.write) | X::of(p.execute) | MemoryType::of(p.device ? uncacheable : write_back) |
               PageSize::of(level != 0) | Address::of(frame.page_number());
    }
    static constexpr u64 encode_table(Hpa table) { return R::of(1) | W::of(1) | X::of(1) | Address::of(table.page_number()); }

    static constexpr bool is_present(u64 raw) { return R::test(raw) || W::test(raw) || X::test(raw); }

    /// True when an access through the entry is an EPT misconfiguration rather than a violation.
    [[nodiscard]] constexpr bool is_misconfigured(u64 raw, unsigned level) const {
        if (!is_present(raw)) return false;
        if (W::test(raw) && !R::test(raw)) return true;
        if (!R::test(raw) && !has_execute_only) return true;
        const u64 too_high = Address::mask & ~((u64{1} << physical_bits) - 1);
        if ((raw & too_high) != 0) return true;
        const bool is_leaf = level == 0 || (PageSize::test(raw) && level <= largest_leaf_level());
        if (!is_leaf) return TableReserved::test(raw);
        // Types 2, 3 and 7 are reserved; so are the bits below the frame of a large page.
        constexpr u64 reserved_types = 0b1000'1100;
        const u64 below_frame = (entry_span(level) - 1) & Address::mask;
        return ((reserved_types >> MemoryType::get(raw)) & 1) != 0 || (raw & below_frame) != 0;
    }

    [[nodiscard]] constexpr Entry decode(u64 raw, unsigned level) const {
        if (!is_present(raw) || is_misconfigured(raw, level)) return {};
        const Hpa address{Address::get(raw) << page_shift};
        if (level > 0 && !PageSize::test(raw)) return {EntryKind::Table, address, {}};
        return {EntryKind::Leaf, address, {R::test(raw), W::test(raw), X::test(raw), MemoryType::get(raw) == uncacheable}};
    }
};

static_assert(Stage2Format<Ept>);
static_assert(gpa_bits_of(Ept{}) == 48 && root_pages_of(Ept{}) == 1);
static_assert(Ept::encode_leaf(Hpa{0x8000'0000}, Permissions::rwx(), 0) == 0x8000'0037);
static_assert(Ept::encode_leaf(Hpa{0x8000'0000}, Permissions::rwx(), 1) == 0x8000'00b7);
static_assert(Ept::encode_table(Hpa{0x8123'4000}) == 0x8123'4007);

}  // namespace ax::mm
