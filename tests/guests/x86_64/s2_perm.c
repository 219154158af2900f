/* Memory that the hypervisor maps with fewer rights than the guest believes: what is forbidden changes nothing and never stops the
   guest, what is allowed works, page tables in read-only memory are read. The VM file adds the regions. */
#include "guest.h"

static const char name[] = "s2_perm";
#define READ_ONLY 0x10000000ul   /* flags 0x5, read and execute */
#define NO_EXECUTE 0x11000000ul  /* flags 0x3, read and write */
#define READ_ALONE 0x12000000ul  /* flags 0x1 */
#define BYTES 0x10000ul

#define STORE(text) \
    do { \
        const u64 before_ = read64(at); \
        __asm__ volatile(text : : "r"(at), "D"(at), "a"(0x55) : "rcx", "cc", "memory"); \
        expect_none(name, text); \
        if (read64(at) != before_) fail(name, "%s changes memory at %x", text, at); \
    } while (0)

/* A ROM: what is written goes nowhere. */
static void no_stores(u64 at) {
    STORE("movb %%al, (%0)"); STORE("movq %%rax, (%0)"); STORE("movl $7, (%0)"); STORE("addl %%eax, (%0)"); STORE("lock incq (%0)");
    STORE("xchgl %%ecx, (%0)"); STORE("stosl"); STORE("movl $4, %%ecx\n\trep stosq"); STORE("notb (%0)"); STORE("btsl $3, (%0)");
    STORE("xorl %%eax, %%eax\n\tlock cmpxchgl %%ecx, (%0)");
    u64 old = 5;
    __asm__ volatile("lock xaddq %0, (%1)" : "+r"(old) : "r"(at) : "cc", "memory");
    if (old != read64(at)) fail(name, "xadd reads %x", old);
}

static void no_fetch(u64 at) {
    ((void (*)(void))at)();
    expect_exception(name, "fetch", UD, 0);
}

void guest_main(void) {
    expect_traps(true);
    for (u64 offset = 0; offset < BYTES; offset += 0x3000) {
        no_stores(READ_ONLY + offset);
        no_stores(READ_ALONE + offset);
        no_fetch(READ_ALONE + offset);
        no_fetch(NO_EXECUTE + offset);
        write64(NO_EXECUTE + offset, 0xc3 + offset);
        if (read64(NO_EXECUTE + offset) != 0xc3 + offset) fail(name, "a store to memory without execution is lost");
    }
    /* Tables of zeros in read-only memory: nothing is present. */
    u64 *root = identity_root();
    root[4] = READ_ONLY | PTE_ALL;
    load_root(root);
    __asm__ volatile(TRY("movq (%0), %%rax") : : "r"(4ul << 39) : "rax", "memory");
    expect_exception(name, "a load through a read-only table", PF, 0);
    __asm__ volatile(TRY("movq %0, (%0)") : : "r"(4ul << 39) : "memory");
    expect_exception(name, "a store through a read-only table", PF, PF_WRITE);
    pass(name);
}
