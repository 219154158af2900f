#include "sim/hal/unicorn/riscv_cpu.hpp"

#include <cstring>

#include "core/base/expect.hpp"

namespace ax::sim {

using namespace ax::riscv;
using namespace ax::sim::riscv;

namespace {

/// Bits of Unicorn's mstatus that make it hand instructions over. TVM is where the manual has it; TW
/// and TSR are one off in Unicorn 2.1 (engine facts, 17).
constexpr u64 uc_tvm = bit(20), uc_tw = bit(29), uc_tsr = bit(30);
/// With TVM set Unicorn still lets a write of the value that satp holds pass, so satp holds one that no
/// guest writes.
constexpr u64 satp_sentinel = u64{8} << 60 | u64{0xffff} << 44 | ((u64{1} << 44) - 1);
constexpr u64 sstatus_mask = Sstatus::SIE::mask | Sstatus::SPIE::mask | Sstatus::SPP::mask | Sstatus::FS::mask | Sstatus::SUM::mask |
                             Sstatus::MXR::mask;

}  // namespace

RiscvCpu::RiscvCpu(PhysMemory& memory, RiscvEngine& engine, HartBoard& board, HartOptions options)
    : memory_(memory), engine_(&engine), board_(board), options_(options), context_(engine.make_context()) {
    reset_guest();
}

void RiscvCpu::reset_guest() {
    context_ = engine_->make_context();
    csrs_ = {};
    fflags_ = 0;
    *hart().satp = satp_sentinel;
    *hart().mstatus = uc_tvm | uc_tw;
    tlb_.clear();
    engine_->release(*this);
}

void RiscvCpu::load() {
    if (engine_->is_selected(*this)) return;
    engine_->select(*this);
    engine_->write_fflags(fflags_);
}

void RiscvCpu::on_deselect() { fflags_ = engine_->read_fflags(); }

void RiscvCpu::move_to(RiscvEngine& engine) {
    engine_->release(*this);
    EngineContext fresh = engine.make_context();
    engine_->copy_image(fresh, context_);
    context_ = std::move(fresh);
    engine_ = &engine;
}

/// Everything in the engine that follows from the HS CSRs.
void RiscvCpu::apply_controls() {
    const auto& h = hart();
    *h.mstatus = (*h.mstatus & ~uc_tsr) | (Hstatus::VTSR::test(hs_.hstatus) ? uc_tsr : 0);
    *h.mip = guest_interrupts(hs_);
    *h.mideleg = guest_interrupt_mask(hs_);
}

EntryStop RiscvCpu::enter(u64 budget) {
    if (const char* csr = refused_csr(hs_); csr != nullptr) {
        // The value is what a crash dump shows; the name is in the manual's order of the CSR list.
        hs_.scause = ~u64{0};
        return {EntryResult::Refused, 0};
    }
    load();
    apply_controls();
    *hart().pc = hs_.sepc;
    *hart().privilege = Sstatus::SPP::get(hs_.sstatus);
    // An instruction that the hypervisor completed and stepped over counts as retired.
    retired_ = is_after_trap_ && hs_.sepc != trap_pc_ && hs_.sepc - trap_pc_ <= 4 ? 1 : 0;
    is_after_trap_ = false;
    if (const auto interrupt = board_.take_interrupt()) {
        interrupt_to_hs(hs_, hart(), *interrupt);
        return leave(EntryResult::Trapped);
    }
    bool in_guest = true;
    EntryResult result = EntryResult::Trapped;
    while (in_guest) {
        const EngineStop stop = engine_->run(context_, retired_, budget);
        if (stop.kind == EngineStopKind::Boundary) {
            result = EntryResult::BudgetEnd;
            break;
        }
        in_guest = handle(stop, budget);
        if (in_guest && is_stuck()) {
            result = EntryResult::BudgetEnd;
            break;
        }
    }
    if (result == EntryResult::BudgetEnd) {
        hs_.sepc = *hart().pc;
        hs_.sstatus = Sstatus::SPP::set(hs_.sstatus, *hart().privilege);
    }
    return leave(result);
}

EntryStop RiscvCpu::leave(EntryResult result) {
    is_after_trap_ = result == EntryResult::Trapped;
    trap_pc_ = hs_.sepc;
    // vsip.SSIP is an alias of hvip.VSSIP, and the guest may have written it.
    constexpr u64 vssip = bit(2);
    if ((hs_.hideleg & vssip) != 0) hs_.hvip = (hs_.hvip & ~vssip) | ((*hart().mip << 1) & vssip);
    total_retired_ += retired_;
    board_.retire(retired_);
    return {result, retired_};
}

bool RiscvCpu::handle(const EngineStop& stop, u64 limit) {
    Exception exception;
    switch (stop.kind) {
        case EngineStopKind::Ecall:
            exception.cause = hart().is_user() ? Cause::EcallFromU : Cause::EcallFromVs;
            return deliver(exception);
        case EngineStopKind::Breakpoint:
            exception.cause = Cause::Breakpoint;
            exception.tval = *hart().pc;
            exception.tval_is_gva = true;
            return deliver(exception);
        case EngineStopKind::Illegal: return handle_illegal();
        case EngineStopKind::AmoMisaligned:
        case EngineStopKind::MemoryFault: return handle_memory_fault(stop, limit);
        case EngineStopKind::Boundary:
        case EngineStopKind::ExitAddress: return true;
        case EngineStopKind::EngineError: panic("Unicorn stops only for reasons that the engine knows");
    }
    return true;
}

bool RiscvCpu::deliver(const Exception& exception) {
    if (is_delegated(hs_, exception.cause)) {
        trap_to_vs(hart(), exception.cause, exception.tval);
        const u64 mark = total_retired_ + retired_;
        idle_traps_ = mark == idle_mark_ ? idle_traps_ + 1 : 0;
        idle_mark_ = mark;
        return true;
    }
    trap_to_hs(hs_, hart(), exception);
    return false;
}

bool RiscvCpu::handle_illegal() {
    const auto bits = instruction_at(Gva{*hart().pc});
    if (!bits) return true;  // the code page went away under its own instruction; running again faults properly
    const u64 time = board_.ticks_after(retired_) + hs_.htimedelta;
    const auto done = execute_system(*bits, hart(), csrs_, hs_, time, total_retired_ + retired_);
    if (!done) {
        Exception exception;
        exception.cause = done.error();
        exception.tval = *bits;
        return deliver(exception);
    }
    ++retired_;
    if (done->flushes_translation) fence_translation();
    return true;
}

bool RiscvCpu::handle_memory_fault(const EngineStop& stop, u64 limit) {
    const Gva pc{*hart().pc};
    if (stop.kind == EngineStopKind::MemoryFault && stop.fault_access == Access::Execute) {
        if (stop.fault_page.page_number() != pc.page_number()) {
            // The engine reports the start of a block whose last instruction crosses into the faulting page.
            // What stands before that instruction runs first.
            const Gva crossing = stop.fault_page - 2;
            if (pc == crossing) return deliver(memory_exception(stop, 0));
            EngineStop before = stop;
            if (stop.fault_page.page_number() == pc.page_number() + 1)
                before = engine_->run_to(context_, retired_, ~u64{0}, crossing);
            if (before.kind == EngineStopKind::ExitAddress) return true;
            const bool is_same_fault = before.kind == EngineStopKind::MemoryFault && before.fault_page == stop.fault_page &&
                                       before.fault_access == Access::Execute && Gva{*hart().pc} == pc;
            if (is_same_fault) before = engine_->run_lending(context_, retired_, ~u64{0}, stop.fault_page);
            return handle(before, limit);
        }
        return deliver(memory_exception(stop, 0));
    }
    const auto bits = instruction_at(pc);
    if (!bits) return true;
    return deliver(memory_exception(stop, *bits));
}

/// The exception that a refused access raises, as the manual's fault tables say.
Exception RiscvCpu::memory_exception(const EngineStop& stop, u32 bits) const {
    const bool is_fetch = stop.kind == EngineStopKind::MemoryFault && stop.fault_access == Access::Execute;
    Exception exception;
    exception.tval_is_gva = true;
    Gva access_start{*hart().pc};
    bool is_store = stop.fault_access == Access::Write;
    std::optional<MemoryInstruction> instruction;
    if (!is_fetch) {
        instruction = decode_memory(bits);
        if (instruction) {
            access_start = Gva{hart().x[instruction->base] + static_cast<u64>(instruction->offset)};
            is_store = instruction->op == MemoryOp::Store || (instruction->op == MemoryOp::Amo && !instruction->is_load_reserved);
        } else {
            access_start = stop.fault_page;
        }
    }
    if (stop.kind == EngineStopKind::AmoMisaligned) {
        exception.cause = is_store ? Cause::StoreMisaligned : Cause::LoadMisaligned;
        exception.tval = access_start.value();
        return exception;
    }
    // The second half of an access that crosses pages is reported at the start of its page.
    const Gva fault = access_start.page_number() == stop.fault_page.page_number() ? access_start : stop.fault_page;
    exception.tval = fault.value();
    switch (walk_fault_.kind) {
        case FaultKind::VsPage:
            exception.cause = is_fetch ? Cause::InstructionPageFault : is_store ? Cause::StorePageFault : Cause::LoadPageFault;
            break;
        case FaultKind::Access:
            exception.cause = is_fetch ? Cause::InstructionAccess : is_store ? Cause::StoreAccess : Cause::LoadAccess;
            break;
        case FaultKind::GuestPage:
            exception.cause = is_fetch   ? Cause::InstructionGuestPageFault
                              : is_store ? Cause::StoreGuestPageFault
                                         : Cause::LoadGuestPageFault;
            exception.gpa = walk_fault_.by_walk ? walk_fault_.gpa : walk_fault_.gpa.page_base() + fault.page_offset();
            if (walk_fault_.by_walk)
                exception.htinst = walk_fault_.walk_writes ? htinst_walk_write : htinst_walk_read;
            else if (options_.gives_htinst && instruction)
                exception.htinst = transformed_htinst(*instruction, fault - access_start);
            break;
    }
    return exception;
}

u64 RiscvCpu::vs_csr(VsCsr csr) {
    const auto& h = hart();
    switch (csr) {
        case VsCsr::vsstatus: return *h.mstatus & sstatus_mask;
        case VsCsr::vsie: return *h.mie;
        case VsCsr::vstvec: return *h.stvec;
        case VsCsr::vsscratch: return *h.sscratch;
        case VsCsr::vsepc: return *h.sepc;
        case VsCsr::vscause: return *h.scause;
        case VsCsr::vstval: return *h.stval;
        case VsCsr::vsatp: return csrs_.vsatp;
        case VsCsr::scounteren: return *h.scounteren;
    }
    return 0;
}

void RiscvCpu::set_vs_csr(VsCsr csr, u64 value) {
    const auto& h = hart();
    switch (csr) {
        case VsCsr::vsstatus: *h.mstatus = (*h.mstatus & ~sstatus_mask) | (value & sstatus_mask); return;
        case VsCsr::vsie: *h.mie = value; return;
        case VsCsr::vstvec: *h.stvec = value; return;
        case VsCsr::vsscratch: *h.sscratch = value; return;
        case VsCsr::vsepc: *h.sepc = value; return;
        case VsCsr::vscause: *h.scause = value; return;
        case VsCsr::vstval: *h.stval = value; return;
        case VsCsr::vsatp: csrs_.vsatp = value; return;
        case VsCsr::scounteren: *h.scounteren = value; return;
    }
}

}  // namespace ax::sim
