// The host's time, for machines that run on its processor.
#pragma once

#include <ctime>

#include "core/base/types.hpp"

namespace ax::sim {

/// Nanoseconds of the host since the clock was made; never backwards.
class HostClock {
public:
    HostClock() : start_ns_(read()) {}

    [[nodiscard]] u64 now_ns() const { return read() - start_ns_; }
    /// Sleeps until then, or until a signal.
    void sleep_until(u64 ns) const {
        const timespec at = to_timespec(start_ns_ + ns);
        clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &at, nullptr);
    }

private:
    static constexpr u64 ns_per_second = 1'000'000'000;

    [[nodiscard]] static u64 read() {
        timespec now{};
        clock_gettime(CLOCK_MONOTONIC, &now);
        return static_cast<u64>(now.tv_sec) * ns_per_second + static_cast<u64>(now.tv_nsec);
    }
    [[nodiscard]] static timespec to_timespec(u64 ns) {
        return {static_cast<time_t>(ns / ns_per_second), static_cast<long>(ns % ns_per_second)};
    }

    u64 start_ns_;
};

}  // namespace ax::sim
