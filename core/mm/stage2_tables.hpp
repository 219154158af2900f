// The tree of tables behind Stage2: steps that cannot fail, each on one range and one level.
#pragma once

#include <algorithm>

#include "core/base/bits.hpp"
#include "core/mm/stage2_format.hpp"
#include "core/mm/table_reserve.hpp"

namespace ax::mm {

/// A leaf as `walk` finds it: `size` bytes from `gpa` go to `hpa` and on.
struct Leaf {
    Gpa gpa;
    Hpa hpa;
    u64 size = 0;
    Permissions permissions;
    constexpr bool operator==(const Leaf&) const = default;
};

template <Stage2Format Format, TableStore Memory>
class Stage2Tables {
public:
    using Reserve = TableReserve<Memory>;

    Stage2Tables(Memory& memory, Format format) : memory_(&memory), format_(format) {}

    [[nodiscard]] const Format& format() const { return format_; }
    [[nodiscard]] Memory& memory() const { return *memory_; }
    [[nodiscard]] unsigned root_level() const { return format_.levels() - 1; }

    [[nodiscard]] std::optional<Leaf> walk(Hpa root, Gpa gpa) const {
        Hpa table = root;
        for (unsigned level = root_level();; --level) {
            const Entry entry = read(slot(table, level, gpa), level);
            if (entry.kind == EntryKind::Invalid) return std::nullopt;
            if (entry.kind == EntryKind::Leaf) {
                const u64 span = entry_span(level);
                return Leaf{Gpa{align_down(gpa.value(), span)}, entry.address, span, entry.permissions};
            }
            table = entry.address;
        }
    }

    /// A range to map: `hpa` stands for its first byte.
    struct Piece {
        GpaRange range;
        Hpa hpa;
        [[nodiscard]] Piece part(const GpaRange& r) const { return {r, hpa + (r.start - range.start)}; }
    };

    /// What mapping a piece would meet.
    struct MapPlan {
        bool is_free = true;
        u64 new_tables = 0;
    };
    void plan_map(Hpa table, unsigned level, const Piece& piece, MapPlan& plan) const {
        for_each(table, level, piece.range, [&](Hpa at, const GpaRange& part) {
            const Entry entry = read(at, level);
            switch (entry.kind) {
                case EntryKind::Leaf: plan.is_free = false; break;
                case EntryKind::Table: plan_map(entry.address, level - 1, piece.part(part), plan); break;
                case EntryKind::Invalid: plan.new_tables += tables_below(level, piece.part(part)); break;
            }
        });
    }

    void map(Hpa table, unsigned level, const Piece& piece, Permissions permissions, Reserve& reserve) {
        for_each(table, level, piece.range, [&](Hpa at, const GpaRange& range) {
            const Piece part = piece.part(range);
            const Entry entry = read(at, level);
            if (entry.kind == EntryKind::Invalid && fits_leaf(level, part)) {
                memory_->write(at, format_.encode_leaf(part.hpa, permissions, level));
                return;
            }
            const bool is_new = entry.kind == EntryKind::Invalid;
            const Hpa child = is_new ? reserve.take() : entry.address;
            map(child, level - 1, part, permissions, reserve);
            // Linked last: hardware that walks meanwhile sees all of the new table or none of it.
            if (is_new) memory_->write(at, format_.encode_table(child));
        });
    }

    /// What a mapped range holds, seen with `permissions` in mind.
    struct Survey {
        u64 mapped_bytes = 0;
        bool has_other_permissions = false;
    };
    void survey(Hpa table, unsigned level, const GpaRange& range, Permissions permissions, Survey& result) const {
        for_each(table, level, range, [&](Hpa at, const GpaRange& part) {
            const u64 raw = memory_->read(at);
            const Entry entry = decode(raw, level);
            if (entry.kind == EntryKind::Table) {
                survey(entry.address, level - 1, part, permissions, result);
            } else if (entry.kind == EntryKind::Leaf) {
                result.mapped_bytes += part.size;
                result.has_other_permissions |= raw != format_.encode_leaf(entry.address, permissions, level);
            }
        });
    }

