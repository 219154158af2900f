// Register layouts of the Arm architecture that a hypervisor at EL2 meets. Source of each: Arm ARM
// DDI 0487, the page of the register that is named.
#pragma once

#include "core/arch/arm64/gic_regs.hpp"
#include "core/arch/arm64/sys_regs.hpp"
#include "core/base/bits.hpp"

namespace ax::arm64 {

/// ESR_ELx, field EC: why the exception was taken.
enum class ExceptionClass : u8 {
    Unknown = 0x00,
    WaitFor = 0x01,  ///< WFI, WFE and their forms with a timeout
    Cp15 = 0x03,     ///< from here to 0x06, 0x08 and 0x0c: AArch32 registers
    Cp15Pair = 0x04,
    Cp14 = 0x05,
    Cp14LoadStore = 0x06,
    FpAccess = 0x07,
    Cp10 = 0x08,
    PointerAuthentication = 0x09,
    Cp14Pair = 0x0c,
    BranchTarget = 0x0d,
    IllegalState = 0x0e,
    Svc = 0x15,
    Hvc = 0x16,
    Smc = 0x17,
    SystemRegister = 0x18,
    Sve = 0x19,
    InstructionAbortLower = 0x20,
    InstructionAbortSame = 0x21,
    PcAlignment = 0x22,
    DataAbortLower = 0x24,
    DataAbortSame = 0x25,
    SpAlignment = 0x26,
    FpException = 0x2c,
    SError = 0x2f,
    BreakpointLower = 0x30,
    BreakpointSame = 0x31,
    SoftwareStepLower = 0x32,
    SoftwareStepSame = 0x33,
    WatchpointLower = 0x34,
    WatchpointSame = 0x35,
    Brk = 0x3c,
};

/// ESR_ELx.
struct Esr {
    using ISS = Bits<24, 0>;
    using IL = Bits<25>;  ///< the instruction was 32 bits wide, or the exception is one that always says so
    using EC = Bits<31, 26>;
};
static_assert((Esr::EC::of(0x24) | Esr::IL::of(1) | Esr::ISS::of(0x47)) == 0x9200'0047);

/// "ISS encoding for an exception from a Data Abort".
struct IssData {
    using DFSC = Bits<5, 0>;
    using WnR = Bits<6>;
    using S1PTW = Bits<7>;
    using CM = Bits<8>;  ///< cache maintenance or address translation
    using EA = Bits<9>;
    using FnV = Bits<10>;  ///< FAR is not valid; external aborts only
    using AR = Bits<14>;   ///< acquire or release
    using SF = Bits<15>;   ///< the register is 64 bits wide
    using SRT = Bits<20, 16>;
    using SSE = Bits<21>;  ///< the loaded value is sign-extended
    using SAS = Bits<23, 22>;
    using ISV = Bits<24>;  ///< the fields from SAS to AR are valid
};
static_assert((IssData::ISV::of(1) | IssData::SAS::of(2) | IssData::SRT::of(3) | IssData::WnR::of(1) | IssData::DFSC::of(6)) ==
              0x0183'0046);

/// "ISS encoding for an exception from an Instruction Abort".
struct IssFetch {
    using IFSC = Bits<5, 0>;
    using S1PTW = Bits<7>;
    using EA = Bits<9>;
    using FnV = Bits<10>;
};

/// "ISS encoding for an exception from a WF* instruction".
struct IssWait {
    using TI = Bits<1, 0>;
    static constexpr u64 wfi = 0, wfe = 1, wfit = 2, wfet = 3;
};

/// "ISS encoding for an exception from MSR, MRS, or System instruction execution in AArch64 state".
struct IssSys {
    using Direction = Bits<0>;  ///< 1: MRS
    using CRm = Bits<4, 1>;
    using Rt = Bits<9, 5>;
    using CRn = Bits<13, 10>;
    using Op1 = Bits<16, 14>;
    using Op2 = Bits<19, 17>;
    using Op0 = Bits<21, 20>;

    [[nodiscard]] static constexpr SysReg reg(u64 iss) {
        return {static_cast<u8>(Op0::get(iss)), static_cast<u8>(Op1::get(iss)), static_cast<u8>(CRn::get(iss)),
                static_cast<u8>(CRm::get(iss)), static_cast<u8>(Op2::get(iss))};
    }
    [[nodiscard]] static constexpr u64 of(SysReg r, unsigned rt, bool is_read) {
        return Op0::of(r.op0) | Op1::of(r.op1) | CRn::of(r.crn) | CRm::of(r.crm) | Op2::of(r.op2) | Rt::of(rt) |
               Direction::of(is_read);
    }
};
static_assert(IssSys::of(sysreg::ID_AA64ISAR0_EL1, 0, true) == 0x30'000d && IssSys::reg(0x30'000d) == sysreg::ID_AA64ISAR0_EL1);
static_assert(IssSys::of(sysreg::ICC_SGI1R_EL1, 0, false) == 0x3a'3016);

/// "ISS encoding for an exception from HVC, SVC or SMC instruction execution".
struct IssCall {
    using imm16 = Bits<15, 0>;
};

/// DFSC and IFSC without the level in bits 1 to 0, where there is one.
struct FaultStatus {
    static constexpr u64 address_size = 0x00, translation = 0x04, access_flag = 0x08, permission = 0x0c;
    static constexpr u64 external = 0x10, tag_check = 0x11, external_on_walk = 0x14, parity = 0x18, parity_on_walk = 0x1c;
    static constexpr u64 alignment = 0x21, tlb_conflict = 0x30, unsupported_atomic = 0x31, lockdown = 0x34,
                         unsupported_exclusive = 0x35;
    using Level = Bits<1, 0>;
    using Kind = Bits<5, 2>;

    [[nodiscard]] static constexpr bool is_address_size(u64 fsc) { return (fsc & Kind::mask) == address_size; }
    [[nodiscard]] static constexpr bool is_translation(u64 fsc) { return (fsc & Kind::mask) == translation; }
    [[nodiscard]] static constexpr bool is_access_flag(u64 fsc) { return (fsc & Kind::mask) == access_flag; }
    [[nodiscard]] static constexpr bool is_permission(u64 fsc) { return (fsc & Kind::mask) == permission; }
};
static_assert(FaultStatus::is_translation(0x07) && FaultStatus::is_permission(0x0f) && !FaultStatus::is_permission(0x10));

/// HPFAR_EL2.
struct Hpfar {
    using FIPA = Bits<43, 4>;  ///< bits 51 to 12 of the intermediate physical address
};
static_assert(Hpfar::FIPA::get(0x9'0000) << 12 == 0x900'0000);

/// HCR_EL2.
struct Hcr {
    using VM = Bits<0>;    ///< stage 2 translates
    using SWIO = Bits<1>;  ///< set/way invalidation cleans too
    using PTW = Bits<2>;
    using FMO = Bits<3>;
    using IMO = Bits<4>;
    using AMO = Bits<5>;
    using VF = Bits<6>;
    using VI = Bits<7>;
    using VSE = Bits<8>;
    using FB = Bits<9>;  ///< the guest's TLB and instruction cache maintenance is broadcast
    using BSU = Bits<11, 10>;
    using DC = Bits<12>;
    using TWI = Bits<13>;
    using TWE = Bits<14>;
    using TID0 = Bits<15>;
    using TID1 = Bits<16>;
    using TID2 = Bits<17>;
    using TID3 = Bits<18>;
    using TSC = Bits<19>;
    using TIDCP = Bits<20>;
    using TACR = Bits<21>;
    using TSW = Bits<22>;
    using TPCP = Bits<23>;
    using TPU = Bits<24>;
    using TTLB = Bits<25>;
    using TVM = Bits<26>;
    using TGE = Bits<27>;
    using TDZ = Bits<28>;
    using HCD = Bits<29>;
    using TRVM = Bits<30>;
    using RW = Bits<31>;  ///< EL1 is AArch64
    using CD = Bits<32>;
    using ID = Bits<33>;
    using E2H = Bits<34>;
    using TLOR = Bits<35>;
    using TERR = Bits<36>;
    using TEA = Bits<37>;  ///< external aborts go to EL2
    using APK = Bits<40>;
    using API = Bits<41>;
};
static_assert((Hcr::RW::of(1) | Hcr::TSC::of(1) | Hcr::TWI::of(1) | Hcr::AMO::of(1) | Hcr::IMO::of(1) | Hcr::FMO::of(1) |
               Hcr::VM::of(1)) == 0x8008'2039);

/// VTCR_EL2.
struct Vtcr {
    using T0SZ = Bits<5, 0>;
    using SL0 = Bits<7, 6>;
    using IRGN0 = Bits<9, 8>;
    using ORGN0 = Bits<11, 10>;
    using SH0 = Bits<13, 12>;
    using TG0 = Bits<15, 14>;
    using PS = Bits<18, 16>;
    using VS = Bits<19>;  ///< VMID has 16 bits
    using HA = Bits<21>;
    using HD = Bits<22>;
    using Res1 = Bits<31>;
};
static_assert((Vtcr::T0SZ::of(25) | Vtcr::SL0::of(1) | Vtcr::IRGN0::of(1) | Vtcr::ORGN0::of(1) | Vtcr::SH0::of(3) |
               Vtcr::PS::of(2)) == 0x2'3559);

/// VTTBR_EL2.
struct Vttbr {
    using CnP = Bits<0>;
    using BADDR = Bits<47, 1>;
    using VMID = Bits<63, 48>;
};
static_assert((Vttbr::VMID::of(5) | 0x4000'0000) == 0x0005'0000'4000'0000);

/// CPTR_EL2 while HCR_EL2.E2H is 0.
struct Cptr {
    using TZ = Bits<8>;    ///< SVE traps
    using TFP = Bits<10>;  ///< floating point and SIMD trap
    using TTA = Bits<20>;
    using TCPAC = Bits<31>;
    static constexpr u64 res1 = 0x32ff;
};
static_assert((Cptr::res1 | Cptr::TZ::of(1)) == 0x33ff);

/// MDCR_EL2.
struct Mdcr {
    using HPMN = Bits<4, 0>;
    using TPMCR = Bits<5>;
    using TPM = Bits<6>;
    using HPME = Bits<7>;
    using TDE = Bits<8>;  ///< debug exceptions go to EL2
    using TDA = Bits<9>;
    using TDOSA = Bits<10>;
    using TDRA = Bits<11>;
    using TPMS = Bits<14>;
};
static_assert((Mdcr::TDRA::of(1) | Mdcr::TDOSA::of(1) | Mdcr::TDA::of(1) | Mdcr::TPM::of(1)) == 0xe40);

/// CNTHCTL_EL2 while HCR_EL2.E2H is 0.
struct Cnthctl {
    using EL1PCTEN = Bits<0>;  ///< EL1 and EL0 may read the physical counter
    using EL1PCEN = Bits<1>;   ///< EL1 and EL0 may use the physical timer
    using EVNTEN = Bits<2>;
    using EVNTDIR = Bits<3>;
    using EVNTI = Bits<7, 4>;
};
static_assert(Cnthctl::EL1PCTEN::of(1) == 1);

/// HSTR_EL2: T<n> traps accesses of AArch32 to system registers with primary CRn n.
struct Hstr {
    using T = Bits<15, 0>;
};

/// SPSR_ELx for AArch64, and PSTATE as this code keeps it.
struct Spsr {
    using SP = Bits<0>;  ///< SP_ELx rather than SP_EL0
    using EL = Bits<3, 2>;
    using M = Bits<3, 0>;
    using nRW = Bits<4>;
    using F = Bits<6>;
    using I = Bits<7>;
    using A = Bits<8>;
    using D = Bits<9>;
    using BTYPE = Bits<11, 10>;
    using SSBS = Bits<12>;
    using IL = Bits<20>;
    using SS = Bits<21>;
    using PAN = Bits<22>;
    using UAO = Bits<23>;
    using DIT = Bits<24>;
    using V = Bits<28>;
    using C = Bits<29>;
    using Z = Bits<30>;
    using N = Bits<31>;

    static constexpr u64 el0t = 0b0000, el1t = 0b0100, el1h = 0b0101;
    static constexpr u64 masked = D::mask | A::mask | I::mask | F::mask;
};
static_assert((Spsr::masked | Spsr::el1h) == 0x3c5);

/// SCTLR_EL1.
struct Sctlr {
    using M = Bits<0>;
    using A = Bits<1>;
    using C = Bits<2>;
    using SA = Bits<3>;
    using SA0 = Bits<4>;
    using UMA = Bits<9>;
    using I = Bits<12>;
    using DZE = Bits<14>;
    using UCT = Bits<15>;
    using nTWI = Bits<16>;
    using nTWE = Bits<18>;
    using WXN = Bits<19>;
    using SPAN = Bits<23>;  ///< PSTATE.PAN is left alone by exceptions to EL1
    using E0E = Bits<24>;
    using EE = Bits<25>;  ///< data accesses at EL1 are big-endian
    using UCI = Bits<26>;
    /// What reads as one in Armv8.0, the rest of the documented reset value being zero.
    static constexpr u64 res1 = 0x30d0'0800;
};
static_assert((Sctlr::res1 & (Sctlr::SPAN::mask | Bits<20>::mask | Bits<22>::mask | Bits<11>::mask)) == 0x00d0'0800);

/// CPACR_EL1.
struct Cpacr {
    using ZEN = Bits<17, 16>;
    using FPEN = Bits<21, 20>;
};
static_assert(Cpacr::FPEN::of(3) == 0x30'0000);

/// MPIDR_EL1, VMPIDR_EL2.
struct Mpidr {
    using Aff0 = Bits<7, 0>;
    using Aff1 = Bits<15, 8>;
    using Aff2 = Bits<23, 16>;
    using MT = Bits<24>;
    using U = Bits<30>;  ///< uniprocessor
    using Res1 = Bits<31>;
    using Aff3 = Bits<39, 32>;
    /// The bits that name a CPU, as PSCI and device trees use them.
    static constexpr u64 affinity = Aff3::mask | Aff2::mask | Aff1::mask | Aff0::mask;
};
static_assert(Mpidr::affinity == 0xff'00ff'ffff);

/// CNTP_CTL_EL0, CNTV_CTL_EL0.
struct CntCtl {
    using ENABLE = Bits<0>;
    using IMASK = Bits<1>;
    using ISTATUS = Bits<2>;
};
static_assert((CntCtl::ENABLE::of(1) | CntCtl::ISTATUS::of(1)) == 5);

/// CNTKCTL_EL1.
struct Cntkctl {
    using EL0PCTEN = Bits<0>;
    using EL0VCTEN = Bits<1>;
    using EVNTEN = Bits<2>;
    using EL0VTEN = Bits<8>;
    using EL0PTEN = Bits<9>;
};
static_assert((Cntkctl::EL0PTEN::of(1) | Cntkctl::EL0VCTEN::of(1)) == 0x202);

/// "Vector offsets from the vector base address".
struct VectorOffset {
    static constexpr u64 current_sp0 = 0x000, current_spx = 0x200, lower_aarch64 = 0x400, lower_aarch32 = 0x600;
    static constexpr u64 synchronous = 0x000, irq = 0x080, fiq = 0x100, serror = 0x180;
    using Base = Bits<63, 11>;  ///< of VBAR_EL1
};

}  // namespace ax::arm64
