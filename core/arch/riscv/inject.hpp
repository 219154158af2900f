// Making a guest see an event: interrupt bits of hvip, and exception entry into VS-mode.
#pragma once

#include "core/arch/riscv/trap.hpp"

namespace ax::riscv {

/// hvip with the event's line raised or lowered ("Hypervisor Interrupt Registers").
[[nodiscard]] u64 apply_event(u64 hvip, Event event);

/// The part of a vCPU that taking a trap into VS-mode changes.
struct VsTrapState {
    u64 vsstatus = 0;
    u64 vsepc = 0;
    u64 vscause = 0;
    u64 vstval = 0;
    u64 vstvec = 0;
    u64 pc = 0;
    Privilege privilege = Privilege::Supervisor;
};

/// Takes `exception` in VS-mode exactly as hardware delegating it would ("Trap Entry into VS-mode").
[[nodiscard]] VsTrapState take_exception(VsTrapState state, GuestException exception);

}  // namespace ax::riscv
