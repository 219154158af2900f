// Model-specific registers by their architectural names. Source: Intel SDM vol. 4, "Architectural MSRs".
#pragma once

#include "core/base/bits.hpp"

namespace ax::x86::msr {

inline constexpr u32 IA32_TIME_STAMP_COUNTER = 0x10;
inline constexpr u32 IA32_PLATFORM_ID = 0x17;
inline constexpr u32 IA32_APIC_BASE = 0x1b;
inline constexpr u32 MSR_SMI_COUNT = 0x34;
inline constexpr u32 IA32_FEATURE_CONTROL = 0x3a;
inline constexpr u32 IA32_TSC_ADJUST = 0x3b;
inline constexpr u32 IA32_SPEC_CTRL = 0x48;
inline constexpr u32 IA32_PRED_CMD = 0x49;
inline constexpr u32 IA32_BIOS_UPDT_TRIG = 0x79;
inline constexpr u32 IA32_BIOS_SIGN_ID = 0x8b;
inline constexpr u32 MSR_PLATFORM_INFO = 0xce;
inline constexpr u32 IA32_MTRRCAP = 0xfe;
inline constexpr u32 IA32_ARCH_CAPABILITIES = 0x10a;
inline constexpr u32 MSR_MISC_FEATURE_ENABLES = 0x140;
inline constexpr u32 IA32_SYSENTER_CS = 0x174;
inline constexpr u32 IA32_SYSENTER_ESP = 0x175;
inline constexpr u32 IA32_SYSENTER_EIP = 0x176;
inline constexpr u32 IA32_MCG_CAP = 0x179;
inline constexpr u32 IA32_MCG_STATUS = 0x17a;
inline constexpr u32 IA32_MCG_CTL = 0x17b;
inline constexpr u32 IA32_MISC_ENABLE = 0x1a0;
inline constexpr u32 IA32_DEBUGCTL = 0x1d9;
inline constexpr u32 IA32_MTRR_PHYSBASE0 = 0x200;  ///< base and mask of each range alternate from here
inline constexpr u32 IA32_MTRR_FIX64K_00000 = 0x250;
inline constexpr u32 IA32_MTRR_FIX16K_80000 = 0x258;
inline constexpr u32 IA32_MTRR_FIX16K_A0000 = 0x259;
inline constexpr u32 IA32_MTRR_FIX4K_C0000 = 0x268;
inline constexpr u32 IA32_MTRR_FIX4K_F8000 = 0x26f;
inline constexpr u32 IA32_PAT = 0x277;
inline constexpr u32 IA32_MTRR_DEF_TYPE = 0x2ff;
inline constexpr u32 IA32_PERF_GLOBAL_CTRL = 0x38f;
inline constexpr u32 IA32_VMX_BASIC = 0x480;
inline constexpr u32 IA32_VMX_PINBASED_CTLS = 0x481;
inline constexpr u32 IA32_VMX_PROCBASED_CTLS = 0x482;
inline constexpr u32 IA32_VMX_EXIT_CTLS = 0x483;
inline constexpr u32 IA32_VMX_ENTRY_CTLS = 0x484;
inline constexpr u32 IA32_VMX_MISC = 0x485;
inline constexpr u32 IA32_VMX_CR0_FIXED0 = 0x486;
inline constexpr u32 IA32_VMX_CR0_FIXED1 = 0x487;
inline constexpr u32 IA32_VMX_CR4_FIXED0 = 0x488;
inline constexpr u32 IA32_VMX_CR4_FIXED1 = 0x489;
inline constexpr u32 IA32_VMX_PROCBASED_CTLS2 = 0x48b;
inline constexpr u32 IA32_VMX_EPT_VPID_CAP = 0x48c;
inline constexpr u32 IA32_VMX_TRUE_PINBASED_CTLS = 0x48d;
inline constexpr u32 IA32_VMX_TRUE_PROCBASED_CTLS = 0x48e;
inline constexpr u32 IA32_VMX_TRUE_EXIT_CTLS = 0x48f;
inline constexpr u32 IA32_VMX_TRUE_ENTRY_CTLS = 0x490;
inline constexpr u32 IA32_TSC_DEADLINE = 0x6e0;
inline constexpr u32 IA32_X2APIC_FIRST = 0x800;
inline constexpr u32 IA32_X2APIC_LAST = 0x8ff;
inline constexpr u32 IA32_XSS = 0xda0;
inline constexpr u32 IA32_EFER = 0xc000'0080;
inline constexpr u32 IA32_STAR = 0xc000'0081;
inline constexpr u32 IA32_LSTAR = 0xc000'0082;
inline constexpr u32 IA32_CSTAR = 0xc000'0083;
inline constexpr u32 IA32_FMASK = 0xc000'0084;
inline constexpr u32 IA32_FS_BASE = 0xc000'0100;
inline constexpr u32 IA32_GS_BASE = 0xc000'0101;
inline constexpr u32 IA32_KERNEL_GS_BASE = 0xc000'0102;
inline constexpr u32 IA32_TSC_AUX = 0xc000'0103;

/// IA32_ARCH_CAPABILITIES: vol. 4, "Architectural MSRs"; what the CPU does not suffer from.
struct ArchCapabilities {
    using RDCL_NO = Bits<0>;  // "Meltdown"
    using SSB_NO = Bits<4>;
    using MDS_NO = Bits<5>;
    using IF_PSCHANGE_MC_NO = Bits<6>;
    using TAA_NO = Bits<8>;
    using SBDR_SSDP_NO = Bits<13>;
    using FBSDP_NO = Bits<14>;
    using PSDP_NO = Bits<15>;
    using BHI_NO = Bits<20>;
    using PBRSB_NO = Bits<24>;
    using GDS_NO = Bits<26>;
    using RFDS_NO = Bits<27>;
    using ITS_NO = Bits<62>;
    static constexpr u64 no_flaw = RDCL_NO::mask | SSB_NO::mask | MDS_NO::mask | IF_PSCHANGE_MC_NO::mask | TAA_NO::mask | SBDR_SSDP_NO::mask |
                                   FBSDP_NO::mask | PSDP_NO::mask | BHI_NO::mask | PBRSB_NO::mask | GDS_NO::mask | RFDS_NO::mask | ITS_NO::mask;
};

/// IA32_APIC_BASE: vol. 3, "Local APIC Status and Location".
struct ApicBase {
    using BSP = Bits<8>;
    using EXTD = Bits<10>;
    using EN = Bits<11>;
    using Base = Bits<51, 12>;
};
static_assert((ApicBase::EN::of(1) | ApicBase::BSP::of(1) | ApicBase::Base::of(0xfee00)) == 0xfee0'0900);

/// IA32_PAT at reset: vol. 3, "Programming the PAT".
inline constexpr u64 pat_at_reset = 0x0007'0406'0007'0406;

}  // namespace ax::x86::msr
