/* Ends in no verdict: the trap handler works a little and then faults, for ever, so that instructions go
   on retiring. Only a limit of the run, or the user, ends it. */
#include "guest.h"

__attribute__((aligned(4), naked)) static void faulting_vector(void) {
    __asm__ volatile("addi s0, s0, 1\n\tlui t0, 0x8000\n\tld t1, 0(t0)\n\tj .");
}

void guest_main(void) {
    say("faulting for ever\n");
    csr_write(stvec, (u64)faulting_vector);
    (void)read64(UNMAPPED);
    fail("trap_storm", "came back");
}
