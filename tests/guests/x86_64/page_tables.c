/* 4-level paging: pages of 4 KiB and 2 MiB, what each level permits, accessed and dirty bits, write protection, no-execute, user
   mode, reserved bits, the error codes of faults, and what INVLPG, CR3 and global pages do to translations that are kept. */
#include "guest.h"

static const char name[] = "page_tables";
#define WINDOW (4ul << 39)
static u64 *root, *leaf, *page;

static void expect(const char *what, u64 got, u64 wanted) {
    if (got != wanted) fail(name, "%s: %x, not %x", what, got, wanted);
}
static void set(u64 bits) {
    *leaf = (u64)page | bits;
    invlpg(WINDOW);
}

#define LOAD(error, what) \
    do { \
        __asm__ volatile(TRY("movq (%0), %%rax") : : "r"(WINDOW) : "rax", "memory"); \
        if ((error) == ~0u) expect_none(name, what); \
        else expect_exception(name, what, PF, error); \
    } while (0)
#define STORE(error, what) \
    do { \
        __asm__ volatile(TRY("movq %0, 8(%0)") : : "r"(WINDOW) : "memory"); \
        if ((error) == ~0u) expect_none(name, what); \
        else expect_exception(name, what, PF, error); \
    } while (0)
#define FETCH(error, what) \
    do { \
        ((void (*)(void))WINDOW)(); \
        if ((error) == ~0u) expect_none(name, what); \
        else expect_exception(name, what, PF, error); \
    } while (0)
#define OK ~0u

static void bits(void) {
    set(PTE_PRESENT | PTE_WRITE);
    LOAD(OK, "load");
    expect("A after a load", *leaf & (PTE_ACCESSED | PTE_DIRTY), PTE_ACCESSED);
    STORE(OK, "store");
    expect("A and D after a store", *leaf & (PTE_ACCESSED | PTE_DIRTY), PTE_ACCESSED | PTE_DIRTY);
    set(PTE_PRESENT | PTE_WRITE);
    STORE(OK, "store at once");
    expect("A and D after a store at once", *leaf & (PTE_ACCESSED | PTE_DIRTY), PTE_ACCESSED | PTE_DIRTY);
    set(PTE_PRESENT | PTE_WRITE);
    FETCH(OK, "fetch");
    expect("A after a fetch", *leaf & (PTE_ACCESSED | PTE_DIRTY), PTE_ACCESSED);
    /* A load does not keep the right to store without D. */
    set(PTE_PRESENT | PTE_WRITE);
    LOAD(OK, "load first");
    *leaf &= ~PTE_ACCESSED;
    STORE(OK, "store second");
    expect("D after a store behind a load", *leaf & PTE_DIRTY, PTE_DIRTY);
    set(0);
    LOAD(0, "not present"); STORE(PF_WRITE, "not present"); FETCH(PF_FETCH, "not present");
    expect("A of what is not present", *leaf & (PTE_ACCESSED | PTE_DIRTY), 0);
}

static void rights(void) {
    set(PTE_PRESENT);
    LOAD(OK, "load of a read-only page"); STORE(PF_PRESENT | PF_WRITE, "store to a read-only page");
    expect("D after a refused store", *leaf & PTE_DIRTY, 0);
    cr_write(0, cr_read(0) & ~0x10000ul);
    STORE(OK, "store without WP");
    expect("D after a store without WP", *leaf & PTE_DIRTY, PTE_DIRTY);
    cr_write(0, cr_read(0) | 0x10000);
    STORE(PF_PRESENT | PF_WRITE, "store with WP again");
    set(PTE_PRESENT | PTE_WRITE | PTE_NO_EXECUTE);
    LOAD(OK, "load without execution"); FETCH(PF_PRESENT | PF_FETCH, "fetch without execution");
    wrmsr(0xc0000080, rdmsr(0xc0000080) & ~0x800ul);
    load_root(root);
    LOAD(PF_PRESENT | PF_RESERVED, "bit 63 without NXE");
    wrmsr(0xc0000080, rdmsr(0xc0000080) | 0x800);
    load_root(root);
    set(PTE_PRESENT | PTE_WRITE | 1ul << 51);
    LOAD(PF_PRESENT | PF_RESERVED, "an address that is too high"); STORE(PF_PRESENT | PF_RESERVED | PF_WRITE, "an address that is too high");
}

/* The least that any level gives counts. */
static void levels(void) {
    u64 *entry[3] = {&root[4]};
    entry[1] = table_below(entry[0]), entry[2] = table_below(entry[1]);
    for (unsigned level = 0; level < 3; ++level) {
        const u64 whole = *entry[level];
        set(PTE_PRESENT | PTE_WRITE | PTE_USER);
        *entry[level] = whole & ~PTE_WRITE;
        invlpg(WINDOW);
        LOAD(OK, "load"); STORE(PF_PRESENT | PF_WRITE, "store below a read-only table");
        *entry[level] = whole | PTE_NO_EXECUTE;
        invlpg(WINDOW);
        FETCH(PF_PRESENT | PF_FETCH, "fetch below a table without execution");
        *entry[level] = whole & ~PTE_PRESENT;
        invlpg(WINDOW);
        LOAD(0, "load below nothing");
        *entry[level] = whole & ~PTE_ACCESSED;
        invlpg(WINDOW);
        LOAD(OK, "load");
        expect("A of a table", *entry[level] & PTE_ACCESSED, PTE_ACCESSED);
        expect("bit 6 of a table", *entry[level] & PTE_DIRTY, whole & PTE_DIRTY);
        *entry[level] = whole;
        invlpg(WINDOW);
    }
    const u64 whole = root[4];
    root[4] = whole | PTE_LARGE;
    invlpg(WINDOW);
    LOAD(PF_PRESENT | PF_RESERVED, "bit 7 of the root");
    root[4] = whole;
    invlpg(WINDOW);
}

