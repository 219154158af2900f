// Register and descriptor fields of VMSAv8-64 that the simulated MMU reads, for the EL1&0 regime of
// Armv8.0 (plus FEAT_PAN and FEAT_VMID16). Source of each: Arm ARM DDI 0487, the register's page, and
// "VMSAv8-64 translation table format descriptors".
#pragma once

#include "core/base/bits.hpp"

namespace ax::sim::arm64::vmsa {

/// SCTLR_EL1.
struct Sctlr {
    using M = Bits<0>;
    using WXN = Bits<19>;
    using EE = Bits<25>;  ///< byte order of the translation tables too
};

/// TCR_EL1.
struct Tcr {
    using T0SZ = Bits<5, 0>;
    using EPD0 = Bits<7>;
    using TG0 = Bits<15, 14>;
    using T1SZ = Bits<21, 16>;
    using A1 = Bits<22>;
    using EPD1 = Bits<23>;
    using TG1 = Bits<31, 30>;
    using IPS = Bits<34, 32>;
    using AS = Bits<36>;
    using TBI0 = Bits<37>;
    using TBI1 = Bits<38>;

    static constexpr u64 tg0_64k = 0b01, tg0_16k = 0b10;
    static constexpr u64 tg1_64k = 0b11, tg1_16k = 0b01;
};

/// TTBR0_EL1 and TTBR1_EL1.
struct Ttbr {
    using ASID = Bits<63, 48>;
    using ASID8 = Bits<55, 48>;
};

/// HCR_EL2.
struct Hcr {
    using VM = Bits<0>;
    using DC = Bits<12>;
};

/// VTCR_EL2. PS is encoded as TCR_EL1.IPS, TG0 as TCR_EL1.TG0.
struct Vtcr {
    using T0SZ = Bits<5, 0>;
    using SL0 = Bits<7, 6>;
    using TG0 = Bits<15, 14>;
    using PS = Bits<18, 16>;
    using VS = Bits<19>;
};

/// VTTBR_EL2.
struct Vttbr {
    using VMID = Bits<63, 48>;
    using VMID8 = Bits<55, 48>;
};

/// Both stages, all granules.
struct Descriptor {
    using Valid = Bits<0>;
    using Table = Bits<1>;  ///< a table, or at level 3 a page
    using AF = Bits<10>;
    using Address = Bits<47, 0>;  ///< the low bits are not part of it; their number depends on the level
};
/// Stage 1 block and page descriptors.
struct Stage1Leaf {
    using AttrIndx = Bits<4, 2>;
    using AP1 = Bits<6>;  ///< EL0 may access
    using AP2 = Bits<7>;  ///< read-only
    using SH = Bits<9, 8>;
    using nG = Bits<11>;
    using PXN = Bits<53>;
    using UXN = Bits<54>;
};
/// Stage 1 table descriptors: limits on everything below.
struct Stage1Table {
    using PXNTable = Bits<59>;
    using UXNTable = Bits<60>;
    using APTable0 = Bits<61>;  ///< no access from EL0
    using APTable1 = Bits<62>;  ///< no writes
};
/// Stage 2 block and page descriptors; XN is one bit without FEAT_XNX.
struct Stage2Leaf {
    using S2AP_R = Bits<6>;
    using S2AP_W = Bits<7>;
    using XN = Bits<54>;
};

/// PAR_EL1, 64-bit.
struct Par {
    using F = Bits<0>;
    using FST = Bits<6, 1>;
    using SH = Bits<8, 7>;
    using PTW = Bits<8>;  ///< F is 1
    using NS = Bits<9>;   ///< F is 0, and UNKNOWN to a Non-secure reader
    using S = Bits<9>;    ///< F is 1
    using Res1 = Bits<11>;
    using PA = Bits<47, 12>;
    using ATTR = Bits<63, 56>;

    static constexpr u64 outer_shareable = 0b10;
};

/// TCR_EL1.IPS, VTCR_EL2.PS, ID_AA64MMFR0_EL1.PARange: address bits. Values above 0b101 are 52 bits or
/// reserved; without FEAT_LPA both mean 48.
[[nodiscard]] constexpr unsigned address_bits(u64 encoded) {
    constexpr unsigned bits[] = {32, 36, 40, 42, 44, 48, 48, 48};
    return bits[encoded & 7];
}
static_assert(address_bits(0b010) == 40 && address_bits(0b100) == 44);

}  // namespace ax::sim::arm64::vmsa
