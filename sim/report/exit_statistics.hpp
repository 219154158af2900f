// How often each kind of exit happened and how long it took, in the columns of `perf kvm stat`.
#pragma once

#include <algorithm>
#include <array>
#include <nlohmann/json_fwd.hpp>
#include <string>

#include "core/exit/vm_exit.hpp"

namespace ax::sim {

/// Counts and durations of one kind of exit. Durations are nanoseconds: the modelled cost of the exit
/// on virtual time, or the handler's time on the host; the caller decides which.
struct ExitTimes {
    u64 count = 0;
    u64 total_ns = 0;
    u64 min_ns = ~u64{0};
    u64 max_ns = 0;
};

class ExitStatistics {
public:
    /// `kind` is the position in `VmExit`; a number that no exit has is left out.
    void add(std::size_t kind, u64 duration_ns) {
        if (kind >= times_.size()) return;
        ExitTimes& times = times_[kind];
        ++times.count;
        times.total_ns += duration_ns;
        times.min_ns = std::min(times.min_ns, duration_ns);
        times.max_ns = std::max(times.max_ns, duration_ns);
    }
    [[nodiscard]] const ExitTimes& of(std::size_t kind) const { return times_.at(kind); }
    [[nodiscard]] u64 total_count() const;
    [[nodiscard]] u64 total_ns() const;

    /// A line per kind that happened, the most frequent first, and a line of totals.
    [[nodiscard]] std::string to_table() const;
    /// A list of objects in the order of the table.
    [[nodiscard]] nlohmann::ordered_json to_json() const;

private:
    std::array<ExitTimes, std::variant_size_v<VmExit>> times_{};
};

}  // namespace ax::sim