    /// Replaces the leaf around `edge` by smaller ones until one begins at `edge`; translations stay.
    void split(Hpa root, Gpa edge, Reserve& reserve) {
        Hpa table = root;
        for (unsigned level = root_level(); !edge.is_aligned(entry_span(level)); --level) {
            const Hpa at = slot(table, level, edge);
            const Entry entry = read(at, level);
            if (entry.kind == EntryKind::Invalid) return;
            table = entry.address;
            if (entry.kind == EntryKind::Leaf) {
                table = reserve.take();
                for (u64 i = 0; i < table_entries; ++i) {
                    const Hpa frame = entry.address + i * entry_span(level - 1);
                    memory_->write(table + i * entry_bytes, format_.encode_leaf(frame, entry.permissions, level - 1));
                }
                memory_->write(at, format_.encode_table(table));
            }
        }
    }

    /// Rewrites leaves that lie wholly in the range.
    void protect(Hpa table, unsigned level, const GpaRange& range, Permissions permissions) {
        for_each(table, level, range, [&](Hpa at, const GpaRange& part) {
            const Entry entry = read(at, level);
            if (entry.kind == EntryKind::Table) {
                protect(entry.address, level - 1, part, permissions);
            } else if (entry.kind == EntryKind::Leaf) {
                memory_->write(at, format_.encode_leaf(entry.address, permissions, level));
            }
        });
    }

    /// Removes leaves that lie wholly in the range, and the tables that this empties; true when there
    /// were such tables.
    bool clear(Hpa table, unsigned level, const GpaRange& range) {
        bool freed = false;
        for_each(table, level, range, [&](Hpa at, const GpaRange& part) {
            const Entry entry = read(at, level);
            if (entry.kind == EntryKind::Leaf) memory_->write(at, 0);
            if (entry.kind != EntryKind::Table) return;
            freed |= clear(entry.address, level - 1, part);
            if (part.size != entry_span(level) && !is_empty(entry.address, index(part.start, level - 1))) return;
            memory_->write(at, 0);
            memory_->free_table(entry.address, 1);
            freed = true;
        });
        return freed;
    }

    [[nodiscard]] GpaRange whole_space() const { return {Gpa{}, u64{1} << gpa_bits_of(format_)}; }

private:
    [[nodiscard]] u64 index(Gpa gpa, unsigned level) const {
        const u64 entries = level == root_level() ? u64{1} << format_.root_index_bits() : table_entries;
        return gpa.value() / entry_span(level) % entries;
    }
    [[nodiscard]] Hpa slot(Hpa table, unsigned level, Gpa gpa) const { return table + index(gpa, level) * entry_bytes; }
    /// A table below the last level can only be damage; it then maps nothing.
    [[nodiscard]] Entry decode(u64 raw, unsigned level) const {
        const Entry entry = format_.decode(raw, level);
        return level == 0 && entry.kind == EntryKind::Table ? Entry{} : entry;
    }
    [[nodiscard]] Entry read(Hpa at, unsigned level) const { return decode(memory_->read(at), level); }

    /// Calls `f(entry address, part of the range under that entry)` in ascending order.
    template <class F>
    void for_each(Hpa table, unsigned level, const GpaRange& range, F f) const {
        const u64 span = entry_span(level);
        for (Gpa at = range.start; at < range.end();) {
            const u64 size = std::min(range.end() - at, span - at.value() % span);
            f(slot(table, level, at), GpaRange{at, size});
            at = at + size;
        }
    }

    [[nodiscard]] bool fits_leaf(unsigned level, const Piece& piece) const {
        const u64 span = entry_span(level);
        return level <= format_.largest_leaf_level() && piece.range.size == span && piece.hpa.is_aligned(span);
    }

    /// New tables for a piece under an invalid entry of `level`.
    [[nodiscard]] u64 tables_below(unsigned level, const Piece& piece) const {
        if (level == 0 || fits_leaf(level, piece)) return 0;
        u64 tables = 1;
        if (level == 1) return tables;
        for_each(Hpa{}, level - 1, piece.range,
                 [&](Hpa, const GpaRange& part) { tables += tables_below(level - 1, piece.part(part)); });
        return tables;
    }

    /// Begins at `first`, because unmapping goes upwards page by page and leaves the neighbour in place.
    [[nodiscard]] bool is_empty(Hpa table, u64 first) const {
        for (u64 i = 0; i < table_entries; ++i) {
            if (memory_->read(table + (first + i) % table_entries * entry_bytes) != 0) return false;
        }
        return true;
    }

    Memory* memory_;
    [[no_unique_address]] Format format_;
};

}  // namespace ax::mm
