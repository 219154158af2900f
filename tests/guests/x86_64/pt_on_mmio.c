/* Page tables below the root lie on nothing, on a device, or in memory that the guest cannot write: each access through the first
   two is a page fault with the address, and the guest goes on. */
#include "guest.h"

static const char name[] = "pt_on_mmio";

/* What nothing backs reads as ones: present, with reserved bits set. A device may also be read as an entry that is not present. An
   EPT violation of a walk does not tell a hypervisor what the access was, so bits 1 and 4 may be missing. */
static void check(const char *what, u64 access, u64 address, bool device) {
    const u64 error = ERROR(noted.cause), wanted = access | PF_PRESENT | PF_RESERVED, least = PF_PRESENT | PF_RESERVED;
    if (noted.count != 1) fail(name, "%s at %x: %u exceptions", what, address, noted.count);
    if (VECTOR(noted.cause) != PF) fail(name, "%s at %x: vector %u", what, address, VECTOR(noted.cause));
    if (error != wanted && error != least && !(device && error == access)) fail(name, "%s at %x: error code %x, not %x", what, address, error, wanted);
    if (noted.value != address) fail(name, "%s: CR2 %x, not %x", what, noted.value, address);
    clear_note();
}

static void access_all(u64 address, bool device) {
    __asm__ volatile(TRY("movq (%0), %%rax") : : "r"(address) : "rax", "memory");
    check("load", 0, address, device);
    __asm__ volatile(TRY("movq %0, (%0)") : : "r"(address) : "memory");
    check("store", PF_WRITE, address, device);
    __asm__ volatile(TRY("lock incl (%0)") : : "r"(address) : "cc", "memory");
    check("locked increment", PF_WRITE, address, device);
    __asm__ volatile(TRY("pushq (%0)") : : "r"(address) : "memory");
    check("push", 0, address, device);
    ((void (*)(void))address)();
    check("fetch", cr_read(4) >> 20 & 1 || rdmsr(0xc0000080) >> 11 & 1 ? PF_FETCH : 0, address, device);
}

void guest_main(void) {
    u64 *root = identity_root(), *pointers = new_page(), *directory = new_page();
    root[4] = UNMAPPED | PTE_ALL;
    root[5] = (u64)pointers | PTE_ALL;
    pointers[0] = UNMAPPED | PTE_ALL;
    pointers[1] = (u64)directory | PTE_ALL;
    pointers[2] = LAPIC_BASE | PTE_ALL;
    directory[0] = UNMAPPED | PTE_ALL;
    directory[1] = IOAPIC_BASE | PTE_ALL;
    root[6] = IOAPIC_BASE | PTE_ALL;
    load_root(root);
    expect_traps(true);
    for (unsigned nx = 0; nx < 2; ++nx) {
        wrmsr(0xc0000080, (rdmsr(0xc0000080) & ~0x800ul) | nx << 11);
        access_all((4ul << 39) + 0x1238, false);
        access_all((5ul << 39) + 0x1238, false);
        access_all((5ul << 39) + (1ul << 30) + 0x1238, false);
        access_all((5ul << 39) + (1ul << 30) + (2ul << 20) + 0x1238, true);
        access_all((5ul << 39) + (2ul << 30) + 0x1238, true);
        access_all((6ul << 39) + 0x1238, true);
    }
    pass(name);
}
