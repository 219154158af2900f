// The values that pass between a trap and its completion: what the hardware left behind, what it
// means, and what must be written back. Pure data.
#pragma once

#include <array>
#include <optional>

#include "core/arch/arm64/regs.hpp"
#include "core/base/fields.hpp"
#include "core/exit/vm_exit.hpp"

namespace ax::arm64 {

/// The EL2 registers after an exception out of the guest.
struct Trap {
    u64 esr = 0;
    u64 far = 0;
    u64 hpfar = 0;
    u64 elr = 0;
    u64 spsr = 0;
};

/// What decoding may read of the guest.
class GuestView {
public:
    /// X0 to X30; 31 reads as zero.
    [[nodiscard]] virtual u64 gpr(unsigned n) = 0;
    /// The stack pointer of the current level.
    [[nodiscard]] virtual u64 sp() = 0;
    [[nodiscard]] virtual std::array<u64, 2> vector(unsigned n) = 0;
    /// The instruction word at a guest virtual address, with the guest's own rights; nothing when it cannot be
    /// read, which another vCPU may cause at any moment.
    [[nodiscard]] virtual std::optional<u32> fetch(Gva address) = 0;
    /// Stage 1 alone (AT S1E1R and its kin), with the guest's own rights.
    [[nodiscard]] virtual std::optional<Gpa> translate(Gva va, Access access) = 0;

protected:
    ~GuestView() = default;
};

/// One bus access of an instruction.
struct Part {
    Gpa gpa;
    bool is_vector = false;
    u8 reg = 0;     ///< 31: XZR of the general registers
    u8 offset = 0;  ///< byte of the register that the access begins at
    u8 size = 0;    ///< 1, 2, 4, 8

    void fields(FieldVisitor& v) {
        field(v, "gpa", gpa);
        field(v, "is_vector", is_vector);
        field(v, "reg", reg);
        field(v, "offset", offset);
        field(v, "size", size);
    }
};
/// LDP of two Q registers: four accesses of 8 bytes.
inline constexpr std::size_t max_parts = 4;

enum class CompletionKind : u8 {
    None,       ///< nothing to write back; the instruction runs again
    Memory,     ///< the parts' data into their registers, write-back, step over
    Register,   ///< `value` into X`rt`, step over
    Call,       ///< PSCI and SMCCC: X0 is the result
    Hypercall,  ///< AxVisor: X0 is the result
    Skip,       ///< step over
    Abort,      ///< the guest gets the abort, whatever the answer
};

/// How the decoded exit is given its answer.
struct Completion {
    CompletionKind kind = CompletionKind::None;
    u8 length = 4;  ///< bytes to step over; 0 where ELR is behind the instruction already

    // Memory.
    FixedVector<Part, max_parts> parts{};
    std::array<u64, max_parts> values{};
    u8 next = 0;  ///< the part that the exit is about
    bool is_load = false;
    bool is_signed = false;
    bool is_64 = false;        ///< width of a general register that is loaded
    std::optional<u8> base{};  ///< written back; 31 is the stack pointer
    u64 base_value = 0;

    // Register, Call, Hypercall.
    u8 rt = 0;
    u64 value = 0;
    bool is_answered = false;        ///< Call: `value` is the result, whatever the answer says
    bool gives_power_state = false;  ///< Call: AFFINITY_INFO

    // What the guest gets when nothing answers.
    bool is_fetch = false;
    bool is_write = false;
    u64 fault_status = FaultStatus::external;
    Gva far{};
    bool has_far = true;

    /// What a memory access needs; other kinds are answered before anything is saved.
    void fields(FieldVisitor& v) {
        u8 base_register = base.value_or(no_register);
        field(v, "kind", kind);
        field(v, "length", length);
        field(v, "parts", parts);
        field(v, "values", values);
        field(v, "next", next);
        field(v, "is_load", is_load);
        field(v, "is_signed", is_signed);
        field(v, "is_64", is_64);
        field(v, "base", base_register);
        field(v, "base_value", base_value);
        field(v, "is_write", is_write);
        field(v, "fault_status", fault_status);
        field(v, "far", far);
        field(v, "has_far", has_far);
        base = base_register == no_register ? std::nullopt : std::optional(base_register);
    }

private:
    static constexpr u8 no_register = 0xff;
};

/// A system register that the vCPU itself must serve.
struct SysregAccess {
    SysReg reg;
    bool is_read = false;
    u8 rt = 0;

    /// The MRS, MSR or SYS: what an undefined-instruction exit names.
    [[nodiscard]] constexpr u64 encoding() const {
        using L = Bits<21>;
        using Operands = Bits<20, 5>;
        using Rt = Bits<4, 0>;
        constexpr u64 system = 0xd500'0000;
        return system | L::of(is_read) | Operands::of(reg.packed()) | Rt::of(rt);
    }
};
static_assert(SysregAccess{sysreg::SCTLR_EL1, true, 0}.encoding() == 0xd538'1000);  // mrs x0, sctlr_el1

struct Decoded {
    VmExit exit;
    Completion completion;
    /// The exit is the vCPU's to choose, for it must serve this first: `Handled` and the completion as it is, with
    /// `value` for a read; or `UndefinedInstruction` and no completion.
    std::optional<SysregAccess> sysreg;
};

/// A synchronous exception to take at EL1.
struct GuestException {
    u64 esr = 0;  ///< for ESR_EL1, with the class of a lower level; `take_exception` chooses
    std::optional<Gva> far;
};

struct GprWrite {
    u8 rd = 0;  ///< 31: the stack pointer
    u64 value = 0;
};
struct VectorWrite {
    u8 rd = 0;
    std::array<u64, 2> value{};
};

/// What completing an exit does to the vCPU.
struct Effects {
    FixedVector<GprWrite, 3> gprs;
    FixedVector<VectorWrite, 2> vectors;
    u64 advance = 0;
    std::optional<GuestException> exception;
};

}  // namespace ax::arm64
