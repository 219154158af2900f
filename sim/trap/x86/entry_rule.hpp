// One check of a VM entry as a row of a table.
#pragma once

#include <span>

#include "core/arch/x86/vmcs.hpp"
#include "sim/trap/x86/vmx_cpu.hpp"

namespace ax::sim::x86 {

struct EntryRule {
    const char* name;
    const char* section;  ///< of Intel SDM vol. 3, chapter "VM Entries"
    bool (*holds)(const ax::x86::Vmcs&, const VmxCpu&);
    u8 qualification = 0;  ///< guest state only: "VM-Entry Failures During or After Loading Guest State"
};

/// A rule of the same sections that is not checked, and why.
struct UncheckedRule {
    const char* name;
    const char* section;
    const char* reason;
};

/// By area, in the order in which they are checked.
[[nodiscard]] std::span<const EntryRule> control_rules();
[[nodiscard]] std::span<const EntryRule> host_rules();
[[nodiscard]] std::span<const EntryRule> guest_register_rules();
[[nodiscard]] std::span<const EntryRule> guest_segment_rules();
[[nodiscard]] std::span<const EntryRule> guest_state_rules();
[[nodiscard]] std::span<const UncheckedRule> unchecked_rules();

// What several rules ask.

[[nodiscard]] constexpr bool is_canonical(u64 address) { return sign_extend(address << 16 >> 16, 6) == address; }
static_assert(is_canonical(0xffff'8000'0000'0000) && !is_canonical(0x8000'0000'0000) && is_canonical(0x7fff'ffff'ffff));

[[nodiscard]] constexpr bool is_physical(u64 address, const VmxCpu& cpu) { return (address >> cpu.mmu.physical_bits) == 0; }
[[nodiscard]] constexpr bool is_physical_page(u64 address, const VmxCpu& cpu) {
    return address % page_size == 0 && is_physical(address, cpu);
}
/// Every byte of IA32_PAT is a memory type: "VM Entries", checks on PAT fields.
[[nodiscard]] constexpr bool is_valid_pat(u64 pat) {
    for (unsigned n = 0; n < 8; ++n) {
        const u64 type = (pat >> (8 * n)) & 0xff;
        if (type == 2 || type == 3 || type > 7) return false;
    }
    return true;
}
static_assert(is_valid_pat(0x0007'0406'0007'0406) && !is_valid_pat(2));

/// The secondary controls, which count as zero where the primary ones do not activate them.
[[nodiscard]] constexpr u32 secondary_of(const ax::x86::Vmcs& vmcs) {
    return ax::x86::PrimaryControls::ActivateSecondary::test(vmcs.PRIMARY_CONTROLS) ? vmcs.SECONDARY_CONTROLS : 0;
}
[[nodiscard]] constexpr bool is_unrestricted(const ax::x86::Vmcs& vmcs) {
    return ax::x86::SecondaryControls::UnrestrictedGuest::test(secondary_of(vmcs));
}
[[nodiscard]] constexpr bool is_ia32e(const ax::x86::Vmcs& vmcs) {
    return ax::x86::EntryControls::Ia32eModeGuest::test(vmcs.VM_ENTRY_CONTROLS);
}
/// The event to inject, if there is one of this type.
[[nodiscard]] constexpr bool injects(const ax::x86::Vmcs& vmcs, ax::x86::EventType type) {
    using ax::x86::EventWord;
    const u32 word = vmcs.VM_ENTRY_INTERRUPTION_INFO;
    return EventWord::Valid::test(word) && EventWord::Type::get(word) == index(type);
}

}  // namespace ax::sim::x86
