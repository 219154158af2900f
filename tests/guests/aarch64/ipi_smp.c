/* All CPUs: started through PSCI, counting under one spinlock made of exclusives, interrupting each other in all
   directions, waiting in WFE, turned off, and started again. Passes with one CPU too. */
#include "guest.h"

static const char name[] = "ipi_smp";
#define ROUNDS 2000u
#define SGI_ROUNDS 30u
#define SGI_TEST 3u
#define SGI_GO 5u

static volatile u32 lock;
static volatile u64 counter;
static volatile u64 arrived;
static volatile u64 go;
static volatile u64 sgis[MAX_CPUS];
static unsigned cpus;

static void add_atomic(volatile u64 *at, u64 value) {
    u64 old;
    u32 failed;
    __asm__ volatile("1: ldaxr %0, [%2]\n\tadd %0, %0, %3\n\tstlxr %w1, %0, [%2]\n\tcbnz %w1, 1b"
                     : "=&r"(old), "=&r"(failed) : "r"(at), "r"(value) : "memory");
}

/* The loser waits for the event that the winner's store sends it, or for SEV. */
static void take_lock(bool wait) {
    u32 old, one = 1;
    if (wait)
        __asm__ volatile("sevl\n1: wfe\n2: ldaxr %w0, [%1]\n\tcbnz %w0, 1b\n\tstxr %w0, %w2, [%1]\n\tcbnz %w0, 2b"
                         : "=&r"(old) : "r"(&lock), "r"(one) : "memory");
    else
        __asm__ volatile("1: ldaxr %w0, [%1]\n\tcbnz %w0, 1b\n\tstxr %w0, %w2, [%1]\n\tcbnz %w0, 1b"
                         : "=&r"(old) : "r"(&lock), "r"(one) : "memory");
}
static void give_lock(void) { __asm__ volatile("stlr wzr, [%0]\n\tdsb sy\n\tsev" : : "r"(&lock) : "memory"); }

static void count_under_lock(void) {
    for (unsigned i = 0; i < ROUNDS; ++i) {
        take_lock(i & 1);
        counter = counter + 1;
        give_lock();
    }
}

void guest_trap(struct frame *frame) {
    if (frame->kind != IRQ) fail(name, "trap kind=%u esr=%x far=%x elr=%x", frame->kind, frame->esr, frame->far, frame->elr);
    const u32 acknowledged = gic_acknowledge();
    const unsigned intid = gic_intid(acknowledged);
    if (intid == SPURIOUS) return;
    if (intid != SGI_TEST && intid != SGI_GO) fail(name, "CPU %u: interrupt %u", this_cpu(), (u64)intid);
    gic_end(acknowledged);
    if (intid == SGI_TEST) sgis[this_cpu()]++;
}

static void take_sgis(void) {
    gic_init();
    gic_enable(SGI_TEST, 0x80);
    gic_enable(SGI_GO, 0x90);
    irq_on();
}

static void wait_for_sgi(u64 cpu, u64 before, u64 sender) {
    for (u64 spin = 0; sgis[cpu] == before; ++spin)
        if (spin > 100000000) fail(name, "the SGI of CPU %u to CPU %u is lost", sender, cpu);
    if (sgis[cpu] != before + 1) fail(name, "CPU %u took %u SGIs for one", cpu, sgis[cpu] - before);
}

/* One CPU at a time sends: to each alone, to itself included, to all by one list, and to all but itself. */
static void send_all(void) {
    const u64 me = this_cpu();
    u64 before[MAX_CPUS];
    for (unsigned r = 0; r < SGI_ROUNDS; ++r)
        for (u64 cpu = 0; cpu < cpus; ++cpu) {
            before[cpu] = sgis[cpu];
            gic_send(SGI_TEST, 1ul << cpu);
            wait_for_sgi(cpu, before[cpu], me);
        }
    for (unsigned r = 0; r < SGI_ROUNDS; ++r) {
        const bool others = r & 1;
        for (u64 cpu = 0; cpu < cpus; ++cpu) before[cpu] = sgis[cpu];
        if (others) gic_send_to_others(SGI_TEST);
        else gic_send(SGI_TEST, (1ul << cpus) - 1);
        for (u64 cpu = 0; cpu < cpus; ++cpu)
            if (cpu != me || !others) wait_for_sgi(cpu, before[cpu], me);
        if (others && sgis[me] != before[me]) fail(name, "all but CPU %u reaches it", me);
    }
}

static volatile u64 turn;

void secondary_main(u64 cpu) {
    take_sgis();
    count_under_lock();
    add_atomic(&arrived, 1);
    while (turn != cpu) {}
    send_all();
    turn = cpu + 1;
    while (!go) wfi();
    hvc(PSCI_CPU_OFF, 0, 0, 0);
    fail(name, "CPU %u is not off", cpu);
}

static void one_round(void) {
    counter = arrived = go = turn = 0;
    dsb();
    for (u64 cpu = 1; cpu < cpus; ++cpu) {
        const i64 error = start_cpu(cpu);
        if (error) fail(name, "starting CPU %u: %d", cpu, error);
    }
    count_under_lock();
    while (arrived != cpus - 1) {}
    if (counter != cpus * (u64)ROUNDS) fail(name, "%u CPUs counted to %u", (u64)cpus, counter);
    for (u64 cpu = 0; cpu < cpus; ++cpu)
        if (hvc(PSCI_AFFINITY_INFO, cpu, 0, 0) != 0) fail(name, "CPU %u is on, but its state is %d", cpu, hvc(PSCI_AFFINITY_INFO, cpu, 0, 0));
    send_all();
    turn = 1;
    while (turn != cpus) {}
    go = 1;
    dsb();
    for (u64 cpu = 1; cpu < cpus; ++cpu) gic_send(SGI_GO, 1ul << cpu);
    for (u64 cpu = 1; cpu < cpus; ++cpu) wait_until_off(cpu);
}

void guest_main(void) {
    cpus = count_cpus();
    take_sgis();
    for (unsigned i = 0; i < 3; ++i) one_round();
    say("%u CPUs\n", (u64)cpus);
    pass(name);
}
