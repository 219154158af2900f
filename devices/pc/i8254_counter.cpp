#include "devices/pc/i8254_counter.hpp"

#include <algorithm>

#include "core/base/bits.hpp"

namespace ax::dev::i8254 {

namespace {

/// "Status Byte" of the read-back command.
struct Status {
    using BCD = Bits<0>;
    using Mode = Bits<3, 1>;
    using RW = Bits<5, 4>;
    using NullCount = Bits<6>;
    using Output = Bits<7>;
};
using LowByte = Bits<7, 0>;
using HighByte = Bits<15, 8>;

u32 from_bcd(u16 value) { return (value >> 12) * 1000u + (value >> 8 & 0xfu) * 100u + (value >> 4 & 0xfu) * 10u + (value & 0xfu); }
u16 to_bcd(u32 value) { return static_cast<u16>(value / 1000 % 10 << 12 | value / 100 % 10 << 8 | value / 10 % 10 << 4 | value % 10); }

}  // namespace

void Counter::configure(u64 now, Access access, u8 mode, bool is_bcd) {
    freeze(now);
    mode_ = mode > 5 ? static_cast<u8>(mode - 4) : mode;
    access_ = access;
    is_bcd_ = is_bcd;
    has_count_ = false;
    is_null_ = true;
    load_at_ = timer::never;
    loaded_ = 0;
    elapsed_ = 0;
    writes_high_ = reads_high_ = false;
    has_latched_count_ = has_latched_status_ = false;
}

void Counter::write(u64 now, u8 byte) {
    catch_up(now);
    switch (access_) {
        case Access::Low: write_count(now, byte); break;
        case Access::High: write_count(now, static_cast<u16>(HighByte::of(byte))); break;
        case Access::Latch:
        case Access::LowHigh:
            if (writes_high_) {
                writes_high_ = false;
                write_count(now, static_cast<u16>(HighByte::of(byte) | low_byte_));
            } else {
                writes_high_ = true;
                low_byte_ = byte;
                // "Mode 0": the first byte stops the count and takes the output low.
                if (mode_ == 0) {
                    freeze(now);
                    loaded_ = 0;
                    load_at_ = timer::never;
                }
            }
            break;
    }
}

void Counter::write_count(u64 now, u16 count) {
    count_ = count;
    has_count_ = true;
    is_null_ = true;
    if (is_triggered()) return;
    const bool is_under_way = loaded_ != 0 && is_counting_;
    if (is_periodic()) {
        // A new count waits for the end of the cycle that is under way.
        load_at_ = is_under_way ? next_cycle(now) : now + 1;
        return;
    }
    if (mode_ == 0) {
        freeze(now);
        loaded_ = 0;
    }
    load_at_ = now + 1;
}

void Counter::catch_up(u64 now) {
    if (load_at_ <= now) load(load_at_);
}

void Counter::load(u64 tick) {
    const bool at_cycle = mode_ == 3 && loaded_ != 0 && is_counting_ && gate_;
    const bool ends_high = at_cycle && phase(tick - 1) < high_half();
    const u32 value = is_bcd_ ? from_bcd(count_) : count_;
    loaded_ = value == 0 ? modulus() : value;
    if (is_periodic()) loaded_ = std::max(loaded_, 2u);
    load_at_ = timer::never;
    is_null_ = false;
    anchor_ = tick;
    elapsed_ = 0;
    began_low_ = ends_high;
    is_counting_ = gate_ || is_triggered();
}

void Counter::freeze(u64 now) {
    catch_up(now);
    elapsed_ = elapsed(now);
    is_counting_ = false;
}

void Counter::set_gate(u64 now, bool level) {
    catch_up(now);
    if (level == gate_) return;
    if (!level && !is_triggered()) {
        // The end of the cycle, at which a new count would be loaded, is not reached any more.
        if (is_periodic() && is_counting_) load_at_ = timer::never;
        freeze(now);
        if (mode_ == 4 && loaded_ != 0 && elapsed_ == loaded_) ++elapsed_;
    }
    gate_ = level;
    if (is_periodic()) {
        if (level && has_count_) load_at_ = now + 1;
    } else if (is_triggered()) {
        if (level && has_count_) load_at_ = now + 1;
    } else if (level && loaded_ != 0) {
        is_counting_ = true;
        anchor_ = now;
    }
}

u64 Counter::phase(u64 now) const { return (elapsed(now) + (began_low_ ? high_half() : 0)) % loaded_; }

/// The tick at which mode 2 begins a period anew, or mode 3 a half of one.
u64 Counter::next_cycle(u64 now) const {
    if (mode_ == 2) return now + loaded_ - elapsed(now) % loaded_;
    const u64 at = phase(now);
    return now + (at < high_half() ? high_half() - at : loaded_ - at);
}

bool Counter::output_now(u64 now) const {
    switch (mode_) {
        case 0: return loaded_ != 0 && elapsed(now) >= loaded_;
        case 1: return loaded_ == 0 || elapsed(now) >= loaded_;
        case 2: return loaded_ == 0 || !is_counting_ || elapsed(now) % loaded_ != loaded_ - 1;
        case 3: return loaded_ == 0 || !is_counting_ || phase(now) < high_half();
        default: return loaded_ == 0 || elapsed(now) != loaded_;
    }
}

bool Counter::output(u64 now) {
    catch_up(now);
    return output_now(now);
}

u64 Counter::next_change(u64 now) {
    catch_up(now);
    if (loaded_ == 0 || !is_counting_) return load_at_;
    const u64 done = elapsed(now);
    u64 next = timer::never;
    if (mode_ == 3) {
        next = next_cycle(now);
    } else if (mode_ == 2) {
        const u64 at = done % loaded_;
        next = now + (at == loaded_ - 1 ? 1 : loaded_ - 1 - at);
    } else if (done < loaded_) {
        next = now + (loaded_ - done);
    } else if (mode_ >= 4 && done == loaded_) {
        next = now + 1;
    }
    return std::min(next, load_at_);
}

/// The counting element as software reads it.
u16 Counter::element(u64 now) const {
    if (loaded_ == 0) return count_;
    const u64 done = elapsed(now);
    u64 value = 0;
    if (mode_ == 2) {
        value = loaded_ - done % loaded_;
    } else if (mode_ == 3) {
        const u64 at = phase(now);
        const u64 in_half = at < high_half() ? at : at - high_half();
        value = (loaded_ & ~u64{1}) - 2 * in_half;
    } else {
        value = loaded_ + modulus() - done % modulus();
    }
    value %= modulus();
    return is_bcd_ ? to_bcd(static_cast<u32>(value)) : static_cast<u16>(value);
}

u8 Counter::status(u64 now) const {
    return static_cast<u8>(Status::BCD::of(is_bcd_) | Status::Mode::of(mode_) | Status::RW::of(index(access_)) |
                           Status::NullCount::of(is_null_) | Status::Output::of(output_now(now)));
}

void Counter::latch_count(u64 now) {
    catch_up(now);
    if (has_latched_count_) return;
    has_latched_count_ = true;
    latched_count_ = element(now);
}

void Counter::latch_status(u64 now) {
    catch_up(now);
    if (has_latched_status_) return;
    has_latched_status_ = true;
    latched_status_ = status(now);
}

u8 Counter::read(u64 now) {
    catch_up(now);
    if (has_latched_status_) {
        has_latched_status_ = false;
        return latched_status_;
    }
    const u16 value = has_latched_count_ ? latched_count_ : element(now);
    const bool is_high = access_ == Access::High || (access_ == Access::LowHigh && reads_high_);
    if (access_ == Access::LowHigh) reads_high_ = !reads_high_;
    if (access_ != Access::LowHigh || is_high) has_latched_count_ = false;
    return static_cast<u8>(is_high ? HighByte::get(value) : LowByte::get(value));
}

void Counter::fields(FieldVisitor& v) {
    field(v, "mode", mode_);
    field(v, "access", access_);
    field(v, "is_bcd", is_bcd_);
    field(v, "gate", gate_);
    field(v, "count", count_);
    field(v, "has_count", has_count_);
    field(v, "is_null", is_null_);
    field(v, "load_at", load_at_);
    field(v, "loaded", loaded_);
    field(v, "is_counting", is_counting_);
    field(v, "anchor", anchor_);
    field(v, "elapsed", elapsed_);
    field(v, "began_low", began_low_);
    field(v, "writes_high", writes_high_);
    field(v, "reads_high", reads_high_);
    field(v, "low_byte", low_byte_);
    field(v, "has_latched_count", has_latched_count_);
    field(v, "latched_count", latched_count_);
    field(v, "has_latched_status", has_latched_status_);
    field(v, "latched_status", latched_status_);
    // A damaged file may say anything.
    mode_ = static_cast<u8>(mode_ % 6);
    if (access_ > Access::LowHigh) access_ = Access::LowHigh;
    loaded_ = std::min(loaded_, u32{65'536});
    if (loaded_ == 1 && is_periodic()) loaded_ = 2;
}

}  // namespace ax::dev::i8254
