// From the EL2 registers that a trap leaves to the exit it asks for. Source: Arm ARM DDI 0487, "ESR_EL2".
#include "core/arch/arm64/decode.hpp"

#include "core/arch/arm64/insn.hpp"
#include "core/arch/arm64/psci.hpp"

namespace ax::arm64 {

namespace {

Decoded skip(VmExit exit) { return {exit, {.kind = CompletionKind::Skip}, std::nullopt}; }

/// The code or the translation under the trap is not there any more: whatever stands there now decides.
Decoded run_again(const Trap& trap) { return {Handled{trap.esr, trap.elr}, {}, std::nullopt}; }

bool is_aarch32(const Trap& trap) { return Spsr::nRW::test(trap.spsr); }

Decoded undefined(const Trap& trap, GuestView& guest) {
    const u64 bits = is_aarch32(trap) ? 0 : guest.fetch(Gva{trap.elr}).value_or(0);
    return {UndefinedInstruction{bits}, {}, std::nullopt};
}

Completion memory_completion(const Trap& trap, bool is_write) {
    Completion completion;
    completion.is_write = is_write;
    completion.far = Gva{trap.far};
    return completion;
}

Gpa reported_page(const Trap& trap) { return Gpa{Hpfar::FIPA::get(trap.hpfar) << page_shift}; }

/// Where an access itself faulted. "HPFAR_EL2" is not valid for its permission faults; there stage 1 is asked,
/// and tells nothing when another vCPU has changed it meanwhile.
std::optional<Gpa> faulting_gpa(const Trap& trap, Access access, GuestView& guest) {
    const u64 offset = Gva{trap.far}.page_offset();
    if (!FaultStatus::is_permission(IssData::DFSC::get(trap.esr))) return reported_page(trap) + offset;
    const std::optional<Gpa> asked = guest.translate(Gva{trap.far}, access);
    if (!asked) return std::nullopt;
    return asked->page_base() + offset;
}

/// What memory or a device behind stage 2 may answer to.
bool is_stage2_fault(u64 fsc) {
    return FaultStatus::is_translation(fsc) || FaultStatus::is_access_flag(fsc) || FaultStatus::is_permission(fsc);
}

/// The guest gets its abort at once. An address that stage 2 cannot have is one where no bus answers; what the bus
/// or the caches reported is told as it is.
Decoded abort(const Trap& trap, bool is_fetch) {
    const u64 fsc = IssData::DFSC::get(trap.esr);
    Completion completion = memory_completion(trap, !is_fetch && IssData::WnR::test(trap.esr));
    completion.kind = CompletionKind::Abort;
    completion.is_fetch = is_fetch;
    completion.has_far = !IssData::FnV::test(trap.esr);
    if (!FaultStatus::is_address_size(fsc))
        completion.fault_status = fsc;
    else if (IssData::S1PTW::test(trap.esr))
        completion.fault_status = FaultStatus::external_on_walk | FaultStatus::Level::get(fsc);
    return {Handled{trap.esr, reported_page(trap).value()}, completion, std::nullopt};
}

Decoded fault(const Completion& completion, Gpa gpa, Access access) {
    return {Stage2Fault{gpa, access}, completion, std::nullopt};
}

/// The guest's own walk met stage 2 ("S1PTW"). Only its updates of descriptors write. Which level of the walk it was,
/// hardware does not tell; the level of stage 2 stands for it.
Decoded walk_fault(const Trap& trap, Completion completion) {
    const u64 fsc = IssData::DFSC::get(trap.esr);
    completion.fault_status = FaultStatus::external_on_walk | FaultStatus::Level::get(fsc);
    const bool is_update = FaultStatus::is_permission(fsc) && completion.is_write;
    return {Stage2Fault{reported_page(trap), is_update ? Access::Write : Access::Read, true}, completion, std::nullopt};
}

Decoded decode_fetch(const Trap& trap, GuestView& guest) {
    if (!is_stage2_fault(IssFetch::IFSC::get(trap.esr))) return abort(trap, true);
    Completion completion = memory_completion(trap, false);
    completion.is_fetch = true;
    if (IssFetch::S1PTW::test(trap.esr)) return walk_fault(trap, completion);
    const std::optional<Gpa> gpa = faulting_gpa(trap, Access::Execute, guest);
    return gpa ? fault(completion, *gpa, Access::Execute) : run_again(trap);
}

Decoded first_part(const Completion& completion, GuestView& guest) {
    return {*next_part(completion, guest), completion, std::nullopt};
}

/// "Address tagging": the tag is no part of the place.
bool is_same_place(Gva a, Gva b) {
    using Untagged = Bits<55, 0>;
    return Untagged::get(a.value()) == Untagged::get(b.value());
}

/// "ISV": the syndrome says which register, how wide, how extended.
Decoded decode_syndrome(const Trap& trap, Completion completion, Gpa gpa, GuestView& guest) {
    const auto size = static_cast<u8>(1U << IssData::SAS::get(trap.esr));
    const Access access = completion.is_write ? Access::Write : Access::Read;
    if (gpa.page_offset() + size > page_size) return fault(completion, gpa, access);
    // At the first byte of a page it may be the rest of an access that began on the page before.
    if (gpa.page_offset() == 0 && size > 1) {
        const std::optional<u32> word = guest.fetch(Gva{trap.elr});
        if (!word) return run_again(trap);
        const std::optional<MemoryInsn> insn = decode_insn(*word, trap.elr, guest);
        if (insn && !is_same_place(insn->start, completion.far)) return fault(completion, gpa, access);
    }
    completion.kind = CompletionKind::Memory;
    completion.is_load = !completion.is_write;
    completion.is_signed = IssData::SSE::test(trap.esr);
    completion.is_64 = IssData::SF::test(trap.esr);
    static_cast<void>(completion.parts.push_back({gpa, false, static_cast<u8>(IssData::SRT::get(trap.esr)), 0, size}));
    return first_part(completion, guest);
}

/// The bus accesses of an instruction whose first byte is at `gpa`; false when one of them crosses a page or its page
/// has no translation.
bool add_parts(Completion& completion, const MemoryInsn& insn, Gpa gpa, GuestView& guest) {
    constexpr u8 widest = 8;
    const u8 size = insn.size > widest ? widest : insn.size;
    const Access access = insn.is_load ? Access::Read : Access::Write;
    u64 distance = 0;
    for (const u8 reg : insn.regs) {
        for (u8 offset = 0; offset < insn.size; offset = static_cast<u8>(offset + size), distance += size) {
            const Gva va = insn.start + distance;
            if (va.page_offset() + size > page_size) return false;
            Gpa place = gpa + distance;
            if (va.page_number() != insn.start.page_number()) {
                const std::optional<Gpa> other = guest.translate(va, access);
                if (!other) return false;
                place = other->page_base() + va.page_offset();
            }
            static_cast<void>(completion.parts.push_back({place, insn.is_vector, reg, offset, size}));
        }
    }
    return true;
}

/// Without a syndrome the instruction itself tells.
Decoded decode_instruction(const Trap& trap, const Completion& unanswered, Gpa gpa, GuestView& guest) {
    const Access access = unanswered.is_write ? Access::Write : Access::Read;
    const std::optional<u32> word = guest.fetch(Gva{trap.elr});
    if (!word || !may_access_memory(*word)) return run_again(trap);
    const std::optional<MemoryInsn> insn = decode_insn(*word, trap.elr, guest);
    // Exclusives, atomics, structures, DC ZVA: no device completes them.
    if (!insn) return fault(unanswered, gpa, access);
    if (insn->is_load == unanswered.is_write) return run_again(trap);
    // Not the first byte: what the access began with is memory.
    if (!is_same_place(insn->start, unanswered.far)) return fault(unanswered, gpa, access);
    Completion completion = unanswered;
    completion.kind = CompletionKind::Memory;
    completion.is_load = insn->is_load;
    completion.is_signed = insn->is_signed;
    completion.is_64 = insn->is_64;
    completion.base = insn->base;
    completion.base_value = insn->base_value;
    if (!add_parts(completion, *insn, gpa, guest)) return fault(unanswered, gpa, access);
    return first_part(completion, guest);
}

Decoded decode_data(const Trap& trap, GuestView& guest) {
    const bool is_write = IssData::WnR::test(trap.esr);
    // Cache maintenance: where nothing is mapped, or only to be read, no line is dirty and nothing is to be done.
    if (IssData::CM::test(trap.esr)) return skip(Handled{trap.esr, reported_page(trap).value()});
    if (!is_stage2_fault(IssData::DFSC::get(trap.esr))) return abort(trap, false);
    const Completion completion = memory_completion(trap, is_write);
    if (IssData::S1PTW::test(trap.esr)) return walk_fault(trap, completion);
    const Access access = is_write ? Access::Write : Access::Read;
    const std::optional<Gpa> gpa = faulting_gpa(trap, access, guest);
    if (!gpa) return run_again(trap);
    // The guest is told that it has no AArch32; its memory works all the same, devices do not.
    if (is_aarch32(trap)) return fault(completion, *gpa, access);
    if (IssData::ISV::test(trap.esr)) return decode_syndrome(trap, completion, *gpa, guest);
    return decode_instruction(trap, completion, *gpa, guest);
}

/// WFIT ends by itself, so it must not sleep until an interrupt comes.
Decoded decode_wait(u64 esr) { return IssWait::TI::get(esr) == IssWait::wfi ? skip(WaitForInterrupt{}) : skip(SpinHint{}); }

/// ICC_SGI1R_EL1 and its kin: an interrupt to other CPUs. Affinities as MPIDR packs them.
Decoded decode_sgi(SysReg reg, u64 value) {
    constexpr u64 per_range = 16;
    SendIpi ipi;
    ipi.number = static_cast<u32>(IccSgir::INTID::get(value));
    // ASGI1R asks for Group 1 of the other Security state, which without one is Group 0.
    ipi.is_group1 = reg == sysreg::ICC_SGI1R_EL1;
    ipi.all_but_self = IccSgir::IRM::test(value);
    if (!ipi.all_but_self) {
        ipi.targets.base = Mpidr::Aff3::of(IccSgir::Aff3::get(value)) | Mpidr::Aff2::of(IccSgir::Aff2::get(value)) |
                           Mpidr::Aff1::of(IccSgir::Aff1::get(value)) | IccSgir::RS::get(value) * per_range;
        ipi.targets.mask = IccSgir::TargetList::get(value);
    }
    return skip(ipi);
}

Decoded decode_system(const Trap& trap, GuestView& guest) {
    const SysregAccess access{IssSys::reg(trap.esr), IssSys::Direction::test(trap.esr),
                              static_cast<u8>(IssSys::Rt::get(trap.esr))};
    const bool is_sgi =
        access.reg == sysreg::ICC_SGI1R_EL1 || access.reg == sysreg::ICC_ASGI1R_EL1 || access.reg == sysreg::ICC_SGI0R_EL1;
    if (is_sgi && !access.is_read) return decode_sgi(access.reg, guest.gpr(access.rt));
    // Those can only be written.
    if (is_sgi) return {UndefinedInstruction{access.encoding()}, {}, std::nullopt};
    Completion completion;
    completion.kind = access.is_read ? CompletionKind::Register : CompletionKind::Skip;
    completion.rt = access.rt;
    return {Handled{access.reg.packed(), 0}, completion, access};
}

Decoded decode_class(const Trap& trap, GuestView& guest) {
    switch (static_cast<ExceptionClass>(Esr::EC::get(trap.esr))) {
        case ExceptionClass::WaitFor: return decode_wait(trap.esr);
        case ExceptionClass::Hvc: return decode_call(guest, {.is_hvc = true, .immediate = IssCall::imm16::get(trap.esr)});
        case ExceptionClass::Smc: return decode_call(guest, {.is_hvc = false, .immediate = IssCall::imm16::get(trap.esr)});
        case ExceptionClass::SystemRegister: return decode_system(trap, guest);
        case ExceptionClass::InstructionAbortLower: return decode_fetch(trap, guest);
        case ExceptionClass::DataAbortLower: return decode_data(trap, guest);
        case ExceptionClass::Unknown:
        case ExceptionClass::FpAccess:
        case ExceptionClass::PointerAuthentication:
        case ExceptionClass::Sve:
        case ExceptionClass::Cp15:
        case ExceptionClass::Cp15Pair:
        case ExceptionClass::Cp14:
        case ExceptionClass::Cp14LoadStore:
        case ExceptionClass::Cp10:
        case ExceptionClass::Cp14Pair: return undefined(trap, guest);
        case ExceptionClass::BranchTarget:
        case ExceptionClass::IllegalState:
        case ExceptionClass::Svc:
        case ExceptionClass::InstructionAbortSame:
        case ExceptionClass::PcAlignment:
        case ExceptionClass::DataAbortSame:
        case ExceptionClass::SpAlignment:
        case ExceptionClass::FpException:
        case ExceptionClass::SError:
        case ExceptionClass::BreakpointLower:
        case ExceptionClass::BreakpointSame:
        case ExceptionClass::SoftwareStepLower:
        case ExceptionClass::SoftwareStepSame:
        case ExceptionClass::WatchpointLower:
        case ExceptionClass::WatchpointSame:
        case ExceptionClass::Brk: break;
    }
    return {Unhandled{trap.esr, trap.far}, {}, std::nullopt};
}

}  // namespace

Decoded decode(const Trap& trap, GuestView& guest) {
    Decoded decoded = decode_class(trap, guest);
    // T32 has instructions of 16 bits; "ESR_EL2, IL" tells them.
    constexpr u8 a64_length = 4, t16_length = 2;
    if (is_aarch32(trap) && !Esr::IL::test(trap.esr) && decoded.completion.length == a64_length)
        decoded.completion.length = t16_length;
    return decoded;
}

u64 stored_value(const Part& part, GuestView& guest) {
    constexpr unsigned half = 8;
    if (!part.is_vector) return zero_extend(guest.gpr(part.reg), part.size);
    return zero_extend(guest.vector(part.reg)[part.offset / half], part.size);
}

std::optional<VmExit> next_part(const Completion& completion, GuestView& guest) {
    if (completion.kind != CompletionKind::Memory || completion.next >= completion.parts.size()) return std::nullopt;
    const Part& part = completion.parts[completion.next];
    if (completion.is_load) return MmioRead{part.gpa, part.size};
    return MmioWrite{part.gpa, part.size, stored_value(part, guest)};
}

}  // namespace ax::arm64
