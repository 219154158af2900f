// Register maps and layouts of a GICv3: Arm Generic Interrupt Controller Architecture Specification
// (IHI 0069), "Programmers' Model". Named as in the manual.
#pragma once

#include <array>

#include "core/base/bits.hpp"
#include "core/base/types.hpp"

namespace ax::dev::gicv3 {

inline constexpr u32 max_vcpus = 64;
inline constexpr u32 word_bits = 32;
/// INTIDs below are each vCPU's own: 16 SGIs, then 16 PPIs.
inline constexpr u32 private_interrupts = 32;
inline constexpr u32 sgis = 16;
/// INTIDs from here on are special.
inline constexpr u32 first_special = 1020;
inline constexpr u32 max_words = 32;

/// Priorities have 5 bits, as many as the smallest list register holds.
using Priority = Bits<7, 3>;

/// Frames of the distributor and of a redistributor: RD_base, then SGI_base.
inline constexpr u64 frame_bytes = 0x1'0000;
inline constexpr u64 redistributor_bytes = 2 * frame_bytes;

/// Banks of one bit per interrupt, 32 interrupts a register; the same in GICD and in SGI_base.
inline constexpr u64 bit_banks = 0x080, bit_banks_end = 0x400, bank_bytes = 0x80;
enum class Bank : u8 { Group = 1, SetEnable, ClearEnable, SetPending, ClearPending, SetActive, ClearActive };
inline constexpr u64 IPRIORITYR = 0x400, IPRIORITYR_end = 0x800;
inline constexpr u64 ICFGR = 0xc00, ICFGR_end = 0xd00;

/// GICD alone.
inline constexpr u64 GICD_CTLR = 0x00, GICD_TYPER = 0x04, GICD_IIDR = 0x08, GICD_SETSPI_NSR = 0x40, GICD_CLRSPI_NSR = 0x48;
inline constexpr u64 GICD_IROUTER = 0x6000, GICD_IROUTER_end = 0x8000;

/// GICD_CTLR with one security state.
struct DistributorControl {
    using EnableGrp0 = Bits<0>;
    using EnableGrp1 = Bits<1>;
    using Enables = Bits<1, 0>;
    using ARE = Bits<4>;
    using DS = Bits<6>;
};
/// GICD_TYPER.
struct DistributorType {
    using ITLinesNumber = Bits<4, 0>;
    using MBIS = Bits<16>;        ///< GICD_SETSPI_NSR and GICD_CLRSPI_NSR exist
    using IDbits = Bits<23, 19>;  ///< one less
    using A3V = Bits<24>;
    using RSS = Bits<26>;  ///< SGIs reach any Aff0
};
/// GICD_SETSPI_NSR, GICD_CLRSPI_NSR.
struct Message {
    using INTID = Bits<9, 0>;
};
/// GICD_IROUTER<n>.
struct Route {
    using Aff2to0 = Bits<23, 0>;
    using IRM = Bits<31>;  ///< any CPU
    using Aff3 = Bits<39, 32>;
    static constexpr u64 affinity = Aff2to0::mask | Aff3::mask;
    static constexpr u64 all = affinity | IRM::mask;
};

/// RD_base alone.
inline constexpr u64 GICR_IIDR = 0x04, GICR_TYPER = 0x08, GICR_WAKER = 0x14;

/// GICR_TYPER.
struct RedistributorType {
    using Last = Bits<4>;
    using Processor_Number = Bits<23, 8>;
    using Affinity_Value = Bits<63, 32>;
};
/// GICR_WAKER.
struct Waker {
    using ProcessorSleep = Bits<1>;
    using ChildrenAsleep = Bits<2>;
};

/// Implementer Arm, product 0: no product of Arm's behaves like this one in every choice.
inline constexpr u32 implementer = 0x0000'043b;

/// From 0xFFD0 of GICD and RD_base: PIDR4-7, PIDR0-3 (PIDR2.ArchRev 3) and CIDR0-3.
inline constexpr u64 identification_base = 0xffd0;
inline constexpr std::array<u8, 12> identification{0x04, 0x00, 0x00, 0x00, 0x92, 0xb4, 0x3b, 0x00, 0x0d, 0xf0, 0x05, 0xb1};

/// ICFGR: the upper of two bits for each of 16 interrupts says edge.
constexpr u32 config_of(u32 edges) {
    u32 value = 0;
    for (u32 m = 0; m < 16; ++m) value |= (edges >> m & 1) << (2 * m + 1);
    return value;
}
constexpr u32 edges_of(u32 config) {
    u32 edges = 0;
    for (u32 m = 0; m < 16; ++m) edges |= (config >> (2 * m + 1) & 1) << m;
    return edges;
}

static_assert(config_of(0xffff) == 0xaaaa'aaaa && edges_of(0xffff'fffd) == 0xfffe);
static_assert(identification[(0xffe8 - identification_base) / 4] >> 4 == 3);
static_assert(static_cast<Bank>(0x284 / bank_bytes) == Bank::ClearPending);
static_assert(Route::all == 0xff'80ff'ffff && Priority::mask == 0xf8);

}  // namespace ax::dev::gicv3
