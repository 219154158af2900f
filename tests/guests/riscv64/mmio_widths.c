/* Loads and stores of every width, sign and encoding on device registers: the register gets exactly
   the value, sign- or zero-extended, no other register changes, x0 stays 0, and a load into x0 still
   happens. A width that a device does not take is an access fault with its address. */
#include "guest.h"

static const char name[] = "mmio_widths";

#define ENABLES (PLIC_BASE + 0x2080)   /* context 1, S-mode of hart 0; sources 1 to 31 */
#define CLAIM (PLIC_BASE + 0x201004)
#define SCRATCH (UART_BASE + 7)

static void expect(const char *what, u64 got, u64 wanted) {
    if (got != wanted) fail(name, "%s: %x, not %x", what, got, wanted);
}

#define LOADED(insn, address) \
    ({ u64 v_ = 0x5a5a5a5a5a5a5a5a; __asm__ volatile(insn " %0, 0(%1)" : "=r"(v_) : "r"(address) : "memory"); v_; })

/* c.lw and c.sw, whose registers are x8 to x15. */
static u64 compressed_load(u64 address) {
    register u64 a __asm__("a0") = address;
    register u64 v __asm__("a1") = 0;
    __asm__ volatile("c.lw %0, 0(%1)" : "+r"(v) : "r"(a) : "memory");
    return v;
}
static u64 compressed_load_offset(u64 address) {
    register u64 a __asm__("s0") = address - 124;
    register u64 v __asm__("s1") = 0;
    __asm__ volatile("c.lw %0, 124(%1)" : "+r"(v) : "r"(a) : "memory");
    return v;
}
static void compressed_store(u64 address, u64 value) {
    register u64 a __asm__("a5") = address;
    register u64 v __asm__("a4") = value;
    __asm__ volatile("c.sw %0, 0(%1)" : : "r"(v), "r"(a) : "memory");
}

/* For each n: load_into_n(address) returns what lw into xn delivers, every register kept. */
__asm__(
    ".pushsection .data\n .balign 8\n mmio_saved: .skip 256\n mmio_result: .dword 0\n .popsection\n"
    ".pushsection .text\n"
    ".macro loader n\n"
    ".globl load_into_\\n\n"
    "load_into_\\n:\n"
    "la t0, mmio_saved\n"
    ".irp m, 1,2,3,4,8,9,18,19,20,21,22,23,24,25,26,27\n"
    "sd x\\m, (8 * \\m)(t0)\n"
    ".endr\n"
    "lw x\\n, 0(a0)\n"
    ".if \\n == 5\n"
    "sd t0, mmio_result, t1\n"
    ".else\n"
    "sd x\\n, mmio_result, t0\n"
    ".endif\n"
    "la t0, mmio_saved\n"
    ".irp m, 1,2,3,4,8,9,18,19,20,21,22,23,24,25,26,27\n"
    "ld x\\m, (8 * \\m)(t0)\n"
    ".endr\n"
    "ld a0, mmio_result\n"
    "ret\n"
    ".endm\n"
    ".irp k, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31\n"
    "loader \\k\n"
    ".endr\n"
    ".balign 8\n"
    "loaders:\n"
    ".irp k, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31\n"
    ".dword load_into_\\k\n"
    ".endr\n"
    ".popsection\n");
extern u64 (*const loaders[32])(u64);

static void plic_words(void) {
    write32(ENABLES, 0xfffffffe);
    expect("lw", LOADED("lw", ENABLES), 0xfffffffffffffffe);
    expect("lwu", LOADED("lwu", ENABLES), 0xfffffffe);
    expect("c.lw", compressed_load(ENABLES), 0xfffffffffffffffe);
    expect("c.lw 124", compressed_load_offset(ENABLES), 0xfffffffffffffffe);
    for (unsigned n = 0; n < 32; ++n)
        if (loaders[n](ENABLES) != (n ? 0xfffffffffffffffe : 0)) fail(name, "lw into x%u", (u64)n);
    __asm__ volatile("sw zero, 0(%0)" : : "r"(ENABLES) : "memory");
    expect("sw x0", LOADED("lwu", ENABLES), 0);
    compressed_store(ENABLES, 0xffffffff80000000 | (1u << UART_IRQ));
    expect("c.sw", LOADED("lwu", ENABLES), 0x80000000 | (1u << UART_IRQ));
    __asm__ volatile("sw %0, 4(%1)" : : "r"(0x12345678abcdef02), "r"(ENABLES - 4) : "memory");
    expect("sw offset", LOADED("lwu", ENABLES), 0xabcdef02);
}

