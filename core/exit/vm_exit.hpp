// The neutral words of the HAL line: why a vCPU stopped, and what it is answered. They name no
// instruction set, register or width rule; those stay with whoever decoded the exit.
#pragma once

#include <array>
#include <variant>

#include "core/base/addr.hpp"

namespace ax {

enum class Access : u8 { Read, Write, Execute };

/// A load of `size` bytes (1, 2, 4, 8) from guest physical space that no memory backs.
struct MmioRead {
    Gpa gpa;
    u8 size = 0;
};
/// A store of `size` bytes; bits of `value` beyond them are zero.
struct MmioWrite {
    Gpa gpa;
    u8 size = 0;
    u64 value = 0;
};
/// An access that stage 2 does not allow and that is not a plain load or store the decoder can
/// complete: an instruction fetch, an atomic, a floating-point access, a guest page-table walk.
struct Stage2Fault {
    Gpa gpa;
    Access access = Access::Read;
    /// True when the guest's own page-table walk made the access.
    bool by_walk = false;
};
/// A call to the hypervisor itself (AxVisor's hypercalls, not firmware).
struct Hypercall {
    u64 number = 0;
    std::array<u64, 6> args{};
};

/// A set of vCPUs as firmware calls name them: all, or bit n of `mask` for vCPU `base + n`.
struct CpuSet {
    bool all = false;
    u64 base = 0;
    u64 mask = 0;

