// One CPU as a hypervisor at EL2 sees it: control registers, guest registers, its own interrupts, and
// the way in. The simulator models it and a bare-metal port wraps the real one; everything above is shared.
#pragma once

#include <array>

#include "core/arch/arm64/el2_regs.hpp"
#include "core/arch/arm64/trap.hpp"

namespace ax::arm64 {

/// Registers of EL1 that the core itself touches.
enum class El1Reg : u8 {
    SCTLR_EL1,
    ESR_EL1,
    FAR_EL1,
    ELR_EL1,
    SPSR_EL1,
    VBAR_EL1,
    SP_EL0,
    SP_EL1,
    CNTKCTL_EL1,
    CNTV_CTL_EL0,
    CNTV_CVAL_EL0,
};

enum class EntryResult : u8 {
    Synchronous,  ///< ESR_EL2 and its kin describe a trap
    Irq,          ///< a physical interrupt for EL2; `acknowledge` tells which
    BudgetEnd,    ///< no trap; ELR_EL2 is the next instruction
    Refused,      ///< the control registers hold what hardware would not take; ESR_EL2 is all ones
};

struct EntryStop {
    EntryResult result = EntryResult::BudgetEnd;
    u64 instructions = 0;
};

class Cpu : public GuestView {
public:
    /// The EL2 registers; ELR_EL2 and SPSR_EL2 are the guest's pc and PSTATE whenever it is not running.
    [[nodiscard]] virtual El2Regs& el2() = 0;
    /// ERET into the guest until a trap, an interrupt or the budget.
    [[nodiscard]] virtual EntryStop enter(u64 budget) = 0;

    virtual void set_gpr(unsigned n, u64 value) = 0;
    [[nodiscard]] virtual std::array<u64, 2> vector(unsigned n) = 0;
    virtual void set_vector(unsigned n, u64 low, u64 high) = 0;
    [[nodiscard]] virtual u64 el1(El1Reg reg) = 0;
    virtual void set_el1(El1Reg reg, u64 value) = 0;

    /// CNTPCT_EL0 now.
    [[nodiscard]] virtual u64 physical_counter() = 0;

    // The GIC CPU interface at EL2, with priority drop and deactivation apart (EOImode 1).
    /// ICC_IAR1_EL1: the interrupt, now active, or `no_interrupt`.
    [[nodiscard]] virtual u32 acknowledge() = 0;
    /// ICC_EOIR1_EL1: priority drop.
    virtual void end(u32 interrupt) = 0;
    /// ICC_DIR_EL1.
    virtual void deactivate(u32 interrupt) = 0;
    /// How many ICH_LR<n>_EL2 there are.
    [[nodiscard]] virtual unsigned list_registers() = 0;

    /// TLBI VMALLS12E1 for this CPU.
    virtual void fence_translation() = 0;
    /// IC IALLU for this CPU.
    virtual void fence_instruction() = 0;
    /// All guest registers to their reset values.
    virtual void reset_guest() = 0;
    /// All architectural state, EL2 registers included.
    virtual void fields(FieldVisitor& v) = 0;

protected:
    ~Cpu() = default;
};

}  // namespace ax::arm64
