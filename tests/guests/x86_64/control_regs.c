/* Control registers: MOV, CLTS, LMSW, SMSW and CR8 read back what they wrote, refuse what the manual forbids with #GP and change
   nothing then; registers that do not exist are #UD; ring 3 may not touch them. */
#include "guest.h"

static const char name[] = "control_regs";
#define PE 1ul
#define MP 2ul
#define EM 4ul
#define TS_BIT 8ul
#define ET 0x10ul
#define NE 0x20ul
#define WP 0x10000ul
#define AM 0x40000ul
#define NW 0x20000000ul
#define CD 0x40000000ul
#define PG 0x80000000ul

static void expect(const char *what, u64 got, u64 wanted) {
    if (got != wanted) fail(name, "%s: %x, not %x", what, got, wanted);
}

#define REFUSED(n, value, what) \
    do { \
        const u64 before_ = cr_read(n); \
        __asm__ volatile(TRY("mov %0, %%cr" #n) : : "r"((u64)(value)) : "memory"); \
        expect_exception(name, what, GP, 0); \
        expect(what, cr_read(n), before_); \
    } while (0)
#define KEPT(n, value, what) \
    do { \
        cr_write(n, value); \
        expect(what, cr_read(n), value); \
    } while (0)

static void cr0(void) {
    const u64 start = cr_read(0);
    expect("CR0 at the start", start & (PE | PG | WP | NE), PE | PG | WP | NE);
    KEPT(0, start | TS_BIT, "TS");
    __asm__ volatile("clts");
    expect("CLTS", cr_read(0), start);
    KEPT(0, start | EM, "EM"); KEPT(0, start & ~MP, "no MP"); KEPT(0, start & ~WP, "no WP"); KEPT(0, start | AM, "AM");
    KEPT(0, start | CD, "CD"); KEPT(0, start | CD | NW, "CD and NW");
    cr_write(0, start);
    cr_write(0, start & ~ET);
    expect("ET is always set", cr_read(0), start);
    REFUSED(0, start & ~PE, "PG without PE"); REFUSED(0, start | NW, "NW without CD"); REFUSED(0, start & ~PG, "leaving paging in 64-bit code");
    REFUSED(0, start | 1ul << 32, "a bit of the upper half"); REFUSED(0, start | 1ul << 63, "bit 63");

    /* LMSW loads PE, MP, EM and TS, and does not clear PE. */
    __asm__ volatile("lmsw %w0" : : "r"(0xfff0 | EM | TS_BIT));
    expect("LMSW", cr_read(0), (start & ~MP) | EM | TS_BIT);
    u16 word = MP | PE;
    __asm__ volatile("lmsw %0" : : "m"(word));
    expect("LMSW from memory", cr_read(0), (start & ~(EM | TS_BIT)) | MP);
    u64 v = 0x5a5a5a5a5a5a5a5a;
    __asm__ volatile("smsw %w0" : "+r"(v));
    expect("SMSW of 16 bits", v, 0x5a5a5a5a5a5a0000 | (cr_read(0) & 0xffff));
    __asm__ volatile("smsw %k0" : "+r"(v));
    expect("SMSW of 32 bits", v, cr_read(0));
    __asm__ volatile("smsw %0" : "+r"(v));
    expect("SMSW of 64 bits", v, cr_read(0));
    u32 memory = 0xabcd0000;
    __asm__ volatile("smsw %0" : "+m"(memory));
    expect("SMSW to memory", memory, 0xabcd0000 | (cr_read(0) & 0xffff));
    cr_write(0, start);
}

static void cr2_and_3(void) {
    KEPT(2, 0xfedcba9876543210, "CR2");
    const u64 root = cr_read(3);
    KEPT(3, root | 0x18, "PWT and PCD");
    cr_write(3, root);
    REFUSED(3, root | 1ul << 52, "a reserved bit of CR3"); REFUSED(3, root | 1ul << 63, "bit 63 of CR3 without PCIDE");
}

static void cr4(void) {
    const u64 start = cr_read(4);
    KEPT(4, start | 4, "TSD");
    if (cpuid(1, 0).edx >> 2 & 1) KEPT(4, start | 8, "DE");
    else REFUSED(4, start | 8, "DE that is not announced");
    KEPT(4, start | 0x80, "PGE"); KEPT(4, start | 0x600, "OSFXSR and OSXMMEXCPT");
    KEPT(4, start | 0x10, "PSE");
    cr_write(4, start);
    REFUSED(4, start & ~0x20ul, "leaving PAE in long mode");
    REFUSED(4, start | 1ul << 32, "a bit of the upper half"); REFUSED(4, start | 1ul << 31, "bit 31"); REFUSED(4, start | 1ul << 15, "bit 15");
    if (!(cpuid(1, 0).ecx >> 26 & 1)) REFUSED(4, start | 1ul << 18, "OSXSAVE that is not announced");
    if (!(cpuid(1, 0).ecx >> 17 & 1)) REFUSED(4, start | 1ul << 17, "PCIDE that is not announced");
    if (!(cpuid(7, 0).ebx >> 7 & 1)) REFUSED(4, start | 1ul << 20, "SMEP that is not announced");
    if (!(cpuid(7, 0).ebx >> 20 & 1)) REFUSED(4, start | 1ul << 21, "SMAP that is not announced");
    if (!(cpuid(1, 0).ecx >> 5 & 1)) REFUSED(4, start | 1ul << 13, "VMXE that is not announced");
}

static void cr8(void) {
    for (u64 v = 0; v < 16; ++v) {
        KEPT(8, v, "CR8");
        expect("TPR by CR8", lapic(LAPIC_TPR), v << 4);
    }
    lapic_set(LAPIC_TPR, 0x57);
    expect("CR8 by TPR", cr_read(8), 5);
    cr_write(8, 0);
    expect("TPR's low half by CR8", lapic(LAPIC_TPR), 0);
    REFUSED(8, 16, "CR8 of 16"); REFUSED(8, 1ul << 63, "bit 63 of CR8");
}

static void missing(void) {
#define MISSING(text) \
    __asm__ volatile(TRY(text) : : : "rax", "memory"); \
    expect_exception(name, text, UD, 0)
    MISSING(".byte 0x0f, 0x20, 0xc8"); MISSING(".byte 0x0f, 0x22, 0xc8");             /* CR1 */
    MISSING(".byte 0x0f, 0x20, 0xe8"); MISSING(".byte 0x0f, 0x20, 0xf0"); MISSING(".byte 0x0f, 0x22, 0xf8"); /* CR5 to CR7 */
    MISSING(".byte 0x44, 0x0f, 0x20, 0xc8"); MISSING(".byte 0x44, 0x0f, 0x22, 0xf8"); /* CR9, CR15 */
}

#define USER(label, text) CODE(label, text "\n\tint $0x80")
USER(user_0, "mov %cr0, %rax"); USER(user_1, "mov %rax, %cr0"); USER(user_2, "mov %cr3, %rax"); USER(user_3, "mov %rax, %cr4");
USER(user_4, "mov %cr8, %rax"); USER(user_5, "mov %rax, %cr8"); USER(user_6, "clts"); USER(user_7, "lmsw %ax"); USER(user_8, "smsw %rax");

static void rings(void) {
    char *const refused[] = {user_0, user_1, user_2, user_3, user_4, user_5, user_6, user_7};
    for (unsigned i = 0; i < 8; ++i) {
        run_user((u64)refused[i], 0);
        if (user_stop.cause != GP) fail(name, "ring 3, instruction %u: exception %x", (u64)i, user_stop.cause);
    }
    if (run_user((u64)user_8, 0) != cr_read(0) || VECTOR(user_stop.cause) != 0x80) fail(name, "SMSW in ring 3: exception %x", user_stop.cause);
}

void guest_main(void) {
    lapic_init();
    expect_traps(true);
    cr0();
    cr2_and_3();
    cr4();
    cr8();
    missing();
    expect_traps(false);
    rings();
    pass(name);
}
