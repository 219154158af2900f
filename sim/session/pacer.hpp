// Keeps virtual time from running ahead of the host's clock. Decides only how long to sleep, never
// what a machine sees.
#pragma once

#include <chrono>

#include "core/base/types.hpp"

namespace ax::sim {

class Pacer {
public:
    using Clock = std::chrono::steady_clock;

    /// When virtual time `now_ns` may be reached on the host. A machine that is slower than its own time
    /// is never asked to catch up.
    [[nodiscard]] Clock::time_point due(u64 now_ns) {
        const auto host = Clock::now();
        const auto at = anchor_host_ + std::chrono::nanoseconds(now_ns - anchor_virtual_ns_);
        if (at < host) {
            anchor_host_ = host;
            anchor_virtual_ns_ = now_ns;
            return host;
        }
        return at;
    }
    /// The virtual time that corresponds to this moment, from `now_ns` on.
    [[nodiscard]] u64 virtual_now(u64 now_ns) const {
        const auto elapsed = std::chrono::duration_cast<std::chrono::nanoseconds>(Clock::now() - anchor_host_).count();
        const u64 reached = anchor_virtual_ns_ + static_cast<u64>(elapsed > 0 ? elapsed : 0);
        return reached > now_ns ? reached : now_ns;
    }

private:
    Clock::time_point anchor_host_ = Clock::now();
    u64 anchor_virtual_ns_ = 0;
};

}  // namespace ax::sim
