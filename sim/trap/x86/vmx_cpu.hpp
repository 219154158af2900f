// What the simulated CPU implements of VMX, as its capability MSRs say.
// Source: Intel SDM vol. 3, appendix "VMX Capability Reporting Facility".
#pragma once

#include "core/arch/x86/vmx_regs.hpp"
#include "sim/mmu/x86_paging.hpp"

namespace ax::sim::x86 {

/// A word of allowed-0 settings (low half, must be one) and allowed-1 settings (high half, may be one).
[[nodiscard]] constexpr u64 control_capability(u32 must, u32 may) {
    return ax::x86::ControlCapability::Allowed0::of(must) | ax::x86::ControlCapability::Allowed1::of(u64{must} | may);
}

/// The defaults are what the model carries out. Not among them: virtual APIC, preemption timer, monitor trap flag, posted
/// interrupts, PML, VM functions, shadowing, MSR areas.
struct VmxCpu {
    u64 pin = control_capability(0x16, 0x29);                    ///< IA32_VMX_TRUE_PINBASED_CTLS
    u64 primary = control_capability(0x0400'6172, 0xf3d9'9e8c);  ///< IA32_VMX_TRUE_PROCBASED_CTLS
    u64 secondary = control_capability(0, 0x0011'18ee);          ///< IA32_VMX_PROCBASED_CTLS2
    u64 exit = control_capability(0x0003'6dfb, 0x003c'8204);     ///< IA32_VMX_TRUE_EXIT_CTLS
    u64 entry = control_capability(0x11fb, 0xc204);              ///< IA32_VMX_TRUE_ENTRY_CTLS
    u64 cr0_fixed0 = 0x8000'0021, cr0_fixed1 = 0xffff'ffff;      ///< IA32_VMX_CR0_FIXED0, 1
    u64 cr4_fixed0 = 0x2000, cr4_fixed1 = 0x0035'27ff;           ///< IA32_VMX_CR4_FIXED0, 1
    u32 cr3_targets = 4;                                         ///< IA32_VMX_MISC, bits 24:16
    u32 activity_states = 0b111;                                 ///< IA32_VMX_MISC, bits 8:6: HLT, shutdown, wait-for-SIPI
    bool injects_length_zero = false;                            ///< IA32_VMX_MISC, bit 30
    bool ept_flags = false;                                      ///< IA32_VMX_EPT_VPID_CAP, bit 21
    MmuFeatures mmu;
};
static_assert(control_capability(0x16, 0x29) == 0x0000'003f'0000'0016);

/// Bits of a control word that may not be as they are.
[[nodiscard]] constexpr bool fits(u64 capability, u32 controls) {
    using ax::x86::ControlCapability;
    const u64 must = ControlCapability::Allowed0::get(capability), may = ControlCapability::Allowed1::get(capability);
    return (must & ~u64{controls}) == 0 && (controls & ~may) == 0;
}
static_assert(fits(VmxCpu{}.pin, 0x1f) && !fits(VmxCpu{}.pin, 0x0f) && !fits(VmxCpu{}.pin, 0x9f));

}  // namespace ax::sim::x86
