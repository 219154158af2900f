#include "sim/phys/memory.hpp"

#include <gtest/gtest.h>

#include <array>

#include "sim/phys/frame_allocator.hpp"

namespace ax::sim {
namespace {

constexpr Hpa base{0x8000'0000};

PhysMemory small_memory(u64 pages = 16) { return std::move(*PhysMemory::create(base, pages * page_size)); }

void put(PhysMemory& memory, u64 page, u8 value) {
    const std::array<std::byte, 1> data{static_cast<std::byte>(value)};
    ASSERT_TRUE(memory.write(base + page * page_size + 5, data));
}

TEST(SimPhysMemory, range_checks_copy_nothing) {
    struct Case {
        u64 offset;  ///< from base, modulo 2^64
        std::size_t size;
        bool inside;
    };
    const u64 end = 16 * page_size;
    const Case cases[] = {{0, 8, true},    {end - 8, 8, true},  {end - 7, 8, false},
                          {end, 1, false}, {~u64{0}, 2, false}, {end, 0, true}};
    for (const Case& c : cases) {
        PhysMemory memory = small_memory();
        std::vector<std::byte> data(c.size, std::byte{0x5a});
        EXPECT_EQ(memory.write(base + c.offset, data), c.inside) << c.offset;
        EXPECT_EQ(memory.dirty_pages(), c.inside && c.size != 0 ? 1U : 0U);
        std::vector<std::byte> back(c.size, std::byte{0x11});
        EXPECT_EQ(memory.read(base + c.offset, back), c.inside);
        if (c.size != 0) {
            EXPECT_EQ(back[0], c.inside ? std::byte{0x5a} : std::byte{0x11});
        }
    }
}

TEST(SimPhysMemory, hash_depends_on_contents_and_place_not_on_order) {
    PhysMemory a = small_memory();
    PhysMemory b = small_memory();
    put(a, 3, 1);
    put(a, 9, 2);
    put(b, 9, 7);
    (void)b.hash();
    put(b, 9, 2);
    put(b, 3, 1);
    EXPECT_EQ(a.hash(), b.hash());
    put(b, 3, 2);
    put(b, 9, 1);
    EXPECT_NE(a.hash(), b.hash());
}

TEST(SimPhysMemory, zero_pages_count_as_untouched) {
    PhysMemory a = small_memory();
    PhysMemory b = small_memory();
    put(a, 2, 9);
    EXPECT_NE(a.hash(), b.hash());
    put(a, 2, 0);
    EXPECT_EQ(a.hash(), b.hash());
}

TEST(SimPhysMemory, hash_forgets_marks_and_tells_so) {
    PhysMemory memory = small_memory();
    put(memory, 2, 9);
    EXPECT_TRUE(memory.is_dirty(base + 2 * page_size));
    const u64 epoch = memory.write_epoch();
    const u64 hash = memory.hash();
    EXPECT_FALSE(memory.is_dirty(base + 2 * page_size));
    EXPECT_NE(memory.write_epoch(), epoch);
    EXPECT_EQ(memory.hash(), hash);
    EXPECT_EQ(memory.write_epoch(), epoch + 1);
}

TEST(SimFrameAllocator, takes_the_lowest_that_fits) {
    PhysMemory memory = small_memory();
    FrameAllocator frames(memory);
    Hpa at;
    ASSERT_TRUE(frames.allocate(1, page_size, at));
    EXPECT_EQ(at, base);
    ASSERT_TRUE(frames.allocate(2, 4 * page_size, at));
    EXPECT_EQ(at, base + 4 * page_size);
    ASSERT_TRUE(frames.allocate(3, page_size, at));
    EXPECT_EQ(at, base + page_size);
    ASSERT_TRUE(frames.allocate(10, page_size, at));
    EXPECT_EQ(at, base + 6 * page_size);
    EXPECT_FALSE(frames.allocate(1, page_size, at));
    EXPECT_FALSE(frames.allocate(0, page_size, at));
}

TEST(SimFrameAllocator, allocate_at_takes_exactly_these) {
    PhysMemory memory = small_memory();
    FrameAllocator frames(memory);
    EXPECT_TRUE(frames.allocate_at(base + 4 * page_size, 2));
    EXPECT_FALSE(frames.allocate_at(base + 5 * page_size, 1));
    EXPECT_FALSE(frames.allocate_at(base + 3 * page_size, 2));
    EXPECT_FALSE(frames.allocate_at(base + 15 * page_size, 2));
    EXPECT_FALSE(frames.allocate_at(base + 1, 1));
    EXPECT_FALSE(frames.allocate_at(base - page_size, 1));
    EXPECT_FALSE(frames.allocate_at(base, 0));
    EXPECT_EQ(frames.free_frames(), 14U);
}

TEST(SimFrameAllocator, freed_frames_merge_and_come_back_zeroed) {
    PhysMemory memory = small_memory(4);
    FrameAllocator frames(memory);
    Hpa at;
    for (int n = 0; n < 4; ++n) ASSERT_TRUE(frames.allocate(1, page_size, at));
    put(memory, 1, 0xff);
    for (const u64 page : {u64{0}, u64{2}, u64{1}, u64{3}}) frames.free(base + page * page_size, 1);
    EXPECT_EQ(frames.free_frames(), 4U);
    ASSERT_TRUE(frames.allocate(4, page_size, at));
    EXPECT_EQ(*memory.pointer(base + page_size + 5), std::byte{0});
}

}  // namespace
}  // namespace ax::sim
