// Layouts of VMX: control words, exit reasons, qualifications, event words. Source of each: Intel SDM vol. 3, the
// section that is named.
#pragma once

#include "core/arch/x86/regs.hpp"

namespace ax::x86 {

/// "Pin-Based VM-Execution Controls".
struct PinControls {
    using ExternalInterruptExiting = Bits<0>;
    using NmiExiting = Bits<3>;
    using VirtualNmis = Bits<5>;
    using PreemptionTimer = Bits<6>;
    using ProcessPostedInterrupts = Bits<7>;
};

/// "Processor-Based VM-Execution Controls", primary.
struct PrimaryControls {
    using InterruptWindowExiting = Bits<2>;
    using UseTscOffsetting = Bits<3>;
    using HltExiting = Bits<7>;
    using InvlpgExiting = Bits<9>;
    using MwaitExiting = Bits<10>;
    using RdpmcExiting = Bits<11>;
    using RdtscExiting = Bits<12>;
    using Cr3LoadExiting = Bits<15>;
    using Cr3StoreExiting = Bits<16>;
    using ActivateTertiary = Bits<17>;
    using Cr8LoadExiting = Bits<19>;
    using Cr8StoreExiting = Bits<20>;
    using UseTprShadow = Bits<21>;
    using NmiWindowExiting = Bits<22>;
    using MovDrExiting = Bits<23>;
    using UnconditionalIoExiting = Bits<24>;
    using UseIoBitmaps = Bits<25>;
    using MonitorTrapFlag = Bits<27>;
    using UseMsrBitmaps = Bits<28>;
    using MonitorExiting = Bits<29>;
    using PauseExiting = Bits<30>;
    using ActivateSecondary = Bits<31>;
};

/// "Processor-Based VM-Execution Controls", secondary.
struct SecondaryControls {
    using VirtualizeApicAccesses = Bits<0>;
    using EnableEpt = Bits<1>;
    using DescriptorTableExiting = Bits<2>;
    using EnableRdtscp = Bits<3>;
    using VirtualizeX2apicMode = Bits<4>;
    using EnableVpid = Bits<5>;
    using WbinvdExiting = Bits<6>;
    using UnrestrictedGuest = Bits<7>;
    using ApicRegisterVirtualization = Bits<8>;
    using VirtualInterruptDelivery = Bits<9>;
    using PauseLoopExiting = Bits<10>;
    using RdrandExiting = Bits<11>;
    using EnableInvpcid = Bits<12>;
    using EnableVmFunctions = Bits<13>;
    using VmcsShadowing = Bits<14>;
    using RdseedExiting = Bits<16>;
    using EnablePml = Bits<17>;
    using EptViolationVe = Bits<18>;
    using EnableXsaves = Bits<20>;
    using ModeBasedExecute = Bits<22>;
    using UseTscScaling = Bits<25>;
};

/// "VM-Exit Controls".
struct ExitControls {
    using SaveDebugControls = Bits<2>;
    using HostAddressSpaceSize = Bits<9>;
    using LoadPerfGlobalCtrl = Bits<12>;
    using AcknowledgeInterrupt = Bits<15>;
    using SavePat = Bits<18>;
    using LoadPat = Bits<19>;
    using SaveEfer = Bits<20>;
    using LoadEfer = Bits<21>;
    using SavePreemptionTimer = Bits<22>;
};

/// "VM-Entry Controls".
struct EntryControls {
    using LoadDebugControls = Bits<2>;
    using Ia32eModeGuest = Bits<9>;
    using EntryToSmm = Bits<10>;
    using DeactivateDualMonitor = Bits<11>;
    using LoadPerfGlobalCtrl = Bits<13>;
    using LoadPat = Bits<14>;
    using LoadEfer = Bits<15>;
};

/// "VMX Capability Reporting Facility", a word of controls: low half the bits that must be one, high half those that may be.
struct ControlCapability {
    using Allowed0 = Bits<31, 0>;
    using Allowed1 = Bits<63, 32>;
};

/// "Extended-Page-Table Pointer (EPTP)".
struct Eptp {
    using MemoryType = Bits<2, 0>;
    using WalkLengthMinus1 = Bits<5, 3>;
    using AccessedDirty = Bits<6>;
    using Root = Bits<51, 12>;

