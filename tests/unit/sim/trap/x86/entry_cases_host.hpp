// The same over host state and the guest's registers.
#pragma once

#include "tests/unit/sim/trap/x86/entry_cases.hpp"

namespace ax::sim::x86::test {

inline constexpr RuleCase host_cases[] = {
    {"host CR0", [](V& v) { v.HOST_CR0 &= ~u64{w(5)}; }, [](V& v) { v.HOST_CR0 |= w(16); }},
    {"host CR4", [](V& v) { v.HOST_CR4 &= ~u64{w(13)}; }, [](V& v) { v.HOST_CR4 |= w(7); }},
    {"host CR3 is physical", [](V& v) { v.HOST_CR3 = bit(40); }, [](V& v) { v.HOST_CR3 = bit(39); }},
    {"host IA32_SYSENTER_ESP and EIP are canonical", [](V& v) { v.HOST_IA32_SYSENTER_EIP = not_canonical; },
     [](V& v) { v.HOST_IA32_SYSENTER_ESP = not_canonical - 1; }},
    {"host IA32_PAT",
     [](V& v) {
         v.VM_EXIT_CONTROLS |= w(19);
         v.HOST_IA32_PAT = 2;
     },
     [](V& v) {
         v.VM_EXIT_CONTROLS |= w(19);
         v.HOST_IA32_PAT = 0x0007'0406'0007'0406;
     }},
    {"host IA32_EFER: reserved bits", [](V& v) { v.HOST_IA32_EFER |= w(12); }, [](V& v) { v.HOST_IA32_EFER |= w(11); }},
    {"host IA32_EFER: LMA and LME are the address-space size", [](V& v) { v.HOST_IA32_EFER = 0x100; },
     [](V& v) {
         v.VM_EXIT_CONTROLS &= ~w(21);
         v.HOST_IA32_EFER = 0;
     }},
    {"host selectors: RPL and TI are zero", [](V& v) { v.HOST_DS_SELECTOR = 4; }, [](V& v) { v.HOST_DS_SELECTOR = 8; }},
    {"host CS is not null", [](V& v) { v.HOST_CS_SELECTOR = 0; }, [](V& v) { v.HOST_CS_SELECTOR = 0xfff8; }},
    {"host TR is not null", [](V& v) { v.HOST_TR_SELECTOR = 0; }, [](V& v) { v.HOST_TR_SELECTOR = 0x40; }},
    {"host SS is not null outside 64-bit mode",
     [](V& v) {
         v.VM_EXIT_CONTROLS &= ~w(9);
         v.HOST_IA32_EFER = 0;
         v.HOST_SS_SELECTOR = 0;
     },
     [](V& v) { v.HOST_SS_SELECTOR = 0; }},
    {"host bases are canonical", [](V& v) { v.HOST_GS_BASE = not_canonical; }, [](V& v) { v.HOST_GS_BASE = ~u64{0}; }},
    {"host address-space size",
     [](V& v) {
         v.VM_EXIT_CONTROLS &= ~w(9);
         v.HOST_IA32_EFER = 0;
     },
     [](V&) {}},
    {"host CR4.PAE in IA-32e mode", [](V& v) { v.HOST_CR4 &= ~u64{w(5)}; }, [](V&) {}},
    {"host RIP is canonical", [](V& v) { v.HOST_RIP = not_canonical; }, [](V& v) { v.HOST_RIP = not_canonical - 1; }},
};

inline constexpr RuleCase register_cases[] = {
    {"guest CR0", [](V& v) { v.GUEST_CR0 &= ~u64{w(5)}; }, [](V& v) { v.GUEST_CR0 |= w(16) | w(29) | w(30); }},
    {"guest CR0", [](V& v) { v.GUEST_CR0 |= bit(32); }, [](V& v) { v.GUEST_CR0 |= w(3); }},
    {"guest CR0", [](V& v) { v.GUEST_CR0 &= ~u64{w(31)}; }, [](V& v) { v.GUEST_CR0 |= w(1); }, restricted},
    {"guest CR0: PG needs PE", [](V& v) { v.GUEST_CR0 &= ~u64{1}; }, [](V& v) { v.GUEST_CR0 &= ~u64{w(31)}; }, protected_mode},
    {"guest CR4", [](V& v) { v.GUEST_CR4 |= w(17); }, [](V& v) { v.GUEST_CR4 |= w(20) | w(21); }},
    {"guest CR4", [](V& v) { v.GUEST_CR4 &= ~u64{w(13)}; }, [](V& v) { v.GUEST_CR4 |= w(7); }},
    {"guest IA32_DEBUGCTL: reserved bits", [](V& v) { v.GUEST_IA32_DEBUGCTL = w(2); }, [](V& v) { v.GUEST_IA32_DEBUGCTL = 3; }},
    {"IA-32e mode guest needs CR0.PG and CR4.PAE", [](V& v) { v.GUEST_CR4 &= ~u64{w(5)}; }, [](V&) {}},
    {"IA-32e mode guest needs CR0.PG and CR4.PAE", [](V& v) { v.GUEST_CR0 &= ~u64{w(31)}; }, [](V&) {}},
    {"CR4.PCIDE needs an IA-32e mode guest", [](V& v) { v.GUEST_CR4 |= w(17); },
     [](V& v) {
         v = long_mode();
         v.GUEST_CR4 |= w(17);
     },
     protected_mode, cpu_with_pcids},
    {"guest CR3 is physical", [](V& v) { v.GUEST_CR3 = bit(40); }, [](V& v) { v.GUEST_CR3 = bit(39) | 0x18; }},
    {"guest DR7 bits 63:32", [](V& v) { v.GUEST_DR7 |= bit(32); }, [](V& v) { v.GUEST_DR7 |= 0xffff'0000; }},
    {"guest IA32_SYSENTER_ESP and EIP are canonical", [](V& v) { v.GUEST_IA32_SYSENTER_ESP = not_canonical; },
     [](V& v) { v.GUEST_IA32_SYSENTER_EIP = not_canonical - 1; }},
    {"guest IA32_PAT",
     [](V& v) {
         v.VM_ENTRY_CONTROLS |= w(14);
         v.GUEST_IA32_PAT = 0x800;
     },
     [](V& v) { v.GUEST_IA32_PAT = 0x800; }},
    {"guest IA32_EFER: reserved bits", [](V& v) { v.GUEST_IA32_EFER |= w(1); }, [](V& v) { v.GUEST_IA32_EFER &= ~u64{w(11)}; }},
    {"guest IA32_EFER: LMA is the IA-32e mode guest control", [](V& v) { v.GUEST_IA32_EFER = 0; },
     [](V& v) {
         v.VM_ENTRY_CONTROLS &= ~w(15);
         v.GUEST_IA32_EFER = 0;
     }},
    {"guest IA32_EFER: LMA is LME with paging on", [](V& v) { v.GUEST_IA32_EFER = 0x400; },
     [](V& v) { v.GUEST_IA32_EFER = 0x500; }},
    {"guest IA32_EFER: LMA is LME with paging on", [](V& v) { v.GUEST_IA32_EFER = 0x100; },
     [](V& v) {
         v.GUEST_IA32_EFER = 0x100;
         v.GUEST_CR0 &= ~u64{w(31)};
     },
     protected_mode},
    {"guest GDTR and IDTR bases are canonical", [](V& v) { v.GUEST_IDTR.base = not_canonical; },
     [](V& v) { v.GUEST_GDTR.base = ~u64{0}; }},
    {"guest GDTR and IDTR limits have 16 bits", [](V& v) { v.GUEST_GDTR.limit = 0x1'0000; },
     [](V& v) { v.GUEST_IDTR.limit = 0xffff; }},
    {"guest RIP", [](V& v) { v.GUEST_RIP = bit(48); }, [](V& v) { v.GUEST_RIP = bit(47); }},
    {"guest RIP", [](V& v) { v.GUEST_RIP = bit(32); }, [](V& v) { v.GUEST_RIP = 0xffff'ffff; }, protected_mode},
    {"guest RFLAGS: reserved bits", [](V& v) { v.GUEST_RFLAGS = 0; }, [](V& v) { v.GUEST_RFLAGS = 0x27'7fd7 & ~bit(17); }},
    {"guest RFLAGS: reserved bits", [](V& v) { v.GUEST_RFLAGS |= w(3); }, [](V& v) { v.GUEST_RFLAGS |= w(4); }},
    {"guest RFLAGS: reserved bits", [](V& v) { v.GUEST_RFLAGS |= w(22); }, [](V& v) { v.GUEST_RFLAGS |= w(21); }},
    {"guest RFLAGS.VM needs protected mode outside IA-32e mode",
     [](V& v) {
         v.VM_ENTRY_CONTROLS |= w(9);
         v.GUEST_IA32_EFER = 0x500;
     },
     [](V&) {}, virtual_8086},
    {"guest RFLAGS.VM needs protected mode outside IA-32e mode",
     [](V& v) {
         v.SECONDARY_CONTROLS |= w(7);
         v.GUEST_CR0 &= ~u64{w(31) | w(0)};
     },
     [](V& v) { v.SECONDARY_CONTROLS |= w(7); }, virtual_8086},
    {"guest RFLAGS.IF for an injected external interrupt",
     [](V& v) { v.VM_ENTRY_INTERRUPTION_INFO = event(EventType::ExternalInterrupt, 0x20); },
     [](V& v) {
         v.VM_ENTRY_INTERRUPTION_INFO = event(EventType::ExternalInterrupt, 0x20);
         v.GUEST_RFLAGS |= w(9);
     }},
};

}  // namespace ax::sim::x86::test
