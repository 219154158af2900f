// What a run or a replay came to, for people and for programs.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "sim/machine/machine.hpp"
#include "sim/replay/replay_source.hpp"

namespace ax::sim {

struct RunResult {
    Outcome outcome = Outcome::AllIdle;
    Backend backend = Backend::Simulated;
    u64 seed = 0;
    u64 instructions = 0;  ///< on KVM nanoseconds, which are not shown
    u64 exits = 0;
    u64 virtual_ns = 0;
    double wall_seconds = 0;
    u64 state_hash = 0;    ///< none on KVM, where no run is repeatable
    std::vector<ComponentHash> components;
    std::string detail;  ///< what ended it, when the outcome alone does not say
    // Recording
    std::optional<u64> trace_bytes;
    // Replay
    std::optional<u64> differences;
    u64 state_hashes_checked = 0;

    [[nodiscard]] double mips() const { return wall_seconds > 0 ? static_cast<double>(instructions) / wall_seconds / 1e6 : 0; }
};

/// The machine's side of a result.
[[nodiscard]] RunResult result_of(Machine& machine, Outcome outcome, double wall_seconds);
/// One JSON object with the members that the CLI's documentation names.
[[nodiscard]] std::string to_json(const RunResult& result);
/// One line for a person.
[[nodiscard]] std::string to_line(const RunResult& result);
/// Which VM stopped where and why, its registers and its last exits.
[[nodiscard]] std::string describe_failure(VmInstance& vm, const std::vector<ExitRecord>& last_exits);
/// The first difference of a replay, with both values.
[[nodiscard]] std::string describe_difference(const ReplayDifference& difference, const std::string& trace_path);

}  // namespace ax::sim
