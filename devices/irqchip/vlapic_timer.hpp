// The timer of a local APIC as a value: every change and question names the time at which it happens.
#pragma once

#include "core/base/fields.hpp"
#include "core/timer/clock.hpp"
#include "devices/irqchip/vlapic_regs.hpp"

namespace ax::dev::lapic {

/// The timer's input counts nanoseconds of guest time; so does the guest's TSC, unless the machine says otherwise. CPUID leaves
/// 15H and 16H and what the guest measures must agree with this.
inline constexpr u64 usual_tsc_hz = 1'000'000'000;

/// The CPU's time-stamp counter.
struct TimeStamp {
    u64 value = 0;
    u64 hz = usual_tsc_hz;
};

/// A periodic timer interrupts at most so often; faster expirations merge, as they would in IRR.
inline constexpr u64 min_period_ns = 1'000;

/// Intel SDM vol. 3, "APIC Timer". A divide configuration that changes while the timer counts applies to what is left.
class Timer {
public:
    [[nodiscard]] TimerMode mode() const { return mode_; }
    [[nodiscard]] u32 initial_count() const { return initial_; }
    [[nodiscard]] u32 divide() const { return divide_; }
    [[nodiscard]] u32 current_count(u64 now_ns) const;
    /// IA32_TSC_DEADLINE: 0 when disarmed.
    [[nodiscard]] u64 tsc_deadline() const { return tsc_deadline_; }
    /// When it expires next; `timer::never` when it does not count.
    [[nodiscard]] u64 due_ns() const { return due_ns_; }

    void set_mode(u64 now_ns, TimerMode mode);
    void set_initial_count(u64 now_ns, u32 count);
    void set_divide(u64 now_ns, u32 divide);
    /// `tsc` is what the CPU's counter shows at `now_ns`. Ignored in the other modes.
    void set_tsc_deadline(u64 now_ns, const TimeStamp& tsc, u64 deadline);
    /// The CPU's time-stamp counter has been set to `tsc`.
    void set_tsc(u64 now_ns, const TimeStamp& tsc);
    /// True when it has expired at or before `now_ns`; it is then stopped or counts its next period.
    bool expire(u64 now_ns);
    void fields(FieldVisitor& v);

private:
    [[nodiscard]] u64 tick_ns() const;
    [[nodiscard]] u64 period_ns() const { return u64{initial_ == 0 ? 1 : initial_} * tick_ns(); }
    [[nodiscard]] u64 elapsed_ticks(u64 now_ns) const { return now_ns < start_ns_ ? 0 : (now_ns - start_ns_) / tick_ns(); }
    void start(u64 now_ns, u32 count);
    void stop();

    TimerMode mode_ = TimerMode::OneShot;
    u32 initial_ = 0;
    u32 divide_ = 0;
    u32 loaded_ = 0;  ///< the count at `start_ns_`; 0 when it does not count
    u64 start_ns_ = 0;
    u64 tsc_deadline_ = 0;
    u64 due_ns_ = timer::never;
};

}  // namespace ax::dev::lapic
