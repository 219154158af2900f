// What Stage2 must know of a page-table format, and what it promises about cached translations.
#pragma once

#include <concepts>

#include "core/base/addr.hpp"
#include "core/mm/permissions.hpp"

namespace ax::mm {

/// Bits of an address that one table selects by; only a root table may differ.
inline constexpr unsigned table_index_bits = 9;
inline constexpr u64 table_entries = u64{1} << table_index_bits;
inline constexpr u64 entry_bytes = 8;
/// Bound on `Stage2Format::levels`.
inline constexpr unsigned max_levels = 5;

/// Bytes that one entry of a level covers. Level 0 holds the 4 KiB leaves; the root has the highest.
[[nodiscard]] constexpr u64 entry_span(unsigned level) { return page_size << (table_index_bits * level); }

enum class EntryKind : u8 { Invalid, Table, Leaf };

/// A decoded entry: `address` is the next table, or the first byte of the frame of a leaf.
struct Entry {
    EntryKind kind = EntryKind::Invalid;
    Hpa address;
    Permissions permissions;
};

/// A second-stage format with 4 KiB granules, 64-bit entries, and 0 as an invalid entry. A format may
/// be a value with run-time settings (VMSAv8 by its IPA size, EPT by its memory types).
///
/// `root_index_bits` other than 9 describe a root of several concatenated pages (Sv39x4, VMSAv8) or
/// one that is used in part. `largest_leaf_level` is the highest level that may hold a leaf.
/// `caches_invalid_entries`: hardware may remember that an entry was invalid, so that making a
/// mapping needs a flush like removing one.
template <class F>
concept Stage2Format = std::copyable<F> && requires(const F f, u64 raw, unsigned level, Hpa address, Permissions permissions) {
    { f.levels() } -> std::same_as<unsigned>;
    { f.root_index_bits() } -> std::same_as<unsigned>;
    { f.hpa_bits() } -> std::same_as<unsigned>;
    { f.largest_leaf_level() } -> std::same_as<unsigned>;
    { f.caches_invalid_entries() } -> std::same_as<bool>;
    { f.is_encodable(permissions) } -> std::same_as<bool>;
    { f.encode_leaf(address, permissions, level) } -> std::same_as<u64>;
    { f.encode_table(address) } -> std::same_as<u64>;
    { f.decode(raw, level) } -> std::same_as<Entry>;
};

template <Stage2Format F>
[[nodiscard]] constexpr unsigned gpa_bits_of(const F& format) {
    return static_cast<unsigned>(page_shift) + table_index_bits * (format.levels() - 1) + format.root_index_bits();
}

/// Pages of the root table, which is aligned to its own size.
template <Stage2Format F>
[[nodiscard]] constexpr unsigned root_pages_of(const F& format) {
    return format.root_index_bits() <= table_index_bits ? 1U : 1U << (format.root_index_bits() - table_index_bits);
}

/// Which cached translations a change of the tables made stale.
enum class TlbScope : u8 {
    None,
    Leaves,  ///< those of `range`; entries that point to tables are still good
    All,     ///< also cached table pointers: a flush by address does not reach them on every ISA
};

/// What hardware must still forget after an operation, before the guest may rely on it and before
/// frames that were unmapped are used again.
struct TlbDuty {
    TlbScope scope = TlbScope::None;
    /// Covers whole leaves as they were before the change.
    GpaRange range;
    constexpr bool operator==(const TlbDuty&) const = default;
};

}  // namespace ax::mm
