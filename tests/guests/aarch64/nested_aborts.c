/* Aborts inside the handler of an abort, five deep, each with its own syndrome, address and return; an abort at the
   first store of a handler whose stack is not there, repaired by vectors that use none; aborts taken from SP_EL0. */
#include "guest.h"

static const char name[] = "nested_aborts";
#define DEPTH 5u

static unsigned depth;
static u64 pcs[DEPTH + 1];
static bool nesting;

static u64 place(unsigned level) { return UNMAPPED + 0x1000 * level + 8 * level; }

/* Loads, or stores at odd depths, and notes where. */
static void abort_at(unsigned level) {
    if (level & 1) __asm__ volatile("adr x9, 1f\n\tstr x9, [%1]\n1: str x9, [%0]" : : "r"(place(level)), "r"(&pcs[level]) : "x9", "memory");
    else __asm__ volatile("adr x9, 1f\n\tstr x9, [%1]\n1: ldr x9, [%0]" : : "r"(place(level)), "r"(&pcs[level]) : "x9", "memory");
}

void guest_trap(struct frame *frame) {
    if (!nesting) {
        if (!handle_expected(frame)) fail(name, "trap kind=%u esr=%x far=%x elr=%x", frame->kind, frame->esr, frame->far, frame->elr);
        return;
    }
    const unsigned level = depth++;
    if (level < DEPTH) abort_at(level + 1);
    /* The frame is this level's own, whatever happened inside. */
    if (frame->kind != SYNC || EC(frame->esr) != EC_DATA || FSC(frame->esr) != FSC_EXTERNAL || WNR(frame->esr) != (level & 1))
        fail(name, "level %u: kind=%u esr=%x", (u64)level, frame->kind, frame->esr);
    if (frame->far != place(level) || frame->elr != pcs[level]) fail(name, "level %u: far=%x elr=%x", (u64)level, frame->far, frame->elr);
    if ((frame->spsr & 0x3cf) != 0x3c5) fail(name, "level %u: spsr=%x", (u64)level, frame->spsr);
    frame->elr += 4;
}

static void nested(void) {
    nesting = true;
    for (unsigned i = 0; i < 50; ++i) {
        depth = 0;
        abort_at(0);
        if (depth != DEPTH + 1) fail(name, "round %u: %u levels", (u64)i, (u64)depth);
    }
    nesting = false;
}

/* Counts in x12; the first abort's handler pushes to a stack that is not there, the second's finds that it is. */
CODE(stackless_vectors,
     ".balign 2048\n\t.skip 0x200\n\tadd x12, x12, #1\n\tcmp x12, #2\n\tb.eq 1f\n\tstp x0, x1, [sp, #-16]!\n\tb .\n"
     "1: mov x13, sp\n\tmov sp, x11\n\tmrs x14, far_el1\n\tmrs x15, esr_el1\n\tmsr elr_el1, x10\n\tmsr spsr_el1, x16\n\teret");
extern char vectors[];

static void bad_stack(void) {
    register u64 count __asm__("x12") = 0;
    register u64 bad __asm__("x13");
    register u64 far __asm__("x14");
    register u64 esr __asm__("x15");
    const u64 stack = UNMAPPED + 0x800;
    sys_write(vbar_el1, ((u64)stackless_vectors + 2047) & ~2047ul);
    __asm__ volatile("mov x11, sp\n\tadr x10, 1f\n\tmov x16, #0x3c5\n\tmov sp, %4\n\tldr x9, [%5]\n1: nop"
                     : "+r"(count), "=r"(bad), "=r"(far), "=r"(esr) : "r"(stack), "r"(UNMAPPED) : "x9", "x10", "x11", "x16", "memory");
    const u64 aborts = count, was = bad, address = far, syndrome = esr;
    sys_write(vbar_el1, (u64)vectors);
    if (aborts != 2 || was != stack) fail(name, "bad stack: %u aborts, SP %x", aborts, was);
    if (address != stack - 16 || EC(syndrome) != EC_DATA || FSC(syndrome) != FSC_EXTERNAL || !WNR(syndrome))
        fail(name, "bad stack: ESR %x FAR %x", syndrome, address);
}

CODE(sp0_vectors, ".balign 2048\n\tmrs x10, esr_el1\n\tmov x11, sp\n\tmrs x9, elr_el1\n\tadd x9, x9, #4\n\tmsr elr_el1, x9\n\teret");

/* From EL1t the vector is another one, and the handler has SP_EL1. */
static void from_sp_el0(void) {
    static u64 other[64] __attribute__((aligned(16)));
    u64 before;
    __asm__ volatile("mov %0, sp" : "=r"(before));
    sys_write(sp_el0, (u64)&other[32]);
    sys_write(vbar_el1, ((u64)sp0_vectors + 2047) & ~2047ul);
    u64 esr, after, inside;
    __asm__ volatile("msr spsel, #0\n\tldr x9, [%3]\n\tmov %1, sp\n\tmsr spsel, #1\n\tmov %0, x10\n\tmov %2, x11"
                     : "=&r"(esr), "=&r"(after), "=&r"(inside) : "r"(UNMAPPED) : "x9", "x10", "x11", "memory");
    sys_write(vbar_el1, (u64)vectors);
    if (EC(esr) != EC_DATA || after != (u64)&other[32] || inside != before)
        fail(name, "from SP_EL0: ESR %x, SP %x then %x, handler's %x", esr, (u64)&other[32], after, inside);
}

void guest_main(void) {
    nested();
    bad_stack();
    from_sp_el0();
    nested();
    pass(name);
}
