#include "sim/hal/kvm/gpa_runs.hpp"

#include <algorithm>

namespace ax::sim::kvm {

namespace {

/// True when `second` goes on where `first` ends, in both spaces and alike.
bool continues(const GpaRun& first, const GpaRun& second) {
    return first.range.end() == second.range.start && first.hpa + first.range.size == second.hpa && first.permissions == second.permissions;
}

/// The part of a run that lies in `range`, which it overlaps.
GpaRun part_of(const GpaRun& run, const GpaRange& range) {
    const Gpa start = std::max(run.range.start, range.start);
    const Gpa end = std::min(run.range.end(), range.end());
    return {GpaRange{start, end - start}, run.hpa + (start - run.range.start), run.permissions};
}

}  // namespace

std::expected<void, mm::MapError> GpaRuns::check(const GpaRange& range) const {
    if (range.size == 0 || range.size % page_size != 0 || !range.start.is_aligned(page_size)) return std::unexpected(mm::MapError::Unaligned);
    const u64 limit = u64{1} << gpa_bits_;
    if (range.start.value() >= limit || range.size > limit - range.start.value()) return std::unexpected(mm::MapError::OutOfRange);
    return {};
}

std::size_t GpaRuns::first_ending_behind(Gpa gpa) const {
    const auto found = std::ranges::partition_point(runs_, [&](const GpaRun& run) { return run.range.end() <= gpa; });
    return static_cast<std::size_t>(found - runs_.begin());
}

bool GpaRuns::is_mapped(const GpaRange& range) const {
    Gpa reached = range.start;
    for (std::size_t i = first_ending_behind(range.start); i < runs_.size() && reached < range.end(); ++i) {
        if (!runs_[i].range.contains(reached)) return false;
        reached = runs_[i].range.end();
    }
    return reached >= range.end();
}

/// Takes a mapped range out of the list; what it was mapped to.
std::vector<GpaRun> GpaRuns::cut(const GpaRange& range) {
    std::vector<GpaRun> removed;
    std::vector<GpaRun> rest;
    const std::size_t first = first_ending_behind(range.start);
    std::size_t behind = first;
    for (; behind < runs_.size() && runs_[behind].range.overlaps(range); ++behind) {
        const GpaRun& run = runs_[behind];
        removed.push_back(part_of(run, range));
        if (run.range.start < range.start) rest.push_back(part_of(run, {run.range.start, range.start - run.range.start}));
        if (run.range.end() > range.end()) rest.push_back(part_of(run, {range.end(), run.range.end() - range.end()}));
    }
    const auto at = runs_.erase(runs_.begin() + static_cast<std::ptrdiff_t>(first), runs_.begin() + static_cast<std::ptrdiff_t>(behind));
    runs_.insert(at, rest.begin(), rest.end());
    return removed;
}

void GpaRuns::insert(const GpaRun& run) {
    const std::size_t at = first_ending_behind(run.range.start);
    auto place = runs_.insert(runs_.begin() + static_cast<std::ptrdiff_t>(at), run);
    if (const auto next = place + 1; next != runs_.end() && continues(*place, *next)) {
        place->range.size += next->range.size;
        runs_.erase(next);
    }
    if (place == runs_.begin() || !continues(*(place - 1), *place)) return;
    (place - 1)->range.size += place->range.size;
    runs_.erase(place);
}

std::expected<void, mm::MapError> GpaRuns::map(Gpa gpa, Hpa hpa, u64 size, mm::Permissions permissions) {
    const GpaRange range{gpa, size};
    if (const auto valid = check(range); !valid) return valid;
    if (!hpa.is_aligned(page_size)) return std::unexpected(mm::MapError::Unaligned);
    const std::size_t next = first_ending_behind(gpa);
    if (next < runs_.size() && runs_[next].range.overlaps(range)) return std::unexpected(mm::MapError::AlreadyMapped);
    insert({range, hpa, permissions});
    return {};
}

std::expected<void, mm::MapError> GpaRuns::unmap(Gpa gpa, u64 size) {
    const GpaRange range{gpa, size};
    if (const auto valid = check(range); !valid) return valid;
    if (!is_mapped(range)) return std::unexpected(mm::MapError::NotMapped);
    static_cast<void>(cut(range));
    return {};
}

std::expected<void, mm::MapError> GpaRuns::protect(Gpa gpa, u64 size, mm::Permissions permissions) {
    const GpaRange range{gpa, size};
    if (const auto valid = check(range); !valid) return valid;
    if (!is_mapped(range)) return std::unexpected(mm::MapError::NotMapped);
    for (GpaRun& run : cut(range)) insert({run.range, run.hpa, permissions});
    return {};
}

std::optional<mm::Translation> GpaRuns::translate(Gpa gpa) const {
    const std::size_t at = first_ending_behind(gpa);
    if (at == runs_.size() || !runs_[at].range.contains(gpa)) return std::nullopt;
    const GpaRun& run = runs_[at];
    const u64 offset = gpa - run.range.start;
    return mm::Translation{run.hpa + offset, run.range.size - offset, run.permissions};
}

}  // namespace ax::sim::kvm
