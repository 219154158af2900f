/* All harts: started through HSM, counting under one spinlock, interrupting each other, fencing each
   other's translations and code, stopping, and starting again. Passes with one hart too. */
#include "guest.h"

static const char name[] = "ipi_smp";
#define ROUNDS 2000u
#define IPI_ROUNDS 50u

static volatile u32 lock;
static volatile u64 counter;
static volatile u64 arrived;
static volatile u64 go;
static volatile u64 ipis[MAX_HARTS];

static void add_atomic(volatile u64 *at, u64 value) { __asm__ volatile("amoadd.d.aqrl zero, %0, (%1)" : : "r"(value), "r"(at) : "memory"); }

static void count_under_lock(void) {
    for (unsigned i = 0; i < ROUNDS; ++i) {
        u32 taken;
        do {
            __asm__ volatile("amoswap.w.aq %0, %1, (%2)" : "=&r"(taken) : "r"(1), "r"(&lock) : "memory");
        } while (taken);
        counter = counter + 1;
        __asm__ volatile("amoswap.w.rl zero, zero, (%0)" : : "r"(&lock) : "memory");
    }
}

/* The hart number is kept in tp, which compiled code does not use. */
static u64 this_hart(void) {
    u64 hart;
    __asm__ volatile("mv %0, tp" : "=r"(hart));
    return hart;
}

void guest_trap(struct frame *frame) {
    if (frame->scause != (INTERRUPT | 1)) fail(name, "trap scause=%x stval=%x sepc=%x", frame->scause, frame->stval, frame->sepc);
    csr_clear(sip, SIE_SSIE);
    ipis[this_hart()]++;
}

void secondary_main(u64 hart) {
    __asm__ volatile("mv tp, %0" : : "r"(hart));
    csr_write(sie, SIE_SSIE);
    csr_set(sstatus, SSTATUS_SIE);
    count_under_lock();
    add_atomic(&arrived, 1);
    while (!go) __asm__ volatile("wfi");
    sbi(SBI_HSM, 1, 0, 0, 0, 0, 0);
    fail(name, "hart %u is not stopped", hart);
}

static u64 wait_until_stopped(u64 hart) {
    for (u64 i = 0;; ++i) {
        struct sbi_result status = sbi(SBI_HSM, 2, hart, 0, 0, 0, 0);
        if (status.error) fail(name, "status of hart %u: error %d", hart, status.error);
        if (status.value == 1) return i;
        if (i > 1000000) fail(name, "hart %u never stops: state %d", hart, status.value);
    }
}

static void send(u64 hart) {
    const i64 error = sbi(SBI_IPI, 0, 1, hart, 0, 0, 0).error;
    if (error) fail(name, "IPI to hart %u: error %d", hart, error);
}

static void one_round(const u64 *harts, unsigned n) {
    counter = arrived = go = 0;
    __asm__ volatile("fence" : : : "memory");
    for (unsigned i = 1; i < n; ++i) {
        const i64 error = start_hart(harts[i]);
        if (error) fail(name, "starting hart %u: error %d", harts[i], error);
    }
    count_under_lock();
    while (arrived != n - 1) {}
    if (counter != n * (u64)ROUNDS) fail(name, "%u harts counted to %u", (u64)n, counter);

    for (unsigned r = 0; r < IPI_ROUNDS; ++r)
        for (unsigned i = 0; i < n; ++i) {
            const u64 before = ipis[harts[i]];
            send(harts[i]);
            for (u64 spin = 0; ipis[harts[i]] == before; ++spin)
                if (spin > 100000000) fail(name, "IPI to hart %u is lost", harts[i]);
        }
    static const u64 fences[] = {0, 1, 2};
    for (unsigned f = 0; f < 3; ++f) {
        const i64 error = sbi(SBI_RFENCE, fences[f], 0, ~0ul, 0, ~0ul, 0).error;
        if (error) fail(name, "remote fence %u: error %d", fences[f], error);
    }
    go = 1;
    __asm__ volatile("fence" : : : "memory");
    for (unsigned i = 1; i < n; ++i) send(harts[i]);
    for (unsigned i = 1; i < n; ++i) wait_until_stopped(harts[i]);
}

void guest_main(void) {
    u64 harts[MAX_HARTS];
    const unsigned n = find_harts(harts);
    __asm__ volatile("mv tp, %0" : : "r"(boot_hart));
    csr_write(sie, SIE_SSIE);
    csr_set(sstatus, SSTATUS_SIE);
    for (unsigned i = 0; i < 3; ++i) one_round(harts, n);
    say("%u harts\n", (u64)n);
    pass(name);
}
