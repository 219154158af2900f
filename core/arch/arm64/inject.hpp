// Making a guest see an exception at EL1 that it did not take by itself.
#pragma once

#include "core/arch/arm64/trap.hpp"

namespace ax::arm64 {

/// The registers of EL1 that taking an exception reads and changes.
struct El1State {
    u64 pc = 0;
    u64 pstate = 0;
    u64 VBAR_EL1 = 0;
    u64 SCTLR_EL1 = 0;
    u64 ELR_EL1 = 0;
    u64 SPSR_EL1 = 0;
    u64 ESR_EL1 = 0;
    u64 FAR_EL1 = 0;
    bool has_pan = false;  ///< FEAT_PAN
};

/// Takes a synchronous exception to EL1. Source: Arm ARM DDI 0487, AArch64.TakeException.
[[nodiscard]] El1State take_exception(El1State state, const GuestException& exception);

/// HCR_EL2 with or without an SError for the guest. Hardware delivers it once PSTATE.A allows, and clears it then.
/// Source: Arm ARM DDI 0487, "Virtual interrupts" (it needs AMO, which every VM has).
[[nodiscard]] constexpr u64 with_serror(u64 hcr, bool is_pending) { return Hcr::VSE::set(hcr, is_pending); }
static_assert(with_serror(0x20, true) == 0x120 && with_serror(0x120, false) == 0x20);

}  // namespace ax::arm64
