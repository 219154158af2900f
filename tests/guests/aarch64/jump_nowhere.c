/* Ends in no verdict: jumps to an address that nothing backs, with vectors that nothing backs either. The VM
   must be stopped with a reason that names the fetch. */
#include "guest.h"

void guest_main(void) {
    say("jumping to %x\n", UNMAPPED);
    sys_write(vbar_el1, UNMAPPED + 0x1000);
    ((void (*)(void))UNMAPPED)();
    fail("jump_nowhere", "came back");
}
