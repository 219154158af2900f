/* Loads and stores of every width, sign, form and register on device registers: the register gets exactly the value,
   extended as the instruction says, no other register changes, a base moves as written, XZR stays 0. What a device
   does not take is a fault with its address. */
#include "guest.h"

static const char name[] = "mmio_widths";

/* Bytes that keep what is written in their high halves: priorities of interrupts that nothing uses. */
#define PRIORITIES (GICD_BASE + 0x400 + 40)
/* 64-bit registers of a GICv3 that keep their affinity fields. */
#define ROUTERS (GICD_BASE + 0x6000 + 8 * 40)
#define UART_IDS (UART_BASE + 0xfe0)
#define RTC_IDS (RTC_BASE + 0xfe0)

static void expect(const char *what, u64 got, u64 wanted) {
    if (got != wanted) fail(name, "%s: %x, not %x", what, got, wanted);
}

#define LOADED(text, address) \
    ({ u64 v_ = 0x5a5a5a5a5a5a5a5a; __asm__ volatile(text : "+r"(v_) : "r"(address) : "memory"); v_; })
#define STORED(text, value, address) __asm__ volatile(text : : "r"((u64)(value)), "r"(address) : "memory")

/* Arm PrimeCell identification: four peripheral bytes, four of the cell, one per word. */
static void identification(u64 at, const u8 first[3], const char *what) {
    static const u8 cell[5] = {0x00, 0x0d, 0xf0, 0x05, 0xb1};
    for (unsigned i = 0; i < 8; ++i) {
        /* Bits 7:4 of the third byte are the revision. */
        const u32 mask = i == 2 ? 0x0f : 0xff, wanted = i < 3 ? first[i] : cell[i - 3];
        if ((read32(at + 4 * i) & mask) != (wanted & mask)) fail(name, "%s identification %u is %x", what, (u64)i, (u64)read32(at + 4 * i));
    }
}

static void sign_and_size(void) {
    STORED("str %w0, [%1]", 0xdead0000d0c0b0a0, PRIORITIES);
    expect("ldr w", LOADED("ldr %w0, [%1]", PRIORITIES), 0xd0c0b0a0);
    expect("ldrsw", LOADED("ldrsw %0, [%1]", PRIORITIES), 0xffffffffd0c0b0a0);
    expect("ldrb", LOADED("ldrb %w0, [%1]", PRIORITIES + 1), 0xb0);
    expect("ldrsb w", LOADED("ldrsb %w0, [%1]", PRIORITIES + 2), 0xffffffc0);
    expect("ldrsb x", LOADED("ldrsb %0, [%1]", PRIORITIES + 3), 0xffffffffffffffd0);
    STORED("strb %w0, [%1]", 0xabcdef30, PRIORITIES + 2);
    expect("ldrsb x of a positive byte", LOADED("ldrsb %0, [%1]", PRIORITIES + 2), 0x30);
    expect("strb", LOADED("ldr %w0, [%1]", PRIORITIES), 0xd030b0a0);
    STORED("strb wzr, [%1]", 0, PRIORITIES);
    expect("strb wzr", LOADED("ldr %w0, [%1]", PRIORITIES), 0xd030b000);
    __asm__ volatile("ldr wzr, [%0]\n\tldrsw xzr, [%0]\n\tldrb wzr, [%0]" : : "r"(PRIORITIES) : "memory");
    STORED("str wzr, [%1]", 0, PRIORITIES);
    expect("str wzr", LOADED("ldr %w0, [%1]", PRIORITIES), 0);
}

static void addressing(void) {
    write32(PRIORITIES, 0x40302010);
    write32(PRIORITIES + 4, 0x80706050);
    const u64 two = 2, minus_one = 0xffffffff;
    u64 v;
    __asm__ volatile("ldr %w0, [%1, %2, lsl #2]" : "=r"(v) : "r"(PRIORITIES - 4), "r"(two) : "memory");
    expect("ldr by register offset", v, 0x80706050);
    __asm__ volatile("ldr %w0, [%1, %w2, sxtw #2]" : "=r"(v) : "r"(PRIORITIES + 4), "r"(minus_one) : "memory");
    expect("ldr by extended offset", v, 0x40302010);
    __asm__ volatile("ldurb %w0, [%1, #-3]" : "=r"(v) : "r"(PRIORITIES + 4) : "memory");
    expect("ldurb", v, 0x20);
    __asm__ volatile("ldur %w0, [%1, #-4]" : "=r"(v) : "r"(PRIORITIES + 4) : "memory");
    expect("ldur", v, 0x40302010);
    __asm__ volatile("ldtr %w0, [%1]" : "=r"(v) : "r"(PRIORITIES) : "memory");
    expect("ldtr", v, 0x40302010);
    __asm__ volatile("ldar %w0, [%1]" : "=r"(v) : "r"(PRIORITIES) : "memory");
    expect("ldar", v, 0x40302010);
    __asm__ volatile("stlr %w0, [%1]" : : "r"(0x10203040ul), "r"(PRIORITIES) : "memory");
    expect("stlr", read32(PRIORITIES), 0x10203040);
    __asm__ volatile("stlrb %w0, [%1]" : : "r"(0x90ul), "r"(PRIORITIES) : "memory");
    expect("stlrb", read32(PRIORITIES), 0x10203090);
    __asm__ volatile("ldarb %w0, [%1]" : "=r"(v) : "r"(PRIORITIES) : "memory");
    expect("ldarb", v, 0x90);
}

