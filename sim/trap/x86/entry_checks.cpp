#include "sim/trap/x86/entry_checks.hpp"

#include <algorithm>

namespace ax::sim::x86 {

namespace {

using ax::x86::ExitReason;
using ax::x86::ExitReasonWord;
using ax::x86::Vmcs;
using ax::x86::VmInstructionError;

const EntryRule* first_broken(std::span<const EntryRule> rules, const Vmcs& vmcs, const VmxCpu& cpu) {
    const auto broken = std::ranges::find_if(rules, [&](const EntryRule& rule) { return !rule.holds(vmcs, cpu); });
    return broken == rules.end() ? nullptr : &*broken;
}

constexpr const char* controls = "VM-Execution Control Fields";
constexpr const char* segments = "Checks on Guest Segment Registers";
constexpr const char* registers = "Checks on Guest Control Registers, Debug Registers, and MSRs";
constexpr const char* other = "Checks on Guest Non-Register State";
constexpr const char* not_here = "the control is refused: this CPU does not have it";
constexpr const char* no_field = "the VMCS value has no such field";

constexpr UncheckedRule unchecked[] = {
    {"VMX operation, CPL, current VMCS, launch state, MOV SS (errors 4, 5, 26)", "Basic VM-Entry Checks",
     "an entry is a call here, not an instruction"},
    {"tertiary controls: reserved bits, IPI virtualization, HLAT, guest-paging verification", controls, not_here},
    {"Intel PT uses guest physical addresses", controls, not_here},
    {"TSC multiplier is not zero", controls, not_here},
    {"PASID translation directories", controls, not_here},
    {"TPR threshold above VTPR", controls, "needs the virtual-APIC page; the control is refused"},
    {"posted-interrupt notification vector and descriptor", controls, not_here},
    {"VM-function controls, EPTP list", controls, not_here},
    {"VMREAD and VMWRITE bitmap addresses", controls, not_here},
    {"virtualization-exception information address", controls, not_here},
    {"page-modification log address", controls, no_field},
    {"EPT sub-page permission table", controls, no_field},
    {"secondary VM-exit controls: reserved bits", "VM-Exit Control Fields", not_here},
    {"MSR areas are aligned and lie below MAXPHYADDR to their last byte", "VM-Exit Control Fields", "the areas must be empty"},
    {"the MSR-load area is aligned and lies below MAXPHYADDR", "VM-Entry Control Fields", "the area must be empty"},
    {"FRED: injected events of type 7", "VM-Entry Control Fields", not_here},
    {"IA32_PERF_GLOBAL_CTRL", "Checks on Host Control Registers, MSRs, and SSP", not_here},
    {"IA32_S_CET, SSP, interrupt SSP table, PKRS", "Checks on Host Control Registers, MSRs, and SSP", no_field},
    {"CR4.CET needs CR0.WP", "Checks on Host Control Registers, MSRs, and SSP", "no CET: the bit of CR4 is refused"},
    {"IA-32e mode of the host is clear", "Checks Related to Address-Space Size", "the host runs in IA-32e mode"},
    {"a host outside 64-bit mode: IA-32e mode guest, CR4.PCIDE, upper half of RIP", "Checks Related to Address-Space Size",
     "such a host is refused"},
    {"IA32_PERF_GLOBAL_CTRL, IA32_BNDCFGS, IA32_RTIT_CTL, IA32_LBR_CTL, UINV, CET, PKRS", registers, no_field},
    {"guest CR4.CET needs CR0.WP", registers, "no CET: the bit of CR4 is refused"},
    {"guest SSP", "Checks on Guest RIP, RFLAGS, and SSP", no_field},
    {"enclave interruption", other, "no SGX: the bit is reserved"},
    {"pending debug exceptions: RTM", other, "no RTM: the bit is reserved"},
    {"VMCS link pointer names a VMCS", other, "no shadowing: it must be all ones"},
    {"PDPTEs in memory", "Checks on Guest Page-Directory-Pointer-Table Entries",
     "only without EPT: whoever loads CR3 reads them"},
    {"loading MSRs (exit reason 34)", "Loading MSRs", "the areas must be empty"},
    {"SMM: TR, dual-monitor treatment", segments, "no SMM"},
};

}  // namespace

std::span<const UncheckedRule> unchecked_rules() { return unchecked; }

std::optional<EntryFailure> check_entry(const Vmcs& vmcs, const VmxCpu& cpu) {
    if (const EntryRule* rule = first_broken(control_rules(), vmcs, cpu))
        return EntryFailure{.error = VmInstructionError::InvalidControls, .rule = rule};
    if (const EntryRule* rule = first_broken(host_rules(), vmcs, cpu))
        return EntryFailure{.error = VmInstructionError::InvalidHostState, .rule = rule};
    for (const auto& rules : {guest_register_rules(), guest_segment_rules(), guest_state_rules()})
        if (const EntryRule* rule = first_broken(rules, vmcs, cpu)) {
            const u64 reason =
                ExitReasonWord::Basic::of(index(ExitReason::EntryFailureGuestState)) | ExitReasonWord::EntryFailure::mask;
            return EntryFailure{.exit_reason = static_cast<u32>(reason), .qualification = rule->qualification, .rule = rule};
        }
    return std::nullopt;
}

}  // namespace ax::sim::x86
