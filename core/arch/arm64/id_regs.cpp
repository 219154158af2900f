#include "core/arch/arm64/id_regs.hpp"

namespace ax::arm64 {

namespace {

/// "ID_AA64PFR0_EL1".
struct Pfr0 {
    using EL0 = Bits<3, 0>;
    using EL1 = Bits<7, 4>;
    using GIC = Bits<27, 24>;
    static constexpr u64 aarch64_only = 1;
};

/// "ID_AA64DFR0_EL1": Armv8 debug with six breakpoints, four watchpoints and two context-aware ones; no PMU.
constexpr u64 dfr0 = Bits<3, 0>::of(6) | Bits<15, 12>::of(5) | Bits<23, 20>::of(3) | Bits<31, 28>::of(1);
/// "ID_AA64ISAR0_EL1": AES with PMULL, SHA1, SHA256, CRC32.
constexpr u64 isar0 = 0x1'1120;
/// "ID_AA64MMFR0_EL1": 44-bit physical addresses, 16-bit ASIDs, mixed endianness, granules of 4 and 64 KiB.
constexpr u64 mmfr0 = 0x1124;
static_assert(dfr0 == 0x1030'5006);

}  // namespace

std::optional<u64> id_register(SysReg reg, const IdPolicy& policy) {
    if (!sysreg::is_id_group_3(reg)) return std::nullopt;
    if (reg == sysreg::ID_AA64PFR0_EL1) return Pfr0::EL0::of(Pfr0::aarch64_only) | Pfr0::EL1::of(Pfr0::aarch64_only) | Pfr0::GIC::of(policy.has_gicv3);
    if (reg == sysreg::ID_AA64DFR0_EL1) return dfr0;
    if (reg == sysreg::ID_AA64ISAR0_EL1) return isar0;
    if (reg == sysreg::ID_AA64MMFR0_EL1) return mmfr0;
    return 0;
}

std::optional<u64> debug_register(SysReg reg) {
    if (reg.op0 != 2) return std::nullopt;
    // "OSLSR_EL1": the OS lock exists and is not locked.
    if (reg == sysreg::OSLSR_EL1) return Bits<3>::of(1);
    return 0;
}

}  // namespace ax::arm64
