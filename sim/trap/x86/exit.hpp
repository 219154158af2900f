// A VM exit before it is written into the VMCS, and what a decision about an instruction can be.
#pragma once

#include <optional>
#include <variant>

#include "sim/trap/x86/event.hpp"
#include "sim/trap/x86/system_memory.hpp"

namespace ax::sim::x86 {

/// Source: Intel SDM vol. 3, "Recording VM-Exit Information and Updating VM-Entry Control Fields". What an exit does not
/// define is zero.
struct Exit {
    ax::x86::ExitReason reason = ax::x86::ExitReason::ExceptionOrNmi;
    u64 qualification = 0;
    u8 instruction_length = 0;
    u32 instruction_info = 0;
    std::optional<Event> event{};     ///< what the interruption fields describe
    std::optional<Event> delivery{};  ///< during whose delivery the exit happened: the IDT-vectoring fields
    bool nmi_unblocking = false;      ///< by an IRET that met the fault of `event`
    u64 guest_linear = 0;
    Gpa guest_physical{};

    bool operator==(const Exit&) const = default;
};

/// VMX leaves the instruction alone: whoever runs it completes it.
struct NoExit {
    constexpr bool operator==(const NoExit&) const = default;
};
/// No exit, a fault that comes first, or an exit. "Relative Priority of Faults and VM Exits".
using Decision = std::variant<NoExit, Event, Exit>;

/// Fills the exit-information fields and takes back the request to inject an event. A failed entry sets the other fields
/// of its own.
void record(ax::x86::Vmcs& vmcs, const Exit& exit);
/// The same for an entry that guest state failed: "VM-Entry Failures During or After Loading Guest State".
void record_entry_failure(ax::x86::Vmcs& vmcs, u32 exit_reason, u64 qualification);

/// "Saving Guest State": everything that the exit controls ask for. `exit` decides RF of the saved RFLAGS.
void save_guest(ax::x86::Vmcs& vmcs, const CpuState& cpu, const Exit& exit);
/// "Loading Guest State". Registers that a VMCS does not hold stay.
void load_guest(CpuState& cpu, const ax::x86::Vmcs& vmcs);

}  // namespace ax::sim::x86
