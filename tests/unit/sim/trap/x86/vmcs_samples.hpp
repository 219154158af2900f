// VMCSs that a VM entry takes: a long-mode kernel, and what makes other guests of it.
#pragma once

#include "core/arch/x86/vmcs.hpp"
#include "sim/trap/x86/vmx_cpu.hpp"

namespace ax::sim::x86::test {

using namespace ax::x86;

/// Every control is implemented, so that the rules about combinations can be reached.
inline VmxCpu permissive_cpu() {
    VmxCpu cpu;
    for (u64* word : {&cpu.pin, &cpu.primary, &cpu.secondary, &cpu.exit, &cpu.entry}) *word |= ControlCapability::Allowed1::mask;
    return cpu;
}

inline VmxCpu this_cpu() { return {}; }
inline VmxCpu cpu_with_pcids() {
    VmxCpu cpu;
    cpu.cr4_fixed1 |= Cr4::PCIDE::mask;
    return cpu;
}

inline VmcsSegment segment(u16 selector, u32 access_rights, u32 limit = 0xffff'ffff, u64 base = 0) {
    return {selector, limit, access_rights, base};
}

/// A 64-bit kernel at CPL 0 with EPT and an unrestricted guest.
inline Vmcs long_mode() {
    Vmcs v;
    v.PIN_BASED_CONTROLS = 0x16 | 0x29;
    v.PRIMARY_CONTROLS = 0x0400'6172 | bit(31) | bit(28) | bit(24) | bit(7);
    v.SECONDARY_CONTROLS = bit(1) | bit(5) | bit(7);
    v.VM_EXIT_CONTROLS = 0x0003'6dfb | bit(9) | bit(20) | bit(21) | bit(15) | bit(2);
    v.VM_ENTRY_CONTROLS = 0x11fb | bit(9) | bit(15) | bit(2);
    v.VPID = 1;
    v.EPT_POINTER = 0x1'0000 | 0x1e;
    v.MSR_BITMAPS = 0x2'0000;
    v.HOST_CR0 = 0x8000'0033;
    v.HOST_CR4 = 0x2020;
    v.HOST_CR3 = 0x5000;
    v.HOST_CS_SELECTOR = 8;
    v.HOST_SS_SELECTOR = 0x10;
    v.HOST_TR_SELECTOR = 0x18;
    v.HOST_IA32_EFER = 0x500;
    v.HOST_RIP = 0xffff'8000'0000'0000;
    v.GUEST_CS = segment(0x10, AccessRights::flat_code64);
    for (VmcsSegment* s : {&v.GUEST_SS, &v.GUEST_DS, &v.GUEST_ES, &v.GUEST_FS, &v.GUEST_GS})
        *s = segment(0x18, AccessRights::flat_data);
    v.GUEST_TR = segment(0x20, 0x8b, 0x67);
    v.GUEST_LDTR = segment(0, AccessRights::null);
    v.GUEST_CR0 = 0x8000'0033;
    v.GUEST_CR3 = 0x6000;
    v.GUEST_CR4 = 0x2020;
    v.GUEST_IA32_EFER = 0xd01;
    v.GUEST_DR7 = 0x400;
    v.GUEST_RFLAGS = 2;
    v.GUEST_RIP = 0xffff'ffff'8100'0000;
    return v;
}
/// 32-bit code; paging is PAE with four absent PDPTEs.
inline Vmcs protected_mode() {
    Vmcs v = long_mode();
    v.VM_ENTRY_CONTROLS &= ~static_cast<u32>(bit(9));
    v.GUEST_CS = segment(0x10, AccessRights::flat_code32);
    v.GUEST_IA32_EFER = 0;
    v.GUEST_RIP = 0x10'0000;
    return v;
}
/// The same without an unrestricted guest.
inline Vmcs restricted() {
    Vmcs v = protected_mode();
    v.SECONDARY_CONTROLS &= ~static_cast<u32>(bit(7));
    return v;
}
inline Vmcs real_mode() {
    Vmcs v = protected_mode();
    v.GUEST_CR0 = 0x30;
    v.GUEST_CR4 = 0x2000;
    v.GUEST_CS = segment(0x1000, AccessRights::real_mode_code, 0xffff, 0x1'0000);
    for (VmcsSegment* s : {&v.GUEST_SS, &v.GUEST_DS, &v.GUEST_ES, &v.GUEST_FS, &v.GUEST_GS})
        *s = segment(0, AccessRights::real_mode_data, 0xffff, 0);
    v.GUEST_RIP = 0x10;
    return v;
}
inline Vmcs virtual_8086() {
    Vmcs v = restricted();
    v.GUEST_RFLAGS |= Rflags::VM::mask;
    for (VmcsSegment* s : {&v.GUEST_CS, &v.GUEST_SS, &v.GUEST_DS, &v.GUEST_ES, &v.GUEST_FS, &v.GUEST_GS})
        *s = segment(0x1234, 0xf3, 0xffff, 0x1'2340);
    return v;
}

inline u32 event(EventType type, unsigned vector, bool has_code = false) {
    return static_cast<u32>(EventWord::Valid::mask | EventWord::Type::of(index(type)) | EventWord::VectorNumber::of(vector) |
                            EventWord::DeliverErrorCode::of(has_code));
}

}  // namespace ax::sim::x86::test
