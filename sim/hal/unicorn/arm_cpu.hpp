// One simulated arm64 CPU with EL2: Unicorn executes EL1 and EL0, the models in sim/trap decide what
// traps and what hardware would leave behind. To the core this is the CPU it programs.
#pragma once

#include <vector>

#include "core/backend/arm64/cpu.hpp"
#include "sim/hal/unicorn/arm_engine.hpp"
#include "sim/mmu/arm64_tlb.hpp"
#include "sim/mmu/vmsa_walker.hpp"
#include "sim/trap/arm64/el2_model.hpp"
#include "sim/trap/arm64/icv.hpp"
#include "sim/trap/arm64/instruction.hpp"
#include "sim/trap/arm64/syndrome.hpp"
#include "sim/trap/arm64/virtual_timer.hpp"

namespace ax::sim {

class ArmCpu;

/// What a CPU sees of its board.
class ArmBoard {
public:
    /// CNTPCT_EL0 after `retired` more instructions than are accounted.
    [[nodiscard]] virtual u64 ticks_after(u64 retired) = 0;
    /// Instructions from the accounted ones on until CNTPCT_EL0 has reached `ticks`.
    [[nodiscard]] virtual u64 instructions_until(u64 ticks) = 0;
    /// `instructions` were retired: time goes on.
    virtual void retire(u64 instructions) = 0;
    /// The hypervisor's timer: its condition, and its interrupt taken.
    [[nodiscard]] virtual bool timer_is_due() = 0;
    virtual bool take_timer() = 0;
    /// The CPU that entered its guest last; the next one ends that one's exclusive accesses.
    [[nodiscard]] virtual ArmCpu*& last_entered() = 0;

protected:
    ~ArmBoard() = default;
};

/// CPUs that share inner-shareable TLB maintenance: those of one VM.
using ArmPeers = std::vector<ArmCpu*>;

class ArmCpu final : public ax::arm64::Cpu, private ArmClient, private arm64::RegisterReader {
public:
    /// `peers` outlives the CPU and names it too, in the end.
    ArmCpu(PhysMemory& memory, ArmEngine& engine, ArmBoard& board, const ArmPeers& peers);
    ~ArmCpu();
    ArmCpu(const ArmCpu&) = delete;
    ArmCpu& operator=(const ArmCpu&) = delete;

    [[nodiscard]] ax::arm64::El2Regs& el2() override { return el2_; }
    [[nodiscard]] ax::arm64::EntryStop enter(u64 budget) override;
    [[nodiscard]] u64 gpr(unsigned n) override;
    [[nodiscard]] u64 sp() override { return engine().read(UC_ARM64_REG_SP); }
    void set_gpr(unsigned n, u64 value) override;
    [[nodiscard]] std::array<u64, 2> vector(unsigned n) override;
    void set_vector(unsigned n, u64 low, u64 high) override;
    [[nodiscard]] u64 el1(ax::arm64::El1Reg reg) override;
    void set_el1(ax::arm64::El1Reg reg, u64 value) override;
    [[nodiscard]] std::optional<u32> fetch(Gva address) override;
    [[nodiscard]] std::optional<Gpa> translate(Gva va, Access access) override;
    [[nodiscard]] u64 physical_counter() override { return board_.ticks_after(retired_); }
    [[nodiscard]] u32 acknowledge() override;
    void end(u32 interrupt) override;
    void deactivate(u32 interrupt) override;
    [[nodiscard]] unsigned list_registers() override { return arm64::list_register_count; }
    void fence_translation() override;
    void fence_instruction() override {}
    void reset_guest() override;
    void fields(FieldVisitor& v) override;

    /// Leaves the engine that `engine` replaces; the guest cannot tell.
    void move_to(ArmEngine& engine);
    /// True when the guest does nothing but take exceptions, without one instruction between them.
    [[nodiscard]] bool is_stuck() const { return idle_traps_ >= stuck_traps; }

private:
    static constexpr u64 stuck_traps = 10'000;
    /// The Cortex-A72 has no FEAT_PAN.
    static constexpr bool has_pan = false;
    /// Where a floating-point instruction traps to.
    enum class FpTrap : u8 { None, ToEl1, ToEl2 };

