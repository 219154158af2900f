#include "devices/pc/acpi_pm.hpp"

#include "core/base/bits.hpp"
#include "core/timer/ticks.hpp"

// Threats: what a hostile guest does, and what it gets. One test per row.
//
//  T1  any width below 8, anywhere in the window          each byte for itself
//  T2  reserved bits                                      read 0
//  T3  sleep types that do not exist                      nothing
//  T4  the timer's event enabled and never cleared        one line, no alarm while it is up
//  T5  ACPI mode switched off                             SCI_EN stays 1

namespace ax::dev {

namespace {

/// "PM1 Status Registers" and "PM1 Enable Registers": one layout.
struct Event {
    using TMR = Bits<0>;
    using GBL = Bits<5>;
    using PWRBTN = Bits<8>;
    using SLPBTN = Bits<9>;
    using RTC = Bits<10>;
    static constexpr u64 all = TMR::mask | GBL::mask | PWRBTN::mask | SLPBTN::mask | RTC::mask;
};
/// "PM1 Control Registers".
struct Control {
    using SCI_EN = Bits<0>;
    using BM_RLD = Bits<1>;
    using SLP_TYP = Bits<12, 10>;
    using SLP_EN = Bits<13>;
    static constexpr u64 kept = BM_RLD::mask | SLP_TYP::mask;
};
using LowByte = Bits<7, 0>;
using HighByte = Bits<15, 8>;

constexpr u64 timer_offset = 8;

u16 with_byte(u16 word, u64 offset, u8 byte) {
    return static_cast<u16>(offset % 2 == 0 ? LowByte::set(word, byte) : HighByte::set(word, byte));
}

}  // namespace

AcpiPm::AcpiPm(const Config& config, timer::Clock& clock, timer::Alarms& alarms, irq::Line sci, PowerSwitch& power)
    : config_(config), clock_(&clock), alarms_(&alarms), sci_(sci), power_(&power) {
    carries_ = ticks() / carry_ticks();
}

u64 AcpiPm::ticks() { return timer::ns_to_ticks(clock_->now_ns(), frequency_hz); }
u64 AcpiPm::carry_ticks() const { return config_.has_32_bit_timer ? bit(31) : bit(23); }

std::expected<u64, bus::BusFault> AcpiPm::read(u64 offset, u8 size) {
    if (size > 4 || offset + size > window_bytes) return std::unexpected(bus::BusFault{});
    catch_up();
    settle();
    u64 value = 0;
    for (u32 i = size; i > 0; --i) value = value << 8 | read_byte(offset + i - 1);
    return value;
}

std::expected<void, bus::BusFault> AcpiPm::write(u64 offset, u8 size, u64 value) {
    if (size > 4 || offset + size > window_bytes) return std::unexpected(bus::BusFault{});
    catch_up();
    for (u32 i = 0; i < size; ++i) write_byte(offset + i, static_cast<u8>(value >> (8 * i)));
    settle();
    return {};
}

u8 AcpiPm::read_byte(u64 offset) {
    const u64 value = zero_extend(ticks(), config_.has_32_bit_timer ? 4 : 3);
    if (offset >= timer_offset) return static_cast<u8>(value >> (8 * (offset - timer_offset)));
    const u64 words = u64{status_} | u64{enable_} << 16 | (control_ | Control::SCI_EN::mask) << 32;
    return static_cast<u8>(words >> (8 * offset));
}

void AcpiPm::write_byte(u64 offset, u8 value) {
    switch (offset) {
        case 0:
        case 1: status_ = static_cast<u16>(status_ & ~with_byte(0, offset, value)); break;
        case 2:
        case 3: enable_ = static_cast<u16>(with_byte(enable_, offset, value) & Event::all); break;
        case 4: control_ = static_cast<u16>(with_byte(control_, offset, value) & Control::kept); break;
        case 5: write_control_high(value); break;
        default: break;
    }
}

/// SLP_EN is written together with its type, in one byte.
void AcpiPm::write_control_high(u8 value) {
    const u16 word = with_byte(control_, 1, value);
    control_ = static_cast<u16>(word & Control::kept);
    if (Control::SLP_EN::test(word) && Control::SLP_TYP::get(word) == s5) power_->power_off();
}

void AcpiPm::press_power_button() {
    status_ = static_cast<u16>(status_ | Event::PWRBTN::mask);
    settle();
}

void AcpiPm::catch_up() {
    const u64 carries = ticks() / carry_ticks();
    if (carries != carries_) status_ = static_cast<u16>(status_ | Event::TMR::mask);
    carries_ = carries;
}

void AcpiPm::settle() {
    const bool waits = Event::TMR::test(enable_) && !Event::TMR::test(status_);
    const u64 alarm = waits ? timer::ticks_to_ns((carries_ + 1) * carry_ticks(), frequency_hz) : timer::never;
    if (alarm != alarm_ns_) {
        alarm_ns_ = alarm;
        alarms_->set_alarm(*this, alarm);
    }
    const bool level = (status_ & enable_) != 0;
    if (level == line_) return;
    line_ = level;
    sci_.set(level);
}

void AcpiPm::on_alarm() {
    alarm_ns_ = timer::never;
    catch_up();
    settle();
}

void AcpiPm::reset() {
    status_ = enable_ = control_ = 0;
    carries_ = ticks() / carry_ticks();
    settle();
}

void AcpiPm::fields(FieldVisitor& v) {
    const u64 before = alarm_ns_;
    field(v, "status", status_);
    field(v, "enable", enable_);
    field(v, "control", control_);
    field(v, "carries", carries_);
    field(v, "alarm_ns", alarm_ns_);
    field(v, "line", line_);
    if (alarm_ns_ != before) alarms_->set_alarm(*this, alarm_ns_);
}

}  // namespace ax::dev
