/* A page table below the root lies on a device or on nothing: each access through it is an access
   fault of its own kind with the virtual address, and the guest goes on. */
#include "guest.h"

static const char name[] = "pt_on_mmio";

static void check(const char *what, u64 cause, u64 address) {
    if (noted.count != 1) fail(name, "%s: %u traps", what, noted.count);
    if (noted.cause != cause) fail(name, "%s: cause %u, not %u", what, noted.cause, cause);
    if (noted.value != address) fail(name, "%s: stval %x, not %x", what, noted.value, address);
    clear_note();
}

void guest_main(void) {
    u64 *root = new_page();
    root[0] = (0ul << 28) | 0xcf;              /* 0 to 1 GiB: the devices, where they are */
    root[2] = ((0x80000000ul / PAGE) << 10) | 0xcf;
    root[4] = ((PLIC_BASE / PAGE) << 10) | 1;  /* the tables that must not be read */
    root[5] = ((UNMAPPED / PAGE) << 10) | 1;
    csr_write(satp, (8ul << 60) | ((u64)root / PAGE));
    __asm__ volatile("sfence.vma");

    expect_traps(true);
    for (u64 slot = 4; slot <= 5; ++slot) {
        u64 address = (slot << 30) + 0x1238;
        (void)read64(address);
        check("load", 5, address);
        write64(address, 1);
        check("store", 7, address);
        __asm__ volatile("amoadd.d zero, zero, (%0)" : : "r"(address) : "memory");
        check("amo", 7, address);
        ((void (*)(void))address)();
        check("fetch", 1, address);
    }
    pass(name);
}