static void large(void) {
    u64 *directory = table_below(table_below(&root[4]));
    directory[5] = 0x200000 | PTE_PRESENT | PTE_WRITE | PTE_LARGE;
    const u64 at = WINDOW + 5 * 0x200000 + 0x12345 * 8;
    write64(at, 0x5eed);
    expect("a page of 2 MiB", read64(0x200000 + 0x12345 * 8), 0x5eed);
    expect("its A and D", directory[5] & (PTE_ACCESSED | PTE_DIRTY), PTE_ACCESSED | PTE_DIRTY);
    directory[6] = 0x202000 | PTE_PRESENT | PTE_LARGE;
    __asm__ volatile(TRY("movq (%0), %%rax") : : "r"(WINDOW + 6 * 0x200000) : "rax", "memory");
    expect_exception(name, "a page of 2 MiB that is not aligned", PF, PF_PRESENT | PF_RESERVED);
    if (cpuid(0x80000001, 0).edx >> 26 & 1) {
        u64 *pointers = table_below(&root[4]);
        pointers[3] = PTE_PRESENT | PTE_WRITE | PTE_LARGE;
        expect("a page of 1 GiB", read64(WINDOW + (3ul << 30) + 0x200000 + 0x12345 * 8), 0x5eed);
    }
}

CODE(user_load, "movq (%rdi), %rax\n\tint $0x80");
CODE(user_store, "movq %rdi, (%rdi)\n\tint $0x80");
CODE(user_jump, "jmp *%rdi");

static void user(u64 entry, u64 vector, u64 error, const char *what) {
    run_user(entry, WINDOW);
    if (VECTOR(user_stop.cause) != vector || ERROR(user_stop.cause) != error) fail(name, "%s: %x", what, user_stop.cause);
}

static void rings(void) {
    set(PTE_PRESENT | PTE_WRITE | PTE_USER);
    user((u64)user_load, 0x80, 0, "user load"), user((u64)user_store, 0x80, 0, "user store");
    set(PTE_PRESENT | PTE_WRITE);
    user((u64)user_load, PF, PF_PRESENT | PF_USER, "user load of the supervisor's page");
    user((u64)user_store, PF, PF_PRESENT | PF_USER | PF_WRITE, "user store to the supervisor's page");
    user((u64)user_jump, PF, PF_PRESENT | PF_USER | PF_FETCH, "user fetch from the supervisor's page");
    set(PTE_PRESENT | PTE_USER);
    user((u64)user_store, PF, PF_PRESENT | PF_USER | PF_WRITE, "user store to a read-only page");
    cr_write(0, cr_read(0) & ~0x10000ul);
    user((u64)user_store, PF, PF_PRESENT | PF_USER | PF_WRITE, "user store to a read-only page without WP");
    cr_write(0, cr_read(0) | 0x10000);
    set(0);
    user((u64)user_load, PF, PF_USER, "user load of nothing");
}

/* What is kept until INVLPG is the CPU's affair; afterwards the new entry counts. Global pages outlive CR3, not CR4.PGE. */
static void kept(void) {
    u64 *other = new_page();
    page[1] = 0xaaaa, other[1] = 0xbbbb;
    cr_write(4, cr_read(4) | 0x80);
    for (u64 i = 0; i < 100; ++i) {
        const u64 *now = i & 1 ? other : page;
        *leaf = (u64)now | PTE_PRESENT | PTE_WRITE | (i & 2 ? PTE_GLOBAL : 0);
        if (i % 3 == 0) invlpg(WINDOW + 0x123);
        else if (i % 3 == 1) cr_write(4, cr_read(4) & ~0x80ul), cr_write(4, cr_read(4) | 0x80);
        else invlpg(WINDOW), load_root(root);
        expect("the page after a flush", read64(WINDOW + 8), i & 1 ? 0xbbbb : 0xaaaa);
        const u64 was = i & 1 ? 0xbbbb : 0xaaaa;
        *leaf = ((u64)(i & 1 ? page : other)) | PTE_PRESENT | PTE_WRITE;
        const u64 seen = read64(WINDOW + 8);
        if (seen != 0xaaaa && seen != 0xbbbb) fail(name, "neither page: %x, was %x", seen, was);
    }
    cr_write(4, cr_read(4) & ~0x80ul);
    invlpg(WINDOW);
    /* INVLPG of what is not mapped, and of what is not canonical. */
    invlpg(1ul << 46);
    __asm__ volatile("invlpg (%0)" : : "r"(1ul << 47) : "memory");
    expect_none(name, "INVLPG");
}

void guest_main(void) {
    root = identity_root();
    page = new_page();
    ((u8 *)page)[0] = 0xc3;
    map_page(root, WINDOW, (u64)page, PTE_PRESENT | PTE_WRITE);
    leaf = &table_below(&table_below(table_below(&root[4]))[0])[0];
    load_root(root);
    expect_traps(true);
    bits();
    rights();
    levels();
    large();
    kept();
    expect_traps(false);
    rings();
    pass(name);
}
