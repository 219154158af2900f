#include "sim/time/virtual_clock.hpp"

#include <gtest/gtest.h>

#include "tests/unit/core/mm/random.hpp"

namespace ax::sim {
namespace {

using mm::test::Random;

TEST(SimVirtualClock, instructions_until_is_the_first_that_reaches_it) {
    Random random(7);
    for (int n = 0; n < 20'000; ++n) {
        VirtualClock clock(1 + random.below(1 << (1 + random.below(19))), 1 + random.below(1 << (1 + random.below(19))));
        clock.retire(random.below(1000));
        const u64 deadline = clock.now_ns() + random.below(100'000);
        const u64 needed = clock.instructions_until(deadline);
        EXPECT_GE(clock.after(needed), deadline);
        if (needed != 0) {
            EXPECT_LT(clock.after(needed - 1), deadline);
        }
        clock.retire(needed);
        EXPECT_GE(clock.now_ns(), deadline);
        EXPECT_EQ(clock.instructions_until(deadline), 0U);
    }
}

TEST(SimVirtualClock, pieces_add_up) {
    Random random(8);
    for (int n = 0; n < 2'000; ++n) {
        const u64 num = 1 + random.below(1000), den = 1 + random.below(1000);
        VirtualClock whole(num, den);
        VirtualClock pieces(num, den);
        u64 total = 0;
        for (int piece = 0; piece < 20; ++piece) {
            const u64 count = random.below(500);
            total += count;
            pieces.retire(count);
        }
        EXPECT_EQ(whole.after(total), pieces.now_ns());
        EXPECT_EQ(pieces.now_ns(), total * num / den);
    }
}

TEST(SimVirtualClock, never_goes_back) {
    VirtualClock clock(1, 1);
    clock.add_ns(100);
    clock.jump_to(50);
    EXPECT_EQ(clock.now_ns(), 100U);
    clock.jump_to(150);
    EXPECT_EQ(clock.now_ns(), 150U);
    EXPECT_EQ(clock.instructions_until(~u64{0}), u64{1} << 40);
}

}  // namespace
}  // namespace ax::sim
