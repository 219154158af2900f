// Guest physical space as runs of contiguous host memory: what a VM has mapped, before any of it reaches the kernel.
#pragma once

#include <span>
#include <vector>

#include "core/mm/mapper.hpp"

namespace ax::sim::kvm {

struct GpaRun {
    GpaRange range;
    Hpa hpa;
    mm::Permissions permissions;

    constexpr bool operator==(const GpaRun&) const = default;
};

/// Runs by address, none overlapping another; neighbours that continue each other are one run, so that memory which
/// was mapped page by page needs one slot. Operations are those of `mm::Mapper`, and all or nothing.
class GpaRuns {
public:
    explicit GpaRuns(unsigned gpa_bits) : gpa_bits_(gpa_bits) {}

    [[nodiscard]] unsigned gpa_bits() const { return gpa_bits_; }
    [[nodiscard]] std::expected<void, mm::MapError> map(Gpa gpa, Hpa hpa, u64 size, mm::Permissions permissions);
    [[nodiscard]] std::expected<void, mm::MapError> unmap(Gpa gpa, u64 size);
    [[nodiscard]] std::expected<void, mm::MapError> protect(Gpa gpa, u64 size, mm::Permissions permissions);
    [[nodiscard]] std::optional<mm::Translation> translate(Gpa gpa) const;
    [[nodiscard]] std::span<const GpaRun> all() const { return runs_; }

private:
    [[nodiscard]] std::expected<void, mm::MapError> check(const GpaRange& range) const;
    [[nodiscard]] bool is_mapped(const GpaRange& range) const;
    [[nodiscard]] std::size_t first_ending_behind(Gpa gpa) const;
    [[nodiscard]] std::vector<GpaRun> cut(const GpaRange& range);
    void insert(const GpaRun& run);

    unsigned gpa_bits_;
    std::vector<GpaRun> runs_;
};

}  // namespace ax::sim::kvm
