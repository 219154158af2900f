/* All CPUs: started by INIT and start-up IPI in real mode, counting under one spinlock, interrupting each other in all directions,
   waiting in HLT, stopped, and started again. Passes with one CPU too. */
#include "guest.h"

static const char name[] = "ipi_smp";
#define ROUNDS 2000u
#define IPI_ROUNDS 30u
#define TEST 0x50u
#define GO 0x51u

static volatile u32 lock;
static volatile u64 counter, arrived, go, turn;
static volatile u64 ipis[MAX_CPUS];
static unsigned count;

static void add_atomic(volatile u64 *at, u64 value) { __asm__ volatile("lock addq %1, %0" : "+m"(*at) : "r"(value) : "cc", "memory"); }

/* By exchange, or by compare and exchange. */
static void take_lock(bool compare) {
    for (;;) {
        u32 old = 1;
        if (compare) {
            old = 0;
            __asm__ volatile("lock cmpxchgl %2, %1" : "+a"(old), "+m"(lock) : "r"(1) : "cc", "memory");
        } else {
            __asm__ volatile("xchgl %0, %1" : "+r"(old), "+m"(lock) : : "memory");
        }
        if (!old) return;
        while (lock) pause();
    }
}
static void give_lock(void) { __asm__ volatile("movl $0, %0" : "=m"(lock) : : "memory"); }

static void count_under_lock(void) {
    for (unsigned i = 0; i < ROUNDS; ++i) {
        take_lock(i & 1);
        counter = counter + 1;
        give_lock();
    }
}

void guest_trap(struct frame *frame) {
    if (frame->vector != TEST && frame->vector != GO) fail(name, "CPU %u: vector %u error %x rip %x", (u64)this_cpu(), frame->vector, frame->error, frame->rip);
    lapic_end();
    if (frame->vector == TEST) ipis[this_cpu()]++;
}

static void wait_for_ipi(u64 cpu, u64 before, u64 sender) {
    for (u64 spin = 0; ipis[cpu] == before; ++spin) {
        if (spin > 100000000) fail(name, "the IPI of CPU %u to CPU %u is lost", sender, cpu);
        pause();
    }
    if (ipis[cpu] != before + 1) fail(name, "CPU %u took %u IPIs for one", cpu, ipis[cpu] - before);
}

/* One CPU at a time sends: to each alone, to itself included, to itself by shorthand, to all, and to all but itself. */
static void send_all(void) {
    const u64 me = this_cpu();
    u64 before[MAX_CPUS];
    for (unsigned r = 0; r < IPI_ROUNDS; ++r)
        for (u64 cpu = 0; cpu < count; ++cpu) {
            before[cpu] = ipis[cpu];
            if (cpu == me && (r & 1)) ipi(0, IPI_SELF | TEST);
            else ipi(cpu, TEST);
            wait_for_ipi(cpu, before[cpu], me);
        }
    for (unsigned r = 0; r < IPI_ROUNDS; ++r) {
        const bool others = r & 1;
        for (u64 cpu = 0; cpu < count; ++cpu) before[cpu] = ipis[cpu];
        ipi(0, (others ? IPI_OTHERS : IPI_ALL) | TEST);
        for (u64 cpu = 0; cpu < count; ++cpu)
            if (cpu != me || !others) wait_for_ipi(cpu, before[cpu], me);
        if (others && ipis[me] != before[me]) fail(name, "all but CPU %u reaches it", me);
    }
}

void secondary_main(u64 cpu) {
    lapic_init();
    irq_on();
    count_under_lock();
    add_atomic(&arrived, 1);
    while (turn != cpu) pause();
    send_all();
    turn = cpu + 1;
    irq_off();
    while (!go) wait_for_irq();
}

static void one_round(u64 round) {
    counter = arrived = go = turn = 0;
    for (u64 cpu = 1; cpu < count; ++cpu) start_cpu(cpu);
    count_under_lock();
    while (arrived != count - 1) pause();
    if (counter != count * (u64)ROUNDS) fail(name, "%u CPUs counted to %u", (u64)count, counter);
    if (count > 1 && count_real_mode_entries() != (round + 1) * (count - 1)) fail(name, "real mode was entered %u times", (u64)count_real_mode_entries());
    send_all();
    turn = 1;
    while (turn != count) pause();
    go = 1;
    for (u64 cpu = 1; cpu < count; ++cpu) ipi(cpu, GO);
    for (u64 cpu = 1; cpu < count; ++cpu) wait_until_off(cpu);
}

void guest_main(void) {
    count = count_cpus();
    pic_off();
    lapic_init();
    irq_on();
    for (u64 i = 0; i < 3; ++i) one_round(i);
    say("%u CPUs\n", (u64)count);
    pass(name);
}