    static constexpr u64 write_back = 6;
};
static_assert((Eptp::MemoryType::of(6) | Eptp::WalkLengthMinus1::of(3)) == 0x1e);

/// "VMX Basic Exit Reasons" (appendix C).
enum class ExitReason : u16 {
    ExceptionOrNmi = 0,
    ExternalInterrupt = 1,
    TripleFault = 2,
    InitSignal = 3,
    StartupIpi = 4,
    IoSmi = 5,
    OtherSmi = 6,
    InterruptWindow = 7,
    NmiWindow = 8,
    TaskSwitch = 9,
    Cpuid = 10,
    Getsec = 11,
    Hlt = 12,
    Invd = 13,
    Invlpg = 14,
    Rdpmc = 15,
    Rdtsc = 16,
    Rsm = 17,
    Vmcall = 18,
    Vmclear = 19,
    Vmlaunch = 20,
    Vmptrld = 21,
    Vmptrst = 22,
    Vmread = 23,
    Vmresume = 24,
    Vmwrite = 25,
    Vmxoff = 26,
    Vmxon = 27,
    CrAccess = 28,
    MovDr = 29,
    IoInstruction = 30,
    Rdmsr = 31,
    Wrmsr = 32,
    EntryFailureGuestState = 33,
    EntryFailureMsrLoading = 34,
    Mwait = 36,
    MonitorTrapFlag = 37,
    Monitor = 39,
    Pause = 40,
    EntryFailureMachineCheck = 41,
    TprBelowThreshold = 43,
    ApicAccess = 44,
    VirtualizedEoi = 45,
    GdtrIdtrAccess = 46,
    LdtrTrAccess = 47,
    EptViolation = 48,
    EptMisconfiguration = 49,
    Invept = 50,
    Rdtscp = 51,
    PreemptionTimer = 52,
    Invvpid = 53,
    Wbinvd = 54,
    Xsetbv = 55,
    ApicWrite = 56,
    Rdrand = 57,
    Invpcid = 58,
    Vmfunc = 59,
    Encls = 60,
    Rdseed = 61,
    PageModificationLogFull = 62,
    Xsaves = 63,
    Xrstors = 64,
};

/// "Basic VM-Exit Information", exit reason.
struct ExitReasonWord {
    using Basic = Bits<15, 0>;
    using EntryFailure = Bits<31>;
};

/// "Exit Qualification for Control-Register Accesses".
struct CrAccessQualification {
    using Number = Bits<3, 0>;
    using Type = Bits<5, 4>;
    using LmswMemory = Bits<6>;
    using Register = Bits<11, 8>;
    using LmswSource = Bits<31, 16>;
};
enum class CrAccessType : u8 { MovToCr = 0, MovFromCr = 1, Clts = 2, Lmsw = 3 };

/// "Exit Qualification for MOV DR".
struct DrAccessQualification {
    using Number = Bits<2, 0>;
    using FromDr = Bits<4>;
    using Register = Bits<11, 8>;
};

/// "Exit Qualification for I/O Instructions".
struct IoQualification {
    using SizeMinus1 = Bits<2, 0>;
    using In = Bits<3>;
    using String = Bits<4>;
    using Rep = Bits<5>;
    using Immediate = Bits<6>;
    using Port = Bits<31, 16>;
};
static_assert((IoQualification::Port::of(0x3f8) | IoQualification::In::of(1)) == 0x03f8'0008);

/// "Exit Qualification for Task Switches".
struct TaskSwitchQualification {
    using Selector = Bits<15, 0>;
    using Source = Bits<31, 30>;  ///< CALL, IRET, JMP, task gate in the IDT
};

/// "Exit Qualification for EPT Violations".
struct EptViolationQualification {
    using Read = Bits<0>;
    using Write = Bits<1>;
    using Fetch = Bits<2>;
    using Readable = Bits<3>;
    using Writable = Bits<4>;
    using Executable = Bits<5>;
    using LinearValid = Bits<7>;
    using Translated = Bits<8>;  ///< of the linear address itself, not of a paging structure; where LinearValid
    using NmiUnblocking = Bits<12>;
};

/// "Exit Qualification for Debug Exceptions" has the layout of these bits of DR6.
struct DebugQualification {
    using B = Bits<3, 0>;
    using BD = Bits<13>;
    using BS = Bits<14>;

    static constexpr u64 mask = B::mask | BD::mask | BS::mask;
};

/// "VM-Entry Controls for Event Injection", "Information for VM Exits Due to Vectored Events", "Information for VM Exits
/// That Occur During Event Delivery": one layout.
struct EventWord {
    using VectorNumber = Bits<7, 0>;
    using Type = Bits<10, 8>;
    using DeliverErrorCode = Bits<11>;
    using NmiUnblocking = Bits<12>;  ///< exits due to vectored events only
    using Valid = Bits<31>;
};
enum class EventType : u8 {
    ExternalInterrupt = 0,
    Nmi = 2,
    HardwareException = 3,
    SoftwareInterrupt = 4,
    PrivilegedSoftwareException = 5,
    SoftwareException = 6,
    Other = 7,
};
static_assert((EventWord::Valid::of(1) | EventWord::DeliverErrorCode::of(1) | EventWord::Type::of(3) |
               EventWord::VectorNumber::of(13)) == 0x8000'0b0d);

/// "Guest Non-Register State", interruptibility.
struct Interruptibility {
    using BlockingBySti = Bits<0>;
    using BlockingByMovSs = Bits<1>;
    using BlockingBySmi = Bits<2>;
    using BlockingByNmi = Bits<3>;
    using EnclaveInterruption = Bits<4>;

    static constexpr u64 shadow = BlockingBySti::mask | BlockingByMovSs::mask;
};

/// "Guest Non-Register State", activity.
enum class ActivityState : u32 { Active = 0, Hlt = 1, Shutdown = 2, WaitForSipi = 3 };

/// "Guest Non-Register State", pending debug exceptions.
struct PendingDebug {
    using B = Bits<3, 0>;
    using EnabledBreakpoint = Bits<12>;
    using BS = Bits<14>;
    using RTM = Bits<16>;
};

/// "VM Instruction Error Numbers", those that VM entry gives.
enum class VmInstructionError : u32 {
    None = 0,
    VmlaunchNonClear = 4,
    VmresumeNonLaunched = 5,
    InvalidControls = 7,
    InvalidHostState = 8,
    EntryBlockedByMovSs = 26,
};

}  // namespace ax::x86
