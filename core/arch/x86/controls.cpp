// VMX control values of a guest. Source of each bit: Intel SDM vol. 3, "VM-Execution Control Fields", "VM-Exit Control
// Fields", "VM-Entry Control Fields".
#include "core/arch/x86/controls.hpp"

namespace ax::x86 {

namespace {

/// Controls that are wanted, and those that do no harm where the CPU lacks them.
struct Wanted {
    u64 needed = 0;
    u64 optional = 0;
};

Wanted pin_controls() {
    // Interrupts and NMIs of the machine are the hypervisor's; the guest's NMIs are virtual ones.
    return {PinControls::ExternalInterruptExiting::mask | PinControls::NmiExiting::mask | PinControls::VirtualNmis::mask, 0};
}

Wanted primary_controls(const ControlSettings& s) {
    using C = PrimaryControls;
    const u64 io = s.io_bitmaps ? C::UseIoBitmaps::mask : C::UnconditionalIoExiting::mask;
    return {C::UseTscOffsetting::mask | C::HltExiting::mask | C::MwaitExiting::mask | C::MonitorExiting::mask |
                C::RdpmcExiting::mask | C::Cr8LoadExiting::mask | C::Cr8StoreExiting::mask | C::UseMsrBitmaps::mask |
                C::ActivateSecondary::mask | io | C::RdtscExiting::of(s.exits_on_rdtsc) | C::PauseExiting::of(s.exits_on_pause),
            0};
}

Wanted secondary_controls(const ControlSettings& s) {
    using C = SecondaryControls;
    // Random numbers and cache flushes would let a guest see the host, or slow it down.
    return {C::EnableEpt::mask | C::EnableVpid::mask | C::UnrestrictedGuest::mask | C::WbinvdExiting::mask |
                C::EnableRdtscp::of(s.has_rdtscp),
            C::RdrandExiting::mask | C::RdseedExiting::mask};
}

Wanted exit_controls() {
    using C = ExitControls;
    return {C::SaveDebugControls::mask | C::HostAddressSpaceSize::mask | C::AcknowledgeInterrupt::mask | C::SavePat::mask |
                C::LoadPat::mask | C::SaveEfer::mask | C::LoadEfer::mask,
            0};
}

Wanted entry_controls() {
    using C = EntryControls;
    return {C::LoadDebugControls::mask | C::LoadPat::mask | C::LoadEfer::mask, 0};
}

std::expected<u32, ControlError> adjust(ControlWord word, const Wanted& wanted, u64 capability) {
    const u64 allowed1 = ControlCapability::Allowed1::get(capability);
    if (const u64 missing = wanted.needed & ~allowed1; missing != 0) return std::unexpected(ControlError{word, missing});
    return static_cast<u32>(wanted.needed | (wanted.optional & allowed1) | ControlCapability::Allowed0::get(capability));
}

void set_host(Vmcs& vmcs, const HostState& host) {
    vmcs.HOST_CR0 = host.cr0;
    vmcs.HOST_CR3 = host.cr3;
    vmcs.HOST_CR4 = host.cr4;
    vmcs.HOST_IA32_EFER = host.efer;
    vmcs.HOST_IA32_PAT = host.pat;
    vmcs.HOST_CS_SELECTOR = host.cs;
    vmcs.HOST_SS_SELECTOR = vmcs.HOST_DS_SELECTOR = vmcs.HOST_ES_SELECTOR = host.data;
    vmcs.HOST_TR_SELECTOR = host.tr;
    vmcs.HOST_TR_BASE = host.tr_base;
    vmcs.HOST_GDTR_BASE = host.gdtr_base;
    vmcs.HOST_IDTR_BASE = host.idtr_base;
    vmcs.HOST_RSP = host.rsp;
    vmcs.HOST_RIP = host.rip;
}

/// The guest owns what neither VMX holds fixed nor the machine's caches depend on. It owns PE and PG, which an unrestricted
/// guest may clear.
void set_masks(Vmcs& vmcs, const ControlSettings& s, const VmxCapabilities& capabilities) {
    constexpr u64 caching = Cr0::CD::mask | Cr0::NW::mask;
    constexpr u64 unrestricted = Cr0::PE::mask | Cr0::PG::mask;
    vmcs.CR0_GUEST_HOST_MASK = (capabilities.cr0_fixed0 & ~unrestricted) | caching | ~Cr0::defined;
    vmcs.CR4_GUEST_HOST_MASK = ~(s.guest_cr4 & capabilities.cr4_fixed1) | capabilities.cr4_fixed0;
}

}  // namespace

std::expected<Vmcs, ControlError> controls_for(const ControlSettings& s, const VmxCapabilities& capabilities) {
    constexpr u64 needed_ept = EptVpidCapability::WalkLength4::mask | EptVpidCapability::WriteBack::mask;
    if (const u64 missing = needed_ept & ~capabilities.ept_vpid; missing != 0)
        return std::unexpected(ControlError{ControlWord::Ept, missing});

    const auto pin = adjust(ControlWord::Pin, pin_controls(), capabilities.pin);
    const auto primary = adjust(ControlWord::Primary, primary_controls(s), capabilities.primary);
    const auto secondary = adjust(ControlWord::Secondary, secondary_controls(s), capabilities.secondary);
    const auto exit = adjust(ControlWord::Exit, exit_controls(), capabilities.exit);
    const auto entry = adjust(ControlWord::Entry, entry_controls(), capabilities.entry);
    for (const auto* word : {&pin, &primary, &secondary, &exit, &entry})
        if (!*word) return std::unexpected(word->error());

    Vmcs vmcs;
    vmcs.PIN_BASED_CONTROLS = *pin;
    vmcs.PRIMARY_CONTROLS = *primary;
    vmcs.SECONDARY_CONTROLS = *secondary;
    vmcs.VM_EXIT_CONTROLS = *exit;
    vmcs.VM_ENTRY_CONTROLS = *entry;
    vmcs.EXCEPTION_BITMAP = needed_exceptions | s.extra_exceptions;
    vmcs.EPT_POINTER = ept_pointer(s.ept_root);
    vmcs.VPID = s.vpid;
    vmcs.TSC_OFFSET = s.tsc_offset;
    vmcs.MSR_BITMAPS = s.msr_bitmap.value();
    if (s.io_bitmaps) {
        vmcs.IO_BITMAP_A = s.io_bitmaps->a.value();
        vmcs.IO_BITMAP_B = s.io_bitmaps->b.value();
    }
    set_masks(vmcs, s, capabilities);
    set_host(vmcs, s.host);
    return vmcs;
}

}  // namespace ax::x86
