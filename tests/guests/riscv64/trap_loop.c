/* Ends in no verdict: the trap handler's first instruction faults, so that nothing ever retires again.
   The VM must be stopped with a reason, without harm to others. */
#include "guest.h"

__attribute__((aligned(4), naked)) static void faulting_vector(void) {
    __asm__ volatile("ld t1, 0(t0)\n\tj .");
}

void guest_main(void) {
    say("faulting for ever\n");
    csr_write(stvec, (u64)faulting_vector);
    __asm__ volatile("mv t0, %0\n\tld t1, 0(t0)" : : "r"(UNMAPPED) : "t0", "t1", "memory");
    fail("trap_loop", "came back");
}
