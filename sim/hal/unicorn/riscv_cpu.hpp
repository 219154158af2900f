// One simulated hart with the H extension: Unicorn executes, the model in sim/trap decides what
// traps and what hardware would leave behind. To the core this is the CPU it programs.
#pragma once

#include "core/backend/riscv/cpu.hpp"
#include "sim/hal/unicorn/riscv_engine.hpp"
#include "sim/mmu/tlb.hpp"
#include "sim/trap/riscv/h_model.hpp"
#include "sim/trap/riscv/instruction.hpp"
#include "sim/trap/riscv/system_insn.hpp"

namespace ax::sim {

/// What a hart sees of its board.
class HartBoard {
public:
    /// The `time` register, before htimedelta, after `retired` more instructions than are accounted.
    [[nodiscard]] virtual u64 ticks_after(u64 retired) = 0;
    /// `instructions` were retired: time goes on.
    virtual void retire(u64 instructions) = 0;
    /// The interrupt that the physical CPU has pending for HS-mode, if any; taken with this call.
    [[nodiscard]] virtual std::optional<ax::riscv::Interrupt> take_interrupt() = 0;

protected:
    ~HartBoard() = default;
};

/// Choices that the manual leaves to the implementation.
struct HartOptions {
    bool gives_htinst = true;  ///< transformed instruction in htinst, or always zero
};

class RiscvCpu final : public ax::riscv::Cpu, private EngineClient {
public:
    RiscvCpu(PhysMemory& memory, RiscvEngine& engine, HartBoard& board, HartOptions options);
    ~RiscvCpu() { engine_->release(*this); }
    RiscvCpu(const RiscvCpu&) = delete;
    RiscvCpu& operator=(const RiscvCpu&) = delete;

    [[nodiscard]] ax::riscv::HsCsrs& hs() override { return hs_; }
    [[nodiscard]] ax::riscv::EntryStop enter(u64 budget) override;
    [[nodiscard]] u64 gpr(unsigned n) override { return hart().x[n]; }
    void set_gpr(unsigned n, u64 value) override { hart().set_x(n, value); }
    [[nodiscard]] std::optional<u16> fetch(Gva address) override;
    [[nodiscard]] u64 vs_csr(ax::riscv::VsCsr csr) override;
    void set_vs_csr(ax::riscv::VsCsr csr, u64 value) override;
    void fence_translation() override;
    void fence_instruction() override;
    void reset_guest() override;
    void fields(FieldVisitor& v) override;

    /// Leaves the engine that `engine` replaces; the guest cannot tell.
    void move_to(RiscvEngine& engine);
    /// True when the guest does nothing but take traps, without one instruction between them.
    [[nodiscard]] bool is_stuck() const { return idle_traps_ >= stuck_traps; }

private:
    static constexpr u64 stuck_traps = 10'000;

    [[nodiscard]] const riscv::HartView& hart() const { return context_.view(); }
    [[nodiscard]] TranslationContext translation_context() const;
    [[nodiscard]] const PageTranslation* translate(Gva va, WalkAccess access, WalkFault& fault);
    bool on_fill(Gva va, Access access, EngineFill& fill) override;
    [[nodiscard]] const std::byte* code_page(Gva va) override;
    void on_deselect() override;

    void load();
    void apply_controls();
    ax::riscv::EntryStop leave(ax::riscv::EntryResult result);
    /// True when the stop was handled inside V=1 and the guest goes on.
    bool handle(const EngineStop& stop, u64 limit);
    bool handle_memory_fault(const EngineStop& stop, u64 limit);
    bool handle_illegal();
    bool deliver(const riscv::Exception& exception);
    [[nodiscard]] std::optional<u32> instruction_at(Gva pc);
    [[nodiscard]] riscv::Exception memory_exception(const EngineStop& stop, u32 bits) const;

    PhysMemory& memory_;
    RiscvEngine* engine_;
    HartBoard& board_;
    HartOptions options_;
    EngineContext context_;
    ax::riscv::HsCsrs hs_;
    riscv::HartCsrs csrs_;
    Tlb tlb_;
    u64 fflags_ = 0;
    u64 retired_ = 0;
    u64 total_retired_ = 0;  ///< instret
    WalkFault walk_fault_;
    u64 trap_pc_ = 0;            ///< sepc as the last trap left it
    bool is_after_trap_ = false; ///< no `enter` since that trap
    u64 idle_traps_ = 0;         ///< traps into VS-mode since an instruction was retired
    u64 idle_mark_ = 0;          ///< instret at the last of them
};

}  // namespace ax::sim