static void uart_bytes(void) {
    for (u64 v = 0; v < 256; v += 17) {
        __asm__ volatile("sb %0, 0(%1)" : : "r"(0xabcdef00 | v), "r"(SCRATCH) : "memory");
        expect("lbu", LOADED("lbu", SCRATCH), v);
        expect("lb", LOADED("lb", SCRATCH), (u64)(i64)(signed char)v);
        __asm__ volatile("lb zero, 0(%0)" : : "r"(SCRATCH) : "memory");
    }
    __asm__ volatile("sb zero, 0(%0)" : : "r"(SCRATCH) : "memory");
    expect("sb x0", LOADED("lbu", SCRATCH), 0);
}

/* The UART's transmit interrupt is pending at the PLIC; claiming it into x0 must claim it. */
static void claim_into_x0(void) {
    csr_write(sie, 0);
    write32(PLIC_BASE + 4 * UART_IRQ, 1);
    write32(CLAIM - 4, 0);
    write32(ENABLES, 1u << UART_IRQ);
    write8(UART_BASE + 1, 2);
    for (unsigned i = 0; i < 100000 && !(read32(PLIC_BASE + 0x1000) & (1u << UART_IRQ)); ++i) {}
    if (!(read32(PLIC_BASE + 0x1000) & (1u << UART_IRQ))) fail(name, "the UART's interrupt is not pending");
    __asm__ volatile("lw zero, 0(%0)" : : "r"(CLAIM) : "memory");
    expect("claim after a claim into x0", read32(CLAIM), 0);
    write8(UART_BASE + 1, 0);
    write32(CLAIM, UART_IRQ);
}

/* Whether a device takes a width is its own affair; a refusal has one form. */
static void odd_widths(void) {
    const u64 places[] = {ENABLES, UART_BASE + 8, RTC_BASE + 0x10};
    expect_traps(true);
    for (unsigned i = 0; i < sizeof places / sizeof *places; ++i) {
        const u64 at = places[i];
        u64 loads = 0, stores = 0;
#define TRY(insn, cause_, counter) \
        clear_note(); \
        __asm__ volatile(insn " zero, 0(%0)" : : "r"(at) : "memory"); \
        if (noted.count && (noted.cause != cause_ || noted.value != at)) fail(name, insn ": cause %u stval %x", noted.cause, noted.value); \
        counter += noted.count
        TRY("lb", 5, loads); TRY("lbu", 5, loads); TRY("lh", 5, loads); TRY("lhu", 5, loads);
        TRY("lw", 5, loads); TRY("lwu", 5, loads); TRY("ld", 5, loads);
        TRY("sb", 7, stores); TRY("sh", 7, stores); TRY("sw", 7, stores); TRY("sd", 7, stores);
        say("at %x %u of 7 loads and %u of 4 stores are refused\n", at, loads, stores);
    }
    expect_traps(false);
}

void guest_main(void) {
    if (boot_hart != 0) say("on hart %u\n", boot_hart);
    plic_words();
    uart_bytes();
    claim_into_x0();
    odd_widths();
    u64 before = read32(RTC_BASE), high = read32(RTC_BASE + 4);
    u64 after = read32(RTC_BASE), high_after = read32(RTC_BASE + 4);
    if ((high_after << 32 | after) < (high << 32 | before)) fail(name, "the RTC goes backwards");
    pass(name);
}
