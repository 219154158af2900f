#include "sim/hal/unicorn/block_cache.hpp"

#include <gtest/gtest.h>

#include "tests/unit/core/mm/random.hpp"

namespace ax::sim {
namespace {

struct Naive {
    u64 count = 0;
    bool suspects = false;
};
Naive naive(const std::vector<u16>& code, std::size_t parcels) {
    Naive result;
    for (std::size_t at = 0; at < parcels; at += (code[at] & 3) == 3 ? 2 : 1) {
        ++result.count;
        const unsigned quadrant = code[at] & 3, funct3 = code[at] >> 13;
        result.suspects |= ((quadrant == 0 || quadrant == 2) && (funct3 == 1 || funct3 == 5)) || (quadrant == 0 && funct3 == 4);
    }
    return result;
}

TEST(SimInstructionCount, agrees_with_a_walk_over_the_code) {
    mm::test::Random random(3);
    for (int n = 0; n < 20'000; ++n) {
        const std::size_t parcels = 1 + random.below(60);
        std::vector<u16> code(parcels + 16);
        const u64 wide = 1 + random.below(4);
        for (u16& parcel : code) parcel = static_cast<u16>(random.next() & (random.one_in(wide) ? 0xffff : 0xfffe));
        // A block ends between instructions.
        std::size_t end = 0;
        while (end < parcels) end += (code[end] & 3) == 3 ? 2 : 1;
        const auto* bytes = reinterpret_cast<const std::byte*>(code.data());
        const Naive expected = naive(code, end);
        const BlockScan scan = scan_block(bytes, 2 * end);
        ASSERT_EQ(scan.count, expected.count);
        ASSERT_EQ(scan.has_suspect, expected.suspects);
        // The other way takes any cut, and pieces one after the other.
        InstructionCounter counter;
        const std::size_t cut = random.below(end + 1);
        counter.add(bytes, 2 * cut);
        ASSERT_EQ(counter.count(), naive(code, cut).count);
        counter.add(bytes + 2 * cut, 2 * (end - cut));
        ASSERT_EQ(counter.count(), expected.count);
    }
}

TEST(SimBlockCache, scans_again_after_a_change_that_it_was_told_of) {
    std::vector<u16> code(64, 0x0001);
    const auto* bytes = reinterpret_cast<const std::byte*>(code.data());
    BlockCache cache;
    EXPECT_EQ(cache.find(bytes, 8).count, 4U);
    EXPECT_EQ(cache.find(bytes, 10).count, 5U);
    EXPECT_EQ(cache.find(bytes, 8).count, 4U);
    code[0] = 0x0003;
    cache.forget();
    EXPECT_EQ(cache.find(bytes, 8).count, 3U);
}

}  // namespace
}  // namespace ax::sim