    /// Members are numbered as the guest numbers its CPUs.
    [[nodiscard]] constexpr bool contains(u64 cpu) const {
        return all || (cpu >= base && cpu - base < 64 && ((mask >> (cpu - base)) & 1) != 0);
    }
    /// True when every named vCPU is below `count`.
    [[nodiscard]] constexpr bool is_within(u64 count) const {
        if (all || mask == 0) return true;
        const auto top = static_cast<u64>(63 - __builtin_clzll(mask));
        return base < count && top < count - base;
    }
};

enum class PowerOp : u8 { CpuOn, CpuOff, CpuStatus, CpuSuspend, SystemOff, SystemReset };
/// A call that starts, stops or asks after vCPUs or the VM (PSCI, SBI HSM/SRST, SIPI).
struct PowerCall {
    PowerOp op = PowerOp::SystemOff;
    u64 target = 0;    ///< CPU number as the guest numbers them
    Gpa entry;         ///< CpuOn, and CpuSuspend that loses state: where it starts
    u64 argument = 0;  ///< CpuOn, CpuSuspend: opaque value for the start; SystemReset: the guest's reason
    bool loses_state = false;  ///< CpuSuspend: resumes at `entry` rather than after the call
};
/// The vCPU's timer shall fire when guest time reaches `deadline_ticks`.
struct SetTimer {
    u64 deadline_ticks = 0;
};
/// An interrupt from this vCPU to others. Where the VM's interrupt controller numbers such interrupts, `number`
/// says which.
struct SendIpi {
    CpuSet targets;
    bool all_but_self = false;  ///< instead of `targets`
    u32 number = 0;
    bool is_group1 = true;      ///< of the controller's two groups, where it has them
};
/// Translations or instruction caches of other vCPUs must be flushed before this one goes on.
struct RemoteFence {
    CpuSet targets;
    bool instruction = false;  ///< instruction fetch rather than address translation
};
enum class ConsoleOp : u8 { PutByte, GetByte, Write, Read };
/// Console through firmware: one byte in `value`, or `length` bytes of guest memory at `buffer`.
struct ConsoleCall {
    ConsoleOp op = ConsoleOp::PutByte;
    u64 value = 0;
    Gpa buffer;
    u64 length = 0;
};
/// The vCPU has nothing to do until an interrupt is pending for it (WFI, HLT).
struct WaitForInterrupt {};
/// The vCPU spins on another one; the scheduler may run that one (PAUSE, YIELD, WFE).
struct SpinHint {};
/// The architecture layer has answered already; counted and recorded, nothing left to do.
struct Handled {
    u64 code = 0;   ///< what was asked, in the architecture's own numbers
    u64 value = 0;  ///< what it was told
};
/// An instruction this virtual CPU does not have; `bits` is its encoding where known.
struct UndefinedInstruction {
    u64 bits = 0;
};
/// GuestTimer: of the vCPU itself, which the HAL has made pending for it already. Maintenance: of its interrupt slots.
enum class HostInterruptKind : u8 { Timer, External, Software, GuestTimer, Maintenance };
/// A physical interrupt of the host took the CPU from the guest.
struct HostInterrupt {
    HostInterruptKind kind = HostInterruptKind::Timer;
};
/// The budget is used up; nothing happened in the guest.
struct BudgetEnd {};
/// A trap that this core has no rule for; the VM is stopped with these values.
struct Unhandled {
    u64 cause = 0;
    u64 detail = 0;
};
/// The hardware refused to enter the guest with the control values it was given.
struct EntryFailure {
    u64 reason = 0;
};

/// A load of `size` bytes (1, 2, 4) from I/O port space.
struct PortRead {
    u16 port = 0;
    u8 size = 0;
};
/// A store of `size` bytes; bits of `value` beyond them are zero.
struct PortWrite {
    u16 port = 0;
    u8 size = 0;
    u64 value = 0;
};
/// The CPU has shut down: it could report a fault to nobody, and not that it could not (on x86 a triple fault). It executes
/// nothing more; a board would reset it.
struct CpuShutdown {
    u64 address = 0;  ///< of the last access that faulted
};

using VmExit = std::variant<BudgetEnd, MmioRead, MmioWrite, Stage2Fault, Hypercall, PowerCall, SetTimer, SendIpi, RemoteFence,
                            ConsoleCall, WaitForInterrupt, SpinHint, Handled, UndefinedInstruction, HostInterrupt, Unhandled,
                            EntryFailure, PortRead, PortWrite, CpuShutdown>;

/// Short fixed names in the order of `VmExit`, for statistics and traces.
inline constexpr std::array<const char*, std::variant_size_v<VmExit>> vm_exit_names = {
    "budget-end",    "mmio-read",     "mmio-write", "stage2-fault", "hypercall", "power-call",
    "set-timer",     "send-ipi",      "remote-fence", "console-call", "wait",    "spin-hint",
    "arch-call",     "undefined-insn", "host-interrupt", "unhandled", "entry-failure", "port-read", "port-write",
    "cpu-shutdown"};

/// Result of a firmware or hypervisor call, in neutral words; each ISA maps it to its own codes.
enum class CallStatus : u8 {
    Success,
    Failed,
    NotSupported,
    InvalidParameter,
    Denied,
    InvalidAddress,
    AlreadyAvailable,
    AlreadyStarted,
    AlreadyStopped,
    StartPending,
};

enum class AnswerKind : u8 {
    Value,      ///< completed; `value` is the loaded data, if the exit was a load
    Call,       ///< a call completed with `status` and `value`
    BusFault,   ///< nothing answers at that address: the guest gets its access fault
    Undefined,  ///< the guest gets its undefined-instruction fault
    Retry,      ///< the cause is removed: run the same instruction again
    None,       ///< nothing to complete: the vCPU goes on, or never will
};
struct Answer {
    AnswerKind kind = AnswerKind::None;
    CallStatus status = CallStatus::Success;
    u64 value = 0;

    static constexpr Answer of_value(u64 v) { return {AnswerKind::Value, CallStatus::Success, v}; }
    static constexpr Answer of_call(CallStatus s, u64 v = 0) { return {AnswerKind::Call, s, v}; }
    static constexpr Answer bus_fault() { return {AnswerKind::BusFault, CallStatus::Success, 0}; }
    static constexpr Answer undefined() { return {AnswerKind::Undefined, CallStatus::Success, 0}; }
    static constexpr Answer retry() { return {AnswerKind::Retry, CallStatus::Success, 0}; }
    static constexpr Answer none() { return {}; }
};

/// An interrupt input of a vCPU. Level: it stays pending until lowered.
enum class EventLine : u8 { Software, Timer, External };
struct Event {
    EventLine line = EventLine::External;
    bool level = false;
};

/// What a vCPU starts with.
struct BootState {
    Gpa entry;
    u64 cpu_number = 0;  ///< as the guest numbers its CPUs (hart id, MPIDR affinity, APIC id)
    u64 argument = 0;    ///< device tree address at boot, the opaque value of a CpuOn afterwards
};

}  // namespace ax
