// A VMCS that breaks one rule of a VM entry and one that just keeps it, over controls.
#pragma once

#include "tests/unit/sim/trap/x86/vmcs_samples.hpp"

namespace ax::sim::x86::test {

struct RuleCase {
    const char* rule;
    void (*breaks)(Vmcs&);
    void (*keeps)(Vmcs&);
    Vmcs (*base)() = long_mode;
    VmxCpu (*cpu)() = permissive_cpu;
};

using V = Vmcs;
inline constexpr u32 w(unsigned n) { return u32{1} << n; }
inline constexpr u64 not_canonical = u64{1} << 47;

inline constexpr RuleCase control_cases[] = {
    {"pin-based controls fit the CPU", [](V& v) { v.PIN_BASED_CONTROLS &= ~w(1); }, [](V& v) { v.PIN_BASED_CONTROLS |= w(6); }},
    {"primary controls fit the CPU", [](V& v) { v.PRIMARY_CONTROLS &= ~w(1); }, [](V& v) { v.PRIMARY_CONTROLS |= w(12); }},
    {"secondary controls fit the CPU", [](V& v) { v.SECONDARY_CONTROLS |= w(17); },
     [](V& v) { v.SECONDARY_CONTROLS |= w(16) | w(20); }, long_mode, this_cpu},
    {"CR3-target count", [](V& v) { v.CR3_TARGET_COUNT = 5; }, [](V& v) { v.CR3_TARGET_COUNT = 4; }},
    {"I/O bitmap addresses",
     [](V& v) {
         v.PRIMARY_CONTROLS |= w(25);
         v.IO_BITMAP_B = 0x1800;
     },
     [](V& v) {
         v.PRIMARY_CONTROLS |= w(25);
         v.IO_BITMAP_B = 0xff'ffff'f000;
     }},
    {"MSR bitmap address", [](V& v) { v.MSR_BITMAPS = bit(40); },
     [](V& v) {
         v.MSR_BITMAPS = 1;
         v.PRIMARY_CONTROLS &= ~w(28);
     }},
    {"virtual-APIC address",
     [](V& v) {
         v.PRIMARY_CONTROLS |= w(21);
         v.VIRTUAL_APIC_ADDRESS = 8;
     },
     [](V& v) {
         v.PRIMARY_CONTROLS |= w(21);
         v.VIRTUAL_APIC_ADDRESS = 0x3000;
     }},
    {"TPR threshold bits 31:4",
     [](V& v) {
         v.PRIMARY_CONTROLS |= w(21);
         v.TPR_THRESHOLD = 16;
     },
     [](V& v) {
         v.PRIMARY_CONTROLS |= w(21);
         v.TPR_THRESHOLD = 15;
     }},
    {"virtual NMIs need NMI exiting", [](V& v) { v.PIN_BASED_CONTROLS &= ~w(3); },
     [](V& v) { v.PIN_BASED_CONTROLS &= ~w(3) & ~w(5); }},
    {"NMI-window exiting needs virtual NMIs",
     [](V& v) {
         v.PIN_BASED_CONTROLS &= ~w(5);
         v.PRIMARY_CONTROLS |= w(22);
     },
     [](V& v) { v.PRIMARY_CONTROLS |= w(22); }},
    {"APIC-access address",
     [](V& v) {
         v.SECONDARY_CONTROLS |= w(0);
         v.APIC_ACCESS_ADDRESS = 4;
     },
     [](V& v) {
         v.SECONDARY_CONTROLS |= w(0);
         v.APIC_ACCESS_ADDRESS = 0xfee0'0000;
     }},
    {"APIC virtualization needs a TPR shadow", [](V& v) { v.SECONDARY_CONTROLS |= w(8); },
     [](V& v) {
         v.SECONDARY_CONTROLS |= w(8);
         v.PRIMARY_CONTROLS |= w(21);
     }},
    {"x2APIC mode excludes APIC accesses",
     [](V& v) {
         v.SECONDARY_CONTROLS |= w(0) | w(4);
         v.PRIMARY_CONTROLS |= w(21);
     },
     [](V& v) {
         v.SECONDARY_CONTROLS |= w(4);
         v.PRIMARY_CONTROLS |= w(21);
     }},
    {"virtual interrupts need external-interrupt exiting",
     [](V& v) {
         v.SECONDARY_CONTROLS |= w(9);
         v.PRIMARY_CONTROLS |= w(21);
         v.PIN_BASED_CONTROLS &= ~w(0);
     },
     [](V& v) {
         v.SECONDARY_CONTROLS |= w(9);
         v.PRIMARY_CONTROLS |= w(21);
     }},
    {"posted interrupts need virtual ones and acknowledgement", [](V& v) { v.PIN_BASED_CONTROLS |= w(7); },
     [](V& v) {
         v.PIN_BASED_CONTROLS |= w(7);
         v.SECONDARY_CONTROLS |= w(9);
         v.PRIMARY_CONTROLS |= w(21);
     }},
    {"VPID is not zero", [](V& v) { v.VPID = 0; },
     [](V& v) {
         v.VPID = 0;
         v.SECONDARY_CONTROLS &= ~w(5);
     }},
    {"EPT pointer", [](V& v) { v.EPT_POINTER ^= 8; }, [](V& v) { v.EPT_POINTER = 0x18; }},
    {"EPT pointer", [](V& v) { v.EPT_POINTER |= w(6); }, [](V& v) { v.EPT_POINTER |= 0xff'ffff'f000; }},
    {"EPT pointer", [](V& v) { v.EPT_POINTER |= w(7); }, [](V& v) { v.EPT_POINTER = 0x1e; }},
    {"EPT pointer", [](V& v) { v.EPT_POINTER |= bit(40); }, [](V& v) { v.EPT_POINTER |= bit(39); }},
    {"EPT pointer", [](V& v) { v.EPT_POINTER ^= 2; }, [](V& v) { v.EPT_POINTER = 0x1e; }},
    {"page-modification log needs EPT", [](V& v) { v.SECONDARY_CONTROLS = w(17); }, [](V& v) { v.SECONDARY_CONTROLS |= w(17); },
     protected_mode},
    {"unrestricted guest needs EPT", [](V& v) { v.SECONDARY_CONTROLS &= ~w(1); },
     [](V& v) { v.SECONDARY_CONTROLS &= ~w(1) & ~w(7); }},
    {"mode-based execute control needs EPT", [](V& v) { v.SECONDARY_CONTROLS = w(22); },
     [](V& v) { v.SECONDARY_CONTROLS |= w(22); }},
    {"VM-exit controls fit the CPU", [](V& v) { v.VM_EXIT_CONTROLS &= ~w(0); }, [](V& v) { v.VM_EXIT_CONTROLS |= w(18); }},
    {"saving the preemption timer needs the timer", [](V& v) { v.VM_EXIT_CONTROLS |= w(22); },
     [](V& v) {
         v.VM_EXIT_CONTROLS |= w(22);
         v.PIN_BASED_CONTROLS |= w(6);
     }},
    {"VM-exit MSR-store area is empty", [](V& v) { v.VM_EXIT_MSR_STORE_COUNT = 1; },
     [](V& v) { v.VM_EXIT_MSR_STORE_ADDRESS = 1; }},
    {"VM-exit MSR-load area is empty", [](V& v) { v.VM_EXIT_MSR_LOAD_COUNT = 1; }, [](V& v) { v.VM_EXIT_MSR_LOAD_ADDRESS = 1; }},
    {"VM-entry controls fit the CPU", [](V& v) { v.VM_ENTRY_CONTROLS &= ~w(0); }, [](V& v) { v.VM_ENTRY_CONTROLS |= w(13); }},
    {"injected event: type", [](V& v) { v.VM_ENTRY_INTERRUPTION_INFO = w(31) | (1 << 8); },
     [](V& v) { v.VM_ENTRY_INTERRUPTION_INFO = 1 << 8; }},
    {"injected event: type", [](V& v) { v.VM_ENTRY_INTERRUPTION_INFO = event(EventType::Other, 0); },
     [](V& v) { v.VM_ENTRY_INTERRUPTION_INFO = event(EventType::HardwareException, 6); }},
    {"injected event: vector fits the type", [](V& v) { v.VM_ENTRY_INTERRUPTION_INFO = event(EventType::Nmi, 3); },
     [](V& v) { v.VM_ENTRY_INTERRUPTION_INFO = event(EventType::Nmi, 2); }},
    {"injected event: vector fits the type", [](V& v) { v.VM_ENTRY_INTERRUPTION_INFO = event(EventType::HardwareException, 32); },
     [](V& v) { v.VM_ENTRY_INTERRUPTION_INFO = event(EventType::HardwareException, 31); }},
    {"injected event: error code where the exception has one",
     [](V& v) { v.VM_ENTRY_INTERRUPTION_INFO = event(EventType::HardwareException, 13); },
     [](V& v) { v.VM_ENTRY_INTERRUPTION_INFO = event(EventType::HardwareException, 13, true); }},
    {"injected event: error code where the exception has one",
     [](V& v) { v.VM_ENTRY_INTERRUPTION_INFO = event(EventType::HardwareException, 6, true); },
     [](V& v) { v.VM_ENTRY_INTERRUPTION_INFO = event(EventType::HardwareException, 6); }},
    {"injected event: error code where the exception has one",
     [](V& v) { v.VM_ENTRY_INTERRUPTION_INFO = event(EventType::HardwareException, 13, true); },
     [](V& v) { v.VM_ENTRY_INTERRUPTION_INFO = event(EventType::HardwareException, 13); }, real_mode},
    {"injected event: bits 30:12", [](V& v) { v.VM_ENTRY_INTERRUPTION_INFO = event(EventType::Nmi, 2) | w(12); },
     [](V& v) { v.VM_ENTRY_INTERRUPTION_INFO = event(EventType::Nmi, 2); }},
    {"injected event: error code bits 31:16",
     [](V& v) {
         v.VM_ENTRY_INTERRUPTION_INFO = event(EventType::HardwareException, 14, true);
         v.VM_ENTRY_EXCEPTION_ERROR_CODE = w(16);
     },
     [](V& v) {
         v.VM_ENTRY_INTERRUPTION_INFO = event(EventType::HardwareException, 14, true);
         v.VM_ENTRY_EXCEPTION_ERROR_CODE = 0x7fff;
     }},
    {"injected event: instruction length", [](V& v) { v.VM_ENTRY_INTERRUPTION_INFO = event(EventType::SoftwareInterrupt, 0x80); },
     [](V& v) {
         v.VM_ENTRY_INTERRUPTION_INFO = event(EventType::SoftwareInterrupt, 0x80);
         v.VM_ENTRY_INSTRUCTION_LENGTH = 2;
     }},
    {"injected event: instruction length",
     [](V& v) {
         v.VM_ENTRY_INTERRUPTION_INFO = event(EventType::SoftwareException, 3);
         v.VM_ENTRY_INSTRUCTION_LENGTH = 16;
     },
     [](V& v) {
         v.VM_ENTRY_INTERRUPTION_INFO = event(EventType::SoftwareException, 3);
         v.VM_ENTRY_INSTRUCTION_LENGTH = 15;
     }},
    {"VM-entry MSR-load area is empty", [](V& v) { v.VM_ENTRY_MSR_LOAD_COUNT = 1; },
     [](V& v) { v.VM_ENTRY_MSR_LOAD_ADDRESS = 1; }},
    {"no entry to SMM", [](V& v) { v.VM_ENTRY_CONTROLS |= w(10); }, [](V&) {}},
};

}  // namespace ax::sim::x86::test
