/* Ends in no verdict: the exception's handler works a little and then fails again, for ever, so that instructions go on retiring.
   Only a limit of the run, or the user, ends it. */
#include "guest.h"

CODE(storm, "addq $1, %r10\n\tmovl $0xd0000000, %eax\n\tjmp *%rax");

void guest_main(void) {
    say("faulting for ever\n");
    set_gate(UD, (u64)storm, 1, GATE_INTERRUPT);
    ((void (*)(void))UNMAPPED)();
    fail("trap_storm", "came back");
}
