/* Ends in no verdict: the trap handler faults with its first instruction, for ever. The VM must be
   stopped with a reason, or run until its limit, without harm to others. */
#include "guest.h"

__attribute__((aligned(4), naked)) static void faulting_vector(void) {
    __asm__ volatile("lui t0, 0x8000\n\tld t1, 0(t0)\n\tj .");
}

void guest_main(void) {
    say("faulting for ever\n");
    csr_write(stvec, (u64)faulting_vector);
    (void)read64(UNMAPPED);
    fail("trap_loop", "came back");
}
