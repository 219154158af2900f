// Formats that Stage2 must carry beside Sv39x4, reduced to their shape.
#pragma once

#include "core/base/bits.hpp"
#include "core/mm/stage2_format.hpp"

namespace ax::mm::test {

/// Four levels, a large-page bit, a memory type that is kept, invalid entries never cached: EPT's shape.
struct FourLevels {
    using Rights = Bits<2, 0>;
    using Type = Bits<5, 3>;
    using Large = Bits<7>;
    using Frame = Bits<51, 12>;

    static constexpr unsigned levels() { return 4; }
    static constexpr unsigned root_index_bits() { return 9; }
    static constexpr unsigned hpa_bits() { return 52; }
    static constexpr unsigned largest_leaf_level() { return 2; }
    static constexpr bool caches_invalid_entries() { return false; }
    static constexpr bool is_encodable(Permissions p) { return p.read; }
    static constexpr u64 encode_leaf(Hpa frame, Permissions p, unsigned level) {
        return Frame::of(frame.page_number()) | Rights::of((p.read ? 1U : 0U) | (p.write ? 2U : 0U) | (p.execute ? 4U : 0U)) |
               Type::of(p.device ? 0 : 6) | Large::of(level > 0);
    }
    static constexpr u64 encode_table(Hpa table) { return Frame::of(table.page_number()) | Rights::of(7); }
    static constexpr Entry decode(u64 raw, unsigned level) {
        if (!Rights::test(raw)) return {};
        const u64 rights = Rights::get(raw);
        const Permissions p{(rights & 1) != 0, (rights & 2) != 0, (rights & 4) != 0, Type::get(raw) == 0};
        const bool is_leaf = level == 0 || Large::test(raw);
        return {is_leaf ? EntryKind::Leaf : EntryKind::Table, Hpa{Frame::get(raw) << page_shift}, p};
    }
};

/// Run-time width, concatenated root pages, leaves told apart by level: VMSAv8's shape.
struct Concatenated {
    using Kind = Bits<1, 0>;
    using Device = Bits<2>;
    using Rights = Bits<7, 6>;
    using Frame = Bits<47, 12>;
    using NoExecute = Bits<54>;

    unsigned extra_bits = 2;

    static constexpr unsigned levels() { return 3; }
    [[nodiscard]] constexpr unsigned root_index_bits() const { return 9 + extra_bits; }
    static constexpr unsigned hpa_bits() { return 48; }
    static constexpr unsigned largest_leaf_level() { return 1; }
    static constexpr bool caches_invalid_entries() { return false; }
    static constexpr bool is_encodable(Permissions) { return true; }
    static constexpr u64 encode_leaf(Hpa frame, Permissions p, unsigned level) {
        return Frame::of(frame.page_number()) | Kind::of(level == 0 ? 3 : 1) | Device::of(p.device) |
               Rights::of((p.read ? 1U : 0U) | (p.write ? 2U : 0U)) | NoExecute::of(!p.execute);
    }
    static constexpr u64 encode_table(Hpa table) { return Frame::of(table.page_number()) | Kind::of(3); }
    static constexpr Entry decode(u64 raw, unsigned level) {
        const u64 kind = Kind::get(raw);
        if ((kind & 1) == 0) return {};
        const u64 rights = Rights::get(raw);
        const Permissions p{(rights & 1) != 0, (rights & 2) != 0, !NoExecute::test(raw), Device::test(raw)};
        return {level == 0 || kind == 1 ? EntryKind::Leaf : EntryKind::Table, Hpa{Frame::get(raw) << page_shift}, p};
    }
};

static_assert(Stage2Format<FourLevels> && Stage2Format<Concatenated>);

}  // namespace ax::mm::test
