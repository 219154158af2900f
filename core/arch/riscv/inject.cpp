// Interrupt lines and exception entry of VS-mode.
#include "core/arch/riscv/inject.hpp"

namespace ax::riscv {

namespace {

/// "Supervisor Trap Vector Base Address Register (stvec)".
struct Stvec {
    using BASE = Bits<63, 2>;
};

Interrupt interrupt_of(EventLine line) {
    switch (line) {
        case EventLine::Software: return Interrupt::VirtualSupervisorSoftware;
        case EventLine::Timer: return Interrupt::VirtualSupervisorTimer;
        case EventLine::External: return Interrupt::VirtualSupervisorExternal;
    }
    return Interrupt::VirtualSupervisorExternal;
}

}  // namespace

u64 apply_event(u64 hvip, Event event) {
    const u64 line = mask_of(interrupt_of(event.line));
    return event.level ? hvip | line : hvip & ~line;
}

VsTrapState take_exception(VsTrapState state, GuestException exception) {
    const u64 was_enabled = Sstatus::SIE::get(state.vsstatus);
    state.vsstatus = Sstatus::SPP::set(state.vsstatus, index(state.privilege));
    state.vsstatus = Sstatus::SPIE::set(state.vsstatus, was_enabled);
    state.vsstatus = Sstatus::SIE::set(state.vsstatus, 0);
    state.vsepc = state.pc;
    state.vscause = index(exception.cause);
    state.vstval = exception.tval;
    state.pc = state.vstvec & Stvec::BASE::mask;
    state.privilege = Privilege::Supervisor;
    return state;
}

}  // namespace ax::riscv
