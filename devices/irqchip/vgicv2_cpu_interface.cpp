// The CPU interface's registers: IHI 0048, CPU interface register descriptions.
#include <algorithm>

#include "core/base/bits.hpp"
#include "devices/irqchip/vgicv2.hpp"

namespace ax::dev {

using namespace gicv2;

namespace {

bool is_register_access(u64 offset, u8 size) { return size == 4 && offset % 4 == 0; }

u8 binary_point(u32 value, u8 least) { return std::max(static_cast<u8>(BinaryPoint::get(value)), least); }

}  // namespace

Vgicv2& Vgicv2CpuInterface::gic() { return static_cast<Vgicv2&>(*this); }

std::expected<u64, bus::BusFault> Vgicv2CpuInterface::read(u64 offset, u8 size) {
    const std::optional<u32> cpu = gic().accessor();
    if (!cpu || !is_register_access(offset, size)) return std::unexpected(bus::BusFault{});
    return gic().read_cpu_interface(*cpu, offset);
}

std::expected<void, bus::BusFault> Vgicv2CpuInterface::write(u64 offset, u8 size, u64 value) {
    const std::optional<u32> cpu = gic().accessor();
    if (!cpu || !is_register_access(offset, size)) return std::unexpected(bus::BusFault{});
    gic().write_cpu_interface(*cpu, offset, static_cast<u32>(value));
    return {};
}

void Vgicv2CpuInterface::reset() { gic().reset_cpus(); }

void Vgicv2CpuInterface::fields(FieldVisitor& v) {
    Vgicv2::State& state = gic().state_;
    for (u32 c = 0; c < state.interrupts.vcpus; ++c) {
        v.enter("cpu", c);
        state.cpu[c].fields(v);
        v.leave();
    }
}

void Vgicv2::reset_cpus() {
    for (u32 c = 0; c < state_.interrupts.vcpus; ++c) {
        Cpu& interface = state_.cpu[c];
        interface = Cpu{.irq = interface.irq, .fiq = interface.fiq};
        refresh(c);
    }
}

u32 Vgicv2::read_cpu_interface(u32 cpu, u64 offset) {
    const Cpu& interface = state_.cpu[cpu];
    if (offset > index(CpuInterface::DIR)) return 0;
    switch (static_cast<CpuInterface>(offset)) {
        case CpuInterface::CTLR: return interface.control;
        case CpuInterface::PMR: return interface.priority_mask;
        case CpuInterface::BPR: return interface.binary_point;
        case CpuInterface::IAR: return acknowledge(cpu, false);
        case CpuInterface::RPR: return interface.running_priority();
        case CpuInterface::HPPIR: return visible(cpu, state_.interrupts.highest_pending(cpu), false);
        case CpuInterface::ABPR: return interface.aliased_binary_point;
        case CpuInterface::AIAR: return acknowledge(cpu, true);
        case CpuInterface::AHPPIR: return visible(cpu, state_.interrupts.highest_pending(cpu), true);
        case CpuInterface::APR0: return interface.active_group0;
        case CpuInterface::NSAPR0: return interface.active_group1;
        case CpuInterface::IIDR: return cpu_interface_identification;
        case CpuInterface::EOIR:
        case CpuInterface::AEOIR:
        case CpuInterface::DIR: return 0;
    }
    return 0;
}

void Vgicv2::write_cpu_interface(u32 cpu, u64 offset, u32 value) {
    Cpu& interface = state_.cpu[cpu];
    if (offset > index(CpuInterface::DIR)) return;
    switch (static_cast<CpuInterface>(offset)) {
        case CpuInterface::CTLR: interface.control = static_cast<u16>(CpuControl::All::get(value)); break;
        case CpuInterface::PMR: interface.priority_mask = static_cast<u8>(value & Priority::mask); break;
        case CpuInterface::BPR: interface.binary_point = binary_point(value, min_binary_point); break;
        case CpuInterface::ABPR: interface.aliased_binary_point = binary_point(value, min_aliased_binary_point); break;
        case CpuInterface::EOIR: end(cpu, value, false); break;
        case CpuInterface::AEOIR: end(cpu, value, true); break;
        case CpuInterface::APR0: interface.active_group0 = value; break;
        case CpuInterface::NSAPR0: interface.active_group1 = value; break;
        case CpuInterface::DIR: {
            const u32 intid = static_cast<u32>(IAR::INTID::get(value));
            if (CpuControl::EOImode::test(interface.control) && state_.interrupts.exists(intid)) deactivate(cpu, intid);
            break;
        }
        case CpuInterface::IAR:
        case CpuInterface::RPR:
        case CpuInterface::HPPIR:
        case CpuInterface::AIAR:
        case CpuInterface::AHPPIR:
        case CpuInterface::IIDR: break;
    }
    refresh(cpu);
}

// Each of the two views shows the interrupts of its own group: IHI 0048, The effect of interrupt grouping
// on interrupt acknowledgement.
u32 Vgicv2::visible(u32 cpu, const Candidate& candidate, bool is_alias) const {
    if (candidate.is_none()) return spurious;
    if (is_alias && !candidate.is_group1) return spurious;
    if (!is_alias && candidate.is_group1 && !CpuControl::AckCtl::test(state_.cpu[cpu].control)) return group1_waits;
    return static_cast<u32>(IAR::INTID::of(candidate.intid) | IAR::CPUID::of(candidate.source));
}

u32 Vgicv2::acknowledge(u32 cpu, bool is_alias) {
    const Candidate candidate = state_.interrupts.highest_pending(cpu);
    if (!state_.cpu[cpu].takes(candidate)) return spurious;
    const u32 value = visible(cpu, candidate, is_alias);
    if (IAR::INTID::get(value) != candidate.intid) return value;
    state_.interrupts.activate(cpu, candidate);
    state_.cpu[cpu].push_priority(candidate);
    if (candidate.intid < private_interrupts) {
        refresh(cpu);
    } else {
        refresh_all();
    }
    return value;
}

void Vgicv2::end(u32 cpu, u32 value, bool is_alias) {
    const u32 intid = static_cast<u32>(IAR::INTID::get(value));
    if (!state_.interrupts.exists(intid)) return;
    const InterruptWord& word = state_.interrupts.word(cpu, intid / word_bits);
    const bool is_group1 = (word.group1 & (u32{1} << (intid % word_bits))) != 0;
    if (is_alias && !is_group1) return;
    state_.cpu[cpu].drop_priority();
    if (!CpuControl::EOImode::test(state_.cpu[cpu].control)) deactivate(cpu, intid);
}

}  // namespace ax::dev
