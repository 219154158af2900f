// Register maps and layouts of a GICv3: Arm Generic Interrupt Controller Architecture Specification
// (IHI 0069), "Programmers' Model". Named as in the manual.
#pragma once

#include "core/base/bits.hpp"
#include "core/base/types.hpp"

namespace ax::dev::gicv3 {

inline constexpr u32 max_vcpus = 64;
inline constexpr u32 word_bits = 32;
/// INTIDs below are each vCPU's own: 16 SGIs, then 16 PPIs.
inline constexpr u32 private_interrupts = 32;
inline constexpr u32 sgis = 16;
inline constexpr u32 first_special = 1020;
inline constexpr u32 max_words = 32;

/// Five bits: as many as the smallest list register holds.
inline constexpr u8 priority_mask = 0xf8;

/// Frames of the distributor and of a redistributor: RD_base, then SGI_base.
inline constexpr u64 frame_bytes = 0x1'0000;
inline constexpr u64 redistributor_bytes = 2 * frame_bytes;

/// Banks of one bit per interrupt, 32 interrupts a register; the same in GICD and in SGI_base.
inline constexpr u64 bit_banks = 0x080, bit_banks_end = 0x400;
enum class Bank : u8 { Group = 1, SetEnable, ClearEnable, SetPending, ClearPending, SetActive, ClearActive };
inline constexpr u64 bank_bytes = 0x80;
inline constexpr u64 IPRIORITYR = 0x400, IPRIORITYR_end = 0x800;
inline constexpr u64 ITARGETSR = 0x800, ICFGR = 0xc00, ICFGR_end = 0xd00;
inline constexpr u64 IGRPMODR = 0xd00, IGRPMODR_end = 0xd80;

/// GICD alone.
inline constexpr u64 GICD_CTLR = 0x0, GICD_TYPER = 0x4, GICD_IIDR = 0x8, GICD_STATUSR = 0x10, GICD_SETSPI_NSR = 0x40, GICD_CLRSPI_NSR = 0x48;
inline constexpr u64 GICD_IROUTER = 0x6000, GICD_IROUTER_end = 0x8000;
struct DistributorControl {
    using EnableGrp0 = Bits<0>;
    using EnableGrp1 = Bits<1>;
    using Enables = Bits<1, 0>;
    using ARE = Bits<4>;
    using DS = Bits<6>;  ///< one security state
};
struct DistributorType {
    using ITLinesNumber = Bits<4, 0>;
    using IDbits = Bits<23, 19>;  ///< one less
    using A3V = Bits<24>;
};
struct Route {
    using Aff2to0 = Bits<23, 0>;
    using IRM = Bits<31>;  ///< any CPU; here the first
    using Aff3 = Bits<39, 32>;
    static constexpr u64 mask = Aff2to0::mask | IRM::mask | Aff3::mask;
};

/// RD_base alone.
inline constexpr u64 GICR_CTLR = 0x0, GICR_IIDR = 0x4, GICR_TYPER = 0x8, GICR_WAKER = 0x14;
struct RedistributorType {
    using Last = Bits<4>;
    using Processor_Number = Bits<23, 8>;
    using Affinity_Value = Bits<63, 32>;
};
struct Waker {
    using ProcessorSleep = Bits<1>;
    using ChildrenAsleep = Bits<2>;
};

/// Identification registers, in every frame: PIDR2.ArchRev says 3.
inline constexpr u64 PIDR4 = 0xffd0, PIDR0 = 0xffe0, PIDR2 = 0xffe8, CIDR0 = 0xfff0;
inline constexpr u32 arch_rev_3 = 0x3b;
/// Arm, product 0x43 as a model of nothing in particular.
inline constexpr u32 implementer = 0x0043'043b;

}  // namespace ax::dev::gicv3
