// The PL031 real-time clock: seconds since the Unix epoch on virtual time, with one alarm.
#pragma once

#include <expected>
#include <string_view>

#include "core/base/types.hpp"
#include "core/bus/device.hpp"
#include "core/irq/irq_chip.hpp"
#include "core/timer/clock.hpp"

namespace ax::dev {

/// PrimeCell Real Time Clock (PL031) Technical Reference Manual.
///
/// The counter holds the configured epoch plus the injected clock in whole seconds, 32 bits, and it
/// wraps; writing RTCLR replaces it at once, without moving the instant at which it counts on.
/// RTCCR reads 1: firmware started the clock, and nothing stops it. The interrupt becomes raw when
/// the counter arrives at RTCMR, or one is written equal to the other: a match that has passed comes
/// again after 2^32 seconds. Accesses are 4 bytes wide and aligned; others are refused. Places
/// without a register read 0 and ignore writes.
class Pl031 final : public bus::Device, public timer::AlarmClient {
public:
    static constexpr u64 window_bytes = 0x1000;

    struct Config {
        /// The guest's time when the injected clock reads 0, in nanoseconds since the Unix epoch.
        u64 epoch_ns = 0;
    };

    struct State {
        /// What the guest added to the counter by writing RTCLR, modulo 2^32.
        u32 offset = 0;
        /// RTCMR and RTCLR as last written.
        u32 match = 0;
        u32 load = 0;
        bool is_irq_enabled = false;
        /// RTCRIS, as of the last access or alarm; a match after that shows in `match_ns`.
        bool is_irq_pending = false;
        /// Injected-clock time at which the counter next arrives at RTCMR; `timer::never` beyond the
        /// end of the clock.
        u64 match_ns = timer::never;
        /// Where the alarm stands. It is set only while it would move the line, so that a machine at
        /// rest is not woken for a match that nobody waits for.
        u64 alarm_ns = timer::never;
        /// Level of the interrupt line.
        bool line = false;

        void fields(FieldVisitor& v);
    };

    /// `clock` and `alarms` must outlive the device.
    Pl031(const Config& config, timer::Clock& clock, timer::Alarms& alarms, irq::Line line);

    [[nodiscard]] std::string_view name() const override { return "pl031-rtc"; }
    [[nodiscard]] std::expected<u64, bus::BusFault> read(u64 offset, u8 size) override;
    [[nodiscard]] std::expected<void, bus::BusFault> write(u64 offset, u8 size, u64 value) override;
    void reset() override;
    /// A visitor that moves the alarm (restore) moves it in `alarms` too; others leave it alone.
    void fields(FieldVisitor& v) override;

    /// Ignored unless the match is due.
    void on_alarm() override;

    [[nodiscard]] const State& state() const { return state_; }

private:
    [[nodiscard]] u64 read_register(u64 offset) const;
    void write_register(u64 offset, u32 value);
    [[nodiscard]] u32 counter() const;
    /// Makes the interrupt raw if its time has come.
    void catch_up();
    /// Finds the next match after RTCMR or the counter changed; raw at once when they are equal.
    void seek_match();
    /// Brings alarm and line in step with the rest.
    void settle();

    Config config_;
    timer::Clock* clock_;
    timer::Alarms* alarms_;
    irq::Line line_;
    State state_;
};

}  // namespace ax::dev