static void write_back(void) {
    write32(PRIORITIES, 0x40302010);
    write32(PRIORITIES + 4, 0x80706050);
    u64 base = PRIORITIES, v;
    __asm__ volatile("ldr %w0, [%1], #4" : "=r"(v), "+r"(base) : : "memory");
    if (v != 0x40302010 || base != PRIORITIES + 4) fail(name, "post-index: %x at %x", v, base);
    __asm__ volatile("ldr %w0, [%1, #-4]!" : "=r"(v), "+r"(base) : : "memory");
    if (v != 0x40302010 || base != PRIORITIES) fail(name, "pre-index: %x at %x", v, base);
    __asm__ volatile("ldrsb %0, [%1, #7]!" : "=r"(v), "+r"(base) : : "memory");
    if (v != 0xffffffffffffff80 || base != PRIORITIES + 7) fail(name, "pre-index ldrsb: %x at %x", v, base);
    __asm__ volatile("strb %w1, [%0], #-7" : "+r"(base) : "r"(0xf0ul) : "memory");
    if (base != PRIORITIES || read32(PRIORITIES + 4) != 0xf0706050) fail(name, "post-index strb: base %x", base);
    __asm__ volatile("str wzr, [%0, #4]!" : "+r"(base) : : "memory");
    if (base != PRIORITIES + 4 || read32(PRIORITIES + 4) != 0) fail(name, "pre-index str wzr: base %x", base);
    /* By SP, which is register 31 as a base. */
    __asm__ volatile("mov x9, sp\n\tmov sp, %1\n\tldr %w0, [sp], #16\n\tmov x10, sp\n\tmov sp, x9\n\tsub %0, %0, x10\n\tadd %0, %0, %1"
                     : "=&r"(v) : "r"(PRIORITIES - 8) : "x9", "x10", "memory");
    expect("post-index by SP", v + 16, read32(PRIORITIES - 8));
}

static void pairs(void) {
    u64 a = 0x11223344a0b0c0d0, b = 0x55667788e0f0a0b0, c, d, base = PRIORITIES;
    __asm__ volatile("stp %w1, %w2, [%0]" : : "r"(base), "r"(a), "r"(b) : "memory");
    expect("stp w, first", read32(PRIORITIES), 0xa0b0c0d0);
    expect("stp w, second", read32(PRIORITIES + 4), 0xe0f0a0b0);
    __asm__ volatile("ldp %w0, %w1, [%2]" : "=&r"(c), "=&r"(d) : "r"(base) : "memory");
    if (c != 0xa0b0c0d0 || d != 0xe0f0a0b0) fail(name, "ldp w: %x %x", c, d);
    __asm__ volatile("ldpsw %0, %1, [%2]" : "=&r"(c), "=&r"(d) : "r"(base) : "memory");
    if (c != 0xffffffffa0b0c0d0 || d != 0xffffffffe0f0a0b0) fail(name, "ldpsw: %x %x", c, d);
    __asm__ volatile("ldp %w0, %w1, [%2], #8" : "=&r"(c), "=&r"(d), "+r"(base) : : "memory");
    if (c != 0xa0b0c0d0 || d != 0xe0f0a0b0 || base != PRIORITIES + 8) fail(name, "ldp post-index: %x %x %x", c, d, base);
    __asm__ volatile("stp wzr, %w1, [%0, #-8]!" : "+r"(base) : "r"(0x20ul) : "memory");
    if (read32(PRIORITIES) != 0 || read32(PRIORITIES + 4) != 0x20 || base != PRIORITIES) fail(name, "stp pre-index: %x", base);
    __asm__ volatile("ldp %w0, wzr, [%1]" : "=&r"(c) : "r"(UART_IDS) : "memory");
    expect("ldp w, wzr", c, 0x11);
    __asm__ volatile("ldnp %w0, %w1, [%2]" : "=&r"(c), "=&r"(d) : "r"(RTC_IDS) : "memory");
    if (c != 0x31 || d != 0x10) fail(name, "ldnp w: %x %x", c, d);
}

