// Register layouts of the GICv3 CPU interface and its virtual side at EL2.
// Source of each: GIC architecture specification IHI 0069, the register's page.
#pragma once

#include "core/base/bits.hpp"

namespace ax::arm64 {

/// ICH_HCR_EL2.
struct IchHcr {
    using En = Bits<0>;
    using UIE = Bits<1>;      ///< underflow: at most one list register is not empty
    using LRENPIE = Bits<2>;  ///< an end came for an interrupt in no list register
    using NPIE = Bits<3>;     ///< no list register is pending
    using VGrp0EIE = Bits<4>;
    using VGrp0DIE = Bits<5>;
    using VGrp1EIE = Bits<6>;
    using VGrp1DIE = Bits<7>;
    using TC = Bits<10>;     ///< registers common to both groups trap
    using TALL0 = Bits<11>;  ///< Group 0 registers trap
    using TALL1 = Bits<12>;  ///< Group 1 registers trap
    using TSEI = Bits<13>;
    using TDIR = Bits<14>;
    using EOIcount = Bits<31, 27>;
};
static_assert((IchHcr::En::of(1) | IchHcr::UIE::of(1) | IchHcr::EOIcount::of(2)) == 0x1000'0003);

/// ICH_VMCR_EL2.
struct IchVmcr {
    using VENG0 = Bits<0>;
    using VENG1 = Bits<1>;
    using VAckCtl = Bits<2>;
    using VFIQEn = Bits<3>;
    using VCBPR = Bits<4>;
    using VEOIM = Bits<9>;
    using VBPR1 = Bits<20, 18>;
    using VBPR0 = Bits<23, 21>;
    using VPMR = Bits<31, 24>;
};
static_assert((IchVmcr::VENG1::of(1) | IchVmcr::VFIQEn::of(1) | IchVmcr::VPMR::of(0xf0)) == 0xf000'000a);

/// ICH_LR<n>_EL2.
struct IchLr {
    using vINTID = Bits<31, 0>;
    using pINTID = Bits<44, 32>;  ///< HW is 1: the host's interrupt to deactivate
    using EOI = Bits<41>;         ///< HW is 0: a maintenance interrupt tells the end
    using Priority = Bits<55, 48>;
    using Group = Bits<60>;
    using HW = Bits<61>;
    using State = Bits<63, 62>;

    static constexpr u64 invalid = 0, pending = 0b01, active = 0b10, pending_and_active = 0b11;
};
static_assert((IchLr::vINTID::of(27) | IchLr::pINTID::of(27) | IchLr::Priority::of(0xa0) | IchLr::Group::of(1) |
               IchLr::HW::of(1) | IchLr::State::of(IchLr::pending)) == 0x70a0'001b'0000'001b);

/// ICH_VTR_EL2.
struct IchVtr {
    using ListRegs = Bits<4, 0>;  ///< one less than their number
    using TDS = Bits<19>;
    using nV4 = Bits<20>;
    using A3V = Bits<21>;
    using SEIS = Bits<22>;
    using IDbits = Bits<25, 23>;
    using PREbits = Bits<28, 26>;  ///< one less
    using PRIbits = Bits<31, 29>;  ///< one less
};
static_assert((IchVtr::ListRegs::of(3) | IchVtr::PREbits::of(4) | IchVtr::PRIbits::of(4)) == 0x9000'0003);

/// ICH_MISR_EL2: why a maintenance interrupt is raised.
struct IchMisr {
    using EOI = Bits<0>;
    using U = Bits<1>;
    using LRENP = Bits<2>;
    using NP = Bits<3>;
    using VGrp0E = Bits<4>;
    using VGrp0D = Bits<5>;
    using VGrp1E = Bits<6>;
    using VGrp1D = Bits<7>;
};
static_assert((IchMisr::EOI::of(1) | IchMisr::U::of(1)) == 3);

/// ICC_SGI1R_EL1; ICC_ASGI1R_EL1 and ICC_SGI0R_EL1 have the same layout.
struct IccSgir {
    using TargetList = Bits<15, 0>;
    using Aff1 = Bits<23, 16>;
    using INTID = Bits<27, 24>;
    using Aff2 = Bits<39, 32>;
    using IRM = Bits<40>;     ///< everyone but the sender
    using RS = Bits<47, 44>;  ///< TargetList names Aff0 from 16 * RS
    using Aff3 = Bits<55, 48>;
};
static_assert((IccSgir::TargetList::of(0b110) | IccSgir::Aff1::of(1) | IccSgir::INTID::of(5) | IccSgir::RS::of(1)) ==
              0x0000'1000'0501'0006);

/// ICC_CTLR_EL1.
struct IccCtlr {
    using CBPR = Bits<0>;
    using EOImode = Bits<1>;
    using PMHE = Bits<6>;
    using PRIbits = Bits<10, 8>;  ///< one less
    using IDbits = Bits<13, 11>;  ///< 0: 16 bits
    using SEIS = Bits<14>;
    using A3V = Bits<15>;
    using RSS = Bits<18>;
    using ExtRange = Bits<19>;
};
static_assert((IccCtlr::EOImode::of(1) | IccCtlr::PRIbits::of(4)) == 0x402);

/// ICC_SRE_EL1.
struct IccSre {
    using SRE = Bits<0>;
    using DFB = Bits<1>;
    using DIB = Bits<2>;
};
static_assert((IccSre::SRE::of(1) | IccSre::DFB::of(1) | IccSre::DIB::of(1)) == 7);

/// "Special INTIDs".
inline constexpr u32 no_interrupt = 1023;

}  // namespace ax::arm64
