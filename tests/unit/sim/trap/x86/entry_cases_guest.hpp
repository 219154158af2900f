// The same over the guest's segments and non-register state.
#pragma once

#include "tests/unit/sim/trap/x86/entry_cases.hpp"

namespace ax::sim::x86::test {

inline constexpr RuleCase segment_cases[] = {
    {"TR selector: TI", [](V& v) { v.GUEST_TR.selector = 4; }, [](V& v) { v.GUEST_TR.selector = 0; }},
    {"LDTR selector: TI", [](V& v) { v.GUEST_LDTR = segment(4, 0x82, 0xff); }, [](V& v) { v.GUEST_LDTR.selector = 4; }},
    {"SS selector: RPL is that of CS", [](V& v) { v.GUEST_CS.selector |= 3; }, [](V& v) { v.GUEST_SS.selector = 0x28; },
     restricted},
    {"virtual-8086 bases follow the selectors", [](V& v) { v.GUEST_ES.base = 0x1'2344; },
     [](V& v) { v.GUEST_ES = segment(1, 0xf3, 0xffff, 16); }, virtual_8086},
    {"TR, FS and GS bases are canonical", [](V& v) { v.GUEST_FS.base = not_canonical; }, [](V& v) { v.GUEST_GS.base = ~u64{0}; }},
    {"LDTR base is canonical", [](V& v) { v.GUEST_LDTR = segment(8, 0x82, 0xff, not_canonical); },
     [](V& v) { v.GUEST_LDTR.base = not_canonical; }},
    {"CS base has 32 bits", [](V& v) { v.GUEST_CS.base = bit(32); }, [](V& v) { v.GUEST_CS.base = bit(31); }},
    {"SS, DS and ES bases have 32 bits", [](V& v) { v.GUEST_ES.base = bit(32); },
     [](V& v) { v.GUEST_ES = segment(0, w(16), 0, bit(32)); }},
    {"virtual-8086 limits", [](V& v) { v.GUEST_DS.limit = 0xfffe; }, [](V&) {}, virtual_8086},
    {"virtual-8086 access rights", [](V& v) { v.GUEST_DS.access_rights = 0x93; }, [](V&) {}, virtual_8086},
    {"CS type", [](V& v) { v.GUEST_CS.access_rights ^= 1; }, [](V& v) { v.GUEST_CS.access_rights ^= 2; }},
    {"CS type", [](V& v) { v.GUEST_CS.access_rights = AccessRights::flat_data; }, [](V& v) { v.GUEST_CS.access_rights |= 4; },
     restricted},
    {"SS type", [](V& v) { v.GUEST_SS.access_rights ^= 2; }, [](V& v) { v.GUEST_SS.access_rights |= 4; }},
    {"DS, ES, FS and GS types", [](V& v) { v.GUEST_ES.access_rights ^= 1; }, [](V& v) { v.GUEST_ES.access_rights ^= 2; }},
    {"DS, ES, FS and GS types", [](V& v) { v.GUEST_FS.access_rights = 0xc099; }, [](V& v) { v.GUEST_FS.access_rights = 0xc09b; }},
    {"segments are code or data", [](V& v) { v.GUEST_GS.access_rights ^= 0x10; },
     [](V& v) { v.GUEST_GS.access_rights = w(16) | 3; }},
    {"CS DPL", [](V& v) { v.GUEST_CS.access_rights |= 0x20; }, [](V& v) { v.GUEST_CS.access_rights |= 4; }},
    {"CS DPL", [](V& v) { v.GUEST_CS.access_rights = AccessRights::real_mode_data | 0x60; },
     [](V& v) { v.GUEST_CS.access_rights = AccessRights::real_mode_data; }, real_mode},
    {"SS DPL",
     [](V& v) {
         v.GUEST_SS.access_rights |= 0x60;
         v.GUEST_CS.access_rights |= 0x60;
     },
     [](V& v) {
         v.GUEST_SS.access_rights |= 0x60;
         v.GUEST_CS.access_rights |= 0x60;
         v.GUEST_SS.selector |= 3;
         v.GUEST_CS.selector |= 3;
     },
     restricted},
    {"SS DPL",
     [](V& v) {
         v.GUEST_SS.access_rights |= 0x20;
         v.GUEST_CS.access_rights |= 0x20;
     },
     [](V&) {}, real_mode},
    {"DS, ES, FS and GS DPL", [](V& v) { v.GUEST_DS.selector |= 1; },
     [](V& v) {
         v.GUEST_DS.selector |= 1;
         v.GUEST_DS.access_rights |= 0x20;
     },
     restricted},
    {"segments are present", [](V& v) { v.GUEST_DS.access_rights ^= 0x80; }, [](V& v) { v.GUEST_DS.access_rights = w(16); }},
    {"segment access rights: reserved bits", [](V& v) { v.GUEST_CS.access_rights |= w(8); },
     [](V& v) { v.GUEST_CS.access_rights |= w(12); }},
    {"segment access rights: reserved bits", [](V& v) { v.GUEST_SS.access_rights |= w(17); },
     [](V& v) { v.GUEST_SS.access_rights = w(16) | w(17); }},
    {"CS: L excludes D in IA-32e mode", [](V& v) { v.GUEST_CS.access_rights |= w(14); },
     [](V& v) {
         v.GUEST_CS.access_rights = AccessRights::flat_code32;
         v.GUEST_RIP = 0;
     }},
    {"segment granularity fits the limit", [](V& v) { v.GUEST_DS.limit = 0xffff'fffe; }, [](V& v) { v.GUEST_DS.limit = 0x0fff; }},
    {"segment granularity fits the limit", [](V& v) { v.GUEST_DS = segment(0x18, 0x93, 0x10'0000); },
     [](V& v) { v.GUEST_DS = segment(0x18, 0x93, 0xf'fffe); }},
    {"TR type", [](V& v) { v.GUEST_TR.access_rights = 0x83; }, [](V&) {}},
    {"TR type", [](V& v) { v.GUEST_TR.access_rights = 0x89; }, [](V& v) { v.GUEST_TR.access_rights = 0x83; }, protected_mode},
    {"TR is a present system segment", [](V& v) { v.GUEST_TR.access_rights |= 0x10; }, [](V&) {}},
    {"TR is a present system segment", [](V& v) { v.GUEST_TR.access_rights ^= 0x80; }, [](V&) {}},
    {"TR access rights: reserved bits", [](V& v) { v.GUEST_TR.access_rights |= w(11); },
     [](V& v) { v.GUEST_TR.access_rights |= w(12); }},
    {"TR granularity fits the limit", [](V& v) { v.GUEST_TR.access_rights |= w(15); },
     [](V& v) {
         v.GUEST_TR.access_rights |= w(15);
         v.GUEST_TR.limit = 0xfff;
     }},
    {"TR is usable", [](V& v) { v.GUEST_TR.access_rights |= w(16); }, [](V&) {}},
    {"LDTR type", [](V& v) { v.GUEST_LDTR = segment(8, 0x83, 0xff); }, [](V& v) { v.GUEST_LDTR = segment(8, 0x82, 0xff); }},
    {"LDTR is a present system segment", [](V& v) { v.GUEST_LDTR = segment(8, 0x02, 0xff); },
     [](V& v) { v.GUEST_LDTR = segment(8, 0x82, 0xff); }},
    {"LDTR access rights: reserved bits", [](V& v) { v.GUEST_LDTR = segment(8, 0x182, 0xff); },
     [](V& v) { v.GUEST_LDTR = segment(8, w(16) | 0x182); }},
    {"LDTR granularity fits the limit", [](V& v) { v.GUEST_LDTR = segment(8, 0x8082, 0xff); },
     [](V& v) { v.GUEST_LDTR = segment(8, 0x8082, 0xfff); }},
};

inline constexpr RuleCase state_cases[] = {
    {"activity state", [](V& v) { v.GUEST_ACTIVITY_STATE = 4; }, [](V& v) { v.GUEST_ACTIVITY_STATE = 3; }},
    {"HLT at CPL 0 only",
     [](V& v) {
         v.GUEST_ACTIVITY_STATE = 1;
         v.GUEST_SS.access_rights |= 0x60;
         v.GUEST_CS.access_rights |= 0x60;
     },
     [](V& v) { v.GUEST_ACTIVITY_STATE = 1; }},
    {"a shadow of STI or MOV SS needs the active state",
     [](V& v) {
         v.GUEST_ACTIVITY_STATE = 1;
         v.GUEST_INTERRUPTIBILITY_STATE = 2;
     },
     [](V& v) { v.GUEST_INTERRUPTIBILITY_STATE = 2; }},
    {"injected event fits the activity state",
     [](V& v) {
         v.GUEST_ACTIVITY_STATE = 1;
         v.VM_ENTRY_INTERRUPTION_INFO = event(EventType::HardwareException, 6);
     },
     [](V& v) {
         v.GUEST_ACTIVITY_STATE = 1;
         v.VM_ENTRY_INTERRUPTION_INFO = event(EventType::HardwareException, 1);
     }},
    {"injected event fits the activity state",
     [](V& v) {
         v.GUEST_ACTIVITY_STATE = 2;
         v.GUEST_RFLAGS |= w(9);
         v.VM_ENTRY_INTERRUPTION_INFO = event(EventType::ExternalInterrupt, 32);
     },
     [](V& v) {
         v.GUEST_ACTIVITY_STATE = 2;
         v.VM_ENTRY_INTERRUPTION_INFO = event(EventType::HardwareException, 18);
     }},
    {"injected event fits the activity state",
     [](V& v) {
         v.GUEST_ACTIVITY_STATE = 3;
         v.VM_ENTRY_INTERRUPTION_INFO = event(EventType::Nmi, 2);
     },
     [](V& v) {
         v.GUEST_ACTIVITY_STATE = 2;
         v.VM_ENTRY_INTERRUPTION_INFO = event(EventType::Nmi, 2);
     }},
    {"interruptibility: reserved bits", [](V& v) { v.GUEST_INTERRUPTIBILITY_STATE = w(5); },
     [](V& v) { v.GUEST_INTERRUPTIBILITY_STATE = w(3); }},
    {"blocking by STI and by MOV SS exclude each other",
     [](V& v) {
         v.GUEST_INTERRUPTIBILITY_STATE = 3;
         v.GUEST_RFLAGS |= w(9);
     },
     [](V& v) {
         v.GUEST_INTERRUPTIBILITY_STATE = 1;
         v.GUEST_RFLAGS |= w(9);
     }},
    {"blocking by STI needs RFLAGS.IF", [](V& v) { v.GUEST_INTERRUPTIBILITY_STATE = 1; },
     [](V& v) { v.GUEST_INTERRUPTIBILITY_STATE = 2; }},
    {"an injected external interrupt meets no shadow",
     [](V& v) {
         v.GUEST_INTERRUPTIBILITY_STATE = 1;
         v.GUEST_RFLAGS |= w(9);
         v.VM_ENTRY_INTERRUPTION_INFO = event(EventType::ExternalInterrupt, 32);
     },
     [](V& v) {
         v.GUEST_INTERRUPTIBILITY_STATE = 8;
         v.GUEST_RFLAGS |= w(9);
         v.VM_ENTRY_INTERRUPTION_INFO = event(EventType::ExternalInterrupt, 32);
     }},
    {"an injected NMI meets no blocking by MOV SS",
     [](V& v) {
         v.GUEST_INTERRUPTIBILITY_STATE = 2;
         v.VM_ENTRY_INTERRUPTION_INFO = event(EventType::Nmi, 2);
     },
     [](V& v) { v.VM_ENTRY_INTERRUPTION_INFO = event(EventType::Nmi, 2); }},
    {"an injected NMI meets no blocking by STI",
     [](V& v) {
         v.GUEST_INTERRUPTIBILITY_STATE = 1;
         v.GUEST_RFLAGS |= w(9);
         v.VM_ENTRY_INTERRUPTION_INFO = event(EventType::Nmi, 2);
     },
     [](V& v) {
         v.GUEST_RFLAGS |= w(9);
         v.VM_ENTRY_INTERRUPTION_INFO = event(EventType::Nmi, 2);
     }},
    {"blocking by SMI", [](V& v) { v.GUEST_INTERRUPTIBILITY_STATE = 4; }, [](V&) {}},
    {"an injected virtual NMI meets no blocking by NMI",
     [](V& v) {
         v.GUEST_INTERRUPTIBILITY_STATE = 8;
         v.VM_ENTRY_INTERRUPTION_INFO = event(EventType::Nmi, 2);
     },
     [](V& v) {
         v.GUEST_INTERRUPTIBILITY_STATE = 8;
         v.PIN_BASED_CONTROLS &= ~w(5);
         v.VM_ENTRY_INTERRUPTION_INFO = event(EventType::Nmi, 2);
     }},
    {"pending debug exceptions: reserved bits", [](V& v) { v.GUEST_PENDING_DEBUG_EXCEPTIONS = w(13); },
     [](V& v) { v.GUEST_PENDING_DEBUG_EXCEPTIONS = w(12) | w(14) | 0xf; }},
    {"pending debug exceptions: BS is RFLAGS.TF",
     [](V& v) {
         v.GUEST_INTERRUPTIBILITY_STATE = 2;
         v.GUEST_RFLAGS |= w(8);
     },
     [](V& v) {
         v.GUEST_INTERRUPTIBILITY_STATE = 2;
         v.GUEST_RFLAGS |= w(8);
         v.GUEST_PENDING_DEBUG_EXCEPTIONS = w(14);
     }},
    {"pending debug exceptions: BS is RFLAGS.TF",
     [](V& v) {
         v.GUEST_ACTIVITY_STATE = 1;
         v.GUEST_PENDING_DEBUG_EXCEPTIONS = w(14);
     },
     [](V& v) {
         v.GUEST_ACTIVITY_STATE = 1;
         v.GUEST_RFLAGS |= w(8);
         v.GUEST_IA32_DEBUGCTL = 2;
     }},
    {"VMCS link pointer", [](V& v) { v.VMCS_LINK_POINTER = 0; }, [](V&) {}},
    {"PDPTEs", [](V& v) { v.GUEST_PDPTE[3] = 3; }, [](V& v) { v.GUEST_PDPTE[3] = 0xff'ffff'fe19; }, protected_mode},
    {"PDPTEs", [](V& v) { v.GUEST_PDPTE[0] = bit(40) | 1; }, [](V& v) { v.GUEST_PDPTE[0] = ~u64{1}; }, protected_mode},
};

}  // namespace ax::sim::x86::test
