/* Code that the guest writes itself: after a jump the new instructions run, in place, across pages, and written through one
   mapping while run through another; stores beside the code change nothing; an instruction may change the next one. */
#include "guest.h"

static const char name[] = "selfmod";
#define CODE_VIEW (4ul << 39)
#define DATA_VIEW (5ul << 39)

/* mov eax, value; ret */
static void write_function(volatile u8 *code, u32 value) {
    code[0] = 0xb8;
    *(volatile u32 *)(code + 1) = value;
    code[5] = 0xc3;
}

static u64 call(u64 address) { return ((u64 (*)(void))address)(); }

static void in_place(volatile u8 *page) {
    for (u32 i = 0; i < 2000; ++i) {
        volatile u8 *code = page + 8 * (i % 500);
        write_function(code, i);
        if (call((u64)code) != i) fail(name, "round %u runs old code", (u64)i);
    }
    for (u32 i = 0; i < 500; ++i) write_function(page + 8 * i, 7 * i);
    for (u32 i = 0; i < 500; ++i)
        if (call((u64)(page + 8 * i)) != 7 * i) fail(name, "function %u is old", (u64)i);
}

static void crossing(void) {
    volatile u8 *first = new_page();
    (void)new_page();
    for (u32 i = 0; i < 60; ++i) {
        volatile u8 *code = first + PAGE - 1 - i % 6;
        write_function(code, 100 + i);
        if (call((u64)code) != 100 + i) fail(name, "page-crossing round %u runs old code", (u64)i);
        *(volatile u32 *)(code + 1) = 200 + i; /* the operand alone, over the border */
        if (call((u64)code) != 200 + i) fail(name, "page-crossing round %u has an old operand", (u64)i);
    }
}

/* `page` twice: read-only at CODE_VIEW, writable and not executable at DATA_VIEW. */
static void views(u64 page) {
    u64 *root = identity_root();
    wrmsr(0xc0000080, rdmsr(0xc0000080) | 0x800);
    map_page(root, CODE_VIEW, page, PTE_PRESENT);
    map_page(root, DATA_VIEW, page, PTE_PRESENT | PTE_WRITE | PTE_NO_EXECUTE);
    load_root(root);
}

static void patch(u32 slot, u32 value) { write_function((volatile u8 *)DATA_VIEW + 8 * slot, value); }

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

/* Both views in one expression. */
static void both_views(volatile u8 *page) {
    for (u32 i = 0; i < 200; ++i) {
        patch(0, 2 * i);
        if (call(CODE_VIEW) + call((u64)page) != 4 * i) fail(name, "round %u: the two views differ", (u64)i);
    }
}

/* SDM vol. 3, "Self-Modifying Code": a store into what runs next takes effect at once on processors since the Pentium, for the
   same linear address. mov byte [rip + 0], dil: the operand of the instruction behind it. */
__asm__(".pushsection .data\n\t.balign 4096\n"
        "changes_next: movb %dil, changed + 1(%rip)\nchanged: movl $0, %eax\n\tret\n"
        /* A loop of five rounds that counts with an instruction which it makes anew in each. */
        "changes_loop: xorl %eax, %eax\n\tmovl $5, %ecx\n1: movb %cl, 2f + 2(%rip)\n2: addl $0, %eax\n\tloop 1b\n\tret\n"
        ".popsection");
extern char changes_next[], changes_loop[];

static void next_instruction(void) {
    for (u64 i = 0; i < 100; ++i) {
        const u64 got = ((u64 (*)(u64))(u64)changes_next)(i);
        if (got != i) fail(name, "the next instruction is old: %u, not %u", got, i);
    }
    const u64 sum = call((u64)changes_loop);
    if (sum != 15) fail(name, "a loop that changes itself sums to %u", sum);
}

/* A string store over its own code's neighbour, and over code already run. */
static void by_strings(volatile u8 *page) {
    static u8 source[16];
    for (u32 i = 0; i < 100; ++i) {
        write_function(source, i);
        u64 to = (u64)page + 1024, from = (u64)source, count = 6;
        __asm__ volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(count) : : "memory");
        if (call((u64)page + 1024) != i) fail(name, "code written by REP MOVSB is old in round %u", (u64)i);
    }
}

void guest_main(void) {
    volatile u8 *page = new_page();
    in_place(page);
    crossing();
    next_instruction();
    by_strings(page);
    views((u64)page);
    through_alias();
    both_views(page);
    in_place(page);
    pass(name);
}
