// One hart as a hypervisor in HS-mode sees it: control CSRs, guest registers, and the way in. The
// simulator models it and a bare-metal port wraps the real one; everything above is shared.
#pragma once

#include "core/arch/riscv/hs_csrs.hpp"
#include "core/arch/riscv/trap.hpp"

namespace ax::riscv {

/// CSRs of VS-mode that the core itself touches. scounteren has no VS twin: HS-mode swaps it with the guest.
enum class VsCsr : u8 { vsstatus, vsie, vstvec, vsscratch, vsepc, vscause, vstval, vsatp, scounteren };

enum class EntryResult : u8 {
    Trapped,    ///< the HS CSRs describe the trap
    BudgetEnd,  ///< no trap; sepc is the next instruction
    Refused,    ///< the control CSRs hold values that hardware would not take; scause tells which CSR
};

struct EntryStop {
    EntryResult result = EntryResult::BudgetEnd;
    u64 instructions = 0;
};

class Cpu : public GuestView {
public:
    /// The HS-level CSRs; `sepc` is the guest's pc whenever the guest is not running.
    [[nodiscard]] virtual HsCsrs& hs() = 0;
    /// sret into V=1 at `sepc` with the privilege in hstatus.SPVP (sstatus.SPP), until a trap or the budget.
    [[nodiscard]] virtual EntryStop enter(u64 budget) = 0;

    virtual void set_gpr(unsigned n, u64 value) = 0;
    [[nodiscard]] virtual u64 vs_csr(VsCsr csr) = 0;
    virtual void set_vs_csr(VsCsr csr, u64 value) = 0;

    /// hfence.vvma and hfence.gvma over everything, for this hart.
    virtual void fence_translation() = 0;
    /// fence.i for this hart.
    virtual void fence_instruction() = 0;
    /// All guest registers and VS CSRs to their reset values.
    virtual void reset_guest() = 0;
    /// All architectural state, HS CSRs included.
    virtual void fields(FieldVisitor& v) = 0;

protected:
    ~Cpu() = default;
};

}  // namespace ax::riscv
