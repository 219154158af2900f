// Worked entries of Sv39x4.
#include "core/mm/sv39x4.hpp"

#include <gtest/gtest.h>

namespace ax::mm {
namespace {

struct LeafCase {
    const char* name;
    u64 hpa;
    Permissions permissions;
    u64 entry;
};

// RISC-V Privileged, "Sv39: Page-Based 39-bit Virtual-Memory System": V R W X U G A D from bit 0, PPN from bit 10.
constexpr LeafCase leaf_cases[] = {
    {"rwx", 0x8000'0000, {true, true, true, false}, 0x2000'00df},
    {"read only", 0x8000'1000, {true, false, false, false}, 0x2000'0453},
    {"read execute", 0x8000'1000, {true, false, true, false}, 0x2000'045b},
    {"read write", 0x8000'1000, {true, true, false, false}, 0x2000'04d7},
    {"execute only", 0x8000'1000, {false, false, true, false}, 0x2000'0459},
    {"device is not kept", 0x1000'0000, {true, true, false, true}, 0x0400'00d7},
    {"highest frame", 0xff'ffff'ffff'f000, {true, true, true, false}, 0x3f'ffff'ffff'fcdf},
};

TEST(Sv39x4Format, leaf_has_the_bits_of_the_manual_and_decodes_back) {
    for (const LeafCase& c : leaf_cases) {
        SCOPED_TRACE(c.name);
        EXPECT_EQ(Sv39x4::encode_leaf(Hpa{c.hpa}, c.permissions, 0), c.entry);
        const Entry entry = Sv39x4::decode(c.entry, 0);
        EXPECT_EQ(entry.kind, EntryKind::Leaf);
        EXPECT_EQ(entry.address.value(), c.hpa);
        Permissions kept = c.permissions;
        kept.device = false;
        EXPECT_EQ(entry.permissions, kept);
    }
}

TEST(Sv39x4Format, table_entry_has_only_v_and_the_page_number) {
    EXPECT_EQ(Sv39x4::encode_table(Hpa{0x8123'4000}), 0x2048'd001U);
    EXPECT_EQ(Sv39x4::decode(0x2048'd001, 1).kind, EntryKind::Table);
    EXPECT_EQ(Sv39x4::decode(0x2048'd001, 1).address.value(), 0x8123'4000U);
}

TEST(Sv39x4Format, entry_without_v_is_invalid_whatever_else_it_holds) {
    EXPECT_EQ(Sv39x4::decode(0, 0).kind, EntryKind::Invalid);
    EXPECT_EQ(Sv39x4::decode(~u64{1}, 0).kind, EntryKind::Invalid);
}

TEST(Sv39x4Format, reserved_and_pointer_encodings_of_rights_are_refused) {
    EXPECT_FALSE(Sv39x4::is_encodable({false, false, false, false}));
    EXPECT_FALSE(Sv39x4::is_encodable({false, true, false, false}));
    EXPECT_FALSE(Sv39x4::is_encodable({false, true, true, false}));
    EXPECT_TRUE(Sv39x4::is_encodable({false, false, true, false}));
    EXPECT_TRUE(Sv39x4::is_encodable({true, false, false, true}));
}

}  // namespace
}  // namespace ax::mm
