// Accesses to control registers that exit, done as the CPU would do them for this guest.
#pragma once

#include "core/arch/x86/trap.hpp"

namespace ax::x86 {

/// Gives the guest what MOV to CR0 with `value` gives it on a CPU without VMX; the exception where there is one. Source: vol. 2,
/// "MOV—Move to/from Control Registers"; vol. 3, "Paging-Mode Modifiers" and "Initializing IA-32e Mode".
[[nodiscard]] std::optional<GuestException> write_cr0(Guest& guest, u64 value);
/// The same for CR4; `allowed` are the bits that its CPU has.
[[nodiscard]] std::optional<GuestException> write_cr4(Guest& guest, u64 value, u64 allowed);

/// The bits of CR4 that the guest may set: those that it owns.
[[nodiscard]] constexpr u64 owned_cr4(const Vmcs& v) { return ~v.CR4_GUEST_HOST_MASK; }

/// Loads the four entries of a PAE page-directory-pointer table where paging needs them; an exception when one is bad.
/// "PDPTE Registers".
[[nodiscard]] std::optional<GuestException> load_pdptes(Guest& guest);

}  // namespace ax::x86
