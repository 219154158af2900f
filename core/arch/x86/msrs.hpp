// Which model-specific registers a guest has, and who serves them. Source: Intel SDM vol. 4, "Architectural MSRs", and vol. 3,
// "MSR-Bitmap Address".
#pragma once

#include <array>
#include <optional>
#include <span>

#include "core/arch/x86/msr_regs.hpp"
#include "core/base/types.hpp"

namespace ax::x86 {

enum class MsrAction : u8 {
    Unknown,    ///< #GP(0)
    Passed,     ///< the guest's own, in the VMCS or loaded with the vCPU: does not exit
    TimeStamp,  ///< read without an exit; a write changes the TSC offset
    LocalApic,  ///< IA32_APIC_BASE, IA32_TSC_DEADLINE, x2APIC: the interrupt controller's
    MemoryType, ///< the memory type range registers: the vCPU's `Mtrrs`
    Fixed,      ///< reads `value`; see `is_accepted`
};

struct MsrRule {
    MsrAction action = MsrAction::Unknown;
    u64 value = 0;
    u64 ignored = 0;  ///< Fixed: bits that may be written, to no effect

    /// Fixed: false when a write of `written` is #GP(0).
    [[nodiscard]] constexpr bool is_accepted(u64 written) const { return ((written ^ value) & ~ignored) == 0; }
};

struct MsrPolicy {
    bool has_tsc_deadline = true;
    bool has_x2apic = false;
    u64 arch_capabilities = 0;  ///< IA32_ARCH_CAPABILITIES; zero where there is none
};

[[nodiscard]] MsrRule msr_rule(const MsrPolicy& policy, u32 index);

inline constexpr std::size_t msr_bitmap_bytes = 4096;

/// The bitmap for MSR_BITMAPS: a set bit exits. Reads of 0 to 0x1fff, reads of 0xc0000000 to 0xc0001fff, then writes likewise.
void fill_msr_bitmap(const MsrPolicy& policy, std::span<u8, msr_bitmap_bytes> bitmap);

}  // namespace ax::x86
