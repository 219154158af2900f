// The values that pass between an exit and its completion: what the guest asked for, and what must be written back.
#pragma once

#include <expected>
#include <optional>
#include <variant>

#include "core/arch/x86/alu.hpp"
#include "core/arch/x86/vmcs.hpp"
#include "core/exit/vm_exit.hpp"

namespace ax::x86 {

/// An exception for the guest.
struct GuestException {
    Vector vector = Vector::UD;
    std::optional<u32> error_code{};
    std::optional<u64> cr2{};  ///< #PF: the linear address
};

/// Registers of a guest that no VMCS field holds and that completing an exit may change.
struct GuestRegs {
    Gprs gprs{};  ///< RSP is the VMCS's
    u64 CR2 = 0;
    u64 DR6 = Dr6::at_reset;
    u64 IA32_TSC_AUX = 0;

    constexpr bool operator==(const GuestRegs&) const = default;
    void fields(FieldVisitor& v) {
        field(v, "gprs", gprs);
        field(v, "CR2", CR2);
        field(v, "DR6", DR6);
        field(v, "IA32_TSC_AUX", IA32_TSC_AUX);
    }
};

/// What decoding and completing may touch of the guest's memory.
class GuestMemory {
public:
    /// Copies code from a linear address with the guest's rights; the number of bytes that could be read, from the first.
    [[nodiscard]] virtual std::size_t fetch(Gva linear, std::span<u8> bytes) = 0;
    /// The guest's own translation of a data access at its current privilege; sets accessed and dirty bits as hardware does.
    [[nodiscard]] virtual std::expected<Gpa, GuestException> translate(Gva linear, Access access) = 0;
    /// Reads memory that stage 2 maps; none where it maps nothing. Does not cross a page. `size` is 1, 2, 4 or 8.
    [[nodiscard]] virtual std::optional<u64> load(Gpa gpa, u8 size) = 0;
    /// Writes memory that stage 2 maps writable; false where it does not.
    [[nodiscard]] virtual bool store(Gpa gpa, u8 size, u64 value) = 0;

protected:
    ~GuestMemory() = default;
};

/// The guest that stopped.
struct Guest {
    Vmcs& vmcs;
    GuestRegs& regs;
    GuestMemory& memory;
};

/// CPUID; answered through `complete_cpuid`.
struct CpuidRead {
    u32 leaf = 0;
    u32 subleaf = 0;
};
/// RDMSR; a bus fault is #GP(0).
struct MsrRead {
    u32 index = 0;
};
struct MsrWrite {
    u32 index = 0;
    u64 value = 0;
};
/// RDTSC or RDTSCP, where they exit; the answer's value is the guest's time-stamp counter.
struct TimeStampRead {};
/// MOV from or to CR8: bits 7:4 of the local APIC's task priority.
struct TaskPriorityRead {};
struct TaskPriorityWrite {
    u8 value = 0;  ///< 0 to 15
};
/// The guest can take an interrupt, or an NMI, for which it was made to exit; the exit is switched off again.
struct WindowOpened {
    bool is_nmi = false;
};
/// No further exception could be delivered: the CPU is in shutdown until it is reset.
struct TripleFault {};
/// A start-up IPI arrived at a CPU in the wait-for-SIPI state.
struct StartupIpi {
    u8 vector = 0;
};

/// What only the vCPU itself can answer.
using Request = std::variant<CpuidRead, MsrRead, MsrWrite, TimeStampRead, TaskPriorityRead, TaskPriorityWrite, WindowOpened, TripleFault,
                             StartupIpi>;

/// One end of a transfer.
struct Place {
    enum class Kind : u8 { None, Memory, Port };
    Kind kind = Kind::None;
    u16 port = 0;
    Gpa gpa{};
    Gpa second{};        ///< where the next page goes on, when the access crosses into it
    u8 first_bytes = 0;  ///< bytes in the first page; less than the size when it crosses

    constexpr bool operator==(const Place&) const = default;
    void fields(FieldVisitor& v) {
        field(v, "kind", kind);
        field(v, "port", port);
        field(v, "gpa", gpa);
        field(v, "second", second);
        field(v, "first_bytes", first_bytes);
    }
};

enum class CompletionKind : u8 {
    None,          ///< nothing to write back
    Skip,          ///< step over
    Transfer,      ///< the instruction in `insn` between `source` and `target`
    Cpuid,         ///< EAX, EBX, ECX, EDX
    Msr,           ///< EDX:EAX where it is a read; a bus fault is #GP(0)
    TimeStamp,     ///< EDX:EAX, and ECX for RDTSCP
    TaskPriority,  ///< `reg` where it is a read
    Hypercall,     ///< RAX is the result
    Fault,         ///< a bus fault gives the guest `fault`; otherwise it runs again
    Shutdown,      ///< no exception could be delivered
};

enum class TransferStep : u8 { Read, Compute, Write, Commit };

/// How the decoded exit is given its answer.
struct Completion {
    CompletionKind kind = CompletionKind::None;
    u8 length = 0;  ///< bytes to step over
    bool is_read = false;
    bool has_aux = false;  ///< RDTSCP
    Gpr reg = Gpr::RAX;
    GuestException fault{};

    // Transfer.
    Insn insn{};
    Place source{};
    Place target{};
    TransferStep step = TransferStep::Read;
    bool is_answered = false;       ///< a device has answered part of the instruction already
    bool was_retried = false;       ///< the write was asked for a second time
    bool waits_for_halves = false;  ///< the question is whether memory is behind both pages of the access
    u64 loaded = 0;
    Outcome outcome{};
    u16 elements_left = 0;  ///< of a port string, before the guest is entered again

    /// What `next_question` needs; other kinds, and the question about halves, are answered before anything is saved.
    void fields(FieldVisitor& v) {
        field(v, "kind", kind);
        field(v, "length", length);
        field(v, "insn", insn);
        field(v, "source", source);
        field(v, "target", target);
        field(v, "step", step);
        field(v, "is_answered", is_answered);
        field(v, "was_retried", was_retried);
        field(v, "loaded", loaded);
        field(v, "outcome", outcome);
        field(v, "elements_left", elements_left);
    }
};

/// What the rest of the hypervisor is asked. Where `request` is there, the vCPU serves it and chooses the exit; `exit` is then
/// `Handled{basic reason, detail}`.
struct Question {
    VmExit exit{};
    std::optional<Request> request{};
};

struct Decoded {
    Question question;
    Completion completion;
};

}  // namespace ax::x86
