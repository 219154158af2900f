#include "sim/hal/unicorn/x86_cpu.hpp"

#include <utility>

#include "sim/trap/x86/entry_checks.hpp"
#include "sim/trap/x86/exit_events.hpp"

namespace ax::sim {

using namespace ax::x86;

namespace {

constexpr u64 iret_intercept = u64{1} << (x86_event::iret - x86_event::base - 0x60);
constexpr u64 pause_intercept = u64{1} << (x86_event::pause - x86_event::base - 0x60);

}  // namespace

X86Cpu::X86Cpu(PhysMemory& memory, X86Engine& engine, X86Board& board)
    : memory_(memory), engine_(&engine), board_(board), context_(engine.make_context()) {}

X86Cpu::~X86Cpu() { engine_->release(*this); }

void X86Cpu::reset_guest() {
    engine_->release(*this);
    context_ = engine_->make_context();
    state_ = {};
    dr_ = {};
    regs_ = {};
    idle_events_ = idle_mark_ = 0;
    tlb_.drop_all();
    is_in_engine_ = false;
}

void X86Cpu::move_to(X86Engine& engine) {
    engine_->release(*this);
    SavedRegisters fresh = engine.make_context();
    engine_->copy_image(fresh, context_);
    context_ = std::move(fresh);
    engine_ = &engine;
}

/// The engine with this CPU selected.
X86Engine& X86Cpu::engine() {
    engine_->select(*this, context_);
    return *engine_;
}

void X86Cpu::refresh_paging() {
    const bool has_ept = SecondaryControls::EnableEpt::test(vmcs_.SECONDARY_CONTROLS);
    x86::PagingContext fresh = state_.paging(vmcs_.EPT_POINTER, features_.mmu);
    fresh.has_ept = has_ept;
    const x86::TlbLoss loss = x86::tlb_loss(paging_, fresh);
    const bool has_new_root = fresh.cr3 != paging_.cr3;
    // WP is looked at with each access, but Unicorn keeps what it was told.
    const bool has_new_rights = Cr0::WP::test(fresh.cr0 ^ paging_.cr0);
    paging_ = fresh;
    if (loss == x86::TlbLoss::Nothing && !has_new_root && !has_new_rights) return;
    if (loss != x86::TlbLoss::Nothing || has_new_root) tlb_.drop(loss == x86::TlbLoss::Nothing ? x86::TlbLoss::NonGlobal : loss);
    if (engine_->is_selected(*this)) engine_->flush_translation();
}

void X86Cpu::to_engine() {
    if (is_in_engine_) return;
    refresh_paging();
    X86Engine& uc = engine();
    uc.put_state(state_);
    u64 intercepts = PrimaryControls::PauseExiting::test(vmcs_.PRIMARY_CONTROLS) ? pause_intercept : 0;
    if (Interruptibility::BlockingByNmi::test(state_.interruptibility)) intercepts |= iret_intercept;
    uc.set_intercepts(intercepts);
    is_in_engine_ = true;
}

void X86Cpu::from_engine() {
    engine().take_state(state_);
    is_in_engine_ = false;
}

u64 X86Cpu::on_tsc() { return board_.ticks_after(engine_->retired_so_far()) + vmcs_.TSC_OFFSET; }

EntryStop X86Cpu::enter(u64 budget) {
    budget_ = budget;
    refused_by_ = nullptr;
    if (const auto failure = x86::check_entry(vmcs_, features_)) {
        refused_by_ = failure->rule;
        if (failure->error != VmInstructionError::None) {
            vmcs_.VM_INSTRUCTION_ERROR = index(failure->error);
            return {EntryResult::Failed, 0};
        }
        x86::record_entry_failure(vmcs_, failure->exit_reason, failure->qualification);
        return {EntryResult::Exit, 0};
    }
    // An instruction that the hypervisor completed and stepped over counts as retired.
    retired_ = stepped_over_ != 0 && vmcs_.GUEST_RIP == stepped_over_ ? 1 : 0;
    stepped_over_ = 0;
    load_guest();
    if (const auto event = x86::injected_event(vmcs_)) {
        refresh_paging();
        engine();
        DeliveryMemory memory(*this);
        if (const auto exit = x86::inject(state_, memory, vmcs_, *event)) return leave(*exit);
        vmcs_.VM_ENTRY_INTERRUPTION_INFO &= ~static_cast<u32>(EventWord::Valid::mask);
    }
    while (true) {
        if (is_at_iret_) {
            // It runs by itself: what NMI blocking held back comes behind it, not before.
            to_engine();
            engine_->stop_at_window(false);
        } else {
            if (const auto exit = pending_exit()) return leave(*exit);
            if (state_.activity != ActivityState::Active) return leave_at_budget();
            to_engine();
            engine_->stop_at_window(PrimaryControls::InterruptWindowExiting::test(vmcs_.PRIMARY_CONTROLS));
        }
        const X86Stop stop = engine_->run(retired_, std::exchange(is_at_iret_, false) ? retired_ + 1 : budget_);
        from_engine();
        if (stop.kind == X86StopKind::Boundary && retired_ >= budget_) return leave_at_budget();
        if (stop.kind == X86StopKind::EngineError) return leave_broken(stop);
        if (const auto exit = handle(stop)) return leave(*exit);
        if (is_stuck()) return leave_at_budget();
    }
}

void X86Cpu::load_guest() {
    state_.gprs = regs_.gprs;
    x86::load_guest(state_, vmcs_);
    state_.cr2 = regs_.CR2;
    state_.dr6 = regs_.DR6;
    is_in_engine_ = false;
}

void X86Cpu::save_guest(const x86::Exit& exit) {
    x86::save_guest(vmcs_, state_, exit);
    regs_.gprs = state_.gprs;
    regs_.CR2 = state_.cr2;
    regs_.DR6 = state_.dr6;
}

/// What comes before the next instruction.
std::optional<x86::Exit> X86Cpu::pending_exit() {
    if (board_.timer_is_due() && PinControls::ExternalInterruptExiting::test(vmcs_.PIN_BASED_CONTROLS)) {
        static_cast<void>(board_.take_timer());
        return x86::event_exit(vmcs_, {.type = EventType::ExternalInterrupt, .vector = host_timer_vector});
    }
    return x86::window_exit(vmcs_, state_);
}

EntryStop X86Cpu::leave(const x86::Exit& exit) {
    x86::record(vmcs_, exit);
    save_guest(exit);
    if (exit.instruction_length != 0) stepped_over_ = state_.rip + exit.instruction_length;
    return account(EntryResult::Exit);
}

/// Nothing happened in the guest: its state goes where the next entry looks for it.
EntryStop X86Cpu::leave_at_budget() {
    save_guest({});
    return account(EntryResult::BudgetEnd);
}

/// Unicorn says what it must never say; shown as a machine check of the entry.
EntryStop X86Cpu::leave_broken(const X86Stop& stop) {
    x86::record_entry_failure(vmcs_, index(ExitReason::EntryFailureMachineCheck) | static_cast<u32>(ExitReasonWord::EntryFailure::mask),
                              static_cast<u64>(stop.error));
    return account(EntryResult::Exit);
}

EntryStop X86Cpu::account(EntryResult result) {
    total_retired_ += retired_;
    board_.retire(retired_);
    const EntryStop stop{result, retired_};
    retired_ = 0;
    return stop;
}

void X86Cpu::fields(FieldVisitor& v) {
    field(v, "vmcs", vmcs_);
    field(v, "state", state_);
    field(v, "dr", dr_);
    field(v, "regs", regs_);
    X86Engine& uc = engine();
    for (const auto& [name, number] : {std::pair{"star", msr::IA32_STAR}, std::pair{"lstar", msr::IA32_LSTAR}, std::pair{"cstar", msr::IA32_CSTAR},
                                       std::pair{"fmask", msr::IA32_FMASK}, std::pair{"kernel_gs_base", msr::IA32_KERNEL_GS_BASE}}) {
        const u64 before = uc.msr(number);
        u64 value = before;
        field(v, name, value);
        if (value != before) uc.set_msr(number, value);
    }
    fpu_fields(v);
    field(v, "instret", total_retired_);
    field(v, "stepped_over", stepped_over_);
    field(v, "idle_events", idle_events_);
    field(v, "idle_mark", idle_mark_);
    field(v, "tlb", tlb_);
    is_in_engine_ = false;
}

/// x87 and SSE, which only the engine holds: FXSAVE's registers.
void X86Cpu::fpu_fields(FieldVisitor& v) {
    X86Engine& uc = engine();
    const auto show = [&](const std::string& name, int number, bool is_wide) {
        std::array<u64, 2> value = uc.read_wide(number);
        const std::array<u64, 2> before = value;
        if (is_wide) {
            v.enter(name, 0);
            field(v, "low", value[0]);
            field(v, "high", value[1]);
            v.leave();
        } else {
            field(v, name, value[0]);
        }
        if (value != before) uc.write_wide(number, value);
    };
    for (int n = 0; n < 8; ++n) show("fp" + std::to_string(n), UC_X86_REG_FP0 + n, true);
    for (int n = 0; n < 16; ++n) show("xmm" + std::to_string(n), UC_X86_REG_XMM0 + n, true);
    for (const auto& [name, number] : {std::pair{"fpcw", UC_X86_REG_FPCW}, std::pair{"fpsw", UC_X86_REG_FPSW}, std::pair{"fptag", UC_X86_REG_FPTAG},
                                       std::pair{"mxcsr", UC_X86_REG_MXCSR}})
        show(name, number, false);
}

}  // namespace ax::sim
