/* Interrupts and HLT: STI holds interrupts back for one instruction, so that STI; HLT cannot be torn; HLT ends for an interrupt and
   goes on behind itself. NMIs come whatever IF says, and one at a time. */
#include "guest.h"

static const char name[] = "shadow";
#define IPI 0x50u

static volatile u64 taken, taken_at, stack_then;

void guest_trap(struct frame *frame) {
    if (frame->vector != IPI && frame->vector != NMI) fail(name, "trap vector=%u error=%x rip=%x", frame->vector, frame->error, frame->rip);
    taken++;
    taken_at = frame->rip;
    stack_then = frame->rsp;
    if (frame->vector == IPI) lapic_end();
}

static void expect(const char *what, u64 at, u64 count) {
    if (taken != count) fail(name, "%s: %u interrupts, not %u", what, taken, count);
    if (count && taken_at != at) fail(name, "%s: taken at %x, not %x", what, taken_at, at);
    taken = 0;
}

/* An interrupt that waits when `text` begins. */
#define WAITING(text) \
    irq_off(); \
    ipi(0, IPI_SELF | IPI); \
    if (!lapic_is_pending(IPI)) fail(name, "the interrupt is not pending"); \
    __asm__ volatile(text : : : "rax", "rbx", "rcx", "cc", "memory")

extern char sti_end[], sti2_end[], hlt_end[], sti_hlt_end[], popf_end[];

static void sti(void) {
    WAITING("sti\n\tnop\nsti_end: nop\n\tnop\n\tcli");
    expect("STI; NOP", (u64)sti_end, 1);
    /* A second STI begins no new shadow. */
    WAITING("sti\n\tsti\nsti2_end: nop\n\tcli");
    expect("STI; STI", (u64)sti2_end, 1);
    WAITING("sti\n\tcli\n\tnop\n\tnop");
    expect("STI; CLI", 0, 0);
    WAITING("sti\n\thlt\nsti_hlt_end: cli");
    expect("STI; HLT with an interrupt that waits", (u64)sti_hlt_end, 1);
    /* POPF has no shadow. */
    WAITING("pushq $0x202\n\tpopfq\npopf_end: nop\n\tnop\n\tcli");
    expect("POPF", (u64)popf_end, 1);
}

static void halts(void) {
    lapic_set(LAPIC_LVT_TIMER, IPI);
    for (u64 i = 0; i < 20; ++i) {
        irq_off();
        lapic_set(LAPIC_INITIAL, (u32)(2000 * (i + 1)));
        __asm__ volatile("sti\n\thlt\nhlt_end: cli" : : : "memory");
        expect("STI; HLT", (u64)hlt_end, 1);
    }
    lapic_set(LAPIC_LVT_TIMER, LVT_MASKED);
}

static void nmis(void) {
    irq_off();
    ipi(0, IPI_SELF | IPI_NMI);
    for (u64 i = 0; i < 1000000 && !taken; ++i) {}
    expect("NMI", taken_at, 1);
    if (stack_then == 0) fail(name, "no stack");
}

static volatile u64 depth, most, nmi_count;
extern char nested_entry[];
void nested(void);
/* On the NMI's own stack, without an IRET inside, which would let the next one in. */
__asm__(".pushsection .text\nnested_entry: pushq %rax\n\tpushq %rcx\n\tpushq %rdx\n\tpushq %rsi\n\tpushq %rdi\n\tpushq %r8\n\tpushq %r9\n\tpushq %r10\n\tpushq %r11\n\t"
        "call nested\n\tpopq %r11\n\tpopq %r10\n\tpopq %r9\n\tpopq %r8\n\tpopq %rdi\n\tpopq %rsi\n\tpopq %rdx\n\tpopq %rcx\n\tpopq %rax\n\tiretq\n\t.popsection");

void nested(void) {
    if (++depth > most) most = depth;
    if (++nmi_count == 1) {
        ipi(0, IPI_SELF | IPI_NMI);
        ipi(0, IPI_SELF | IPI_NMI);
        for (volatile u64 i = 0; i < 1000; ++i) {}
    }
    --depth;
}

static void nested_nmis(void) {
    set_gate(NMI, (u64)nested_entry, 2, GATE_INTERRUPT);
    ipi(0, IPI_SELF | IPI_NMI);
    for (volatile u64 i = 0; i < 10000; ++i) {}
    if (most != 1) fail(name, "NMIs nest %u deep", most);
    if (nmi_count != 2) fail(name, "%u NMIs of three, of which two came at once", nmi_count);
}

void guest_main(void) {
    pic_off();
    lapic_init();
    sti();
    halts();
    nmis();
    nested_nmis();
    pass(name);
}
