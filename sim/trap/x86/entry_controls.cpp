// Rules over VM-execution, VM-exit and VM-entry controls; breaking one is VM-instruction error 7.
#include "sim/trap/x86/entry_rule.hpp"

namespace ax::sim::x86 {

namespace {

using namespace ax::x86;

constexpr const char* execution = "VM-Execution Control Fields";
constexpr const char* exits = "VM-Exit Control Fields";
constexpr const char* entries = "VM-Entry Control Fields";

template <class Field>
bool has2(const Vmcs& v) {
    return Field::test(secondary_of(v));
}
template <class Field>
bool has1(const Vmcs& v) {
    return Field::test(v.PRIMARY_CONTROLS);
}
u64 injected_vector(const Vmcs& v) { return EventWord::VectorNumber::get(v.VM_ENTRY_INTERRUPTION_INFO); }
bool injects_anything(const Vmcs& v) { return EventWord::Valid::test(v.VM_ENTRY_INTERRUPTION_INFO); }

bool is_known_type(const Vmcs& v, const VmxCpu&) {
    // 1 is reserved, 7 belongs to the monitor trap flag.
    const u64 type = EventWord::Type::get(v.VM_ENTRY_INTERRUPTION_INFO);
    return !injects_anything(v) || (type != 1 && type != index(EventType::Other));
}
bool is_vector_of_type(const Vmcs& v, const VmxCpu&) {
    if (injects(v, EventType::Nmi)) return injected_vector(v) == index(Vector::NMI);
    return !injects(v, EventType::HardwareException) || injected_vector(v) < 32;
}
/// Which exceptions push an error code: the vectors' sections in "Exception and Interrupt Reference".
bool has_error_code(u64 vector) {
    constexpr u64 with_code = bit(8) | bit(10) | bit(11) | bit(12) | bit(13) | bit(14) | bit(17);
    return vector < 32 && (with_code & bit(static_cast<unsigned>(vector))) != 0;
}
bool delivers_right_error_code(const Vmcs& v, const VmxCpu&) {
    if (!injects_anything(v)) return true;
    const bool is_wanted = (!is_unrestricted(v) || Cr0::PE::test(v.GUEST_CR0)) && injects(v, EventType::HardwareException) &&
                           has_error_code(injected_vector(v));
    return EventWord::DeliverErrorCode::test(v.VM_ENTRY_INTERRUPTION_INFO) == is_wanted;
}
bool is_length_right(const Vmcs& v, const VmxCpu& cpu) {
    const bool has_length = injects(v, EventType::SoftwareInterrupt) || injects(v, EventType::PrivilegedSoftwareException) ||
                            injects(v, EventType::SoftwareException);
    const u32 length = v.VM_ENTRY_INSTRUCTION_LENGTH;
    return !has_length || (length <= 15 && (length > 0 || cpu.injects_length_zero));
}
bool is_valid_eptp(const Vmcs& v, const VmxCpu& cpu) {
    constexpr u64 uncacheable = 0;
    using Reserved = Bits<11, 7>;
    if (!has2<SecondaryControls::EnableEpt>(v)) return true;
    const u64 eptp = v.EPT_POINTER, type = Eptp::MemoryType::get(eptp);
    return (type == uncacheable || type == Eptp::write_back) && Eptp::WalkLengthMinus1::get(eptp) == 3 &&
           (cpu.ept_flags || !Eptp::AccessedDirty::test(eptp)) && !Reserved::test(eptp) && is_physical(eptp, cpu);
}

constexpr EntryRule rules[] = {
    {"pin-based controls fit the CPU", execution,
     [](const Vmcs& v, const VmxCpu& c) { return fits(c.pin, v.PIN_BASED_CONTROLS); }},
    {"primary controls fit the CPU", execution,
     [](const Vmcs& v, const VmxCpu& c) { return fits(c.primary, v.PRIMARY_CONTROLS); }},
    {"secondary controls fit the CPU", execution,
     [](const Vmcs& v, const VmxCpu& c) {
         return !has1<PrimaryControls::ActivateSecondary>(v) || fits(c.secondary, v.SECONDARY_CONTROLS);
     }},
    {"CR3-target count", execution, [](const Vmcs& v, const VmxCpu& c) { return v.CR3_TARGET_COUNT <= c.cr3_targets; }},
    {"I/O bitmap addresses", execution,
     [](const Vmcs& v, const VmxCpu& c) {
         return !has1<PrimaryControls::UseIoBitmaps>(v) ||
                (is_physical_page(v.IO_BITMAP_A, c) && is_physical_page(v.IO_BITMAP_B, c));
     }},
    {"MSR bitmap address", execution,
     [](const Vmcs& v, const VmxCpu& c) {
         return !has1<PrimaryControls::UseMsrBitmaps>(v) || is_physical_page(v.MSR_BITMAPS, c);
     }},
    {"virtual-APIC address", execution,
     [](const Vmcs& v, const VmxCpu& c) {
         return !has1<PrimaryControls::UseTprShadow>(v) || is_physical_page(v.VIRTUAL_APIC_ADDRESS, c);
     }},
    {"TPR threshold bits 31:4", execution,
     [](const Vmcs& v, const VmxCpu&) {
         return !has1<PrimaryControls::UseTprShadow>(v) || has2<SecondaryControls::VirtualInterruptDelivery>(v) ||
                v.TPR_THRESHOLD < 16;
     }},
    {"virtual NMIs need NMI exiting", execution,
     [](const Vmcs& v, const VmxCpu&) {
         return PinControls::NmiExiting::test(v.PIN_BASED_CONTROLS) || !PinControls::VirtualNmis::test(v.PIN_BASED_CONTROLS);
     }},
    {"NMI-window exiting needs virtual NMIs", execution,
     [](const Vmcs& v, const VmxCpu&) {
         return PinControls::VirtualNmis::test(v.PIN_BASED_CONTROLS) || !has1<PrimaryControls::NmiWindowExiting>(v);
     }},
    {"APIC-access address", execution,
     [](const Vmcs& v, const VmxCpu& c) {
         return !has2<SecondaryControls::VirtualizeApicAccesses>(v) || is_physical_page(v.APIC_ACCESS_ADDRESS, c);
     }},
    {"APIC virtualization needs a TPR shadow", execution,
     [](const Vmcs& v, const VmxCpu&) {
         return has1<PrimaryControls::UseTprShadow>(v) ||
                !(has2<SecondaryControls::VirtualizeX2apicMode>(v) || has2<SecondaryControls::ApicRegisterVirtualization>(v) ||
                  has2<SecondaryControls::VirtualInterruptDelivery>(v));
     }},
    {"x2APIC mode excludes APIC accesses", execution,
     [](const Vmcs& v, const VmxCpu&) {
         return !has2<SecondaryControls::VirtualizeX2apicMode>(v) || !has2<SecondaryControls::VirtualizeApicAccesses>(v);
     }},
    {"virtual interrupts need external-interrupt exiting", execution,
     [](const Vmcs& v, const VmxCpu&) {
         return !has2<SecondaryControls::VirtualInterruptDelivery>(v) ||
                PinControls::ExternalInterruptExiting::test(v.PIN_BASED_CONTROLS);
     }},
    {"posted interrupts need virtual ones and acknowledgement", execution,
     [](const Vmcs& v, const VmxCpu&) {
         return !PinControls::ProcessPostedInterrupts::test(v.PIN_BASED_CONTROLS) ||
                (has2<SecondaryControls::VirtualInterruptDelivery>(v) &&
                 ExitControls::AcknowledgeInterrupt::test(v.VM_EXIT_CONTROLS));
     }},
    {"VPID is not zero", execution,
     [](const Vmcs& v, const VmxCpu&) { return !has2<SecondaryControls::EnableVpid>(v) || v.VPID != 0; }},
    {"EPT pointer", execution, is_valid_eptp},
    {"page-modification log needs EPT", execution,
     [](const Vmcs& v, const VmxCpu&) {
         return !has2<SecondaryControls::EnablePml>(v) || has2<SecondaryControls::EnableEpt>(v);
     }},
    {"unrestricted guest needs EPT", execution,
     [](const Vmcs& v, const VmxCpu&) { return !is_unrestricted(v) || has2<SecondaryControls::EnableEpt>(v); }},
    {"mode-based execute control needs EPT", execution,
     [](const Vmcs& v, const VmxCpu&) {
         return !has2<SecondaryControls::ModeBasedExecute>(v) || has2<SecondaryControls::EnableEpt>(v);
     }},

    {"VM-exit controls fit the CPU", exits, [](const Vmcs& v, const VmxCpu& c) { return fits(c.exit, v.VM_EXIT_CONTROLS); }},
    {"saving the preemption timer needs the timer", exits,
     [](const Vmcs& v, const VmxCpu&) {
         return PinControls::PreemptionTimer::test(v.PIN_BASED_CONTROLS) ||
                !ExitControls::SavePreemptionTimer::test(v.VM_EXIT_CONTROLS);
     }},
    {"VM-exit MSR-store area is empty", exits, [](const Vmcs& v, const VmxCpu&) { return v.VM_EXIT_MSR_STORE_COUNT == 0; }},
    {"VM-exit MSR-load area is empty", exits, [](const Vmcs& v, const VmxCpu&) { return v.VM_EXIT_MSR_LOAD_COUNT == 0; }},

    {"VM-entry controls fit the CPU", entries, [](const Vmcs& v, const VmxCpu& c) { return fits(c.entry, v.VM_ENTRY_CONTROLS); }},
    {"injected event: type", entries, is_known_type},
    {"injected event: vector fits the type", entries, is_vector_of_type},
    {"injected event: error code where the exception has one", entries, delivers_right_error_code},
    {"injected event: bits 30:12", entries,
     [](const Vmcs& v, const VmxCpu&) {
         using Reserved = Bits<30, 12>;
         return !injects_anything(v) || !Reserved::test(v.VM_ENTRY_INTERRUPTION_INFO);
     }},
    {"injected event: error code bits 31:16", entries,
     [](const Vmcs& v, const VmxCpu&) {
         return !injects_anything(v) || !EventWord::DeliverErrorCode::test(v.VM_ENTRY_INTERRUPTION_INFO) ||
                (v.VM_ENTRY_EXCEPTION_ERROR_CODE >> 16) == 0;
     }},
    {"injected event: instruction length", entries, is_length_right},
    {"VM-entry MSR-load area is empty", entries, [](const Vmcs& v, const VmxCpu&) { return v.VM_ENTRY_MSR_LOAD_COUNT == 0; }},
    {"no entry to SMM", entries,
     [](const Vmcs& v, const VmxCpu&) {
         return !EntryControls::EntryToSmm::test(v.VM_ENTRY_CONTROLS) &&
                !EntryControls::DeactivateDualMonitor::test(v.VM_ENTRY_CONTROLS);
     }},
};

}  // namespace

std::span<const EntryRule> control_rules() { return rules; }

}  // namespace ax::sim::x86
