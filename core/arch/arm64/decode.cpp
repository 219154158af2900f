#include "core/arch/arm64/decode.hpp"

#include "core/arch/arm64/id_regs.hpp"
#include "core/arch/arm64/insn.hpp"
#include "core/arch/arm64/psci.hpp"

namespace ax::arm64 {

namespace {

Decoded skip(VmExit exit) { return {exit, {.kind = CompletionKind::Skip}, std::nullopt}; }

Completion memory_completion(const Trap& trap, bool is_write) {
    Completion completion;
    completion.is_write = is_write;
    completion.far = Gva{trap.far};
    return completion;
}

/// "HPFAR_EL2": valid but for permission faults of the access itself, where stage 1 must be asked.
Gpa faulting_gpa(const Trap& trap, Access access, GuestView& guest) {
    const u64 iss = Esr::ISS::get(trap.esr);
    const Gpa reported{Hpfar::FIPA::get(trap.hpfar) << page_shift};
    if (FaultStatus::is_permission(IssData::DFSC::get(iss)) && !IssData::S1PTW::test(iss))
        if (const auto asked = guest.translate(Gva{trap.far}, access)) return asked->page_base() + (trap.far & (page_size - 1));
    return IssData::S1PTW::test(iss) ? reported : reported + (trap.far & (page_size - 1));
}

bool is_stage2_fault(u64 fsc) {
    return FaultStatus::is_translation(fsc) || FaultStatus::is_access_flag(fsc) || FaultStatus::is_permission(fsc);
}

/// The guest gets an external abort at once: the bus, or an address that stage 2 cannot have.
Decoded abort(const Trap& trap, bool is_fetch, bool is_write) {
    Completion completion = memory_completion(trap, is_write);
    completion.kind = CompletionKind::Abort;
    completion.is_fetch = is_fetch;
    return {Handled{trap.esr, 0}, completion, std::nullopt};
}

/// A fault that may be the first touch of memory, and otherwise ends in an external abort.
Decoded fault(const Trap& trap, Completion completion, Gpa gpa, Access access) {
    const u64 iss = Esr::ISS::get(trap.esr);
    const bool by_walk = IssData::S1PTW::test(iss);
    if (by_walk) completion.fault_status = FaultStatus::external_on_walk | FaultStatus::Level::get(IssData::DFSC::get(iss));
    return {Stage2Fault{gpa, by_walk ? Access::Read : access, by_walk}, completion, std::nullopt};
}

Decoded decode_fetch(const Trap& trap, GuestView& guest) {
    if (!is_stage2_fault(IssFetch::IFSC::get(Esr::ISS::get(trap.esr)))) return abort(trap, true, false);
    Completion completion = memory_completion(trap, false);
    completion.is_fetch = true;
    return fault(trap, completion, faulting_gpa(trap, Access::Execute, guest), Access::Execute);
}

void add_part(Completion& completion, const Part& part) { static_cast<void>(completion.parts.push_back(part)); }

Decoded first_part(const Completion& completion, GuestView& guest) { return {*next_part(completion, guest), completion, std::nullopt}; }

/// "ISV": the syndrome says which register, how wide, how extended.
Decoded decode_syndrome(const Trap& trap, Completion completion, Gpa gpa, GuestView& guest) {
    const u64 iss = Esr::ISS::get(trap.esr);
    completion.kind = CompletionKind::Memory;
    completion.is_load = !IssData::WnR::test(iss);
    completion.is_signed = IssData::SSE::test(iss);
    completion.is_64 = IssData::SF::test(iss);
    const auto size = static_cast<u8>(1U << IssData::SAS::get(iss));
    const u64 offset = gpa.page_offset();
    // The part on the next page is another place altogether.
    if (offset + size > page_size) return fault(trap, memory_completion(trap, !completion.is_load), gpa, completion.is_load ? Access::Read : Access::Write);
    add_part(completion, {gpa, false, static_cast<u8>(IssData::SRT::get(iss)), 0, size});
    return first_part(completion, guest);
}

/// Without a syndrome the instruction itself tells.
Decoded decode_instruction(const Trap& trap, Completion completion, Gpa gpa, GuestView& guest) {
    const auto word = guest.fetch(Gva{trap.elr});
    if (!word) return {Handled{trap.esr, 0}, {}, std::nullopt};  // it went away under its own feet: run again
    const Access access = completion.is_write ? Access::Write : Access::Read;
    const auto insn = decode_insn(*word, trap.elr, guest);
    // Another page than the first, or nothing that a device takes: memory is filled in or the guest gets its abort.
    if (!insn || insn->start != Gva{trap.far}) return fault(trap, completion, gpa, access);
    completion.kind = CompletionKind::Memory;
    completion.is_load = insn->is_load;
    completion.is_signed = insn->is_signed;
    completion.is_64 = insn->is_64;
    completion.base = insn->base;
    completion.base_value = insn->base_value;
    const u8 chunk = insn->size > 8 ? 8 : insn->size;
    u64 at = 0;
    for (const u8 reg : insn->regs) {
        for (u8 offset = 0; offset < insn->size; offset = static_cast<u8>(offset + chunk), at += chunk) {
            const Gva va = insn->start + at;
            Gpa place = gpa + at;
            if (va.page_offset() + chunk > page_size) return fault(trap, memory_completion(trap, completion.is_write), gpa, access);
            if (va.page_number() != insn->start.page_number()) {
                const auto other = guest.translate(va, access);
                if (!other) return fault(trap, memory_completion(trap, completion.is_write), gpa, access);
                place = other->page_base() + va.page_offset();
            }
            add_part(completion, {place, insn->is_vector, reg, offset, chunk});
        }
    }
    return first_part(completion, guest);
}

Decoded decode_data(const Trap& trap, GuestView& guest) {
    const u64 iss = Esr::ISS::get(trap.esr);
    const bool is_write = IssData::WnR::test(iss);
    const Access access = is_write ? Access::Write : Access::Read;
    // Maintenance of what no cache holds is done.
    if (IssData::CM::test(iss)) return skip(Handled{trap.esr, 0});
    if (!is_stage2_fault(IssData::DFSC::get(iss))) return abort(trap, false, is_write);
    const Completion completion = memory_completion(trap, is_write);
    const Gpa gpa = faulting_gpa(trap, access, guest);
    if (IssData::S1PTW::test(iss)) return fault(trap, completion, gpa, access);
    if (IssData::ISV::test(iss)) return decode_syndrome(trap, completion, gpa, guest);
    return decode_instruction(trap, completion, gpa, guest);
}

/// ICC_SGI1R_EL1 and its kin: an interrupt to other CPUs.
Decoded decode_sgi(SysReg reg, u64 value) {
    SendIpi ipi;
    ipi.number = static_cast<u32>(IccSgir::INTID::get(value));
    ipi.is_group1 = reg == sysreg::ICC_SGI1R_EL1;
    ipi.all_but_self = IccSgir::IRM::test(value);
    constexpr u64 per_range = 16;
    ipi.targets.base = Mpidr::Aff3::of(IccSgir::Aff3::get(value)) | Mpidr::Aff2::of(IccSgir::Aff2::get(value)) |
                       Mpidr::Aff1::of(IccSgir::Aff1::get(value)) | IccSgir::RS::get(value) * per_range;
    ipi.targets.mask = IccSgir::TargetList::get(value);
    return skip(ipi);
}

Decoded decode_system(const Trap& trap, GuestView& guest) {
    const u64 iss = Esr::ISS::get(trap.esr);
    const SysReg reg = IssSys::reg(iss);
    const bool is_read = IssSys::Direction::test(iss);
    const auto rt = static_cast<u8>(IssSys::Rt::get(iss));
    const bool is_sgi = reg == sysreg::ICC_SGI1R_EL1 || reg == sysreg::ICC_ASGI1R_EL1 || reg == sysreg::ICC_SGI0R_EL1;
    if (is_sgi && !is_read) return decode_sgi(reg, guest.gpr(rt));
    Completion completion;
    completion.rt = rt;
    if (is_read) completion.kind = CompletionKind::Register;
    if (!is_read) completion.kind = CompletionKind::Skip;
    return {Handled{reg.packed(), 0}, completion, SysregAccess{reg, is_read, rt}};
}

}  // namespace

Decoded decode(const Trap& trap, GuestView& guest) {
    const u64 iss = Esr::ISS::get(trap.esr);
    switch (Esr::EC::get(trap.esr)) {
        case index(ExceptionClass::WaitFor):
            if (IssWait::TI::get(iss) == IssWait::wfi || IssWait::TI::get(iss) == IssWait::wfit) return skip(WaitForInterrupt{});
            return skip(SpinHint{});
        case index(ExceptionClass::Hvc): return decode_call(guest, {.is_hvc = true, .immediate = IssCall::imm16::get(iss)});
        case index(ExceptionClass::Smc): return decode_call(guest, {.is_hvc = false, .immediate = IssCall::imm16::get(iss)});
        case index(ExceptionClass::SystemRegister): return decode_system(trap, guest);
        case index(ExceptionClass::InstructionAbortLower): return decode_fetch(trap, guest);
        case index(ExceptionClass::DataAbortLower): return decode_data(trap, guest);
        case index(ExceptionClass::Unknown):
        case index(ExceptionClass::FpAccess):
        case index(ExceptionClass::Sve): return {UndefinedInstruction{trap.esr}, {}, std::nullopt};
        default: return {Unhandled{trap.esr, trap.far}, {}, std::nullopt};
    }
}

u64 stored_value(const Part& part, GuestView& guest) {
    if (!part.is_vector) return zero_extend(guest.gpr(part.reg), part.size);
    const auto value = guest.vector(part.reg);
    return zero_extend(value[part.offset / 8], part.size);
}

std::optional<VmExit> next_part(const Completion& completion, GuestView& guest) {
    if (completion.kind != CompletionKind::Memory || completion.next >= completion.parts.size()) return std::nullopt;
    const Part& part = completion.parts[completion.next];
    if (completion.is_load) return MmioRead{part.gpa, part.size};
    return MmioWrite{part.gpa, part.size, stored_value(part, guest)};
}

}  // namespace ax::arm64
