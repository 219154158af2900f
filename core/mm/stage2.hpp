// A second-stage address space: page tables of one format, changed all or nothing.
#pragma once

#include <expected>
#include <utility>

#include "core/mm/mapper.hpp"
#include "core/mm/stage2_tables.hpp"

namespace ax::mm {

/// Owns its tables. Leaves are as large as alignment and size allow; larger ones are split when part
/// of them changes, and tables without entries are freed. An operation that fails has changed nothing,
/// not even for an instant that a running vCPU could see. What it returns on success is the flush
/// that its caller owes. `Memory` must outlive it.
///
/// Splitting replaces a live leaf by a table in one write; a format whose hardware forbids that for
/// running vCPUs (VMSAv8, "Using break-before-make") needs them stopped around `unmap` and `protect`.
template <Stage2Format Format, TableStore Memory>
class Stage2 {
public:
    /// An empty space; `NoTableMemory` when there is none for the root.
    [[nodiscard]] static std::expected<Stage2, MapError> create(Memory& memory, Format format = {}) {
        expect(format.levels() >= 2 && format.levels() <= max_levels, "a second stage has two to five levels");
        const std::optional<Hpa> root = memory.allocate_table(root_pages_of(format));
        if (!root) return std::unexpected(MapError::NoTableMemory);
        return Stage2(Tables(memory, format), *root);
    }
    Stage2(Stage2&& other) noexcept : tables_(other.tables_), root_(std::exchange(other.root_, std::nullopt)) {}
    Stage2(const Stage2&) = delete;
    Stage2& operator=(const Stage2&) = delete;
    Stage2& operator=(Stage2&&) = delete;
    ~Stage2() {
        if (!root_) return;
        tables_.clear(*root_, tables_.root_level(), tables_.whole_space());
        tables_.memory().free_table(*root_, root_pages_of(tables_.format()));
    }

    /// Address of the root table, for hgatp, VTTBR_EL2 or the EPT pointer.
    [[nodiscard]] Hpa root() const { return *root_; }
    [[nodiscard]] unsigned gpa_bits() const { return gpa_bits_of(tables_.format()); }

    /// Maps whole pages; `AlreadyMapped` when any of the range is.
    [[nodiscard]] std::expected<TlbDuty, MapError> map(Gpa gpa, Hpa hpa, u64 size, Permissions permissions) {
        const GpaRange range{gpa, size};
        if (const auto valid = check(range, permissions); !valid) return std::unexpected(valid.error());
        if (!hpa.is_aligned(page_size)) return std::unexpected(MapError::Unaligned);
        if (!fits(hpa.value(), size, tables_.format().hpa_bits())) return std::unexpected(MapError::OutOfRange);

        const typename Tables::Piece piece{range, hpa};
        typename Tables::MapPlan plan;
        tables_.plan_map(*root_, tables_.root_level(), piece, plan);
        if (!plan.is_free) return std::unexpected(MapError::AlreadyMapped);
        Reserve reserve(tables_.memory());
        if (!reserve.fill(plan.new_tables)) return std::unexpected(MapError::NoTableMemory);
        tables_.map(*root_, tables_.root_level(), piece, permissions, reserve);

        if (!tables_.format().caches_invalid_entries()) return TlbDuty{};
        return TlbDuty{plan.new_tables == 0 ? TlbScope::Leaves : TlbScope::All, range};
    }

    /// Removes whole pages; `NotMapped` when any of the range is not mapped.
    [[nodiscard]] std::expected<TlbDuty, MapError> unmap(Gpa gpa, u64 size) {
        const GpaRange range{gpa, size};
        const auto found = survey_mapped(range, Permissions::rwx());
        if (!found) return std::unexpected(found.error());
        const GpaRange stale = whole_leaves(range);
        if (!split_edges(range)) return std::unexpected(MapError::NoTableMemory);
        const bool freed = tables_.clear(*root_, tables_.root_level(), range);
        return TlbDuty{freed ? TlbScope::All : TlbScope::Leaves, stale};
    }

    /// Changes the permissions of whole pages; `NotMapped` when any of the range is not mapped.
    [[nodiscard]] std::expected<TlbDuty, MapError> protect(Gpa gpa, u64 size, Permissions permissions) {
        const GpaRange range{gpa, size};
        const auto found = survey_mapped(range, permissions);
        if (!found) return std::unexpected(found.error());
        if (!found->has_other_permissions) return TlbDuty{};
        const GpaRange stale = whole_leaves(range);
        if (!split_edges(range)) return std::unexpected(MapError::NoTableMemory);
        tables_.protect(*root_, tables_.root_level(), range, permissions);
        return TlbDuty{TlbScope::Leaves, stale};
    }