    // Registers, and what follows from the EL2 ones.
    ArmEngine& engine();
    void apply_controls();
    void apply(ax::arm64::SysReg reg, u64& applied, u64 value);
    void set_pstate(u64 value);
    void lose_monitor();
    [[nodiscard]] u64 base(unsigned n) override;
    [[nodiscard]] u64 index(unsigned n) override { return n == 31 ? 0 : gpr(n); }
    [[nodiscard]] Gva pc() override { return Gva{engine().read(UC_ARM64_REG_PC)}; }

    // Memory.
    [[nodiscard]] const arm64::VmsaContext& translation_context();
    [[nodiscard]] arm64::WalkAccess access_now(Access access);
    [[nodiscard]] const arm64::VmsaTranslation* look_up(Gva va, arm64::WalkAccess access);
    bool on_fill(Gva va, Access access, EngineFill& fill) override;
    [[nodiscard]] const std::byte* code_page(Gva va) override;

    // System registers.
    std::optional<u64> on_read(ax::arm64::SysReg reg) override;
    bool on_write(ax::arm64::SysReg reg, u64 value) override;
    bool on_system(ax::arm64::SysReg operation, u64 value) override;
    [[nodiscard]] bool may_use_timer(ax::arm64::SysReg reg);
    void invalidate(ax::arm64::SysReg operation, u64 value);
    void address_translate(ax::arm64::SysReg operation, u64 va);
    void drop(ax::arm64::SysReg operation, Gva va, u16 asid);
    [[nodiscard]] bool traps_fp() override { return fp_trap() != FpTrap::None; }
    void watch_fp(u64 cpacr);
    [[nodiscard]] FpTrap fp_trap();

    // What a stop means.
    ax::arm64::EntryStop leave(ax::arm64::EntryResult result);
    /// The count at which a run must stop to look at the virtual timer, seen when `retired` are retired.
    [[nodiscard]] u64 next_stop(u64 retired);
    [[nodiscard]] bool has_interrupt();
    /// True when the stop was handled inside EL1 and EL0, and the guest goes on.
    bool handle(const ArmStop& stop);
    bool handle_exception(u32 number);
    bool handle_undefined();
    bool handle_trap(const ArmException& exception);
    bool handle_memory_fault(const ArmStop& stop);
    [[nodiscard]] std::optional<u32> fetch_executing();
    void step_over();
    bool execute_gic_register(const arm64::SystemInstruction& instruction);
    bool to_el1(const arm64::Syndrome& syndrome);
    bool exception_return();
    bool take_illegal_state();
    void watch_returns(u64 spsr) { engine_->stop_at_return(!arm64::is_plain_return(spsr)); }
    bool to_el2(const arm64::Syndrome& syndrome);
    bool undefined() { return to_el1(arm64::undefined_instruction()); }

    PhysMemory& memory_;
    ArmEngine* engine_;
    ArmBoard& board_;
    const ArmPeers& peers_;
    SavedRegisters context_;
    ax::arm64::El2Regs el2_;
    arm64::VirtualTimer timer_;
    arm64::Arm64Tlb tlb_;
    u64 total_retired_ = 0;
    u64 trap_pc_ = 0;            ///< ELR_EL2 as the last trap left it
    bool is_after_trap_ = false; ///< no `enter` since that trap
    u64 idle_traps_ = 0;         ///< exceptions taken to EL1 since an instruction was retired
    u64 idle_mark_ = 0;
    u32 active_ = 0;             ///< physical interrupts acknowledged at EL2 and not yet deactivated, by INTID

    // Derived; rebuilt from the above.
    u64 retired_ = 0;
    u64 budget_ = 0;
    bool is_context_stale_ = true;
    arm64::VmsaContext translation_;
    arm64::VmsaFault fault_;     ///< of the last refused fill
    bool is_bus_error_ = false;  ///< it was no translation: nothing is at that physical address
    bool has_tagged_fills_ = false;
    u64 fp_enabled_ = 0;         ///< CPACR_EL1.FPEN
    struct Applied {
        u64 hcr, mdcr, cptr, hstr, cnthctl, vpidr, vmpidr;
    };
    static constexpr Applied nothing_applied = {~u64{0}, ~u64{0}, ~u64{0}, ~u64{0}, ~u64{0}, ~u64{0}, ~u64{0}};
    Applied applied_ = nothing_applied;
    u64 selection_ = 0;  ///< the engine's count of selections when HCR_EL2 was applied
};

}  // namespace ax::sim
