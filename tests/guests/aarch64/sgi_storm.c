/* All CPUs send each other SGIs as fast as they can: none that a CPU waits for is lost, none comes without a sender, and
   with a handshake there are exactly as many as were sent. Passes with one CPU, which sends to itself. */
#include "guest.h"

static const char name[] = "sgi_storm";
#define FAST 2000u
#define EXACT 300u
#define SGI_FAST 2u

static unsigned cpus;
/* [sender][receiver]: how many were posted, and how many of them the receiver has seen. */
static volatile u64 posted[MAX_CPUS][MAX_CPUS], seen[MAX_CPUS][MAX_CPUS];
static volatile u64 interrupts[MAX_CPUS], exact[MAX_CPUS][16], arrived, released;

static void add_atomic(volatile u64 *at) {
    u64 old;
    u32 failed;
    __asm__ volatile("1: ldaxr %0, [%2]\n\tadd %0, %0, #1\n\tstlxr %w1, %0, [%2]\n\tcbnz %w1, 1b" : "=&r"(old), "=&r"(failed) : "r"(at) : "memory");
}

void guest_trap(struct frame *frame) {
    if (frame->kind != IRQ) fail(name, "trap kind=%u esr=%x far=%x elr=%x", frame->kind, frame->esr, frame->far, frame->elr);
    const u64 me = this_cpu();
    const u32 acknowledged = gic_acknowledge();
    const unsigned intid = gic_intid(acknowledged);
    if (intid == SPURIOUS) return;
    if (intid >= 16) fail(name, "CPU %u: interrupt %u", me, (u64)intid);
    if (intid == SGI_FAST) {
        for (unsigned from = 0; from < cpus; ++from) seen[from][me] = posted[from][me];
        interrupts[me]++;
    } else {
        exact[me][intid]++;
    }
    dsb();
    gic_end(acknowledged);
}

static void barrier(u64 number) {
    add_atomic(&arrived);
    if (this_cpu() == 0) {
        while (arrived != cpus * number) {}
        released = number;
    }
    while (released < number) {}
}

/* Without waiting: SGIs that are pending already merge. */
static void fast(u64 me) {
    u64 seed = 5 + me;
    for (unsigned i = 0; i < FAST; ++i) {
        const u64 to = next_random(&seed) % cpus;
        posted[me][to]++;
        gic_send(SGI_FAST, 1ul << to);
    }
    for (unsigned to = 0; to < cpus; ++to)
        for (u64 spin = 0; seen[me][to] != posted[me][to]; ++spin)
            if (spin > 100000000) fail(name, "CPU %u: of %u SGIs to CPU %u it saw %u", me, posted[me][to], (u64)to, seen[me][to]);
}

/* Each sender has a number of its own, waits for each SGI, and so each is counted. */
static void one_by_one(u64 me) {
    const unsigned intid = 8 + (unsigned)me;
    for (u64 i = 1; i <= EXACT; ++i)
        for (unsigned to = 0; to < cpus; ++to) {
            gic_send(intid, 1ul << to);
            for (u64 spin = 0; exact[to][intid] != i; ++spin)
                if (spin > 100000000) fail(name, "CPU %u: SGI %u of round %u to CPU %u is lost", me, (u64)intid, i, (u64)to);
        }
}

static void storm(u64 me) {
    gic_init();
    for (unsigned intid = 0; intid < 16; ++intid) gic_enable(intid, 0x80);
    irq_on();
    barrier(1);
    fast(me);
    barrier(2);
    one_by_one(me);
    barrier(3);
}

void secondary_main(u64 cpu) {
    storm(cpu);
    hvc(PSCI_CPU_OFF, 0, 0, 0);
    fail(name, "CPU %u is not off", cpu);
}

void guest_main(void) {
    cpus = count_cpus();
    if (cpus > 4) cpus = 4;
    gic_init();
    for (u64 cpu = 1; cpu < cpus; ++cpu)
        if (start_cpu(cpu)) fail(name, "starting CPU %u", cpu);
    storm(0);
    irq_off();
    for (u64 cpu = 1; cpu < cpus; ++cpu) wait_until_off(cpu);
    for (unsigned to = 0; to < cpus; ++to) {
        u64 all = 0;
        for (unsigned from = 0; from < cpus; ++from) {
            all += posted[from][to];
            if (exact[to][8 + from] != EXACT) fail(name, "CPU %u counts %u of CPU %u", (u64)to, exact[to][8 + from], (u64)from);
        }
        if (interrupts[to] > all || interrupts[to] == 0) fail(name, "CPU %u took %u interrupts for %u", (u64)to, interrupts[to], all);
        say("CPU %u took %u interrupts for %u SGIs\n", (u64)to, interrupts[to], all);
    }
    pass(name);
}
