// System registers and instructions that Unicorn knows and must not answer by itself: what depends on
// time, on the second stage or on other CPUs.
#include "sim/hal/unicorn/arm_cpu.hpp"

namespace ax::sim {

using namespace ax::arm64;
using namespace ax::sim::arm64;

namespace {

constexpr u8 tlbi_crn = 8, cache_and_at_crn = 7, at_crm = 8;

/// "CNTKCTL_EL1": what EL0 may use.
using El0Pcten = Bits<0>;
using El0Vcten = Bits<1>;
using El0Vten = Bits<8>;

bool is_virtual_timer(SysReg reg) {
    return reg == sysreg::CNTV_TVAL_EL0 || reg == sysreg::CNTV_CTL_EL0 || reg == sysreg::CNTV_CVAL_EL0;
}

/// Counters of the performance monitors, which Unicorn drives by the host's clock.
bool is_event_counter(SysReg reg) { return reg == sysreg::PMCCNTR_EL0 || (reg.op0 == 3 && reg.op1 == 3 && reg.crn == 14 && reg.crm >= 8 && reg.crm < 12); }

/// Registers that decide about translation.
bool is_translation_control(SysReg reg) {
    return reg == sysreg::SCTLR_EL1 || reg == sysreg::TCR_EL1 || reg == sysreg::TTBR0_EL1 || reg == sysreg::TTBR1_EL1 || reg == sysreg::MAIR_EL1;
}

}  // namespace

/// False where the architecture has the access trap, which Unicorn then sees to.
bool ArmCpu::may_use_timer(SysReg reg) {
    if (Spsr::EL::get(engine_->read(UC_ARM64_REG_PSTATE)) != 0)
        return reg != sysreg::CNTPCT_EL0 || Cnthctl::EL1PCTEN::test(el2_.CNTHCTL_EL2);
    const u64 allowed = engine_->read(sysreg::CNTKCTL_EL1);
    if (reg == sysreg::CNTVCT_EL0) return El0Vcten::test(allowed);
    if (reg == sysreg::CNTPCT_EL0) return El0Pcten::test(allowed) && Cnthctl::EL1PCTEN::test(el2_.CNTHCTL_EL2);
    return El0Vten::test(allowed);
}

std::optional<u64> ArmCpu::on_read(SysReg reg) {
    if (reg.op0 != 3) return std::nullopt;
    if (is_event_counter(reg) && !Mdcr::TPM::test(el2_.MDCR_EL2)) return total_retired_ + engine_->retired_so_far();
    if (reg.crn != 14 || reg.op1 != 3) return std::nullopt;
    const bool is_counter = reg == sysreg::CNTVCT_EL0 || reg == sysreg::CNTPCT_EL0;
    if ((!is_counter && !is_virtual_timer(reg)) || !may_use_timer(reg)) return std::nullopt;
    const u64 physical = board_.ticks_after(engine_->retired_so_far());
    const u64 count = physical - el2_.CNTVOFF_EL2;
    if (reg == sysreg::CNTPCT_EL0) return physical;
    if (reg == sysreg::CNTVCT_EL0) return count;
    if (reg == sysreg::CNTV_CTL_EL0) return timer_.control(count);
    if (reg == sysreg::CNTV_CVAL_EL0) return timer_.compare();
    return timer_.value(count);
}

bool ArmCpu::on_write(SysReg reg, u64 value) {
    if (is_translation_control(reg)) is_context_stale_ = true;
    if (reg == sysreg::CPACR_EL1) watch_fp(value);
    if (reg == sysreg::SPSR_EL1) watch_returns(value);
    if (!is_virtual_timer(reg) || !may_use_timer(reg)) return false;
    const u64 retired = engine_->retired_so_far();
    const u64 count = board_.ticks_after(retired) - el2_.CNTVOFF_EL2;
    if (reg == sysreg::CNTV_CTL_EL0) timer_.set_control(value);
    if (reg == sysreg::CNTV_CVAL_EL0) timer_.set_compare(value);
    if (reg == sysreg::CNTV_TVAL_EL0) timer_.set_value(value, count);
    engine_->set_limit(next_stop(retired));
    return true;
}

bool ArmCpu::on_system(SysReg operation, u64 value) {
    if (operation.op0 != 1 || operation.op1 != 0) return false;
    if (Spsr::EL::get(engine_->read(UC_ARM64_REG_PSTATE)) == 0) return false;
    if (operation.crn == tlbi_crn && !Hcr::TTLB::test(el2_.HCR_EL2)) {
        invalidate(operation, value);
        return false;
    }
    if (operation.crn == cache_and_at_crn && operation.crm == at_crm && operation.op2 < 4) {
        address_translate(operation, value);
        return true;
    }
    return false;
}

/// Whether the engine must look for floating-point instructions, given CPACR_EL1.
void ArmCpu::watch_fp(u64 cpacr) {
    const u64 enabled = Cpacr::FPEN::get(cpacr);
    engine_->stop_at_fp(enabled != 3 || Cptr::TFP::test(el2_.CPTR_EL2));
    fp_enabled_ = enabled;
}

/// The register or instruction is trapped at the level that executes now.
ArmCpu::FpTrap ArmCpu::fp_trap() {
    const bool is_el0 = Spsr::EL::get(engine_->read(UC_ARM64_REG_PSTATE)) == 0;
    if (fp_enabled_ == 0 || fp_enabled_ == 2 || (fp_enabled_ == 1 && is_el0)) return FpTrap::ToEl1;
    return Cptr::TFP::test(el2_.CPTR_EL2) ? FpTrap::ToEl2 : FpTrap::None;
}

}  // namespace ax::sim
