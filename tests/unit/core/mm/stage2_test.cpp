// Stage2: leaf sizes, errors, splitting, the flush owed, and what a walker sees meanwhile.
#include "core/mm/stage2.hpp"

#include <gtest/gtest.h>

#include "core/mm/sv39x4.hpp"
#include "tests/unit/core/mm/raw_walk.hpp"
#include "tests/unit/core/mm/test_formats.hpp"

namespace ax::mm::test {
namespace {

constexpr u64 kib4 = 0x1000;
constexpr u64 mib2 = 0x20'0000;
constexpr u64 gib1 = 0x4000'0000;
constexpr u64 limit = u64{1} << 41;
constexpr Permissions rwx = Permissions::rwx();
constexpr Permissions read_only{true, false, false, false};

class Stage2Test : public testing::Test {
protected:
    using Space = Stage2<Sv39x4, FakeTables>;
    FakeTables tables;
    Space space = *Space::create(tables);

    std::expected<TlbDuty, MapError> map(u64 gpa, u64 hpa, u64 size) { return space.map(Gpa{gpa}, Hpa{hpa}, size, rwx); }
    u64 leaf_size(u64 gpa) {
        const auto leaf = space.walk(Gpa{gpa});
        return leaf ? leaf->size : 0;
    }
};

TEST_F(Stage2Test, root_is_16_kib_aligned_to_its_size) {
    EXPECT_EQ(tables.used, 4U);
    EXPECT_TRUE(space.root().is_aligned(16384));
    EXPECT_EQ(space.gpa_bits(), 41U);
}

TEST_F(Stage2Test, create_without_memory_reports_it) {
    tables.allocations_left = 0;
    const auto none = Space::create(tables);
    ASSERT_FALSE(none.has_value());
    EXPECT_EQ(none.error(), MapError::NoTableMemory);
}

TEST_F(Stage2Test, destruction_returns_every_table_once_even_after_a_move) {
    {
        Space other = *Space::create(tables);
        ASSERT_TRUE(other.map(Gpa{kib4}, Hpa{0}, 2 * gib1, rwx).has_value());
        const Space moved = std::move(other);
        EXPECT_TRUE(moved.walk(Gpa{gib1}).has_value());
        EXPECT_GT(tables.used, 8U);
    }
    EXPECT_EQ(tables.used, 4U);
}

struct LeafSizeCase {
    const char* name;
    u64 gpa, hpa, size;
    u64 at, leaf;
};
constexpr LeafSizeCase leaf_size_cases[] = {
    {"all aligned to 1 GiB", gib1, 3 * gib1, gib1, gib1, gib1},
    {"host aligned to 2 MiB only", gib1, 3 * gib1 + mib2, gib1, gib1 + 5, mib2},
    {"host aligned to 4 KiB only", gib1, 3 * gib1 + kib4, 4 * mib2, gib1, kib4},
    {"head before the first 2 MiB boundary", mib2 - kib4, gib1 + mib2 - kib4, 2 * mib2, mib2 - kib4, kib4},
    {"middle from the 2 MiB boundary", mib2 - kib4, gib1 + mib2 - kib4, 2 * mib2, mib2, mib2},
    {"tail behind the last 2 MiB boundary", mib2, gib1, mib2 + kib4, 2 * mib2, kib4},
    {"1 GiB within more", gib1 - mib2, 8 * gib1 - mib2, 2 * gib1, gib1, gib1},
    {"one byte short of 1 GiB", gib1, 0, gib1 - kib4, gib1, mib2},
    {"the last leaf of the space", limit - gib1, 0, gib1, limit - 1, gib1},
};

TEST(Stage2LeafSize, leaf_is_the_largest_that_alignment_and_size_allow) {
    for (const LeafSizeCase& c : leaf_size_cases) {
        SCOPED_TRACE(c.name);
        FakeTables tables;
        auto space = *Stage2<Sv39x4, FakeTables>::create(tables);
        ASSERT_TRUE(space.map(Gpa{c.gpa}, Hpa{c.hpa}, c.size, rwx).has_value());
        const auto leaf = space.walk(Gpa{c.at});
        ASSERT_TRUE(leaf.has_value());
        EXPECT_EQ(leaf->size, c.leaf);
        EXPECT_EQ(leaf->hpa.value(), c.hpa + (leaf->gpa.value() - c.gpa));
        EXPECT_EQ(space.translate(Gpa{c.at})->hpa.value(), c.hpa + (c.at - c.gpa));
    }
}

struct ErrorCase {
    const char* name;
    u64 gpa, hpa, size;
    Permissions permissions;
    MapError error;
};
constexpr ErrorCase map_errors[] = {
    {"size 0", kib4, 0, 0, rwx, MapError::Unaligned},
    {"part of a page", kib4, 0, 0x800, rwx, MapError::Unaligned},
    {"guest address inside a page", kib4 + 8, 0, kib4, rwx, MapError::Unaligned},
    {"host address inside a page", kib4, 8, kib4, rwx, MapError::Unaligned},
    {"begins behind the space", limit, 0, kib4, rwx, MapError::OutOfRange},
    {"ends behind the space", limit - kib4, 0, 2 * kib4, rwx, MapError::OutOfRange},
    {"wraps", ~u64{0} - kib4 + 1, 0, 2 * kib4, rwx, MapError::OutOfRange},
    {"size wraps", kib4, 0, ~u64{0} - kib4 + 1, rwx, MapError::OutOfRange},
    {"host address beyond 56 bits", kib4, u64{1} << 56, kib4, rwx, MapError::OutOfRange},
    {"host range ends beyond 56 bits", kib4, (u64{1} << 56) - kib4, 2 * kib4, rwx, MapError::OutOfRange},
    {"no rights", kib4, 0, kib4, {}, MapError::Unencodable},
    {"write without read", kib4, 0, kib4, {false, true, false, false}, MapError::Unencodable},
    {"first page taken", 16 * mib2, 0, 2 * mib2, rwx, MapError::AlreadyMapped},
    {"last page taken", 15 * mib2, 0, mib2 + kib4, rwx, MapError::AlreadyMapped},
    {"inside a large leaf", 16 * mib2 + kib4, 0, kib4, rwx, MapError::AlreadyMapped},
};

TEST_F(Stage2Test, map_refuses_with_the_reason_and_changes_nothing) {
    ASSERT_TRUE(map(16 * mib2, 0, mib2).has_value());
    const auto before = tables.contents();
    for (const ErrorCase& c : map_errors) {
        SCOPED_TRACE(c.name);
        const auto result = space.map(Gpa{c.gpa}, Hpa{c.hpa}, c.size, c.permissions);
        ASSERT_FALSE(result.has_value());
        EXPECT_EQ(result.error(), c.error);
        EXPECT_TRUE(tables.contents() == before);
    }
}

TEST_F(Stage2Test, unmap_and_protect_refuse_a_range_with_a_hole) {
    ASSERT_TRUE(map(0, 0, mib2).has_value());
    ASSERT_TRUE(map(mib2 + kib4, 0, kib4).has_value());
    const auto before = tables.contents();
    EXPECT_EQ(space.unmap(Gpa{0}, mib2 + 2 * kib4).error(), MapError::NotMapped);
    EXPECT_EQ(space.protect(Gpa{0}, mib2 + 2 * kib4, read_only).error(), MapError::NotMapped);
    EXPECT_EQ(space.unmap(Gpa{limit}, kib4).error(), MapError::OutOfRange);
    EXPECT_EQ(space.protect(Gpa{0}, kib4, {}).error(), MapError::Unencodable);
    EXPECT_TRUE(tables.contents() == before);
}

TEST_F(Stage2Test, walk_outside_the_space_finds_nothing) {
    EXPECT_FALSE(space.walk(Gpa{limit}).has_value());
    EXPECT_FALSE(space.walk(Gpa{~u64{0}}).has_value());
}

TEST_F(Stage2Test, partial_unmap_splits_only_as_far_as_needed) {
    ASSERT_TRUE(map(gib1, 4 * gib1, gib1).has_value());
    ASSERT_TRUE(space.unmap(Gpa{gib1 + mib2}, kib4).has_value());
    EXPECT_EQ(tables.used, 4U + 2U);
    EXPECT_EQ(leaf_size(gib1), mib2);
    EXPECT_EQ(leaf_size(gib1 + mib2), 0U);
    EXPECT_EQ(leaf_size(gib1 + mib2 + kib4), kib4);
    EXPECT_EQ(leaf_size(gib1 + 2 * mib2), mib2);
    EXPECT_EQ(space.translate(Gpa{2 * gib1 - 1})->hpa.value(), 5 * gib1 - 1);
    EXPECT_EQ(space.walk(Gpa{gib1})->permissions, rwx);
}

TEST_F(Stage2Test, split_with_both_edges_in_one_leaf_takes_shared_tables_once) {
    ASSERT_TRUE(map(gib1, 4 * gib1, gib1).has_value());
    tables.allocations_left = 2;
    EXPECT_TRUE(space.protect(Gpa{gib1 + kib4}, kib4, read_only).has_value());
    tables.allocations_left = 2;
    EXPECT_EQ(space.protect(Gpa{gib1 + 3 * mib2 + kib4}, 3 * mib2, read_only).has_value(), true);
    EXPECT_EQ(tables.allocations_left, 0U);
}

TEST_F(Stage2Test, protect_to_the_same_rights_splits_nothing_and_owes_nothing) {
    ASSERT_TRUE(map(gib1, 4 * gib1, gib1).has_value());
    tables.allocations_left = 0;
    EXPECT_EQ(space.protect(Gpa{gib1 + kib4}, kib4, rwx), TlbDuty{});
    EXPECT_EQ(leaf_size(gib1 + kib4), gib1);
}

TEST_F(Stage2Test, emptied_tables_are_freed_at_once) {
    ASSERT_TRUE(map(gib1 - kib4, 0, 2 * kib4).has_value());
    EXPECT_EQ(tables.used, 4U + 4U);
    ASSERT_TRUE(space.unmap(Gpa{gib1}, kib4).has_value());
    EXPECT_EQ(tables.used, 4U + 2U);
    ASSERT_TRUE(space.unmap(Gpa{gib1 - kib4}, kib4).has_value());
    EXPECT_EQ(tables.used, 4U);
}

TEST_F(Stage2Test, mapping_owes_a_flush_because_invalid_entries_may_be_cached) {
    EXPECT_EQ(map(kib4, 0, kib4), (TlbDuty{TlbScope::All, {Gpa{kib4}, kib4}})) << "new tables";
    EXPECT_EQ(map(2 * kib4, 0, kib4), (TlbDuty{TlbScope::Leaves, {Gpa{2 * kib4}, kib4}})) << "tables were there";
    EXPECT_EQ(map(gib1, 0, gib1), (TlbDuty{TlbScope::Leaves, {Gpa{gib1}, gib1}})) << "a leaf in the root";
}

TEST_F(Stage2Test, mapping_owes_nothing_where_invalid_entries_are_never_cached) {
    auto other = *Stage2<FourLevels, FakeTables>::create(tables);
    EXPECT_EQ(other.map(Gpa{kib4}, Hpa{0}, kib4, rwx), TlbDuty{});
    EXPECT_EQ(other.unmap(Gpa{kib4}, kib4), (TlbDuty{TlbScope::All, {Gpa{kib4}, kib4}}));
}

TEST_F(Stage2Test, changing_part_of_a_leaf_owes_a_flush_of_all_of_it) {
    ASSERT_TRUE(map(0, 0, 2 * gib1).has_value());
    EXPECT_EQ(space.protect(Gpa{gib1 + kib4}, kib4, read_only), (TlbDuty{TlbScope::Leaves, {Gpa{gib1}, gib1}}));
    EXPECT_EQ(space.unmap(Gpa{gib1 - kib4}, 2 * kib4), (TlbDuty{TlbScope::Leaves, {Gpa{0}, gib1 + kib4}}));
    EXPECT_EQ(space.unmap(Gpa{gib1 + kib4}, mib2 - kib4), (TlbDuty{TlbScope::All, {Gpa{gib1 + kib4}, mib2 - kib4}}));
}

/// Every entry write of an operation is seen by a hart that walks at that moment.
TEST_F(Stage2Test, walker_never_meets_a_half_made_table) {
    tables.is_logging = true;
    ASSERT_TRUE(map(kib4, gib1, 2 * kib4).has_value());
    ASSERT_TRUE(map(mib2, 4 * mib2, mib2).has_value());
    const u64 root = space.root().value();
    // Tables are linked bottom-up: the write to the root comes after all writes below it.
    std::size_t root_write = 0;
    for (std::size_t i = 0; i < tables.log.size(); ++i) {
        if (tables.log[i].first.page_base().value() == root) root_write = i;
    }
    for (std::size_t i = root_write + 1; i < tables.log.size(); ++i) {
        EXPECT_NE(tables.log[i].first.value(), root) << "the root entry is written once";
    }
    std::size_t leaves_before = 0;
    for (std::size_t i = 0; i < root_write; ++i) {
        if ((tables.log[i].second & 0xf) == 0xf) ++leaves_before;
    }
    EXPECT_EQ(leaves_before, 2U);
}

TEST_F(Stage2Test, split_keeps_every_translation_at_every_moment) {
    ASSERT_TRUE(map(gib1, 4 * gib1, gib1).has_value());
    tables.is_logging = true;
    ASSERT_TRUE(space.protect(Gpa{gib1 + mib2 + kib4}, kib4, read_only).has_value());
    const u64 root_entry = space.root().value() + 8;
    std::size_t filled = 0;
    for (const auto& [at, value] : tables.log) {
        if (at.value() == root_entry) break;
        filled += (value & 0xe) != 0 ? 1U : 0U;
    }
    EXPECT_GE(filled, 512U) << "the new table is full before it is linked";
    EXPECT_EQ(space.walk(Gpa{gib1 + mib2 + kib4})->permissions, read_only);
    EXPECT_EQ(space.walk(Gpa{gib1 + mib2 + 2 * kib4})->permissions, rwx);
}

TEST_F(Stage2Test, damaged_tables_map_nothing_rather_than_run_away) {
    ASSERT_TRUE(map(kib4, gib1, kib4).has_value());
    const RawWalk raw = raw_walk(tables, space.root().value(), kib4);
    tables.write(Hpa{raw.tables[2] + 8}, Sv39x4::encode_table(Hpa{raw.tables[2]}));
    EXPECT_FALSE(space.walk(Gpa{kib4}).has_value());
    EXPECT_EQ(space.unmap(Gpa{kib4}, kib4).error(), MapError::NotMapped);
    tables.write(Hpa{raw.tables[2] + 8}, 0);
}

TEST_F(Stage2Test, device_memory_is_kept_where_the_format_can) {
    auto four = *Stage2<FourLevels, FakeTables>::create(tables);
    ASSERT_TRUE(four.map(Gpa{0}, Hpa{0}, gib1, Permissions::rw_device()).has_value());
    ASSERT_TRUE(four.unmap(Gpa{0}, kib4).has_value());
    EXPECT_EQ(four.walk(Gpa{kib4})->permissions, Permissions::rw_device());
}

TEST_F(Stage2Test, format_settings_choose_the_width) {
    auto narrow = *Stage2<Concatenated, FakeTables>::create(tables, Concatenated{.extra_bits = 1});
    EXPECT_EQ(narrow.gpa_bits(), 40U);
    EXPECT_TRUE(narrow.map(Gpa{(u64{1} << 40) - kib4}, Hpa{0}, kib4, rwx).has_value());
    EXPECT_EQ(narrow.map(Gpa{u64{1} << 40}, Hpa{0}, kib4, rwx).error(), MapError::OutOfRange);
}

}  // namespace
}  // namespace ax::mm::test
