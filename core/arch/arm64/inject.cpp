#include "core/arch/arm64/inject.hpp"

namespace ax::arm64 {

namespace {

/// Aborts have one class from a lower level and one from the same; others have one.
u64 with_level(u64 esr, bool is_from_el0) {
    const u64 ec = Esr::EC::get(esr);
    const bool is_abort = ec == index(ExceptionClass::InstructionAbortLower) || ec == index(ExceptionClass::DataAbortLower);
    return is_abort && !is_from_el0 ? Esr::EC::set(esr, ec + 1) : esr;
}

}  // namespace

El1State take_exception(El1State state, const GuestException& exception) {
    const bool is_from_el0 = Spsr::EL::get(state.pstate) == 0;
    const u64 offset = is_from_el0                       ? VectorOffset::lower_aarch64
                       : Spsr::SP::test(state.pstate) ? VectorOffset::current_spx
                                                         : VectorOffset::current_sp0;
    state.ELR_EL1 = state.pc;
    state.SPSR_EL1 = state.pstate;
    state.ESR_EL1 = with_level(exception.esr, is_from_el0);
    if (exception.far) state.FAR_EL1 = exception.far->value();
    state.pc = (state.VBAR_EL1 & VectorOffset::Base::mask) + offset + VectorOffset::synchronous;
    // D, A, I, F masked, SS and IL clear; the condition flags and PAN stay, unless SPAN says otherwise.
    constexpr u64 kept = Spsr::N::mask | Spsr::Z::mask | Spsr::C::mask | Spsr::V::mask | Spsr::PAN::mask | Spsr::DIT::mask;
    state.pstate = (state.pstate & kept) | Spsr::masked | Spsr::el1h;
    if (state.has_pan && !Sctlr::SPAN::test(state.SCTLR_EL1)) state.pstate |= Spsr::PAN::mask;
    return state;
}

}  // namespace ax::arm64
