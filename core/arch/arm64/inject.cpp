// Exception entry of EL1.
#include "core/arch/arm64/inject.hpp"

namespace ax::arm64 {

namespace {

/// AArch32 has no levels above EL0 here, so its mode does not matter.
bool is_from_el0(u64 pstate) { return Spsr::nRW::test(pstate) || Spsr::EL::get(pstate) == 0; }

u64 vector_of(u64 pstate) {
    if (Spsr::nRW::test(pstate)) return VectorOffset::lower_aarch32;
    if (is_from_el0(pstate)) return VectorOffset::lower_aarch64;
    return Spsr::SP::test(pstate) ? VectorOffset::current_spx : VectorOffset::current_sp0;
}

/// Aborts have one class from a lower level and one from the same; others have one.
u64 with_level(u64 esr, bool is_lower) {
    const u64 ec = Esr::EC::get(esr);
    const bool is_abort = ec == index(ExceptionClass::InstructionAbortLower) || ec == index(ExceptionClass::DataAbortLower);
    return is_abort && !is_lower ? Esr::EC::set(esr, ec + 1) : esr;
}

}  // namespace

El1State take_exception(El1State state, const GuestException& exception) {
    const u64 pstate = state.pstate;
    state.ELR_EL1 = state.pc;
    state.SPSR_EL1 = pstate;
    state.ESR_EL1 = with_level(exception.esr, is_from_el0(pstate));
    if (exception.far) state.FAR_EL1 = exception.far->value();
    state.pc = (state.VBAR_EL1 & VectorOffset::Base::mask) + vector_of(pstate) + VectorOffset::synchronous;
    // The flags stay, and PAN unless SPAN says otherwise; SS, IL, UAO and BTYPE end here.
    constexpr u64 kept = Spsr::N::mask | Spsr::Z::mask | Spsr::C::mask | Spsr::V::mask | Spsr::PAN::mask | Spsr::DIT::mask;
    state.pstate = (pstate & kept) | Spsr::masked | Spsr::el1h;
    if (state.has_pan && !Sctlr::SPAN::test(state.SCTLR_EL1)) state.pstate |= Spsr::PAN::mask;
    return state;
}

}  // namespace ax::arm64
