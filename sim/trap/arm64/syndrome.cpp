#include "sim/trap/arm64/syndrome.hpp"

namespace ax::sim::arm64 {

using namespace ax::arm64;

namespace {

u64 esr(ExceptionClass ec, u64 iss) { return Esr::EC::of(index(ec)) | Esr::IL::of(1) | Esr::ISS::of(iss); }

/// AArch64 at EL1 or EL0, in a mode that is not reserved.
bool is_reachable(u64 spsr) {
    const u64 mode = Spsr::M::get(spsr);
    return !Spsr::nRW::test(spsr) && (mode == Spsr::el0t || mode == Spsr::el1t || mode == Spsr::el1h);
}

/// "Synchronous External abort, not on translation table walk".
constexpr u64 bus_error = 0x10;

u64 status(const VmsaFault& fault, bool is_bus_error) { return is_bus_error ? bus_error : fault_status(fault); }

std::optional<Gpa> faulting_ipa(const VmsaFault& fault) { return fault.stage == 2 ? std::optional(fault.ipa) : std::nullopt; }

}  // namespace

std::optional<SystemInstruction> decode_system(u32 word) {
    // 1101 0101 00 L op0 op1 CRn CRm op2 Rt, with op0 0 for hints, barriers and MSR (immediate).
    using IsRead = Bits<21>;
    using Encoding = Bits<20, 5>;
    if ((word & 0xffc0'0000) != 0xd500'0000 || Bits<20, 19>::get(word) == 0) return std::nullopt;
    return SystemInstruction{SysReg::unpacked(Encoding::get(word)), IsRead::test(word), static_cast<unsigned>(Bits<4, 0>::get(word))};
}

Syndrome undefined_instruction() { return {esr(ExceptionClass::Unknown, 0), std::nullopt, std::nullopt}; }

Syndrome call(ExceptionClass ec, u32 imm16) { return {esr(ec, IssCall::imm16::of(imm16)), std::nullopt, std::nullopt}; }

Syndrome wait(bool is_wfe) {
    constexpr u64 condition_always = Bits<24>::of(1) | Bits<23, 20>::of(0xe);
    return {esr(ExceptionClass::WaitFor, condition_always | IssWait::TI::of(is_wfe ? IssWait::wfe : IssWait::wfi)), std::nullopt, std::nullopt};
}

Syndrome floating_point() {
    constexpr u64 condition_always = Bits<24>::of(1) | Bits<23, 20>::of(0xe);
    return {esr(ExceptionClass::FpAccess, condition_always), std::nullopt, std::nullopt};
}

Syndrome illegal_state() { return {esr(ExceptionClass::IllegalState, 0), std::nullopt, std::nullopt}; }

Syndrome pc_alignment(Gva pc) { return {esr(ExceptionClass::PcAlignment, 0), pc, std::nullopt}; }

Syndrome system_access(const SystemInstruction& i) {
    return {esr(ExceptionClass::SystemRegister, IssSys::of(i.reg, i.rt, i.is_read)), std::nullopt, std::nullopt};
}

Syndrome daif_access(u32 word) {
    return system_access({SysReg::unpacked(Bits<20, 5>::get(word)), false, static_cast<unsigned>(Bits<4, 0>::get(word))});
}

Syndrome instruction_abort(const VmsaFault& fault, bool is_bus_error, Gva pc, bool from_lower) {
    const auto ec = from_lower ? ExceptionClass::InstructionAbortLower : ExceptionClass::InstructionAbortSame;
    return {esr(ec, IssFetch::IFSC::of(status(fault, is_bus_error)) | IssFetch::S1PTW::of(fault.s1ptw)), pc, faulting_ipa(fault)};
}

Syndrome data_abort(const VmsaFault& fault, bool is_bus_error, const MemoryInstruction& i, Gva page, bool from_lower) {
    const auto ec = from_lower ? ExceptionClass::DataAbortLower : ExceptionClass::DataAbortSame;
    u64 iss = IssData::DFSC::of(status(fault, is_bus_error)) | IssData::S1PTW::of(fault.s1ptw) | IssData::WnR::of(i.is_store) |
              IssData::CM::of(i.is_cache_maintenance);
    // "ISV is 0 for all faults reported in ESR_EL1, and for stage 2 faults on a stage 1 translation table walk".
    if (i.has_syndrome && fault.stage == 2 && !fault.s1ptw)
        iss |= IssData::ISV::of(1) | IssData::SAS::of(i.size_log2) | IssData::SSE::of(i.sign_extends) | IssData::SRT::of(i.rt) |
               IssData::SF::of(i.is_64) | IssData::AR::of(i.is_ordered);
    // What lies on a later page than the start is reported at that page's first byte.
    const Gva far = i.start.page_number() == page.page_number() ? i.start : page.page_base();
    Syndrome result{esr(ec, iss), far, faulting_ipa(fault)};
    return result;
}

u64 vector_offset(u64 pstate) {
    if (Spsr::EL::get(pstate) == 0) return VectorOffset::lower_aarch64;
    return Spsr::SP::test(pstate) ? VectorOffset::current_spx : VectorOffset::current_sp0;
}

u64 entry_pstate(u64 pstate, u64 sctlr, bool has_pan) {
    u64 entered = Spsr::masked | Spsr::el1h | (pstate & (Spsr::N::mask | Spsr::Z::mask | Spsr::C::mask | Spsr::V::mask | Spsr::PAN::mask));
    if (has_pan && !Sctlr::SPAN::test(sctlr)) entered |= Spsr::PAN::mask;
    return entered;
}

bool is_plain_return(u64 spsr) { return is_reachable(spsr) && !Spsr::IL::test(spsr); }

u64 returned_pstate(u64 pstate, u64 spsr) {
    constexpr u64 always = Spsr::N::mask | Spsr::Z::mask | Spsr::C::mask | Spsr::V::mask | Spsr::masked;
    constexpr u64 level = Spsr::M::mask | Spsr::nRW::mask;
    if (is_reachable(spsr)) return spsr & (always | level | Spsr::IL::mask);
    return (spsr & always) | (pstate & level) | Spsr::IL::mask;
}

}  // namespace ax::sim::arm64
