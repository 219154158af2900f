/* Accesses of every kind to an address that nothing backs: loads give ones, stores go nowhere, flags are those of ones, and
   code there is undefined. What the guest's own tables do not map is a page fault with the address, and changes no register. */
#include "guest.h"

static const char name[] = "access_faults";
#define NOT_MAPPED (1ul << 40)

static void expect(const char *what, u64 at, u64 got, u64 wanted) {
    if (got != wanted) fail(name, "%s at %x: %x, not %x", what, at, got, wanted);
    expect_none(name, what);
}

/* %0 the register under test, %1 the address, %2 the flags afterwards. */
#define LOAD(text, wanted) \
    do { \
        u64 v_ = 0x123456789abcdef0; \
        __asm__ volatile(text : "+r"(v_) : "r"(at) : "cc", "memory"); \
        expect(text, at, v_, wanted); \
    } while (0)
#define STORE(text) __asm__ volatile(text : : "r"(0x55ul), "r"(at) : "rax", "cc", "memory")
#define FLAGS(text, wanted) \
    do { \
        u64 f_; \
        __asm__ volatile(text "\n\tpushfq\n\tpopq %0" : "=r"(f_) : "r"(at) : "rax", "cc", "memory"); \
        expect(text, at, f_ & 0x8d5, wanted); \
    } while (0)

static void nothing_answers(u64 at) {
    LOAD("movb (%1), %b0", 0x123456789abcdeff); LOAD("movw (%1), %w0", 0x123456789abcffff);
    LOAD("movl (%1), %k0", 0xffffffff); LOAD("movq (%1), %0", ~0ul);
    LOAD("movzbl (%1), %k0", 0xff); LOAD("movzwl (%1), %k0", 0xffff); LOAD("movsbq (%1), %0", ~0ul); LOAD("movslq (%1), %0", ~0ul);
    LOAD("andl (%1), %k0", 0x9abcdef0); LOAD("xorq (%1), %0", ~0x123456789abcdef0); LOAD("xchgl %k0, (%1)", 0xffffffff);
    LOAD("lock xaddq %0, (%1)", ~0ul); LOAD("addq (%1), %0", 0x123456789abcdeef);
    STORE("movb %b0, (%1)"); STORE("movw %w0, (%1)"); STORE("movl %k0, (%1)"); STORE("movq %0, (%1)"); STORE("movl $7, (%1)");
    STORE("lock orl %k0, (%1)"); STORE("notq (%1)"); STORE("lock btsl $3, (%1)");
    FLAGS("cmpl $-1, (%1)", 0x44); FLAGS("testb $1, (%1)", 0); FLAGS("incl (%1)", 0x54); FLAGS("addl $1, (%1)", 0x55); FLAGS("btl $5, (%1)\n\tsetc %%al\n\ttestb %%al, %%al", 0);
    u64 to = at, count = 5;
    __asm__ volatile("rep stosl" : "+D"(to), "+c"(count) : "a"(1) : "memory");
    if (to != at + 20 || count != 0) fail(name, "rep stosl ends at %x with %u left", to, count);
    u32 words[3] = {0};
    u64 from = at;
    to = (u64)words, count = 3;
    __asm__ volatile("rep movsl" : "+D"(to), "+S"(from), "+c"(count) : : "memory");
    if (from != at + 12 || words[0] != ~0u || words[2] != ~0u) fail(name, "rep movsl: %x at %x", (u64)words[0], from);
    expect("a load after all", at, read64(at), ~0ul);
}

static void fetch(u64 at, u64 vector, u64 error) {
    ((void (*)(void))at)();
    const u64 pc = noted.pc, address = noted.value;
    expect_exception(name, "fetch", vector, error);
    if (pc != at || (vector == PF && address != at)) fail(name, "fetch at %x: RIP %x CR2 %x", at, pc, address);
}

#define FAULT(text, error, where) \
    do { \
        u64 v_ = 0x1234, rsi_ = (where), rdi_ = (where); \
        __asm__ volatile(TRY(text) : "+r"(v_), "+S"(rsi_), "+D"(rdi_) : "r"(at) : "cc", "memory"); \
        const u64 cr2_ = noted.value; \
        /* Of an instruction that reads and writes, the read may fault first. */ \
        if (ERROR(noted.cause) != 0 || (error) == 0 || !reads_first(text)) expect_exception(name, text, PF, error); \
        else expect_exception(name, text, PF, 0); \
        if (v_ != 0x1234 || rsi_ != (where) || rdi_ != (where)) fail(name, "%s changed a register: %x %x %x", text, v_, rsi_, rdi_); \
        if (cr2_ != (where)) fail(name, "%s: CR2 %x, not %x", text, cr2_, (u64)(where)); \
    } while (0)

static bool reads_first(const char *text) { return text[0] == 'a' || text[0] == 'x' || text[0] == 'l'; }

static void not_mapped(u64 at) {
    FAULT("movb (%3), %b0", 0, at); FAULT("movq (%3), %0", 0, at); FAULT("cmpq %0, (%3)", 0, at); FAULT("movq 8(%3), %0", 0, at + 8);
    FAULT("movl %k0, (%3)", PF_WRITE, at); FAULT("addl %k0, (%3)", PF_WRITE, at); FAULT("lock xaddl %k0, (%3)", PF_WRITE, at);
    FAULT("xchgq %0, (%3)", PF_WRITE, at); FAULT("lodsl", 0, at); FAULT("stosl", PF_WRITE, at);
    FAULT("pushq (%3)", 0, at);
    fetch(at, PF, PF_FETCH);
}

void guest_main(void) {
    const u64 places[] = {UNMAPPED, UNMAPPED + 0xff8, UNMAPPED + 0x1ffffc, RAM_BYTES, 0xfec10000, 0xfffffff0};
    expect_traps(true);
    for (unsigned i = 0; i < sizeof places / sizeof *places; ++i) {
        if (i != 5) nothing_answers(places[i]);
        if (read64(places[i] & ~7ul) == ~0ul) fetch(places[i], UD, 0);
    }
    for (u64 at = NOT_MAPPED + 0x10; at < NOT_MAPPED + 0x4000; at += 0x1000) not_mapped(at);
    /* Beyond what is canonical: no page fault, and for the stack its own exception. */
    __asm__ volatile(TRY("movb (%0), %%al") : : "c"(1ul << 47) : "rax", "memory");
    expect_exception(name, "a load that is not canonical", GP, 0);
    __asm__ volatile("movq %%rbp, %%rbx\n\tmovq %0, %%rbp\n\t" TRY("movb (%%rbp), %%al") "movq %%rbx, %%rbp" : : "c"(1ul << 47) : "rax", "rbx", "memory");
    expect_exception(name, "a load by the stack segment that is not canonical", SS, 0);
    /* A prefetch never faults. */
    __asm__ volatile("prefetcht0 (%0)\n\tprefetcht0 (%1)" : : "r"(NOT_MAPPED), "r"(UNMAPPED));
    expect_none(name, "prefetch");
    pass(name);
}
