/* Translation tables below the root lie on nothing or on a device: each access through them is an external abort on
   the table walk with the virtual address, and the guest goes on. */
#include "guest.h"

static const char name[] = "pt_on_mmio";

/* A device may also be read as a descriptor, which then is invalid; a guest under a second stage never sees that. */
static void check(const char *what, u64 class, u64 write, u64 level, u64 address, bool device) {
    const u64 esr = noted.cause;
    if (noted.count != 1) fail(name, "%s at %x: %u traps", what, address, noted.count);
    if (EC(esr) != class || (class == EC_DATA && WNR(esr) != write)) fail(name, "%s at %x: ESR %x", what, address, esr);
    /* ESR_EL2 and HPFAR_EL2 do not tell a hypervisor at which level of the guest's walk it was asked. */
    const bool on_walk = (FSC(esr) & ~3ul) == FSC_EXTERNAL_WALK;
    if (!on_walk && !(device && FSC(esr) == FSC_TRANSLATION + level)) fail(name, "%s at %x: ESR %x", what, address, esr);
    if (esr & 0x80) fail(name, "%s at %x: S1PTW in the guest's own syndrome %x", what, address, esr);
    if (noted.value != address) fail(name, "%s: FAR %x, not %x", what, noted.value, address);
    clear_note();
}

static void access_all(u64 address, u64 level, bool device) {
    (void)read64(address);
    check("load", EC_DATA, 0, level, address, device);
    write64(address, 1);
    check("store", EC_DATA, 1, level, address, device);
    __asm__ volatile("ldxr x9, [%0]" : : "r"(address) : "x9", "memory");
    check("ldxr", EC_DATA, 0, level, address, device);
    __asm__ volatile("stp x9, x10, [%0]" : : "r"(address) : "memory");
    check("stp", EC_DATA, 1, level, address, device);
    ((void (*)(void))address)();
    check("fetch", EC_FETCH, 0, level, address, device);
}

void guest_main(void) {
    u64 *root = identity_root(), *middle = new_page();
    root[4] = UNMAPPED | PTE_TABLE;              /* the level 2 table is not there */
    root[5] = (u64)middle | PTE_TABLE;
    middle[0] = UNMAPPED | PTE_TABLE;            /* the level 3 table is not there */
    middle[1] = (GICD_BASE + PAGE) | PTE_TABLE;  /* or is the distributor */
    root[6] = UART_BASE | PTE_TABLE;
    mmu_on(root, root);
    expect_traps(true);
    access_all((4ul << 30) + 0x1238, 2, false);
    access_all((5ul << 30) + 0x1238, 3, false);
    access_all((5ul << 30) + (2ul << 20) + 0x1238, 3, true);
    access_all((6ul << 30) + 0x1238, 2, true);
    /* TTBR1's half, whose root itself is not there. */
    sys_write(ttbr1_el1, UNMAPPED);
    flush_tlb();
    access_all(0xffffff8000001238, 1, false);
    pass(name);
}