    /// The leaf that maps an address; its permissions are those that the format can tell.
    [[nodiscard]] std::optional<Leaf> walk(Gpa gpa) const {
        if (!fits(gpa.value(), 1, gpa_bits())) return std::nullopt;
        return tables_.walk(*root_, gpa);
    }
    /// As `Mapper::translate`.
    [[nodiscard]] std::optional<Translation> translate(Gpa gpa) const {
        const std::optional<Leaf> leaf = walk(gpa);
        if (!leaf) return std::nullopt;
        const u64 offset = gpa - leaf->gpa;
        return Translation{leaf->hpa + offset, leaf->size - offset, leaf->permissions};
    }

    /// The tables themselves are state of the memory that they lie in.
    void fields(FieldVisitor& v) { field(v, "root", *root_); }

private:
    using Tables = Stage2Tables<Format, Memory>;
    using Reserve = TableReserve<Memory>;

    Stage2(Tables tables, Hpa root) : tables_(tables), root_(root) {}

    [[nodiscard]] static bool fits(u64 start, u64 size, unsigned bits) {
        const u64 limit = u64{1} << bits;
        return start < limit && size <= limit - start;
    }

    [[nodiscard]] std::expected<void, MapError> check(const GpaRange& range, Permissions permissions) const {
        const bool is_whole = range.size != 0 && range.size % page_size == 0 && range.start.is_aligned(page_size);
        if (!is_whole) return std::unexpected(MapError::Unaligned);
        if (!fits(range.start.value(), range.size, gpa_bits())) return std::unexpected(MapError::OutOfRange);
        if (!tables_.format().is_encodable(permissions)) return std::unexpected(MapError::Unencodable);
        return {};
    }

    [[nodiscard]] std::expected<typename Tables::Survey, MapError> survey_mapped(const GpaRange& range,
                                                                                 Permissions permissions) const {
        if (const auto valid = check(range, permissions); !valid) return std::unexpected(valid.error());
        typename Tables::Survey survey;
        tables_.survey(*root_, tables_.root_level(), range, permissions, survey);
        if (survey.mapped_bytes != range.size) return std::unexpected(MapError::NotMapped);
        return survey;
    }

    /// A mapped range, grown to the leaves at its ends.
    [[nodiscard]] GpaRange whole_leaves(const GpaRange& range) const {
        const Leaf first = *walk(range.start);
        const Leaf last = *walk(range.end() - 1);
        return {first.gpa, last.gpa + last.size - first.gpa};
    }

    /// Makes leaves begin at both ends of a mapped range; false, and nothing is split, without memory.
    [[nodiscard]] bool split_edges(const GpaRange& range) {
        Reserve reserve(tables_.memory());
        if (!reserve.fill(tables_to_split(range))) return false;
        tables_.split(*root_, range.start, reserve);
        if (range.end() < tables_.whole_space().end()) tables_.split(*root_, range.end(), reserve);
        return true;
    }

    [[nodiscard]] u64 tables_to_split(const GpaRange& range) const {
        const auto [start_gpa, start_size] = split_extent(range.start);
        const auto [end_gpa, end_size] = split_extent(range.end());
        u64 tables = 0;
        for (unsigned level = 1; level < tables_.format().levels(); ++level) {
            const u64 span = entry_span(level);
            const bool at_start = span <= start_size && !start_gpa.is_aligned(span);
            const bool at_end = span <= end_size && !end_gpa.is_aligned(span);
            const bool is_shared = at_start && at_end && start_gpa.value() / span == end_gpa.value() / span;
            tables += (at_start ? 1U : 0U) + (at_end && !is_shared ? 1U : 0U);
        }
        return tables;
    }

    /// An edge and the size of the leaf around it; 0 where nothing is mapped.
    [[nodiscard]] std::pair<Gpa, u64> split_extent(Gpa edge) const {
        const std::optional<Leaf> leaf = walk(edge);
        return {edge, leaf ? leaf->size : 0};
    }

    Tables tables_;
    std::optional<Hpa> root_;
};

}  // namespace ax::mm
