// Register layouts of the RISC-V privileged architecture that a hypervisor in HS-mode meets.
// Source of each: RISC-V Privileged Architecture 20211203 and its chapter "Hypervisor Extension".
#pragma once

#include "core/base/bits.hpp"

namespace ax::riscv {

/// Privilege level as encoded in the manuals; V tells VS/VU from HS/U.
enum class Privilege : u8 { User = 0, Supervisor = 1 };

/// "Supervisor Cause Register", exception codes; 10 and 20 to 23 from "Hypervisor Extension".
enum class Cause : u64 {
    InstructionMisaligned = 0,
    InstructionAccess = 1,
    IllegalInstruction = 2,
    Breakpoint = 3,
    LoadMisaligned = 4,
    LoadAccess = 5,
    StoreMisaligned = 6,
    StoreAccess = 7,
    EcallFromU = 8,
    EcallFromHs = 9,
    EcallFromVs = 10,
    InstructionPageFault = 12,
    LoadPageFault = 13,
    StorePageFault = 15,
    InstructionGuestPageFault = 20,
    LoadGuestPageFault = 21,
    VirtualInstruction = 22,
    StoreGuestPageFault = 23,
};

/// Interrupt numbers (scause without its top bit; bit numbers of hvip, hideleg, hie).
enum class Interrupt : u64 {
    SupervisorSoftware = 1,
    VirtualSupervisorSoftware = 2,
    SupervisorTimer = 5,
    VirtualSupervisorTimer = 6,
    SupervisorExternal = 9,
    VirtualSupervisorExternal = 10,
};

/// scause: top bit set for interrupts.
struct Scause {
    using IsInterrupt = Bits<63>;
    using Code = Bits<62, 0>;
};
[[nodiscard]] constexpr u64 interrupt_cause(Interrupt i) { return Scause::IsInterrupt::of(1) | static_cast<u64>(i); }
static_assert(interrupt_cause(Interrupt::SupervisorTimer) == 0x8000'0000'0000'0005);

/// "Hypervisor Status Register (hstatus)".
struct Hstatus {
    using VSBE = Bits<5>;
    using GVA = Bits<6>;    ///< stval holds a guest virtual address
    using SPV = Bits<7>;    ///< the trap came from V=1
    using SPVP = Bits<8>;   ///< privilege before the trap when SPV is set
    using HU = Bits<9>;
    using VGEIN = Bits<17, 12>;
    using VTVM = Bits<20>;  ///< satp and SFENCE.VMA in VS-mode trap
    using VTW = Bits<21>;   ///< WFI in VS-mode traps
    using VTSR = Bits<22>;  ///< SRET in VS-mode traps
    using VSXL = Bits<33, 32>;
};

/// "Supervisor Status Register (sstatus)"; vsstatus has the same layout.
struct Sstatus {
    using SIE = Bits<1>;
    using SPIE = Bits<5>;
    using UBE = Bits<6>;
    using SPP = Bits<8>;
    using FS = Bits<14, 13>;
    using XS = Bits<16, 15>;
    using SUM = Bits<18>;
    using MXR = Bits<19>;
    using UXL = Bits<33, 32>;
    using SD = Bits<63>;
};

/// "Hypervisor Guest Address Translation and Protection Register (hgatp)".
struct Hgatp {
    using MODE = Bits<63, 60>;
    using VMID = Bits<57, 44>;
    using PPN = Bits<43, 0>;
    static constexpr u64 mode_bare = 0;
    static constexpr u64 mode_sv39x4 = 8;
};

/// "Supervisor Address Translation and Protection Register (satp)"; vsatp has the same layout.
struct Satp {
    using MODE = Bits<63, 60>;
    using ASID = Bits<59, 44>;
    using PPN = Bits<43, 0>;
    static constexpr u64 mode_bare = 0;
    static constexpr u64 mode_sv39 = 8;
};

/// "Sv39: Page-Based 39-bit Virtual-Memory System", page-table entry; Sv39x4 has the same.
struct Pte {
    using V = Bits<0>;
    using R = Bits<1>;
    using W = Bits<2>;
    using X = Bits<3>;
    using U = Bits<4>;
    using G = Bits<5>;
    using A = Bits<6>;
    using D = Bits<7>;
    using PPN = Bits<53, 10>;
    using Reserved = Bits<60, 54>;
    using PBMT = Bits<62, 61>;
    using N = Bits<63>;
};

/// hcounteren and scounteren: which counters V=1 (U) may read.
struct Counteren {
    using CY = Bits<0>;
    using TM = Bits<1>;
    using IR = Bits<2>;
};

/// "Hypervisor Environment Configuration Register (henvcfg)".
struct Henvcfg {
    using FIOM = Bits<0>;
    using ADUE = Bits<61>;  ///< hardware updates A and D bits in VS-stage translation (Svadu)
    using STCE = Bits<63>;  ///< stimecmp exists in VS-mode (Sstc)
};

/// Interrupt bits as a mask, for hvip, hideleg, sie.
[[nodiscard]] constexpr u64 mask_of(Interrupt i) { return bit(static_cast<unsigned>(i)); }
[[nodiscard]] constexpr u64 mask_of(Cause c) { return bit(static_cast<unsigned>(c)); }

/// htinst values for a guest-page fault made by a VS-stage page-table walk ("Transformed
/// Instruction or Pseudoinstruction for mtinst or htinst"), RV64.
inline constexpr u64 htinst_walk_read = 0x3000;
inline constexpr u64 htinst_walk_write = 0x3020;

/// CSR numbers that traps name.
struct CsrNumber {
    static constexpr u32 satp = 0x180;
    static constexpr u32 cycle = 0xc00;
    static constexpr u32 time = 0xc01;
    static constexpr u32 instret = 0xc02;
};

/// Integer registers by ABI name.
struct Abi {
    static constexpr unsigned zero = 0, ra = 1, sp = 2, a0 = 10, a1 = 11, a2 = 12, a3 = 13, a4 = 14, a5 = 15, a6 = 16, a7 = 17;
};

}  // namespace ax::riscv
