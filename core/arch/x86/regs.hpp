// Registers of the Intel 64 architecture that a hypervisor meets: control and debug registers, flags, segments,
// exception vectors. Source of each: Intel SDM vol. 3, the section that is named.
#pragma once

#include <array>

#include "core/base/bits.hpp"
#include "core/base/fields.hpp"

namespace ax::x86 {

/// "Control Registers", CR0.
struct Cr0 {
    using PE = Bits<0>;
    using MP = Bits<1>;
    using EM = Bits<2>;
    using TS = Bits<3>;
    using ET = Bits<4>;
    using NE = Bits<5>;
    using WP = Bits<16>;
    using AM = Bits<18>;
    using NW = Bits<29>;
    using CD = Bits<30>;
    using PG = Bits<31>;

    /// Every bit that is defined; the upper half is reserved, and setting it faults.
    static constexpr u64 defined =
        PE::mask | MP::mask | EM::mask | TS::mask | ET::mask | NE::mask | WP::mask | AM::mask | NW::mask | CD::mask | PG::mask;
};
static_assert((Cr0::CD::of(1) | Cr0::NW::of(1) | Cr0::ET::of(1)) == 0x6000'0010);

/// "Control Registers", CR3 without PCIDs.
struct Cr3 {
    using PWT = Bits<3>;
    using PCD = Bits<4>;
    using PDPT = Bits<31, 5>;  ///< PAE paging: a table of four entries
    using Base = Bits<51, 12>;
};

/// "Control Registers", CR4.
struct Cr4 {
    using VME = Bits<0>;
    using PVI = Bits<1>;
    using TSD = Bits<2>;
    using DE = Bits<3>;
    using PSE = Bits<4>;
    using PAE = Bits<5>;
    using MCE = Bits<6>;
    using PGE = Bits<7>;
    using PCE = Bits<8>;
    using OSFXSR = Bits<9>;
    using OSXMMEXCPT = Bits<10>;
    using UMIP = Bits<11>;
    using LA57 = Bits<12>;
    using VMXE = Bits<13>;
    using SMXE = Bits<14>;
    using FSGSBASE = Bits<16>;
    using PCIDE = Bits<17>;
    using OSXSAVE = Bits<18>;
    using SMEP = Bits<20>;
    using SMAP = Bits<21>;
    using PKE = Bits<22>;
};
static_assert((Cr4::PAE::of(1) | Cr4::PGE::of(1) | Cr4::VMXE::of(1)) == 0x20a0);

/// "Extended Feature Enable Register".
struct Efer {
    using SCE = Bits<0>;
    using LME = Bits<8>;
    using LMA = Bits<10>;
    using NXE = Bits<11>;

    static constexpr u64 defined = SCE::mask | LME::mask | LMA::mask | NXE::mask;
};
static_assert(Efer::defined == 0xd01);

/// "System Flags and Fields in the EFLAGS Register", and vol. 1, "EFLAGS Register".
struct Rflags {
    using CF = Bits<0>;
    using Res1 = Bits<1>;  ///< always one
    using PF = Bits<2>;
    using AF = Bits<4>;
    using ZF = Bits<6>;
    using SF = Bits<7>;
    using TF = Bits<8>;
    using IF = Bits<9>;
    using DF = Bits<10>;
    using OF = Bits<11>;
    using IOPL = Bits<13, 12>;
    using NT = Bits<14>;
    using RF = Bits<16>;
    using VM = Bits<17>;
    using AC = Bits<18>;
    using VIF = Bits<19>;
    using VIP = Bits<20>;
    using ID = Bits<21>;

    /// What arithmetic changes.
    static constexpr u64 status = CF::mask | PF::mask | AF::mask | ZF::mask | SF::mask | OF::mask;
    static constexpr u64 at_reset = Res1::mask;
};
static_assert(Rflags::status == 0x8d5);

/// "Debug Status Register (DR6)".
struct Dr6 {
    using B = Bits<3, 0>;
    using BD = Bits<13>;
    using BS = Bits<14>;
    using BT = Bits<15>;
    using RTM = Bits<16>;  ///< zero in a transaction

    static constexpr u64 at_reset = 0xffff'0ff0;
};

/// "Debug Control Register (DR7)".
struct Dr7 {
    using Enables = Bits<7, 0>;
    using LE = Bits<8>;
    using GE = Bits<9>;
    using Res1 = Bits<10>;
    using RTM = Bits<11>;
    using GD = Bits<13>;
    using Conditions = Bits<31, 16>;

    static constexpr u64 at_reset = 0x400;
};

/// "Exception and Interrupt Vectors".
enum class Vector : u8 {
    DE = 0,
    DB = 1,
    NMI = 2,
    BP = 3,
    OF = 4,
    BR = 5,
    UD = 6,
    NM = 7,
    DF = 8,
    TS = 10,
    NP = 11,
    SS = 12,
    GP = 13,
    PF = 14,
    MF = 16,
    AC = 17,
    MC = 18,
    XM = 19,
    VE = 20,
    CP = 21,
};

/// "Page-Fault Exceptions", the error code.
struct PageFaultCode {
    using P = Bits<0>;
    using W = Bits<1>;
    using U = Bits<2>;
    using RSVD = Bits<3>;
    using I = Bits<4>;
};

/// "Error Code" of the other exceptions that have one.
struct SelectorErrorCode {
    using EXT = Bits<0>;
    using IDT = Bits<1>;
    using TI = Bits<2>;
    using Index = Bits<15, 3>;
};

/// "Segment Selectors".
struct Selector {
    using RPL = Bits<1, 0>;
    using TI = Bits<2>;
    using Index = Bits<15, 3>;
};

/// Segment access rights as the VMCS holds them: "Guest Register State", format of access rights. Bits 7:0 and 15:12
/// are bits 47:40 and 55:52 of a descriptor ("Segment Descriptors").
struct AccessRights {
    using Type = Bits<3, 0>;
    using S = Bits<4>;  ///< code or data, not a system segment
    using DPL = Bits<6, 5>;
    using P = Bits<7>;
    using AVL = Bits<12>;
    using L = Bits<13>;
    using DB = Bits<14>;
    using G = Bits<15>;
    using Unusable = Bits<16>;

    /// Types of segments, accessed. System types hold in and out of IA-32e mode alike.
    static constexpr u64 data_read_write = 3;
    static constexpr u64 code_execute_read = 11;
    static constexpr u64 ldt = 2;
    static constexpr u64 tss16_busy = 3;
    static constexpr u64 tss_busy = 11;
    static constexpr u64 present_segment = S::mask | P::mask;

    static constexpr u32 real_mode_data = static_cast<u32>(present_segment | data_read_write);
    static constexpr u32 real_mode_code = static_cast<u32>(present_segment | code_execute_read);
    static constexpr u32 flat_data = static_cast<u32>(real_mode_data | DB::mask | G::mask);
    static constexpr u32 flat_code32 = static_cast<u32>(real_mode_code | DB::mask | G::mask);
    static constexpr u32 flat_code64 = static_cast<u32>(real_mode_code | L::mask | G::mask);
    static constexpr u32 null = static_cast<u32>(Unusable::mask);
};
static_assert(AccessRights::real_mode_data == 0x93 && AccessRights::real_mode_code == 0x9b);
static_assert(AccessRights::flat_code32 == 0xc09b && AccessRights::flat_code64 == 0xa09b && AccessRights::flat_data == 0xc093);

/// Segment registers in the order of their encoding: vol. 2, "Instruction Format", reg field of a segment register.
enum class SegmentReg : u8 { ES = 0, CS = 1, SS = 2, DS = 3, FS = 4, GS = 5 };

/// General registers in the order of their encoding: vol. 2, "ModR/M and SIB Bytes".
enum class Gpr : u8 { RAX, RCX, RDX, RBX, RSP, RBP, RSI, RDI, R8, R9, R10, R11, R12, R13, R14, R15 };

/// The general registers of a CPU. RSP's place is not used where a VMCS holds it.
struct Gprs {
    std::array<u64, 16> values{};

    [[nodiscard]] constexpr u64& operator[](Gpr reg) { return values[index(reg)]; }
    [[nodiscard]] constexpr u64 operator[](Gpr reg) const { return values[index(reg)]; }
    constexpr bool operator==(const Gprs&) const = default;
    void fields(FieldVisitor& v) { field(v, "values", values); }
};

/// How wide code is: "IA-32e Mode Operation", CS.L, and CS.D.
enum class CodeSize : u8 { Code16, Code32, Code64 };

[[nodiscard]] constexpr CodeSize code_size(u64 efer, u32 cs_access_rights) {
    if (Efer::LMA::test(efer) && AccessRights::L::test(cs_access_rights)) return CodeSize::Code64;
    return AccessRights::DB::test(cs_access_rights) ? CodeSize::Code32 : CodeSize::Code16;
}
static_assert(code_size(0x500, AccessRights::flat_code64) == CodeSize::Code64);
static_assert(code_size(0, AccessRights::flat_code64) == CodeSize::Code16);

}  // namespace ax::x86
