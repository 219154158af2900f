#include "devices/irqchip/vgicv2.hpp"

#include <bit>

#include "core/base/bits.hpp"

// Threats: what a hostile guest does, and what it gets. One test per row.
//
//  T1  access of 2 or 8 bytes, not aligned, or of 1 byte   bus fault; nothing changes, nothing is taken
//      where there are no bytes
//  T2  access to a place without a register                reads 0, writes ignored
//  T3  end or deactivation of an interrupt that does not   ignored
//      exist, or of a special INTID
//  T4  end of an interrupt that is not active, more ends   a running priority drops while there is one;
//      than acknowledges                                   nothing else changes
//  T5  acknowledge with nothing to take                    1023; nothing changes
//  T6  SGIs sent for ever, to CPUs that do not exist       one pending bit per sender; others ignored
//  T7  disabling or making pending SGIs by ISENABLER and   ignored
//      its kin
//  T8  targets beyond the CPUs, of private interrupts      not kept, ignored
//  T9  binary points below what 5 bits allow, priorities   raised to it, low bits read 0
//      of 8 bits
//  T10 active priorities written at will                   kept; interrupts of lower priority wait
//  T11 interrupts 1020 and above, inputs that do not exist ignored
//  T12 masking and unmasking for ever                      an output is driven only when it changes
//  T13 an SPI that two CPUs take                           the first gets it, the second 1023
//  T14 access by a vCPU without CPU interface              bus fault
//
// A damaged saved state is made safe when it is restored: see Interrupts::fields and Cpu::fields.

namespace ax::dev {

using namespace gicv2;

std::expected<Vgicv2, Vgicv2Error> Vgicv2::create(const Config& config, irq::CpuLines& irqs) {
    if (config.lines == 0 || config.lines > max_lines || config.lines % word_bits != 0)
        return std::unexpected(Vgicv2Error::LineCount);
    if (config.vcpus == 0 || config.vcpus > max_vcpus) return std::unexpected(Vgicv2Error::VcpuCount);
    if (config.initiator == nullptr) return std::unexpected(Vgicv2Error::NoInitiator);
    return Vgicv2(config, irqs);
}

Vgicv2::Vgicv2(const Config& config, irq::CpuLines& irqs)
    : initiator_(config.initiator), host_(config.host), irqs_(&irqs), fiqs_(config.fiqs) {
    state_.interrupts.words = config.lines / word_bits;
    state_.interrupts.vcpus = config.vcpus;
    state_.interrupts.reset();
}

void Vgicv2::set_line(u32 number, bool level) {
    if (number < private_interrupts || !state_.interrupts.exists(number)) return;
    state_.interrupts.set_level(0, number, level);
    refresh_all();
}

void Vgicv2::set_private(VcpuId vcpu, u32 number, bool level, std::optional<u32> host_number) {
    const u32 cpu = index(vcpu);
    if (cpu >= state_.interrupts.vcpus || number < sgis || number >= private_interrupts) return;
    if (level) {
        HostInterrupt& host = state_.interrupts.own[cpu].host[number - sgis];
        host = {.is_known = host_number.has_value(), .number = host_number.value_or(0)};
    }
    state_.interrupts.set_level(cpu, number, level);
    refresh(cpu);
}

std::optional<u32> Vgicv2::accessor() const {
    const u32 cpu = index(initiator_->vcpu);
    return cpu < state_.interrupts.vcpus ? std::optional(cpu) : std::nullopt;
}

void Vgicv2::deactivate(u32 cpu, u32 intid) {
    if (!state_.interrupts.deactivate(cpu, intid)) return;
    if (intid >= private_interrupts) {
        refresh_all();
    } else {
        give_back(cpu, intid);
    }
}

// Last of all, because the host may raise the input again before it returns.
void Vgicv2::give_back(u32 cpu, u32 intid) {
    HostInterrupt given;
    if (intid >= sgis) {
        HostInterrupt& host = state_.interrupts.own[cpu].host[intid - sgis];
        given = host;
        host = {};
    }
    if (given.is_known) state_.interrupts.set_level(cpu, intid, false);
    refresh(cpu);
    if (given.is_known && host_ != nullptr) host_->deactivate(VcpuId{cpu}, given.number);
}

void Vgicv2::give_back_all() {
    for (u32 c = 0; c < state_.interrupts.vcpus; ++c) {
        for (u32 intid = sgis; intid < private_interrupts; ++intid) give_back(c, intid);
    }
}

void Vgicv2::refresh(u32 cpu) {
    Cpu& interface = state_.cpu[cpu];
    const Candidate candidate = state_.interrupts.highest_pending(cpu);
    const bool is_signalled = interface.takes(candidate);
    const bool is_fast = !candidate.is_group1 && CpuControl::FIQEn::test(interface.control);
    const bool irq = is_signalled && !is_fast;
    const bool fiq = is_signalled && is_fast;
    if (irq != interface.irq) {
        interface.irq = irq;
        irqs_->set_external(VcpuId{cpu}, irq);
    }
    if (fiq != interface.fiq) {
        interface.fiq = fiq;
        if (fiqs_ != nullptr) fiqs_->set_external(VcpuId{cpu}, fiq);
    }
}

void Vgicv2::refresh_all() {
    for (u32 c = 0; c < state_.interrupts.vcpus; ++c) refresh(c);
}

}  // namespace ax::dev
