// The policy over ID registers, as a table. Source: Arm ARM DDI 0487, the page of each register.
#include "core/arch/arm64/id_regs.hpp"

#include <algorithm>

namespace ax::arm64 {

namespace {

/// One four-bit field that a guest may see, limited to `most`; what has no row reads as zero.
struct VisibleField {
    SysReg reg;
    u8 low = 0;
    u8 most = 15;
};

constexpr VisibleField visible_fields[] = {
    {sysreg::ID_AA64PFR0_EL1, 0, 1},   // EL0: AArch64 only
    {sysreg::ID_AA64PFR0_EL1, 4, 1},   // EL1: AArch64 only
    {sysreg::ID_AA64PFR0_EL1, 16},     // FP
    {sysreg::ID_AA64PFR0_EL1, 20},     // AdvSIMD
    {sysreg::ID_AA64PFR0_EL1, 48},     // DIT
    {sysreg::ID_AA64PFR0_EL1, 56},     // CSV2
    {sysreg::ID_AA64PFR0_EL1, 60},     // CSV3
    {sysreg::ID_AA64PFR1_EL1, 0},      // BT
    {sysreg::ID_AA64DFR0_EL1, 0, 6},   // DebugVer: Armv8
    {sysreg::ID_AA64DFR0_EL1, 12},     // BRPs
    {sysreg::ID_AA64DFR0_EL1, 20},     // WRPs
    {sysreg::ID_AA64DFR0_EL1, 28},     // CTX_CMPs
    {sysreg::ID_AA64ISAR0_EL1, 4},     // AES
    {sysreg::ID_AA64ISAR0_EL1, 8},     // SHA1
    {sysreg::ID_AA64ISAR0_EL1, 12},    // SHA2
    {sysreg::ID_AA64ISAR0_EL1, 16},    // CRC32
    {sysreg::ID_AA64ISAR0_EL1, 20},    // Atomic
    {sysreg::ID_AA64ISAR0_EL1, 28},    // RDM
    {sysreg::ID_AA64ISAR0_EL1, 32},    // SHA3
    {sysreg::ID_AA64ISAR0_EL1, 36},    // SM3
    {sysreg::ID_AA64ISAR0_EL1, 40},    // SM4
    {sysreg::ID_AA64ISAR0_EL1, 44},    // DP
    {sysreg::ID_AA64ISAR0_EL1, 48},    // FHM
    {sysreg::ID_AA64ISAR0_EL1, 52},    // TS
    {sysreg::ID_AA64ISAR1_EL1, 0},     // DPB
    {sysreg::ID_AA64ISAR1_EL1, 12},    // JSCVT
    {sysreg::ID_AA64ISAR1_EL1, 16},    // FCMA
    {sysreg::ID_AA64ISAR1_EL1, 20},    // LRCPC
    {sysreg::ID_AA64ISAR1_EL1, 32},    // FRINTTS
    {sysreg::ID_AA64ISAR1_EL1, 36},    // SB
    {sysreg::ID_AA64MMFR0_EL1, 0, 5},  // PARange: up to 48 bits
    {sysreg::ID_AA64MMFR0_EL1, 4},     // ASIDBits
    {sysreg::ID_AA64MMFR0_EL1, 20},    // TGran16
    {sysreg::ID_AA64MMFR0_EL1, 24},    // TGran64
    {sysreg::ID_AA64MMFR0_EL1, 28},    // TGran4
    {sysreg::ID_AA64MMFR1_EL1, 12},    // HPDS
    {sysreg::ID_AA64MMFR2_EL1, 0},     // CnP
    {sysreg::ID_AA64MMFR2_EL1, 4},     // UAO
};

using Field = Bits<3, 0>;
using PfrGic = Bits<27, 24>;

/// Values of the CPU that the engine is; everything that has no row is zero there, or AArch32's and hidden anyway.
struct KnownValue {
    SysReg reg;
    u64 value = 0;
};
constexpr KnownValue cortex_a72[] = {
    {sysreg::ID_AA64PFR0_EL1, 0x2222},       // both states at every level
    {sysreg::ID_AA64DFR0_EL1, 0x1030'5106},  // six breakpoints, four watchpoints, two of them for contexts; PMUv3
    {sysreg::ID_AA64ISAR0_EL1, 0x1'1120},    // AES with PMULL, SHA1, SHA256, CRC32
    {sysreg::ID_AA64MMFR0_EL1, 0x1124},      // 44-bit addresses, 16-bit ASIDs, granules of 4 and 64 KiB
};

}  // namespace

u64 visible_id(SysReg reg, u64 value, const IdPolicy& policy) {
    u64 visible = 0;
    for (const VisibleField& field : visible_fields) {
        if (field.reg != reg) continue;
        // "Principles of the ID scheme": where 15 means absent (FP, TGran4, TGran64) it passes, `most` being 15 too.
        visible |= std::min<u64>(Field::get(value >> field.low), field.most) << field.low;
    }
    if (reg == sysreg::ID_AA64PFR0_EL1) visible |= PfrGic::of(policy.has_gicv3);
    return visible;
}

u64 cortex_a72_id(SysReg reg) {
    for (const KnownValue& known : cortex_a72)
        if (known.reg == reg) return known.value;
    return 0;
}

std::optional<u64> id_register(SysReg reg, const IdPolicy& policy) {
    if (!sysreg::is_id_group_3(reg)) return std::nullopt;
    return visible_id(reg, cortex_a72_id(reg), policy);
}

std::optional<u64> debug_register(SysReg reg) {
    // op1 1 is trace, 4 is AArch32's: neither is there.
    const bool is_debug = sysreg::is_debug(reg) && (reg.op1 == 0 || reg.op1 == 3);
    if (!is_debug) return std::nullopt;
    // "OSLSR_EL1": the OS lock exists and is not locked.
    if (reg == sysreg::OSLSR_EL1) return Bits<3>::of(1);
    return 0;
}

}  // namespace ax::arm64
