// What hardware leaves in ESR, FAR and HPFAR for each exception that the model raises. Written from
// the manual on its own; the core's decoder reads what stands here.
// Source: Arm ARM DDI 0487, ESR_ELx and the ISS encodings named at each function.
#pragma once

#include <optional>

#include "core/arch/arm64/regs.hpp"
#include "sim/mmu/vmsa.hpp"
#include "sim/trap/arm64/instruction.hpp"

namespace ax::sim::arm64 {

struct Syndrome {
    u64 esr = 0;
    std::optional<Gva> far;
    std::optional<Gpa> ipa;  ///< for HPFAR_EL2
};

/// MRS, MSR (register) and SYS: one instruction format.
struct SystemInstruction {
    ax::arm64::SysReg reg;
    bool is_read = false;
    unsigned rt = 0;
};
/// None for any other instruction, MSR (immediate) included.
[[nodiscard]] std::optional<SystemInstruction> decode_system(u32 word);

/// "Exceptions with an unknown reason".
[[nodiscard]] Syndrome undefined_instruction();
/// "an exception from SVC, HVC or SMC instruction execution".
[[nodiscard]] Syndrome call(ax::arm64::ExceptionClass ec, u32 imm16);
/// "an exception from a WF* instruction".
[[nodiscard]] Syndrome wait(bool is_wfe);
/// "an access to a register or instruction resulting from CPACR_EL1.FPEN or CPTR_ELx.FPEN traps".
[[nodiscard]] Syndrome floating_point();
/// "an Illegal Execution state".
[[nodiscard]] Syndrome illegal_state();
/// "a PC alignment fault".
[[nodiscard]] Syndrome pc_alignment(Gva pc);
/// "an exception from MSR, MRS, or System instruction execution in AArch64 state".
[[nodiscard]] Syndrome system_access(const SystemInstruction& instruction);
/// The same for MSR DAIFSet and MSR DAIFClr (`is_daif_immediate`), which EL0 may be refused.
[[nodiscard]] Syndrome daif_access(u32 word);
/// "an exception from an Instruction Abort", at `pc`. `from_lower`: taken from a lower level than to.
[[nodiscard]] Syndrome instruction_abort(const VmsaFault& fault, bool is_bus_error, Gva pc, bool from_lower);
/// "an exception from a Data Abort" of `instruction`, on the page of `page`.
[[nodiscard]] Syndrome data_abort(const VmsaFault& fault, bool is_bus_error, const MemoryInstruction& instruction, Gva page, bool from_lower);

/// Where an exception that EL1 takes begins, from VBAR_EL1 on, for a synchronous one. Arm ARM, "Exception vectors".
[[nodiscard]] u64 vector_offset(u64 pstate);
/// PSTATE at that place, from what it was; PAN per SCTLR_EL1.SPAN.
[[nodiscard]] u64 entry_pstate(u64 pstate, u64 sctlr, bool has_pan);
/// EL1 can return to `spsr` and go on there. False for AArch32, levels above and reserved modes, and for a state
/// that is saved as illegal. Arm ARM, "Illegal exception returns from AArch64 state".
[[nodiscard]] bool is_plain_return(u64 spsr);
/// PSTATE after an ERET at EL1 in `pstate` to `spsr`, legal or not. Arm ARM, "SetPSTATEFromSPSR".
[[nodiscard]] u64 returned_pstate(u64 pstate, u64 spsr);

}  // namespace ax::sim::arm64
