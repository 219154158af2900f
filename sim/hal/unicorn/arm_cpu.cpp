#include "sim/hal/unicorn/arm_cpu.hpp"

#include <algorithm>
#include <utility>

namespace ax::sim {

using namespace ax::arm64;
using namespace ax::sim::arm64;

namespace {

/// Private interrupts of the board as a hypervisor sees them (Arm Base System Architecture, "PPI assignments").
constexpr u32 maintenance_ppi = 25, hypervisor_timer_ppi = 26, virtual_timer_ppi = 27, spurious = 1023;

/// What Unicorn is told whatever the core programs: traps that the model needs to see, interrupts routed to
/// EL2 so that VI and VF mean something; translation and the rest of HCR_EL2 are the model's.
constexpr u64 hcr_always = Hcr::RW::mask | Hcr::TSC::mask | Hcr::TWI::mask | Hcr::IMO::mask | Hcr::FMO::mask;
constexpr u64 hcr_passed_on = Hcr::TID1::mask | Hcr::TID2::mask | Hcr::TID3::mask | Hcr::TACR::mask | Hcr::TSW::mask | Hcr::TPCP::mask |
                              Hcr::TPU::mask | Hcr::TTLB::mask | Hcr::TVM::mask | Hcr::TRVM::mask | Hcr::TDZ::mask | Hcr::TIDCP::mask;

}  // namespace

ArmCpu::ArmCpu(PhysMemory& memory, ArmEngine& engine, ArmBoard& board, const ArmPeers& peers)
    : memory_(memory), engine_(&engine), board_(board), peers_(peers), context_(engine.make_context()) {}

ArmCpu::~ArmCpu() {
    engine_->release(*this);
    if (board_.last_entered() == this) board_.last_entered() = nullptr;
}

void ArmCpu::reset_guest() {
    engine_->release(*this);
    context_ = engine_->make_context();
    applied_ = nothing_applied;
    timer_.reset();
    tlb_.drop_all();
    is_context_stale_ = true;
}

void ArmCpu::move_to(ArmEngine& engine) {
    engine_->release(*this);
    SavedRegisters fresh = engine.make_context();
    engine_->copy_image(fresh, context_);
    context_ = std::move(fresh);
    engine_ = &engine;
    // What the other engine was told says nothing about this one, whose count of selections may even be the same.
    applied_ = nothing_applied;
    selection_ = 0;
}

/// The engine with this CPU's registers in it.
ArmEngine& ArmCpu::engine() {
    engine_->select(*this, context_);
    return *engine_;
}

u64 ArmCpu::gpr(unsigned n) { return n == 31 ? 0 : engine().read(uc_x(n)); }

void ArmCpu::set_gpr(unsigned n, u64 value) {
    if (n != 31) engine().write(uc_x(n), value);
}

u64 ArmCpu::base(unsigned n) { return n == 31 ? engine().read(UC_ARM64_REG_SP) : gpr(n); }

std::array<u64, 2> ArmCpu::vector(unsigned n) { return engine().read_vector(n); }

void ArmCpu::set_vector(unsigned n, u64 low, u64 high) { engine().write_vector(n, {low, high}); }

/// Unicorn keeps the stack pointer of the current level apart from the banked ones, and looks at
/// PSTATE's translation-relevant parts only when a system register is written.
void ArmCpu::set_pstate(u64 value) {
    ArmEngine& uc = engine();
    const u64 old = uc.read(UC_ARM64_REG_PSTATE);
    if (old == value) return;
    const auto bank = [](u64 pstate) { return Spsr::EL::get(pstate) == 0 || !Spsr::SP::test(pstate) ? UC_ARM64_REG_SP_EL0 : UC_ARM64_REG_SP_EL1; };
    uc.write(bank(old), uc.read(UC_ARM64_REG_SP));
    uc.write(UC_ARM64_REG_PSTATE, value);
    uc.write(UC_ARM64_REG_SP, uc.read(bank(value)));
    uc.write(sysreg::PAR_EL1, uc.read(sysreg::PAR_EL1));
}

void ArmCpu::lose_monitor() { engine().set_monitor({}); }

void ArmCpu::apply(SysReg reg, u64& applied, u64 value) {
    if (applied == value) return;
    engine_->write(reg, value);
    applied = value;
}

/// Everything in the engine that follows from the EL2 registers.
void ArmCpu::apply_controls() {
    u64 hcr = hcr_always | (el2_.HCR_EL2 & hcr_passed_on);
    if (Hcr::VI::test(el2_.HCR_EL2) || irq_asserted(el2_)) hcr |= Hcr::VI::mask;
    if (Hcr::VF::test(el2_.HCR_EL2) || fiq_asserted(el2_)) hcr |= Hcr::VF::mask;
    // Unicorn's pending flags are in no context; they follow a write.
    if (selection_ != engine_->selections()) {
        applied_.hcr = ~u64{0};
        watch_fp(engine_->read(sysreg::CPACR_EL1));
        watch_returns(engine_->read(sysreg::SPSR_EL1));
    }
    selection_ = engine_->selections();
    apply(el2_reg::HCR_EL2, applied_.hcr, hcr);
    apply(el2_reg::MDCR_EL2, applied_.mdcr, el2_.MDCR_EL2);
    apply(el2_reg::CPTR_EL2, applied_.cptr, el2_.CPTR_EL2);
    apply(el2_reg::HSTR_EL2, applied_.hstr, el2_.HSTR_EL2);
    apply(el2_reg::CNTHCTL_EL2, applied_.cnthctl, el2_.CNTHCTL_EL2);
    apply(el2_reg::VPIDR_EL2, applied_.vpidr, el2_.VPIDR_EL2);
    apply(el2_reg::VMPIDR_EL2, applied_.vmpidr, el2_.VMPIDR_EL2);
    engine_->stop_at_wfe(Hcr::TWE::test(el2_.HCR_EL2));
}

bool ArmCpu::has_interrupt() {
    const u64 count = board_.ticks_after(retired_) - el2_.CNTVOFF_EL2;
    return board_.timer_is_due() || ((active_ & bit(virtual_timer_ppi)) == 0 && timer_.is_asserted(count)) ||
           ((active_ & bit(maintenance_ppi)) == 0 && maintenance_asserted(el2_));
}

u64 ArmCpu::next_stop(u64 retired) {
    if ((active_ & bit(virtual_timer_ppi)) != 0) return budget_;
    const u64 now = board_.ticks_after(retired);
    const u64 distance = timer_.ticks_to_assertion(now - el2_.CNTVOFF_EL2);
    if (distance > VirtualTimer::never - now) return budget_;
    return std::min(budget_, board_.instructions_until(now + distance));
}

EntryStop ArmCpu::enter(u64 budget) {
    if (refused_register(el2_, list_register_count) != nullptr) {
        // The value is what a crash dump shows.
        el2_.ESR_EL2 = ~u64{0};
        return {EntryResult::Refused, 0};
    }
    if (ArmCpu*& last = board_.last_entered(); last != this) {
        // Another CPU has run, or will: an exclusive access does not outlive that.
        if (last != nullptr) last->lose_monitor();
        last = this;
    }
    ArmEngine& uc = engine();
    set_pstate(el2_.SPSR_EL2);
    uc.write(UC_ARM64_REG_PC, el2_.ELR_EL2);
    budget_ = budget;
    is_context_stale_ = true;
    // An instruction that the hypervisor completed and stepped over counts as retired.
    retired_ = is_after_trap_ && el2_.ELR_EL2 == trap_pc_ + 4 ? 1 : 0;
    is_after_trap_ = false;
    static_cast<void>(take_illegal_state());
    while (true) {
        if (has_interrupt()) return leave(EntryResult::Irq);
        apply_controls();
        const ArmStop stop = uc.run(retired_, next_stop(retired_));
        if (stop.kind == ArmStopKind::Boundary) {
            if (retired_ >= budget) return leave(EntryResult::BudgetEnd);
        } else if (stop.kind == ArmStopKind::EngineError) {
            el2_.ESR_EL2 = ~u64{0};
            el2_.FAR_EL2 = stop.error;
            return leave(EntryResult::Refused);
        } else if (!handle(stop)) {
            return leave(EntryResult::Synchronous);
        } else if (is_stuck()) {
            return leave(EntryResult::BudgetEnd);
        }
    }
}

EntryStop ArmCpu::leave(EntryResult result) {
    el2_.ELR_EL2 = engine_->read(UC_ARM64_REG_PC);
    el2_.SPSR_EL2 = engine_->read(UC_ARM64_REG_PSTATE);
    is_after_trap_ = result == EntryResult::Synchronous;
    trap_pc_ = el2_.ELR_EL2;
    total_retired_ += retired_;
    board_.retire(retired_);
    const EntryStop stop{result, retired_};
    retired_ = 0;
    return stop;
}

/// The CPU interface of the physical GIC at EL2; lower numbers first, all of one priority.
u32 ArmCpu::acknowledge() {
    const u64 count = board_.ticks_after(retired_) - el2_.CNTVOFF_EL2;
    if ((active_ & bit(maintenance_ppi)) == 0 && maintenance_asserted(el2_)) {
        active_ |= static_cast<u32>(bit(maintenance_ppi));
        return maintenance_ppi;
    }
    if (board_.take_timer()) return hypervisor_timer_ppi;
    if ((active_ & bit(virtual_timer_ppi)) == 0 && timer_.is_asserted(count)) {
        active_ |= static_cast<u32>(bit(virtual_timer_ppi));
        return virtual_timer_ppi;
    }
    return spurious;
}

void ArmCpu::end(u32 /*interrupt*/) {}

void ArmCpu::deactivate(u32 interrupt) {
    if (interrupt < 32) active_ &= ~static_cast<u32>(bit(interrupt));
}

u64 ArmCpu::el1(El1Reg reg) {
    if (reg == El1Reg::CNTV_CTL_EL0) return timer_.control(board_.ticks_after(retired_) - el2_.CNTVOFF_EL2);
    if (reg == El1Reg::CNTV_CVAL_EL0) return timer_.compare();
    ArmEngine& uc = engine();
    const bool uses_sp_el0 = !Spsr::SP::test(uc.read(UC_ARM64_REG_PSTATE)) || Spsr::EL::get(uc.read(UC_ARM64_REG_PSTATE)) == 0;
    switch (reg) {
        case El1Reg::SCTLR_EL1: return uc.read(sysreg::SCTLR_EL1);
        case El1Reg::ESR_EL1: return uc.read(sysreg::ESR_EL1);
        case El1Reg::FAR_EL1: return uc.read(sysreg::FAR_EL1);
        case El1Reg::ELR_EL1: return uc.read(UC_ARM64_REG_ELR_EL1);
        case El1Reg::SPSR_EL1: return uc.read(sysreg::SPSR_EL1);
        case El1Reg::VBAR_EL1: return uc.read(sysreg::VBAR_EL1);
        case El1Reg::SP_EL0: return uc.read(uses_sp_el0 ? UC_ARM64_REG_SP : UC_ARM64_REG_SP_EL0);
        case El1Reg::SP_EL1: return uc.read(uses_sp_el0 ? UC_ARM64_REG_SP_EL1 : UC_ARM64_REG_SP);
        case El1Reg::CNTKCTL_EL1: return uc.read(sysreg::CNTKCTL_EL1);
        case El1Reg::CNTV_CTL_EL0:
        case El1Reg::CNTV_CVAL_EL0: break;
    }
    return 0;
}

void ArmCpu::set_el1(El1Reg reg, u64 value) {
    ArmEngine& uc = engine();
    const bool uses_sp_el0 = !Spsr::SP::test(uc.read(UC_ARM64_REG_PSTATE)) || Spsr::EL::get(uc.read(UC_ARM64_REG_PSTATE)) == 0;
    is_context_stale_ = true;
    switch (reg) {
        case El1Reg::SCTLR_EL1: uc.write(sysreg::SCTLR_EL1, value); return;
        case El1Reg::ESR_EL1: uc.write(sysreg::ESR_EL1, value); return;
        case El1Reg::FAR_EL1: uc.write(sysreg::FAR_EL1, value); return;
        case El1Reg::ELR_EL1: uc.write(UC_ARM64_REG_ELR_EL1, value); return;
        case El1Reg::SPSR_EL1:
            uc.write(sysreg::SPSR_EL1, value);
            watch_returns(value);
            return;
        case El1Reg::VBAR_EL1: uc.write(sysreg::VBAR_EL1, value); return;
        case El1Reg::SP_EL0: uc.write(uses_sp_el0 ? UC_ARM64_REG_SP : UC_ARM64_REG_SP_EL0, value); return;
        case El1Reg::SP_EL1: uc.write(uses_sp_el0 ? UC_ARM64_REG_SP_EL1 : UC_ARM64_REG_SP, value); return;
        case El1Reg::CNTKCTL_EL1: uc.write(sysreg::CNTKCTL_EL1, value); return;
        case El1Reg::CNTV_CTL_EL0: timer_.set_control(value); return;
        case El1Reg::CNTV_CVAL_EL0: timer_.set_compare(value); return;
    }
}

}  // namespace ax::sim
