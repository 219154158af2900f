/* Accesses of every kind to an address that nothing backs: each is a synchronous external abort with that address,
   taken by the guest's own handler, and leaves the registers alone. */
#include "guest.h"

static const char name[] = "access_faults";

/* Arm ARM, ISS encoding for an exception from a Data Abort: DFSC, WnR, CM, S1PTW, FnV; ISV is 0 for EL1's own. */
static void check(const char *what, u64 pc, u64 class, u64 write, u64 address) {
    const u64 esr = noted.cause;
    if (noted.count != 1) fail(name, "%s at %x: %u traps", what, address, noted.count);
    if (EC(esr) != class || FSC(esr) != FSC_EXTERNAL) fail(name, "%s at %x: ESR %x", what, address, esr);
    if (!(esr >> 25 & 1)) fail(name, "%s: ESR %x does not name a 32-bit instruction", what, esr);
    if (class == EC_DATA && (WNR(esr) != write || (esr & 0x1fffd80))) fail(name, "%s: ESR %x", what, esr);
    if (class == EC_FETCH && (esr & 0x1fffdc0)) fail(name, "%s: ESR %x", what, esr);
    if (noted.value != address) fail(name, "%s: FAR %x, not %x", what, noted.value, address);
    if (noted.pc != pc) fail(name, "%s: ELR %x, not %x", what, noted.pc, pc);
    clear_note();
}

/* The operands of `text`: %1 holds the register under test, %2 the address, and %0 takes the instruction's own. */
#define LOAD(text) \
    do { \
        u64 v = 0x1234, pc; \
        __asm__ volatile("adr %0, 9f\n9: " text : "=&r"(pc), "+r"(v) : "r"(at) : "memory"); \
        check(text, pc, EC_DATA, 0, at); \
        if (v != 0x1234) fail(name, text " wrote its register: %x", v); \
    } while (0)
#define STORE(text) \
    do { \
        u64 v = 1, pc; \
        __asm__ volatile("adr %0, 9f\n9: " text : "=&r"(pc), "+r"(v) : "r"(at) : "memory"); \
        check(text, pc, EC_DATA, 1, at); \
    } while (0)
/* `text` moves the base: after an abort it must not have moved. */
#define WRITE_BACK(text, is_store, where) \
    do { \
        u64 base = at, pc; \
        __asm__ volatile("adr %0, 9f\n9: " text : "=&r"(pc), "+r"(base) : : "x9", "x10", "memory"); \
        check(text, pc, EC_DATA, is_store, where); \
        if (base != at) fail(name, text " moved its base to %x", base); \
    } while (0)

static void at_address(u64 at) {
    LOAD("ldrb %w1, [%2]"); LOAD("ldrsb %w1, [%2]"); LOAD("ldrsb %1, [%2]");
    LOAD("ldrh %w1, [%2]"); LOAD("ldrsh %w1, [%2]"); LOAD("ldrsh %1, [%2]");
    LOAD("ldr %w1, [%2]"); LOAD("ldrsw %1, [%2]"); LOAD("ldr %1, [%2]");
    LOAD("ldur %1, [%2]"); LOAD("ldar %1, [%2]"); LOAD("ldarb %w1, [%2]"); LOAD("ldxr %1, [%2]"); LOAD("ldaxr %w1, [%2]");
    LOAD("ldtr %1, [%2]"); LOAD("ldnp %1, x9, [%2]"); LOAD("ldp %1, x9, [%2]"); LOAD("ldpsw %1, x9, [%2]");
    LOAD("ldr xzr, [%2]");
    STORE("strb %w1, [%2]"); STORE("strh %w1, [%2]"); STORE("str %w1, [%2]"); STORE("str %1, [%2]"); STORE("str xzr, [%2]");
    STORE("stur %1, [%2]"); STORE("stlr %1, [%2]"); STORE("stlrh %w1, [%2]"); STORE("sttr %1, [%2]"); STORE("stp %1, xzr, [%2]");
    WRITE_BACK("ldr x9, [%1], #8", 0, at); WRITE_BACK("ldr x9, [%1, #16]!", 0, at + 16);
    WRITE_BACK("str x9, [%1], #-8", 1, at); WRITE_BACK("str w9, [%1, #4]!", 1, at + 4);
    WRITE_BACK("ldp x9, x10, [%1], #16", 0, at); WRITE_BACK("stp x9, x10, [%1, #16]!", 1, at + 16);
    LOAD("ldr q1, [%2]"); LOAD("ldr d1, [%2]"); LOAD("ldr b1, [%2]"); LOAD("ld1 {v1.16b}, [%2]"); LOAD("ldp q1, q2, [%2]");
    STORE("str q1, [%2]"); STORE("str s1, [%2]"); STORE("st1 {v1.4s, v2.4s}, [%2]"); STORE("stp d1, d2, [%2]");
}

void guest_main(void) {
    const u64 places[] = {UNMAPPED, UNMAPPED + 0xff0, 0x3ffffff000, 0x7ffffff000};
    sys_write(cpacr_el1, 3ul << 20);
    expect_traps(true);
    for (unsigned i = 0; i < sizeof places / sizeof *places; ++i) {
        at_address(places[i]);
        ((void (*)(void))places[i])();
        check("fetch", places[i], EC_FETCH, 0, places[i]);
    }
    /* A prefetch never faults. */
    __asm__ volatile("prfm pldl1keep, [%0]\n\tprfm pstl2strm, [%0]" : : "r"(UNMAPPED));
    if (noted.count) fail(name, "PRFM: ESR %x", noted.cause);
    /* Beyond what a physical address can be: an address size fault, or nothing there. */
    (void)read64(1ul << 45);
    if (noted.count != 1 || EC(noted.cause) != EC_DATA || (FSC(noted.cause) != FSC_EXTERNAL && FSC(noted.cause) != FSC_ADDRESS_SIZE))
        fail(name, "load at %x: %u traps, ESR %x", 1ul << 45, noted.count, noted.cause);
    if (noted.value != 1ul << 45) fail(name, "load at %x: FAR %x", 1ul << 45, noted.value);
    pass(name);
}
