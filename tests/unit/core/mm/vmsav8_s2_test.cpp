// Worked entries of VMSAv8-64 stage 2.
#include "core/mm/vmsav8_s2.hpp"

#include <gtest/gtest.h>

namespace ax::mm {
namespace {

struct LeafCase {
    const char* name;
    u64 hpa;
    Permissions permissions;
    unsigned level;
    u64 entry;
};

// Arm ARM DDI 0487, "VMSAv8-64 stage 2 Block and Page descriptors": valid and type in bits 1:0, MemAttr 5:2, S2AP 7:6,
// SH 9:8, AF 10, address from 12, XN 54.
constexpr LeafCase leaf_cases[] = {
    {"page, rwx", 0x8000'0000, {true, true, true, false}, 0, 0x8000'07ff},
    {"page, read only", 0x8000'1000, {true, false, false, false}, 0, 0x0040'0000'8000'177f},
    {"page, read execute", 0x8000'1000, {true, false, true, false}, 0, 0x8000'177f},
    {"page, write only", 0x8000'1000, {false, true, false, false}, 0, 0x0040'0000'8000'17bf},
    {"page, device", 0x0900'0000, {true, true, false, true}, 0, 0x0040'0000'0900'07c7},
    {"block of 2 MiB, rwx", 0x8020'0000, {true, true, true, false}, 1, 0x8020'07fd},
    {"block of 1 GiB, rwx", 0x40'0000'0000, {true, true, true, false}, 2, 0x40'0000'07fd},
    {"highest frame", 0xffff'ffff'f000, {true, true, true, false}, 0, 0xffff'ffff'f7ff},
};

TEST(Vmsav8Stage2Format, leaf_has_the_bits_of_the_manual_and_decodes_back) {
    for (const LeafCase& c : leaf_cases) {
        SCOPED_TRACE(c.name);
        EXPECT_EQ(Vmsav8Stage2::encode_leaf(Hpa{c.hpa}, c.permissions, c.level), c.entry);
        const Entry entry = Vmsav8Stage2::decode(c.entry, c.level);
        EXPECT_EQ(entry.kind, EntryKind::Leaf);
        EXPECT_EQ(entry.address.value(), c.hpa);
        EXPECT_EQ(entry.permissions, c.permissions);
    }
}

TEST(Vmsav8Stage2Format, table_entries_decode_above_the_last_level_alone) {
    EXPECT_EQ(Vmsav8Stage2::encode_table(Hpa{0x8123'4000}), 0x8123'4003U);
    for (unsigned level = 1; level < 4; ++level) EXPECT_EQ(Vmsav8Stage2::decode(0x8123'4003, level).kind, EntryKind::Table);
    EXPECT_EQ(Vmsav8Stage2::decode(0x8123'4003, 0).kind, EntryKind::Leaf);
}

TEST(Vmsav8Stage2Format, invalid_and_reserved_entries_map_nothing) {
    EXPECT_EQ(Vmsav8Stage2::decode(0, 0).kind, EntryKind::Invalid);
    EXPECT_EQ(Vmsav8Stage2::decode(~u64{1}, 1).kind, EntryKind::Invalid);
    // Type 0b01 is reserved at the last level, and level 0 of a walk holds no blocks.
    EXPECT_EQ(Vmsav8Stage2::decode(0x8000'07fd, 0).kind, EntryKind::Invalid);
    EXPECT_EQ(Vmsav8Stage2::decode(0x8000'07fd, 3).kind, EntryKind::Invalid);
}

TEST(Vmsav8Stage2Format, rights_that_no_entry_expresses_are_refused) {
    EXPECT_FALSE(Vmsav8Stage2::is_encodable({false, false, false, false}));
    EXPECT_FALSE(Vmsav8Stage2::is_encodable({false, false, true, false}));
    EXPECT_FALSE(Vmsav8Stage2::is_encodable({false, true, true, false}));
    EXPECT_TRUE(Vmsav8Stage2::is_encodable({false, true, false, false}));
    EXPECT_TRUE(Vmsav8Stage2::is_encodable({true, false, true, false}));
}

TEST(Vmsav8Stage2Format, every_size_of_address_has_its_root) {
    struct Size {
        unsigned ipa_bits, levels, root_pages;
    };
    for (const Size& size : {Size{39, 3, 1}, Size{40, 3, 2}, Size{42, 3, 8}, Size{43, 3, 16}, Size{44, 4, 1}, Size{48, 4, 1}}) {
        const Vmsav8Stage2 format{size.ipa_bits, 48};
        EXPECT_EQ(gpa_bits_of(format), size.ipa_bits);
        EXPECT_EQ(format.levels(), size.levels) << size.ipa_bits;
        EXPECT_EQ(root_pages_of(format), size.root_pages) << size.ipa_bits;
    }
}

}  // namespace
}  // namespace ax::mm
