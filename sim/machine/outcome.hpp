// How a run of a machine ended.
#pragma once

#include <string>

#include "core/vm/vm.hpp"

namespace ax::sim {

enum class Outcome : u8 {
    PoweredOff,       ///< every VM has shut down
    ResetRequested,   ///< a VM asked for a reset; axsim ends the run there
    GuestFailed,      ///< a VM was stopped with a reason
    AllIdle,          ///< all vCPUs wait, and nothing is left that could wake one
    InsnLimit,        ///< --max-insns, or the end of a chunk
    ExitLimit,        ///< --max-exits
    TextSeen,         ///< --until-text
    Interrupted,      ///< the user ended the run
    ScriptFailed,     ///< the console script waits for a text that does not come
    Diverged,         ///< replay: something differs from the recording
    EndOfTrace,       ///< replay: the recording has no more
    RecorderFailed,   ///< the trace cannot be written
};

constexpr const char* to_text(Outcome outcome) {
    constexpr const char* names[] = {"powered-off", "reset",       "guest-failed",  "all-idle", "insn-limit",   "exit-limit",
                                     "text-seen",   "interrupted", "script-failed", "diverged", "end-of-trace", "recorder-failed"};
    return names[index(outcome)];
}

/// True when the machine can be run on from there.
constexpr bool is_resumable(Outcome outcome) { return outcome == Outcome::InsnLimit || outcome == Outcome::ExitLimit; }

}  // namespace ax::sim
