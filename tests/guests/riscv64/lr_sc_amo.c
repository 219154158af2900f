/* Atomics: every AMO against its definition, LR/SC pairs that must succeed and must fail, and the
   faults of misaligned ones. */
#include "guest.h"

static const char name[] = "lr_sc_amo";
static u64 cell[16] __attribute__((aligned(64)));

#define WIDE(insn, result) \
    do { \
        const u64 old = a; \
        u64 got; \
        cell[3] = a; \
        __asm__ volatile(insn ".d.aqrl %0, %1, (%2)" : "=&r"(got) : "r"(b), "r"(&cell[3]) : "memory"); \
        if (got != old || cell[3] != (u64)(result)) fail(name, insn ".d %x %x: old %x new %x", a, b, got, cell[3]); \
    } while (0)
#define NARROW(insn, result) \
    do { \
        u64 got; \
        cell[5] = 0x1111111122222222; \
        *(u32 *)&cell[5] = (u32)a; \
        __asm__ volatile(insn ".w %0, %1, (%2)" : "=&r"(got) : "r"(b), "r"(&cell[5]) : "memory"); \
        if (got != (u64)(i64)(int32_t)a || *(u32 *)&cell[5] != (u32)(result) || cell[5] >> 32 != 0x11111111) \
            fail(name, insn ".w %x %x: old %x new %x", a, b, got, cell[5]); \
    } while (0)

static void amos(u64 a, u64 b) {
    const i64 sa = (i64)a, sb = (i64)b;
    WIDE("amoswap", b);
    WIDE("amoadd", a + b);
    WIDE("amoxor", a ^ b);
    WIDE("amoand", a & b);
    WIDE("amoor", a | b);
    WIDE("amomin", sa < sb ? a : b);
    WIDE("amomax", sa > sb ? a : b);
    WIDE("amominu", a < b ? a : b);
    WIDE("amomaxu", a > b ? a : b);
    const u32 ua = (u32)a, ub = (u32)b;
    const int32_t na = (int32_t)a, nb = (int32_t)b;
    NARROW("amoswap", b);
    NARROW("amoadd", a + b);
    NARROW("amoxor", a ^ b);
    NARROW("amoand", a & b);
    NARROW("amoor", a | b);
    NARROW("amomin", na < nb ? a : b);
    NARROW("amomax", na > nb ? a : b);
    NARROW("amominu", ua < ub ? a : b);
    NARROW("amomaxu", ua > ub ? a : b);
}

static u64 store_conditional(u64 *at, u64 value) {
    u64 failed;
    __asm__ volatile("sc.d %0, %1, (%2)" : "=&r"(failed) : "r"(value), "r"(at) : "memory");
    return failed;
}

static void pairs(void) {
    cell[0] = 5;
    /* The pair stands in one constrained loop, so that it must succeed at last. */
    u64 tries = 0, old;
    __asm__ volatile(
        "1: addi %1, %1, 1\n"
        "lr.d %0, (%2)\n"
        "addi t0, %0, 37\n"
        "sc.d t0, t0, (%2)\n"
        "bnez t0, 1b\n"
        : "=&r"(old), "+r"(tries) : "r"(&cell[0]) : "t0", "memory");
    if (old != 5 || cell[0] != 42) fail(name, "lr/sc loop: %u, then %u after %u tries", old, cell[0], tries);
    if (!store_conditional(&cell[0], 1)) fail(name, "a second sc succeeds without lr");
    __asm__ volatile("lr.d %0, (%1)" : "=&r"(old) : "r"(&cell[0]) : "memory");
    if (!store_conditional(&cell[8], 1)) fail(name, "sc to another place succeeds");
    if (cell[0] != 42 || cell[8] != 0) fail(name, "a failed sc stored");
    u64 narrow;
    cell[1] = 0xffffffff80000000;
    __asm__ volatile("lr.w %0, (%1)" : "=&r"(narrow) : "r"(&cell[1]) : "memory");
    if (narrow != 0xffffffff80000000) fail(name, "lr.w does not extend the sign: %x", narrow);
}

static void misaligned(const char *what, u64 kind) {
    if (noted.count != 1) fail(name, "misaligned %s: %u traps", what, noted.count);
    if (noted.cause != kind && noted.cause != kind + 1) fail(name, "misaligned %s: cause %u", what, noted.cause);
    clear_note();
}

void guest_main(void) {
    static const u64 corners[] = {0, 1, 0x7fffffff, 0x80000000, 0xffffffff, 0x7fffffffffffffff, 0x8000000000000000, ~0ul};
    for (unsigned i = 0; i < 8; ++i)
        for (unsigned j = 0; j < 8; ++j) amos(corners[i], corners[j]);
    u64 seed = 7;
    for (unsigned i = 0; i < 500; ++i) {
        const u64 a = next_random(&seed);
        amos(a, next_random(&seed));
    }
    pairs();

    expect_traps(true);
    u64 old, at = (u64)cell + 2;
    __asm__ volatile("amoadd.w %0, %0, (%1)" : "=&r"(old) : "r"(at) : "memory");
    misaligned("amoadd.w", 6);
    __asm__ volatile("amoadd.d %0, %0, (%1)" : "=&r"(old) : "r"(at + 2) : "memory");
    misaligned("amoadd.d", 6);
    __asm__ volatile("lr.w %0, (%1)" : "=&r"(old) : "r"(at) : "memory");
    misaligned("lr.w", 4);
    expect_traps(false);
    pass(name);
}
