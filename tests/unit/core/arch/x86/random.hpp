// A small generator for property tests: the same numbers on every host.
#pragma once

#include <iterator>

#include "core/base/types.hpp"

namespace ax::x86::testing {

/// SplitMix64 (Steele, Lea, Flood: "Fast Splittable Pseudorandom Number Generators").
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
    u64 below(u64 bound) { return next() % bound; }
    /// Numbers at the edges of widths more often than a plain draw.
    u64 interesting() {
        static constexpr u64 edges[] = {0,      1,           0x7f,        0x80,        0xff,        0x7fff,          0x8000,
                                        0xffff, 0x7fff'ffff, 0x8000'0000, 0xffff'ffff, ~u64{0} / 2, ~u64{0} / 2 + 1, ~u64{0},
                                        0x0f,   0x10};
        return below(2) == 0 ? edges[below(std::size(edges))] : next();
    }

private:
    u64 state_;
};

}  // namespace ax::x86::testing
