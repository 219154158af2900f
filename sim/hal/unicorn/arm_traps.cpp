// What becomes of a stop of the engine: an exception that the guest takes itself, or a trap to EL2.
#include <cstring>

#include "sim/hal/unicorn/arm_cpu.hpp"

namespace ax::sim {

using namespace ax::arm64;
using namespace ax::sim::arm64;

namespace {

/// ICC_PMR_EL1, and the space of the other registers of the GIC CPU interface.
bool is_cpu_interface(SysReg reg) { return reg == sysreg::ICC_PMR_EL1 || (reg.op0 == 3 && reg.crn == 12 && reg.crm >= 8); }

}  // namespace

bool ArmCpu::handle(const ArmStop& stop) {
    switch (stop.kind) {
        case ArmStopKind::Boundary:
        case ArmStopKind::ExitAddress:
        case ArmStopKind::EngineError: return true;
        case ArmStopKind::WaitForEvent:
            // The engine went past it; the trap is taken at it.
            engine_->write(UC_ARM64_REG_PC, engine_->read(UC_ARM64_REG_PC) - 4);
            --retired_;
            return to_el2(wait(true));
        case ArmStopKind::FloatingPoint: return fp_trap() == FpTrap::ToEl2 ? to_el2(floating_point()) : to_el1(floating_point());
        case ArmStopKind::ExceptionReturn: return exception_return();
        case ArmStopKind::Misaligned: return to_el1(pc_alignment(pc()));
        case ArmStopKind::Exception: return handle_exception(stop.number);
        case ArmStopKind::MemoryFault: return handle_memory_fault(stop);
    }
    return true;
}

bool ArmCpu::handle_exception(u32 number) {
    const u64 at = engine_->read(UC_ARM64_REG_PC);
    const auto immediate = [&](u64 address) {
        const auto word = fetch(Gva{address});
        return word ? static_cast<u32>(Bits<20, 5>::get(*word)) : 0;
    };
    switch (number) {
        case uc_exception::svc: return to_el1(call(ExceptionClass::Svc, immediate(at - 4)));
        case uc_exception::hvc:
            if (!Hcr::HCD::test(el2_.HCR_EL2)) return to_el2(call(ExceptionClass::Hvc, immediate(at - 4)));
            engine_->write(UC_ARM64_REG_PC, at - 4);
            --retired_;
            return undefined();
        case uc_exception::smc:
            // The board has no EL3: SMC is undefined unless it traps.
            return Hcr::TSC::test(el2_.HCR_EL2) ? to_el2(call(ExceptionClass::Smc, immediate(at))) : undefined();
        case uc_exception::undefined: return handle_undefined();
        default: return handle_trap(engine_->exception());
    }
}

/// An instruction that Unicorn does not have, or a trap that it knows about.
bool ArmCpu::handle_undefined() {
    const ArmException exception = engine_->exception();
    const auto word = fetch(pc());
    if (static_cast<ExceptionClass>(Esr::EC::get(exception.syndrome)) != ExceptionClass::Unknown) return handle_trap(exception);
    const auto system = word ? decode_system(*word) : std::nullopt;
    const bool is_el0 = Spsr::EL::get(engine_->read(UC_ARM64_REG_PSTATE)) == 0;
    if (word && is_el0 && is_daif_immediate(*word) && !Sctlr::UMA::test(engine_->read(sysreg::SCTLR_EL1))) return to_el1(daif_access(*word));
    if (system && !is_el0 && is_cpu_interface(system->reg)) return execute_gic_register(*system);
    return undefined();
}

void ArmCpu::step_over() {
    engine_->write(UC_ARM64_REG_PC, engine_->read(UC_ARM64_REG_PC) + 4);
    ++retired_;
}

/// The GIC CPU interface, which Unicorn lacks.
bool ArmCpu::execute_gic_register(const SystemInstruction& instruction) {
    const IcvResult done = instruction.is_read ? icv_read(el2_, instruction.reg) : icv_write(el2_, instruction.reg, gpr(instruction.rt));
    switch (done.outcome) {
        case IcvOutcome::Undefined:
        case IcvOutcome::Physical: return undefined();
        case IcvOutcome::TrapToEl2: return to_el2(system_access(instruction));
        case IcvOutcome::Done: break;
    }
    if (instruction.is_read) set_gpr(instruction.rt, done.value);
    if (done.deactivates) deactivate(*done.deactivates);
    step_over();
    return true;
}

/// Unicorn's own trap logic has decided, on the bits that the core programmed.
bool ArmCpu::handle_trap(const ArmException& exception) {
    const auto ec = static_cast<ExceptionClass>(Esr::EC::get(exception.syndrome));
    if (ec == ExceptionClass::WaitFor && exception.target_el == 2 && !Hcr::TWI::test(el2_.HCR_EL2)) {
        // Asked for by the model only; to the guest, waiting may end at any time.
        step_over();
        return true;
    }
    // Unicorn has an EL3 and its registers, this board has not; and EL1 traps no register of its own to itself.
    const bool is_el0 = Spsr::EL::get(engine_->read(UC_ARM64_REG_PSTATE)) == 0;
    if (exception.target_el == 3 || (ec == ExceptionClass::SystemRegister && exception.target_el == 1 && !is_el0)) return undefined();
    Syndrome syndrome{exception.syndrome, std::nullopt, std::nullopt};
    if (ec == ExceptionClass::DataAbortLower || ec == ExceptionClass::DataAbortSame) syndrome.far = Gva{exception.address};
    return exception.target_el == 2 ? to_el2(syndrome) : to_el1(syndrome);
}

bool ArmCpu::handle_memory_fault(const ArmStop& stop) {
    const bool is_el0 = Spsr::EL::get(engine_->read(UC_ARM64_REG_PSTATE)) == 0;
    const bool is_stage2 = fault_.stage == 2;
    const bool is_external = fault_.kind == VmsaFaultKind::External;
    const bool goes_to_el2 = is_stage2 || (is_external && Hcr::TEA::test(el2_.HCR_EL2));
    Syndrome syndrome;
    if (stop.fault_access == Access::Execute) {
        // "Synchronous exception prioritization": alignment of the pc comes before its translation.
        if ((pc().value() & 3) != 0) return to_el1(pc_alignment(pc()));
        syndrome = instruction_abort(fault_, is_bus_error_, pc(), is_el0 || goes_to_el2);
    } else {
        const auto word = fetch_executing();
        const auto instruction = word ? decode_memory(*word, *this) : std::nullopt;
        MemoryInstruction unknown;
        unknown.start = stop.fault_page;
        unknown.bytes = 1;
        unknown.is_store = stop.fault_access == Access::Write;
        syndrome = data_abort(fault_, is_bus_error_, instruction.value_or(unknown), stop.fault_page, is_el0 || goes_to_el2);
    }
    return goes_to_el2 ? to_el2(syndrome) : to_el1(syndrome);
}

/// The instruction at the pc, which is executing and so was translated.
std::optional<u32> ArmCpu::fetch_executing() {
    const Gva at = pc();
    const std::byte* page = code_page(at);
    if (page == nullptr) return std::nullopt;
    u32 word = 0;
    std::memcpy(&word, page + align_down(at.page_offset(), 4), sizeof word);
    return word;
}

bool ArmCpu::to_el2(const Syndrome& syndrome) {
    el2_.ESR_EL2 = syndrome.esr;
    if (syndrome.far) el2_.FAR_EL2 = syndrome.far->value();
    if (syndrome.ipa) el2_.HPFAR_EL2 = Hpfar::FIPA::of(syndrome.ipa->page_number());
    return false;
}

/// "AArch64.TakeException" to EL1.
bool ArmCpu::to_el1(const Syndrome& syndrome) {
    ArmEngine& uc = *engine_;
    const u64 old = uc.read(UC_ARM64_REG_PSTATE);
    uc.write(UC_ARM64_REG_ELR_EL1, uc.read(UC_ARM64_REG_PC));
    uc.write(sysreg::SPSR_EL1, old);
    watch_returns(old);
    uc.write(sysreg::ESR_EL1, syndrome.esr);
    if (syndrome.far) uc.write(sysreg::FAR_EL1, syndrome.far->value());
    uc.write(UC_ARM64_REG_PC, uc.read(sysreg::VBAR_EL1) + vector_offset(old));
    set_pstate(entry_pstate(old, uc.read(sysreg::SCTLR_EL1), has_pan));
    const u64 mark = total_retired_ + retired_;
    idle_traps_ = mark == idle_mark_ ? idle_traps_ + 1 : 0;
    idle_mark_ = mark;
    return true;
}

/// "AArch64.ExceptionReturn" where Unicorn would not notice that the state it arrives in is illegal.
bool ArmCpu::exception_return() {
    ArmEngine& uc = *engine_;
    const u64 pstate = uc.read(UC_ARM64_REG_PSTATE);
    if (Spsr::EL::get(pstate) == 0) return undefined();
    uc.write(UC_ARM64_REG_PC, uc.read(UC_ARM64_REG_ELR_EL1));
    set_pstate(returned_pstate(pstate, uc.read(sysreg::SPSR_EL1)));
    lose_monitor();
    ++retired_;
    return take_illegal_state();
}

/// "The Illegal Execution state exception": whatever comes next is not executed.
bool ArmCpu::take_illegal_state() { return !Spsr::IL::test(engine_->read(UC_ARM64_REG_PSTATE)) || to_el1(illegal_state()); }

}  // namespace ax::sim
