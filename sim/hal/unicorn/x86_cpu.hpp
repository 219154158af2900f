// One simulated x86 CPU with VMX: Unicorn executes the guest, the models in sim/trap decide what exits and what hardware
// would leave in the VMCS. To the core this is the CPU whose VMCS it programs.
#pragma once

#include "core/backend/x86/cpu.hpp"
#include "sim/hal/unicorn/x86_engine.hpp"
#include "sim/hal/unicorn/x86_insn_reader.hpp"
#include "sim/mmu/x86_tlb.hpp"
#include "sim/mmu/x86_walk.hpp"
#include "core/arch/x86/msr_regs.hpp"
#include "sim/trap/x86/delivery.hpp"
#include "sim/trap/x86/cr_access.hpp"
#include "sim/trap/x86/entry_rule.hpp"
#include "sim/trap/x86/exit_events.hpp"
#include "sim/trap/x86/exit_instructions.hpp"
#include "sim/trap/x86/vmx_cpu.hpp"

namespace ax::sim {

/// What a CPU sees of its board.
class X86Board {
public:
    /// The time-stamp counter after `retired` more instructions than are accounted.
    [[nodiscard]] virtual u64 ticks_after(u64 retired) = 0;
    /// `instructions` were retired: time goes on.
    virtual void retire(u64 instructions) = 0;
    /// The hypervisor's timer: its condition, and its interrupt taken.
    [[nodiscard]] virtual bool timer_is_due() = 0;
    virtual bool take_timer() = 0;

protected:
    ~X86Board() = default;
};

class X86Cpu final : public ax::x86::Cpu, private X86Client {
public:
    /// IA32_ARCH_CAPABILITIES. Nothing is executed that is not retired, so no flaw of speculation is this CPU's; a kernel that
    /// knows that needs no second set of page tables for its users.
    static constexpr u64 arch_capabilities = ax::x86::msr::ArchCapabilities::no_flaw;

    X86Cpu(PhysMemory& memory, X86Engine& engine, X86Board& board);
    ~X86Cpu();
    X86Cpu(const X86Cpu&) = delete;
    X86Cpu& operator=(const X86Cpu&) = delete;

    [[nodiscard]] ax::x86::Vmcs& vmcs() override { return vmcs_; }
    [[nodiscard]] ax::x86::EntryStop enter(u64 budget) override;
    [[nodiscard]] ax::x86::GuestRegs& regs() override { return regs_; }
    [[nodiscard]] u64 tsc() override { return board_.ticks_after(0); }
    [[nodiscard]] std::size_t fetch(Gva linear, std::span<u8> bytes) override;
    [[nodiscard]] std::expected<Gpa, ax::x86::GuestException> translate(Gva linear, Access access) override;
    [[nodiscard]] std::optional<u64> load(Gpa gpa, u8 size) override;
    [[nodiscard]] bool store(Gpa gpa, u8 size, u64 value) override;
    void fence_translation() override;
    void reset_guest() override;
    void fields(FieldVisitor& v) override;

    /// Leaves the engine that `engine` replaces; the guest cannot tell.
    void move_to(X86Engine& engine);
    /// True when the guest does nothing but take exceptions, without one instruction between them.
    [[nodiscard]] bool is_stuck() const { return idle_events_ >= stuck_events; }
    /// The rule for which the last entry was refused; null when it was not.
    [[nodiscard]] const x86::EntryRule* refused_by() const { return refused_by_; }

private:
    static constexpr u64 stuck_events = 10'000;
    /// Memory as event delivery uses it: stores drop code that was translated from there.
    class DeliveryMemory final : public x86::TranslatedMemory {
    public:
        explicit DeliveryMemory(X86Cpu& cpu) : TranslatedMemory(cpu.memory_, cpu.tlb_, cpu.paging_), cpu_(cpu) {}

    private:
        void before_store(Hpa at) override;
        X86Cpu& cpu_;
    };

    // The guest's registers, here and in the engine.
    X86Engine& engine();
    void to_engine();
    void from_engine();
    void refresh_paging();
    void load_guest();
    void save_guest(const x86::Exit& exit);
    void fpu_fields(FieldVisitor& v);
    [[nodiscard]] ax::x86::EntryStop leave(const x86::Exit& exit);
    [[nodiscard]] ax::x86::EntryStop leave_at_budget();
    [[nodiscard]] ax::x86::EntryStop leave_broken(const X86Stop& stop);
    [[nodiscard]] ax::x86::EntryStop account(ax::x86::EntryResult result);