static void vectors_32(void) {
    u64 low, high;
    __asm__ volatile("mvni v3.4s, #0\n\tmovi v3.16b, #0x77\n\tldr s3, [%2]\n\tfmov %0, d3\n\tfmov %1, v3.d[1]"
                     : "=r"(low), "=r"(high) : "r"(UART_IDS) : "memory");
    if (low != 0x11 || high != 0) fail(name, "ldr s: %x %x", high, low);
    __asm__ volatile("fmov d4, %0\n\tstr s4, [%1]" : : "r"(0x12345678a0908070), "r"(PRIORITIES) : "memory");
    expect("str s", read32(PRIORITIES), 0xa0908070);
    __asm__ volatile("str b4, [%0]" : : "r"(PRIORITIES + 3) : "memory");
    expect("str b", read32(PRIORITIES), 0x70908070);
    __asm__ volatile("movi v5.16b, #0x77\n\tldr b5, [%1]\n\tfmov %0, d5" : "=r"(low) : "r"(PRIORITIES + 2) : "memory");
    expect("ldr b", low, 0x90);
    __asm__ volatile("ldp s6, s7, [%2]\n\tfmov %0, d6\n\tfmov %1, d7" : "=r"(low), "=r"(high) : "r"(RTC_IDS) : "memory");
    if (low != 0x31 || high != 0x10) fail(name, "ldp s: %x %x", low, high);
    u64 base = PRIORITIES;
    __asm__ volatile("stp s6, s4, [%0], #8" : "+r"(base) : : "memory");
    if (read32(PRIORITIES + 4) != 0xa0908070 || base != PRIORITIES + 8) fail(name, "stp s: %x at %x", (u64)read32(PRIORITIES + 4), base);
}

/* Affinity bits 39:32 and 23:0 of four routers in a row. */
static u64 route(u64 n) { return (0x10 + n) << 32 | (0x030200 + n); }

static void wide(void) {
    for (u64 i = 0; i < 4; ++i) STORED("str %0, [%1]", route(i), ROUTERS + 8 * i);
    for (u64 i = 0; i < 4; ++i) expect("ldr x", LOADED("ldr %0, [%1]", ROUTERS + 8 * i), route(i));
    expect("ldr w of a 64-bit register", LOADED("ldr %w0, [%1]", ROUTERS), route(0) & 0xffffffff);
    expect("ldr w of its upper half", LOADED("ldr %w0, [%1]", ROUTERS + 4), route(0) >> 32);
    u64 a, b, base = ROUTERS;
    __asm__ volatile("ldp %0, %1, [%2], #16" : "=&r"(a), "=&r"(b), "+r"(base) : : "memory");
    if (a != route(0) || b != route(1) || base != ROUTERS + 16) fail(name, "ldp x: %x %x at %x", a, b, base);
    __asm__ volatile("stp %1, xzr, [%0, #-16]!" : "+r"(base) : "r"(route(9)) : "memory");
    if (read64(ROUTERS) != route(9) || read64(ROUTERS + 8) != 0 || base != ROUTERS) fail(name, "stp x: %x %x", read64(ROUTERS), read64(ROUTERS + 8));
    __asm__ volatile("ldr q1, [%2]\n\tfmov %0, d1\n\tfmov %1, v1.d[1]" : "=r"(a), "=r"(b) : "r"(ROUTERS + 16) : "memory");
    if (a != route(2) || b != route(3)) fail(name, "ldr q: %x %x", a, b);
    __asm__ volatile("str q1, [%0]\n\tldp q2, q3, [%0]" : : "r"(ROUTERS) : "memory");
    for (u64 i = 0; i < 2; ++i) expect("str q", read64(ROUTERS + 8 * i), route(2 + i));
    __asm__ volatile("fmov %0, v3.d[1]\n\tfmov %1, d2" : "=r"(a), "=r"(b));
    if (a != route(3) || b != route(2)) fail(name, "ldp q: %x %x", a, b);
    __asm__ volatile("movi v4.16b, #0x33\n\tldr d4, [%2, #8]!\n\tfmov %0, d4\n\tfmov %1, v4.d[1]" : "=r"(a), "=r"(b), "+r"(base) : : "memory");
    if (a != route(3) || b != 0 || base != ROUTERS + 8) fail(name, "ldr d pre-index: %x %x at %x", a, b, base);
    __asm__ volatile("stp d2, d4, [%0]" : : "r"(ROUTERS + 16) : "memory");
    if (read64(ROUTERS + 16) != route(2) || read64(ROUTERS + 24) != route(3)) fail(name, "stp d");
    for (u64 i = 0; i < 4; ++i) write64(ROUTERS + 8 * i, 0);
}

