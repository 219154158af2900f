// What guests read of the registers that describe their CPU.
#include "core/arch/arm64/id_regs.hpp"

#include <gtest/gtest.h>

namespace ax::arm64::testing {
namespace {

constexpr IdPolicy gicv3{.has_gicv3 = true};
constexpr IdPolicy gicv2{.has_gicv3 = false};

TEST(Arm64IdRegs, guest_of_a_cortex_a72) {
    EXPECT_EQ(id_register(sysreg::ID_AA64PFR0_EL1, gicv3), 0x0100'0011U);
    EXPECT_EQ(id_register(sysreg::ID_AA64PFR0_EL1, gicv2), 0x0000'0011U);
    EXPECT_EQ(id_register(sysreg::ID_AA64DFR0_EL1, gicv3), 0x1030'5006U);
    EXPECT_EQ(id_register(sysreg::ID_AA64ISAR0_EL1, gicv3), 0x1'1120U);
    EXPECT_EQ(id_register(sysreg::ID_AA64MMFR0_EL1, gicv3), 0x24U);
}

/// HCR_EL2.TID3 traps these, whether a register has the number or not.
TEST(Arm64IdRegs, every_other_register_of_the_group_reads_as_zero) {
    for (u8 crm = 1; crm < 8; ++crm) {
        for (u8 op2 = 0; op2 < 8; ++op2) {
            const SysReg reg{3, 0, 0, crm, op2};
            const bool is_described = reg == sysreg::ID_AA64PFR0_EL1 || reg == sysreg::ID_AA64DFR0_EL1 ||
                                      reg == sysreg::ID_AA64ISAR0_EL1 || reg == sysreg::ID_AA64MMFR0_EL1;
            ASSERT_TRUE(id_register(reg, gicv3).has_value());
            EXPECT_EQ(*id_register(reg, gicv3) != 0, is_described) << int{crm} << " " << int{op2};
        }
    }
}

TEST(Arm64IdRegs, other_registers_are_none_of_the_group) {
    for (const SysReg reg :
         {sysreg::MIDR_EL1, sysreg::MPIDR_EL1, sysreg::REVIDR_EL1, sysreg::CTR_EL0, sysreg::SCTLR_EL1, SysReg{3, 0, 0, 8, 0}})
        EXPECT_EQ(id_register(reg, gicv3), std::nullopt);
}

struct FieldRow {
    const char* feature;
    SysReg reg;
    unsigned low;
    u64 of_all_ones;  ///< what is left of a field of all ones
};
constexpr FieldRow fields[] = {
    {"EL0 in AArch32", sysreg::ID_AA64PFR0_EL1, 0, 1},
    {"EL1 in AArch32", sysreg::ID_AA64PFR0_EL1, 4, 1},
    {"EL2", sysreg::ID_AA64PFR0_EL1, 8, 0},
    {"EL3", sysreg::ID_AA64PFR0_EL1, 12, 0},
    {"floating point, 15 is absent", sysreg::ID_AA64PFR0_EL1, 16, 15},
    {"RAS", sysreg::ID_AA64PFR0_EL1, 28, 0},
    {"SVE", sysreg::ID_AA64PFR0_EL1, 32, 0},
    {"MPAM", sysreg::ID_AA64PFR0_EL1, 40, 0},
    {"activity monitors", sysreg::ID_AA64PFR0_EL1, 44, 0},
    {"SSBS", sysreg::ID_AA64PFR1_EL1, 4, 0},
    {"memory tagging", sysreg::ID_AA64PFR1_EL1, 8, 0},
    {"SME", sysreg::ID_AA64PFR1_EL1, 24, 0},
    {"debug", sysreg::ID_AA64DFR0_EL1, 0, 6},
    {"trace", sysreg::ID_AA64DFR0_EL1, 4, 0},
    {"performance monitors", sysreg::ID_AA64DFR0_EL1, 8, 0},
    {"statistical profiling", sysreg::ID_AA64DFR0_EL1, 32, 0},
    {"atomics", sysreg::ID_AA64ISAR0_EL1, 20, 15},
    {"TLBI by range", sysreg::ID_AA64ISAR0_EL1, 56, 0},
    {"random numbers", sysreg::ID_AA64ISAR0_EL1, 60, 0},
    {"pointer authentication APA", sysreg::ID_AA64ISAR1_EL1, 4, 0},
    {"pointer authentication API", sysreg::ID_AA64ISAR1_EL1, 8, 0},
    {"pointer authentication GPA", sysreg::ID_AA64ISAR1_EL1, 24, 0},
    {"pointer authentication GPI", sysreg::ID_AA64ISAR1_EL1, 28, 0},
    {"WFIT", sysreg::ID_AA64ISAR2_EL1, 0, 0},
    {"52-bit addresses", sysreg::ID_AA64MMFR0_EL1, 0, 5},
    {"mixed endianness", sysreg::ID_AA64MMFR0_EL1, 8, 0},
    {"mixed endianness at EL0", sysreg::ID_AA64MMFR0_EL1, 16, 0},
    {"fine-grained traps", sysreg::ID_AA64MMFR0_EL1, 56, 0},
    {"enhanced counter virtualization", sysreg::ID_AA64MMFR0_EL1, 60, 0},
    {"Access flag by hardware", sysreg::ID_AA64MMFR1_EL1, 0, 0},
    {"virtualization host extensions", sysreg::ID_AA64MMFR1_EL1, 8, 0},
    {"PAN", sysreg::ID_AA64MMFR1_EL1, 20, 0},
    {"nested virtualization", sysreg::ID_AA64MMFR2_EL1, 24, 0},
    {"SVE instructions", sysreg::ID_AA64ZFR0_EL1, 4, 0},
    {"an AArch32 register", sysreg::ID_ISAR0_EL1, 24, 0},
    {"a reserved register", SysReg{3, 0, 0, 7, 7}, 0, 0},
};

TEST(Arm64IdRegs, policy_over_a_cpu_that_has_everything) {
    for (const FieldRow& row : fields)
        EXPECT_EQ((visible_id(row.reg, ~u64{0}, gicv3) >> row.low) & 15, row.of_all_ones) << row.feature;
}

TEST(Arm64IdRegs, nothing_is_invented_but_the_gic) {
    for (u8 crm = 1; crm < 8; ++crm)
        for (u8 op2 = 0; op2 < 8; ++op2) EXPECT_EQ(visible_id(SysReg(3, 0, 0, crm, op2), 0, gicv2), 0U);
    EXPECT_EQ(visible_id(sysreg::ID_AA64PFR0_EL1, 0, gicv3), 0x0100'0000U);
}

TEST(Arm64IdRegs, debug_registers_are_there_to_no_effect) {
    EXPECT_EQ(debug_register(sysreg::OSLSR_EL1), 8U);
    for (const SysReg reg : {sysreg::OSLAR_EL1, sysreg::OSDLR_EL1, sysreg::MDSCR_EL1, sysreg::DBGBVR_EL1(15),
                             sysreg::DBGWCR_EL1(0), sysreg::MDCCSR_EL0})
        EXPECT_EQ(debug_register(reg), 0U);
    constexpr SysReg TRCOSLAR{2, 1, 1, 0, 4};
    for (const SysReg reg : {TRCOSLAR, sysreg::DBGVCR32_EL2, sysreg::PMCR_EL0, sysreg::SCTLR_EL1})
        EXPECT_EQ(debug_register(reg), std::nullopt);
}

}  // namespace
}  // namespace ax::arm64::testing
