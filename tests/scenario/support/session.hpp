// Runs, records and replays a machine inside the test program, and says what came of it.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "sim/machine/machine.hpp"
#include "sim/replay/replay_source.hpp"

namespace ax::scenario {

struct RunSpec {
    std::string vm;           ///< path; of the VM that the script talks to
    std::vector<std::string> other_vms = {};
    std::string platform = {};  ///< path; empty for the built-in board
    std::string script = {};  ///< text of a console script; empty for a console without input
    u64 state_hash_interval = 0;
    sim::RunLimits limits = {};
    std::string record = {};  ///< path of a trace; empty for none
    /// The instruction count at which `Machine::run` returns next, from the current one.
    std::function<u64(u64 icount)> next_stop = {};
    /// Called at each of these stops.
    std::function<void(sim::Machine&)> at_stop = {};
};

struct RunReport {
    sim::Outcome outcome = sim::Outcome::AllIdle;
    u64 instructions = 0;
    u64 exits = 0;
    u64 virtual_ns = 0;
    u64 state_hash = 0;
    std::vector<sim::ComponentHash> components;
    std::vector<sim::StateHashRecord> state_hashes;
    std::string console;                        ///< of all VMs, as it comes
    std::map<VmId, std::string> vm_consoles;
    std::string failure;  ///< why a VM was stopped
    bool script_failed = false;
    u64 stops = 0;  ///< how often the run was interrupted by `next_stop`
};

/// Runs a machine to its end. What keeps it from being built is a test failure.
[[nodiscard]] RunReport run(const RunSpec& spec);

struct ReplayReport {
    RunReport run;
    std::optional<sim::ReplayDifference> difference;
    std::string text;   ///< the difference as the CLI prints it
    std::string error;  ///< of the trace file
    u64 exits_checked = 0;
    u64 state_hashes_checked = 0;
};

struct ReplaySpec {
    std::string trace;
    /// Instruction count at which `at_stop` is called, once.
    std::optional<u64> stop = {};
    std::function<void(sim::Machine&)> at_stop = {};
};

/// Replays a trace to its end or to the first difference.
[[nodiscard]] ReplayReport replay(const ReplaySpec& spec);

/// Every number and every hash of two runs is the same.
void expect_same(const RunReport& expected, const RunReport& got);
/// Replays the trace of a run: no difference, and the same end.
void expect_replays(const std::string& trace, const RunReport& recorded);

}  // namespace ax::scenario
