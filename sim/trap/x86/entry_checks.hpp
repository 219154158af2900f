// What a VM entry refuses: checks on controls, host state and guest state, each with a name.
#pragma once

#include <optional>

#include "sim/trap/x86/entry_rule.hpp"

namespace ax::sim::x86 {

/// Either the instruction fails (`error` is set, the guest is not entered and no exit happens), or the entry ends in an
/// exit with bit 31 of `exit_reason` set.
struct EntryFailure {
    ax::x86::VmInstructionError error = ax::x86::VmInstructionError::None;
    u32 exit_reason = 0;
    u64 qualification = 0;
    const EntryRule* rule = nullptr;
};

/// The first rule that `vmcs` breaks, or none: error 7 for controls, error 8 for host state, exit reason 33 for guest
/// state. Source: Intel SDM vol. 3, "Checks on VMX Controls and Host-State Area", "Checking and Loading Guest State".
[[nodiscard]] std::optional<EntryFailure> check_entry(const ax::x86::Vmcs& vmcs, const VmxCpu& cpu);

}  // namespace ax::sim::x86
