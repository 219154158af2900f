#include "sim/phys/frame_allocator.hpp"

#include <algorithm>
#include <cstring>

#include "core/base/bits.hpp"
#include "core/base/expect.hpp"

namespace ax::sim {

FrameAllocator::FrameAllocator(PhysMemory& memory) : memory_(memory), fresh_(memory.range().start.page_number()) {
    free_[memory.range().start.page_number()] = memory.range().size / page_size;
}

bool FrameAllocator::allocate(u64 count, u64 alignment, Hpa& frames) {
    if (count == 0) return false;
    const u64 step = std::max<u64>(1, alignment / page_size);
    for (const auto& [hole, length] : free_) {
        const u64 first = align_up(hole, step);
        if (first - hole > length || count > length - (first - hole)) continue;
        take(hole, first, count);
        frames = Hpa{first << page_shift};
        return true;
    }
    return false;
}

bool FrameAllocator::allocate_at(Hpa start, u64 count) {
    const u64 first = start.page_number();
    auto after = free_.upper_bound(first);
    if (count == 0 || !start.is_aligned(page_size) || after == free_.begin()) return false;
    const auto& [hole, length] = *std::prev(after);
    if (first - hole > length || count > length - (first - hole)) return false;
    take(hole, first, count);
    return true;
}

void FrameAllocator::take(u64 hole, u64 first, u64 count) {
    const u64 length = free_.at(hole);
    free_.erase(hole);
    if (first > hole) free_[hole] = first - hole;
    if (first + count < hole + length) free_[first + count] = hole + length - (first + count);
    zero(first, count);
}

void FrameAllocator::zero(u64 first, u64 count) {
    for (u64 frame = first; frame < std::min(first + count, fresh_); ++frame) {
        const Hpa at{frame << page_shift};
        memory_.mark_dirty(at);
        std::memset(memory_.pointer(at), 0, page_size);
    }
    fresh_ = std::max(fresh_, first + count);
}

void FrameAllocator::free(Hpa start, u64 count) {
    u64 first = start.page_number();
    expect(memory_.contains(start, count * page_size), "freed frames are RAM");
    auto after = free_.lower_bound(first);
    expect(after == free_.end() || first + count <= after->first, "freed frames were not free");
    if (after != free_.end() && first + count == after->first) {
        count += after->second;
        after = free_.erase(after);
    }
    if (after != free_.begin()) {
        const auto before = std::prev(after);
        expect(before->first + before->second <= first, "freed frames were not free");
        if (before->first + before->second == first) {
            before->second += count;
            return;
        }
    }
    free_[first] = count;
}

u64 FrameAllocator::free_frames() const {
    u64 total = 0;
    for (const auto& [first, count] : free_) total += count;
    return total;
}

}  // namespace ax::sim
