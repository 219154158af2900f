#include "sim/trap/x86/exit.hpp"

#include "sim/trap/x86/entry_rule.hpp"

namespace ax::sim::x86 {

using namespace ax::x86;

namespace {

/// What neither entries nor exits load of CR0: "Loading Guest Control Registers, Debug Registers, and MSRs".
constexpr u64 kept_of_cr0 = Cr0::ET::mask | Cr0::NW::mask | Cr0::CD::mask;

/// An exit in place of a fault, or of an access that is tried again, resumes at the instruction: RF is what the fault
/// would have pushed. "Saving RIP, RSP, RFLAGS, and SSP".
bool sets_rf(const Exit& exit) {
    if (exit.reason == ExitReason::EptViolation || exit.reason == ExitReason::EptMisconfiguration) return !exit.delivery;
    if (exit.reason != ExitReason::ExceptionOrNmi || !exit.event || exit.event->type != EventType::HardwareException)
        return false;
    return !exit.event->is_exception(Vector::DB) && !exit.event->is_exception(Vector::DF) &&
           !exit.event->is_exception(Vector::MC);
}

/// A null selector leaves the other parts undefined; they are saved as they are.
void save_segments(Vmcs& vmcs, const CpuState& cpu) {
    vmcs.GUEST_ES = cpu.es;
    vmcs.GUEST_CS = cpu.cs;
    vmcs.GUEST_SS = cpu.ss;
    vmcs.GUEST_DS = cpu.ds;
    vmcs.GUEST_FS = cpu.fs;
    vmcs.GUEST_GS = cpu.gs;
    vmcs.GUEST_LDTR = cpu.ldtr;
    vmcs.GUEST_TR = cpu.tr;
    vmcs.GUEST_GDTR = cpu.gdtr;
    vmcs.GUEST_IDTR = cpu.idtr;
}

}  // namespace

void record(Vmcs& vmcs, const Exit& exit) {
    const auto code_of = [](const std::optional<Event>& event) { return event && event->has_error_code ? event->error_code : 0; };
    vmcs.EXIT_REASON = index(exit.reason);
    vmcs.EXIT_QUALIFICATION = exit.qualification;
    vmcs.VM_EXIT_INSTRUCTION_LENGTH = exit.instruction_length;
    vmcs.VM_EXIT_INSTRUCTION_INFO = exit.instruction_info;
    vmcs.VM_EXIT_INTERRUPTION_INFO =
        exit.event ? exit.event->word() | static_cast<u32>(EventWord::NmiUnblocking::of(exit.nmi_unblocking)) : 0;
    vmcs.VM_EXIT_INTERRUPTION_ERROR_CODE = code_of(exit.event);
    vmcs.IDT_VECTORING_INFO = exit.delivery ? exit.delivery->word() : 0;
    vmcs.IDT_VECTORING_ERROR_CODE = code_of(exit.delivery);
    vmcs.GUEST_LINEAR_ADDRESS = exit.guest_linear;
    vmcs.GUEST_PHYSICAL_ADDRESS = exit.guest_physical.value();
    vmcs.VM_ENTRY_INTERRUPTION_INFO &= ~static_cast<u32>(EventWord::Valid::mask);
}

void record_entry_failure(Vmcs& vmcs, u32 exit_reason, u64 qualification) {
    vmcs.EXIT_REASON = exit_reason;
    vmcs.EXIT_QUALIFICATION = qualification;
}

void save_guest(Vmcs& vmcs, const CpuState& cpu, const Exit& exit) {
    save_segments(vmcs, cpu);
    vmcs.GUEST_CR0 = cpu.cr0;
    vmcs.GUEST_CR3 = cpu.cr3;
    vmcs.GUEST_CR4 = cpu.cr4;
    vmcs.GUEST_RSP = cpu.rsp();
    vmcs.GUEST_RIP = cpu.rip;
    vmcs.GUEST_RFLAGS = cpu.rflags | (sets_rf(exit) ? Rflags::RF::mask : 0);
    if (ExitControls::SaveDebugControls::test(vmcs.VM_EXIT_CONTROLS)) {
        vmcs.GUEST_DR7 = cpu.dr7;
        vmcs.GUEST_IA32_DEBUGCTL = cpu.debugctl;
    }
    if (ExitControls::SavePat::test(vmcs.VM_EXIT_CONTROLS)) vmcs.GUEST_IA32_PAT = cpu.pat;
    if (ExitControls::SaveEfer::test(vmcs.VM_EXIT_CONTROLS)) vmcs.GUEST_IA32_EFER = cpu.efer;
    vmcs.GUEST_IA32_SYSENTER_CS = static_cast<u32>(cpu.sysenter_cs);
    vmcs.GUEST_IA32_SYSENTER_ESP = cpu.sysenter_esp;
    vmcs.GUEST_IA32_SYSENTER_EIP = cpu.sysenter_eip;
    vmcs.GUEST_INTERRUPTIBILITY_STATE = cpu.interruptibility;
    vmcs.GUEST_ACTIVITY_STATE = index(cpu.activity);
    vmcs.GUEST_PENDING_DEBUG_EXCEPTIONS = cpu.pending_debug;
    if (SecondaryControls::EnableEpt::test(secondary_of(vmcs)) && cpu.paging(0, {}).mode() == PagingMode::Pae)
        vmcs.GUEST_PDPTE = cpu.pdptes;
    if (is_unrestricted(vmcs))
        vmcs.VM_ENTRY_CONTROLS = static_cast<u32>(EntryControls::Ia32eModeGuest::set(vmcs.VM_ENTRY_CONTROLS, cpu.is_long()));
}

void load_guest(CpuState& cpu, const Vmcs& vmcs) {
    cpu.es = vmcs.GUEST_ES;
    cpu.cs = vmcs.GUEST_CS;
    cpu.ss = vmcs.GUEST_SS;
    cpu.ds = vmcs.GUEST_DS;
    cpu.fs = vmcs.GUEST_FS;
    cpu.gs = vmcs.GUEST_GS;
    cpu.ldtr = vmcs.GUEST_LDTR;
    cpu.tr = vmcs.GUEST_TR;
    cpu.gdtr = vmcs.GUEST_GDTR;
    cpu.idtr = vmcs.GUEST_IDTR;
    cpu.cr0 = (vmcs.GUEST_CR0 & ~kept_of_cr0) | (cpu.cr0 & kept_of_cr0) | Cr0::ET::mask;
    cpu.cr3 = vmcs.GUEST_CR3;
    cpu.cr4 = vmcs.GUEST_CR4;
    cpu.rsp() = vmcs.GUEST_RSP;
    cpu.rip = vmcs.GUEST_RIP;
    cpu.rflags = vmcs.GUEST_RFLAGS;
    const u32 controls = vmcs.VM_ENTRY_CONTROLS;
    // Without the control the values are those that the last exit gave the host.
    const bool loads_debug = EntryControls::LoadDebugControls::test(controls);
    cpu.dr7 = loads_debug ? vmcs.GUEST_DR7 : Dr7::at_reset;
    cpu.debugctl = loads_debug ? vmcs.GUEST_IA32_DEBUGCTL : 0;
    if (EntryControls::LoadPat::test(controls)) cpu.pat = vmcs.GUEST_IA32_PAT;
    if (EntryControls::LoadEfer::test(controls)) {
        cpu.efer = vmcs.GUEST_IA32_EFER;
    } else {
        cpu.efer = Efer::LMA::set(cpu.efer, is_ia32e(vmcs));
        if (Cr0::PG::test(cpu.cr0)) cpu.efer = Efer::LME::set(cpu.efer, is_ia32e(vmcs));
    }
    cpu.sysenter_cs = vmcs.GUEST_IA32_SYSENTER_CS;
    cpu.sysenter_esp = vmcs.GUEST_IA32_SYSENTER_ESP;
    cpu.sysenter_eip = vmcs.GUEST_IA32_SYSENTER_EIP;
    cpu.interruptibility = vmcs.GUEST_INTERRUPTIBILITY_STATE;
    cpu.activity = ActivityState{vmcs.GUEST_ACTIVITY_STATE};
    cpu.pending_debug = vmcs.GUEST_PENDING_DEBUG_EXCEPTIONS;
    if (cpu.paging(0, {}).mode() == PagingMode::Pae) cpu.pdptes = vmcs.GUEST_PDPTE;
}

}  // namespace ax::sim::x86
