// Ticks of a counter and nanoseconds, without 128-bit division (which needs a runtime library).
#pragma once

#include "core/timer/clock.hpp"

namespace ax::timer {

inline constexpr u64 ns_per_second = 1'000'000'000;

/// The first nanosecond at which a counter of `frequency_hz` (1 Hz to 10 GHz) has reached `ticks`;
/// `never` when that lies beyond the clock.
[[nodiscard]] constexpr u64 ticks_to_ns(u64 ticks, u64 frequency_hz) {
    const u64 seconds = ticks / frequency_hz;
    const u64 rest = ticks % frequency_hz;
    if (seconds >= never / ns_per_second - 1) return never;
    return seconds * ns_per_second + (rest * ns_per_second + frequency_hz - 1) / frequency_hz;
}

/// Ticks that a counter of `frequency_hz` shows at `ns`.
[[nodiscard]] constexpr u64 ns_to_ticks(u64 ns, u64 frequency_hz) {
    return ns / ns_per_second * frequency_hz + ns % ns_per_second * frequency_hz / ns_per_second;
}

static_assert(ticks_to_ns(1, 10'000'000) == 100);
static_assert(ns_to_ticks(ticks_to_ns(12'345'678'901, 3'000'000), 3'000'000) == 12'345'678'901);
static_assert(ticks_to_ns(~u64{0}, 10'000'000) == never);

}  // namespace ax::timer
