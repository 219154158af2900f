#include "core/backend/arm64/vcpu.hpp"

#include <algorithm>

#include "core/arch/arm64/id_regs.hpp"
#include "core/arch/arm64/inject.hpp"
#include "core/arch/arm64/list_registers.hpp"

namespace ax::arm64 {

namespace {

/// Private interrupts, guest's and host's alike ("PPI assignments", Arm Base System Architecture).
constexpr u32 maintenance_ppi = 25, hypervisor_timer_ppi = 26, virtual_timer_ppi = 27, physical_timer_ppi = 30;

/// OSLSR_EL1 and OSLAR_EL1: a lock that guards debug registers nobody uses.
struct OsLock {
    using OSLK = Bits<1>;
    using request = Bits<0>;
};

}  // namespace

void Vcpu::reset(const BootState& boot) {
    cpu_.reset_guest();
    cpu_.el2() = controls_for(settings_);
    El2Regs& el2 = cpu_.el2();
    el2.ELR_EL2 = boot.entry.value();
    cpu_.set_gpr(0, boot.argument);
    timer_ = {};
    os_lock_ = false;
    completion_ = {};
    has_parts_ = false;
    for (const u32 ppi : {virtual_timer_ppi, maintenance_ppi}) cpu_.deactivate(ppi);
    follow_timers();
}

/// The guest's interrupts into the hardware.
void Vcpu::load_interrupts() {
    El2Regs& el2 = cpu_.el2();
    if (presenter_ == nullptr) {
        el2.HCR_EL2 = Hcr::VI::set(el2.HCR_EL2, external_);
        return;
    }
    slots_.count = cpu_.list_registers();
    presenter_->before_entry(id_, slots_);
    for (std::size_t i = 0; i < slots_.count; ++i) el2.ICH_LR_EL2[i] = pack(slots_.slots[i]);
    // With more waiting, the hypervisor wants to hear when the slots run empty, when the guest has taken the last
    // that it could (not when there was none to begin with), and when it ends one that has no slot.
    const auto is_fresh = [](const irq::Delivery& d) { return d.is_pending && !d.is_active; };
    u64 control = IchHcr::EOIcount::set(el2.ICH_HCR_EL2, 0);
    control = IchHcr::UIE::set(control, slots_.has_more);
    control = IchHcr::NPIE::set(control, slots_.has_more && std::ranges::any_of(slots_.slots, is_fresh));
    el2.ICH_HCR_EL2 = IchHcr::LRENPIE::set(control, slots_.has_more);
}

/// And back, with what the guest did.
void Vcpu::fold_interrupts() {
    El2Regs& el2 = cpu_.el2();
    follow_timers();
    if (presenter_ == nullptr) return;
    for (std::size_t i = 0; i < slots_.count; ++i) {
        slots_.slots[i] = unpacked(slots_.slots[i], el2.ICH_LR_EL2[i]);
        el2.ICH_LR_EL2[i] = 0;
    }
    slots_.ended_unlisted = static_cast<u32>(IchHcr::EOIcount::get(el2.ICH_HCR_EL2));
    presenter_->after_exit(id_, slots_);
    // Nothing that the hardware asked for maintenance for is left in it.
    cpu_.deactivate(maintenance_ppi);
}

bool Vcpu::virtual_timer_asserted() {
    const u64 control = cpu_.el1(El1Reg::CNTV_CTL_EL0);
    return CntCtl::ENABLE::test(control) && CntCtl::ISTATUS::test(control) && !CntCtl::IMASK::test(control);
}

/// The timers' outputs are level: the guest's controller sees what they are now.
void Vcpu::follow_timers() {
    const bool is_virtual_up = virtual_timer_asserted();
    inputs_.set_private(id_, virtual_timer_ppi, is_virtual_up, virtual_timer_ppi);
    inputs_.set_private(id_, physical_timer_ppi, timer_.is_asserted(cpu_.physical_counter()), std::nullopt);
    if (!is_virtual_up) cpu_.deactivate(virtual_timer_ppi);
}

hal::RunStop Vcpu::run(u64 budget) {
    if (has_parts_) {
        has_parts_ = false;
        // None only of a saved state that somebody damaged.
        if (const auto exit = next_part(completion_, cpu_)) return {*exit, 0};
    }
    completion_ = {};
    load_interrupts();
    const EntryStop stop = cpu_.enter(budget);
    VmExit exit = BudgetEnd{};
    switch (stop.result) {
        case EntryResult::BudgetEnd: break;
        case EntryResult::Refused: exit = EntryFailure{cpu_.el2().FAR_EL2}; break;
        case EntryResult::Irq: exit = take_interrupt(); break;
        case EntryResult::Synchronous: exit = take_trap(); break;
    }
    fold_interrupts();
    return {exit, stop.instructions};
}

VmExit Vcpu::take_interrupt() {
    const u32 interrupt = cpu_.acknowledge();
    cpu_.end(interrupt);
    switch (interrupt) {
        // Stays active, and so quiet, until the guest has dealt with it.
        case virtual_timer_ppi: return HostInterrupt{HostInterruptKind::GuestTimer};
        case maintenance_ppi: return HostInterrupt{HostInterruptKind::Maintenance};
        case hypervisor_timer_ppi: cpu_.deactivate(interrupt); return HostInterrupt{HostInterruptKind::Timer};
        default: cpu_.deactivate(interrupt); return HostInterrupt{HostInterruptKind::External};
    }
}

VmExit Vcpu::take_trap() {
    const El2Regs& el2 = cpu_.el2();
    const Decoded decoded = decode({el2.ESR_EL2, el2.FAR_EL2, el2.HPFAR_EL2, el2.ELR_EL2, el2.SPSR_EL2}, cpu_);
    completion_ = decoded.completion;
    return decoded.sysreg ? serve(*decoded.sysreg) : decoded.exit;
}

/// Registers that trap and that the vCPU itself answers for.
VmExit Vcpu::serve(const SysregAccess& access) {
    const u64 count = cpu_.physical_counter();
    const u64 written = access.is_read ? 0 : cpu_.gpr(access.rt);
    std::optional<u64> value;
    if (access.is_read) {
        value = id_register(access.reg, {.has_gicv3 = settings_.has_list_registers});
        if (!value) value = debug_register(access.reg);
        if (access.reg == sysreg::OSLSR_EL1) value = *value | OsLock::OSLK::of(os_lock_);
        if (u64 timer = 0; timer_.read(access.reg, count, timer)) value = timer;
        // ACTLR_EL1 holds nothing that a guest may know.
        if (access.reg == sysreg::ACTLR_EL1) value = 0;
    } else if (timer_.write(access.reg, count, written) || debug_register(access.reg) || access.reg == sysreg::ACTLR_EL1) {
        value = written;
        if (access.reg == sysreg::OSLAR_EL1) os_lock_ = OsLock::request::test(written);
    }
    if (!value) {
        completion_ = {};
        return UndefinedInstruction{access.encoding()};
    }
    completion_.value = *value;
    return Handled{access.reg.packed(), *value};
}

void Vcpu::finish(const Answer& answer) {
    const auto effects = complete(completion_, answer, cpu_);
    if (!effects) {
        has_parts_ = true;
        return;
    }
    completion_ = {};
    for (const GprWrite& write : effects->gprs) {
        if (write.rd != 31) {
            cpu_.set_gpr(write.rd, write.value);
            continue;
        }
        const u64 pstate = cpu_.el2().SPSR_EL2;
        cpu_.set_el1(Spsr::EL::get(pstate) == 0 || !Spsr::SP::test(pstate) ? El1Reg::SP_EL0 : El1Reg::SP_EL1, write.value);
    }
    for (const VectorWrite& write : effects->vectors) cpu_.set_vector(write.rd, write.value[0], write.value[1]);
    cpu_.el2().ELR_EL2 += effects->advance;
    if (effects->exception) take(*effects->exception);
}

void Vcpu::take(const GuestException& exception) {
    El2Regs& el2 = cpu_.el2();
    El1State state;
    state.pc = el2.ELR_EL2;
    state.pstate = el2.SPSR_EL2;
    state.VBAR_EL1 = cpu_.el1(El1Reg::VBAR_EL1);
    state.SCTLR_EL1 = cpu_.el1(El1Reg::SCTLR_EL1);
    state.FAR_EL1 = cpu_.el1(El1Reg::FAR_EL1);
    state = take_exception(state, exception);
    cpu_.set_el1(El1Reg::ELR_EL1, state.ELR_EL1);
    cpu_.set_el1(El1Reg::SPSR_EL1, state.SPSR_EL1);
    cpu_.set_el1(El1Reg::ESR_EL1, state.ESR_EL1);
    cpu_.set_el1(El1Reg::FAR_EL1, state.FAR_EL1);
    el2.ELR_EL2 = state.pc;
    el2.SPSR_EL2 = state.pstate;
}

void Vcpu::inject(Event event) {
    switch (event.line) {
        case EventLine::External: external_ = event.level; return;
        case EventLine::Timer: follow_timers(); return;
        case EventLine::Software: return;
    }
}

bool Vcpu::has_wake_event() {
    // "WFI wake-up events": a virtual interrupt that is pending and signalled, whatever PSTATE masks.
    if (presenter_ == nullptr) return external_;
    const auto urgency = presenter_->most_urgent(id_);
    const u64 vmcr = cpu_.el2().ICH_VMCR_EL2;
    return urgency && *urgency < IchVmcr::VPMR::get(vmcr) && (IchVmcr::VENG0::test(vmcr) || IchVmcr::VENG1::test(vmcr));
}

std::optional<u64> Vcpu::alarm_ticks(bool is_waiting) {
    const u64 count = cpu_.physical_counter();
    u64 deadline = timer_.deadline(count);
    if (!is_waiting) return deadline;
    // While the vCPU waits nobody watches the hardware's comparator either.
    const u64 control = cpu_.el1(El1Reg::CNTV_CTL_EL0);
    if (!CntCtl::ENABLE::test(control) || CntCtl::IMASK::test(control) || CntCtl::ISTATUS::test(control)) return deadline;
    const u64 compare = cpu_.el1(El1Reg::CNTV_CVAL_EL0);
    const u64 offset = cpu_.el2().CNTVOFF_EL2;
    if (compare <= ~u64{0} - offset && compare + offset < deadline) deadline = compare + offset;
    return deadline;
}

void Vcpu::flush(bool instruction) {
    if (instruction)
        cpu_.fence_instruction();
    else
        cpu_.fence_translation();
}

void Vcpu::fields(FieldVisitor& v) {
    cpu_.fields(v);
    field(v, "physical_timer", timer_);
    field(v, "os_lock", os_lock_);
    field(v, "external", external_);
    // Between an exit and its answer nothing is saved; the slots are then empty, and a completion waits only for
    // the further parts of its instruction.
    field(v, "has_parts", has_parts_);
    if (has_parts_) field(v, "completion", completion_);
}

}  // namespace ax::arm64
