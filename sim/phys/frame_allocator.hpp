// Hands out frames of the simulated RAM: lowest address first, so that every run gets the same ones.
#pragma once

#include <map>

#include "sim/phys/memory.hpp"

namespace ax::sim {

class FrameAllocator {
public:
    /// Owns the frames of all of `memory`, which outlives it.
    explicit FrameAllocator(PhysMemory& memory);

    /// `count` contiguous zeroed frames aligned to `alignment` bytes; false when there are none.
    [[nodiscard]] bool allocate(u64 count, u64 alignment, Hpa& frames);
    /// Exactly these frames, zeroed; false when any is taken or is no RAM.
    [[nodiscard]] bool allocate_at(Hpa start, u64 count);
    void free(Hpa start, u64 count);
    [[nodiscard]] u64 free_frames() const;

private:
    void take(u64 hole, u64 first, u64 count);
    void zero(u64 first, u64 count);

    PhysMemory& memory_;
    std::map<u64, u64> free_;  ///< first frame number -> count, in address order
    u64 fresh_;                ///< frames from here on were never handed out and are still zero
};

}  // namespace ax::sim
