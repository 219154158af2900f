/* Ends in no verdict: the root of the page table lies on the PLIC, so no instruction can be fetched
   any more, the trap handler's included. The VM must be stopped with a reason that names the walk. */
#include "guest.h"

void guest_main(void) {
    say("page table root on %x\n", PLIC_BASE);
    csr_write(satp, (8ul << 60) | (PLIC_BASE / PAGE));
    __asm__ volatile("sfence.vma");
    fail("pt_root_on_mmio", "still runs");
}
