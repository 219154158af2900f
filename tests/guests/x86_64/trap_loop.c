/* Ends in no verdict: the first instruction of the exception's handler raises the exception again, so that nothing ever retires.
   The VM must be stopped with a reason, without harm to others. */
#include "guest.h"

CODE(undefined, "ud2");

void guest_main(void) {
    say("faulting for ever\n");
    set_gate(UD, (u64)undefined, 1, GATE_INTERRUPT);
    __asm__ volatile("ud2");
    fail("trap_loop", "came back");
}
