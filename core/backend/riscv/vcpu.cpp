#include "core/backend/riscv/vcpu.hpp"

#include "core/arch/riscv/decode.hpp"
#include "core/arch/riscv/inject.hpp"

namespace ax::riscv {

void Vcpu::program_controls() {
    HsCsrs& hs = cpu_.hs();
    hs.hstatus = controls_.hstatus;
    hs.hedeleg = controls_.hedeleg;
    hs.hideleg = controls_.hideleg;
    hs.hcounteren = controls_.hcounteren;
    hs.henvcfg = controls_.henvcfg;
    hs.hgatp = controls_.hgatp;
    hs.sstatus = controls_.sstatus;
}

void Vcpu::reset(const BootState& boot) {
    const u64 inputs = cpu_.hs().hvip;
    cpu_.reset_guest();
    cpu_.hs() = HsCsrs{};
    cpu_.hs().hvip = inputs;
    program_controls();
    // "Hart State Management": supervisor mode, satp 0, sstatus.SIE 0, a0 = hart id, a1 = opaque.
    HsCsrs& hs = cpu_.hs();
    hs.sstatus = Sstatus::SPP::set(hs.sstatus, static_cast<u64>(Privilege::Supervisor));
    // "Supervisor Exception Program Counter": its low bit is always zero, whatever address a guest gave.
    hs.sepc = boot.entry.value() & ~u64{1};
    cpu_.set_gpr(Abi::a0, boot.cpu_number);
    cpu_.set_gpr(Abi::a1, boot.argument);
    // Linux counts on its firmware to let user mode read the counters; its vDSO reads `time` without asking.
    cpu_.set_vs_csr(VsCsr::scounteren, Counteren::CY::of(1) | Counteren::TM::of(1) | Counteren::IR::of(1));
    completion_ = {};
}

hal::RunStop Vcpu::run(u64 budget) {
    const EntryStop stop = cpu_.enter(budget);
    completion_ = {};
    switch (stop.result) {
        case EntryResult::BudgetEnd: return {BudgetEnd{}, stop.instructions};
        case EntryResult::Refused: return {EntryFailure{cpu_.hs().scause}, stop.instructions};
        case EntryResult::Trapped: break;
    }
    const HsCsrs& hs = cpu_.hs();
    const Decoded decoded = decode({hs.scause, hs.stval, hs.htval, hs.htinst, hs.hstatus, hs.sstatus, hs.sepc}, cpu_);
    completion_ = decoded.completion;
    return {decoded.exit, stop.instructions};
}

void Vcpu::finish(const Answer& answer) {
    const Effects effects = complete(completion_, answer);
    completion_ = {};
    if (effects.first) cpu_.set_gpr(effects.first->rd, effects.first->value);
    if (effects.second) cpu_.set_gpr(effects.second->rd, effects.second->value);
    cpu_.hs().sepc += effects.advance;
    if (effects.exception) take(*effects.exception);
}

void Vcpu::take(const GuestException& exception) {
    HsCsrs& hs = cpu_.hs();
    VsTrapState state;
    state.vsstatus = cpu_.vs_csr(VsCsr::vsstatus);
    state.vstvec = cpu_.vs_csr(VsCsr::vstvec);
    state.pc = hs.sepc;
    state.privilege = static_cast<Privilege>(Sstatus::SPP::get(hs.sstatus));
    state = take_exception(state, exception);
    cpu_.set_vs_csr(VsCsr::vsstatus, state.vsstatus);
    cpu_.set_vs_csr(VsCsr::vsepc, state.vsepc);
    cpu_.set_vs_csr(VsCsr::vscause, state.vscause);
    cpu_.set_vs_csr(VsCsr::vstval, state.vstval);
    hs.sepc = state.pc;
    hs.sstatus = Sstatus::SPP::set(hs.sstatus, static_cast<u64>(state.privilege));
}

void Vcpu::inject(Event event) { cpu_.hs().hvip = apply_event(cpu_.hs().hvip, event); }

bool Vcpu::has_wake_event() {
    // "WFI ... resume if an interrupt is pending and enabled individually", whatever SIE says.
    const HsCsrs& hs = cpu_.hs();
    return (((hs.hvip & hs.hideleg) >> 1) & cpu_.vs_csr(VsCsr::vsie)) != 0;
}

void Vcpu::flush(bool instruction) {
    if (instruction)
        cpu_.fence_instruction();
    else
        cpu_.fence_translation();
}

void Vcpu::fields(FieldVisitor& v) {
    cpu_.fields(v);
    // Between an exit and its answer nothing is saved; the completion is then empty.
}

}  // namespace ax::riscv
