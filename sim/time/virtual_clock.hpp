// Virtual time: nanoseconds, advanced by retired instructions, modelled costs and idle jumps only.
#pragma once

#include "core/base/fields.hpp"
#include "core/timer/clock.hpp"

namespace ax::sim {

class VirtualClock {
public:
    /// Every retired instruction takes `num / den` nanoseconds, both at least 1 and below 2^20.
    VirtualClock(u64 num, u64 den) : num_(num), den_(den) {}

    [[nodiscard]] u64 now_ns() const { return now_ns_; }
    /// The time `instructions` (below 2^40) later.
    [[nodiscard]] u64 after(u64 instructions) const { return now_ns_ + (rest_ + instructions * num_) / den_; }
    /// Instructions until the clock reads at least `deadline_ns`; 0 when it does already.
    [[nodiscard]] u64 instructions_until(u64 deadline_ns) const {
        if (deadline_ns <= now_ns_) return 0;
        constexpr u64 far = u64{1} << 40;
        const u64 distance = deadline_ns - now_ns_;
        if (distance > far) return far;
        return (distance * den_ - rest_ + num_ - 1) / num_;
    }

    void retire(u64 instructions) {
        const u64 sum = rest_ + instructions * num_;
        now_ns_ += sum / den_;
        rest_ = sum % den_;
    }
    void add_ns(u64 ns) { now_ns_ += ns; }
    /// Time passes with nothing running; never backwards.
    void jump_to(u64 ns) {
        if (ns > now_ns_) now_ns_ = ns;
    }

    void fields(FieldVisitor& v) {
        field(v, "now_ns", now_ns_);
        field(v, "rest", rest_);
    }

private:
    u64 num_;
    u64 den_;
    u64 now_ns_ = 0;
    u64 rest_ = 0;  ///< numerator of the part of a nanosecond not yet shown
};

}  // namespace ax::sim
