/* IPIs of every mode: physical, logical flat and cluster, lowest priority, broadcasts, NMI; task priority holds back what is not
   above it, the highest vector comes first, EOI lets the next one in, what is illegal is an error in ESR. Passes with one CPU too. */
#include "guest.h"

static const char name[] = "ipi_modes";
static unsigned count;
static volatile u64 taken[MAX_CPUS][256], order[64], ordered, quit, nmis[MAX_CPUS];
static volatile u64 up;

void guest_trap(struct frame *frame) {
    const u64 me = this_cpu();
    if (frame->vector == NMI) {
        nmis[me]++;
        return;
    }
    if (frame->vector < 32) fail(name, "CPU %u: vector %u error %x rip %x", me, frame->vector, frame->error, frame->rip);
    taken[me][frame->vector]++;
    if (me == 0 && ordered < 64) order[ordered++] = frame->vector;
    if (frame->vector != SPURIOUS) lapic_end();
}

void secondary_main(u64 cpu) {
    (void)cpu;
    lapic_init();
    irq_on();
    __asm__ volatile("lock incq %0" : "+m"(up) : : "cc");
    while (!quit) pause();
}

static u64 sum(unsigned vector) {
    u64 all = 0;
    for (unsigned cpu = 0; cpu < count; ++cpu) all += taken[cpu][vector];
    return all;
}
static void forget(void) {
    for (unsigned cpu = 0; cpu < count; ++cpu)
        for (unsigned v = 0; v < 256; ++v) taken[cpu][v] = 0;
    ordered = 0;
}
static void settle(void) {
    irq_on();
    for (volatile unsigned i = 0; i < 20; ++i)
        for (volatile unsigned j = 0; j < (count > 1 ? 1000u : 10u); ++j) {}
    irq_off();
}
/* CPUs that must have taken `vector` once, as bits; the others not at all. */
static void expect(const char *what, unsigned vector, u64 cpus) {
    settle();
    for (u64 cpu = 0; cpu < count; ++cpu)
        if (taken[cpu][vector] != (cpus >> cpu & 1)) fail(name, "%s: CPU %u took %u", what, cpu, taken[cpu][vector]);
    forget();
}

static void destinations(void) {
    const u64 all = (1ul << count) - 1;
    for (u64 cpu = 0; cpu < count; ++cpu) {
        ipi(cpu, 0x60);
        expect("physical", 0x60, 1ul << cpu);
        lapic_set(LAPIC_ICR_HIGH, 1u << (24 + cpu));
        lapic_set(LAPIC_ICR, 0x800 | 0x61);
        expect("logical", 0x61, 1ul << cpu);
    }
    lapic_set(LAPIC_ICR_HIGH, 0x05u << 24);
    lapic_set(LAPIC_ICR, 0x800 | 0x62);
    expect("logical, two", 0x62, 5 & all);
    lapic_set(LAPIC_ICR_HIGH, 0xffu << 24);
    lapic_set(LAPIC_ICR, 0x63);
    expect("physical broadcast", 0x63, all);
    lapic_set(LAPIC_ICR, 0x800 | 0x64);
    expect("logical broadcast", 0x64, all);
    lapic_set(LAPIC_ICR_HIGH, 0x70u << 24);
    lapic_set(LAPIC_ICR, 0x65);
    expect("nobody", 0x65, 0);
    ipi(0, IPI_SELF | 0x66);
    expect("self", 0x66, 1);
    ipi(0, IPI_ALL | 0x67);
    expect("all", 0x67, all);
    ipi(0, IPI_OTHERS | 0x68);
    expect("others", 0x68, all & ~1ul);
    /* Lowest priority: one of those that are meant. */
    for (unsigned i = 0; i < 8; ++i) {
        lapic_set(LAPIC_ICR_HIGH, 0xffu << 24);
        lapic_set(LAPIC_ICR, 0x900 | 0x69);
        settle();
        if (sum(0x69) != 1) fail(name, "lowest priority: %u CPUs", sum(0x69));
        forget();
    }
    if (count > 1) {
        lapic_set(LAPIC_TPR, 0x80);
        lapic_set(LAPIC_ICR_HIGH, 0xffu << 24);
        lapic_set(LAPIC_ICR, 0x900 | 0x6a);
        settle();
        if (taken[0][0x6a] || sum(0x6a) != 1) fail(name, "lowest priority does not look at priorities");
        lapic_set(LAPIC_TPR, 0);
        forget();
    }
}

static void cluster(void) {
    lapic_set(LAPIC_DFR, 0x0fffffff);
    lapic_set(LAPIC_LDR, 0x21u << 24);
    const struct {
        u8 destination;
        bool reaches;
    } cases[] = {{0x21, true}, {0x2f, true}, {0x22, false}, {0x11, false}, {0xff, true}};
    for (unsigned i = 0; i < 5; ++i) {
        lapic_set(LAPIC_ICR_HIGH, (u32)cases[i].destination << 24);
        lapic_set(LAPIC_ICR, 0x800 | 0x6b);
        settle();
        if (taken[0][0x6b] != cases[i].reaches) fail(name, "cluster destination %x: %u", (u64)cases[i].destination, taken[0][0x6b]);
        forget();
    }
    lapic_set(LAPIC_DFR, 0xffffffff);
    lapic_set(LAPIC_LDR, 1u << 24);
}

