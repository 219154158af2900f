/* Ends in no verdict: an exception that neither its own handler nor the double fault's can be reached for. The VM must be stopped
   with a reason, without harm to others. */
#include "guest.h"

void guest_main(void) {
    say("no vectors any more\n");
    load_idt(0, 0);
    __asm__ volatile("ud2");
    fail("triple_fault", "still runs");
}
