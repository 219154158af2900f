// The EL1 physical timer of a vCPU. The hypervisor uses the hardware's for itself, so the guest's is
// emulated, in ticks of the physical counter.
// Source: Arm ARM DDI 0487, "Operation of the CompareValue views of the timers", "Operation of the TimerValue views".
#pragma once

#include "core/arch/arm64/regs.hpp"
#include "core/base/fields.hpp"

namespace ax::arm64 {

class PhysicalTimer {
public:
    /// CNTP_CTL_EL0, CNTP_CVAL_EL0, CNTP_TVAL_EL0 while the counter shows `count`; false for another register.
    [[nodiscard]] bool read(SysReg reg, u64 count, u64& value) const {
        if (reg == sysreg::CNTP_CTL_EL0)
            value = control_ | (has_fired(count) ? CntCtl::ISTATUS::mask : 0);
        else if (reg == sysreg::CNTP_CVAL_EL0)
            value = compare_;
        else if (reg == sysreg::CNTP_TVAL_EL0)
            value = zero_extend(compare_ - count, 4);
        else
            return false;
        return true;
    }
    [[nodiscard]] bool write(SysReg reg, u64 count, u64 value) {
        if (reg == sysreg::CNTP_CTL_EL0)
            control_ = value & (CntCtl::ENABLE::mask | CntCtl::IMASK::mask);
        else if (reg == sysreg::CNTP_CVAL_EL0)
            compare_ = value;
        else if (reg == sysreg::CNTP_TVAL_EL0)
            compare_ = count + sign_extend(zero_extend(value, 4), 4);
        else
            return false;
        return true;
    }
    [[nodiscard]] bool is_asserted(u64 count) const { return has_fired(count) && !CntCtl::IMASK::test(control_); }
    /// Count at which the output will rise; all ones when it is high already or will not.
    [[nodiscard]] u64 deadline(u64 count) const {
        return CntCtl::ENABLE::test(control_) && !CntCtl::IMASK::test(control_) && !has_fired(count) ? compare_ : ~u64{0};
    }
    void fields(FieldVisitor& v) {
        field(v, "control", control_);
        field(v, "compare", compare_);
    }

private:
    [[nodiscard]] bool has_fired(u64 count) const { return CntCtl::ENABLE::test(control_) && count >= compare_; }

    u64 control_ = 0;
    u64 compare_ = 0;
};

}  // namespace ax::arm64
