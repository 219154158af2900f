/* Exclusives: loads and stores of every width and of pairs against their definition; a store-exclusive fails without
   its load, after CLREX, a second time, after an exception return; misaligned ones fault. With the MMU off and on. */
#include "guest.h"

static const char name[] = "exclusives";
static u64 cell[16] __attribute__((aligned(64)));

/* One loop per form: adds 1 to what is there, at most 1000 tries; `got` is the old value as the load delivers it. */
#define ADD_ONE(what, load, store, r, mask) \
    do { \
        u64 got, sum, status, tries = 0; \
        cell[3] = 0xfedcba9876543210 + salt; \
        const u64 old = cell[3], wanted = (old & ~(u64)(mask)) | ((old + 1) & (mask)); \
        __asm__ volatile("1: add %3, %3, #1\n\tcmp %3, #1000\n\tb.hi 2f\n\t" load " %" r "0, [%4]\n\tadd %1, %0, #1\n\t" \
                         store " %w2, %" r "1, [%4]\n\tcbnz %w2, 1b\n2:" \
                         : "=&r"(got), "=&r"(sum), "=&r"(status), "+r"(tries) : "r"(&cell[3]) : "cc", "memory"); \
        if (tries > 1000) fail(name, what " never succeeds"); \
        if (got != (old & (mask)) || cell[3] != wanted) fail(name, what ": old %x new %x", got, cell[3]); \
    } while (0)

static void widths(u64 salt) {
    ADD_ONE("ldxrb", "ldxrb", "stxrb", "w", 0xff);
    ADD_ONE("ldaxrb", "ldaxrb", "stlxrb", "w", 0xff);
    ADD_ONE("ldxrh", "ldxrh", "stxrh", "w", 0xffff);
    ADD_ONE("ldaxrh", "ldaxrh", "stlxrh", "w", 0xffff);
    ADD_ONE("ldxr w", "ldxr", "stxr", "w", 0xffffffff);
    ADD_ONE("ldaxr w", "ldaxr", "stlxr", "w", 0xffffffff);
    ADD_ONE("ldxr x", "ldxr", "stxr", "x", ~0ul);
    ADD_ONE("ldaxr x", "ldaxr", "stlxr", "x", ~0ul);
}

#define SWAP_PAIR(what, load, store, r) \
    do { \
        u64 low, high, status, tries = 0; \
        __asm__ volatile("1: add %3, %3, #1\n\tcmp %3, #1000\n\tb.hi 2f\n\t" load " %" r "0, %" r "1, [%4]\n\t" \
                         store " %w2, %" r "1, %" r "0, [%4]\n\tcbnz %w2, 1b\n2:" \
                         : "=&r"(low), "=&r"(high), "=&r"(status), "+r"(tries) : "r"(&cell[4]) : "cc", "memory"); \
        if (tries > 1000) fail(name, what " never succeeds"); \
    } while (0)

static void pairs(void) {
    cell[4] = 0x1111111122222222;
    cell[5] = 0x3333333344444444;
    SWAP_PAIR("ldxp x", "ldxp", "stxp", "x");
    if (cell[4] != 0x3333333344444444 || cell[5] != 0x1111111122222222) fail(name, "stxp x: %x %x", cell[4], cell[5]);
    SWAP_PAIR("ldaxp x", "ldaxp", "stlxp", "x");
    if (cell[4] != 0x1111111122222222 || cell[5] != 0x3333333344444444) fail(name, "stlxp x: %x %x", cell[4], cell[5]);
    SWAP_PAIR("ldxp w", "ldxp", "stxp", "w");
    if (cell[4] != 0x2222222211111111 || cell[5] != 0x3333333344444444) fail(name, "stxp w: %x %x", cell[4], cell[5]);
    SWAP_PAIR("ldaxp w", "ldaxp", "stlxp", "w");
    if (cell[4] != 0x1111111122222222) fail(name, "stlxp w: %x", cell[4]);
}

