// How an x86 vCPU is made, and how it begins: the same on the CPU that the core enters and on KVM.
#pragma once

#include "core/arch/x86/cpuid.hpp"
#include "core/arch/x86/msrs.hpp"
#include "core/arch/x86/vmcs.hpp"
#include "core/hal/vcpu.hpp"

namespace ax::x86 {

/// How a vCPU begins when it is reset.
enum class StartKind : u8 {
    Startup,    ///< real mode at a page: a start-up IPI
    RealMode,   ///< real mode at an address below 1 MiB
    Reset,      ///< the reset vector
    Protected,  ///< 32-bit protected mode, flat segments
    Long,       ///< 64-bit mode over identity-mapped tables
};

struct VcpuSettings {
    Vmcs controls{};  ///< controls and host state, as `controls_for` makes them
    u32 processor_signature = x86::processor_signature;
    StartKind start = StartKind::Startup;
    Gpa page_tables{};  ///< Long
    Gpa gdt{};          ///< Long
    u16 gdt_limit = 0;  ///< Long
    u32 eax = 0;        ///< Protected; EBX, and RSI in long mode, are the argument of the start
    bool has_tsc_deadline = true;
    bool has_x2apic = false;
    u64 arch_capabilities = 0;  ///< what the CPU below says of itself in IA32_ARCH_CAPABILITIES
    bool has_firmware = false;  ///< its code sets up what a BIOS does; else the vCPU finds that done

    [[nodiscard]] CpuidPolicy cpuid_policy(VcpuId id) const {
        return {.apic_id = static_cast<u8>(index(id)), .has_tsc_deadline = has_tsc_deadline, .has_x2apic = has_x2apic, .arch_capabilities = arch_capabilities};
    }
    [[nodiscard]] MsrPolicy msr_policy() const { return {has_tsc_deadline, has_x2apic, arch_capabilities}; }
    /// Brings the guest state of `vmcs` to where the vCPU begins; the registers that no VMCS has.
    [[nodiscard]] Gprs start_at(Vmcs& vmcs, const BootState& boot) const;
};

}  // namespace ax::x86
