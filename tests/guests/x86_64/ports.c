/* IN and OUT in all widths and forms, INS and OUTS with and without REP, in both directions, across pages, into pages that fault
   half way, and from ring 3 as IOPL and the I/O permission bitmap say. */
#include "guest.h"

static const char name[] = "ports";
/* PCI configuration access: the address; and four bytes of data, which the host bridge's register 0x50 keeps. */
#define ADDRESS 0xcf8u
#define DATA_PORT 0xcfcu
#define SCRATCH (UART_PORT + 7)

static void expect(const char *what, u64 got, u64 wanted) {
    if (got != wanted) fail(name, "%s: %x, not %x", what, got, wanted);
}

static void widths(void) {
    u64 v;
    out32(ADDRESS, 0x80000050);
    expect("the address", in32(ADDRESS), 0x80000050);
    out32(DATA_PORT, 0xd0c0b0a0);
#define IN_DX(text, port, wanted) \
    v = 0x5a5a5a5a5a5a5a5a; \
    __asm__ volatile(text : "+a"(v) : "d"(0xffff0000ul | (port)) : "memory"); \
    expect(text, v, wanted)
    IN_DX("inb %%dx, %%al", DATA_PORT + 1, 0x5a5a5a5a5a5a5ab0);
    IN_DX("inw %%dx, %%ax", DATA_PORT + 2, 0x5a5a5a5a5a5ad0c0);
    IN_DX("inl %%dx, %%eax", DATA_PORT, 0xd0c0b0a0);
    __asm__ volatile("outb %%al, %%dx" : : "a"(0xffffff11), "d"(DATA_PORT + 3));
    __asm__ volatile("outw %%ax, %%dx" : : "a"(0xffff2233), "d"(DATA_PORT));
    expect("after outb and outw", in32(DATA_PORT), 0x11c02233);
    /* The port as an immediate. */
    v = 0x5a5a5a5a5a5a5a5a;
    out8(CMOS_PORT, 0x50);
    __asm__ volatile("movb $0x77, %%al\n\toutb %%al, $0x71\n\tmovb $0, %%al\n\tinb $0x71, %%al" : "+a"(v));
    expect("inb $", v, 0x5a5a5a5a5a5a5a77);
    for (u64 i = 0; i < 256; i += 15) {
        out8(SCRATCH, (u8)i);
        expect("the scratch register", in8(SCRATCH), i);
    }
    /* Nobody there: ones, and for widths that a device lacks too; the rest of RAX stays but for IN EAX. */
    IN_DX("inb %%dx, %%al", NO_PORT, 0x5a5a5a5a5a5a5aff);
    IN_DX("inw %%dx, %%ax", NO_PORT, 0x5a5a5a5a5a5affff);
    IN_DX("inl %%dx, %%eax", NO_PORT, 0xffffffff);
    IN_DX("inl %%dx, %%eax", 0xffffu, 0xffffffff);
    out32(NO_PORT, 1);
    out32(0xffff, 1);
}

