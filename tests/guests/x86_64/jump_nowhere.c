/* Ends in no verdict: jumps to an address that nothing backs, with handlers that nothing backs either. The VM must be stopped
   with a reason that names the fetch. */
#include "guest.h"

void guest_main(void) {
    say("jumping to %x\n", UNMAPPED);
    for (unsigned v = 0; v < 32; ++v) set_gate(v, UNMAPPED + 0x1000, 1, GATE_INTERRUPT);
    ((void (*)(void))UNMAPPED)();
    fail("jump_nowhere", "came back");
}
