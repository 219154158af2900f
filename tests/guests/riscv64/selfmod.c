/* Code that the guest writes itself: after fence.i the new instructions run, in place, page by page and
   through a second mapping of the same memory. */
#include "guest.h"

static const char name[] = "selfmod";

/* li a0, value; ret */
static void write_function(volatile u32 *code, u32 value) {
    code[0] = 0x00000513 | value << 20;
    code[1] = 0x00008067;
}

static u64 call(u64 address) { return ((u64 (*)(void))address)(); }

static void identity_with_alias(u64 page) {
    u64 *root = new_page(), *middle = new_page(), *leaves = new_page();
    root[0] = 0xcf;
    root[2] = ((0x80000000ul / PAGE) << 10) | 0xcf;
    root[4] = (((u64)middle / PAGE) << 10) | 1;
    middle[0] = (((u64)leaves / PAGE) << 10) | 1;
    leaves[0] = ((page / PAGE) << 10) | 0xcb;
    csr_write(satp, (8ul << 60) | ((u64)root / PAGE));
    __asm__ volatile("sfence.vma");
}

void guest_main(void) {
    volatile u32 *page = new_page();
    for (u32 i = 0; i < 2000; ++i) {
        volatile u32 *code = page + 2 * (i % 500);
        write_function(code, i % 2048);
        __asm__ volatile("fence.i" : : : "memory");
        if (call((u64)code) != i % 2048) fail(name, "round %u runs old code", (u64)i);
    }
    volatile u32 *first = new_page();
    (void)new_page();
    volatile u32 *crossing = first + PAGE / 4 - 1;
    for (u32 i = 0; i < 50; ++i) {
        write_function(crossing, 100 + i);
        __asm__ volatile("fence.i" : : : "memory");
        if (call((u64)crossing) != 100 + i) fail(name, "page-crossing round %u runs old code", (u64)i);
    }

    const u64 alias = 4ul << 30;
    identity_with_alias((u64)page);
    for (u32 i = 0; i < 200; ++i) {
        write_function(page, 1000 + i);
        __asm__ volatile("fence.i" : : : "memory");
        if (call(alias) != 1000 + i) fail(name, "round %u through the alias runs old code", (u64)i);
        if (call((u64)page) != 1000 + i) fail(name, "round %u beside the alias runs old code", (u64)i);
    }
    pass(name);
}
