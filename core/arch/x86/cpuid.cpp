// The CPUID policy.
#include "core/arch/x86/cpuid.hpp"

#include <string_view>

namespace ax::x86 {

namespace {

using F = CpuidFeatures;

constexpr u32 max_basic_leaf = 7;
constexpr u32 first_hypervisor_leaf = 0x4000'0000;
constexpr u32 max_hypervisor_leaf = 0x4000'0000;
constexpr u32 first_extended_leaf = 0x8000'0000;
constexpr u32 max_extended_leaf = 0x8000'0008;
constexpr u32 first_brand_leaf = 0x8000'0002;

/// Four characters from position `at` in a register, the first in its low byte.
constexpr u32 letters(std::string_view text, std::size_t at = 0) {
    u32 word = 0;
    for (std::size_t i = 0; i < 4 && at + i < text.size(); ++i)
        word |= static_cast<u32>(static_cast<u8>(text[at + i])) << (8 * i);
    return word;
}
static_assert(letters("Genu") == 0x756e'6547);

CpuidResult features(const CpuidPolicy& p) {
    using ApicId = Bits<31, 24>;
    using LogicalCpus = Bits<23, 16>;
    using ClflushSize = Bits<15, 8>;  // in units of 8 bytes
    constexpr u64 ecx = F::SSE3::mask | F::PCLMULQDQ::mask | F::SSSE3::mask | F::CMPXCHG16B::mask | F::SSE4_1::mask |
                        F::SSE4_2::mask | F::POPCNT::mask | F::AESNI::mask | F::HYPERVISOR::mask;
    constexpr u64 edx = F::FPU::mask | F::PSE::mask | F::TSC::mask | F::MSR::mask | F::PAE::mask | F::CX8::mask | F::APIC::mask |
                        F::MTRR::mask | F::PGE::mask | F::CMOV::mask | F::PAT::mask | F::CLFSH::mask | F::MMX::mask |
                        F::FXSR::mask | F::SSE::mask | F::SSE2::mask;
    const u64 optional = F::TSC_DEADLINE::of(p.has_tsc_deadline) | F::X2APIC::of(p.has_x2apic);
    return {processor_signature, static_cast<u32>(ApicId::of(p.apic_id) | LogicalCpus::of(1) | ClflushSize::of(8)),
            static_cast<u32>(ecx | optional), static_cast<u32>(edx)};
}

CpuidResult structured_features(const CpuidPolicy& p) {
    using ARCH_CAPABILITIES = Bits<29>;
    return {0, 0, 0, static_cast<u32>(ARCH_CAPABILITIES::of(p.arch_capabilities != 0))};
}

CpuidResult extended_features(const CpuidPolicy& p) {
    using LAHF = Bits<0>;
    using SYSCALL = Bits<11>;
    using NX = Bits<20>;
    using Page1GB = Bits<26>;
    using RDTSCP = Bits<27>;
    using LM = Bits<29>;
    return {0, 0, LAHF::mask,
            static_cast<u32>(SYSCALL::mask | NX::mask | Page1GB::of(p.has_1gib_pages) | RDTSCP::mask | LM::mask)};
}

CpuidResult brand(u32 part) {
    constexpr std::string_view name = "axsim virtual CPU                               ";
    static_assert(name.size() == 48);
    const std::size_t at = part * 16;
    return {letters(name, at), letters(name, at + 4), letters(name, at + 8), letters(name, at + 12)};
}

}  // namespace

CpuidResult cpuid(const CpuidPolicy& p, u32 leaf, u32 subleaf) {
    constexpr u32 no_cache_descriptors = 1;
    constexpr u32 address_bits = 0x3028;  // 40 physical, 48 linear
    using InvariantTsc = Bits<8>;
    switch (leaf) {
        case 0: return {max_basic_leaf, letters("Genu"), letters("ntel"), letters("ineI")};
        case 1: return features(p);
        case 2: return {no_cache_descriptors, 0, 0, 0};
        case max_basic_leaf: return subleaf == 0 ? structured_features(p) : CpuidResult{};
        case first_hypervisor_leaf: return {max_hypervisor_leaf, letters("axsi"), letters("maxs"), letters("imax")};
        case first_extended_leaf: return {max_extended_leaf, 0, 0, 0};
        case first_extended_leaf + 1: return extended_features(p);
        case first_brand_leaf:
        case first_brand_leaf + 1:
        case first_brand_leaf + 2: return brand(leaf - first_brand_leaf);
        case first_extended_leaf + 7: return {0, 0, 0, static_cast<u32>(InvariantTsc::mask)};
        case max_extended_leaf: return {address_bits, 0, 0, 0};
        default: return {};
    }
}

}  // namespace ax::x86
