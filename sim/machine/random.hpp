// The run's own random numbers: a function of the seed alone.
#pragma once

#include "core/base/fields.hpp"

namespace ax::sim {

/// SplitMix64 (Steele, Lea, Flood: "Fast splittable pseudorandom number generators").
class Random {
public:
    explicit Random(u64 seed) : state_(seed) {}

    [[nodiscard]] u64 next() {
        state_ += 0x9e37'79b9'7f4a'7c15;
        u64 z = state_;
        z = (z ^ (z >> 30)) * 0xbf58'476d'1ce4'e5b9;
        z = (z ^ (z >> 27)) * 0x94d0'49bb'1331'11eb;
        return z ^ (z >> 31);
    }

    void fields(FieldVisitor& v) { field(v, "state", state_); }

private:
    u64 state_;
};

}  // namespace ax::sim
