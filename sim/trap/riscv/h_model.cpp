#include "sim/trap/riscv/h_model.hpp"

namespace ax::sim::riscv {

using namespace ax::riscv;

bool is_delegated(const HsCsrs& hs, Cause cause) { return (hs.hedeleg & mask_of(cause)) != 0; }

namespace {

/// SPP, SPIE and SIE of a status register on trap entry ("Privilege and Global Interrupt-Enable Stack").
u64 stack_status(u64 status, u64 previous_privilege) {
    status = Sstatus::SPP::set(status, previous_privilege);
    status = Sstatus::SPIE::set(status, Sstatus::SIE::get(status));
    return Sstatus::SIE::set(status, 0);
}

void leave_guest(HsCsrs& hs, const HartView& hart) {
    hs.hstatus = Hstatus::SPV::set(hs.hstatus, 1);
    hs.hstatus = Hstatus::SPVP::set(hs.hstatus, *hart.privilege);
    hs.sstatus = stack_status(hs.sstatus, *hart.privilege);
    hs.sepc = *hart.pc;
}

}  // namespace

void trap_to_vs(const HartView& hart, Cause cause, u64 tval) {
    *hart.mstatus = stack_status(*hart.mstatus, *hart.privilege);
    *hart.sepc = *hart.pc;
    *hart.scause = static_cast<u64>(cause);
    *hart.stval = tval;
    *hart.privilege = static_cast<u64>(Privilege::Supervisor);
    *hart.pc = *hart.stvec & ~u64{3};
}

void trap_to_hs(HsCsrs& hs, const HartView& hart, const Exception& exception) {
    leave_guest(hs, hart);
    hs.hstatus = Hstatus::GVA::set(hs.hstatus, exception.tval_is_gva ? 1 : 0);
    hs.scause = static_cast<u64>(exception.cause);
    hs.stval = exception.tval;
    hs.htval = exception.gpa.value() >> 2;
    hs.htinst = exception.htinst;
}

void interrupt_to_hs(HsCsrs& hs, const HartView& hart, Interrupt interrupt) {
    leave_guest(hs, hart);
    hs.hstatus = Hstatus::GVA::set(hs.hstatus, 0);
    hs.scause = interrupt_cause(interrupt);
    hs.stval = hs.htval = hs.htinst = 0;
}

const char* refused_csr(const HsCsrs& hs) {
    constexpr u64 never_delegable = mask_of(Cause::EcallFromHs) | mask_of(Cause::EcallFromVs) | bit(11) | bit(14) |
                                    mask_of(Cause::InstructionGuestPageFault) | mask_of(Cause::LoadGuestPageFault) |
                                    mask_of(Cause::VirtualInstruction) | mask_of(Cause::StoreGuestPageFault);
    constexpr u64 vs_interrupts = mask_of(Interrupt::VirtualSupervisorSoftware) | mask_of(Interrupt::VirtualSupervisorTimer) |
                                  mask_of(Interrupt::VirtualSupervisorExternal);
    if ((hs.hedeleg & never_delegable) != 0 || (hs.hedeleg >> 24) != 0) return "hedeleg";
    if ((hs.hideleg & ~vs_interrupts) != 0) return "hideleg";
    if ((hs.hvip & ~vs_interrupts) != 0) return "hvip";
    if (Hstatus::VSXL::get(hs.hstatus) != 2 || Hstatus::VSBE::test(hs.hstatus)) return "hstatus";
    if ((hs.henvcfg & ~(Henvcfg::FIOM::mask | Henvcfg::ADUE::mask)) != 0) return "henvcfg";
    const u64 mode = Hgatp::MODE::get(hs.hgatp);
    // "the lowest two bits of the physical page number (PPN) in hgatp always read as zeros".
    if ((mode != Hgatp::mode_bare && mode != Hgatp::mode_sv39x4) || (Hgatp::PPN::get(hs.hgatp) & 3) != 0) return "hgatp";
    // V=1 floating point needs both FS fields; a guest without it is not modelled.
    if (Sstatus::FS::get(hs.sstatus) == 0) return "sstatus";
    return nullptr;
}

// "When bit 10 in hideleg is one, interrupts are presented at bit 9": one position down.
u64 guest_interrupts(const HsCsrs& hs) { return (hs.hvip & hs.hideleg) >> 1; }
u64 guest_interrupt_mask(const HsCsrs& hs) { return hs.hideleg >> 1; }

}  // namespace ax::sim::riscv
