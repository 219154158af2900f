// The x86 walker, rule by rule. Sections are those of Intel SDM vol. 3.
#include <gtest/gtest.h>

#include "tests/unit/sim/mmu/x86_fixture.hpp"

namespace ax::sim::x86 {
namespace {

using namespace test;
using Kind = WalkFaultKind;

constexpr Access R = Access::Read, W = Access::Write, X = Access::Execute;

/// The error code of the #PF, -1 when there was a translation, -2 for another fault.
int code_of(const std::expected<PageTranslation, WalkFault>& found) {
    if (found) return -1;
    return found.error().kind == Kind::PageFault ? static_cast<int>(found.error().code) : -2;
}

struct RightsCase {
    const char* section;
    u64 leaf;  ///< flags of the page-table entry
    u64 cr0, cr4;
    WalkAccess how;
    int code;
};

constexpr WalkAccess user(Access access) { return {.access = access, .is_user = true}; }
constexpr WalkAccess kernel(Access access, bool ac = false) { return {.access = access, .ac = ac}; }
constexpr WalkAccess implicit(Access access) { return {.access = access, .is_user = true, .is_implicit = true, .ac = true}; }

constexpr RightsCase rights_cases[] = {
    {"Access Rights: supervisor reads of supervisor pages", p, wp, 0, kernel(R), -1},
    {"Access Rights: supervisor writes, WP set, R/W clear", p, wp, 0, kernel(W), 3},
    {"Access Rights: supervisor writes, WP clear, R/W clear", p, 0, 0, kernel(W), -1},
    {"Access Rights: supervisor writes, R/W set", p | rw, wp, 0, kernel(W), -1},
    {"Access Rights: supervisor fetches", p, wp, 0, kernel(X), -1},
    {"Access Rights: supervisor fetches, XD", p | xd, wp, 0, kernel(X), 0x11},
    {"Access Rights: supervisor reads, XD does not matter", p | xd, wp, 0, kernel(R), -1},
    {"Access Rights: supervisor reads of user pages without SMAP", p | us, wp, 0, kernel(R), -1},
    {"Access Rights: supervisor reads of user pages, SMAP", p | us, wp, smap, kernel(R), 1},
    {"Access Rights: supervisor reads of user pages, SMAP and AC", p | us, wp, smap, kernel(R, true), -1},
    {"Access Rights: supervisor writes of user pages, SMAP", p | us | rw, wp, smap, kernel(W), 3},
    {"Access Rights: supervisor writes of user pages, SMAP, AC, no R/W", p | us, wp, smap, kernel(W, true), 3},
    {"Access Rights: SMAP holds without WP", p | us, 0, smap, kernel(W), 3},
    {"Access Rights: SMAP says nothing of fetches", p | us, wp, smap, kernel(X), -1},
    {"Access Rights: implicit accesses ignore AC", p | us, wp, smap, implicit(R), 1},
    {"Access Rights: implicit accesses are supervisor-mode at CPL 3", p, wp, 0, implicit(R), -1},
    {"Access Rights: supervisor fetches of user pages without SMEP", p | us, wp, 0, kernel(X), -1},
    {"Access Rights: supervisor fetches of user pages, SMEP", p | us, wp, smep, kernel(X), 0x11},
    {"Access Rights: SMEP says nothing of reads", p | us, wp, smep, kernel(R), -1},
    {"Access Rights: user reads of supervisor pages", p, wp, 0, user(R), 5},
    {"Access Rights: user reads of user pages", p | us, wp, smap | smep, user(R), -1},
    {"Access Rights: user writes without R/W", p | us, 0, 0, user(W), 7},
    {"Access Rights: user writes", p | us | rw, 0, 0, user(W), -1},
    {"Access Rights: user fetches", p | us, wp, smep, user(X), -1},
    {"Access Rights: user fetches, XD", p | us | xd, wp, 0, user(X), 0x15},
    {"Access Rights: user fetches of supervisor pages", p, wp, 0, user(X), 0x15},
    {"Page-Fault Exceptions: P clear says nothing else is wrong", us | rw, wp, 0, user(W), 6},
    {"Page-Fault Exceptions: RSVD comes with P", p | us | rw | bit(45), wp, 0, user(R), 0xd},
    {"Page-Fault Exceptions: RSVD before rights", p | bit(45), wp, 0, user(R), 0xd},
};

TEST(X86Walk, rights_of_a_page_follow_the_manual) {
    for (const RightsCase& c : rights_cases) {
        Tables t;
        t.set(4, 5, t.frame(40) | c.leaf);
        t.context.cr0 = pe_pg | c.cr0;
        t.context.cr4 |= c.cr4;
        const auto found = t.at(0x5123, c.how);
        EXPECT_EQ(code_of(found), c.code) << c.section;
        if (found) {
            EXPECT_EQ(found->page, Hpa{t.frame(40)}) << c.section;
            EXPECT_TRUE(allows(*found, c.how, t.context)) << c.section;
        }
    }
}

struct FormatCase {
    const char* section;
    unsigned page;  ///< the table whose entry 0 (level 1: entry 5) gets these bits
    u64 clear, set;
    bool is_reserved;
};

/// 4-level paging with MAXPHYADDR 40; the entry leads on otherwise.
constexpr FormatCase format_cases[] = {
    {"Format of a PML4E: bit 7", 1, 0, ps, true},
    {"Format of a PML4E: bits 51:M", 1, 0, bit(40), true},
    {"Format of a PML4E: bits 62:52 ignored", 1, 0, bit(52) | bit(62), false},
    {"Format of a PML4E: bits 11:8 ignored", 1, 0, g | bit(11), false},
    {"Format of a PDPTE that references a page directory: bits 51:M", 2, 0, bit(51), true},
    {"Format of a PDPTE that maps a 1-GByte page: bits 29:13", 2, 0, ps, true},
    {"Format of a PDE that references a page table: bits 51:M", 3, 0, bit(47), true},
    {"Format of a PDE that maps a 2-MByte page: bits 20:13", 3, 0, ps, true},
    {"Format of a PTE: bit 7 is PAT", 4, 0, bit(7), false},
    {"Format of a PTE: bits 62:52 ignored", 4, 0, bit(58), false},
    {"Format of a PTE: bits 51:M", 4, 0, bit(40), true},
};

TEST(X86Walk, reserved_bits_of_four_level_entries_fault) {
    for (const FormatCase& c : format_cases) {
        Tables t;
        t.set(4, 5, t.frame(40) | p);
        const u64 entry = c.page == 4 ? 5 : 0;
        t.set(c.page, entry, (t.get(c.page, entry) & ~c.clear) | c.set);
        EXPECT_EQ(code_of(t.at(0x5000)), c.is_reserved ? 9 : -1) << c.section;
    }
}

TEST(X86Walk, xd_is_reserved_without_nxe) {
    Tables t;
    t.set(4, 5, t.frame(40) | p | xd);
    t.context.efer = lma;
    EXPECT_EQ(code_of(t.at(0x5000)), 9);
    // "I/D flag": without NXE and SMEP a fetch is not told apart.
    EXPECT_EQ(code_of(t.at(0x5000, X)), 9);
    t.context.cr4 |= smep;
    EXPECT_EQ(code_of(t.at(0x5000, X)), 0x19);
}

TEST(X86Walk, large_pages_take_their_offset_from_the_address) {
    Tables t;
    t.set(3, 1, 0x4000'0000 | p | rw | us | ps | g | bit(12));
    const auto two_meg = t.at(0x20'0000 + 0x2'3456);
    ASSERT_TRUE(two_meg);
    EXPECT_EQ(two_meg->gpa_page, Gpa{0x4002'3000});
    EXPECT_EQ(two_meg->page, Hpa{0x4002'3000});
    EXPECT_EQ(two_meg->shift, 21);
    EXPECT_TRUE(two_meg->is_global);
    t.set(2, 1, 0x4000'0000 | p | ps);
    const auto giant = t.at(0x4000'0000 + 0x1'2345);
    ASSERT_TRUE(giant);
    EXPECT_EQ(giant->gpa_page, Gpa{0x4001'2000});
    EXPECT_EQ(giant->shift, 30);
    t.context.features.has_1g_pages = false;
    EXPECT_EQ(code_of(t.at(0x4000'0000)), 9);
}

TEST(X86Walk, rights_of_all_levels_combine) {
    for (const unsigned level : {1U, 2U, 3U}) {
        Tables t;
        t.set(4, 5, t.frame(40) | p | rw | us);
        t.set(level, 0, t.frame(level + 1) | p);
        const auto found = t.at(0x5000);
        ASSERT_TRUE(found);
        EXPECT_FALSE(found->is_user || found->is_writable);
        t.set(level, 0, t.frame(level + 1) | p | rw | us | xd);
        EXPECT_EQ(code_of(t.at(0x5000, X)), 0x11);
    }
}

TEST(X86Walk, global_needs_pge_and_dirty_needs_a_write) {
    Tables t;
    t.set(4, 5, t.frame(40) | p | rw | g);
    const auto read = t.at(0x5000);
    ASSERT_TRUE(read);
    EXPECT_TRUE(read->is_global);
    EXPECT_FALSE(read->is_dirty);
    EXPECT_FALSE(allows(*read, kernel(W), t.context));
    EXPECT_EQ(t.get(4, 5), t.frame(40) | p | rw | g | a);
    for (const unsigned n : {1U, 2U, 3U}) EXPECT_EQ(t.get(n, 0), t.frame(n + 1) | p | rw | us | a);
    const auto written = t.at(0x5000, W);
    ASSERT_TRUE(written);
    EXPECT_TRUE(written->is_dirty);
    EXPECT_TRUE(allows(*written, kernel(W), t.context));
    EXPECT_EQ(t.get(4, 5), t.frame(40) | p | rw | g | a | d);
    t.context.cr4 &= ~pge;
    EXPECT_FALSE(t.at(0x5000)->is_global);
}

TEST(X86Walk, a_refused_access_leaves_the_leaf_alone) {
    Tables t;
    t.set(4, 5, t.frame(40) | p);
    EXPECT_EQ(code_of(t.at(0x5000, W)), 3);
    EXPECT_EQ(t.get(4, 5), t.frame(40) | p);
}

TEST(X86Walk, addresses_that_are_not_canonical_never_reach_the_tables) {
    Tables t;
    for (const u64 va : {u64{1} << 47, u64{0xffff'0000'0000'0000}, u64{1} << 63})
        EXPECT_EQ(t.at(va).error().kind, Kind::NonCanonical);
    EXPECT_EQ(t.at(0xffff'8000'0000'0000).error().kind, Kind::PageFault);
}

TEST(X86Walk, paging_off_is_flat_under_ept) {
    Tables t;
    t.context.cr0 = 0;
    t.context.cr4 = smap | smep;
    const auto found = t.at(0x1'0000'0000 + t.frame(33), user(W));
    ASSERT_TRUE(found);
    EXPECT_EQ(found->page, Hpa{t.frame(33)});
    EXPECT_TRUE(allows(*found, user(X), t.context));
    t.set(19, 33, t.frame(34) | er | wb);
    EXPECT_EQ(t.at(t.frame(33))->page, Hpa{t.frame(34)});
    // GLA valid, final access, readable only, by a write.
    EXPECT_EQ(t.at(t.frame(33), W).error(), (WalkFault{Kind::EptViolation, 0x18a, Gpa{t.frame(33)}}));
}

TEST(X86Walk, paging_of_32_bits_has_two_levels) {
    Tables t;
    t.use_32_bit();
    t.set32(9, 5, static_cast<u32>(t.frame(40) | p | us));
    EXPECT_EQ(t.at(0x5123, user(R))->gpa_page, Gpa{t.frame(40)});
    EXPECT_EQ(code_of(t.at(0x5123, user(W))), 7);
    // No XD, so a fetch is not told apart without SMEP.
    EXPECT_EQ(code_of(t.at(0x6000, user(X))), 4);
    // 4 MiB: address bits 39:32 in 20:13, PAT in 12, bit 21 reserved ("32-Bit Paging", PSE-36).
    t.set32(8, 1, static_cast<u32>(ram | p | rw | ps | bit(12)));
    const auto large = t.at(0x40'0000 + 0x2'1000, W);
    ASSERT_TRUE(large);
    EXPECT_EQ(large->gpa_page, Gpa{ram + 0x2'1000});
    EXPECT_EQ(large->shift, 22);
    t.set32(8, 1, static_cast<u32>(ram | p | ps | bit(21)));
    EXPECT_EQ(code_of(t.at(0x40'0000)), 9);
    t.set32(8, 1, static_cast<u32>(ram | p | ps | bit(20)));
    EXPECT_EQ(t.at(0x40'0000).error().gpa, Gpa{ram | bit(39)});
    t.context.features.physical_bits = 36;
    EXPECT_EQ(code_of(t.at(0x40'0000)), 9);
    // Without PSE the bit is ignored and the entry names a table.
    t.context.cr4 &= ~pse;
    t.set32(8, 1, static_cast<u32>(t.frame(9) | p | ps));
    EXPECT_EQ(t.at(0x40'5000)->gpa_page, Gpa{t.frame(40)});
}

TEST(X86Walk, pae_paging_starts_at_the_pdpte_registers) {
    Tables t;
    t.use_pae();
    t.set(11, 5, t.frame(40) | p | rw | us | xd);
    EXPECT_EQ(t.at(0x4000'5000, user(W))->gpa_page, Gpa{t.frame(40)});
    EXPECT_EQ(code_of(t.at(0x4000'5000, user(X))), 0x15);
    EXPECT_EQ(code_of(t.at(0x8000'5000)), 0);
    EXPECT_EQ(t.at(0x1'4000'5000)->gpa_page, Gpa{t.frame(40)}) << "linear addresses have 32 bits";
    t.set(11, 5, t.frame(40) | p | bit(52));
    EXPECT_EQ(code_of(t.at(0x4000'5000)), 9) << "bits 62:M are reserved, not ignored";
    t.set(10, 1, ram | p | ps | bit(13));
    EXPECT_EQ(code_of(t.at(0x4020'0000)), 9);
    t.set(10, 1, ram | p | ps | rw);
    EXPECT_EQ(t.at(0x4020'1000, W)->shift, 21);
}

TEST(X86Walk, pdptes_are_loaded_through_ept_and_checked) {
    Tables t;
    t.use_pae();
    t.context.cr3 = t.frame(12) + 0x20;
    t.set(12, 4, t.frame(10) | p);
    t.set(12, 5, 0xffff'ffff'ffff'fffe);
    EXPECT_EQ(load_pdptes(t.memory, t.context)->at(0), t.frame(10) | p);
    for (const u64 reserved : {bit(1), bit(2), bit(5), bit(8), bit(40), bit(63)}) {
        t.set(12, 7, p | reserved);
        EXPECT_EQ(load_pdptes(t.memory, t.context).error(), WalkFault{}) << std::hex << reserved;
    }
    t.set(19, 12, 0);
    // "Exit Qualification for EPT Violations": bit 7 is clear when PDPTEs are loaded.
    EXPECT_EQ(load_pdptes(t.memory, t.context).error(), (WalkFault{Kind::EptViolation, 1, Gpa{t.frame(12) + 0x20}}));
}

}  // namespace
}  // namespace ax::sim::x86
