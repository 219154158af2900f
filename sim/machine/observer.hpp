// Who watches a run (recorder, replay check, statistics), and who brings the outside in.
#pragma once

#include <optional>

#include "sim/machine/outcome.hpp"
#include "sim/replay/record.hpp"

namespace ax::sim {

class RunObserver {
public:
    /// After each exit, in order. `cost_ns` is its modelled cost. An outcome ends the run.
    virtual std::optional<Outcome> on_exit(const ExitRecord& exit, u64 cost_ns) = 0;
    /// A full-state hash, taken between two slices.
    virtual std::optional<Outcome> on_state_hash(const StateHashRecord&) { return std::nullopt; }
    /// An input, when it takes effect.
    virtual void on_input(const InputRecord&) {}
    virtual void on_console(VmId, u8) {}

protected:
    ~RunObserver() = default;
};

/// The only door through which the outside reaches a machine. Asked before every slice, which is a
/// point that every replay passes too.
class InputSource {
public:
    /// The next input that takes effect before slice `slice`, or null. `room` bytes fit into a console's
    /// queue. Valid until the next call.
    virtual const InputRecord* next(u64 slice, u64 now_ns, std::size_t room) = 0;
    /// All vCPUs wait. The virtual time at which the machine goes on with slice `slice`: `deadline_ns`, or
    /// earlier exactly when `next(slice)` then has an input. `timer::never` when none will ever come.
    virtual u64 wait(u64 slice, u64 now_ns, u64 deadline_ns) = 0;
    virtual void on_console(VmId, u8) {}

protected:
    ~InputSource() = default;
};

}  // namespace ax::sim
