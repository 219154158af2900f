// TableMemory and TableReserve: limit, count, contents.
#include <gtest/gtest.h>

#include "core/mm/table_reserve.hpp"
#include "tests/unit/core/mm/fake_frames.hpp"

namespace ax::mm::test {
namespace {

constexpr u64 mib1 = 0x10'0000;

TEST(TablePool, gives_no_more_than_its_limit) {
    FakeFrames frames(Hpa{0x8000'0000}, mib1);
    TableMemory pool(frames, 6);
    const auto root = pool.allocate_table(4);
    ASSERT_TRUE(root.has_value());
    EXPECT_TRUE(root->is_aligned(4 * page_size));
    EXPECT_FALSE(pool.allocate_table(4).has_value());
    const auto table = pool.allocate_table(1);
    ASSERT_TRUE(table.has_value() && pool.allocate_table(1).has_value());
    EXPECT_FALSE(pool.allocate_table(1).has_value());
    EXPECT_EQ(pool.used_pages(), 6U);
    pool.free_table(*table, 1);
    EXPECT_TRUE(pool.allocate_table(1).has_value());
    EXPECT_EQ(frames.used, 6U);
}

TEST(TablePool, host_without_frames_is_no_table_and_counts_nothing) {
    FakeFrames frames(Hpa{0x8000'0000}, 2 * page_size);
    TableMemory pool(frames, 100);
    EXPECT_FALSE(pool.allocate_table(4).has_value());
    EXPECT_EQ(pool.used_pages(), 0U);
}

TEST(TablePool, entries_are_little_endian_words_of_host_memory) {
    FakeFrames frames(Hpa{0x8000'0000}, mib1);
    TableMemory pool(frames, 1);
    const Hpa table = *pool.allocate_table(1);
    pool.write(table + 8, 0x1122'3344'5566'7788);
    EXPECT_EQ(pool.read(table + 8), 0x1122'3344'5566'7788U);
    std::array<std::byte, 1> low{};
    ASSERT_TRUE(frames.read(table + 8, low));
    EXPECT_EQ(low[0], std::byte{0x88});
}

TEST(TableReserve, returns_what_was_not_taken_and_gives_zeroed_tables) {
    FakeFrames frames(Hpa{0x8000'0000}, mib1);
    TableMemory pool(frames, 10);
    Hpa taken;
    {
        TableReserve reserve(pool);
        ASSERT_TRUE(reserve.fill(7));
        EXPECT_EQ(pool.used_pages(), 7U);
        static_cast<void>(reserve.take());
        taken = reserve.take();
    }
    EXPECT_EQ(pool.used_pages(), 2U);
    EXPECT_EQ(pool.read(taken), 0U);
}

TEST(TableReserve, incomplete_fill_is_returned) {
    FakeFrames frames(Hpa{0x8000'0000}, mib1);
    TableMemory pool(frames, 5);
    {
        TableReserve reserve(pool);
        EXPECT_FALSE(reserve.fill(6));
    }
    EXPECT_EQ(pool.used_pages(), 0U);
    EXPECT_EQ(frames.used, 0U);
}

}  // namespace
}  // namespace ax::mm::test
