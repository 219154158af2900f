/* Ends in no verdict: the root of the translation tables lies on the distributor, so no instruction can be fetched
   any more, the handler's included. The VM must be stopped with a reason that names the walk. */
#include "guest.h"

void guest_main(void) {
    say("page table root on %x\n", GICD_BASE);
    mmu_on((u64 *)GICD_BASE, (u64 *)GICD_BASE);
    fail("pt_root_on_mmio", "still runs");
}
