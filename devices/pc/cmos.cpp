#include "devices/pc/cmos.hpp"

#include <algorithm>

#include "core/base/bits.hpp"
#include "core/timer/ticks.hpp"

// Threats: what a hostile guest does, and what it gets. One test per row.
//
//  T1  accesses of 2, 4 or 8 bytes                        bus fault; nothing changes
//  T2  dates and alarms that do not exist                 the nearest date; an alarm that never comes
//  T3  interrupts that are never answered                 one line, no alarm while it is up
//  T4  the fastest periodic interrupt                     8192 Hz, one alarm at a time
//  T5  time that leaps over many seconds                  each flag once, at most a day is looked through
//  T6  registers C and D written                          ignored

namespace ax::dev {

namespace {

enum class Register : u8 { Second, SecondAlarm, Minute, MinuteAlarm, Hour, HourAlarm, Weekday, Day, Month, Year, A, B, C, D };
constexpr u32 century = 0x32;
constexpr u32 number_of(Register r) { return index(r); }

struct A {
    using RS = Bits<3, 0>;
    using DV = Bits<6, 4>;
    using UIP = Bits<7>;
    static constexpr u8 power_on = 0x26;
};
struct B {
    using Is24Hour = Bits<1>;
    using IsBinary = Bits<2>;
    using UIE = Bits<4>;
    using AIE = Bits<5>;
    using PIE = Bits<6>;
    using SET = Bits<7>;
    static constexpr u8 power_on = 0x02;
};
/// The flags of C stand where their enables stand in B.
struct C {
    using UF = Bits<4>;
    using AF = Bits<5>;
    using PF = Bits<6>;
    using IRQF = Bits<7>;
    static constexpr u64 flags = UF::mask | AF::mask | PF::mask;
};
constexpr u8 d_valid = 0x80;
using AlarmDontCare = Bits<7, 6>;
using Afternoon = Bits<7>;

/// "Update Cycle": UIP rises so long before the update.
constexpr u64 uip_ns = 244'000;
constexpr u64 crystal_hz = 32'768;
constexpr u64 kib = 1024, mib = kib * kib, block = 64 * kib;

bool is_byte(u64 offset, u8 size) { return size == 1 && offset < Cmos::window_bytes; }

}  // namespace

Cmos::Cmos(const Config& config, timer::Clock& clock, timer::Alarms& alarms, irq::Line line)
    : config_(config), clock_(&clock), alarms_(&alarms), line_(line) {
    fill_memory();
    seen_second_ = clock_seconds();
    seen_ns_ = clock_->now_ns();
}

void Cmos::fill_memory() {
    const auto put = [&](u32 at, u64 value, u32 size) {
        for (u32 i = 0; i < size; ++i) memory_[at + i] = static_cast<u8>(value >> (8 * i));
    };
    const u64 below = config_.memory_below_4g;
    const u64 extended = std::min<u64>(below > mib ? (below - mib) / kib : 0, 0xffff);
    memory_ = {};
    memory_[number_of(Register::A)] = A::power_on;
    memory_[number_of(Register::B)] = B::power_on;
    put(0x15, std::min<u64>(below / kib, 640), 2);
    put(0x17, extended, 2);
    put(0x30, extended, 2);
    put(0x34, std::min<u64>(below > 16 * mib ? (below - 16 * mib) / block : 0, 0xffff), 2);
    put(0x5b, std::min<u64>(config_.memory_above_4g / block, 0xff'ffff), 3);
    put(0x5f, config_.vcpus - 1, 1);
    // Bit 0 of 0x38: a floppy disk needs no signature to be booted.
    put(0x38, u64{config_.boot_order[2]} << 4 | 1, 1);
    put(0x3d, u64{config_.boot_order[1]} << 4 | config_.boot_order[0], 1);
}

void Cmos::reset() {
    fill_memory();
    index_ = 0;
    offset_ = held_ = 0;
    seen_second_ = clock_seconds();
    seen_ns_ = clock_->now_ns();
    settle();
}

u64 Cmos::clock_seconds() {
    const u64 now = clock_->now_ns();
    const u64 parts = config_.epoch_ns % timer::ns_per_second + now % timer::ns_per_second;
    return config_.epoch_ns / timer::ns_per_second + now / timer::ns_per_second + parts / timer::ns_per_second;
}

u64 Cmos::ns_into_second() {
    return (config_.epoch_ns % timer::ns_per_second + clock_->now_ns() % timer::ns_per_second) % timer::ns_per_second;
}

u64 Cmos::seconds_at(u64 clock_second) const { return (calendar::unix_epoch + clock_second + offset_) % calendar::seconds_in_all; }

CalendarTime Cmos::time() {
    const bool is_held = B::SET::test(memory_[number_of(Register::B)]);
    return calendar::from_seconds(is_held ? held_ : seconds_at(clock_seconds()));
}

void Cmos::set_time(const CalendarTime& time) {
    const u64 seconds = calendar::to_seconds(time);
    held_ = seconds;
    const u64 base = (calendar::unix_epoch + clock_seconds()) % calendar::seconds_in_all;
    offset_ = (seconds + calendar::seconds_in_all - base) % calendar::seconds_in_all;
}

u8 Cmos::encode(u32 value) const {
    if (B::IsBinary::test(memory_[number_of(Register::B)])) return static_cast<u8>(value);
    return static_cast<u8>(value / 10 << 4 | value % 10);
}

u32 Cmos::decode(u8 value) const {
    if (B::IsBinary::test(memory_[number_of(Register::B)])) return value;
    return (value >> 4) * 10u + (value & 0xfu);
}

u8 Cmos::encode_hour(u32 hour) const {
    if (B::Is24Hour::test(memory_[number_of(Register::B)])) return encode(hour);
    const u32 shown = hour % 12 == 0 ? 12 : hour % 12;
    return static_cast<u8>(encode(shown) | Afternoon::of(hour >= 12));
}

u32 Cmos::decode_hour(u8 value) const {
    if (B::Is24Hour::test(memory_[number_of(Register::B)])) return decode(value);
    return decode(static_cast<u8>(Afternoon::set(value, 0))) % 12 + (Afternoon::test(value) ? 12 : 0);
}

std::expected<u64, bus::BusFault> Cmos::read(u64 offset, u8 size) {
    if (!is_byte(offset, size)) return std::unexpected(bus::BusFault{});
    // The index cannot be read back.
    if (offset == 0) return 0xff;
    catch_up();
    const u8 value = read_register(index_);
    settle();
    return value;
}

std::expected<void, bus::BusFault> Cmos::write(u64 offset, u8 size, u64 value) {
    if (!is_byte(offset, size)) return std::unexpected(bus::BusFault{});
    if (offset == 0) {
        // Bit 7 masks NMI, of which there is none.
        index_ = static_cast<u8>(value % bytes);
        return {};
    }
    catch_up();
    write_register(index_, static_cast<u8>(value));
    settle();
    return {};
}

u8 Cmos::read_register(u32 number) {
    if (number == century) return static_cast<u8>(encode(time().year / 100));
    if (number > number_of(Register::D)) return memory_[number];
    switch (static_cast<Register>(number)) {
        case Register::Second: return encode(time().second);
        case Register::Minute: return encode(time().minute);
        case Register::Hour: return encode_hour(time().hour);
        case Register::Weekday: return encode(time().weekday);
        case Register::Day: return encode(time().day);
        case Register::Month: return encode(time().month);
        case Register::Year: return encode(time().year % 100);
        case Register::SecondAlarm:
        case Register::MinuteAlarm:
        case Register::HourAlarm:
        case Register::B: return memory_[number];
        case Register::A: {
            const bool updates = !B::SET::test(memory_[number_of(Register::B)]);
            return static_cast<u8>(memory_[number] | A::UIP::of(updates && ns_into_second() >= timer::ns_per_second - uip_ns));
        }
        case Register::C: {
            const u8 flags = memory_[number];
            memory_[number] = 0;
            const bool asks = (flags & memory_[number_of(Register::B)] & C::flags) != 0;
            return static_cast<u8>(flags | C::IRQF::of(asks));
        }
        case Register::D: return d_valid;
    }
    return 0;
}

void Cmos::write_register(u32 number, u8 value) {
    CalendarTime changed = time();
    if (number == century) {
        changed.year = decode(value) * 100 + changed.year % 100;
        return set_time(changed);
    }
    if (number > number_of(Register::D)) {
        memory_[number] = value;
        return;
    }
    switch (static_cast<Register>(number)) {
        case Register::Second: changed.second = decode(value); return set_time(changed);
        case Register::Minute: changed.minute = decode(value); return set_time(changed);
        case Register::Hour: changed.hour = decode_hour(value); return set_time(changed);
        case Register::Day: changed.day = decode(value); return set_time(changed);
        case Register::Month: changed.month = decode(value); return set_time(changed);
        case Register::Year: changed.year = changed.year / 100 * 100 + decode(value) % 100; return set_time(changed);
        case Register::SecondAlarm:
        case Register::MinuteAlarm:
        case Register::HourAlarm: memory_[number] = value; return;
        case Register::A: memory_[number] = static_cast<u8>(A::UIP::set(value, 0)); return;
        case Register::B: return write_b(value);
        case Register::Weekday:
        case Register::C:
        case Register::D: return;
    }
}

void Cmos::write_b(u8 value) {
    u8& b = memory_[number_of(Register::B)];
    const u64 shown = B::SET::test(b) ? held_ : seconds_at(clock_seconds());
    if (B::SET::test(value) != B::SET::test(b)) {
        held_ = shown;
        if (!B::SET::test(value)) set_time(calendar::from_seconds(held_));
    }
    b = value;
    // SET clears UIE.
    if (B::SET::test(value)) b = static_cast<u8>(B::UIE::set(b, 0));
}

bool Cmos::matches(u32 alarm_register, u32 value) const {
    const u8 alarm = memory_[alarm_register];
    if (AlarmDontCare::get(alarm) == AlarmDontCare::max) return true;
    return (alarm_register == number_of(Register::HourAlarm) ? encode_hour(value) : encode(value)) == alarm;
}

u64 Cmos::seconds_to_alarm(u64 from) const {
    const u64 start = seconds_at(from) % calendar::seconds_per_day;
    // Hours, then minutes, then seconds; where a larger unit does not match, the smaller ones are skipped.
    for (u64 ahead = 0; ahead < calendar::seconds_per_day;) {
        const u64 at = (start + ahead) % calendar::seconds_per_day;
        if (!matches(number_of(Register::HourAlarm), static_cast<u32>(at / 3600)))
            ahead += 3600 - at % 3600;
        else if (!matches(number_of(Register::MinuteAlarm), static_cast<u32>(at / 60 % 60)))
            ahead += 60 - at % 60;
        else if (!matches(number_of(Register::SecondAlarm), static_cast<u32>(at % 60)))
            ++ahead;
        else
            return ahead;
    }
    return timer::never;
}

/// "Periodic Interrupt Rate", with the 32768 Hz time base; 0 for none.
u64 Cmos::period_ns() const {
    const u64 rate = A::RS::get(memory_[number_of(Register::A)]);
    if (rate == 0) return 0;
    const u64 shift = rate <= 2 ? rate + 6 : rate - 1;
    return timer::ns_per_second * (u64{1} << shift) / crystal_hz;
}

void Cmos::catch_up() {
    u8& flags = memory_[number_of(Register::C)];
    const u64 second = clock_seconds();
    if (second > seen_second_ && !B::SET::test(memory_[number_of(Register::B)])) {
        flags |= static_cast<u8>(C::UF::mask);
        if (const u64 ahead = seconds_to_alarm(seen_second_ + 1); ahead <= second - (seen_second_ + 1)) flags |= static_cast<u8>(C::AF::mask);
    }
    seen_second_ = second;
    const u64 now = clock_->now_ns();
    if (const u64 period = period_ns(); period != 0 && now / period > seen_ns_ / period) flags |= static_cast<u8>(C::PF::mask);
    seen_ns_ = now;
}

u64 Cmos::next_event_ns() {
    const u64 b = memory_[number_of(Register::B)];
    const u64 now = clock_->now_ns();
    const u64 to_update = timer::ns_per_second - ns_into_second();
    const auto in = [now](u64 ns) { return ns >= timer::never - now ? timer::never : now + ns; };
    u64 next = timer::never;
    if (B::UIE::test(b)) next = in(to_update);
    if (B::AIE::test(b) && !B::SET::test(b))
        if (const u64 ahead = seconds_to_alarm(seen_second_ + 1); ahead != timer::never)
            next = std::min(next, in(to_update + ahead * timer::ns_per_second));
    if (const u64 period = period_ns(); B::PIE::test(b) && period != 0) next = std::min(next, in(period - now % period));
    return next;
}

void Cmos::settle() {
    const bool level = (memory_[number_of(Register::C)] & memory_[number_of(Register::B)] & C::flags) != 0;
    // While the line is up nothing can raise it.
    const u64 alarm = level ? timer::never : next_event_ns();
    if (alarm != alarm_ns_) {
        alarm_ns_ = alarm;
        alarms_->set_alarm(*this, alarm);
    }
    if (level == line_level_) return;
    line_level_ = level;
    line_.set(level);
}

void Cmos::on_alarm() {
    alarm_ns_ = timer::never;
    catch_up();
    settle();
}

void Cmos::fields(FieldVisitor& v) {
    const u64 before = alarm_ns_;
    field(v, "index", index_);
    field(v, "memory", memory_);
    field(v, "offset", offset_);
    field(v, "held", held_);
    field(v, "seen_second", seen_second_);
    field(v, "seen_ns", seen_ns_);
    field(v, "alarm_ns", alarm_ns_);
    field(v, "line_level", line_level_);
    // A damaged file may say anything.
    index_ = static_cast<u8>(index_ % bytes);
    offset_ %= calendar::seconds_in_all;
    held_ %= calendar::seconds_in_all;
    if (alarm_ns_ != before) alarms_->set_alarm(*this, alarm_ns_);
}

}  // namespace ax::dev
