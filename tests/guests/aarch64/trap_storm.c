/* Ends in no verdict: the exception handler works a little and then faults, for ever, so that instructions go
   on retiring. Only a limit of the run, or the user, ends it. */
#include "guest.h"

CODE(faulting_vectors, ".balign 2048\n\t.skip 0x200\n\tadd x10, x10, #1\n\tmov x9, #0x0b000000\n\tldr x1, [x9]\n\tb .");

void guest_main(void) {
    say("faulting for ever\n");
    sys_write(vbar_el1, ((u64)faulting_vectors + 2047) & ~2047ul);
    (void)read64(UNMAPPED);
    fail("trap_storm", "came back");
}
