// Control registers as a guest reads and writes them under guest/host masks and read shadows.
// Source: Intel SDM vol. 3, "Changes to Instruction Behavior in VMX Non-Root Operation", "Guest/Host Masks and Read Shadows
// for CR0 and CR4", "Control Registers"; vol. 2, MOV to/from Control Registers, CLTS, LMSW, SMSW.
#pragma once

#include "sim/trap/x86/exit.hpp"
#include "sim/trap/x86/vmx_cpu.hpp"

namespace ax::sim::x86 {

enum class CrInstruction : u8 { MovToCr, MovFromCr, Clts, Lmsw, Smsw };
struct CrAccess {
    CrInstruction instruction = CrInstruction::MovToCr;
    u8 number = 0;  ///< 0, 2, 3, 4 or 8; 0 for the last three
    ax::x86::Gpr gpr = ax::x86::Gpr::RAX;
    u64 value = 0;           ///< MOV to CR; LMSW: its 16 bits
    bool is_memory = false;  ///< LMSW
    u64 linear = 0;          ///< LMSW from memory: where
    u8 length = 0;
};

/// What the CPU does when there is no exit: the register's new value, or what the guest reads.
struct CrResult {
    u64 value = 0;

    constexpr bool operator==(const CrResult&) const = default;
};
using CrDecision = std::variant<CrResult, Event, Exit>;

/// `cr8` is the task-priority register, which the machine keeps. A write of CR0, CR3 or CR4 that makes a PAE-paging CPU load
/// its PDPTEs may still raise #GP(0): see `load_pdptes`, which must come before `write_cr`.
[[nodiscard]] CrDecision decide(const ax::x86::Vmcs& vmcs, const CpuState& cpu, const VmxCpu& vmx, const CrAccess& access,
                                u64 cr8);

/// Gives the CPU the new value that `decide` found; CR0.PG takes IA32_EFER.LMA with it.
void write_cr(CpuState& cpu, u8 number, u64 value);
/// Writing these needs the PDPTEs anew: "Use of CR3 with PAE Paging".
[[nodiscard]] bool loads_pdptes(const CpuState& before, const CpuState& after, bool writes_cr3);

}  // namespace ax::sim::x86
