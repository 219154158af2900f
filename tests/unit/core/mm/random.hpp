// Seeded numbers for property tests: SplitMix64.
#pragma once

#include "core/base/types.hpp"

namespace ax::mm::test {

class Random {
public:
    explicit Random(u64 seed) : state_(seed) {}

    u64 next() {
        state_ += 0x9e37'79b9'7f4a'7c15;
        u64 z = state_;
        z = (z ^ (z >> 30)) * 0xbf58'476d'1ce4'e5b9;
        z = (z ^ (z >> 27)) * 0x94d0'49bb'1331'11eb;
        return z ^ (z >> 31);
    }
    /// 0 to `bound` - 1.
    u64 below(u64 bound) { return next() % bound; }
    bool one_in(u64 n) { return below(n) == 0; }

private:
    u64 state_;
};

}  // namespace ax::mm::test
