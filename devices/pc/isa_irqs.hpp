// The wires of a PC's interrupt lines: each goes to the 8259s and to the I/O APIC.
#pragma once

#include "core/irq/irq_chip.hpp"

namespace ax::dev {

/// Lines 0 to 23. The 8259s have 0 to 15. At the I/O APIC line 0, the 8254's, comes in at pin 2, as the MADT says
/// ("Interrupt Source Override Structure"); pin 0 belongs to the 8259s' output.
class IsaIrqs final : public irq::IrqChip {
public:
    /// Both outlive the wires.
    IsaIrqs(irq::IrqChip& pics, irq::IrqChip& ioapic) : pics_(&pics), ioapic_(&ioapic) {}

    void set_line(u32 number, bool level) override {
        constexpr u32 timer = 0, timer_pin = 2, isa_lines = 16;
        if (number < isa_lines) pics_->set_line(number, level);
        if (number != timer_pin) ioapic_->set_line(number == timer ? timer_pin : number, level);
    }

private:
    irq::IrqChip* pics_;
    irq::IrqChip* ioapic_;
};

/// INTR of the 8259s: LINT0 of the local APICs, and pin 0 of the I/O APIC.
class PicOutput final : public irq::IrqChip {
public:
    /// Both outlive the wires.
    PicOutput(irq::IrqChip& lapics, irq::IrqChip& ioapic) : lapics_(&lapics), ioapic_(&ioapic) {}

    void set_line(u32 number, bool level) override {
        if (number != 0) return;
        lapics_->set_line(0, level);
        ioapic_->set_line(0, level);
    }

private:
    irq::IrqChip* lapics_;
    irq::IrqChip* ioapic_;
};

}  // namespace ax::dev
