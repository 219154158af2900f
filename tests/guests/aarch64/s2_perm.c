/* Memory that the hypervisor maps with fewer rights than the guest believes: a read-only region and one that must not
   be executed. What is forbidden aborts and changes nothing; what is allowed works. The VM file adds the regions. */
#include "guest.h"

static const char name[] = "s2_perm";
#define READ_ONLY 0x48000000ul   /* flags 0x5, read and execute */
#define NO_EXECUTE 0x49000000ul  /* flags 0x3, read and write */
#define READ_ALONE 0x4a000000ul  /* flags 0x1 */
#define BYTES 0x10000ul

/* An external abort, as for what is not there, or a permission fault of any level. */
static void check(const char *what, u64 class, u64 write, u64 address) {
    const u64 fsc = FSC(noted.cause);
    if (noted.count != 1) fail(name, "%s at %x: %u traps", what, address, noted.count);
    if (EC(noted.cause) != class || (fsc != FSC_EXTERNAL && (fsc & 0x3c) != FSC_PERMISSION)) fail(name, "%s at %x: ESR %x", what, address, noted.cause);
    if (class == EC_DATA && WNR(noted.cause) != write) fail(name, "%s at %x: ESR %x", what, address, noted.cause);
    if (noted.value != address) fail(name, "%s: FAR %x, not %x", what, noted.value, address);
    clear_note();
}
static void works(const char *what) {
    if (noted.count) fail(name, "%s: ESR %x FAR %x", what, noted.cause, noted.value);
}

#define STORE(text) \
    do { \
        const u64 before_ = read64(at); \
        __asm__ volatile(text : : "r"(at) : "x9", "x10", "memory"); \
        check(text, EC_DATA, 1, at); \
        if (read64(at) != before_) fail(name, text " changed memory"); \
    } while (0)

static void no_stores(u64 at) {
    (void)read64(at);
    works("load");
    STORE("strb wzr, [%0]"); STORE("str x9, [%0]"); STORE("stp x9, x10, [%0]"); STORE("str x9, [%0], #8"); STORE("str q1, [%0]");
    STORE("stlr x9, [%0]"); STORE("st1 {v1.16b}, [%0]"); STORE("stur w9, [%0]");
    u64 x;
    __asm__ volatile("ldxr %0, [%1]" : "=r"(x) : "r"(at) : "memory");
    works("ldxr");
    STORE("ldxr x9, [%0]\n\tstxr w10, x9, [%0]");
}

static void no_fetch(u64 at) {
    ((void (*)(void))at)();
    check("fetch", EC_FETCH, 0, at);
}

static void all(void) {
    for (u64 offset = 0; offset < BYTES; offset += 0x3000) {
        no_stores(READ_ONLY + offset);
        no_stores(READ_ALONE + offset);
        no_fetch(READ_ALONE + offset);
        no_fetch(NO_EXECUTE + offset);
        write32(NO_EXECUTE + offset, 0xd65f03c0 + (u32)offset);
        if (read32(NO_EXECUTE + offset) != 0xd65f03c0 + (u32)offset) fail(name, "a store to memory without execution is lost");
        works("store to memory without execution");
    }
}

void guest_main(void) {
    sys_write(cpacr_el1, 3ul << 20);
    expect_traps(true);
    all();
    u64 *root = identity_root();
    mmu_on(root, root);
    all();
    /* Tables in read-only memory are read; the guest's own tables say so of a store as little as before. */
    root[4] = READ_ONLY | PTE_TABLE;
    flush_tlb();
    (void)read64(4ul << 30);
    if (noted.count != 1 || FSC(noted.cause) != FSC_TRANSLATION + 2) fail(name, "tables in read-only memory: %u traps, ESR %x", noted.count, noted.cause);
    pass(name);
}
