/* Ends in no verdict: the exception handler's first instruction faults, so that nothing ever retires again.
   The VM must be stopped with a reason, without harm to others. */
#include "guest.h"

CODE(faulting_vectors, ".balign 2048\n\t.skip 0x200\n\tldr x1, [x9]\n\tb .");

void guest_main(void) {
    say("faulting for ever\n");
    sys_write(vbar_el1, ((u64)faulting_vectors + 2047) & ~2047ul);
    __asm__ volatile("mov x9, %0\n\tldr x1, [x9]" : : "r"(UNMAPPED) : "x1", "x9", "memory");
    fail("trap_loop", "came back");
}
