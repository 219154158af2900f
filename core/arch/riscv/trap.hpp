// The values that pass between a trap and its completion: what the hardware left behind, what it
// means, and what must be written back. Pure data.
#pragma once

#include <expected>
#include <optional>

#include "core/arch/riscv/regs.hpp"
#include "core/base/fields.hpp"
#include "core/exit/vm_exit.hpp"

namespace ax::riscv {

/// The HS-level CSRs after a trap out of V=1.
struct Trap {
    u64 scause = 0;
    u64 stval = 0;
    u64 htval = 0;   ///< guest physical address of a guest-page fault, shifted right by 2
    u64 htinst = 0;  ///< transformed instruction, a walk pseudoinstruction, or 0 when hardware gives none
    u64 hstatus = 0;
    u64 sstatus = 0;
    u64 sepc = 0;
};

/// What decoding may read of the guest.
class GuestView {
public:
    [[nodiscard]] virtual u64 gpr(unsigned n) = 0;
    /// 16 bits of code at a guest virtual address with the guest's own rights (HLVX.HU); nothing
    /// when the address cannot be read, which another vCPU may cause at any moment.
    [[nodiscard]] virtual std::optional<u16> fetch(Gva address) = 0;

protected:
    ~GuestView() = default;
};

enum class CompletionKind : u8 {
    None,        ///< nothing to write back; the instruction runs again
    Load,        ///< write the answer to `rd` and step over
    Store,       ///< step over
    SbiCall,     ///< a0 = error, a1 = value; step over
    LegacyCall,  ///< a0 = value; step over
    VendorCall,  ///< AxVisor hypercall: a0 = value; step over
    Skip,        ///< step over
};

/// How the decoded exit is given its answer.
struct Completion {
    CompletionKind kind = CompletionKind::None;
    u8 rd = 0;                        ///< Load: destination register
    u8 size = 0;                      ///< Load: bytes
    bool is_signed = false;           ///< Load: sign-extend to 64 bits
    u8 length = 4;                    ///< bytes of the instruction to step over
    u64 bits = 0;                     ///< encoding, for an undefined-instruction answer
    Cause fault = Cause::LoadAccess;  ///< what the guest gets when nothing answers
    u64 fault_value = 0;              ///< its stval
    i64 call_error = 0;               ///< SbiCall that the architecture layer answered itself (exit `Handled`)
    u64 call_value = 0;

    void fields(FieldVisitor& v) {
        field(v, "kind", kind);
        field(v, "rd", rd);
        field(v, "size", size);
        field(v, "is_signed", is_signed);
        field(v, "length", length);
        field(v, "bits", bits);
        field(v, "fault", fault);
        field(v, "fault_value", fault_value);
        field(v, "call_error", call_error);
        field(v, "call_value", call_value);
    }
};

struct Decoded {
    VmExit exit;
    Completion completion;
};

/// An exception to take in VS-mode.
struct GuestException {
    Cause cause = Cause::IllegalInstruction;
    u64 tval = 0;
};

struct GprWrite {
    u8 rd = 0;
    u64 value = 0;
};

/// What completing an exit does to the vCPU.
struct Effects {
    std::optional<GprWrite> first;
    std::optional<GprWrite> second;
    u64 advance = 0;  ///< bytes to add to the guest's pc
    std::optional<GuestException> exception;
};

}  // namespace ax::riscv
