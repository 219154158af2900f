// The state of one CPU interface of a GICv2: masks, priorities in progress, and its two outputs.
#pragma once

#include "core/base/fields.hpp"
#include "core/base/types.hpp"
#include "devices/irqchip/vgicv2_interrupts.hpp"
#include "devices/irqchip/vgicv2_regs.hpp"

namespace ax::dev::gicv2 {

struct Cpu {
    /// GICC_CTLR, GICC_PMR, GICC_BPR and GICC_ABPR.
    u16 control = 0;
    u8 priority_mask = 0;
    u8 binary_point = min_binary_point;
    u8 aliased_binary_point = min_aliased_binary_point;
    /// GICC_APR0 and GICC_NSAPR0, bit n: an interrupt of group priority 8n, of Group 0 and of Group 1,
    /// is acknowledged and its priority not yet dropped.
    u32 active_group0 = 0;
    u32 active_group1 = 0;
    /// Levels of the outputs.
    bool irq = false;
    bool fiq = false;

    void fields(FieldVisitor& v);

    /// GICC_RPR.
    [[nodiscard]] u8 running_priority() const;
    /// The bits of a priority that decide on preemption: IHI 0048, Priority grouping.
    [[nodiscard]] u8 group_priority(u8 priority, bool is_group1) const;
    /// True when `candidate` is urgent enough to be taken now, and its group is enabled here.
    [[nodiscard]] bool takes(const Candidate& candidate) const;
    /// `candidate` runs from now on.
    void push_priority(const Candidate& candidate);
    /// What runs now runs no more: IHI 0048, Priority drop and interrupt deactivation.
    void drop_priority();
};

}  // namespace ax::dev::gicv2