    // Memory.
    bool on_fill(Gva va, Access access, EngineFill& fill) override;
    [[nodiscard]] const std::byte* code_page(Gva va) override;
    [[nodiscard]] const x86::PageTranslation* look_up(Gva va, x86::WalkAccess access);
    [[nodiscard]] x86::WalkAccess access_now(Access access);
    [[nodiscard]] bool loads_descriptors(Gva va);
    [[nodiscard]] x86::WalkAccess data_access(Access access) const;
    [[nodiscard]] std::optional<Hpa> host_address(Gpa gpa, Access access);

    // Time.
    [[nodiscard]] u64 on_tsc() override;
    [[nodiscard]] u32 tsc_aux() override { return static_cast<u32>(regs_.IA32_TSC_AUX); }

    // What a stop means: an exit, or none when the guest goes on.
    [[nodiscard]] std::optional<x86::Exit> pending_exit();
    [[nodiscard]] std::optional<x86::Exit> handle(const X86Stop& stop);
    [[nodiscard]] std::optional<x86::Exit> handle_event(u32 number);
    [[nodiscard]] std::optional<x86::Exit> handle_exception(u8 vector);
    [[nodiscard]] std::optional<x86::Exit> handle_software_interrupt();
    [[nodiscard]] std::optional<x86::Exit> handle_memory_fault(const X86Stop& stop);
    [[nodiscard]] std::optional<x86::Exit> handle_instruction();
    [[nodiscard]] std::optional<x86::Exit> handle_undefined();
    [[nodiscard]] std::optional<x86::Exit> handle_sensitive(const X86Insn& insn, x86::Sensitive opcode);
    [[nodiscard]] std::optional<x86::Exit> handle_port(const X86Insn& insn, bool is_in, bool is_string, u8 size);
    [[nodiscard]] std::optional<x86::Exit> handle_control_register(const X86Insn& insn);
    [[nodiscard]] std::optional<x86::Exit> complete_control_register(const X86Insn& insn, const x86::CrAccess& access, u64 value);
    [[nodiscard]] std::optional<x86::Exit> handle_debug_register(const X86Insn& insn);
    [[nodiscard]] std::optional<x86::Exit> handle_msr(const X86Insn& insn, bool is_write);
    [[nodiscard]] std::optional<x86::Exit> fault_at(Gva address);
    [[nodiscard]] std::optional<x86::Exit> act(const x86::Decision& decision, bool& completes);
    [[nodiscard]] std::optional<X86Insn> instruction_here();
    [[nodiscard]] bool read_msr(u32 number);
    [[nodiscard]] bool write_msr(u32 number, u64 value);
    void step_over(u8 length);
    [[nodiscard]] std::optional<x86::Exit> handle_syscall();
    [[nodiscard]] std::optional<x86::Exit> raise(const x86::Event& event);
    [[nodiscard]] std::size_t fetch_here(std::span<u8> code);
    [[nodiscard]] bool uses_stack();

    PhysMemory& memory_;
    X86Engine* engine_;
    X86Board& board_;
    SavedRegisters context_;
    ax::x86::Vmcs vmcs_;
    x86::VmxCpu features_;
    x86::CpuState state_;          ///< the guest's, while it is not running
    ax::x86::GuestRegs regs_;      ///< what the hypervisor sees of them
    std::array<u64, 4> dr_{};
    x86::X86Tlb tlb_;
    X86InsnReader reader_;
    u64 total_retired_ = 0;
    u64 idle_events_ = 0;          ///< events delivered since an instruction was retired
    u64 idle_mark_ = 0;
    u64 stepped_over_ = 0;         ///< RIP behind the instruction that exited

    // Derived; rebuilt from the above.
    bool is_in_engine_ = false;    ///< the engine's registers are `state_`'s
    x86::PagingContext paging_;
    x86::WalkFault fault_;         ///< of the last refused fill
    u64 retired_ = 0;
    bool is_at_iret_ = false;  ///< the engine stands before an IRET that unblocks NMIs
    u64 budget_ = 0;
    const x86::EntryRule* refused_by_ = nullptr;
};

}  // namespace ax::sim