/* What stands between the load and the store; the status is 1 when the store fails. */
#define BETWEEN(text) \
    ({ \
        u64 status_; \
        cell[0] = 5; \
        __asm__ volatile("ldxr x9, [%1]\n\t" text "\n\tmov x10, #42\n\tstxr %w0, x10, [%1]" \
                         : "=&r"(status_) : "r"(&cell[0]), "r"(UNMAPPED) : "x9", "x10", "x11", "memory"); \
        if (cell[0] != (status_ & 1 ? 5 : 42)) fail(name, text ": status %u, value %u", status_, cell[0]); \
        status_ & 0xffffffff; \
    })
#define MUST_FAIL(text) do { if (BETWEEN(text) != 1) fail(name, "stxr succeeds after " text); } while (0)

static void monitor(void) {
    u64 tries = 0;
    while (BETWEEN("nop") && ++tries < 1000) {}
    if (tries == 1000) fail(name, "stxr never succeeds");
    MUST_FAIL("clrex");
    MUST_FAIL("clrex #3");
    MUST_FAIL("stxr w11, x9, [%1]\n\tcbnz w11, 1f\n1: mov x9, #5\n\tstr x9, [%1]");
    MUST_FAIL("svc #0");
    MUST_FAIL("brk #0");
    MUST_FAIL("udf #0");
    MUST_FAIL("ldr x11, [%2]");
    /* Reading a device or a register in between need not lose the monitor; it must not lose the value. */
    say("after a read of CNTVCT_EL0 stxr answers %u\n", BETWEEN("mrs x11, cntvct_el0"));
    say("after a read of MIDR_EL1 stxr answers %u\n", BETWEEN("mrs x11, midr_el1"));
    clear_note();
}

static void misaligned(const char *what, u64 at) {
    if (noted.count != 1 || EC(noted.cause) != EC_DATA || FSC(noted.cause) != FSC_ALIGNMENT || noted.value != at)
        fail(name, "misaligned %s: %u traps, ESR %x FAR %x", what, noted.count, noted.cause, noted.value);
    clear_note();
}

#define MISALIGNED(text, at) \
    do { \
        __asm__ volatile(text : : "r"(at) : "x9", "x10", "memory"); \
        misaligned(text, at); \
    } while (0)

static void alignment(void) {
    const u64 at = (u64)cell;
    MISALIGNED("ldxr x9, [%0]", at + 4);
    MISALIGNED("ldxr w9, [%0]", at + 2);
    MISALIGNED("ldaxrh w9, [%0]", at + 1);
    MISALIGNED("ldxp x9, x10, [%0]", at + 8);
    MISALIGNED("ldxp w9, w10, [%0]", at + 4);
}

/* The same increments that two loops of exclusives and plain code make, through random addresses of one line. */
static void many(void) {
    u64 seed = 7, plain[16];
    for (unsigned i = 0; i < 16; ++i) plain[i] = cell[i] = i;
    for (unsigned i = 0; i < 5000; ++i) {
        const u64 r = next_random(&seed), at = r % 16, value = r >> 8;
        u64 old, status;
        __asm__ volatile("1: ldaxr %0, [%2]\n\teor %0, %0, %3\n\tstlxr %w1, %0, [%2]\n\tcbnz %w1, 1b"
                         : "=&r"(old), "=&r"(status) : "r"(&cell[at]), "r"(value) : "memory");
        plain[at] ^= value;
    }
    for (unsigned i = 0; i < 16; ++i)
        if (cell[i] != plain[i]) fail(name, "cell %u is %x, not %x", (u64)i, cell[i], plain[i]);
}

static void all(void) {
    for (u64 salt = 0; salt < 20; ++salt) widths(salt * 0x1f7f);
    pairs();
    monitor();
    alignment();
    many();
}

void guest_main(void) {
    expect_traps(true);
    all();
    const u64 *root = identity_root();
    mmu_on(root, root);
    all();
    pass(name);
}
