#include "devices/rtc/pl031.hpp"

#include <array>

#include "core/base/bits.hpp"

// Threats: what a hostile guest does, and what it gets. One test per row.
//
//  T1  access of 1, 2 or 8 bytes, or not aligned to 4     bus fault; nothing changes
//  T2  access to a place without a register, reads of     reads 0, writes ignored
//      write-only and writes of read-only registers
//  T3  a match now                                        one interrupt, at once
//  T4  a match in the past                                the interrupt comes after 2^32 seconds
//  T5  a match beyond the end of the clock                never due
//  T6  the counter set past the match, or back            the match moves with it
//  T7  clearing an interrupt that is not there            ignored
//  T8  matches written for ever                           one alarm at a time is outstanding
//  T9  toggling RTCIMSC for ever                          the line is driven only when it changes
//  T10 stopping the clock                                 RTCCR stays 1

namespace ax::dev {

namespace {

enum class Register : u16 {
    RTCDR = 0x000,
    RTCMR = 0x004,
    RTCLR = 0x008,
    RTCCR = 0x00c,
    RTCIMSC = 0x010,
    RTCRIS = 0x014,
    RTCMIS = 0x018,
    RTCICR = 0x01c,
};

constexpr u64 register_bytes = 4;
constexpr u64 last_register = index(Register::RTCICR);
constexpr u64 ns_per_second = 1'000'000'000;
// Seconds until the counter is where it was.
constexpr u64 turn = bit(32);

// RTCPeriphID0 to 3 and RTCPCellID0 to 3.
constexpr u64 identification_base = 0xfe0;
constexpr std::array<u8, 8> identification{0x31, 0x10, 0x04, 0x00, 0x0d, 0xf0, 0x05, 0xb1};

// The only bit of RTCCR, RTCIMSC, RTCRIS, RTCMIS and RTCICR.
using Flag = Bits<0>;

bool is_register_access(u64 offset, u8 size) { return size == register_bytes && offset % register_bytes == 0; }

// Nanoseconds of the running second that have passed.
u64 second_part(u64 epoch_ns, u64 now_ns) { return (epoch_ns % ns_per_second + now_ns % ns_per_second) % ns_per_second; }

// Whole seconds of the sum, which may itself be beyond 64 bits.
u64 seconds(u64 epoch_ns, u64 now_ns) {
    return epoch_ns / ns_per_second + now_ns / ns_per_second +
           (epoch_ns % ns_per_second + now_ns % ns_per_second) / ns_per_second;
}

}  // namespace

void Pl031::State::fields(FieldVisitor& v) {
    field(v, "offset", offset);
    field(v, "match", match);
    field(v, "load", load);
    field(v, "is_irq_enabled", is_irq_enabled);
    field(v, "is_irq_pending", is_irq_pending);
    field(v, "match_ns", match_ns);
    field(v, "alarm_ns", alarm_ns);
    field(v, "line", line);
}

Pl031::Pl031(const Config& config, timer::Clock& clock, timer::Alarms& alarms, irq::Line line)
    : config_(config), clock_(&clock), alarms_(&alarms), line_(line) {
    seek_match();
    state_.is_irq_pending = false;
}

void Pl031::fields(FieldVisitor& v) {
    const u64 alarm_before = state_.alarm_ns;
    state_.fields(v);
    // Setting the same alarm again would change its place among equal deadlines, which looking must not do.
    if (state_.alarm_ns != alarm_before) alarms_->set_alarm(*this, state_.alarm_ns);
}

void Pl031::reset() {
    const u64 alarm = state_.alarm_ns;
    const bool line = state_.line;
    state_ = {};
    state_.alarm_ns = alarm;
    state_.line = line;
    seek_match();
    state_.is_irq_pending = false;
    settle();
}

std::expected<u64, bus::BusFault> Pl031::read(u64 offset, u8 size) {
    if (!is_register_access(offset, size)) return std::unexpected(bus::BusFault{});
    catch_up();
    settle();
    return read_register(offset);
}

std::expected<void, bus::BusFault> Pl031::write(u64 offset, u8 size, u64 value) {
    if (!is_register_access(offset, size)) return std::unexpected(bus::BusFault{});
    catch_up();
    write_register(offset, static_cast<u32>(value));
    settle();
    return {};
}

void Pl031::on_alarm() {
    catch_up();
    settle();
}

u64 Pl031::read_register(u64 offset) const {
    if (offset >= identification_base && offset < window_bytes)
        return identification[(offset - identification_base) / register_bytes];
    if (offset > last_register) return 0;
    switch (static_cast<Register>(offset)) {
        case Register::RTCDR: return counter();
        case Register::RTCMR: return state_.match;
        case Register::RTCLR: return state_.load;
        case Register::RTCCR: return Flag::of(1);
        case Register::RTCIMSC: return Flag::of(state_.is_irq_enabled);
        case Register::RTCRIS: return Flag::of(state_.is_irq_pending);
        case Register::RTCMIS: return Flag::of(state_.is_irq_pending && state_.is_irq_enabled);
        case Register::RTCICR: return 0;
    }
    return 0;
}

void Pl031::write_register(u64 offset, u32 value) {
    if (offset > last_register) return;
    switch (static_cast<Register>(offset)) {
        case Register::RTCMR:
            state_.match = value;
            seek_match();
            break;
        case Register::RTCLR:
            state_.load = value;
            state_.offset += value - counter();
            seek_match();
            break;
        case Register::RTCIMSC: state_.is_irq_enabled = Flag::test(value); break;
        case Register::RTCICR:
            if (Flag::test(value)) state_.is_irq_pending = false;
            break;
        case Register::RTCDR:
        case Register::RTCCR:
        case Register::RTCRIS:
        case Register::RTCMIS: break;
    }
}

u32 Pl031::counter() const { return static_cast<u32>(seconds(config_.epoch_ns, clock_->now_ns())) + state_.offset; }

void Pl031::catch_up() {
    if (state_.match_ns == timer::never || clock_->now_ns() < state_.match_ns) return;
    state_.is_irq_pending = true;
    // The counter is at the match or beyond it, so the next one is a turn of the counter away.
    constexpr u64 turn_ns = turn * ns_per_second;
    const u64 turns = (clock_->now_ns() - state_.match_ns) / turn_ns + 1;
    const u64 limit = timer::never - state_.match_ns;
    state_.match_ns = turns > limit / turn_ns ? timer::never : state_.match_ns + turns * turn_ns;
}

void Pl031::seek_match() {
    const u64 now = clock_->now_ns();
    u64 ahead = state_.match - counter();
    if (ahead == 0) {
        state_.is_irq_pending = true;
        ahead = turn;
    }
    const u64 remaining = ahead * ns_per_second - second_part(config_.epoch_ns, now);
    state_.match_ns = remaining < timer::never - now ? now + remaining : timer::never;
}

void Pl031::settle() {
    const u64 alarm = state_.is_irq_enabled && !state_.is_irq_pending ? state_.match_ns : timer::never;
    if (alarm != state_.alarm_ns) {
        state_.alarm_ns = alarm;
        alarms_->set_alarm(*this, alarm);
    }
    const bool level = state_.is_irq_pending && state_.is_irq_enabled;
    if (level == state_.line) return;
    state_.line = level;
    line_.set(level);
}

}  // namespace ax::dev
