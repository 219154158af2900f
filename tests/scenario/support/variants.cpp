#include "tests/scenario/support/variants.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>

namespace ax::scenario {

RunSpec in_chunks(RunSpec spec, u64 chunk_insns) {
    spec.next_stop = [chunk_insns](u64 icount) { return icount + chunk_insns; };
    return spec;
}

RunSpec moved_at_random(RunSpec spec, u64 total_insns, unsigned moves) {
    SeededNumbers numbers(total_insns);
    std::vector<u64> points;
    for (unsigned i = 0; i < moves; ++i) points.push_back(numbers.below(std::max<u64>(total_insns, 1)));
    std::ranges::sort(points);
    spec.next_stop = [points](u64 icount) {
        const auto next = std::ranges::upper_bound(points, icount);
        return next == points.end() ? ~u64{0} : *next;
    };
    spec.at_stop = [](sim::Machine& machine) {
        const auto renewed = machine.renew_engine();
        if (!renewed) ADD_FAILURE() << renewed.error().to_line();
    };
    return spec;
}

BusyHost::BusyHost() {
    for (int i = 0; i < 2; ++i)
        threads_.emplace_back([this] {
            while (!is_over_.load(std::memory_order_relaxed)) {
            }
        });
}

BusyHost::~BusyHost() {
    is_over_ = true;
    for (std::thread& thread : threads_) thread.join();
}

u64 SeededNumbers::below(u64 limit) {
    // Knuth's MMIX generator; its high bits are the good ones.
    state_ = state_ * 6'364'136'223'846'793'005u + 1'442'695'040'888'963'407u;
    return (state_ >> 33) % limit;
}

}  // namespace ax::scenario
