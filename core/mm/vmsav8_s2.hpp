// VMSAv8-64 stage 2 with 4 KiB granules: Arm's second-stage format, 39 to 48 bits of intermediate
// physical address, the root of up to sixteen concatenated pages.
#pragma once

#include "core/base/bits.hpp"
#include "core/mm/stage2_format.hpp"

namespace ax::mm {

/// Arm ARM DDI 0487, "VMSAv8-64 translation table format descriptors" and "Concatenated translation
/// tables": the walk starts at level 1 while sixteen concatenated tables reach, else at level 0.
/// Levels count here from the leaves, so Arm's level 3 is level 0.
struct Vmsav8Stage2 {
    using Valid = Bits<0>;
    using NotBlock = Bits<1>;  ///< a table, or at the last level a page
    using MemAttr = Bits<5, 2>;
    using S2AP_R = Bits<6>;
    using S2AP_W = Bits<7>;
    using SH = Bits<9, 8>;
    using AF = Bits<10>;
    using Address = Bits<47, 12>;
    using XN = Bits<54>;

    static constexpr u64 normal_write_back = 0b1111;
    static constexpr u64 device_nGnRE = 0b0001;
    static constexpr u64 inner_shareable = 0b11;

    unsigned ipa_bits = 40;       ///< 39 to 48
    unsigned physical_bits = 40;  ///< what VTCR_EL2.PS says, up to 48

    /// Bits that a walk from level 1 with sixteen concatenated tables resolves.
    static constexpr unsigned most_bits_from_level_1 = 43;

    [[nodiscard]] constexpr bool starts_at_level_0() const { return ipa_bits > most_bits_from_level_1; }
    [[nodiscard]] constexpr unsigned levels() const { return starts_at_level_0() ? 4 : 3; }
    [[nodiscard]] constexpr unsigned root_index_bits() const { return ipa_bits - (starts_at_level_0() ? 39 : 30); }
    [[nodiscard]] constexpr unsigned hpa_bits() const { return physical_bits; }
    /// Blocks exist at Arm's levels 2 and 1.
    static constexpr unsigned largest_leaf_level() { return 2; }
    /// "TLB maintenance requirements": an entry that faults may not be cached.
    static constexpr bool caches_invalid_entries() { return false; }

    /// Without FEAT_S2PIE what may be executed may be read.
    static constexpr bool is_encodable(Permissions p) { return p.read || (p.write && !p.execute); }

    /// The Access flag is set from the start, so that no access faults for it.
    static constexpr u64 encode_leaf(Hpa frame, Permissions p, unsigned level) {
        return Valid::of(1) | NotBlock::of(level == 0) | MemAttr::of(p.device ? device_nGnRE : normal_write_back) | S2AP_R::of(p.read) |
               S2AP_W::of(p.write) | SH::of(inner_shareable) | AF::of(1) | Address::of(frame.page_number()) | XN::of(!p.execute);
    }
    static constexpr u64 encode_table(Hpa table) { return Valid::of(1) | NotBlock::of(1) | Address::of(table.page_number()); }

    static constexpr Entry decode(u64 raw, unsigned level) {
        if (!Valid::test(raw)) return {};
        const Hpa address{Address::get(raw) << page_shift};
        if (level > 0 && NotBlock::test(raw)) return {EntryKind::Table, address, {}};
        // Reserved encodings fault like an invalid entry.
        if (level == 0 && !NotBlock::test(raw)) return {};
        if (level > largest_leaf_level()) return {};
        const bool is_device = MemAttr::get(raw) <= 0b0011;
        return {EntryKind::Leaf, address, {S2AP_R::test(raw), S2AP_W::test(raw), !XN::test(raw), is_device}};
    }
};

static_assert(Stage2Format<Vmsav8Stage2>);
static_assert(gpa_bits_of(Vmsav8Stage2{.ipa_bits = 39, .physical_bits = 40}) == 39 && root_pages_of(Vmsav8Stage2{39, 40}) == 1);
static_assert(gpa_bits_of(Vmsav8Stage2{}) == 40 && root_pages_of(Vmsav8Stage2{}) == 2);
static_assert(gpa_bits_of(Vmsav8Stage2{43, 44}) == 43 && root_pages_of(Vmsav8Stage2{43, 44}) == 16);
static_assert(gpa_bits_of(Vmsav8Stage2{48, 48}) == 48 && Vmsav8Stage2{48, 48}.levels() == 4 && root_pages_of(Vmsav8Stage2{48, 48}) == 1);
static_assert(Vmsav8Stage2::encode_leaf(Hpa{0x4000'0000}, Permissions::rwx(), 0) == 0x4000'07ff);
static_assert(Vmsav8Stage2::encode_leaf(Hpa{0x4000'0000}, Permissions::rwx(), 1) == 0x4000'07fd);
static_assert(Vmsav8Stage2::encode_table(Hpa{0x4000'1000}) == 0x4000'1003);

}  // namespace ax::mm
