// The goldfish real-time clock: nanoseconds since the Unix epoch on virtual time, with one alarm.
#pragma once

#include <expected>
#include <string_view>

#include "core/base/types.hpp"
#include "core/bus/device.hpp"
#include "core/irq/irq_chip.hpp"
#include "core/timer/clock.hpp"

namespace ax::dev {

/// "Goldfish RTC" of the Android emulator's virtual hardware description.
///
/// The time is the configured epoch, plus the injected clock, plus what the guest set it forward by;
/// 64 bits, and it wraps. Reading TIME_LOW latches TIME_HIGH. Writing ALARM_LOW arms the alarm with
/// the ALARM_HIGH written before; an alarm not in the future is due at once. Accesses are 4 bytes
/// wide and aligned; others are refused. Places without a register read 0 and ignore writes.
class Goldfish final : public bus::Device, public timer::AlarmClient {
public:
    static constexpr u64 window_bytes = 0x1000;

    struct Config {
        /// The guest's time when the injected clock reads 0, in nanoseconds since the Unix epoch.
        u64 epoch_ns = 0;
    };

    struct State {
        /// What the guest added to the time by writing it, modulo 2^64.
        u64 offset_ns = 0;
        /// Guest time of the alarm, as last written.
        u64 alarm_ns = 0;
        /// Injected-clock time of the armed alarm; `timer::never` when none is armed, or when it
        /// lies beyond the end of the clock.
        u64 deadline_ns = timer::never;
        /// TIME_HIGH as of the last read of TIME_LOW.
        u32 time_high = 0;
        bool is_armed = false;
        bool is_irq_enabled = false;
        bool is_irq_pending = false;
        /// Level of the interrupt line.
        bool line = false;

        void fields(FieldVisitor& v);
    };

    /// `clock` and `alarms` must outlive the device.
    Goldfish(const Config& config, timer::Clock& clock, timer::Alarms& alarms, irq::Line line)
        : config_(config), clock_(&clock), alarms_(&alarms), line_(line) {}

    [[nodiscard]] std::string_view name() const override { return "goldfish-rtc"; }
    [[nodiscard]] std::expected<u64, bus::BusFault> read(u64 offset, u8 size) override;
    [[nodiscard]] std::expected<void, bus::BusFault> write(u64 offset, u8 size, u64 value) override;
    void reset() override;
    /// A visitor that changes the deadline (restore) moves the alarm with it; others leave it alone.
    void fields(FieldVisitor& v) override;

    /// Ignored unless an armed alarm is due.
    void on_alarm() override;

    [[nodiscard]] const State& state() const { return state_; }

private:
    [[nodiscard]] u64 now_ns() const;
    void set_time(u64 time_ns);
    void arm();
    void disarm();
    void fire();
    void update_line();

    Config config_;
    timer::Clock* clock_;
    timer::Alarms* alarms_;
    irq::Line line_;
    State state_;
};

}  // namespace ax::dev
