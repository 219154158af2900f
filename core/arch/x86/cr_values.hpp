// CR0 and CR4 as the guest sees them, and as the VMCS holds them.
#pragma once

#include "core/arch/x86/vmcs.hpp"

namespace ax::x86 {

/// What the guest reads: "Guest/Host Masks and Read Shadows for CR0 and CR4".
[[nodiscard]] constexpr u64 seen(u64 real, u64 shadow, u64 mask) { return (real & ~mask) | (shadow & mask); }
static_assert(seen(0x31, 0x6000'0010, 0x6000'0020) == 0x6000'0011);

[[nodiscard]] constexpr u64 guest_cr0(const Vmcs& v) { return seen(v.GUEST_CR0, v.CR0_READ_SHADOW, v.CR0_GUEST_HOST_MASK); }
[[nodiscard]] constexpr u64 guest_cr4(const Vmcs& v) { return seen(v.GUEST_CR4, v.CR4_READ_SHADOW, v.CR4_GUEST_HOST_MASK); }

/// Gives the guest a CR0: caches stay on, and NE is fixed in VMX operation. ET is hard-wired.
constexpr void set_guest_cr0(Vmcs& v, u64 value) {
    constexpr u64 never = Cr0::CD::mask | Cr0::NW::mask;
    v.GUEST_CR0 = (value & ~never) | Cr0::NE::mask | Cr0::ET::mask;
    v.CR0_READ_SHADOW = value | Cr0::ET::mask;
}

/// Gives the guest a CR4; VMXE is fixed in VMX operation.
constexpr void set_guest_cr4(Vmcs& v, u64 value) {
    v.GUEST_CR4 = value | Cr4::VMXE::mask;
    v.CR4_READ_SHADOW = value;
}

/// EFER, whose LMA the entry controls repeat: "VM-Entry Controls", IA-32e mode guest.
constexpr void set_guest_efer(Vmcs& v, u64 value) {
    v.GUEST_IA32_EFER = value;
    v.VM_ENTRY_CONTROLS = static_cast<u32>(EntryControls::Ia32eModeGuest::set(v.VM_ENTRY_CONTROLS, Efer::LMA::get(value)));
}

}  // namespace ax::x86
