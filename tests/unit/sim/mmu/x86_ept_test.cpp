// The simulated EPT, rule by rule. Sections are those of Intel SDM vol. 3.
#include <gtest/gtest.h>

#include "sim/mmu/x86_ept.hpp"
#include "tests/unit/sim/mmu/x86_fixture.hpp"

namespace ax::sim::x86 {
namespace {

using namespace test;
using Kind = WalkFaultKind;

constexpr Access R = Access::Read, W = Access::Write, X = Access::Execute;
constexpr u64 va = 0x5123;

/// A page 40 behind the linear address `va`, read and written before so that A and D are no reason for stores.
struct Nested : Tables {
    Nested() {
        set(4, 5, frame(40) | p | rw | us);
        EXPECT_TRUE(at(va, W));
    }
};

struct EntryCase {
    const char* section;
    unsigned page;  ///< of the EPT tables; 19 is the last level
    u64 flags;      ///< replace those of the entry on the way to page 40
    Kind kind;
    bool is_legal = false;
};

constexpr EntryCase entry_cases[] = {
    {"EPT Misconfigurations: write-only", 19, ew | wb, Kind::EptMisconfigured},
    {"EPT Misconfigurations: write and execute", 19, ew | ex | wb, Kind::EptMisconfigured},
    {"EPT Misconfigurations: write-only table", 17, ew, Kind::EptMisconfigured},
    {"EPT Misconfigurations: memory type 2", 19, erwx | (2 << 3), Kind::EptMisconfigured},
    {"EPT Misconfigurations: memory type 3", 19, erwx | (3 << 3), Kind::EptMisconfigured},
    {"EPT Misconfigurations: memory type 7", 19, erwx | (7 << 3), Kind::EptMisconfigured},
    {"EPT Misconfigurations: address beyond MAXPHYADDR", 19, erwx | wb | bit(40), Kind::EptMisconfigured},
    {"EPT Misconfigurations: table beyond MAXPHYADDR", 16, erwx | bit(51), Kind::EptMisconfigured},
    {"Format of an EPT PML4E: bits 7:3", 16, erwx | leaf, Kind::EptMisconfigured},
    {"Format of an EPT PML4E: bits 7:3", 16, erwx | bit(3), Kind::EptMisconfigured},
    {"Format of an EPT PDPTE that references a directory: bits 6:3", 17, erwx | bit(6), Kind::EptMisconfigured},
    {"Format of an EPT PDE that references a table: bits 6:3", 18, erwx | bit(4), Kind::EptMisconfigured},
    {"Format of an EPT PDPTE that maps a 1-GByte page: bits 29:12", 17, erwx | leaf | wb, Kind::EptMisconfigured},
    {"Format of an EPT PDE that maps a 2-MByte page: bits 20:12", 18, erwx | leaf | wb, Kind::EptMisconfigured},
    {"EPT Violations: bits 2:0 clear", 19, wb, Kind::EptViolation},
    {"EPT Violations: bits 2:0 clear, whatever else is set", 16, bit(3) | bit(51), Kind::EptViolation},
    {"EPT memory types: UC", 19, erwx, {}, true},
    {"EPT memory types: WC", 19, erwx | (1 << 3), {}, true},
    {"EPT memory types: WT", 19, erwx | (4 << 3), {}, true},
    {"EPT memory types: WP, IPAT", 19, erwx | (5 << 3) | bit(6), {}, true},
    {"Format of an EPT PTE: bits 7, 11:8 and 63:52 ignored",
     19,
     erwx | wb | bit(7) | bit(8) | bit(9) | bit(11) | bit(63),
     {},
     true},
    {"Format of an EPT PML4E: bits 11:8 and 63:52 ignored", 16, erwx | bit(8) | bit(11) | bit(52), {}, true},
};

TEST(X86Ept, formats_of_entries) {
    for (const EntryCase& c : entry_cases) {
        Nested t;
        const u64 entry = c.page == 19 ? 40 : c.page == 17 ? 1 : 0;
        const u64 next = c.page == 19 ? t.frame(40) : t.frame(c.page + 1);
        t.set(c.page, entry, next | c.flags);
        const auto found = translate_ept(t.memory, Gpa{t.frame(40)}, {}, t.context);
        EXPECT_EQ(found.has_value(), c.is_legal) << c.section;
        if (!found) {
            EXPECT_EQ(found.error().kind, c.kind) << c.section;
            EXPECT_EQ(found.error().gpa, Gpa{t.frame(40)}) << c.section;
        }
    }
}

TEST(X86Ept, execute_only_and_1g_pages_are_optional) {
    Nested t;
    t.set(19, 40, t.frame(40) | ex | wb);
    EXPECT_TRUE(t.at(va, X));
    t.context.features.ept_execute_only = false;
    EXPECT_EQ(t.at(va, X).error().kind, Kind::EptMisconfigured);
    t.set(17, 1, ram | erwx | leaf | wb);
    EXPECT_EQ(t.at(va)->page, Hpa{t.frame(40)});
    t.context.features.ept_1g_pages = false;
    EXPECT_EQ(t.at(va).error().kind, Kind::EptMisconfigured);
}

TEST(X86Ept, large_leaves) {
    Nested t;
    t.set(18, 0, ram | erwx | leaf | wb);
    EXPECT_EQ(t.at(va)->page, Hpa{t.frame(40)});
    EXPECT_EQ(t.at(va)->shift, 12) << "INVLPG knows the guest's page";
    t.set(18, 1, ram | erwx | leaf | wb);
    EXPECT_EQ(translate_ept(t.memory, Gpa{ram + 0x20'0000 + 0x1'2345}, {}, t.context)->hpa, Hpa{ram + 0x1'2345});
}

struct ViolationCase {
    const char* what;
    u64 flags;  ///< of the entry for `page`
    unsigned page;
    Access access;
    u64 qualification;
};

/// "Exit Qualification for EPT Violations". 0x80 linear address valid, 0x100 final access; 0x38 what the entries allow.
constexpr ViolationCase violation_cases[] = {
    {"read of nothing", 0, 40, R, 0x181},
    {"write of nothing", 0, 40, W, 0x182},
    {"fetch of nothing", 0, 40, X, 0x184},
    {"write of a read-only page", er | wb, 40, W, 0x18a},
    {"fetch of a page without execute", er | ew | wb, 40, X, 0x19c},
    {"read of an execute-only page", ex | wb, 40, R, 0x1a1},
    {"write of a page without write", er | ex | wb, 40, W, 0x1aa},
    {"walk through a missing page", 0, 3, W, 0x81},
    {"walk through an execute-only page", ex | wb, 4, X, 0xa1},
};

TEST(X86Ept, qualification_of_violations) {
    for (const ViolationCase& c : violation_cases) {
        Nested t;
        t.set(19, c.page, c.flags == 0 ? 0 : t.frame(c.page) | c.flags);
        const u64 gpa = c.page == 40 ? t.frame(40) + 0x123 : c.page == 4 ? t.frame(4) + 5 * 8 : t.frame(3);
        EXPECT_EQ(t.at(va, c.access).error(), (WalkFault{Kind::EptViolation, c.qualification, Gpa{gpa}})) << c.what;
    }
}

TEST(X86Ept, rights_of_all_levels_combine_in_the_qualification) {
    Nested t;
    t.set(17, 1, t.frame(18) | er | ew);
    t.set(18, 0, t.frame(19) | er | ex);
    EXPECT_EQ(t.at(va, W).error().code, 0x18aU);
    EXPECT_EQ(t.at(va, X).error().code, 0x18cU);
    EXPECT_EQ(t.at(va)->ept, (Rights{true, false, false}));
}

TEST(X86Ept, guest_flags_are_written_through_ept) {
    Tables t;
    t.set(4, 5, t.frame(40) | p | rw);
    t.set(19, 4, t.frame(4) | er | wb);
    // A must be set, in a table that EPT keeps read-only: a write by the walk.
    EXPECT_EQ(t.at(va).error(), (WalkFault{Kind::EptViolation, 0x8a, Gpa{t.frame(4) + 40}}));
    t.set(4, 5, t.frame(40) | p | rw | a);
    EXPECT_TRUE(t.at(va));
    EXPECT_EQ(t.at(va, W).error(), (WalkFault{Kind::EptViolation, 0x8a, Gpa{t.frame(4) + 40}}));
    t.set(4, 5, t.frame(40) | p | rw | a | d);
    EXPECT_TRUE(t.at(va, W));
    // The table may lie elsewhere in the host: the flag lands there.
    t.set(4, 6, t.frame(41) | p | rw);
    t.set(30, 6, t.frame(41) | p | rw);
    t.set(19, 4, t.frame(30) | erwx | wb);
    EXPECT_TRUE(t.at(0x6000, W));
    EXPECT_EQ(t.get(30, 6), t.frame(41) | p | rw | a | d);
    EXPECT_EQ(t.get(4, 6), t.frame(41) | p | rw);
}

TEST(X86Ept, accessed_and_dirty_flags_when_the_pointer_says_so) {
    Nested t;
    EXPECT_EQ(t.get(19, 40), t.frame(40) | erwx | wb);
    t.context.eptp |= bit(6);
    const auto read = t.at(va);
    ASSERT_TRUE(read);
    EXPECT_FALSE(read->is_dirty) << "the guest's D is set, EPT's is not";
    EXPECT_EQ(t.get(19, 40), t.frame(40) | erwx | wb | bit(8));
    EXPECT_EQ(t.get(16, 0), t.frame(17) | erwx | bit(8));
    // Accesses to guest tables count as writes.
    EXPECT_EQ(t.get(19, 4), t.frame(4) | erwx | wb | bit(8) | bit(9));
    const auto written = t.at(va, W);
    ASSERT_TRUE(written);
    EXPECT_TRUE(written->is_dirty);
    EXPECT_EQ(t.get(19, 40), t.frame(40) | erwx | wb | bit(8) | bit(9));
    t.set(19, 4, t.frame(4) | er | wb);
    EXPECT_EQ(t.at(va).error(), (WalkFault{Kind::EptViolation, 0x8b, Gpa{t.frame(4) + 40}}));
}

TEST(X86Ept, what_is_not_ram_reads_as_ones) {
    Nested t;
    t.set(19, 4, 0x10'0000 | erwx | wb);
    const auto found = t.at(va);
    ASSERT_FALSE(found);
    EXPECT_EQ(found.error(), (WalkFault{Kind::PageFault, 9, {}}));
    t.context.eptp = 0x10'0000 | 6 | (3 << 3);
    EXPECT_EQ(t.at(va).error().kind, Kind::EptMisconfigured);
}

TEST(X86Ept, addresses_above_48_bits_have_no_translation) {
    Nested t;
    t.context.features.physical_bits = 52;
    EXPECT_EQ(translate_ept(t.memory, Gpa{bit(48)}, {}, t.context).error(), (WalkFault{Kind::EptViolation, 0x181, Gpa{bit(48)}}));
}

}  // namespace
}  // namespace ax::sim::x86
