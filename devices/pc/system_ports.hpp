// Ports 0x61 and 0x92 of a PC: odd bits that found no other place.
#pragma once

#include <expected>
#include <string_view>

#include "core/bus/device.hpp"
#include "core/timer/clock.hpp"
#include "devices/pc/i8254.hpp"
#include "devices/pc/power_switch.hpp"

namespace ax::dev {

/// Port 0x61, NMI Status and Control (Intel 82371AB datasheet): gate and output of the 8254's counter 2, and a bit that
/// toggles with each refresh request. No speaker, no errors. 1 byte wide; others are refused.
class Port61 final : public bus::Device {
public:
    static constexpr u64 port = 0x61, window_bytes = 1;

    /// Both outlive the device.
    Port61(I8254& timer, timer::Clock& clock) : timer_(&timer), clock_(&clock) {}

    [[nodiscard]] std::string_view name() const override { return "port61"; }
    [[nodiscard]] std::expected<u64, bus::BusFault> read(u64 offset, u8 size) override;
    [[nodiscard]] std::expected<void, bus::BusFault> write(u64 offset, u8 size, u64 value) override;
    /// The gate is the timer's state.
    void reset() override { kept_ = 0; }
    void fields(FieldVisitor& v) override { field(v, "kept", kept_); }

private:
    I8254* timer_;
    timer::Clock* clock_;
    u8 kept_ = 0;  ///< speaker data and the two enables of checks
};

/// Port 0x92, System Control Port A: a fast reset, and the A20 gate, which is kept and means nothing: addresses always
/// have all their bits. 1 byte wide; others are refused.
class Port92 final : public bus::Device {
public:
    static constexpr u64 port = 0x92, window_bytes = 1;

    /// `power` outlives the device.
    explicit Port92(PowerSwitch& power) : power_(&power) {}

    [[nodiscard]] std::string_view name() const override { return "port92"; }
    [[nodiscard]] std::expected<u64, bus::BusFault> read(u64 offset, u8 size) override;
    [[nodiscard]] std::expected<void, bus::BusFault> write(u64 offset, u8 size, u64 value) override;
    void reset() override { value_ = a20; }
    void fields(FieldVisitor& v) override { field(v, "value", value_); }

private:
    static constexpr u8 a20 = 2;

    PowerSwitch* power_;
    u8 value_ = a20;
};

}  // namespace ax::dev
