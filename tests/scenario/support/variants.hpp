// The ways of running the same machine that must all come to the same state.
#pragma once

#include <atomic>
#include <thread>
#include <vector>

#include "tests/scenario/support/session.hpp"

namespace ax::scenario {

/// The run cut into pieces of this many instructions.
[[nodiscard]] RunSpec in_chunks(RunSpec spec, u64 chunk_insns);

/// The run moved into a fresh engine at `moves` seeded random points of its `total_insns`.
[[nodiscard]] RunSpec moved_at_random(RunSpec spec, u64 total_insns, unsigned moves);

/// Two threads that do nothing but use the host's processors, while it lives.
class BusyHost {
public:
    BusyHost();
    BusyHost(const BusyHost&) = delete;
    BusyHost& operator=(const BusyHost&) = delete;
    ~BusyHost();

private:
    std::atomic<bool> is_over_ = false;
    std::vector<std::thread> threads_;
};

/// Numbers that are the same in every run of the tests.
class SeededNumbers {
public:
    explicit SeededNumbers(u64 seed) : state_(seed) {}
    /// From 0 to `limit` - 1.
    u64 below(u64 limit);

private:
    u64 state_;
};

}  // namespace ax::scenario
