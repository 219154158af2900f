// ACPI's fixed hardware of a PC: power management event and control registers, and the timer.
#pragma once

#include <expected>
#include <string_view>

#include "core/bus/device.hpp"
#include "core/irq/irq_chip.hpp"
#include "core/timer/clock.hpp"
#include "devices/pc/power_switch.hpp"

namespace ax::dev {

/// ACPI specification, "ACPI Register Model", "Fixed Hardware Features": PM1a_EVT at port 0x600, PM1a_CNT at 0x604, PM_TMR
/// at 0x608. ACPI mode is always on (SCI_EN reads 1). Sleep type `s5` with SLP_EN turns the machine off; other
/// sleep types do nothing. Accesses of 1, 2 and 4 bytes anywhere; 8 are refused.
class AcpiPm final : public bus::Device, public timer::AlarmClient {
public:
    static constexpr u64 port = 0x600, window_bytes = 12;
    static constexpr u64 frequency_hz = 3'579'545;
    /// SLP_TYP of the soft-off state, as the DSDT's _S5 must say.
    static constexpr u8 s5 = 5;

    struct Config {
        bool has_32_bit_timer = true;  ///< TMR_VAL_EXT of the FADT; else 24 bits
    };

    /// All outlive the device. `sci` is level-triggered.
    AcpiPm(const Config& config, timer::Clock& clock, timer::Alarms& alarms, irq::Line sci, PowerSwitch& power);

    [[nodiscard]] std::string_view name() const override { return "acpi-pm"; }
    [[nodiscard]] std::expected<u64, bus::BusFault> read(u64 offset, u8 size) override;
    [[nodiscard]] std::expected<void, bus::BusFault> write(u64 offset, u8 size, u64 value) override;
    void reset() override;
    /// A visitor that moves the alarm (restore) moves it in the alarms too; others leave it alone.
    void fields(FieldVisitor& v) override;
    void on_alarm() override;

    /// Somebody pushes the power button: PWRBTN_STS.
    void press_power_button();

private:
    [[nodiscard]] u64 ticks();
    [[nodiscard]] u64 carry_ticks() const;
    [[nodiscard]] u8 read_byte(u64 offset);
    void write_byte(u64 offset, u8 value);
    void write_control_high(u8 value);
    /// TMR_STS, when the timer's highest bit has changed.
    void catch_up();
    void settle();

    Config config_;
    timer::Clock* clock_;
    timer::Alarms* alarms_;
    irq::Line sci_;
    PowerSwitch* power_;

    u16 status_ = 0;
    u16 enable_ = 0;
    u16 control_ = 0;
    u64 carries_ = 0;  ///< how often the highest bit had changed when we last looked
    u64 alarm_ns_ = timer::never;
    bool line_ = false;
};

}  // namespace ax::dev
