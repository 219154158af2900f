// What the core programs into a VMCS, from the VM's settings and what the CPU can do.
#pragma once

#include <expected>
#include <optional>

#include "core/arch/x86/vmcs.hpp"
#include "core/base/addr.hpp"

namespace ax::x86 {

/// What the CPU reports in IA32_VMX_*: "VMX Capability Reporting Facility". The words of controls are those of the TRUE MSRs;
/// see `ControlCapability`.
struct VmxCapabilities {
    u64 pin = 0;
    u64 primary = 0;
    u64 secondary = 0;
    u64 exit = 0;
    u64 entry = 0;
    u64 cr0_fixed0 = 0;  ///< bits that are 1 in VMX operation
    u64 cr0_fixed1 = 0;  ///< bits that may be 1
    u64 cr4_fixed0 = 0;
    u64 cr4_fixed1 = 0;
    u64 ept_vpid = 0;
};

/// IA32_VMX_EPT_VPID_CAP.
struct EptVpidCapability {
    using ExecuteOnly = Bits<0>;
    using WalkLength4 = Bits<6>;
    using WriteBack = Bits<14>;
    using Page2MiB = Bits<16>;
    using Page1GiB = Bits<17>;
    using Invept = Bits<20>;
    using InveptSingle = Bits<25>;
    using InveptAll = Bits<26>;
    using Invvpid = Bits<32>;
};

/// A processor with EPT, VPIDs and unrestricted guests: what a simulated CPU and tests report.
inline constexpr VmxCapabilities typical_capabilities = {
    .pin = 0x0000'007f'0000'0016,
    .primary = 0xfff9'fffe'0400'6172,
    .secondary = 0x0001'7cff'0000'0000,
    .exit = 0x007f'ffff'0003'6dfb,
    .entry = 0x0000'ffff'0000'11fb,
    .cr0_fixed0 = 0x8000'0021,
    .cr0_fixed1 = 0xffff'ffff,
    .cr4_fixed0 = 0x2000,
    .cr4_fixed1 = 0x0037'67ff,
    .ept_vpid = 0x0000'0f01'0673'4141,
};

/// Where the CPU goes on after an exit: "Host-State Area". The values that are given here are those of a 64-bit hypervisor
/// whose tables are elsewhere; a port to hardware sets all of them.
struct HostState {
    u64 cr0 = 0x8005'0033;
    u64 cr3 = 0x1000;
    u64 cr4 = 0x2020;
    u64 efer = 0xd00;
    u64 pat = 0x0007'0406'0007'0406;
    u16 cs = 0x08;
    u16 data = 0x10;  ///< SS, DS, ES
    u16 tr = 0x18;
    u64 tr_base = 0;
    u64 gdtr_base = 0;
    u64 idtr_base = 0;
    u64 rsp = 0;
    u64 rip = 0;
};

/// Pages with a bit for each port; the guest's IN and OUT exit where it is set: "I/O-Bitmap Addresses".
struct IoBitmaps {
    Hpa a{};  ///< ports 0 to 0x7fff
    Hpa b{};
};

struct ControlSettings {
    Hpa ept_root{};
    u16 vpid = 1;                           ///< not 0
    Hpa msr_bitmap{};                       ///< filled by `fill_msr_bitmap`
    std::optional<IoBitmaps> io_bitmaps{};  ///< without them every port exits
    u64 tsc_offset = 0;                     ///< added to the host's time-stamp counter
    bool exits_on_rdtsc = false;
    bool exits_on_pause = false;  ///< where several vCPUs may wait for each other
    bool has_rdtscp = true;       ///< as CPUID tells the guest
    u64 guest_cr4 = 0;            ///< bits that CPUID lets the guest set; see `cr4_bits`
    u32 extra_exceptions = 0;     ///< bits of the exception bitmap beyond those that the core needs
    HostState host{};
};

enum class ControlWord : u8 { Pin, Primary, Secondary, Exit, Entry, Ept };
/// The CPU lacks `bits` of a word of controls that the core needs: the VM cannot run on it.
struct ControlError {
    ControlWord word = ControlWord::Pin;
    u64 bits = 0;
};

/// Controls and host state; the guest's state is `start.hpp`'s. Bits that the CPU wants to be one are.
[[nodiscard]] std::expected<Vmcs, ControlError> controls_for(const ControlSettings& settings,
                                                             const VmxCapabilities& capabilities);

/// The EPT pointer of tables of four levels in write-back memory.
[[nodiscard]] constexpr u64 ept_pointer(Hpa root) {
    constexpr u64 levels = 4;
    return Eptp::MemoryType::of(Eptp::write_back) | Eptp::WalkLengthMinus1::of(levels - 1) | Eptp::Root::of(root.page_number());
}
static_assert(ept_pointer(Hpa{0x8123'4000}) == 0x8123'401e);

/// Exceptions that are the core's: #DB and #AC, which a guest can make recur without end while it handles them, and #MC, which
/// is the host's. The first two go back to the guest.
inline constexpr u32 needed_exceptions =
    static_cast<u32>(bit(index(Vector::DB)) | bit(index(Vector::AC)) | bit(index(Vector::MC)));

}  // namespace ax::x86
