/* Ends in no verdict: the root of the page tables lies on the I/O APIC, so no instruction can be fetched any more, the handler's
   included. The VM must be stopped with a reason. */
#include "guest.h"

void guest_main(void) {
    say("page table root on %x\n", IOAPIC_BASE);
    cr_write(3, IOAPIC_BASE);
    fail("pt_root_on_mmio", "still runs");
}
