// One CPU as a hypervisor in VMX root operation sees it: its current VMCS, the guest registers that no VMCS holds, the guest's
// memory, and the way in. The simulator models it and a bare-metal port wraps the real one; everything above is shared.
#pragma once

#include "core/arch/x86/trap.hpp"

namespace ax::x86 {

/// Where the host's timer interrupts: the hypervisor programs its own local APIC so.
inline constexpr u8 host_timer_vector = 0xef;

enum class EntryResult : u8 {
    Exit,       ///< EXIT_REASON and its kin describe a VM exit, or an entry that failed while it loaded guest state
    BudgetEnd,  ///< no exit; the guest can go on
    Failed,     ///< VMfailValid: VM_INSTRUCTION_ERROR says which checks the VMCS did not pass
};

struct EntryStop {
    EntryResult result = EntryResult::BudgetEnd;
    u64 instructions = 0;
};

class Cpu : public GuestMemory {
public:
    [[nodiscard]] virtual Vmcs& vmcs() = 0;
    /// Loaded by an entry and saved by what ends it; RSP's place is not used.
    [[nodiscard]] virtual GuestRegs& regs() = 0;
    /// VMLAUNCH or VMRESUME, until an exit or the budget.
    [[nodiscard]] virtual EntryStop enter(u64 budget) = 0;
    /// RDTSC in root operation.
    [[nodiscard]] virtual u64 tsc() = 0;
    /// INVEPT for the context of this VMCS.
    virtual void fence_translation() = 0;
    /// All guest registers outside the VMCS to their reset values.
    virtual void reset_guest() = 0;
    /// All architectural state, the VMCS included.
    virtual void fields(FieldVisitor& v) = 0;

protected:
    ~Cpu() = default;
};

}  // namespace ax::x86
