// Rules over the guest's non-register state and its PDPTEs; breaking one is exit reason 33.
#include <algorithm>

#include "sim/mmu/x86_walk.hpp"
#include "sim/trap/x86/entry_rule.hpp"

namespace ax::sim::x86 {

namespace {

using namespace ax::x86;

constexpr const char* section = "Checks on Guest Non-Register State";
constexpr const char* tables = "Checks on Guest Page-Directory-Pointer-Table Entries";

/// "VM-Entry Failures During or After Loading Guest State", exit qualifications.
constexpr u8 bad_pdpte = 2, nmi_in_sti_shadow = 3, bad_link_pointer = 4;

bool is_in(const Vmcs& v, ActivityState state) { return v.GUEST_ACTIVITY_STATE == index(state); }
bool has_shadow(const Vmcs& v) { return (v.GUEST_INTERRUPTIBILITY_STATE & Interruptibility::shadow) != 0; }

bool is_supported_activity(const Vmcs& v, const VmxCpu& c) {
    const u32 state = v.GUEST_ACTIVITY_STATE;
    return state == 0 || (state <= 3 && ((c.activity_states >> (state - 1)) & 1) != 0);
}
/// Which events a halted CPU may be given.
bool is_event_for_activity(const Vmcs& v, const VmxCpu&) {
    if (!EventWord::Valid::test(v.VM_ENTRY_INTERRUPTION_INFO) || is_in(v, ActivityState::Active)) return true;
    const u64 vector = EventWord::VectorNumber::get(v.VM_ENTRY_INTERRUPTION_INFO);
    const bool is_nmi = injects(v, EventType::Nmi);
    const bool is_exception = injects(v, EventType::HardwareException);
    const bool is_machine_check = is_exception && vector == index(Vector::MC);
    if (is_in(v, ActivityState::Shutdown)) return is_nmi || is_machine_check;
    if (!is_in(v, ActivityState::Hlt)) return false;
    return is_nmi || is_machine_check || injects(v, EventType::ExternalInterrupt) ||
           (is_exception && vector == index(Vector::DB));
}
/// A trap that RFLAGS.TF owes is pending where the guest could not have taken it yet.
bool has_right_single_step(const Vmcs& v, const VmxCpu&) {
    using BTF = Bits<1>;
    if (!has_shadow(v) && !is_in(v, ActivityState::Hlt)) return true;
    const bool is_stepping = Rflags::TF::test(v.GUEST_RFLAGS) && !BTF::test(v.GUEST_IA32_DEBUGCTL);
    return PendingDebug::BS::test(v.GUEST_PENDING_DEBUG_EXCEPTIONS) == is_stepping;
}
bool has_valid_pdptes(const Vmcs& v, const VmxCpu& c) {
    const bool is_pae = Cr0::PG::test(v.GUEST_CR0) && Cr4::PAE::test(v.GUEST_CR4) && !is_ia32e(v);
    if (!is_pae || !SecondaryControls::EnableEpt::test(secondary_of(v))) return true;
    return std::ranges::all_of(v.GUEST_PDPTE, [&](u64 pdpte) { return is_valid_pdpte(pdpte, c.mmu); });
}

constexpr EntryRule rules[] = {
    {"activity state", section, is_supported_activity},
    {"HLT at CPL 0 only", section,
     [](const Vmcs& v, const VmxCpu&) {
         return !is_in(v, ActivityState::Hlt) || AccessRights::DPL::get(v.GUEST_SS.access_rights) == 0;
     }},
    {"a shadow of STI or MOV SS needs the active state", section,
     [](const Vmcs& v, const VmxCpu&) { return !has_shadow(v) || is_in(v, ActivityState::Active); }},
    {"injected event fits the activity state", section, is_event_for_activity},
    {"interruptibility: reserved bits", section,
     [](const Vmcs& v, const VmxCpu&) {
         using Reserved = Bits<31, 4>;
         return !Reserved::test(v.GUEST_INTERRUPTIBILITY_STATE);
     }},
    {"blocking by STI and by MOV SS exclude each other", section,
     [](const Vmcs& v, const VmxCpu&) {
         return (v.GUEST_INTERRUPTIBILITY_STATE & Interruptibility::shadow) != Interruptibility::shadow;
     }},
    {"blocking by STI needs RFLAGS.IF", section,
     [](const Vmcs& v, const VmxCpu&) {
         return Rflags::IF::test(v.GUEST_RFLAGS) || !Interruptibility::BlockingBySti::test(v.GUEST_INTERRUPTIBILITY_STATE);
     }},
    {"an injected external interrupt meets no shadow", section,
     [](const Vmcs& v, const VmxCpu&) { return !injects(v, EventType::ExternalInterrupt) || !has_shadow(v); }},
    {"an injected NMI meets no blocking by MOV SS", section,
     [](const Vmcs& v, const VmxCpu&) {
         return !injects(v, EventType::Nmi) || !Interruptibility::BlockingByMovSs::test(v.GUEST_INTERRUPTIBILITY_STATE);
     }},
    {"an injected NMI meets no blocking by STI", section,
     [](const Vmcs& v, const VmxCpu&) {
         return !injects(v, EventType::Nmi) || !Interruptibility::BlockingBySti::test(v.GUEST_INTERRUPTIBILITY_STATE);
     },
     nmi_in_sti_shadow},
    {"blocking by SMI", section,
     [](const Vmcs& v, const VmxCpu&) { return !Interruptibility::BlockingBySmi::test(v.GUEST_INTERRUPTIBILITY_STATE); }},
    {"an injected virtual NMI meets no blocking by NMI", section,
     [](const Vmcs& v, const VmxCpu&) {
         return !PinControls::VirtualNmis::test(v.PIN_BASED_CONTROLS) || !injects(v, EventType::Nmi) ||
                !Interruptibility::BlockingByNmi::test(v.GUEST_INTERRUPTIBILITY_STATE);
     }},
    {"pending debug exceptions: reserved bits", section,
     [](const Vmcs& v, const VmxCpu&) {
         constexpr u64 defined = PendingDebug::B::mask | PendingDebug::EnabledBreakpoint::mask | PendingDebug::BS::mask;
         return (v.GUEST_PENDING_DEBUG_EXCEPTIONS & ~defined) == 0;
     }},
    {"pending debug exceptions: BS is RFLAGS.TF", section, has_right_single_step},
    {"VMCS link pointer", section, [](const Vmcs& v, const VmxCpu&) { return v.VMCS_LINK_POINTER == ~u64{0}; }, bad_link_pointer},
    {"PDPTEs", tables, has_valid_pdptes, bad_pdpte},
};

}  // namespace

std::span<const EntryRule> guest_state_rules() { return rules; }

}  // namespace ax::sim::x86
