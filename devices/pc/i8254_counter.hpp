// One counter of an 8254 as a value: every change and question names the time in ticks of its clock.
#pragma once

#include "core/base/fields.hpp"
#include "core/timer/clock.hpp"

namespace ax::dev::i8254 {

/// Intel 8254 datasheet, "Mode Definitions". Tick n is the n-th pulse of CLK, and time n lies just after it; a write at time
/// n therefore loads at tick n + 1.
///
/// Choices: an initial count of 1 counts as 2 in modes 2 and 3, where it is not allowed; in modes 1 and 5 the counting
/// element stands still until the first trigger; a gate that closes during mode 4's strobe
/// ends it; a BCD digit above 9 counts for what it is; status shows modes 6 and 7
/// as 2 and 3.
class Counter {
public:
    enum class Access : u8 { Latch, Low, High, LowHigh };

    /// A control word for this counter, other than a latch command.
    void configure(u64 now, Access access, u8 mode, bool is_bcd);
    void write(u64 now, u8 byte);
    [[nodiscard]] u8 read(u64 now);
    /// "Counter Latch Command" and the count part of "Read-Back Command".
    void latch_count(u64 now);
    /// The status part of "Read-Back Command".
    void latch_status(u64 now);
    void set_gate(u64 now, bool level);

    [[nodiscard]] bool gate() const { return gate_; }
    [[nodiscard]] bool output(u64 now);
    /// The first tick after `now` at which the output may change; `timer::never` when nothing is under way.
    [[nodiscard]] u64 next_change(u64 now);
    void fields(FieldVisitor& v);

private:
    /// Loads if that is due.
    void catch_up(u64 now);
    void load(u64 tick);
    void write_count(u64 now, u16 count);
    [[nodiscard]] u64 elapsed(u64 now) const { return elapsed_ + (is_counting_ && now > anchor_ ? now - anchor_ : 0); }
    void freeze(u64 now);
    /// Where mode 3 is in its period, which begins with the high half.
    [[nodiscard]] u64 phase(u64 now) const;
    [[nodiscard]] u64 high_half() const { return (u64{loaded_} + 1) / 2; }
    [[nodiscard]] u64 next_cycle(u64 now) const;
    [[nodiscard]] bool output_now(u64 now) const;
    [[nodiscard]] u16 element(u64 now) const;
    [[nodiscard]] bool is_periodic() const { return mode_ == 2 || mode_ == 3; }
    [[nodiscard]] bool is_triggered() const { return mode_ == 1 || mode_ == 5; }
    [[nodiscard]] u32 modulus() const { return is_bcd_ ? 10'000 : 65'536; }
    [[nodiscard]] u8 status(u64 now) const;

    u8 mode_ = 0;
    Access access_ = Access::LowHigh;
    bool is_bcd_ = false;
    bool gate_ = true;

    u16 count_ = 0;            ///< the count register
    bool has_count_ = false;   ///< it was written since the mode was
    bool is_null_ = true;      ///< and has not been loaded since
    u64 load_at_ = timer::never;

    u32 loaded_ = 0;           ///< what the counting element was loaded with; 0 for nothing since the mode was set
    bool is_counting_ = false;
    u64 anchor_ = 0;           ///< since when it counts
    u64 elapsed_ = 0;          ///< ticks counted before
    bool began_low_ = false;   ///< mode 3: loaded at the begin of a low half

    bool writes_high_ = false; ///< the second byte of a count comes next
    bool reads_high_ = false;
    u8 low_byte_ = 0;
    bool has_latched_count_ = false;
    u16 latched_count_ = 0;
    bool has_latched_status_ = false;
    u8 latched_status_ = 0;
};

}  // namespace ax::dev::i8254
