#include "devices/pc/i8254.hpp"

#include "core/base/bits.hpp"
#include "core/timer/ticks.hpp"

// Threats: what a hostile guest does, and what it gets. One test per row.
//
//  T1  accesses of 2, 4 or 8 bytes                        bus fault; nothing changes
//  T2  the smallest counts                                one alarm at a time, at most one for each tick of 838 ns
//  T3  a mode without a count, half a count               the output keeps its level, no alarm
//  T4  BCD digits above 9                                 counted for what they are
//  T5  latches that are never read                        the first one stays
//  T6  time that leaps over many periods                  a few edges, no loop

namespace ax::dev {

using i8254::Counter;

namespace {

/// "Control Word Format".
struct ControlWord {
    using BCD = Bits<0>;
    using Mode = Bits<3, 1>;
    using RW = Bits<5, 4>;
    using SC = Bits<7, 6>;
    static constexpr u64 read_back = 3;
};
/// "Read-Back Command Format"; count and status are latched where the bit is 0.
struct ReadBack {
    using Counters = Bits<3, 1>;
    using NoStatus = Bits<4>;
    using NoCount = Bits<5>;
};
constexpr u64 control_offset = 3;

bool is_byte(u64 offset, u8 size) { return size == 1 && offset < I8254::window_bytes; }

}  // namespace

I8254::I8254(timer::Clock& clock, timer::Alarms& alarms, irq::Line line) : clock_(&clock), alarms_(&alarms), line_(line) { power_on(); }

u64 I8254::now() { return timer::ns_to_ticks(clock_->now_ns(), frequency_hz); }

void I8254::power_on() {
    counters_ = {};
    counters_[2].set_gate(0, false);
}

void I8254::reset() {
    power_on();
    change_at_ = timer::never;
    settle();
}

void I8254::fields(FieldVisitor& v) {
    const u64 before = alarm_ns_;
    field(v, "counter", counters_);
    field(v, "alarm_ns", alarm_ns_);
    field(v, "change_at", change_at_);
    field(v, "level", level_);
    if (alarm_ns_ != before) alarms_->set_alarm(*this, alarm_ns_);
}

std::expected<u64, bus::BusFault> I8254::read(u64 offset, u8 size) {
    if (!is_byte(offset, size)) return std::unexpected(bus::BusFault{});
    if (offset == control_offset) return 0xff;
    return counters_[offset].read(now());
}

std::expected<void, bus::BusFault> I8254::write(u64 offset, u8 size, u64 value) {
    if (!is_byte(offset, size)) return std::unexpected(bus::BusFault{});
    settle();
    if (offset == control_offset)
        control(static_cast<u8>(value));
    else
        counters_[offset].write(now(), static_cast<u8>(value));
    settle();
    return {};
}

void I8254::control(u8 word) {
    const u64 number = ControlWord::SC::get(word);
    if (number == ControlWord::read_back) return read_back(word);
    Counter& counter = counters_[number];
    const auto access = static_cast<Counter::Access>(ControlWord::RW::get(word));
    if (access == Counter::Access::Latch)
        counter.latch_count(now());
    else
        counter.configure(now(), access, static_cast<u8>(ControlWord::Mode::get(word)), ControlWord::BCD::test(word));
}

void I8254::read_back(u8 word) {
    for (u32 n = 0; n < counters_.size(); ++n) {
        if ((ReadBack::Counters::get(word) & bit(n)) == 0) continue;
        if (!ReadBack::NoCount::test(word)) counters_[n].latch_count(now());
        if (!ReadBack::NoStatus::test(word)) counters_[n].latch_status(now());
    }
}

void I8254::set_gate2(bool level) { counters_[2].set_gate(now(), level); }

void I8254::on_alarm() {
    alarm_ns_ = timer::never;
    settle();
}

void I8254::drive(bool level) {
    if (level == level_) return;
    level_ = level;
    line_.set(level);
}

void I8254::settle() {
    const u64 tick = now();
    // After a leap the first changes show that there were edges; more of them would merge in the controller.
    for (u32 i = 0; i < 3 && change_at_ <= tick; ++i) {
        drive(counters_[0].output(change_at_));
        change_at_ = counters_[0].next_change(change_at_);
    }
    drive(counters_[0].output(tick));
    change_at_ = counters_[0].next_change(tick);
    const u64 alarm = change_at_ == timer::never ? timer::never : timer::ticks_to_ns(change_at_, frequency_hz);
    if (alarm == alarm_ns_) return;
    alarm_ns_ = alarm;
    alarms_->set_alarm(*this, alarm);
}

}  // namespace ax::dev
