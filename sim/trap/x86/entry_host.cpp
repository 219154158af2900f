// Rules over the host state; breaking one is VM-instruction error 8. The host runs in IA-32e mode.
#include "sim/trap/x86/entry_rule.hpp"

namespace ax::sim::x86 {

namespace {

using namespace ax::x86;

constexpr const char* registers = "Checks on Host Control Registers, MSRs, and SSP";
constexpr const char* segments = "Checks on Host Segment and Descriptor-Table Registers";
constexpr const char* size = "Checks Related to Address-Space Size";

bool is_wide(const Vmcs& v) { return ExitControls::HostAddressSpaceSize::test(v.VM_EXIT_CONTROLS); }
bool is_plain(u16 selector) { return Selector::RPL::get(selector) == 0 && !Selector::TI::test(selector); }

constexpr EntryRule rules[] = {
    {"host CR0", registers,
     [](const Vmcs& v, const VmxCpu& c) { return (c.cr0_fixed0 & ~v.HOST_CR0) == 0 && (v.HOST_CR0 & ~c.cr0_fixed1) == 0; }},
    {"host CR4", registers,
     [](const Vmcs& v, const VmxCpu& c) { return (c.cr4_fixed0 & ~v.HOST_CR4) == 0 && (v.HOST_CR4 & ~c.cr4_fixed1) == 0; }},
    {"host CR3 is physical", registers, [](const Vmcs& v, const VmxCpu& c) { return is_physical(v.HOST_CR3, c); }},
    {"host IA32_SYSENTER_ESP and EIP are canonical", registers,
     [](const Vmcs& v, const VmxCpu&) {
         return is_canonical(v.HOST_IA32_SYSENTER_ESP) && is_canonical(v.HOST_IA32_SYSENTER_EIP);
     }},
    {"host IA32_PAT", registers,
     [](const Vmcs& v, const VmxCpu&) {
         return !ExitControls::LoadPat::test(v.VM_EXIT_CONTROLS) || is_valid_pat(v.HOST_IA32_PAT);
     }},
    {"host IA32_EFER: reserved bits", registers,
     [](const Vmcs& v, const VmxCpu&) {
         return !ExitControls::LoadEfer::test(v.VM_EXIT_CONTROLS) || (v.HOST_IA32_EFER & ~Efer::defined) == 0;
     }},
    {"host IA32_EFER: LMA and LME are the address-space size", registers,
     [](const Vmcs& v, const VmxCpu&) {
         return !ExitControls::LoadEfer::test(v.VM_EXIT_CONTROLS) ||
                (Efer::LMA::test(v.HOST_IA32_EFER) == is_wide(v) && Efer::LME::test(v.HOST_IA32_EFER) == is_wide(v));
     }},
    {"host selectors: RPL and TI are zero", segments,
     [](const Vmcs& v, const VmxCpu&) {
         for (const u16 selector : {v.HOST_CS_SELECTOR, v.HOST_SS_SELECTOR, v.HOST_DS_SELECTOR, v.HOST_ES_SELECTOR,
                                    v.HOST_FS_SELECTOR, v.HOST_GS_SELECTOR, v.HOST_TR_SELECTOR})
             if (!is_plain(selector)) return false;
         return true;
     }},
    {"host CS is not null", segments, [](const Vmcs& v, const VmxCpu&) { return v.HOST_CS_SELECTOR != 0; }},
    {"host TR is not null", segments, [](const Vmcs& v, const VmxCpu&) { return v.HOST_TR_SELECTOR != 0; }},
    {"host SS is not null outside 64-bit mode", segments,
     [](const Vmcs& v, const VmxCpu&) { return is_wide(v) || v.HOST_SS_SELECTOR != 0; }},
    {"host bases are canonical", segments,
     [](const Vmcs& v, const VmxCpu&) {
         for (const u64 base : {v.HOST_FS_BASE, v.HOST_GS_BASE, v.HOST_GDTR_BASE, v.HOST_IDTR_BASE, v.HOST_TR_BASE})
             if (!is_canonical(base)) return false;
         return true;
     }},
    {"host address-space size", size, [](const Vmcs& v, const VmxCpu&) { return is_wide(v); }},
    {"host CR4.PAE in IA-32e mode", size, [](const Vmcs& v, const VmxCpu&) { return Cr4::PAE::test(v.HOST_CR4); }},
    {"host RIP is canonical", size, [](const Vmcs& v, const VmxCpu&) { return is_canonical(v.HOST_RIP); }},
};

}  // namespace

std::span<const EntryRule> host_rules() { return rules; }

}  // namespace ax::sim::x86
