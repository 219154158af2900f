#include "devices/rtc/goldfish.hpp"

#include "core/base/bits.hpp"

// Threats: what a hostile guest does, and what it gets. One test per row.
//
//  T1  access of 1, 2 or 8 bytes, or not aligned to 4     bus fault; nothing is latched or armed
//  T2  access to a place without a register, reads of     reads 0, writes ignored
//      write-only and writes of read-only registers
//  T3  an alarm now or in the past                        one interrupt, at once; the alarm is disarmed
//  T4  an alarm beyond the end of the clock               armed, and never due
//  T5  a time set so that it wraps past 2^64              the time wraps; an alarm not above it is due
//  T6  the time set past an armed alarm, or back          the alarm is due at once, or moves
//  T7  clearing an alarm or interrupt that is not there   ignored
//  T8  re-arming for ever                                 one alarm at a time is outstanding
//  T9  toggling IRQ_ENABLED for ever                      the line is driven only when it changes
//  T10 the halves of the time read in the wrong order     TIME_HIGH is that of the last TIME_LOW read

namespace ax::dev {

namespace {

enum class Register : u8 {
    TimeLow = 0x00,
    TimeHigh = 0x04,
    AlarmLow = 0x08,
    AlarmHigh = 0x0c,
    IrqEnabled = 0x10,
    ClearAlarm = 0x14,
    AlarmStatus = 0x18,
    ClearInterrupt = 0x1c,
};

constexpr u64 register_bytes = 4;
constexpr u64 last_register = index(Register::ClearInterrupt);

using Low = Bits<31, 0>;
using High = Bits<63, 32>;
using Enabled = Bits<0>;

bool is_register_access(u64 offset, u8 size) { return size == register_bytes && offset % register_bytes == 0; }

}  // namespace

void Goldfish::State::fields(FieldVisitor& v) {
    field(v, "offset_ns", offset_ns);
    field(v, "alarm_ns", alarm_ns);
    field(v, "deadline_ns", deadline_ns);
    field(v, "time_high", time_high);
    field(v, "is_armed", is_armed);
    field(v, "is_irq_enabled", is_irq_enabled);
    field(v, "is_irq_pending", is_irq_pending);
    field(v, "line", line);
}

void Goldfish::fields(FieldVisitor& v) {
    const u64 deadline_before = state_.deadline_ns;
    state_.fields(v);
    // Setting the same alarm again would change its place among equal deadlines, which looking must not do.
    if (state_.deadline_ns != deadline_before) alarms_->set_alarm(*this, state_.deadline_ns);
}

void Goldfish::reset() {
    disarm();
    const bool line = state_.line;
    state_ = {};
    state_.line = line;
    update_line();
}

std::expected<u64, bus::BusFault> Goldfish::read(u64 offset, u8 size) {
    if (!is_register_access(offset, size)) return std::unexpected(bus::BusFault{});
    if (offset > last_register) return 0;
    switch (static_cast<Register>(offset)) {
        case Register::TimeLow: {
            const u64 now = now_ns();
            state_.time_high = static_cast<u32>(High::get(now));
            return Low::get(now);
        }
        case Register::TimeHigh: return state_.time_high;
        case Register::AlarmLow: return Low::get(state_.alarm_ns);
        case Register::AlarmHigh: return High::get(state_.alarm_ns);
        case Register::IrqEnabled: return Enabled::of(state_.is_irq_enabled);
        case Register::AlarmStatus: return u64{state_.is_armed};
        case Register::ClearAlarm:
        case Register::ClearInterrupt: return 0;
    }
    return 0;
}

std::expected<void, bus::BusFault> Goldfish::write(u64 offset, u8 size, u64 value) {
    if (!is_register_access(offset, size)) return std::unexpected(bus::BusFault{});
    if (offset > last_register) return {};
    switch (static_cast<Register>(offset)) {
        case Register::TimeLow: set_time(Low::set(now_ns(), value)); break;
        case Register::TimeHigh: set_time(High::set(now_ns(), value)); break;
        case Register::AlarmLow:
            state_.alarm_ns = Low::set(state_.alarm_ns, value);
            arm();
            break;
        case Register::AlarmHigh: state_.alarm_ns = High::set(state_.alarm_ns, value); break;
        case Register::IrqEnabled: state_.is_irq_enabled = Enabled::test(value); break;
        case Register::ClearAlarm: disarm(); break;
        case Register::ClearInterrupt: state_.is_irq_pending = false; break;
        case Register::AlarmStatus: break;
    }
    update_line();
    return {};
}

void Goldfish::on_alarm() {
    if (!state_.is_armed || clock_->now_ns() < state_.deadline_ns) return;
    fire();
    update_line();
}

u64 Goldfish::now_ns() const { return config_.epoch_ns + state_.offset_ns + clock_->now_ns(); }

void Goldfish::set_time(u64 time_ns) {
    state_.offset_ns += time_ns - now_ns();
    if (state_.is_armed) arm();
}

void Goldfish::arm() {
    const u64 now = now_ns();
    if (state_.alarm_ns <= now) {
        fire();
        return;
    }
    const u64 clock_now = clock_->now_ns();
    const u64 remaining = state_.alarm_ns - now;
    state_.is_armed = true;
    state_.deadline_ns = remaining < timer::never - clock_now ? clock_now + remaining : timer::never;
    alarms_->set_alarm(*this, state_.deadline_ns);
}

void Goldfish::disarm() {
    if (!state_.is_armed) return;
    state_.is_armed = false;
    state_.deadline_ns = timer::never;
    alarms_->set_alarm(*this, timer::never);
}

void Goldfish::fire() {
    disarm();
    state_.is_irq_pending = true;
}

void Goldfish::update_line() {
    const bool level = state_.is_irq_pending && state_.is_irq_enabled;
    if (level == state_.line) return;
    state_.line = level;
    line_.set(level);
}

}  // namespace ax::dev
