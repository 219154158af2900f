/* Instructions and CSRs that a guest does not have are illegal-instruction exceptions with the
   instruction or 0 in stval; counters either trap or are the same in every run, which printing them shows. */
#include "guest.h"

static const char name[] = "illegal";

#define STRING(x) #x
#define ILLEGAL(what, directive, bits) \
    do { \
        clear_note(); \
        __asm__ volatile(".option push\n.option norvc\n" directive "\n.option pop" : : : "memory", "t0"); \
        if (noted.count != 1) fail(name, "%s: %u traps", what, noted.count); \
        if (noted.cause != 2) fail(name, "%s: cause %u", what, noted.cause); \
        if (noted.value != 0 && noted.value != (bits)) fail(name, "%s: stval %x", what, noted.value); \
        ++checked; \
    } while (0)
#define ILLEGAL_WORD(what, word) ILLEGAL(what, ".4byte " STRING(word), word)

static void counter(const char *what, u64 value) {
    if (noted.count > 1 || (noted.count && noted.cause != 2)) fail(name, "%s: cause %u", what, noted.cause);
    if (noted.count) say("%s traps\n", what);
    else say("%s is %u\n", what, value);
    clear_note();
}

void guest_main(void) {
    u64 checked = 0;
    expect_traps(true);
    /* The skip rule needs the encoding's length right: words ending in 11 are four bytes. */
    ILLEGAL_WORD("all ones", 0xffffffff);
    ILLEGAL("c.unimp", ".2byte 0", 0);
    ILLEGAL("reserved compressed", ".2byte 0x8000", 0x8000);
    ILLEGAL_WORD("csrr t0, mstatus", 0x300022f3);
    ILLEGAL_WORD("csrr t0, mhartid", 0xf14022f3);
    ILLEGAL_WORD("csrr t0, hstatus", 0x600022f3);
    ILLEGAL_WORD("csrw hgatp, zero", 0x68001073);
    ILLEGAL_WORD("csrr t0, vsatp", 0x280022f3);
    ILLEGAL_WORD("csrr t0, 0x5c0", 0x5c0022f3);
    ILLEGAL_WORD("csrr t0, 0x800", 0x800022f3);
    ILLEGAL_WORD("csrw time, t0", 0xc0129073);
    ILLEGAL_WORD("csrw cycle, zero", 0xc0001073);
    ILLEGAL_WORD("mret", 0x30200073);
    ILLEGAL_WORD("hfence.gvma", 0x62000073);
    ILLEGAL_WORD("hfence.vvma", 0x22000073);
    ILLEGAL_WORD("hlv.w t0, (t0)", 0x6802c2f3);
    ILLEGAL_WORD("vsetvli t0, t0, e8", 0x0002f2d7);
    ILLEGAL_WORD("reserved system", 0xffc00073);
    ILLEGAL_WORD("custom-0", 0x0000000b);
    ILLEGAL_WORD("amo of width 1", 0x0002802f);
    ILLEGAL_WORD("load of width 7", 0x0002f283);
    ILLEGAL_WORD("store of width 7", 0x0002f023);
    ILLEGAL_WORD("fdiv with a bad format", 0x1e0072d3);

    u64 value = 0;
    clear_note();
    __asm__ volatile(".option push\n.option norvc\nrdcycle %0\n.option pop" : "+r"(value));
    counter("rdcycle", value);
    __asm__ volatile(".option push\n.option norvc\nrdinstret %0\n.option pop" : "+r"(value));
    counter("rdinstret", value);
    __asm__ volatile("csrr %0, hpmcounter3" : "+r"(value));
    counter("hpmcounter3", value);
    __asm__ volatile("csrr %0, hpmcounter31" : "+r"(value));
    counter("hpmcounter31", value);

    /* Breakpoint, and the CSRs that only keep legal values. */
    clear_note();
    __asm__ volatile("ebreak");
    if (noted.count != 1 || noted.cause != 3) fail(name, "ebreak: cause %u", noted.cause);
    clear_note();
    __asm__ volatile("c.ebreak");
    if (noted.count != 1 || noted.cause != 3) fail(name, "c.ebreak: cause %u", noted.cause);
    clear_note();
    csr_write(sscratch, ~0ul);
    u64 scratch = csr_read(sscratch);
    csr_write(sscratch, 0);
    if (scratch != ~0ul) fail(name, "sscratch is %x", scratch);
    const u64 satp = csr_read(satp);
    csr_write(satp, 15ul << 60 | 0x80200);
    if (csr_read(satp) != satp) fail(name, "satp takes an unknown mode");
    csr_set(sie, ~0ul);
    if (csr_read(sie) & ~0x2222ul) fail(name, "sie is %x", csr_read(sie));
    csr_write(sie, 0);
    csr_set(sip, SIE_SSIE);
    if (!(csr_read(sip) & SIE_SSIE)) fail(name, "sip.SSIP cannot be set");
    csr_clear(sip, SIE_SSIE);
    csr_set(sip, SIE_STIE | SIE_SEIE);
    if (csr_read(sip)) fail(name, "sip is %x", csr_read(sip));
    if (noted.count) fail(name, "a CSR access trapped: stval %x", noted.value);
    say("%u instructions are illegal\n", checked);
    pass(name);
}
