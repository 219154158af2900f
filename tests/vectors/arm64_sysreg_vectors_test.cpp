// MSR, MRS and SYS that trap, each class of registers.
#include "tests/vectors/arm64_vector.hpp"

namespace ax::arm64::testing {
namespace {

// clang-format off
constexpr auto sysreg_vectors = std::to_array<TrapVector>({
    // section, what, ESR_EL2, FAR_EL2, HPFAR_EL2, code at ELR, expected
    {section::system, "read ID_AA64PFR0_EL1", 0x62300069, 0x0, 0x0, unreadable,
     "arch-call 0xc020 told 0x0; register x3 +4; serve mrs s3_0_c0_c4_0 x3"},
    {section::system, "read ID_AA64MMFR4_EL1", 0x6238008f, 0x0, 0x0, unreadable,
     "arch-call 0xc03c told 0x0; register x4 +4; serve mrs s3_0_c0_c7_4 x4"},
    {section::system, "read reserved ID register", 0x623e00a7, 0x0, 0x0, unreadable,
     "arch-call 0xc01f told 0x0; register x5 +4; serve mrs s3_0_c0_c3_7 x5"},
    {section::system, "read ID_ISAR0_EL1", 0x623000c5, 0x0, 0x0, unreadable,
     "arch-call 0xc010 told 0x0; register x6 +4; serve mrs s3_0_c0_c2_0 x6"},
    {section::system, "read CNTP_CTL_EL0", 0x6232f8e5, 0x0, 0x0, unreadable,
     "arch-call 0xdf11 told 0x0; register x7 +4; serve mrs s3_3_c14_c2_1 x7"},
    {section::system, "write CNTP_CTL_EL0", 0x6232f904, 0x0, 0x0, unreadable,
     "arch-call 0xdf11 told 0x0; skip +4; serve msr s3_3_c14_c2_1 x8"},
    {section::system, "write CNTP_CVAL_EL0", 0x6234f924, 0x0, 0x0, unreadable,
     "arch-call 0xdf12 told 0x0; skip +4; serve msr s3_3_c14_c2_2 x9"},
    {section::system, "read CNTP_TVAL_EL0", 0x6230f945, 0x0, 0x0, unreadable,
     "arch-call 0xdf10 told 0x0; register x10 +4; serve mrs s3_3_c14_c2_0 x10"},
    {section::system, "read ACTLR_EL1", 0x62320561, 0x0, 0x0, unreadable,
     "arch-call 0xc081 told 0x0; register x11 +4; serve mrs s3_0_c1_c0_1 x11"},
    {section::system, "write OSLAR_EL1", 0x62280580, 0x0, 0x0, unreadable,
     "arch-call 0x8084 told 0x0; skip +4; serve msr s2_0_c1_c0_4 x12"},
    {section::system, "read OSLSR_EL1", 0x622805a3, 0x0, 0x0, unreadable,
     "arch-call 0x808c told 0x0; register x13 +4; serve mrs s2_0_c1_c1_4 x13"},
    {section::system, "write OSDLR_EL1", 0x622805c6, 0x0, 0x0, unreadable,
     "arch-call 0x809c told 0x0; skip +4; serve msr s2_0_c1_c3_4 x14"},
    {section::system, "write MDSCR_EL1", 0x622401e4, 0x0, 0x0, unreadable,
     "arch-call 0x8012 told 0x0; skip +4; serve msr s2_0_c0_c2_2 x15"},
    {section::system, "write DBGBVR5_EL1", 0x6228020a, 0x0, 0x0, unreadable,
     "arch-call 0x802c told 0x0; skip +4; serve msr s2_0_c0_c5_4 x16"},
    {section::system, "write DBGWCR3_EL1", 0x622e0226, 0x0, 0x0, unreadable,
     "arch-call 0x801f told 0x0; skip +4; serve msr s2_0_c0_c3_7 x17"},
    {section::system, "read MDCCSR_EL0", 0x6220c243, 0x0, 0x0, unreadable,
     "arch-call 0x9808 told 0x0; register x18 +4; serve mrs s2_3_c0_c1_0 x18"},
    {section::system, "read PMCR_EL0", 0x6230e679, 0x0, 0x0, unreadable,
     "arch-call 0xdce0 told 0x0; register x19 +4; serve mrs s3_3_c9_c12_0 x19"},
    {section::system, "read PMCCNTR_EL0", 0x6230e69b, 0x0, 0x0, unreadable,
     "arch-call 0xdce8 told 0x0; register x20 +4; serve mrs s3_3_c9_c13_0 x20"},
    {section::system, "write PMEVTYPER30_EL0", 0x623cfabe, 0x0, 0x0, unreadable,
     "arch-call 0xdf7e told 0x0; skip +4; serve msr s3_3_c14_c15_6 x21"},
    {section::system, "write PMINTENSET_EL1", 0x623226dc, 0x0, 0x0, unreadable,
     "arch-call 0xc4f1 told 0x0; skip +4; serve msr s3_0_c9_c14_1 x22"},
    {section::system, "write implementation defined", 0x62307ee4, 0x0, 0x0, unreadable,
     "arch-call 0xcf90 told 0x0; skip +4; serve msr s3_1_c15_c2_0 x23"},
    {section::system, "read ICC_IAR1_EL1", 0x62303319, 0x0, 0x0, unreadable,
     "arch-call 0xc660 told 0x0; register x24 +4; serve mrs s3_0_c12_c12_0 x24"},
    {section::system, "write ICC_EOIR1_EL1", 0x62323338, 0x0, 0x0, unreadable,
     "arch-call 0xc661 told 0x0; skip +4; serve msr s3_0_c12_c12_1 x25"},
    {section::system, "write ICC_DIR_EL1", 0x62323356, 0x0, 0x0, unreadable,
     "arch-call 0xc659 told 0x0; skip +4; serve msr s3_0_c12_c11_1 x26"},
    {section::system, "write ICC_PMR_EL1", 0x6230136c, 0x0, 0x0, unreadable,
     "arch-call 0xc230 told 0x0; skip +4; serve msr s3_0_c4_c6_0 x27"},
    {section::system, "write TLBI VMALLE1IS", 0x62102386, 0x0, 0x0, unreadable,
     "arch-call 0x4418 told 0x0; skip +4; serve msr s1_0_c8_c3_0 x28"},
    {section::system, "write DC CISW", 0x62141fbc, 0x0, 0x0, unreadable,
     "arch-call 0x43f2 told 0x0; skip +4; serve msr s1_0_c7_c14_2 x29"},
    {section::system, "write SCTLR_EL1", 0x623007c0, 0x0, 0x0, unreadable,
     "arch-call 0xc080 told 0x0; skip +4; serve msr s3_0_c1_c0_0 x30"},
    {section::system, "read RNDR", 0x6230cbe9, 0x0, 0x0, unreadable,
     "arch-call 0xd920 told 0x0; register x31 +4; serve mrs s3_3_c2_c4_0 x31"},
    {section::system, "read CNTPCT_EL0", 0x6232f801, 0x0, 0x0, unreadable,
     "arch-call 0xdf01 told 0x0; register x0 +4; serve mrs s3_3_c14_c0_1 x0"},
    {section::system, "read of a register that is only written", 0x623a3077, 0x0, 0x0, unreadable,
     "undefined-insn 0xd538cba3; none"},
});
// clang-format on

TEST(Arm64Vectors, system_registers) { check_vectors(sysreg_vectors); }

}  // namespace
}  // namespace ax::arm64::testing
