// VM exits by reason. Source: Intel SDM vol. 3, "VM Exits" and "VMX Basic Exit Reasons".
#include "core/arch/x86/decode.hpp"

#include "core/arch/x86/cr_access.hpp"
#include "core/arch/x86/cr_values.hpp"
#include "core/arch/x86/guest.hpp"
#include "core/arch/x86/inject.hpp"
#include "core/arch/x86/transfer.hpp"

namespace ax::x86 {

namespace {

constexpr GuestException undefined = {Vector::UD, std::nullopt, std::nullopt};
constexpr GuestException protection = {Vector::GP, 0, std::nullopt};

u16 basic_reason(const Guest& g) { return static_cast<u16>(ExitReasonWord::Basic::get(g.vmcs.EXIT_REASON)); }

Completion completion_of(CompletionKind kind, const Guest& g) {
    Completion c;
    c.kind = kind;
    c.length = static_cast<u8>(g.vmcs.VM_EXIT_INSTRUCTION_LENGTH);
    return c;
}

Decoded handled(const Guest& g, u64 detail, CompletionKind kind = CompletionKind::None) {
    return {{Handled{basic_reason(g), detail}, std::nullopt}, completion_of(kind, g)};
}

Decoded requested(const Guest& g, u64 detail, const Request& request, const Completion& c) {
    return {{Handled{basic_reason(g), detail}, request}, c};
}

Decoded plain(const VmExit& exit, const Completion& c = {}) { return {{exit, std::nullopt}, c}; }

/// The exception is injected already.
Decoded injected(const Guest& g, Injection injection, u64 detail) {
    if (injection == Injection::TripleFault) return requested(g, detail, TripleFault{}, {});
    return handled(g, detail);
}

Decoded raise(Guest& g, const GuestException& e) { return injected(g, inject_exception(g, e), index(e.vector)); }

Decoded decode_exception(Guest& g) {
    const u64 info = g.vmcs.VM_EXIT_INTERRUPTION_INFO;
    const auto vector = static_cast<Vector>(EventWord::VectorNumber::get(info));
    // The machine's own NMI and machine check are not the guest's.
    if (EventWord::Type::get(info) == index(EventType::Nmi) || vector == Vector::MC)
        return plain(HostInterrupt{HostInterruptKind::External});
    return injected(g, reflect_exception(g), info);
}

Decoded decode_msr(Guest& g, bool is_read) {
    const u32 number = static_cast<u32>(g.regs.gprs[Gpr::RCX]);
    Completion c = completion_of(CompletionKind::Msr, g);
    c.is_read = is_read;
    if (is_read) return requested(g, number, MsrRead{number}, c);
    using Low = Bits<31, 0>;
    using High = Bits<63, 32>;
    const u64 value = Low::get(g.regs.gprs[Gpr::RAX]) | High::of(Low::get(g.regs.gprs[Gpr::RDX]));
    return requested(g, number, MsrWrite{number, value}, c);
}

Decoded finish_cr(Guest& g, const std::optional<GuestException>& fault) {
    if (fault) return raise(g, *fault);
    return handled(g, g.vmcs.EXIT_QUALIFICATION, CompletionKind::Skip);
}

/// MOV to CR0, CR4 with host-owned bits, CR8; CR3 does not exit, but a CPU may have it fixed that it does.
Decoded decode_cr_write(Guest& g, u64 number, Gpr reg) {
    using Priority = Bits<3, 0>;
    constexpr unsigned legacy_bytes = 4;
    const u64 value = zero_extend(read_gpr(g, reg), code_size(g.vmcs) == CodeSize::Code64 ? 8 : legacy_bytes);
    switch (number) {
        case 0: return finish_cr(g, write_cr0(g, value));
        case 3: g.vmcs.GUEST_CR3 = value; return finish_cr(g, load_pdptes(g));
        case 4: return finish_cr(g, write_cr4(g, value, owned_cr4(g.vmcs)));
        case 8:
            if ((value & ~Priority::mask) != 0) return raise(g, protection);
            return requested(g, g.vmcs.EXIT_QUALIFICATION, TaskPriorityWrite{static_cast<u8>(value)},
                             completion_of(CompletionKind::TaskPriority, g));
        default: return plain(Unhandled{g.vmcs.EXIT_REASON, g.vmcs.EXIT_QUALIFICATION});
    }
}

Decoded decode_cr_read(Guest& g, u64 number, Gpr reg) {
    if (number == 3) {
        write_gpr(g, reg, g.vmcs.GUEST_CR3);
        return finish_cr(g, std::nullopt);
    }
    if (number != 8) return plain(Unhandled{g.vmcs.EXIT_REASON, g.vmcs.EXIT_QUALIFICATION});
    Completion c = completion_of(CompletionKind::TaskPriority, g);
    c.is_read = true;
    c.reg = reg;
    return requested(g, g.vmcs.EXIT_QUALIFICATION, TaskPriorityRead{}, c);
}

Decoded decode_cr_access(Guest& g) {
    using Q = CrAccessQualification;
    // LMSW loads PE, MP, EM, TS, and never clears PE.
    using MachineStatus = Bits<3, 0>;
    const u64 q = g.vmcs.EXIT_QUALIFICATION;
    const u64 cr0 = guest_cr0(g.vmcs);
    const auto reg = static_cast<Gpr>(Q::Register::get(q));
    switch (static_cast<CrAccessType>(Q::Type::get(q))) {
        case CrAccessType::MovToCr: return decode_cr_write(g, Q::Number::get(q), reg);
        case CrAccessType::MovFromCr: return decode_cr_read(g, Q::Number::get(q), reg);
        case CrAccessType::Clts: return finish_cr(g, write_cr0(g, Cr0::TS::set(cr0, 0)));
        case CrAccessType::Lmsw:
            return finish_cr(
                g, write_cr0(g, MachineStatus::set(cr0, MachineStatus::get(Q::LmswSource::get(q)) | Cr0::PE::get(cr0))));
    }
    return plain(Unhandled{g.vmcs.EXIT_REASON, q});
}

Decoded decode_window(Guest& g, bool is_nmi) {
    is_nmi ? set_nmi_window(g.vmcs, false) : set_interrupt_window(g.vmcs, false);
    return requested(g, 0, WindowOpened{is_nmi}, {});
}

Decoded decode_hypercall(Guest& g) {
    if (privilege(g.vmcs) != 0) return raise(g, undefined);
    const Gprs& r = g.regs.gprs;
    // AxVisor's convention on x86_64.
    const Hypercall call{r[Gpr::RAX], {r[Gpr::RDI], r[Gpr::RSI], r[Gpr::RDX], r[Gpr::RCX], r[Gpr::R8], r[Gpr::R9]}};
    return plain(call, completion_of(CompletionKind::Hypercall, g));
}

Access access_of(u64 qualification) {
    using Q = EptViolationQualification;
    if (Q::Fetch::test(qualification)) return Access::Execute;
    return Q::Write::test(qualification) ? Access::Write : Access::Read;
}

/// A walk that reads ones finds a reserved bit; code that is all ones is undefined; a stack that nothing backs is a fault
/// during delivery, which ends in a double fault.
GuestException fault_of(const Guest& g, bool by_walk) {
    using P = PageFaultCode;
    if (by_walk) {
        const u64 code = P::P::of(1) | P::RSVD::of(1) | P::U::of(privilege(g.vmcs) == 3);
        return {Vector::PF, static_cast<u32>(code), g.vmcs.GUEST_LINEAR_ADDRESS};
    }
    if (has_event(g.vmcs)) return protection;
    return undefined;
}

Decoded decode_ept_violation(Guest& g) {
    using Q = EptViolationQualification;
    const u64 q = g.vmcs.EXIT_QUALIFICATION;
    const Gpa gpa{g.vmcs.GUEST_PHYSICAL_ADDRESS};
    const bool by_walk = !Q::LinearValid::test(q) || !Q::Translated::test(q);
    const Access access = access_of(q);
    Completion c;
    c.kind = CompletionKind::Fault;
    c.fault = fault_of(g, by_walk);
    if (!Q::LinearValid::test(q)) c.fault = protection;  // MOV to CR3 with PAE paging
    const Decoded refused = plain(Stage2Fault{gpa, access, by_walk}, c);
    if (by_walk || access == Access::Execute || has_event(g.vmcs)) return refused;

    const auto insn = fetch_insn(g);
    if (!insn) return insn.error() == InsnError::Truncated ? handled(g, q) : refused;
    Decoded decoded;
    auto question = begin_memory(decoded.completion, *insn, g);
    if (!question) return handled(g, q);
    decoded.question = *question;
    return decoded;
}

Decoded decode_port(Guest& g) {
    Decoded decoded;
    auto question = begin_port(decoded.completion, g);
    // A string of no elements: the CPU may exit all the same, and would do so again.
    if (!question) return handled(g, g.vmcs.EXIT_QUALIFICATION, CompletionKind::Skip);
    decoded.question = *question;
    return decoded;
}

Decoded decode_reason(Guest& g, ExitReason reason) {
    Vmcs& v = g.vmcs;
    switch (reason) {
        case ExitReason::ExceptionOrNmi: return decode_exception(g);
        case ExitReason::ExternalInterrupt: return plain(HostInterrupt{HostInterruptKind::External});
        case ExitReason::TripleFault: return requested(g, 0, TripleFault{}, {});
        case ExitReason::StartupIpi:
            return requested(g, v.EXIT_QUALIFICATION, StartupIpi{static_cast<u8>(v.EXIT_QUALIFICATION)}, {});
        case ExitReason::InterruptWindow: return decode_window(g, false);
        case ExitReason::NmiWindow: return decode_window(g, true);
        case ExitReason::Cpuid: {
            const CpuidRead read{static_cast<u32>(g.regs.gprs[Gpr::RAX]), static_cast<u32>(g.regs.gprs[Gpr::RCX])};
            return requested(g, read.leaf, read, completion_of(CompletionKind::Cpuid, g));
        }
        case ExitReason::Hlt: return plain(WaitForInterrupt{}, completion_of(CompletionKind::Skip, g));
        case ExitReason::Pause: return plain(SpinHint{}, completion_of(CompletionKind::Skip, g));
        // Guest memory is coherent: there is nothing to write back or to throw away.
        case ExitReason::Invd:
        case ExitReason::Wbinvd: return handled(g, 0, CompletionKind::Skip);
        case ExitReason::Vmcall: return decode_hypercall(g);
        case ExitReason::Rdpmc: return raise(g, protection);  // no counter exists
        case ExitReason::Rdtsc:
        case ExitReason::Rdtscp: {
            Completion c = completion_of(CompletionKind::TimeStamp, g);
            c.has_aux = reason == ExitReason::Rdtscp;
            return requested(g, 0, TimeStampRead{}, c);
        }
        // Instructions that CPUID says are not there.
        case ExitReason::Getsec:
        case ExitReason::Vmclear:
        case ExitReason::Vmlaunch:
        case ExitReason::Vmptrld:
        case ExitReason::Vmptrst:
        case ExitReason::Vmread:
        case ExitReason::Vmresume:
        case ExitReason::Vmwrite:
        case ExitReason::Vmxoff:
        case ExitReason::Vmxon:
        case ExitReason::Invept:
        case ExitReason::Invvpid:
        case ExitReason::Vmfunc:
        case ExitReason::Mwait:
        case ExitReason::Monitor:
        case ExitReason::Xsetbv:
        case ExitReason::Rdrand:
        case ExitReason::Rdseed:
        case ExitReason::Invpcid:
        case ExitReason::Encls:
        case ExitReason::Xsaves:
        case ExitReason::Xrstors: return plain(UndefinedInstruction{}, completion_of(CompletionKind::Skip, g));
        case ExitReason::CrAccess: return decode_cr_access(g);
        case ExitReason::IoInstruction: return decode_port(g);
        case ExitReason::Rdmsr: return decode_msr(g, true);
        case ExitReason::Wrmsr: return decode_msr(g, false);
        case ExitReason::EptViolation: return decode_ept_violation(g);
        case ExitReason::PreemptionTimer: return plain(HostInterrupt{HostInterruptKind::Timer});
        case ExitReason::EntryFailureGuestState:
        case ExitReason::EntryFailureMsrLoading:
        case ExitReason::EntryFailureMachineCheck: return plain(EntryFailure{v.EXIT_REASON});
        // No control that the core sets causes these, or nothing can be done.
        case ExitReason::InitSignal:
        case ExitReason::IoSmi:
        case ExitReason::OtherSmi:
        case ExitReason::TaskSwitch:
        case ExitReason::Invlpg:
        case ExitReason::Rsm:
        case ExitReason::MovDr:
        case ExitReason::MonitorTrapFlag:
        case ExitReason::TprBelowThreshold:
        case ExitReason::ApicAccess:
        case ExitReason::VirtualizedEoi:
        case ExitReason::GdtrIdtrAccess:
        case ExitReason::LdtrTrAccess:
        case ExitReason::EptMisconfiguration:
        case ExitReason::ApicWrite:
        case ExitReason::PageModificationLogFull: break;
    }
    return plain(Unhandled{v.EXIT_REASON, v.EXIT_QUALIFICATION});
}

}  // namespace

Decoded decode(Guest& g) {
    // A failed entry has exited from nothing: "VM-Entry Failures During or After Loading Guest State".
    if (ExitReasonWord::EntryFailure::test(g.vmcs.EXIT_REASON)) return plain(EntryFailure{g.vmcs.EXIT_REASON});
    requeue_event(g.vmcs);
    return decode_reason(g, static_cast<ExitReason>(basic_reason(g)));
}

}  // namespace ax::x86
