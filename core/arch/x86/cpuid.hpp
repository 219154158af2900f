// What CPUID tells a guest: a subset of what every engine and processor has. Source: Intel SDM vol. 2, "CPUID—CPU
// Identification", and, for the leaves from 0x80000000, its "Extended Function CPUID Information".
#pragma once

#include "core/arch/x86/decode.hpp"

namespace ax::x86 {

struct CpuidPolicy {
    u8 apic_id = 0;
    bool has_tsc_deadline = true;
    bool has_x2apic = false;
    bool has_1gib_pages = false;
    u64 arch_capabilities = 0;  ///< IA32_ARCH_CAPABILITIES; zero where there is none
};

/// Family, model and stepping that leaf 1 reports, and EDX at reset.
inline constexpr u32 processor_signature = 0x306a9;

/// Leaf 1, ECX and EDX.
struct CpuidFeatures {
    using SSE3 = Bits<0>;
    using PCLMULQDQ = Bits<1>;
    using SSSE3 = Bits<9>;
    using CMPXCHG16B = Bits<13>;
    using SSE4_1 = Bits<19>;
    using SSE4_2 = Bits<20>;
    using X2APIC = Bits<21>;
    using POPCNT = Bits<23>;
    using TSC_DEADLINE = Bits<24>;
    using AESNI = Bits<25>;
    using HYPERVISOR = Bits<31>;

    using FPU = Bits<0>;
    using PSE = Bits<3>;
    using TSC = Bits<4>;
    using MSR = Bits<5>;
    using PAE = Bits<6>;
    using CX8 = Bits<8>;
    using APIC = Bits<9>;
    using MTRR = Bits<12>;
    using PGE = Bits<13>;
    using CMOV = Bits<15>;
    using PAT = Bits<16>;
    using CLFSH = Bits<19>;
    using MMX = Bits<23>;
    using FXSR = Bits<24>;
    using SSE = Bits<25>;
    using SSE2 = Bits<26>;
};

/// Every leaf has an answer; those without a meaning are zero. Each vCPU is a package of its own. There is no XSAVE, no RDRAND,
/// no MONITOR and no performance counter.
[[nodiscard]] CpuidResult cpuid(const CpuidPolicy& policy, u32 leaf, u32 subleaf);

/// Bits of CR4 that a CPU with these features has.
[[nodiscard]] constexpr u64 cr4_bits() {
    return Cr4::TSD::mask | Cr4::PSE::mask | Cr4::PAE::mask | Cr4::PGE::mask | Cr4::PCE::mask | Cr4::OSFXSR::mask |
           Cr4::OSXMMEXCPT::mask;
}
static_assert(cr4_bits() == 0x7b4);

}  // namespace ax::x86
