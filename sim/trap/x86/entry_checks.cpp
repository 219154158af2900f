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
constexpr const char* other = "Checks on Guest Non-Register State";
constexpr const char* not_here = "the control is refused: this CPU does not have it";
constexpr const char* no_field = "the VMCS value has no such field";

constexpr UncheckedRule unchecked[] = {
    {"TPR threshold above VTPR", controls, "needs the virtual-APIC page; the control is refused"},
    {"posted-interrupt notification vector and descriptor", controls, not_here},
    {"VM-function controls, EPTP list", controls, not_here},
    {"VMREAD and VMWRITE bitmap addresses", controls, not_here},
    {"virtualization-exception information address", controls, not_here},
    {"page-modification log address", controls, no_field},
    {"EPT sub-page permission and HLAT tables", controls, no_field},
    {"VM-exit MSR areas lie below MAXPHYADDR to their last byte", "VM-Exit Control Fields", "the areas must be empty"},
    {"IA32_PERF_GLOBAL_CTRL", "Checks on Host Control Registers, MSRs, and SSP", not_here},
    {"IA32_S_CET, SSP, interrupt SSP table, PKRS", "Checks on Host Control Registers, MSRs, and SSP", no_field},
    {"IA-32e mode of the host is clear", "Checks Related to Address-Space Size", "the host runs in IA-32e mode"},
    {"IA32_PERF_GLOBAL_CTRL, IA32_BNDCFGS, IA32_RTIT_CTL, CET, PKRS", "Checks on Guest Control Registers", no_field},
    {"enclave interruption", other, "no SGX: the bit is reserved"},
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
