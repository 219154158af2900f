// Rules over the guest's control registers, debug registers, MSRs, descriptor tables, RIP and RFLAGS; breaking one is
// exit reason 33.
#include "sim/trap/x86/entry_rule.hpp"

namespace ax::sim::x86 {

namespace {

using namespace ax::x86;

constexpr const char* registers = "Checks on Guest Control Registers, Debug Registers, and MSRs";
constexpr const char* tables = "Checks on Guest Descriptor-Table Registers";
constexpr const char* flow = "Checks on Guest RIP, RFLAGS, and SSP";

bool fits_cr0(const Vmcs& v, const VmxCpu& c) {
    constexpr u64 free = Cr0::PE::mask | Cr0::PG::mask;
    const u64 must = is_unrestricted(v) ? c.cr0_fixed0 & ~free : c.cr0_fixed0;
    return (must & ~v.GUEST_CR0) == 0 && (v.GUEST_CR0 & ~c.cr0_fixed1) == 0;
}
bool loads_debug(const Vmcs& v) { return EntryControls::LoadDebugControls::test(v.VM_ENTRY_CONTROLS); }
bool loads_efer(const Vmcs& v) { return EntryControls::LoadEfer::test(v.VM_ENTRY_CONTROLS); }
bool is_64_bit_code(const Vmcs& v) { return is_ia32e(v) && AccessRights::L::test(v.GUEST_CS.access_rights); }

bool fits_rip(const Vmcs& v, const VmxCpu&) {
    if (!is_64_bit_code(v)) return (v.GUEST_RIP >> 32) == 0;
    // Only what lies above the linear-address width is compared, not its highest bit.
    const u64 above = v.GUEST_RIP >> 48;
    return above == 0 || above == 0xffff;
}
bool has_right_rflags(const Vmcs& v, const VmxCpu&) {
    using High = Bits<63, 22>;
    using Bit15 = Bits<15>;
    using Bit5 = Bits<5>;
    using Bit3 = Bits<3>;
    const u64 f = v.GUEST_RFLAGS;
    return !High::test(f) && !Bit15::test(f) && !Bit5::test(f) && !Bit3::test(f) && Rflags::Res1::test(f);
}

constexpr EntryRule rules[] = {
    {"guest CR0", registers, fits_cr0},
    {"guest CR0: PG needs PE", registers,
     [](const Vmcs& v, const VmxCpu&) { return !Cr0::PG::test(v.GUEST_CR0) || Cr0::PE::test(v.GUEST_CR0); }},
    {"guest CR4", registers,
     [](const Vmcs& v, const VmxCpu& c) { return (c.cr4_fixed0 & ~v.GUEST_CR4) == 0 && (v.GUEST_CR4 & ~c.cr4_fixed1) == 0; }},
    {"guest IA32_DEBUGCTL: reserved bits", registers,
     [](const Vmcs& v, const VmxCpu&) {
         constexpr u64 defined = 0x1'ffc3;  // LBR, BTF, TR to RTM
         return !loads_debug(v) || (v.GUEST_IA32_DEBUGCTL & ~defined) == 0;
     }},
    {"IA-32e mode guest needs CR0.PG and CR4.PAE", registers,
     [](const Vmcs& v, const VmxCpu&) { return !is_ia32e(v) || (Cr0::PG::test(v.GUEST_CR0) && Cr4::PAE::test(v.GUEST_CR4)); }},
    {"CR4.PCIDE needs an IA-32e mode guest", registers,
     [](const Vmcs& v, const VmxCpu&) { return is_ia32e(v) || !Cr4::PCIDE::test(v.GUEST_CR4); }},
    {"guest CR3 is physical", registers, [](const Vmcs& v, const VmxCpu& c) { return is_physical(v.GUEST_CR3, c); }},
    {"guest DR7 bits 63:32", registers, [](const Vmcs& v, const VmxCpu&) { return !loads_debug(v) || (v.GUEST_DR7 >> 32) == 0; }},
    {"guest IA32_SYSENTER_ESP and EIP are canonical", registers,
     [](const Vmcs& v, const VmxCpu&) {
         return is_canonical(v.GUEST_IA32_SYSENTER_ESP) && is_canonical(v.GUEST_IA32_SYSENTER_EIP);
     }},
    {"guest IA32_PAT", registers,
     [](const Vmcs& v, const VmxCpu&) {
         return !EntryControls::LoadPat::test(v.VM_ENTRY_CONTROLS) || is_valid_pat(v.GUEST_IA32_PAT);
     }},
    {"guest IA32_EFER: reserved bits", registers,
     [](const Vmcs& v, const VmxCpu&) { return !loads_efer(v) || (v.GUEST_IA32_EFER & ~Efer::defined) == 0; }},
    {"guest IA32_EFER: LMA is the IA-32e mode guest control", registers,
     [](const Vmcs& v, const VmxCpu&) { return !loads_efer(v) || Efer::LMA::test(v.GUEST_IA32_EFER) == is_ia32e(v); }},
    {"guest IA32_EFER: LMA is LME with paging on", registers,
     [](const Vmcs& v, const VmxCpu&) {
         return !loads_efer(v) || !Cr0::PG::test(v.GUEST_CR0) ||
                Efer::LMA::test(v.GUEST_IA32_EFER) == Efer::LME::test(v.GUEST_IA32_EFER);
     }},
    {"guest GDTR and IDTR bases are canonical", tables,
     [](const Vmcs& v, const VmxCpu&) { return is_canonical(v.GUEST_GDTR.base) && is_canonical(v.GUEST_IDTR.base); }},
    {"guest GDTR and IDTR limits have 16 bits", tables,
     [](const Vmcs& v, const VmxCpu&) { return v.GUEST_GDTR.limit <= 0xffff && v.GUEST_IDTR.limit <= 0xffff; }},
    {"guest RIP", flow, fits_rip},
    {"guest RFLAGS: reserved bits", flow, has_right_rflags},
    {"guest RFLAGS.VM needs protected mode outside IA-32e mode", flow,
     [](const Vmcs& v, const VmxCpu&) {
         return !Rflags::VM::test(v.GUEST_RFLAGS) || (!is_ia32e(v) && Cr0::PE::test(v.GUEST_CR0));
     }},
    {"guest RFLAGS.IF for an injected external interrupt", flow,
     [](const Vmcs& v, const VmxCpu&) { return !injects(v, EventType::ExternalInterrupt) || Rflags::IF::test(v.GUEST_RFLAGS); }},
};

}  // namespace

std::span<const EntryRule> guest_register_rules() { return rules; }

}  // namespace ax::sim::x86
