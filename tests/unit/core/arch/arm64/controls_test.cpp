// EL2 control values, bit by bit from the manual, and their agreement with the stage 2 tables.
#include "core/arch/arm64/controls.hpp"

#include <gtest/gtest.h>

#include "core/arch/arm64/regs.hpp"
#include "core/mm/vmsav8_s2.hpp"

namespace ax::arm64::testing {
namespace {

constexpr Hpa root{0x8000'4000};

TEST(Arm64Controls, values_for_a_vm_with_a_gicv3) {
    const El2Regs el2 =
        controls_for({.stage2_root = root, .vmid = 3, .ipa_bits = 40, .physical_bits = 40, .vcpu_count = 2, .affinity = 0x101});
    // VM, SWIO, FMO, IMO, AMO, FB, BSU inner shareable, TWI, TWE, TID3, TSC, TIDCP, TACR, RW.
    EXPECT_EQ(el2.HCR_EL2, 0x803c'663bU);
    EXPECT_EQ(el2.VTCR_EL2, 0x8002'3558U);
    EXPECT_EQ(el2.VTTBR_EL2, 0x0003'0000'8000'4000U);
    EXPECT_EQ(el2.CPTR_EL2, 0x33ffU);
    EXPECT_EQ(el2.MDCR_EL2, 0xe60U);
    EXPECT_EQ(el2.CNTHCTL_EL2, 1U);
    EXPECT_EQ(el2.CNTVOFF_EL2, 0U);
    EXPECT_EQ(el2.HSTR_EL2, 0U);
    EXPECT_EQ(el2.VPIDR_EL2, 0x410f'd083U);
    EXPECT_EQ(el2.VMPIDR_EL2, 0x8000'0101U);
    EXPECT_EQ(el2.ICH_HCR_EL2, 1U);
    EXPECT_EQ(el2.ICH_VMCR_EL2, 0U);
    EXPECT_EQ(el2.SPSR_EL2, 0x3c5U);
}

TEST(Arm64Controls, one_vcpu_waits_for_nobody) {
    EXPECT_FALSE(Hcr::TWE::test(controls_for({.vcpu_count = 1}).HCR_EL2));
    EXPECT_TRUE(Hcr::TWI::test(controls_for({.vcpu_count = 1}).HCR_EL2));
    EXPECT_TRUE(Hcr::TWE::test(controls_for({.vcpu_count = 2}).HCR_EL2));
}

TEST(Arm64Controls, emulated_gicv2_has_no_list_registers) {
    EXPECT_EQ(controls_for({.has_list_registers = false}).ICH_HCR_EL2, 0U);
}

TEST(Arm64Controls, vmid_has_eight_bits) {
    EXPECT_EQ(Vttbr::VMID::get(controls_for({.stage2_root = root, .vmid = 0x1ff}).VTTBR_EL2), 0xffU);
}

TEST(Arm64Controls, affinity_is_all_that_the_guest_chooses_of_mpidr) {
    EXPECT_EQ(controls_for({.affinity = ~u64{0}}).VMPIDR_EL2, 0xff'80ff'ffffU);
}

TEST(Arm64Controls, midr_is_a_setting) { EXPECT_EQ(controls_for({.midr = 0x411f'd070}).VPIDR_EL2, 0x411f'd070U); }

struct SizeRow {
    unsigned physical_bits;
    u64 ps;
};
constexpr SizeRow sizes[] = {{32, 0}, {33, 1}, {36, 1}, {39, 2}, {40, 2}, {42, 3}, {43, 4}, {44, 4}, {47, 5}, {48, 5}, {52, 5}};

TEST(Arm64Controls, output_size_is_the_smallest_that_is_enough) {
    for (const SizeRow& row : sizes)
        EXPECT_EQ(Vtcr::PS::get(controls_for({.physical_bits = row.physical_bits}).VTCR_EL2), row.ps) << row.physical_bits;
}

/// "VTCR_EL2, SL0" and "Concatenated translation tables", 4 KiB granule: SL0 1 starts at level 1, SL0 2 at level 0; the start
/// level resolves what T0SZ leaves, with at most sixteen tables.
TEST(Arm64Controls, walk_starts_where_the_tables_do) {
    for (unsigned ipa_bits = 39; ipa_bits <= 48; ++ipa_bits) {
        const u64 vtcr = controls_for({.ipa_bits = ipa_bits, .physical_bits = 48}).VTCR_EL2;
        const mm::Vmsav8Stage2 format{ipa_bits, 48};
        EXPECT_EQ(Vtcr::T0SZ::get(vtcr), 64 - ipa_bits);
        EXPECT_EQ(Vtcr::SL0::get(vtcr) == 2, format.starts_at_level_0()) << ipa_bits;
        const unsigned resolved_below = format.starts_at_level_0() ? 39 : 30;
        const unsigned root_bits = ipa_bits - resolved_below;
        EXPECT_EQ(format.root_index_bits(), root_bits);
        EXPECT_LE(root_bits, 9U + 4U);
        EXPECT_EQ(Vtcr::TG0::get(vtcr), 0U);
        EXPECT_EQ(Vtcr::VS::get(vtcr), 0U);
    }
}

}  // namespace
}  // namespace ax::arm64::testing
