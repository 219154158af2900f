#include "devices/irqchip/vgicv2_cpu.hpp"

#include <algorithm>
#include <bit>

namespace ax::dev::gicv2 {

void Cpu::fields(FieldVisitor& v) {
    field(v, "control", control);
    field(v, "priority_mask", priority_mask);
    field(v, "binary_point", binary_point);
    field(v, "aliased_binary_point", aliased_binary_point);
    field(v, "active_group0", active_group0);
    field(v, "active_group1", active_group1);
    field(v, "irq", irq);
    field(v, "fiq", fiq);
    // A damaged file may say anything; a binary point must stay one.
    control = static_cast<u16>(CpuControl::All::get(control));
    priority_mask &= Priority::mask;
    binary_point = std::max(static_cast<u8>(BinaryPoint::get(binary_point)), min_binary_point);
    aliased_binary_point = std::max(static_cast<u8>(BinaryPoint::get(aliased_binary_point)), min_aliased_binary_point);
}

u8 Cpu::running_priority() const {
    const u32 active = active_group0 | active_group1;
    if (active == 0) return idle_priority;
    return static_cast<u8>(Priority::of(static_cast<u32>(std::countr_zero(active))));
}

u8 Cpu::group_priority(u8 priority, bool is_group1) const {
    // The aliased register counts from the next lower bit: IHI 0048, GICC_ABPR.
    const bool is_aliased = is_group1 && !CpuControl::CBPR::test(control);
    const u32 point = is_aliased ? aliased_binary_point - 1u : binary_point;
    return static_cast<u8>(align_down(priority, u64{2} << point));
}

bool Cpu::takes(const Candidate& candidate) const {
    if (candidate.is_none() || candidate.priority >= priority_mask) return false;
    const bool is_enabled =
        candidate.is_group1 ? CpuControl::EnableGrp1::test(control) : CpuControl::EnableGrp0::test(control);
    return is_enabled && group_priority(candidate.priority, candidate.is_group1) < running_priority();
}

void Cpu::push_priority(const Candidate& candidate) {
    const u64 level = Priority::get(group_priority(candidate.priority, candidate.is_group1));
    u32& active = candidate.is_group1 ? active_group1 : active_group0;
    active |= u32{1} << level;
}

void Cpu::drop_priority() {
    const u32 both = active_group0 | active_group1;
    const u32 most_urgent = both & (~both + 1);
    // Both groups have the same level only if the guest wrote it so.
    u32& active = (active_group0 & most_urgent) != 0 ? active_group0 : active_group1;
    active &= ~most_urgent;
}

}  // namespace ax::dev::gicv2
