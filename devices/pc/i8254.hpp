// The 8254 programmable interval timer of a PC, and the part of port 0x61 that belongs to it.
#pragma once

#include <array>
#include <expected>
#include <string_view>

#include "core/bus/device.hpp"
#include "core/irq/irq_chip.hpp"
#include "core/timer/clock.hpp"
#include "devices/pc/i8254_counter.hpp"

namespace ax::dev {

/// Intel 8254 datasheet, at ports 0x40 to 0x43: counter 0 drives an interrupt line, counter 1 runs for itself, counter 2
/// has its gate and output in port 0x61. Gates 0 and 1 are high. Accesses are 1 byte wide; others are refused. The
/// control word reads 0xff.
class I8254 final : public bus::Device, public timer::AlarmClient {
public:
    static constexpr u64 port = 0x40, window_bytes = 4;
    static constexpr u64 frequency_hz = 1'193'182;

    /// All outlive the device.
    I8254(timer::Clock& clock, timer::Alarms& alarms, irq::Line line);

    [[nodiscard]] std::string_view name() const override { return "i8254"; }
    [[nodiscard]] std::expected<u64, bus::BusFault> read(u64 offset, u8 size) override;
    [[nodiscard]] std::expected<void, bus::BusFault> write(u64 offset, u8 size, u64 value) override;
    void reset() override;
    /// A visitor that moves the alarm (restore) moves it in the alarms too; others leave it alone.
    void fields(FieldVisitor& v) override;
    void on_alarm() override;

    void set_gate2(bool level);
    [[nodiscard]] bool gate2() const { return counters_[2].gate(); }
    [[nodiscard]] bool output2() { return counters_[2].output(now()); }

private:
    [[nodiscard]] u64 now();
    void power_on();
    void control(u8 word);
    void read_back(u8 word);
    void drive(bool level);
    /// Brings line and alarm in step with counter 0.
    void settle();

    timer::Clock* clock_;
    timer::Alarms* alarms_;
    irq::Line line_;
    std::array<i8254::Counter, 3> counters_{};
    u64 alarm_ns_ = timer::never;
    u64 change_at_ = timer::never;  ///< the tick of the output's next change, as of the last look
    bool level_ = false;
};

}  // namespace ax::dev
