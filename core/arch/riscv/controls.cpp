// Control CSR values from a VM's settings.
#include "core/arch/riscv/controls.hpp"

namespace ax::riscv {

namespace {

constexpr u64 xlen_64 = 2;
constexpr u64 fs_dirty = 3;

/// All exceptions that the guest's own kernel handles and that "Hypervisor Trap Delegation
/// Registers" allows in hedeleg. Ecalls from VS-mode, guest-page faults and virtual instructions are
/// not delegable: they are what this hypervisor lives on.
constexpr u64 delegated_exceptions =
    mask_of(Cause::InstructionMisaligned) | mask_of(Cause::InstructionAccess) | mask_of(Cause::IllegalInstruction) |
    mask_of(Cause::Breakpoint) | mask_of(Cause::LoadMisaligned) | mask_of(Cause::LoadAccess) | mask_of(Cause::StoreMisaligned) |
    mask_of(Cause::StoreAccess) | mask_of(Cause::EcallFromU) | mask_of(Cause::InstructionPageFault) |
    mask_of(Cause::LoadPageFault) | mask_of(Cause::StorePageFault);
static_assert(delegated_exceptions == 0xb1ff);

constexpr u64 delegated_interrupts = mask_of(Interrupt::VirtualSupervisorSoftware) | mask_of(Interrupt::VirtualSupervisorTimer) |
                                     mask_of(Interrupt::VirtualSupervisorExternal);
static_assert(delegated_interrupts == 0x444);

}  // namespace

Controls controls_for(const ControlSettings& settings) {
    Controls c;
    // The return into the guest takes V from SPV and the privilege from sstatus.SPP; SPVP must agree.
    c.hstatus =
        Hstatus::VSXL::of(xlen_64) | Hstatus::SPV::of(1) | Hstatus::SPVP::of(1) | Hstatus::VTW::of(settings.trap_wait ? 1 : 0);
    c.hedeleg = delegated_exceptions;
    c.hideleg = delegated_interrupts;
    // cycle and instret count what the host does, so the guest may not read them.
    c.hcounteren = Counteren::TM::of(1);
    c.henvcfg = Henvcfg::ADUE::of(1);
    c.hgatp =
        Hgatp::MODE::of(Hgatp::mode_sv39x4) | Hgatp::VMID::of(settings.vmid) | Hgatp::PPN::of(settings.stage2_root.page_number());
    // With FS off in sstatus floating point traps whatever the guest sets in vsstatus.
    c.sstatus = Sstatus::SPP::of(index(Privilege::Supervisor)) | Sstatus::FS::of(fs_dirty) | Sstatus::UXL::of(xlen_64);
    return c;
}

}  // namespace ax::riscv
