// The H extension as a model: where a trap goes, and the state that hardware leaves there.
#pragma once

#include "core/arch/riscv/hs_csrs.hpp"
#include "core/base/addr.hpp"
#include "sim/trap/riscv/hart_view.hpp"

namespace ax::sim::riscv {

/// A synchronous exception before it is routed.
struct Exception {
    ax::riscv::Cause cause = ax::riscv::Cause::IllegalInstruction;
    u64 tval = 0;
    bool tval_is_gva = false;  ///< sets hstatus.GVA if the trap goes to HS-mode
    Gpa gpa;                   ///< guest-page faults: what htval names
    u64 htinst = 0;
};

/// True when hedeleg sends it to VS-mode ("Hypervisor Trap Delegation Registers").
[[nodiscard]] bool is_delegated(const ax::riscv::HsCsrs& hs, ax::riscv::Cause cause);

/// Trap entry into VS-mode: vsstatus, vsepc, vscause, vstval, pc = vstvec.
void trap_to_vs(const HartView& hart, ax::riscv::Cause cause, u64 tval);

/// Trap entry into HS-mode: hstatus.{GVA,SPV,SPVP}, sstatus, sepc, scause, stval, htval, htinst.
void trap_to_hs(ax::riscv::HsCsrs& hs, const HartView& hart, const Exception& exception);
/// The same for an interrupt of the host.
void interrupt_to_hs(ax::riscv::HsCsrs& hs, const HartView& hart, ax::riscv::Interrupt interrupt);

/// Why hardware would not run a guest with these values: the name of the CSR, or null when it would.
/// Reserved encodings are WARL in the manual; a core that programs one has a bug worth a loud stop.
[[nodiscard]] const char* refused_csr(const ax::riscv::HsCsrs& hs);

/// Interrupt bits of S-level position (1, 5, 9) that hvip and hideleg give the guest.
[[nodiscard]] u64 guest_interrupts(const ax::riscv::HsCsrs& hs);
/// S-level interrupt bits that the guest owns because hideleg delegates them.
[[nodiscard]] u64 guest_interrupt_mask(const ax::riscv::HsCsrs& hs);

}  // namespace ax::sim::riscv
