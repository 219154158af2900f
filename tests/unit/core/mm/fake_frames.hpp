// Host RAM for tests: 4 GiB at most, sparse, with every mistake in giving frames back a failure.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <map>
#include <vector>

#include "core/mm/frames.hpp"

namespace ax::mm::test {

class FakeFrames final : public Frames {
public:
    FakeFrames(Hpa start, u64 size_bytes) : start_(start), taken_(size_bytes / page_size) {}

    bool allocate(u64 count, u64 alignment, Hpa& frames) override {
        requests.push_back(count);
        if (allocations_left == 0) return false;
        if (allocations_left != unlimited) --allocations_left;
        const u64 step = alignment / page_size;
        const u64 skew = (step - start_.page_number() % step) % step;
        for (u64 first = skew; first + count <= taken_.size(); first += step) {
            if (!is_free(first, count)) continue;
            mark(first, count, true);
            frames = start_ + first * page_size;
            return true;
        }
        return false;
    }
    bool allocate_at(Hpa start, u64 count) override {
        if (!is_ram(start, count * page_size) || !is_free(number(start), count)) return false;
        mark(number(start), count, true);
        return true;
    }
    void free(Hpa start, u64 count) override {
        if (!is_ram(start, count * page_size)) {
            ADD_FAILURE() << "freed what is no RAM: " << std::hex << start.value();
            return;
        }
        for (u64 i = number(start); i < number(start) + count; ++i) {
            if (!taken_[i]) ADD_FAILURE() << "freed twice: frame " << i;
            taken_[i] = false;
            pages_.erase(i);
        }
        used -= count;
    }
    bool read(Hpa from, std::span<std::byte> to) override {
        if (!is_ram(from, to.size())) return false;
        for (std::size_t i = 0; i < to.size(); ++i) {
            const auto page = pages_.find(number(from + i));
            to[i] = page == pages_.end() ? std::byte{0} : page->second[(from + i).page_offset()];
        }
        return true;
    }
    bool write(Hpa to, std::span<const std::byte> from) override {
        if (!is_ram(to, from.size())) return false;
        for (std::size_t i = 0; i < from.size(); ++i) pages_[number(to + i)][(to + i).page_offset()] = from[i];
        return true;
    }

    static constexpr u64 unlimited = ~u64{0};
    u64 allocations_left = unlimited;  ///< calls of `allocate` that still work
    u64 used = 0;                      ///< frames
    std::vector<u64> requests;         ///< sizes that `allocate` was asked for, in frames

private:
    u64 number(Hpa a) const { return (a - start_) / page_size; }
    bool is_ram(Hpa a, u64 size) const { return HpaRange{start_, taken_.size() * page_size}.contains(a, size); }
    bool is_free(u64 first, u64 count) const {
        const auto begin = taken_.begin() + static_cast<std::ptrdiff_t>(first);
        const auto end = begin + static_cast<std::ptrdiff_t>(count);
        return std::find(begin, end, true) == end;
    }
    void mark(u64 first, u64 count, bool is_taken) {
        for (u64 i = first; i < first + count; ++i) taken_[i] = is_taken;
        used += count;
    }

    Hpa start_;
    std::vector<bool> taken_;
    std::map<u64, std::array<std::byte, page_size>> pages_;
};

}  // namespace ax::mm::test