static void priorities(void) {
    static const u8 vectors[] = {0x71, 0x35, 0xe2, 0x72, 0x91, 0x34};
    static const u8 sorted[] = {0xe2, 0x91, 0x72, 0x71, 0x35, 0x34};
    irq_off();
    for (unsigned i = 0; i < 6; ++i) ipi(0, IPI_SELF | vectors[i]);
    for (unsigned i = 0; i < 6; ++i)
        if (!lapic_is_pending(vectors[i])) fail(name, "vector %x is not pending", (u64)vectors[i]);
    ipi(0, IPI_SELF | vectors[0]); /* pending already: one of both */
    settle();
    if (ordered != 6) fail(name, "%u interrupts of six", ordered);
    for (unsigned i = 0; i < 6; ++i)
        if (order[i] != sorted[i]) fail(name, "place %u has vector %x, not %x", (u64)i, order[i], (u64)sorted[i]);
    forget();
    /* The class alone counts: 7 holds back 0x71 and lets 0x80 through. */
    lapic_set(LAPIC_TPR, 0x70);
    ipi(0, IPI_SELF | 0x7f);
    ipi(0, IPI_SELF | 0x80);
    settle();
    if (taken[0][0x80] != 1 || taken[0][0x7f]) fail(name, "TPR 70: %u and %u", taken[0][0x80], taken[0][0x7f]);
    if (lapic(LAPIC_PPR) >> 4 != 7) fail(name, "PPR is %x", (u64)lapic(LAPIC_PPR));
    irq_on();
    cr_write(8, 6);
    irq_off();
    if (taken[0][0x7f] != 1) fail(name, "lowering CR8 does not let an interrupt in");
    cr_write(8, 0);
    forget();
}

/* Inside a handler only what is above it comes; and nothing at all before EOI. */
static volatile u64 inside[2];
extern char slow_entry[];
void slow(void);
__asm__(".pushsection .text\nslow_entry: pushq %rax\n\tpushq %rcx\n\tpushq %rdx\n\tpushq %rsi\n\tpushq %rdi\n\tpushq %r8\n\tpushq %r9\n\tpushq %r10\n\tpushq %r11\n\t"
        "pushq %rbp\n\tmovq %rsp, %rbp\n\tandq $-16, %rsp\n\tcall slow\n\tmovq %rbp, %rsp\n\tpopq %rbp\n\t"
        "popq %r11\n\tpopq %r10\n\tpopq %r9\n\tpopq %r8\n\tpopq %rdi\n\tpopq %rsi\n\tpopq %rdx\n\tpopq %rcx\n\tpopq %rax\n\tiretq\n\t.popsection");
void slow(void) {
    ipi(0, IPI_SELF | 0x51);
    ipi(0, IPI_SELF | 0x62);
    irq_on();
    for (volatile unsigned i = 0; i < 100; ++i) {}
    irq_off();
    inside[0] = taken[0][0x51], inside[1] = taken[0][0x62];
    lapic_end();
}

static void in_service(void) {
    set_gate(0x55, (u64)slow_entry, 0, GATE_INTERRUPT);
    ipi(0, IPI_SELF | 0x55);
    settle();
    if (inside[0] != 0 || inside[1] != 1) fail(name, "in a handler %u lower and %u higher come", inside[0], inside[1]);
    if (taken[0][0x51] != 1) fail(name, "EOI does not let the lower one in");
    forget();
}

static void errors(void) {
    lapic_set(LAPIC_ESR, 0);
    lapic_set(LAPIC_ESR, 0);
    if (lapic(LAPIC_ESR)) fail(name, "ESR is %x", (u64)lapic(LAPIC_ESR));
    lapic_set(LAPIC_LVT_ERROR, 0x6c);
    ipi(0, IPI_SELF | 5);
    settle();
    if (taken[0][0x6c] != 1) fail(name, "no error interrupt");
    lapic_set(LAPIC_ESR, 0);
    if (!(lapic(LAPIC_ESR) & 0x60)) fail(name, "an illegal vector leaves ESR %x", (u64)lapic(LAPIC_ESR));
    lapic_set(LAPIC_LVT_ERROR, LVT_MASKED);
    forget();
}

static void nmi(void) {
    for (u64 cpu = 0; cpu < count; ++cpu) {
        const u64 before = nmis[cpu];
        ipi(cpu, IPI_NMI);
        for (u64 spin = 0; nmis[cpu] == before; ++spin) {
            if (spin > 100000000) fail(name, "the NMI to CPU %u is lost", cpu);
            pause();
        }
        if (nmis[cpu] != before + 1) fail(name, "CPU %u takes %u NMIs", cpu, nmis[cpu] - before);
    }
}

void guest_main(void) {
    count = count_cpus();
    pic_off();
    lapic_init();
    for (u64 cpu = 1; cpu < count; ++cpu) start_cpu(cpu);
    while (up != count - 1) pause();
    destinations();
    cluster();
    priorities();
    in_service();
    errors();
    nmi();
    quit = 1;
    for (u64 cpu = 1; cpu < count; ++cpu) wait_until_off(cpu);
    say("%u CPUs\n", (u64)count);
    pass(name);
}
