// Register maps and layouts of a GICv2: ARM Generic Interrupt Controller Architecture Specification,
// version 2.0 (IHI 0048), Programmers' Model. Named as in the manual.
#pragma once

#include <array>

#include "core/base/bits.hpp"
#include "core/base/types.hpp"

namespace ax::dev::gicv2 {

inline constexpr u32 max_vcpus = 8;
inline constexpr u32 word_bits = 32;
/// INTIDs below are banked by CPU: 16 SGIs, then 16 PPIs.
inline constexpr u32 private_interrupts = 32;
inline constexpr u32 sgis = 16;
/// INTIDs from here on are special.
inline constexpr u32 first_special = 1020;
inline constexpr u32 max_lines = 1024;
inline constexpr u32 max_words = max_lines / word_bits;

/// Special INTIDs that a read of IAR and its kin returns.
inline constexpr u32 group1_waits = 1022;
inline constexpr u32 spurious = 1023;

/// Priorities have 5 bits: what GIC-400 implements, and as many as a list register holds, so that a
/// guest sees the same levels here and on hardware that virtualizes the CPU interface.
using Priority = Bits<7, 3>;
inline constexpr u8 idle_priority = 0xff;
/// GICC_BPR and GICC_ABPR below these would split off more bits than a priority has.
inline constexpr u8 min_binary_point = 2;
inline constexpr u8 min_aliased_binary_point = 3;
using BinaryPoint = Bits<2, 0>;

/// GICD_CTLR.
struct DistributorControl {
    using EnableGrp0 = Bits<0>;
    using EnableGrp1 = Bits<1>;
    using All = Bits<1, 0>;
};

/// GICD_TYPER.
struct TYPER {
    using ITLinesNumber = Bits<4, 0>;
    using CPUNumber = Bits<7, 5>;
};

/// GICD_SGIR.
struct SGIR {
    using INTID = Bits<3, 0>;
    using CPUTargetList = Bits<23, 16>;
    using TargetListFilter = Bits<25, 24>;
    static constexpr u64 to_list = 0b00;
    static constexpr u64 to_others = 0b01;
    static constexpr u64 to_self = 0b10;
};

/// GICC_CTLR without the Security Extensions. The bypass bits are kept and bypass nothing.
struct CpuControl {
    using EnableGrp0 = Bits<0>;
    using EnableGrp1 = Bits<1>;
    using AckCtl = Bits<2>;
    using FIQEn = Bits<3>;
    using CBPR = Bits<4>;
    using EOImode = Bits<9>;
    using All = Bits<9, 0>;
};

/// GICC_IAR, GICC_EOIR, GICC_HPPIR, GICC_DIR and their aliases.
struct IAR {
    using INTID = Bits<9, 0>;
    using CPUID = Bits<12, 10>;
};

/// Implementer Arm, product 0: no product of Arm's behaves like this one in every choice.
inline constexpr u32 distributor_identification = 0x0000'043b;
/// The same, with architecture version 2 in bits 19-16.
inline constexpr u32 cpu_interface_identification = 0x0002'043b;

/// 0xFD0 to 0xFFC of the distributor: GICD_PIDR4-7, PIDR0-3 (PIDR2.ArchRev 2) and CIDR0-3.
inline constexpr u64 identification_base = 0xfd0;
inline constexpr std::array<u8, 12> identification{0x04, 0x00, 0x00, 0x00, 0x90, 0xb4, 0x2b, 0x00, 0x0d, 0xf0, 0x05, 0xb1};

enum class Distributor : u8 {
    Reserved,
    CTLR,
    TYPER,
    IIDR,
    IGROUPR,
    ISENABLER,
    ICENABLER,
    ISPENDR,
    ICPENDR,
    ISACTIVER,
    ICACTIVER,
    IPRIORITYR,
    ITARGETSR,
    ICFGR,
    SGIR,
    CPENDSGIR,
    SPENDSGIR,
    Identification,
};

/// One register of the distributor.
struct Place {
    Distributor which = Distributor::Reserved;
    /// Of a register with a bit per interrupt its number, of GICD_ICFGRn too; of one with a byte per
    /// interrupt the INTID at the offset; of the identification the byte.
    u32 index = 0;

    constexpr bool operator==(const Place&) const = default;
};

/// True for registers that are read and written by bytes too: Register Access.
constexpr bool has_bytes(Distributor which) {
    return which == Distributor::IPRIORITYR || which == Distributor::ITARGETSR || which == Distributor::CPENDSGIR ||
           which == Distributor::SPENDSGIR;
}

namespace detail {

struct Range {
    Distributor which;
    u64 first;
    u64 last;
    /// Bytes of an index.
    u64 stride;
};

inline constexpr std::array<Range, 17> ranges{{
    {Distributor::CTLR, 0x000, 0x003, 4},
    {Distributor::TYPER, 0x004, 0x007, 4},
    {Distributor::IIDR, 0x008, 0x00b, 4},
    {Distributor::IGROUPR, 0x080, 0x0ff, 4},
    {Distributor::ISENABLER, 0x100, 0x17f, 4},
    {Distributor::ICENABLER, 0x180, 0x1ff, 4},
    {Distributor::ISPENDR, 0x200, 0x27f, 4},
    {Distributor::ICPENDR, 0x280, 0x2ff, 4},
    {Distributor::ISACTIVER, 0x300, 0x37f, 4},
    {Distributor::ICACTIVER, 0x380, 0x3ff, 4},
    {Distributor::IPRIORITYR, 0x400, 0x7fb, 1},
    {Distributor::ITARGETSR, 0x800, 0xbfb, 1},
    {Distributor::ICFGR, 0xc00, 0xcff, 4},
    {Distributor::SGIR, 0xf00, 0xf03, 4},
    {Distributor::CPENDSGIR, 0xf10, 0xf1f, 1},
    {Distributor::SPENDSGIR, 0xf20, 0xf2f, 1},
    {Distributor::Identification, identification_base, 0xfff, 4},
}};

}  // namespace detail

/// The register of the distributor at `offset`.
constexpr Place place_of(u64 offset) {
    for (const detail::Range& range : detail::ranges) {
        if (offset >= range.first && offset <= range.last)
            return {range.which, static_cast<u32>((offset - range.first) / range.stride)};
    }
    return {};
}

/// Offsets of the CPU interface's registers.
enum class CpuInterface : u16 {
    CTLR = 0x000,
    PMR = 0x004,
    BPR = 0x008,
    IAR = 0x00c,
    EOIR = 0x010,
    RPR = 0x014,
    HPPIR = 0x018,
    ABPR = 0x01c,
    AIAR = 0x020,
    AEOIR = 0x024,
    AHPPIR = 0x028,
    /// With 32 levels of preemption, of APRn and NSAPRn only the first has bits.
    APR0 = 0x0d0,
    NSAPR0 = 0x0e0,
    IIDR = 0x0fc,
    DIR = 0x1000,
};

static_assert(place_of(0x104) == Place{Distributor::ISENABLER, 1});
static_assert(place_of(0x41b) == Place{Distributor::IPRIORITYR, 27});
static_assert(place_of(0xfe8) == Place{Distributor::Identification, 6} && identification[6] >> 4 == 2);
static_assert(place_of(0xe00) == Place{});
static_assert(SGIR::TargetListFilter::get(0x0200'0003) == SGIR::to_self);
static_assert(Priority::mask == 0xf8 && CpuControl::All::mask == 0x3ff);

}  // namespace ax::dev::gicv2