static void strings(void) {
    u32 words[8] = {0x11111111, 0x22222222, 0x33333333, 0x44444444};
    u64 at, left;
    out32(ADDRESS, 0x80000050);
    at = (u64)words;
    __asm__ volatile("outsl" : "+S"(at) : "d"(DATA_PORT) : "memory");
    if (at != (u64)&words[1] || in32(DATA_PORT) != 0x11111111) fail(name, "outsl: %x", (u64)in32(DATA_PORT));
    left = 3;
    __asm__ volatile("rep outsl" : "+S"(at), "+c"(left) : "d"(DATA_PORT) : "memory");
    if (at != (u64)&words[4] || left || in32(DATA_PORT) != 0x44444444) fail(name, "rep outsl: %x", (u64)in32(DATA_PORT));
    at = (u64)&words[2], left = 3;
    __asm__ volatile("std\n\trep outsl\n\tcld" : "+S"(at), "+c"(left) : "d"(DATA_PORT) : "memory");
    if (at != (u64)words - 4 || left || in32(DATA_PORT) != 0x11111111) fail(name, "rep outsl downwards: %x", (u64)in32(DATA_PORT));
    out32(DATA_PORT, 0x04030201);
    at = (u64)&words[4], left = 4;
    __asm__ volatile("rep insl" : "+D"(at), "+c"(left) : "d"(DATA_PORT) : "memory");
    if (at != (u64)&words[8] || left || words[7] != 0x04030201 || words[4] != 0x04030201 || words[3] != 0x44444444) fail(name, "rep insl: %x", (u64)words[7]);
    at = (u64)&words[6] + 1, left = 2;
    __asm__ volatile("std\n\trep insb\n\tcld" : "+D"(at), "+c"(left) : "d"(DATA_PORT + 2) : "memory");
    if (at != (u64)&words[6] - 1 || words[6] != 0x04030303) fail(name, "rep insb downwards: %x", (u64)words[6]);
    at = (u64)&words[5];
    __asm__ volatile("insw" : "+D"(at) : "d"(DATA_PORT + 2) : "memory");
    if (at != (u64)&words[5] + 2 || words[5] != 0x04030403) fail(name, "insw: %x", (u64)words[5]);
    at = (u64)words, left = 0;
    __asm__ volatile("rep insl" : "+D"(at), "+c"(left) : "d"(DATA_PORT) : "memory");
    __asm__ volatile("rep outsb" : "+S"(at), "+c"(left) : "d"(DATA_PORT) : "memory");
    if (at != (u64)words || words[0] != 0x11111111 || in32(DATA_PORT) != 0x04030201) fail(name, "rep of nothing moves something");
    /* By 32-bit addresses, and from another segment. */
    at = (u64)&words[1] | 0x7ul << 40;
    __asm__ volatile("addr32 outsl" : "+S"(at) : "d"(DATA_PORT) : "memory");
    if (at != (u64)&words[2] || in32(DATA_PORT) != 0x22222222) fail(name, "addr32 outsl: %x", at);
    wrmsr(0xc0000101, (u64)&words[2]);
    at = 4;
    __asm__ volatile("outsl %%gs:(%%rsi), %%dx" : "+S"(at) : "d"(DATA_PORT) : "memory");
    wrmsr(0xc0000101, 0);
    if (at != 8 || in32(DATA_PORT) != 0x44444444) fail(name, "outsl by GS: %x", (u64)in32(DATA_PORT));
}

/* A string that runs over many pages, and one whose third element is not mapped: two are done, and registers say so. */
static void pages(void) {
    u8 *first = new_page();
    for (unsigned i = 0; i < 3; ++i) (void)new_page();
    u64 at = (u64)first + 5, left = 3 * PAGE;
    out8(SCRATCH, 0x6b);
    __asm__ volatile("rep insb" : "+D"(at), "+c"(left) : "d"(SCRATCH) : "memory");
    if (left || at != (u64)first + 5 + 3 * PAGE) fail(name, "a long rep insb ends at %x", at);
    for (u64 i = 0; i < 3 * PAGE; ++i)
        if (first[5 + i] != 0x6b) fail(name, "byte %u of a long rep insb is %x", i, (u64)first[5 + i]);
    if (first[4] || first[5 + 3 * PAGE]) fail(name, "a long rep insb stores too much");

    u64 *root = identity_root();
    const u64 window = 4ul << 39;
    map_page(root, window, (u64)new_page(), PTE_ALL);
    map_page(root, window + PAGE, 0, 0);
    load_root(root);
    expect_traps(true);
    at = window + PAGE - 8, left = 5;
    __asm__ volatile(TRY("rep insl") : "+D"(at), "+c"(left) : "d"(DATA_PORT) : "memory");
    if (noted.value != window + PAGE) fail(name, "rep insl: CR2 %x", noted.value);
    expect_exception(name, "rep insl into a hole", PF, PF_WRITE);
    if (at != window + PAGE || left != 3) fail(name, "rep insl into a hole stands at %x with %u left", at, left);
    at = window + PAGE - 4, left = 2;
    __asm__ volatile(TRY("rep outsl") : "+S"(at), "+c"(left) : "d"(DATA_PORT) : "memory");
    expect_exception(name, "rep outsl from a hole", PF, 0);
    if (at != window + PAGE || left != 1) fail(name, "rep outsl from a hole stands at %x with %u left", at, left);
    /* An element across the border does not begin. */
    at = window + PAGE - 2;
    __asm__ volatile(TRY("insl") : "+D"(at) : "d"(DATA_PORT) : "memory");
    expect_exception(name, "insl across into a hole", PF, PF_WRITE);
    if (at != window + PAGE - 2) fail(name, "insl across into a hole moves to %x", at);
    /* A page that the guest may not write. */
    map_page(root, window + PAGE, (u64)new_page(), PTE_PRESENT);
    invlpg(window + PAGE);
    at = window + PAGE;
    __asm__ volatile(TRY("insb") : "+D"(at) : "d"(DATA_PORT) : "memory");
    expect_exception(name, "insb into a read-only page", PF, PF_PRESENT | PF_WRITE);
    at = window + PAGE - 2;
    __asm__ volatile(TRY("outsl") : "+S"(at) : "d"(DATA_PORT) : "memory");
    expect_none(name, "outsl across pages");
    expect_traps(false);
    load_root(boot_pml4);
}

