/* Code that the guest writes itself: after DC CVAU, IC IVAU and ISB the new instructions run, in place, across pages,
   and written through one mapping while run through another; stores beside the code change nothing. */
#include "guest.h"

static const char name[] = "selfmod";
#define CODE_VIEW (4ul << 30)
#define DATA_VIEW (5ul << 30)

/* mov x0, value; ret */
static void write_function(volatile u32 *code, u32 value) {
    code[0] = 0xd2800000 | value << 5;
    code[1] = 0xd65f03c0;
}

static u64 call(u64 address) { return ((u64 (*)(void))address)(); }

static void in_place(volatile u32 *page) {
    for (u32 i = 0; i < 2000; ++i) {
        volatile u32 *code = page + 2 * (i % 500);
        write_function(code, i);
        flush_code((u64)code, 8);
        if (call((u64)code) != i) fail(name, "round %u runs old code", (u64)i);
    }
    /* IC IALLU for the whole, once for many functions. */
    for (u32 i = 0; i < 500; ++i) write_function(page + 2 * i, 7 * i);
    for (u64 at = (u64)page; at < (u64)page + PAGE; at += 64) __asm__ volatile("dc cvau, %0" : : "r"(at) : "memory");
    __asm__ volatile("dsb ish\n\tic iallu\n\tdsb ish\n\tisb" : : : "memory");
    for (u32 i = 0; i < 500; ++i)
        if (call((u64)(page + 2 * i)) != 7 * i) fail(name, "function %u is old after IC IALLU", (u64)i);
}

static void crossing(void) {
    volatile u32 *first = new_page();
    (void)new_page();
    volatile u32 *code = first + PAGE / 4 - 1;
    for (u32 i = 0; i < 50; ++i) {
        write_function(code, 100 + i);
        flush_code((u64)code, 8);
        if (call((u64)code) != 100 + i) fail(name, "page-crossing round %u runs old code", (u64)i);
    }
}

/* `page` twice: read-only and executable at CODE_VIEW, writable and not executable at DATA_VIEW. */
static void views(u64 page) {
    u64 *root = identity_root(), *middle[2] = {new_page(), new_page()}, *leaves[2] = {new_page(), new_page()};
    root[4] = (u64)middle[0] | PTE_TABLE;
    root[5] = (u64)middle[1] | PTE_TABLE;
    middle[0][0] = (u64)leaves[0] | PTE_TABLE;
    middle[1][0] = (u64)leaves[1] | PTE_TABLE;
    leaves[0][0] = page | PTE_PAGE | PTE_RAM | PTE_READ_ONLY;
    leaves[1][0] = page | PTE_PAGE | PTE_RAM | PTE_PXN | PTE_UXN;
    mmu_on(root, root);
}

static void patch(u32 slot, u32 value) {
    write_function((volatile u32 *)DATA_VIEW + 2 * slot, value);
    /* By the writer's address, or by the runner's: both name the same memory. */
    flush_code((value & 1 ? DATA_VIEW : CODE_VIEW) + 8 * slot, 8);
}

static void expect(u32 slot, u32 value, const char *what, u32 round) {
    const u64 got = call(CODE_VIEW + 8 * slot);
    if (got != value) fail(name, "%s, round %u: slot %u gives %u, not %u", what, (u64)round, (u64)slot, got, (u64)value);
}

static void through_alias(void) {
    volatile u64 *data = (volatile u64 *)(DATA_VIEW + PAGE / 2);
    for (u32 slot = 0; slot < 100; ++slot) patch(slot, slot);
    for (u32 slot = 0; slot < 100; ++slot) expect(slot, slot, "first code", 0);
    for (u32 i = 0; i < 500; ++i) {
        const u32 slot = i % 97;
        patch(slot, 1000 + i);
        expect(slot, 1000 + i, "patched once", i);
        data[i % 200] = i; /* the page is written without being patched */
        expect(slot, 1000 + i, "after a data store", i);
        expect(99, 99, "unpatched neighbour", i);
        patch(slot, 3000 + i);
        data[i % 200] = ~(u64)i;
        expect(slot, 3000 + i, "patched twice", i);
        expect(98, 98, "unpatched neighbour", i);
        patch(slot, slot);
        expect(slot, slot, "patched back", i);
    }
    for (u32 slot = 0; slot < 100; ++slot) expect(slot, slot, "last code", 500);
}

/* A loop that patches the instruction behind its own store, run twice each time. */
static void inside_a_loop(volatile u32 *page) {
    for (u32 i = 0; i < 200; ++i) {
        patch(0, 2 * i);
        if (call(CODE_VIEW) + call((u64)page) != 4 * i) fail(name, "round %u: the two views differ", (u64)i);
    }
}

void guest_main(void) {
    volatile u32 *page = new_page();
    in_place(page);
    crossing();
    views((u64)page);
    through_alias();
    inside_a_loop(page);
    in_place(page);
    pass(name);
}
