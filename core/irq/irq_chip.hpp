// Interrupt lines: a device raises a numbered input of an interrupt controller, the controller
// raises an input of a vCPU.
#pragma once

#include "core/base/types.hpp"

namespace ax::irq {

/// What a device sees of an interrupt controller.
class IrqChip {
public:
    /// Sets input `number` high or low. A number that the controller lacks is ignored.
    virtual void set_line(u32 number, bool level) = 0;

protected:
    ~IrqChip() = default;
};

/// What a controller sees of the vCPUs: the external-interrupt input of each.
class CpuLines {
public:
    virtual void set_external(VcpuId vcpu, bool level) = 0;

protected:
    ~CpuLines() = default;
};

/// One interrupt output of a device; connected to nothing until bound.
class Line {
public:
    constexpr Line() = default;
    constexpr Line(IrqChip& chip, u32 number) : chip_(&chip), number_(number) {}

    void set(bool level) const {
        if (chip_ != nullptr) chip_->set_line(number_, level);
    }

private:
    IrqChip* chip_ = nullptr;
    u32 number_ = 0;
};

}  // namespace ax::irq
