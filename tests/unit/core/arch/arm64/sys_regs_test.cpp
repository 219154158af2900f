// Encodings of system registers against what an assembler makes of their names.
#include <gtest/gtest.h>

#include "core/arch/arm64/trap.hpp"

namespace ax::arm64::testing {
namespace {

struct Encoded {
    SysReg reg;
    bool is_read = false;
    u32 word = 0;  ///< MRS, MSR or SYS with X0
};

// Made with GNU as 2.40 from the names in lower case: `mrs x0, sctlr_el1`, `tlbi vae1is, x0`.
constexpr Encoded encoded[] = {
    {sysreg::MIDR_EL1, true, 0xd5380000},
    {sysreg::MPIDR_EL1, true, 0xd53800a0},
    {sysreg::REVIDR_EL1, true, 0xd53800c0},
    {sysreg::ID_PFR0_EL1, true, 0xd5380100},
    {sysreg::ID_PFR1_EL1, true, 0xd5380120},
    {sysreg::ID_DFR0_EL1, true, 0xd5380140},
    {sysreg::ID_AFR0_EL1, true, 0xd5380160},
    {sysreg::ID_MMFR0_EL1, true, 0xd5380180},
    {sysreg::ID_MMFR1_EL1, true, 0xd53801a0},
    {sysreg::ID_MMFR2_EL1, true, 0xd53801c0},
    {sysreg::ID_MMFR3_EL1, true, 0xd53801e0},
    {sysreg::ID_MMFR4_EL1, true, 0xd53802c0},
    {sysreg::ID_MMFR5_EL1, true, 0xd53803c0},
    {sysreg::ID_ISAR0_EL1, true, 0xd5380200},
    {sysreg::ID_ISAR1_EL1, true, 0xd5380220},
    {sysreg::ID_ISAR2_EL1, true, 0xd5380240},
    {sysreg::ID_ISAR3_EL1, true, 0xd5380260},
    {sysreg::ID_ISAR4_EL1, true, 0xd5380280},
    {sysreg::ID_ISAR5_EL1, true, 0xd53802a0},
    {sysreg::ID_ISAR6_EL1, true, 0xd53802e0},
    {sysreg::ID_PFR2_EL1, true, 0xd5380380},
    {sysreg::ID_DFR1_EL1, true, 0xd53803a0},
    {sysreg::MVFR0_EL1, true, 0xd5380300},
    {sysreg::MVFR1_EL1, true, 0xd5380320},
    {sysreg::MVFR2_EL1, true, 0xd5380340},
    {sysreg::ID_AA64PFR0_EL1, true, 0xd5380400},
    {sysreg::ID_AA64PFR1_EL1, true, 0xd5380420},
    {sysreg::ID_AA64ZFR0_EL1, true, 0xd5380480},
    {sysreg::ID_AA64SMFR0_EL1, true, 0xd53804a0},
    {sysreg::ID_AA64DFR0_EL1, true, 0xd5380500},
    {sysreg::ID_AA64DFR1_EL1, true, 0xd5380520},
    {sysreg::ID_AA64AFR0_EL1, true, 0xd5380580},
    {sysreg::ID_AA64AFR1_EL1, true, 0xd53805a0},
    {sysreg::ID_AA64ISAR0_EL1, true, 0xd5380600},
    {sysreg::ID_AA64ISAR1_EL1, true, 0xd5380620},
    {sysreg::ID_AA64ISAR2_EL1, true, 0xd5380640},
    {sysreg::ID_AA64MMFR0_EL1, true, 0xd5380700},
    {sysreg::ID_AA64MMFR1_EL1, true, 0xd5380720},
    {sysreg::ID_AA64MMFR2_EL1, true, 0xd5380740},
    {sysreg::CCSIDR_EL1, true, 0xd5390000},
    {sysreg::CLIDR_EL1, true, 0xd5390020},
    {sysreg::AIDR_EL1, true, 0xd53900e0},
    {sysreg::CSSELR_EL1, true, 0xd53a0000},
    {sysreg::CTR_EL0, true, 0xd53b0020},
    {sysreg::DCZID_EL0, true, 0xd53b00e0},
    {sysreg::SCTLR_EL1, true, 0xd5381000},
    {sysreg::ACTLR_EL1, true, 0xd5381020},
    {sysreg::CPACR_EL1, true, 0xd5381040},
    {sysreg::ZCR_EL1, true, 0xd5381200},
    {sysreg::TTBR0_EL1, true, 0xd5382000},
    {sysreg::TTBR1_EL1, true, 0xd5382020},
    {sysreg::TCR_EL1, true, 0xd5382040},
    {sysreg::APIAKeyLo_EL1, true, 0xd5382100},
    {sysreg::APIAKeyHi_EL1, true, 0xd5382120},
    {sysreg::APIBKeyLo_EL1, true, 0xd5382140},
    {sysreg::APIBKeyHi_EL1, true, 0xd5382160},
    {sysreg::APDAKeyLo_EL1, true, 0xd5382200},
    {sysreg::APDAKeyHi_EL1, true, 0xd5382220},
    {sysreg::APDBKeyLo_EL1, true, 0xd5382240},
    {sysreg::APDBKeyHi_EL1, true, 0xd5382260},
    {sysreg::APGAKeyLo_EL1, true, 0xd5382300},
    {sysreg::APGAKeyHi_EL1, true, 0xd5382320},
    {sysreg::SPSR_EL1, true, 0xd5384000},
    {sysreg::ELR_EL1, true, 0xd5384020},
    {sysreg::SP_EL0, true, 0xd5384100},
    {sysreg::SPSel, true, 0xd5384200},
    {sysreg::CurrentEL, true, 0xd5384240},
    {sysreg::PAN, true, 0xd5384260},
    {sysreg::UAO, true, 0xd5384280},
    {sysreg::AFSR0_EL1, true, 0xd5385100},
    {sysreg::AFSR1_EL1, true, 0xd5385120},
    {sysreg::ESR_EL1, true, 0xd5385200},
    {sysreg::FAR_EL1, true, 0xd5386000},
    {sysreg::ERRIDR_EL1, true, 0xd5385300},
    {sysreg::ERRSELR_EL1, true, 0xd5385320},
    {sysreg::PAR_EL1, true, 0xd5387400},
    {sysreg::MAIR_EL1, true, 0xd538a200},
    {sysreg::AMAIR_EL1, true, 0xd538a300},
    {sysreg::LORSA_EL1, true, 0xd538a400},
    {sysreg::LOREA_EL1, true, 0xd538a420},
    {sysreg::LORN_EL1, true, 0xd538a440},
    {sysreg::LORC_EL1, true, 0xd538a460},
    {sysreg::LORID_EL1, true, 0xd538a4e0},
    {sysreg::VBAR_EL1, true, 0xd538c000},
    {sysreg::RVBAR_EL1, true, 0xd538c020},
    {sysreg::RMR_EL1, true, 0xd538c040},
    {sysreg::ISR_EL1, true, 0xd538c100},
    {sysreg::DISR_EL1, true, 0xd538c120},
    {sysreg::CONTEXTIDR_EL1, true, 0xd538d020},
    {sysreg::TPIDR_EL1, true, 0xd538d080},
    {sysreg::SCXTNUM_EL1, true, 0xd538d0e0},
    {sysreg::TPIDR_EL0, true, 0xd53bd040},
    {sysreg::TPIDRRO_EL0, true, 0xd53bd060},
    {sysreg::SCXTNUM_EL0, true, 0xd53bd0e0},
    {sysreg::NZCV, true, 0xd53b4200},
    {sysreg::DAIF, true, 0xd53b4220},
    {sysreg::FPCR, true, 0xd53b4400},
    {sysreg::FPSR, true, 0xd53b4420},
    {sysreg::DSPSR_EL0, true, 0xd53b4500},
    {sysreg::DLR_EL0, true, 0xd53b4520},
    {sysreg::RNDR, true, 0xd53b2400},
    {sysreg::RNDRRS, true, 0xd53b2420},
    {sysreg::CNTKCTL_EL1, true, 0xd538e100},
    {sysreg::CNTFRQ_EL0, true, 0xd53be000},
    {sysreg::CNTPCT_EL0, true, 0xd53be020},
    {sysreg::CNTVCT_EL0, true, 0xd53be040},
    {sysreg::CNTPCTSS_EL0, true, 0xd53be0a0},
    {sysreg::CNTVCTSS_EL0, true, 0xd53be0c0},
    {sysreg::CNTP_TVAL_EL0, true, 0xd53be200},
    {sysreg::CNTP_CTL_EL0, true, 0xd53be220},
    {sysreg::CNTP_CVAL_EL0, true, 0xd53be240},
    {sysreg::CNTV_TVAL_EL0, true, 0xd53be300},
    {sysreg::CNTV_CTL_EL0, true, 0xd53be320},
    {sysreg::CNTV_CVAL_EL0, true, 0xd53be340},
    {sysreg::ICC_PMR_EL1, true, 0xd5384600},
    {sysreg::ICC_IAR0_EL1, true, 0xd538c800},
    {sysreg::ICC_EOIR0_EL1, false, 0xd518c820},
    {sysreg::ICC_HPPIR0_EL1, true, 0xd538c840},
    {sysreg::ICC_BPR0_EL1, true, 0xd538c860},
    {sysreg::ICC_AP0R0_EL1, true, 0xd538c880},
    {sysreg::ICC_AP0R1_EL1, true, 0xd538c8a0},
    {sysreg::ICC_AP0R2_EL1, true, 0xd538c8c0},
    {sysreg::ICC_AP0R3_EL1, true, 0xd538c8e0},
    {sysreg::ICC_AP1R0_EL1, true, 0xd538c900},
    {sysreg::ICC_AP1R1_EL1, true, 0xd538c920},
    {sysreg::ICC_AP1R2_EL1, true, 0xd538c940},
    {sysreg::ICC_AP1R3_EL1, true, 0xd538c960},
    {sysreg::ICC_DIR_EL1, false, 0xd518cb20},
    {sysreg::ICC_RPR_EL1, true, 0xd538cb60},
    {sysreg::ICC_SGI1R_EL1, false, 0xd518cba0},
    {sysreg::ICC_ASGI1R_EL1, false, 0xd518cbc0},
    {sysreg::ICC_SGI0R_EL1, false, 0xd518cbe0},
    {sysreg::ICC_IAR1_EL1, true, 0xd538cc00},
    {sysreg::ICC_EOIR1_EL1, false, 0xd518cc20},
    {sysreg::ICC_HPPIR1_EL1, true, 0xd538cc40},
    {sysreg::ICC_BPR1_EL1, true, 0xd538cc60},
    {sysreg::ICC_CTLR_EL1, true, 0xd538cc80},
    {sysreg::ICC_SRE_EL1, true, 0xd538cca0},
    {sysreg::ICC_IGRPEN0_EL1, true, 0xd538ccc0},
    {sysreg::ICC_IGRPEN1_EL1, true, 0xd538cce0},
    {sysreg::OSDTRRX_EL1, true, 0xd5300040},
    {sysreg::MDCCINT_EL1, true, 0xd5300200},
    {sysreg::MDSCR_EL1, true, 0xd5300240},
    {sysreg::OSDTRTX_EL1, true, 0xd5300340},
    {sysreg::OSECCR_EL1, true, 0xd5300640},
    {sysreg::MDRAR_EL1, true, 0xd5301000},
    {sysreg::OSLAR_EL1, false, 0xd5101080},
    {sysreg::OSLSR_EL1, true, 0xd5301180},
    {sysreg::OSDLR_EL1, true, 0xd5301380},
    {sysreg::DBGPRCR_EL1, true, 0xd5301480},
    {sysreg::DBGCLAIMSET_EL1, true, 0xd53078c0},
    {sysreg::DBGCLAIMCLR_EL1, true, 0xd53079c0},
    {sysreg::DBGAUTHSTATUS_EL1, true, 0xd5307ec0},
    {sysreg::MDCCSR_EL0, true, 0xd5330100},
    {sysreg::DBGDTR_EL0, true, 0xd5330400},
    {sysreg::DBGDTRRX_EL0, true, 0xd5330500},
    {sysreg::DBGVCR32_EL2, true, 0xd5340700},
    {sysreg::PMCR_EL0, true, 0xd53b9c00},
    {sysreg::PMCNTENSET_EL0, true, 0xd53b9c20},
    {sysreg::PMCNTENCLR_EL0, true, 0xd53b9c40},
    {sysreg::PMOVSCLR_EL0, true, 0xd53b9c60},
    {sysreg::PMSWINC_EL0, false, 0xd51b9c80},
    {sysreg::PMSELR_EL0, true, 0xd53b9ca0},
    {sysreg::PMCEID0_EL0, true, 0xd53b9cc0},
    {sysreg::PMCEID1_EL0, true, 0xd53b9ce0},
    {sysreg::PMCCNTR_EL0, true, 0xd53b9d00},
    {sysreg::PMXEVTYPER_EL0, true, 0xd53b9d20},
    {sysreg::PMXEVCNTR_EL0, true, 0xd53b9d40},
    {sysreg::PMUSERENR_EL0, true, 0xd53b9e00},
    {sysreg::PMOVSSET_EL0, true, 0xd53b9e60},
    {sysreg::PMINTENSET_EL1, true, 0xd5389e20},
    {sysreg::PMINTENCLR_EL1, true, 0xd5389e40},
    {sysreg::PMMIR_EL1, true, 0xd5389ec0},
    {sysreg::PMCCFILTR_EL0, true, 0xd53befe0},
    {sysreg::VPIDR_EL2, true, 0xd53c0000},
    {sysreg::VMPIDR_EL2, true, 0xd53c00a0},
    {sysreg::SCTLR_EL2, true, 0xd53c1000},
    {sysreg::HCR_EL2, true, 0xd53c1100},
    {sysreg::MDCR_EL2, true, 0xd53c1120},
    {sysreg::CPTR_EL2, true, 0xd53c1140},
    {sysreg::HSTR_EL2, true, 0xd53c1160},
    {sysreg::HACR_EL2, true, 0xd53c11e0},
    {sysreg::VTTBR_EL2, true, 0xd53c2100},
    {sysreg::VTCR_EL2, true, 0xd53c2140},
    {sysreg::SPSR_EL2, true, 0xd53c4000},
    {sysreg::ELR_EL2, true, 0xd53c4020},
    {sysreg::SP_EL1, true, 0xd53c4100},
    {sysreg::ESR_EL2, true, 0xd53c5200},
    {sysreg::FAR_EL2, true, 0xd53c6000},
    {sysreg::HPFAR_EL2, true, 0xd53c6080},
    {sysreg::CNTVOFF_EL2, true, 0xd53ce060},
    {sysreg::CNTHCTL_EL2, true, 0xd53ce100},
    {sysreg::ICH_HCR_EL2, true, 0xd53ccb00},
    {sysreg::ICH_VTR_EL2, true, 0xd53ccb20},
    {sysreg::ICH_MISR_EL2, true, 0xd53ccb40},
    {sysreg::ICH_EISR_EL2, true, 0xd53ccb60},
    {sysreg::ICH_ELRSR_EL2, true, 0xd53ccba0},
    {sysreg::ICH_VMCR_EL2, true, 0xd53ccbe0},
    {sysreg::SCR_EL3, true, 0xd53e1100},
    {sysreg::IC_IALLUIS, false, 0xd5087100},
    {sysreg::IC_IALLU, false, 0xd5087500},
    {sysreg::IC_IVAU, false, 0xd50b7520},
    {sysreg::DC_IVAC, false, 0xd5087620},
    {sysreg::DC_ISW, false, 0xd5087640},
    {sysreg::DC_CSW, false, 0xd5087a40},
    {sysreg::DC_CISW, false, 0xd5087e40},
    {sysreg::DC_ZVA, false, 0xd50b7420},
    {sysreg::DC_CVAC, false, 0xd50b7a20},
    {sysreg::DC_CVAU, false, 0xd50b7b20},
    {sysreg::DC_CVAP, false, 0xd50b7c20},
    {sysreg::DC_CIVAC, false, 0xd50b7e20},
    {sysreg::AT_S1E1R, false, 0xd5087800},
    {sysreg::AT_S1E1W, false, 0xd5087820},
    {sysreg::AT_S1E0R, false, 0xd5087840},
    {sysreg::AT_S1E0W, false, 0xd5087860},
    {sysreg::AT_S1E1RP, false, 0xd5087900},
    {sysreg::AT_S1E1WP, false, 0xd5087920},
    {sysreg::TLBI_VMALLE1, false, 0xd5088700},
    {sysreg::TLBI_VAE1, false, 0xd5088720},
    {sysreg::TLBI_ASIDE1, false, 0xd5088740},
    {sysreg::TLBI_VAAE1, false, 0xd5088760},
    {sysreg::TLBI_VALE1, false, 0xd50887a0},
    {sysreg::TLBI_VAALE1, false, 0xd50887e0},
    {sysreg::TLBI_VMALLE1IS, false, 0xd5088300},
    {sysreg::TLBI_VAE1IS, false, 0xd5088320},
    {sysreg::TLBI_ASIDE1IS, false, 0xd5088340},
    {sysreg::TLBI_VAAE1IS, false, 0xd5088360},
    {sysreg::TLBI_VALE1IS, false, 0xd50883a0},
    {sysreg::TLBI_VAALE1IS, false, 0xd50883e0},
};

TEST(Arm64SysRegs, names_have_the_encodings_of_an_assembler) {
    for (const Encoded& e : encoded) EXPECT_EQ((SysregAccess{e.reg, e.is_read, 0}.encoding()), e.word) << std::hex << e.word;
}

TEST(Arm64SysRegs, packing_loses_nothing) {
    for (u64 number = 0; number <= 0xffff; ++number) ASSERT_EQ(SysReg::unpacked(number).packed(), number);
}

TEST(Arm64SysRegs, syndromes_name_every_register_and_direction) {
    for (u64 number = 0; number <= 0xffff; ++number) {
        const SysReg reg = SysReg::unpacked(number);
        ASSERT_EQ(IssSys::reg(IssSys::of(reg, 17, true)), reg);
        ASSERT_EQ(IssSys::Rt::get(IssSys::of(reg, 17, false)), 17U);
        ASSERT_TRUE(IssSys::Direction::test(IssSys::of(reg, 0, true)));
    }
}

struct Classes {
    SysReg reg;
    const char* classes;
};
constexpr Classes classes[] = {
    {sysreg::TLBI_VMALLE1, "tlbi"},
    {sysreg::TLBI_VAE1IS, "tlbi broadcast"},
    {sysreg::AT_S1E1R, "at"},
    {sysreg::AT_S1E1WP, "at"},
    {sysreg::IC_IALLUIS, "ic"},
    {sysreg::IC_IVAU, "ic"},
    {sysreg::DC_ZVA, "dc"},
    {sysreg::DC_CISW, "dc"},
    {sysreg::ID_PFR0_EL1, "id"},
    {sysreg::ID_AA64MMFR4_EL1, "id"},
    {sysreg::MIDR_EL1, ""},
    {sysreg::ICC_IAR1_EL1, "icc"},
    {sysreg::ICC_PMR_EL1, "icc"},
    {sysreg::ICC_AP1R3_EL1, "icc"},
    {sysreg::ISR_EL1, ""},
    {sysreg::VBAR_EL1, ""},
    {sysreg::CNTP_TVAL_EL0, "cntp"},
    {sysreg::CNTV_CVAL_EL0, "cntv"},
    {sysreg::CNTPCT_EL0, ""},
    {sysreg::PMCR_EL0, "pmu"},
    {sysreg::PMEVCNTR_EL0(0), "pmu"},
    {sysreg::PMCCFILTR_EL0, "pmu"},
    {sysreg::PMUSERENR_EL0, "pmu"},
    {sysreg::PMMIR_EL1, "pmu"},
    {sysreg::DBGBVR_EL1(15), "debug"},
    {sysreg::OSLAR_EL1, "debug"},
    {sysreg::MDSCR_EL1, "debug"},
    {sysreg::CNTKCTL_EL1, ""},
    {sysreg::CONTEXTIDR_EL1, ""},
};

std::string classes_of(SysReg r) {
    std::string text;
    const auto add = [&](bool is_in, const char* name) {
        if (is_in) text += (text.empty() ? "" : " ") + std::string(name);
    };
    add(sysreg::is_tlbi(r), "tlbi");
    add(sysreg::is_broadcast_tlbi(r), "broadcast");
    add(sysreg::is_at(r), "at");
    add(sysreg::is_ic(r), "ic");
    add(sysreg::is_dc(r), "dc");
    add(sysreg::is_id_group_3(r), "id");
    add(sysreg::is_icc(r), "icc");
    add(sysreg::is_cntp(r), "cntp");
    add(sysreg::is_cntv(r), "cntv");
    add(sysreg::is_pmu(r), "pmu");
    add(sysreg::is_debug(r), "debug");
    return text;
}

TEST(Arm64SysRegs, registers_belong_to_their_classes_alone) {
    for (const Classes& c : classes) EXPECT_EQ(classes_of(c.reg), c.classes) << std::hex << c.reg.packed();
}

}  // namespace
}  // namespace ax::arm64::testing
