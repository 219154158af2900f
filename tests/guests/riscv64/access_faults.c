/* Accesses of every kind to an address that nothing backs: each is an access fault with that address,
   taken by the guest's own handler. */
#include "guest.h"

static const char name[] = "access_faults";

static void check(const char *what, u64 cause, u64 address) {
    if (noted.count != 1) fail(name, "%s: %u traps", what, noted.count);
    if (noted.cause != cause) fail(name, "%s: cause %u, not %u", what, noted.cause, cause);
    if (noted.value != address) fail(name, "%s: stval %x, not %x", what, noted.value, address);
    clear_note();
}

#define LOAD(insn) \
    do { \
        u64 v = 0x1234; \
        __asm__ volatile(insn " %0, 0(%1)" : "+r"(v) : "r"(at) : "memory"); \
        check(insn, 5, at); \
        if (v != 0x1234) fail(name, insn " wrote its register: %x", v); \
    } while (0)
#define STORE(insn) \
    do { \
        __asm__ volatile(insn " %0, 0(%1)" : : "r"(1ul), "r"(at) : "memory"); \
        check(insn, 7, at); \
    } while (0)
#define AMO(insn) \
    do { \
        u64 v = 0x1234; \
        __asm__ volatile(insn " %0, %2, (%1)" : "+r"(v) : "r"(at), "r"(1ul) : "memory"); \
        check(insn, 7, at); \
        if (v != 0x1234) fail(name, insn " wrote its register: %x", v); \
    } while (0)

void guest_main(void) {
    const u64 places[] = {UNMAPPED, UNMAPPED + 0xff8, 0x3ffffff000, 0xfffffffff8, 0x2000000000000};
    expect_traps(true);
    for (unsigned i = 0; i < sizeof places / sizeof *places; ++i) {
        const u64 at = places[i];
        LOAD("lb"); LOAD("lbu"); LOAD("lh"); LOAD("lhu"); LOAD("lw"); LOAD("lwu"); LOAD("ld");
        STORE("sb"); STORE("sh"); STORE("sw"); STORE("sd");
        AMO("amoadd.w"); AMO("amoadd.d"); AMO("amoswap.w"); AMO("amomaxu.d");
        u64 v = 0x1234;
        __asm__ volatile("lr.d %0, (%1)" : "+r"(v) : "r"(at) : "memory");
        check("lr.d", 5, at);
        __asm__ volatile("fence" : : : "memory");
        csr_set(sstatus, SSTATUS_FS);
        __asm__ volatile("fld f1, 0(%0)" : : "r"(at) : "memory");
        check("fld", 5, at);
        __asm__ volatile("fsw f1, 0(%0)" : : "r"(at) : "memory");
        check("fsw", 7, at);
        ((void (*)(void))at)();
        check("fetch", 1, at);
    }
    pass(name);
}