CODE(user_in, "movl %edi, %edx\n\txorl %eax, %eax\n\tinb %dx, %al\n\tint $0x80");
CODE(user_in32, "movl %edi, %edx\n\txorl %eax, %eax\n\tinl %dx, %eax\n\tint $0x80");
CODE(user_outs, "movl %edi, %edx\n\tleaq user_outs(%rip), %rsi\n\toutsb\n\tint $0x80");

static struct {
    struct tss tss;
    u8 permissions[8193];
} __attribute__((packed, aligned(16))) wide;

static void user(u64 entry, u64 port, bool allowed, const char *what) {
    run_user(entry, port);
    const u64 wanted = allowed ? 0x80 : GP;
    if (VECTOR(user_stop.cause) != wanted || (!allowed && ERROR(user_stop.cause))) fail(name, "ring 3, %s at port %x: exception %u", what, port, VECTOR(user_stop.cause));
}

/* SDM vol. 1, "I/O Protection Mechanism". */
static void rings(void) {
    user((u64)user_in, SCRATCH, false, "without a bitmap");
    user((u64)user_outs, SCRATCH, false, "outsb without a bitmap");
    wide.tss = cpus[0].tss;
    wide.tss.io_bitmap = sizeof wide.tss;
    for (unsigned i = 0; i < sizeof wide.permissions; ++i) wide.permissions[i] = 0xff;
    wide.permissions[SCRATCH / 8] &= (u8)~(1u << SCRATCH % 8);
    wide.permissions[DATA_PORT / 8] &= (u8)~(7u << DATA_PORT % 8);
    const u64 task = (u64)&wide, limit = sizeof wide - 1;
    cpus[0].gdt[6] = 0x0000890000000000 | (limit & 0xffff) | (limit >> 16) << 48 | (task & 0xffffff) << 16 | (task >> 24 & 0xff) << 56;
    cpus[0].gdt[7] = task >> 32;
    __asm__ volatile("ltr %w0" : : "r"(TASK) : "memory");
    user((u64)user_in, SCRATCH, true, "in the bitmap");
    user((u64)user_outs, SCRATCH, true, "outsb in the bitmap");
    user((u64)user_in, SCRATCH - 1, false, "beside the bitmap");
    user((u64)user_in, DATA_PORT + 2, true, "in the bitmap");
    user((u64)user_in32, DATA_PORT, false, "inl of which one byte is not in the bitmap");
    wide.permissions[DATA_PORT / 8] &= (u8)~(8u << DATA_PORT % 8);
    user((u64)user_in32, DATA_PORT, true, "inl in the bitmap");
}

void guest_main(void) {
    widths();
    strings();
    pages();
    rings();
    pass(name);
}
