// The real-time clock of a PC and its battery-backed memory.
#pragma once

#include <array>
#include <expected>
#include <string_view>

#include "core/bus/device.hpp"
#include "core/irq/irq_chip.hpp"
#include "core/timer/clock.hpp"
#include "devices/pc/calendar.hpp"

namespace ax::dev {

/// Motorola MC146818A datasheet, at ports 0x70 (index) and 0x71 (data), with 128 bytes; the PC's century is byte 0x32. The
/// memory holds what a PC's firmware looks for: base and extended memory, memory above 16 MiB and above 4 GiB,
/// boot order and number of CPUs, as QEMU and SeaBIOS lay them out.
///
/// Choices: the time is the configured epoch plus the injected clock plus what the guest set, and moves on whole seconds
/// of the clock; the day of the week follows from the date; a date that does not exist becomes the nearest that does;
/// daylight saving and square wave do not exist; the divider always runs. Accesses are 1 byte wide; others are refused.
class Cmos final : public bus::Device, public timer::AlarmClient {
public:
    static constexpr u64 port = 0x70, window_bytes = 2;
    static constexpr std::size_t bytes = 128;

    struct Config {
        /// The guest's time when the injected clock reads 0, in nanoseconds since the Unix epoch.
        u64 epoch_ns = 0;
        u64 memory_below_4g = 0;  ///< bytes from 0 on
        u64 memory_above_4g = 0;  ///< bytes from 4 GiB on
        u32 vcpus = 1;
        /// What to boot first, second and third, as SeaBIOS numbers it: 1 floppy, 2 disk, 3 CD, 4 network.
        std::array<u8, 3> boot_order{2, 3, 0};
    };

    /// `clock` and `alarms` outlive the device.
    Cmos(const Config& config, timer::Clock& clock, timer::Alarms& alarms, irq::Line line);

    [[nodiscard]] std::string_view name() const override { return "cmos"; }
    [[nodiscard]] std::expected<u64, bus::BusFault> read(u64 offset, u8 size) override;
    [[nodiscard]] std::expected<void, bus::BusFault> write(u64 offset, u8 size, u64 value) override;
    /// As when it was made: memory and time are those of the configuration.
    void reset() override;
    /// A visitor that moves the alarm (restore) moves it in the alarms too; others leave it alone.
    void fields(FieldVisitor& v) override;
    void on_alarm() override;

private:
    [[nodiscard]] u64 clock_seconds();
    [[nodiscard]] u64 seconds_at(u64 clock_second) const;
    [[nodiscard]] u64 ns_into_second();
    [[nodiscard]] CalendarTime time();
    void set_time(const CalendarTime& time);

    [[nodiscard]] u8 read_register(u32 number);
    void write_register(u32 number, u8 value);
    void write_b(u8 value);
    [[nodiscard]] u8 encode(u32 value) const;
    [[nodiscard]] u32 decode(u8 value) const;
    [[nodiscard]] u8 encode_hour(u32 hour) const;
    [[nodiscard]] u32 decode_hour(u8 value) const;

    [[nodiscard]] bool matches(u32 alarm_register, u32 value) const;
    /// Clock seconds from `from` on until the alarm; at most a day, or `timer::never`.
    [[nodiscard]] u64 seconds_to_alarm(u64 from) const;
    [[nodiscard]] u64 period_ns() const;
    void catch_up();
    void settle();
    [[nodiscard]] u64 next_event_ns();
    void fill_memory();

    Config config_;
    timer::Clock* clock_;
    timer::Alarms* alarms_;
    irq::Line line_;

    u8 index_ = 0;
    std::array<u8, bytes> memory_{};  ///< registers A to C and the alarm too; the time is not here
    u64 offset_ = 0;                  ///< what the guest's setting added, modulo all the calendar's seconds
    u64 held_ = 0;                    ///< the time while updates are held (SET)
    u64 seen_second_ = 0;             ///< clock second up to which updates have shown their flags
    u64 seen_ns_ = 0;                 ///< the same for the periodic interrupt
    u64 alarm_ns_ = timer::never;
    bool line_level_ = false;
};

}  // namespace ax::dev
