#include "devices/irqchip/vlapic_timer.hpp"

#include <algorithm>

#include "core/timer/ticks.hpp"

namespace ax::dev::lapic {

namespace {

u64 add_saturating(u64 a, u64 b) { return b > timer::never - a ? timer::never : a + b; }

}  // namespace

/// "Divide Configuration Register": bits 3, 1 and 0 are a power of two less one, and all ones divide by 1.
u64 Timer::tick_ns() const {
    const u32 power = (divide_ & 0b11) | (divide_ & 0b1000) >> 1;
    return u64{1} << ((power + 1) & 0b111);
}

void Timer::start(u64 now_ns, u32 count) {
    start_ns_ = now_ns;
    loaded_ = count;
    due_ns_ = count == 0 ? timer::never : add_saturating(now_ns, count * tick_ns());
}

void Timer::stop() {
    start(0, 0);
    tsc_deadline_ = 0;
}

u32 Timer::current_count(u64 now_ns) const {
    if (loaded_ == 0) return 0;
    const u64 elapsed = elapsed_ticks(now_ns);
    if (elapsed < loaded_) return static_cast<u32>(loaded_ - elapsed);
    if (mode_ != TimerMode::Periodic || initial_ == 0) return 0;
    return static_cast<u32>(initial_ - (elapsed - loaded_) % initial_);
}

void Timer::set_mode(u64 now_ns, TimerMode mode) {
    if (mode == mode_) return;
    // "TSC-Deadline Mode": going there or coming from there disarms.
    if (mode == TimerMode::TscDeadline || mode_ == TimerMode::TscDeadline || mode == TimerMode::Reserved) {
        mode_ = mode;
        stop();
        return;
    }
    const u32 left = current_count(now_ns);
    const u64 into_tick = now_ns < start_ns_ ? 0 : (now_ns - start_ns_) % tick_ns();
    mode_ = mode;
    if (left != 0) start(now_ns - into_tick, left);
}

void Timer::set_initial_count(u64 now_ns, u32 count) {
    if (mode_ == TimerMode::TscDeadline) return;
    initial_ = count;
    start(now_ns, count);
}

void Timer::set_divide(u64 now_ns, u32 divide) {
    const u32 left = current_count(now_ns);
    divide_ = static_cast<u32>(divide & divide_bits);
    if (mode_ != TimerMode::TscDeadline) start(now_ns, left);
}

void Timer::set_tsc_deadline(u64 now_ns, const TimeStamp& tsc, u64 deadline) {
    if (mode_ != TimerMode::TscDeadline) return;
    tsc_deadline_ = deadline;
    set_tsc(now_ns, tsc);
}

void Timer::set_tsc(u64 now_ns, const TimeStamp& tsc) {
    if (mode_ != TimerMode::TscDeadline) return;
    if (tsc_deadline_ == 0)
        due_ns_ = timer::never;
    else
        due_ns_ = tsc_deadline_ <= tsc.value ? now_ns : add_saturating(now_ns, timer::ticks_to_ns(tsc_deadline_ - tsc.value, tsc.hz));
}

bool Timer::expire(u64 now_ns) {
    if (due_ns_ == timer::never || due_ns_ > now_ns) return false;
    if (mode_ != TimerMode::Periodic || initial_ == 0) {
        stop();
        return true;
    }
    const u64 period = period_ns();
    start_ns_ = due_ns_ + (now_ns - due_ns_) / period * period;
    loaded_ = initial_;
    const u64 merged = std::max<u64>(1, (min_period_ns + period - 1) / period);
    due_ns_ = add_saturating(start_ns_, merged * period);
    return true;
}

void Timer::fields(FieldVisitor& v) {
    field(v, "mode", mode_);
    field(v, "initial", initial_);
    field(v, "divide", divide_);
    field(v, "loaded", loaded_);
    field(v, "start_ns", start_ns_);
    field(v, "tsc_deadline", tsc_deadline_);
    field(v, "due_ns", due_ns_);
    // A damaged file may say anything.
    if (mode_ > TimerMode::Reserved) mode_ = TimerMode::Reserved;
    divide_ = static_cast<u32>(divide_ & divide_bits);
}

}  // namespace ax::dev::lapic
