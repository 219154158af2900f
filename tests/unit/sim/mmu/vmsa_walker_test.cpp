// Arm ARM DDI 0487, "The AArch64 Virtual Memory System Architecture"; each row names its section.
#include "sim/mmu/vmsa_walker.hpp"

#include <gtest/gtest.h>

#include <optional>

#include "tests/unit/sim/mmu/vmsa_fixture.hpp"

namespace ax::sim::arm64 {
namespace {

using namespace test;
using Kind = VmsaFaultKind;

struct Want {
    Kind kind;
    u8 level;
};

void expect_result(const std::expected<VmsaTranslation, VmsaFault>& found, std::optional<Want> want, const char* why) {
    ASSERT_EQ(found.has_value(), !want.has_value()) << why;
    if (!want) return;
    EXPECT_EQ(index(found.error().kind), index(want->kind)) << why;
    EXPECT_EQ(found.error().level, want->level) << why;
}

TEST(VmsaWalker, descriptors_are_blocks_pages_tables_or_faults) {
    struct Case {
        const char* section;
        u64 table_page;  ///< 1 to 4: levels 0 to 3
        u64 descriptor;
        std::optional<Want> want;
        u64 ipa;
    };
    const u64 out = 0x1'4000'0000, va = 0x4321;
    const Case cases[] = {
        {"VMSAv8-64 descriptor formats: a page", 4, out | page | af, {}, out + 0x321},
        {"at level 3, 01 is reserved and faults", 4, out | block | af, Want{Kind::Translation, 3}, 0},
        {"bit 0 clear is invalid", 4, out | 2 | af, Want{Kind::Translation, 3}, 0},
        {"a 2 MiB block; its low address bits are not looked at", 3, out | block | af | bit(12), {}, out + va},
        {"a 1 GiB block", 2, out | block | af, {}, out + va},
        {"no blocks at level 0 with 4 KiB granules", 1, out | block | af, Want{Kind::Translation, 0}, 0},
        {"invalid at level 0", 1, 0, Want{Kind::Translation, 0}, 0},
        {"invalid at level 1", 2, 0, Want{Kind::Translation, 1}, 0},
        {"invalid at level 2", 3, 0, Want{Kind::Translation, 2}, 0},
        {"The Access flag: clear faults, nothing sets it", 4, out | page, Want{Kind::AccessFlag, 3}, 0},
        {"The Access flag: in a block", 3, out | block, Want{Kind::AccessFlag, 2}, 0},
        {"The Contiguous bit is a hint", 4, out | page | af | bit(52), {}, out + 0x321},
        {"Synchronous external abort on a walk: the level is that of the descriptor", 2, 0x1000 | table, Want{Kind::External, 2},
         0},
    };
    for (const Case& c : cases) {
        Tables t;
        t.set(c.table_page, c.table_page == 4 ? 4 : 0, c.descriptor);
        const auto found = t.at(va);
        expect_result(found, c.want, c.section);
        if (!found) continue;
        EXPECT_EQ(found->page, Hpa{c.ipa}.page_base()) << c.section;
        EXPECT_EQ(found->ipa_page, Gpa{c.ipa}.page_base()) << c.section;
    }
}

TEST(VmsaWalker, tcr_decides_what_is_in_range) {
    struct Case {
        const char* section;
        u64 tcr;  ///< flipped on top of the fixture's
        u64 va;
        std::optional<Want> want;
    };
    const u64 upper = 0xffff'0000'0000'0000;
    const Case cases[] = {
        {"TTBR0_EL1 translates the low half", 0, 0, {}},
        {"TTBR1_EL1 translates the high half", 0, upper, {}},
        {"Address tagging: without TBI0 the top byte counts", 0, u64{0x42} << 56, Want{Kind::Translation, 0}},
        {"Address tagging: TBI0", bit(37), u64{0x42} << 56, {}},
        {"TBI0 says nothing of the high half", bit(37), upper ^ (u64{0x42} << 56), Want{Kind::Translation, 0}},
        {"Address tagging: TBI1", bit(38), upper ^ (u64{0x42} << 56), {}},
        {"TBI: bit 55 still selects", bit(37) | bit(38), bit(55), Want{Kind::Translation, 0}},
        {"an address between the ranges", 0, bit(48), Want{Kind::Translation, 0}},
        {"the last address of no range", 0, upper - 1, Want{Kind::Translation, 0}},
        {"TCR_EL1.EPD0", bit(7), 0, Want{Kind::Translation, 0}},
        {"TCR_EL1.EPD0 leaves TTBR1", bit(7), upper, {}},
        {"TCR_EL1.EPD1", bit(23), upper, Want{Kind::Translation, 0}},
        {"TCR_EL1.IPS: 32 bits do not reach the output", u64{0b101} << 32, 0, Want{Kind::AddressSize, 3}},
        {"TCR_EL1.IPS: 36 bits do", (u64{0b101} ^ 0b001) << 32, 0, {}},
    };
    for (const Case& c : cases) {
        Tables t;
        t.set(4, 0, 0x1'4000'0000 | page | af);
        t.set(8, 0, 0x1'5000'0000 | page | af);
        t.context.tcr ^= c.tcr;
        expect_result(t.at(c.va), c.want, c.section);
    }
}

TEST(VmsaWalker, a_table_address_that_is_too_large_is_an_address_size_fault) {
    for (const unsigned level : {0U, 1U, 2U}) {
        Tables t;
        t.context.tcr ^= u64{0b101} << 32;  // 32 bits
        t.set(level + 1, 0, (u64{1} << 32) | t.frame(level + 2) | table);
        expect_result(t.at(0), Want{Kind::AddressSize, static_cast<u8>(level)}, "TCR_EL1.IPS, next table");
    }
    Tables t;
    t.context.tcr ^= u64{0b101} << 32;
    t.context.ttbr0 |= u64{1} << 32;
    expect_result(t.at(0), Want{Kind::AddressSize, 0}, "TTBR0_EL1.BADDR");
    Tables cpu;
    cpu.context.physical_bits = 36;
    cpu.set(4, 0, bit(36) | page | af);
    expect_result(cpu.at(0), Want{Kind::AddressSize, 3}, "IPS is bounded by ID_AA64MMFR0_EL1.PARange");
}

struct Allowed {
    const char* el1;
    const char* el0;
};
constexpr u64 wxn = bit(19);

TEST(VmsaWalker, access_rights_follow_the_tables_of_the_manual) {
    struct Case {
        const char* section;
        u64 leaf, limits, sctlr;  ///< limits: of the level 1 table descriptor
        Allowed want;
    };
    const Case cases[] = {
        {"Data access permissions, AP 00", 0, 0, 0, {"rwx", "--x"}},
        {"Data access permissions, AP 01: what EL0 may write, EL1 may not execute", ap_el0, 0, 0, {"rw-", "rwx"}},
        {"Data access permissions, AP 10", ap_ro, 0, 0, {"r-x", "--x"}},
        {"Data access permissions, AP 11", ap_ro | ap_el0, 0, 0, {"r-x", "r-x"}},
        {"Instruction execution permissions: UXN", ap_el0 | ap_ro | uxn, 0, 0, {"r-x", "r--"}},
        {"Instruction execution permissions: PXN", ap_el0 | ap_ro | pxn, 0, 0, {"r--", "r-x"}},
        {"Hierarchical control: APTable[0] takes EL0's access", ap_el0, bit(61), 0, {"rwx", "--x"}},
        {"Hierarchical control: APTable[1] takes writes", ap_el0, bit(62), 0, {"r-x", "r-x"}},
        {"Hierarchical control: both", ap_el0, bit(61) | bit(62), 0, {"r-x", "--x"}},
        {"Hierarchical control: UXNTable", ap_el0 | ap_ro, bit(60), 0, {"r-x", "r--"}},
        {"Hierarchical control: PXNTable", ap_el0 | ap_ro, bit(59), 0, {"r--", "r-x"}},
        {"SCTLR_EL1.WXN, written at EL1", 0, 0, wxn, {"rw-", "--x"}},
        {"SCTLR_EL1.WXN, written at EL0", ap_el0, 0, wxn, {"rw-", "rw-"}},
        {"SCTLR_EL1.WXN, read-only", ap_el0 | ap_ro, 0, wxn, {"r-x", "r-x"}},
    };
    for (const Case& c : cases) {
        Tables t;
        t.context.sctlr |= c.sctlr;
        t.set(2, 0, t.frame(3) | table | c.limits);
        t.set(4, 0, t.frame(20) | page | af | c.leaf);
        for (const bool is_el0 : {false, true})
            for (const Access access : {Access::Read, Access::Write, Access::Execute}) {
                const bool ok = (is_el0 ? c.want.el0 : c.want.el1)[index(access)] != '-';
                expect_result(t.at(0, access, is_el0), ok ? std::nullopt : std::optional(Want{Kind::Permission, 3}), c.section);
            }
    }
}

TEST(VmsaWalker, pan_keeps_el1_out_of_what_el0_may_read) {
    for (const bool has_pan : {false, true})
        for (const u64 ap : {u64{0}, ap_el0, ap_ro, ap_ro | ap_el0}) {
            Tables t;
            t.context.has_pan = has_pan;
            t.set(4, 0, t.frame(20) | page | af | ap);
            const bool refused = has_pan && (ap & ap_el0) != 0;
            EXPECT_EQ(t.at(0, Access::Read, false, true).has_value(), !refused) << ap;
            EXPECT_EQ(t.at(0, Access::Read, true, true).has_value(), (ap & ap_el0) != 0) << "not for EL0, LDTR";
            EXPECT_EQ(t.at(0, Access::Execute, false, true).has_value(), ap != ap_el0) << "not for fetches";
        }
    Tables off;
    off.context.has_pan = true;
    off.context.sctlr = 0;
    EXPECT_TRUE(off.at(ram, Access::Write, false, true).has_value());
}

TEST(VmsaWalker, stage1_off_is_flat) {
    Tables t;
    t.context.sctlr = wxn;
    for (const bool is_el0 : {false, true})
        for (const Access access : {Access::Read, Access::Write, Access::Execute}) {
            const auto found = t.at(ram + 0x5123, access, is_el0);
            ASSERT_TRUE(found.has_value());
            EXPECT_EQ(found->page, Hpa{ram + 0x5000});
            EXPECT_FALSE(found->non_global);
        }
    t.context.physical_bits = 40;
    expect_result(t.at(bit(40)), Want{Kind::AddressSize, 0}, "AArch64.TranslateAddressS1Off");
    expect_result(t.at(u64{0x42} << 56), Want{Kind::AddressSize, 0}, "without TBI the tag is part of it");
    t.context.tcr |= bit(37);
    EXPECT_TRUE(t.at(u64{0x42} << 56).has_value());
    Tables dc;
    dc.use_stage2();
    dc.context.hcr = bit(12);
    const auto found = dc.at(ram + 0x5123);
    ASSERT_TRUE(found.has_value()) << "HCR_EL2.DC: SCTLR_EL1.M counts as 0, VM as 1";
    EXPECT_EQ(found->stage2.execute, true);
    EXPECT_FALSE(dc.at(0x1000).has_value()) << "stage 2 is on";
}

TEST(VmsaWalker, tables_are_read_in_the_byte_order_of_sctlr_ee) {
    Tables t;
    t.context.sctlr |= bit(25);
    for (const unsigned n : {1U, 2U, 3U}) t.set(n, 0, __builtin_bswap64(t.frame(n + 1) | table));
    t.set(4, 0, __builtin_bswap64(t.frame(20) | page | af | ng));
    const auto found = t.at(0);
    ASSERT_TRUE(found.has_value());
    EXPECT_EQ(found->page, Hpa{t.frame(20)});
    EXPECT_TRUE(found->non_global);
}

TEST(VmsaWalker, asid_and_vmid_come_from_where_the_controls_say) {
    VmsaContext c;
    c.ttbr0 = u64{0x1234} << 48;
    c.ttbr1 = u64{0x5678} << 48;
    c.vttbr = u64{0x9abc} << 48;
    EXPECT_EQ(c.asid(), 0x34);
    c.tcr = bit(22);
    EXPECT_EQ(c.asid(), 0x78);
    c.tcr |= bit(36);
    EXPECT_EQ(c.asid(), 0x5678);
    EXPECT_EQ(c.vmid(), 0xbc);
    c.vtcr = bit(19);
    EXPECT_EQ(c.vmid(), 0x9abc);
}

TEST(VmsaWalker, second_stage_faults_name_the_intermediate_address) {
    struct Case {
        const char* section;
        u64 page_number;  ///< whose level 3 descriptor of stage 2 is changed
        u64 descriptor_bits;
        Access access;
        std::optional<Want> want;
        bool s1ptw;
        u64 ipa;
    };
    const u64 data = Tables::frame(20) + 0x678, entry = Tables::frame(4) + 8 * 5, all = page | af | s2_rw;
    const Case cases[] = {
        {"all is well", 20, all, Access::Write, {}, false, 0},
        {"invalid", 20, 0, Access::Read, Want{Kind::Translation, 3}, false, data},
        {"The Access flag", 20, all & ~af, Access::Read, Want{Kind::AccessFlag, 3}, false, data},
        {"S2AP: read-only", 20, page | af | bit(6), Access::Write, Want{Kind::Permission, 3}, false, data},
        {"S2AP: write-only", 20, page | af | bit(7), Access::Read, Want{Kind::Permission, 3}, false, data},
        {"S2AP: no access, but execution is XN's", 20, page | af, Access::Execute, {}, false, 0},
        {"XN[1] without FEAT_XNX", 20, all | xn2, Access::Execute, Want{Kind::Permission, 3}, false, data},
        {"bit 53 is ignored without FEAT_XNX", 20, all | pxn, Access::Execute, {}, false, 0},
        {"S1PTW: no table there", 4, 0, Access::Write, Want{Kind::Translation, 3}, true, entry},
        {"S1PTW: a walk reads, whatever the access", 4, page | af | bit(6) | xn2, Access::Write, {}, false, 0},
        {"S1PTW: and must be allowed to", 4, page | af | bit(7), Access::Execute, Want{Kind::Permission, 3}, true, entry},
        {"S1PTW: Access flag", 4, all & ~af, Access::Read, Want{Kind::AccessFlag, 3}, true, entry},
    };
    for (const Case& c : cases) {
        Tables t;
        t.use_stage2();
        t.set(4, 5, t.frame(20) | page | af);
        t.set(19, c.page_number, t.frame(c.page_number) | c.descriptor_bits);
        const auto found = t.at(0x5678, c.access);
        expect_result(found, c.want, c.section);
        if (found) continue;
        EXPECT_EQ(found.error().stage, 2) << c.section;
        EXPECT_EQ(found.error().s1ptw, c.s1ptw) << c.section;
        EXPECT_EQ(found.error().ipa, Gpa{c.ipa}) << c.section;
    }
}

TEST(VmsaWalker, stage1_faults_come_before_stage2_faults) {
    Tables t;
    t.use_stage2();
    t.set(19, 20, 0);
    t.set(4, 5, t.frame(20) | page | af | ap_ro);
    const auto found = t.at(0x5000, Access::Write);
    ASSERT_FALSE(found.has_value());
    EXPECT_EQ(found.error(), (VmsaFault{1, Kind::Permission, 3, false, {}}));
}

TEST(VmsaWalker, vtcr_decides_what_stage2_reaches) {
    struct Case {
        const char* section;
        u64 t0sz, sl0, granule, ps;
        u64 ipa;
        unsigned physical_bits;
        std::optional<Want> want;
    };
    const Case cases[] = {
        {"Concatenated translation tables: 40 bits from level 1", 24, 1, 0, 2, ram, 48, {}},
        {"an input beyond T0SZ", 24, 1, 0, 2, bit(40), 48, Want{Kind::Translation, 0}},
        {"SL0 too high for T0SZ: one entry", 34, 1, 0, 2, 0, 48, Want{Kind::Translation, 0}},
        {"SL0 too low for T0SZ: 32 concatenated tables", 20, 1, 0, 5, 0, 48, Want{Kind::Translation, 0}},
        {"level 0 needs more than 42 bits of physical address", 24, 2, 0, 2, 0, 42, Want{Kind::Translation, 0}},
        {"SL0 3 is reserved", 24, 3, 0, 2, 0, 48, Want{Kind::Translation, 0}},
        {"64 KiB granules: level 1 needs more than 42 bits", 20, 2, 1, 2, 0, 42, Want{Kind::Translation, 0}},
        {"16 KiB granules: level 0 does not exist", 24, 3, 2, 2, 0, 48, Want{Kind::Translation, 0}},
        {"T0SZ beyond the physical addresses", 22, 1, 0, 2, 0, 40, Want{Kind::Translation, 0}},
        {"an invalid root entry", 24, 1, 0, 2, ram + bit(30), 48, Want{Kind::Translation, 1}},
    };
    for (const Case& c : cases) {
        Tables t;
        t.use_stage2();
        t.context.sctlr = 0;
        t.context.vtcr = c.t0sz | (c.sl0 << 6) | (c.granule << 14) | (c.ps << 16);
        t.context.physical_bits = c.physical_bits;
        const auto found = t.at(c.ipa);
        expect_result(found, c.want, c.section);
        if (found) continue;
        EXPECT_EQ(found.error().stage, 2) << c.section;
    }
    Tables t;
    t.use_stage2();
    t.context.vtcr &= ~(u64{7} << 16);  // PS: 32 bits
    t.set(19, 20, bit(32) | page | af | s2_rw);
    t.set(4, 5, t.frame(20) | page | af);
    expect_result(t.at(0x5000), Want{Kind::AddressSize, 3}, "VTCR_EL2.PS");
    t.context.vttbr |= bit(33);
    expect_result(t.at(0x5000), Want{Kind::AddressSize, 0}, "VTTBR_EL2.BADDR");
}

TEST(VmsaWalker, external_aborts_of_stage2_walks_are_stage2_faults) {
    Tables t;
    t.use_stage2();
    t.set(18, 0, 0x1000 | table);
    const auto found = t.at(0x5000);
    ASSERT_FALSE(found.has_value());
    EXPECT_EQ(found.error(), (VmsaFault{2, Kind::External, 3, true, Gpa{t.frame(1)}}));
    EXPECT_EQ(fault_status(found.error()), 0x17);
}

TEST(VmsaWalker, large_granules_are_split_into_4_kib_pages) {
    // 64 KiB granule, 42-bit input: level 2 then level 3. RAM's base is 64 KiB aligned.
    PhysMemory memory = std::move(*PhysMemory::create(Hpa{ram}, 64 * page_size));
    VmsaContext c;
    c.sctlr = 1;
    c.tcr = 22 | (u64{0b01} << 14) | (u64{5} << 32) | bit(23);
    c.ttbr0 = ram;
    const auto put = [&](u64 at, u64 word) { ASSERT_TRUE(memory.write(Hpa{at}, std::as_bytes(std::span(&word, 1)))); };
    put(ram, (ram + 0x1'0000) | table);
    put(ram + 8, 0x7'e000'0000 | block | af);
    put(ram + 0x1'0000 + 8 * 3, (ram + 0x2'0000) | page | af | bit(13));
    const auto paged = walk(memory, Gva{0x3'7123}, {}, c);
    ASSERT_TRUE(paged.has_value());
    EXPECT_EQ(paged->page, Hpa{ram + 0x2'7000});
    EXPECT_EQ(paged->stage1_shift, 16);
    const auto blocked = walk(memory, Gva{0x2123'4567}, {}, c);
    ASSERT_TRUE(blocked.has_value());
    EXPECT_EQ(blocked->page, Hpa{0x7'e123'4000});
    EXPECT_EQ(blocked->stage1_shift, 29);
}

}  // namespace
}  // namespace ax::sim::arm64
