// System registers and system instructions of A64 by encoding, under the manual's names.
// Source: Arm ARM DDI 0487, "The A64 System register encoding space" and "System instructions".
#pragma once

#include "core/base/bits.hpp"

namespace ax::arm64 {

/// The operands of MRS, MSR and SYS that name a register or an operation.
struct SysReg {
    u8 op0 = 0;
    u8 op1 = 0;
    u8 crn = 0;
    u8 crm = 0;
    u8 op2 = 0;

    using Op0 = Bits<15, 14>;
    using Op1 = Bits<13, 11>;
    using CRn = Bits<10, 7>;
    using CRm = Bits<6, 3>;
    using Op2 = Bits<2, 0>;

    /// One number in the order op0, op1, CRn, CRm, op2: bits 20 to 5 of the instruction. Fits a `case`.
    [[nodiscard]] constexpr u16 packed() const {
        return static_cast<u16>(Op0::of(op0) | Op1::of(op1) | CRn::of(crn) | CRm::of(crm) | Op2::of(op2));
    }
    [[nodiscard]] static constexpr SysReg unpacked(u64 number) {
        return {static_cast<u8>(Op0::get(number)), static_cast<u8>(Op1::get(number)), static_cast<u8>(CRn::get(number)),
                static_cast<u8>(CRm::get(number)), static_cast<u8>(Op2::get(number))};
    }
    constexpr bool operator==(const SysReg&) const = default;
};
static_assert(SysReg{3, 0, 1, 0, 0}.packed() == 0xc080);  // SCTLR_EL1: mrs x0 is 0xd5381000, bits 20 to 5
static_assert(SysReg::unpacked(0xc080) == SysReg{3, 0, 1, 0, 0});

namespace sysreg {

// Identification, read at EL1 ("ID_AA64PFR0_EL1" and its kin; CRm 1 to 7 is the space that HCR_EL2.TID3 traps).
inline constexpr SysReg MIDR_EL1{3, 0, 0, 0, 0}, MPIDR_EL1{3, 0, 0, 0, 5}, REVIDR_EL1{3, 0, 0, 0, 6};
inline constexpr SysReg ID_PFR0_EL1{3, 0, 0, 1, 0}, ID_PFR1_EL1{3, 0, 0, 1, 1}, ID_DFR0_EL1{3, 0, 0, 1, 2},
    ID_AFR0_EL1{3, 0, 0, 1, 3};
inline constexpr SysReg ID_MMFR0_EL1{3, 0, 0, 1, 4}, ID_MMFR1_EL1{3, 0, 0, 1, 5}, ID_MMFR2_EL1{3, 0, 0, 1, 6};
inline constexpr SysReg ID_MMFR3_EL1{3, 0, 0, 1, 7}, ID_MMFR4_EL1{3, 0, 0, 2, 6}, ID_MMFR5_EL1{3, 0, 0, 3, 6};
inline constexpr SysReg ID_ISAR0_EL1{3, 0, 0, 2, 0}, ID_ISAR1_EL1{3, 0, 0, 2, 1}, ID_ISAR2_EL1{3, 0, 0, 2, 2};
inline constexpr SysReg ID_ISAR3_EL1{3, 0, 0, 2, 3}, ID_ISAR4_EL1{3, 0, 0, 2, 4}, ID_ISAR5_EL1{3, 0, 0, 2, 5};
inline constexpr SysReg ID_ISAR6_EL1{3, 0, 0, 2, 7}, ID_PFR2_EL1{3, 0, 0, 3, 4}, ID_DFR1_EL1{3, 0, 0, 3, 5};
inline constexpr SysReg MVFR0_EL1{3, 0, 0, 3, 0}, MVFR1_EL1{3, 0, 0, 3, 1}, MVFR2_EL1{3, 0, 0, 3, 2};
inline constexpr SysReg ID_AA64PFR0_EL1{3, 0, 0, 4, 0}, ID_AA64PFR1_EL1{3, 0, 0, 4, 1}, ID_AA64PFR2_EL1{3, 0, 0, 4, 2};
inline constexpr SysReg ID_AA64ZFR0_EL1{3, 0, 0, 4, 4}, ID_AA64SMFR0_EL1{3, 0, 0, 4, 5};
inline constexpr SysReg ID_AA64DFR0_EL1{3, 0, 0, 5, 0}, ID_AA64DFR1_EL1{3, 0, 0, 5, 1};
inline constexpr SysReg ID_AA64AFR0_EL1{3, 0, 0, 5, 4}, ID_AA64AFR1_EL1{3, 0, 0, 5, 5};
inline constexpr SysReg ID_AA64ISAR0_EL1{3, 0, 0, 6, 0}, ID_AA64ISAR1_EL1{3, 0, 0, 6, 1}, ID_AA64ISAR2_EL1{3, 0, 0, 6, 2};
inline constexpr SysReg ID_AA64MMFR0_EL1{3, 0, 0, 7, 0}, ID_AA64MMFR1_EL1{3, 0, 0, 7, 1}, ID_AA64MMFR2_EL1{3, 0, 0, 7, 2};
inline constexpr SysReg ID_AA64MMFR3_EL1{3, 0, 0, 7, 3}, ID_AA64MMFR4_EL1{3, 0, 0, 7, 4};
inline constexpr SysReg CCSIDR_EL1{3, 1, 0, 0, 0}, CLIDR_EL1{3, 1, 0, 0, 1}, AIDR_EL1{3, 1, 0, 0, 7}, CSSELR_EL1{3, 2, 0, 0, 0};
inline constexpr SysReg CTR_EL0{3, 3, 0, 0, 1}, DCZID_EL0{3, 3, 0, 0, 7};

// Control, translation and exceptions at EL1.
inline constexpr SysReg SCTLR_EL1{3, 0, 1, 0, 0}, ACTLR_EL1{3, 0, 1, 0, 1}, CPACR_EL1{3, 0, 1, 0, 2}, ZCR_EL1{3, 0, 1, 2, 0};
inline constexpr SysReg TTBR0_EL1{3, 0, 2, 0, 0}, TTBR1_EL1{3, 0, 2, 0, 1}, TCR_EL1{3, 0, 2, 0, 2};
inline constexpr SysReg APIAKeyLo_EL1{3, 0, 2, 1, 0}, APIAKeyHi_EL1{3, 0, 2, 1, 1}, APIBKeyLo_EL1{3, 0, 2, 1, 2},
    APIBKeyHi_EL1{3, 0, 2, 1, 3};
inline constexpr SysReg APDAKeyLo_EL1{3, 0, 2, 2, 0}, APDAKeyHi_EL1{3, 0, 2, 2, 1}, APDBKeyLo_EL1{3, 0, 2, 2, 2},
    APDBKeyHi_EL1{3, 0, 2, 2, 3};
inline constexpr SysReg APGAKeyLo_EL1{3, 0, 2, 3, 0}, APGAKeyHi_EL1{3, 0, 2, 3, 1};
inline constexpr SysReg SPSR_EL1{3, 0, 4, 0, 0}, ELR_EL1{3, 0, 4, 0, 1}, SP_EL0{3, 0, 4, 1, 0}, SPSel{3, 0, 4, 2, 0};
inline constexpr SysReg CurrentEL{3, 0, 4, 2, 2}, PAN{3, 0, 4, 2, 3}, UAO{3, 0, 4, 2, 4};
inline constexpr SysReg AFSR0_EL1{3, 0, 5, 1, 0}, AFSR1_EL1{3, 0, 5, 1, 1}, ESR_EL1{3, 0, 5, 2, 0}, FAR_EL1{3, 0, 6, 0, 0};
inline constexpr SysReg ERRIDR_EL1{3, 0, 5, 3, 0}, ERRSELR_EL1{3, 0, 5, 3, 1}, PAR_EL1{3, 0, 7, 4, 0};
inline constexpr SysReg MAIR_EL1{3, 0, 10, 2, 0}, AMAIR_EL1{3, 0, 10, 3, 0};
inline constexpr SysReg LORSA_EL1{3, 0, 10, 4, 0}, LOREA_EL1{3, 0, 10, 4, 1}, LORN_EL1{3, 0, 10, 4, 2}, LORC_EL1{3, 0, 10, 4, 3},
    LORID_EL1{3, 0, 10, 4, 7};
inline constexpr SysReg VBAR_EL1{3, 0, 12, 0, 0}, RVBAR_EL1{3, 0, 12, 0, 1}, RMR_EL1{3, 0, 12, 0, 2}, ISR_EL1{3, 0, 12, 1, 0},
    DISR_EL1{3, 0, 12, 1, 1};
inline constexpr SysReg CONTEXTIDR_EL1{3, 0, 13, 0, 1}, TPIDR_EL1{3, 0, 13, 0, 4}, SCXTNUM_EL1{3, 0, 13, 0, 7};
inline constexpr SysReg TPIDR_EL0{3, 3, 13, 0, 2}, TPIDRRO_EL0{3, 3, 13, 0, 3}, SCXTNUM_EL0{3, 3, 13, 0, 7};
inline constexpr SysReg NZCV{3, 3, 4, 2, 0}, DAIF{3, 3, 4, 2, 1}, FPCR{3, 3, 4, 4, 0}, FPSR{3, 3, 4, 4, 1};
inline constexpr SysReg DSPSR_EL0{3, 3, 4, 5, 0}, DLR_EL0{3, 3, 4, 5, 1};
inline constexpr SysReg RNDR{3, 3, 2, 4, 0}, RNDRRS{3, 3, 2, 4, 1};

// "Generic Timer registers".
inline constexpr SysReg CNTKCTL_EL1{3, 0, 14, 1, 0}, CNTFRQ_EL0{3, 3, 14, 0, 0}, CNTPCT_EL0{3, 3, 14, 0, 1},
    CNTVCT_EL0{3, 3, 14, 0, 2};
inline constexpr SysReg CNTPCTSS_EL0{3, 3, 14, 0, 5}, CNTVCTSS_EL0{3, 3, 14, 0, 6};
inline constexpr SysReg CNTP_TVAL_EL0{3, 3, 14, 2, 0}, CNTP_CTL_EL0{3, 3, 14, 2, 1}, CNTP_CVAL_EL0{3, 3, 14, 2, 2};
inline constexpr SysReg CNTV_TVAL_EL0{3, 3, 14, 3, 0}, CNTV_CTL_EL0{3, 3, 14, 3, 1}, CNTV_CVAL_EL0{3, 3, 14, 3, 2};

// "AArch64 System register descriptions" of the GIC CPU interface (GIC architecture IHI 0069).
inline constexpr SysReg ICC_PMR_EL1{3, 0, 4, 6, 0};
inline constexpr SysReg ICC_IAR0_EL1{3, 0, 12, 8, 0}, ICC_EOIR0_EL1{3, 0, 12, 8, 1}, ICC_HPPIR0_EL1{3, 0, 12, 8, 2},
    ICC_BPR0_EL1{3, 0, 12, 8, 3};
inline constexpr SysReg ICC_AP0R0_EL1{3, 0, 12, 8, 4}, ICC_AP0R1_EL1{3, 0, 12, 8, 5}, ICC_AP0R2_EL1{3, 0, 12, 8, 6},
    ICC_AP0R3_EL1{3, 0, 12, 8, 7};
inline constexpr SysReg ICC_AP1R0_EL1{3, 0, 12, 9, 0}, ICC_AP1R1_EL1{3, 0, 12, 9, 1}, ICC_AP1R2_EL1{3, 0, 12, 9, 2},
    ICC_AP1R3_EL1{3, 0, 12, 9, 3};
inline constexpr SysReg ICC_DIR_EL1{3, 0, 12, 11, 1}, ICC_RPR_EL1{3, 0, 12, 11, 3};
inline constexpr SysReg ICC_SGI1R_EL1{3, 0, 12, 11, 5}, ICC_ASGI1R_EL1{3, 0, 12, 11, 6}, ICC_SGI0R_EL1{3, 0, 12, 11, 7};
inline constexpr SysReg ICC_IAR1_EL1{3, 0, 12, 12, 0}, ICC_EOIR1_EL1{3, 0, 12, 12, 1}, ICC_HPPIR1_EL1{3, 0, 12, 12, 2},
    ICC_BPR1_EL1{3, 0, 12, 12, 3};
inline constexpr SysReg ICC_CTLR_EL1{3, 0, 12, 12, 4}, ICC_SRE_EL1{3, 0, 12, 12, 5}, ICC_IGRPEN0_EL1{3, 0, 12, 12, 6},
    ICC_IGRPEN1_EL1{3, 0, 12, 12, 7};

// "Debug System registers".
inline constexpr SysReg OSDTRRX_EL1{2, 0, 0, 0, 2}, MDCCINT_EL1{2, 0, 0, 2, 0}, MDSCR_EL1{2, 0, 0, 2, 2},
    OSDTRTX_EL1{2, 0, 0, 3, 2}, OSECCR_EL1{2, 0, 0, 6, 2};
inline constexpr SysReg MDRAR_EL1{2, 0, 1, 0, 0}, OSLAR_EL1{2, 0, 1, 0, 4}, OSLSR_EL1{2, 0, 1, 1, 4}, OSDLR_EL1{2, 0, 1, 3, 4},
    DBGPRCR_EL1{2, 0, 1, 4, 4};
inline constexpr SysReg DBGCLAIMSET_EL1{2, 0, 7, 8, 6}, DBGCLAIMCLR_EL1{2, 0, 7, 9, 6}, DBGAUTHSTATUS_EL1{2, 0, 7, 14, 6};
inline constexpr SysReg MDCCSR_EL0{2, 3, 0, 1, 0}, DBGDTR_EL0{2, 3, 0, 4, 0}, DBGDTRRX_EL0{2, 3, 0, 5, 0},
    DBGVCR32_EL2{2, 4, 0, 7, 0};
/// n is 0 to 15.
[[nodiscard]] constexpr SysReg DBGBVR_EL1(u8 n) { return {2, 0, 0, n, 4}; }
[[nodiscard]] constexpr SysReg DBGBCR_EL1(u8 n) { return {2, 0, 0, n, 5}; }
[[nodiscard]] constexpr SysReg DBGWVR_EL1(u8 n) { return {2, 0, 0, n, 6}; }
[[nodiscard]] constexpr SysReg DBGWCR_EL1(u8 n) { return {2, 0, 0, n, 7}; }

// "Performance Monitors registers".
inline constexpr SysReg PMCR_EL0{3, 3, 9, 12, 0}, PMCNTENSET_EL0{3, 3, 9, 12, 1}, PMCNTENCLR_EL0{3, 3, 9, 12, 2},
    PMOVSCLR_EL0{3, 3, 9, 12, 3};
inline constexpr SysReg PMSWINC_EL0{3, 3, 9, 12, 4}, PMSELR_EL0{3, 3, 9, 12, 5}, PMCEID0_EL0{3, 3, 9, 12, 6},
    PMCEID1_EL0{3, 3, 9, 12, 7};
inline constexpr SysReg PMCCNTR_EL0{3, 3, 9, 13, 0}, PMXEVTYPER_EL0{3, 3, 9, 13, 1}, PMXEVCNTR_EL0{3, 3, 9, 13, 2};
inline constexpr SysReg PMUSERENR_EL0{3, 3, 9, 14, 0}, PMOVSSET_EL0{3, 3, 9, 14, 3}, PMINTENSET_EL1{3, 0, 9, 14, 1},
    PMINTENCLR_EL1{3, 0, 9, 14, 2};
inline constexpr SysReg PMMIR_EL1{3, 0, 9, 14, 6}, PMCCFILTR_EL0{3, 3, 14, 15, 7};
/// n is 0 to 30.
[[nodiscard]] constexpr SysReg PMEVCNTR_EL0(unsigned n) { return {3, 3, 14, static_cast<u8>(8 + n / 8), static_cast<u8>(n % 8)}; }
[[nodiscard]] constexpr SysReg PMEVTYPER_EL0(unsigned n) {
    return {3, 3, 14, static_cast<u8>(12 + n / 8), static_cast<u8>(n % 8)};
}

// What a hypervisor at EL2 programs and reads.
inline constexpr SysReg VPIDR_EL2{3, 4, 0, 0, 0}, VMPIDR_EL2{3, 4, 0, 0, 5}, SCTLR_EL2{3, 4, 1, 0, 0};
inline constexpr SysReg HCR_EL2{3, 4, 1, 1, 0}, MDCR_EL2{3, 4, 1, 1, 1}, CPTR_EL2{3, 4, 1, 1, 2}, HSTR_EL2{3, 4, 1, 1, 3},
    HACR_EL2{3, 4, 1, 1, 7};
inline constexpr SysReg VTTBR_EL2{3, 4, 2, 1, 0}, VTCR_EL2{3, 4, 2, 1, 2}, SPSR_EL2{3, 4, 4, 0, 0}, ELR_EL2{3, 4, 4, 0, 1},
    SP_EL1{3, 4, 4, 1, 0};
inline constexpr SysReg ESR_EL2{3, 4, 5, 2, 0}, FAR_EL2{3, 4, 6, 0, 0}, HPFAR_EL2{3, 4, 6, 0, 4}, CNTVOFF_EL2{3, 4, 14, 0, 3},
    CNTHCTL_EL2{3, 4, 14, 1, 0};
inline constexpr SysReg ICH_HCR_EL2{3, 4, 12, 11, 0}, ICH_VTR_EL2{3, 4, 12, 11, 1}, ICH_MISR_EL2{3, 4, 12, 11, 2},
    ICH_EISR_EL2{3, 4, 12, 11, 3};
inline constexpr SysReg ICH_ELRSR_EL2{3, 4, 12, 11, 5}, ICH_VMCR_EL2{3, 4, 12, 11, 7}, SCR_EL3{3, 6, 1, 1, 0};
/// n is 0 to 3.
[[nodiscard]] constexpr SysReg ICH_AP0R_EL2(u8 n) { return {3, 4, 12, 8, n}; }
[[nodiscard]] constexpr SysReg ICH_AP1R_EL2(u8 n) { return {3, 4, 12, 9, n}; }
/// n is 0 to 15.
[[nodiscard]] constexpr SysReg ICH_LR_EL2(u8 n) { return {3, 4, 12, static_cast<u8>(12 + n / 8), static_cast<u8>(n % 8)}; }

// "Cache maintenance system instructions" and "Address translation system instructions".
inline constexpr SysReg IC_IALLUIS{1, 0, 7, 1, 0}, IC_IALLU{1, 0, 7, 5, 0}, IC_IVAU{1, 3, 7, 5, 1};
inline constexpr SysReg DC_IVAC{1, 0, 7, 6, 1}, DC_ISW{1, 0, 7, 6, 2}, DC_CSW{1, 0, 7, 10, 2}, DC_CISW{1, 0, 7, 14, 2};
inline constexpr SysReg DC_ZVA{1, 3, 7, 4, 1}, DC_CVAC{1, 3, 7, 10, 1}, DC_CVAU{1, 3, 7, 11, 1}, DC_CVAP{1, 3, 7, 12, 1},
    DC_CIVAC{1, 3, 7, 14, 1};
inline constexpr SysReg AT_S1E1R{1, 0, 7, 8, 0}, AT_S1E1W{1, 0, 7, 8, 1}, AT_S1E0R{1, 0, 7, 8, 2}, AT_S1E0W{1, 0, 7, 8, 3};
inline constexpr SysReg AT_S1E1RP{1, 0, 7, 9, 0}, AT_S1E1WP{1, 0, 7, 9, 1};

// "TLB maintenance instructions" for EL1&0.
inline constexpr SysReg TLBI_VMALLE1{1, 0, 8, 7, 0}, TLBI_VAE1{1, 0, 8, 7, 1}, TLBI_ASIDE1{1, 0, 8, 7, 2};
inline constexpr SysReg TLBI_VAAE1{1, 0, 8, 7, 3}, TLBI_VALE1{1, 0, 8, 7, 5}, TLBI_VAALE1{1, 0, 8, 7, 7};
inline constexpr SysReg TLBI_VMALLE1IS{1, 0, 8, 3, 0}, TLBI_VAE1IS{1, 0, 8, 3, 1}, TLBI_ASIDE1IS{1, 0, 8, 3, 2};
inline constexpr SysReg TLBI_VAAE1IS{1, 0, 8, 3, 3}, TLBI_VALE1IS{1, 0, 8, 3, 5}, TLBI_VAALE1IS{1, 0, 8, 3, 7};

/// The classes of system instructions that share an encoding's op0 and CRn.
[[nodiscard]] constexpr bool is_tlbi(SysReg r) { return r.op0 == 1 && (r.crn == 8 || r.crn == 9); }
[[nodiscard]] constexpr bool is_at(SysReg r) { return r.op0 == 1 && r.crn == 7 && (r.crm == 8 || r.crm == 9); }
[[nodiscard]] constexpr bool is_ic(SysReg r) { return r == IC_IALLUIS || r == IC_IALLU || r == IC_IVAU; }
[[nodiscard]] constexpr bool is_dc(SysReg r) { return r.op0 == 1 && r.crn == 7 && !is_at(r) && !is_ic(r); }
/// A TLBI that other CPUs of the Inner Shareable domain obey too.
[[nodiscard]] constexpr bool is_broadcast_tlbi(SysReg r) {
    return is_tlbi(r) && (r.crm == 1 || r.crm == 2 || r.crm == 3 || r.crm == 5);
}

/// ID registers and reserved encodings that HCR_EL2.TID3 traps ("HCR_EL2, TID3").
[[nodiscard]] constexpr bool is_id_group_3(SysReg r) {
    return r.op0 == 3 && r.op1 == 0 && r.crn == 0 && r.crm >= 1 && r.crm <= 7;
}
/// The EL1 view of the GIC CPU interface.
[[nodiscard]] constexpr bool is_icc(SysReg r) {
    return r.op0 == 3 && r.op1 == 0 && ((r.crn == 12 && r.crm >= 8 && r.crm <= 12) || r == ICC_PMR_EL1);
}
/// "Generic Timer": the EL1 physical timer and counter; the virtual ones.
[[nodiscard]] constexpr bool is_cntp(SysReg r) { return r == CNTP_TVAL_EL0 || r == CNTP_CTL_EL0 || r == CNTP_CVAL_EL0; }
[[nodiscard]] constexpr bool is_cntv(SysReg r) { return r == CNTV_TVAL_EL0 || r == CNTV_CTL_EL0 || r == CNTV_CVAL_EL0; }
/// "Performance Monitors registers", all of them.
[[nodiscard]] constexpr bool is_pmu(SysReg r) {
    return r.op0 == 3 && ((r.crn == 9 && r.crm >= 12 && r.crm <= 14 && (r.op1 == 3 || r.op1 == 0)) ||
                          (r.op1 == 3 && r.crn == 14 && r.crm >= 8));
}
/// Debug and trace registers.
[[nodiscard]] constexpr bool is_debug(SysReg r) { return r.op0 == 2; }

static_assert(PMEVCNTR_EL0(30) == SysReg{3, 3, 14, 11, 6} && PMEVTYPER_EL0(0) == SysReg{3, 3, 14, 12, 0});
static_assert(ICH_LR_EL2(9) == SysReg{3, 4, 12, 13, 1});
static_assert(is_icc(ICC_SGI1R_EL1) && is_icc(ICC_PMR_EL1) && !is_icc(VBAR_EL1));
static_assert(is_pmu(PMCCFILTR_EL0) && is_pmu(PMINTENSET_EL1) && !is_pmu(CNTV_CTL_EL0));
static_assert(is_broadcast_tlbi(TLBI_VAE1IS) && !is_broadcast_tlbi(TLBI_VAE1) && is_dc(DC_ZVA) && is_at(AT_S1E1RP));

}  // namespace sysreg

}  // namespace ax::arm64