/* For N that a function need not keep: load_into_N(address) returns what `ldr wN` delivers into a register of ones. */
__asm__(
    ".pushsection .text\n"
    ".macro loader n\n"
    "load_into_\\n:\n"
    "mov x16, #-1\n .if \\n != 16\n mov x\\n, x16\n .endif\n"
    "mov x17, x0\n"
    ".if \\n == 17\n ldr w17, [x17]\n .else\n ldr w\\n, [x17]\n .endif\n"
    "mov x0, x\\n\n ret\n"
    ".endm\n"
    ".irp k, 1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17\n loader \\k\n .endr\n"
    ".balign 8\n"
    "loaders: .dword 0\n .irp k, 1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17\n .dword load_into_\\k\n .endr\n"
    ".popsection\n");
extern u64 (*const loaders[18])(u64);

static void each_register(void) {
    for (unsigned n = 1; n < 18; ++n) expect("ldr into a register", loaders[n](UART_IDS), 0x11);
#define KEPT(n) \
    { \
        register u64 at_ __asm__("x10") = UART_IDS; \
        register u64 v_ __asm__("x11"); \
        __asm__ volatile("mov x9, x" #n "\n\tmov x" #n ", #-1\n\tldr w" #n ", [%1]\n\tmov %0, x" #n "\n\tmov x" #n ", x9" \
                         : "=&r"(v_) : "r"(at_) : "x9", "memory"); \
        expect("ldr into x" #n, v_, 0x11); \
    }
    KEPT(18) KEPT(19) KEPT(20) KEPT(21) KEPT(22) KEPT(23) KEPT(24) KEPT(25) KEPT(26) KEPT(27) KEPT(28) KEPT(29) KEPT(30)
}

/* Whether a device takes a width or a place across two registers is its own affair; a refusal has one form. */
static void odd_widths(void) {
    const u64 places[] = {PRIORITIES, UART_IDS, RTC_IDS, UART_IDS + 1, PRIORITIES + 3, UART_BASE + UART_BYTES - 2};
    expect_traps(true);
    for (unsigned i = 0; i < sizeof places / sizeof *places; ++i) {
        const u64 at = places[i];
        u64 loads = 0, stores = 0;
#define TRY(text, counter) \
        clear_note(); \
        __asm__ volatile(text : : "r"(at) : "x9", "x10", "memory"); \
        if (noted.count && (EC(noted.cause) != EC_DATA || (FSC(noted.cause) != FSC_EXTERNAL && FSC(noted.cause) != FSC_ALIGNMENT) \
                            || noted.value < (at & ~63ul) || noted.value > at + 15)) \
            fail(name, text " at %x: ESR %x FAR %x", at, noted.cause, noted.value); \
        counter += noted.count
        TRY("ldrb w9, [%0]", loads); TRY("ldrh w9, [%0]", loads); TRY("ldr w9, [%0]", loads); TRY("ldr x9, [%0]", loads);
        TRY("ldr q9, [%0]", loads); TRY("ldp x9, x10, [%0]", loads); TRY("ldxr w9, [%0]", loads); TRY("ld1 {v1.16b}, [%0]", loads);
        TRY("strb wzr, [%0]", stores); TRY("strh wzr, [%0]", stores); TRY("str wzr, [%0]", stores); TRY("str xzr, [%0]", stores);
        TRY("str q9, [%0]", stores); TRY("stp x9, x10, [%0]", stores); TRY("st1 {v1.8h}, [%0]", stores); TRY("dc zva, %0", stores);
        say("at %x %u of 8 loads and %u of 8 stores are refused\n", at, loads, stores);
    }
    expect_traps(false);
}

void guest_main(void) {
    sys_write(cpacr_el1, 3ul << 20);
    gic_init();
    identification(UART_IDS, (const u8[]){0x11, 0x10, 0x04}, "UART");
    identification(RTC_IDS, (const u8[]){0x31, 0x10, 0x04}, "RTC");
    sign_and_size();
    addressing();
    write_back();
    pairs();
    vectors_32();
    if (gic_version() == 3) wide();
    each_register();
    odd_widths();
    /* Mapped as normal memory, the devices may be accessed anywhere. */
    u64 *root = identity_root();
    root[0] |= PTE_NORMAL;
    mmu_on(root, root);
    odd_widths();
    mmu_off();
    const u64 before = read32(RTC_BASE), after = read32(RTC_BASE);
    if (after < before) fail(name, "the RTC goes backwards");
    pass(name);
}
