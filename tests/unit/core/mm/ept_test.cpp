// Worked entries of extended page tables, and the tables that Stage2 builds of them.
#include "core/mm/ept.hpp"

#include <gtest/gtest.h>

#include "core/mm/stage2.hpp"
#include "tests/unit/core/mm/fake_tables.hpp"

namespace ax::mm {
namespace {

struct LeafCase {
    const char* name;
    u64 hpa;
    Permissions permissions;
    unsigned level;
    u64 entry;
};

// SDM vol. 3, "EPT Translation Mechanism", formats of entries: R, W, X in bits 2:0, memory type 5:3 (6: write-back, 0:
// uncacheable), page size 7, address from 12.
constexpr LeafCase leaf_cases[] = {
    {"page, rwx", 0x8000'0000, {true, true, true, false}, 0, 0x8000'0037},
    {"page, read only", 0x8000'1000, {true, false, false, false}, 0, 0x8000'1031},
    {"page, read execute", 0x8000'1000, {true, false, true, false}, 0, 0x8000'1035},
    {"page, execute only", 0x8000'1000, {false, false, true, false}, 0, 0x8000'1034},
    {"page, device", 0xfebf'0000, {true, true, false, true}, 0, 0xfebf'0003},
    {"2 MiB, rwx", 0x8020'0000, {true, true, true, false}, 1, 0x8020'00b7},
    {"1 GiB, read write", 0x40'0000'0000, {true, true, false, false}, 2, 0x40'0000'00b3},
    {"highest frame", 0x3fff'ffff'f000, {true, true, true, false}, 0, 0x3fff'ffff'f037},
};

TEST(EptFormat, leaf_has_the_bits_of_the_manual_and_decodes_back) {
    const Ept format;
    for (const LeafCase& c : leaf_cases) {
        SCOPED_TRACE(c.name);
        EXPECT_EQ(Ept::encode_leaf(Hpa{c.hpa}, c.permissions, c.level), c.entry);
        EXPECT_FALSE(format.is_misconfigured(c.entry, c.level));
        const Entry entry = format.decode(c.entry, c.level);
        EXPECT_EQ(entry.kind, EntryKind::Leaf);
        EXPECT_EQ(entry.address.value(), c.hpa);
        EXPECT_EQ(entry.permissions, c.permissions);
    }
}

TEST(EptFormat, table_entries_decode_above_the_last_level_alone) {
    const Ept format;
    for (unsigned level = 1; level < 4; ++level) EXPECT_EQ(format.decode(0x8123'4007, level).kind, EntryKind::Table);
    EXPECT_EQ(format.decode(0x8123'4007, 0).kind, EntryKind::Leaf);
}

struct BadCase {
    const char* name;
    u64 entry;
    unsigned level;
    bool is_misconfigured;
};

// SDM vol. 3, "EPT Misconfigurations".
constexpr BadCase bad_cases[] = {
    {"write without read", 0x8000'0032, 0, true},          {"write and execute without read", 0x8000'0036, 0, true},
    {"reserved memory type 2", 0x8000'0017, 0, true},      {"reserved memory type 3", 0x8000'001f, 0, true},
    {"reserved memory type 7", 0x8000'003f, 0, true},      {"address beyond MAXPHYADDR", 0x4000'8000'0037, 0, true},
    {"memory type in a table", 0x8000'0037, 1, true},      {"PAT bit in a table", 0x8000'0047, 2, true},
    {"page size in the root", 0x8000'0087, 3, true},       {"2 MiB page off its boundary", 0x8000'10b7, 1, true},
    {"1 GiB page off its boundary", 0x8020'00b7, 2, true}, {"not present", 0, 0, false},
    {"not present, all else set", ~u64{7}, 2, false},
};

TEST(EptFormat, misconfigured_entries_map_nothing) {
    const Ept format;
    for (const BadCase& c : bad_cases) {
        SCOPED_TRACE(c.name);
        EXPECT_EQ(format.is_misconfigured(c.entry, c.level), c.is_misconfigured);
        EXPECT_EQ(format.decode(c.entry, c.level).kind, EntryKind::Invalid);
    }
}

TEST(EptFormat, every_memory_type_but_the_reserved_ones_is_good) {
    const Ept format;
    for (const u64 type : {0u, 1u, 4u, 5u, 6u}) EXPECT_FALSE(format.is_misconfigured(0x8000'0007 | type << 3, 0)) << type;
}

TEST(EptFormat, what_the_processor_lacks_is_not_encoded) {
    const Ept older{.physical_bits = 36, .has_execute_only = false, .has_1gib_pages = false};
    EXPECT_FALSE(older.is_encodable({false, false, true, false}));
    EXPECT_TRUE(Ept{}.is_encodable({false, false, true, false}));
    EXPECT_FALSE(Ept{}.is_encodable({false, true, false, false}));
    EXPECT_FALSE(Ept{}.is_encodable({false, true, true, false}));
    EXPECT_FALSE(Ept{}.is_encodable({false, false, false, false}));
    EXPECT_TRUE(older.is_misconfigured(0x8000'0034, 0));
    EXPECT_TRUE(older.is_misconfigured(0x4000'00b7, 2));
    EXPECT_TRUE(older.is_misconfigured(0x10'0000'0037, 0));
    EXPECT_EQ(older.largest_leaf_level(), 1U);
}

/// SDM vol. 3, "EPT Translation Mechanism", by hand: 9 bits for each of four levels.
u64 walk(test::FakeTables& memory, u64 root, u64 gpa, u64& leaf_size) {
    u64 table = root;
    for (int level = 3; level >= 0; --level) {
        const u64 entry = memory.read(Hpa{table + ((gpa >> (12 + 9 * level)) & 0x1ff) * 8});
        if ((entry & 7) == 0) return 0;
        if (level == 0 || (entry & 0x80) != 0) {
            leaf_size = u64{1} << (12 + 9 * level);
            return (entry & 0xf'ffff'ffff'f000) + (gpa & (leaf_size - 1));
        }
        table = entry & 0xf'ffff'ffff'f000;
    }
    return 0;
}

TEST(EptFormat, stage2_builds_leaves_of_all_three_sizes) {
    test::FakeTables memory;
    auto space = Stage2<Ept, test::FakeTables>::create(memory, Ept{});
    ASSERT_TRUE(space);
    struct Mapping {
        u64 gpa, hpa, size, leaf;
    };
    for (const Mapping& m : {Mapping{0x1000, 0x8000'1000, 0x3000, 0x1000}, Mapping{0x20'0000, 0x8020'0000, 0x40'0000, 0x20'0000},
                             Mapping{0x1'0000'0000, 0x10'4000'0000, 0x8000'0000, 0x4000'0000}}) {
        ASSERT_TRUE(space->map(Gpa{m.gpa}, Hpa{m.hpa}, m.size, Permissions::rwx()));
        for (const u64 offset : {u64{0}, m.size / 2, m.size - 1}) {
            u64 leaf_size = 0;
            EXPECT_EQ(walk(memory, space->root().value(), m.gpa + offset, leaf_size), m.hpa + offset);
            EXPECT_EQ(leaf_size, m.leaf);
        }
    }
    u64 leaf_size = 0;
    EXPECT_EQ(walk(memory, space->root().value(), 0x5000, leaf_size), 0U);
    EXPECT_EQ(space->gpa_bits(), 48U);
}

}  // namespace
}  // namespace ax::mm
