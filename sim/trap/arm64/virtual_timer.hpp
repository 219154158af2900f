// The EL1 virtual timer of a CPU: a comparator against the virtual counter.
// Source: Arm ARM DDI 0487, "The Generic Timer in AArch64 state", "Operation of the CompareValue views".
#pragma once

#include "core/base/bits.hpp"
#include "core/base/fields.hpp"

namespace ax::sim::arm64 {

class VirtualTimer {
public:
    using Enable = Bits<0>;   ///< CNTV_CTL_EL0
    using Mask = Bits<1>;
    using Status = Bits<2>;
    static constexpr u64 never = ~u64{0};

    /// CNTV_CTL_EL0 when the virtual counter shows `count`; ISTATUS is unknown while disabled and reads 0 here.
    [[nodiscard]] u64 control(u64 count) const { return control_ | (is_met(count) ? Status::mask : 0); }
    void set_control(u64 value) { control_ = value & (Enable::mask | Mask::mask); }
    [[nodiscard]] u64 compare() const { return compare_; }
    void set_compare(u64 value) { compare_ = value; }
    /// CNTV_TVAL_EL0: a signed 32-bit view of the distance.
    [[nodiscard]] u64 value(u64 count) const { return (compare_ - count) & 0xffff'ffff; }
    void set_value(u64 value, u64 count) { compare_ = count + sign_extend(value & 0xffff'ffff, 4); }

    /// The interrupt output.
    [[nodiscard]] bool is_asserted(u64 count) const { return is_met(count) && !Mask::test(control_); }
    /// Ticks from `count` until the output rises; 0 when it is high, `never` when it will not.
    [[nodiscard]] u64 ticks_to_assertion(u64 count) const {
        if (!Enable::test(control_) || Mask::test(control_)) return never;
        return is_met(count) ? 0 : compare_ - count;
    }
    void reset() { *this = {}; }
    void fields(FieldVisitor& v) {
        field(v, "control", control_);
        field(v, "compare", compare_);
    }

private:
    [[nodiscard]] bool is_met(u64 count) const { return Enable::test(control_) && count >= compare_; }

    u64 control_ = 0;
    u64 compare_ = 0;
};

}  // namespace ax::sim::arm64
