/* What ends a wait: WFI ends at an interrupt that PSTATE masks, at once when one is pending; WFE ends at an event that
   was there before; PSCI CPU_SUSPEND to standby returns success; another CPU wakes by SGI and by SEV. */
#include "guest.h"

static const char name[] = "wfi_wake";
#define SGI 1u
#define ROUNDS 100u

static volatile u64 taken;
static volatile u64 slept, woken, stop;

void guest_trap(struct frame *frame) {
    if (frame->kind != IRQ) fail(name, "trap kind=%u esr=%x far=%x elr=%x", frame->kind, frame->esr, frame->far, frame->elr);
    const u32 acknowledged = gic_acknowledge();
    if (gic_intid(acknowledged) == SPURIOUS) return;
    sys_write(cntv_ctl_el0, 0);
    gic_end(acknowledged);
    taken++;
}

static u64 arm_timer(u64 ticks) {
    const u64 deadline = sys_read(cntvct_el0) + ticks;
    sys_write(cntv_cval_el0, deadline);
    sys_write(cntv_ctl_el0, 1);
    return deadline;
}

static void take_it(const char *what, u64 wanted) {
    irq_on();
    isb();
    for (u64 i = 0; taken != wanted && i < 1000000; ++i) {}
    irq_off();
    if (taken != wanted) fail(name, "%s: %u interrupts taken, not %u", what, taken, wanted);
}

/* WFI may end for no reason, so it stands in a loop. */
static void by_timer(void) {
    for (u64 i = 1; i <= ROUNDS; ++i) {
        const u64 deadline = arm_timer(500 * i);
        u64 waits = 0;
        while (!(sys_read(isr_el1) & 0x80)) {
            wfi();
            if (++waits > 10000000) fail(name, "round %u: WFI goes on without an interrupt", i);
        }
        if (sys_read(cntvct_el0) < deadline) fail(name, "round %u: woken before the deadline", i);
        wfi(); /* with an interrupt pending it does not wait */
        take_it("timer", i);
    }
    taken = 0;
}

static void by_suspend(void) {
    for (u64 i = 1; i <= 10; ++i) {
        const u64 deadline = arm_timer(5000);
        u64 waits = 0;
        while (!(sys_read(isr_el1) & 0x80)) {
            const i64 result = hvc(PSCI_CPU_SUSPEND, 0, 0, 0);
            if (result) fail(name, "CPU_SUSPEND to standby answers %d", result);
            if (++waits > 10000000) fail(name, "CPU_SUSPEND returns without an interrupt");
        }
        if (sys_read(cntvct_el0) < deadline) fail(name, "suspended: woken before the deadline");
        take_it("suspend", i);
    }
    taken = 0;
}

static void by_event(void) {
    for (unsigned i = 0; i < ROUNDS; ++i) {
        __asm__ volatile("sevl\n\twfe" : : : "memory");
        __asm__ volatile("sev\n\twfe" : : : "memory");
    }
    /* A pending interrupt ends WFE too, masked or not. */
    arm_timer(2000);
    for (u64 waits = 0; !(sys_read(isr_el1) & 0x80); ++waits) {
        __asm__ volatile("wfe" : : : "memory");
        if (waits > 10000000) fail(name, "WFE goes on without an interrupt");
    }
    take_it("event", 1);
    taken = 0;
}

void secondary_main(u64 cpu) {
    (void)cpu;
    gic_init();
    gic_enable(SGI, 0x80);
    for (u64 i = 1; i <= ROUNDS; ++i) {
        slept = i;
        while (!(sys_read(isr_el1) & 0x80)) wfi();
        const u32 acknowledged = gic_acknowledge();
        if (gic_intid(acknowledged) != SGI) fail(name, "CPU %u: interrupt %u", cpu, (u64)gic_intid(acknowledged));
        gic_end(acknowledged);
        woken = i;
    }
    while (!stop) __asm__ volatile("wfe" : : : "memory");
    hvc(PSCI_CPU_OFF, 0, 0, 0);
    fail(name, "CPU %u is not off", cpu);
}

static void by_another_cpu(void) {
    const i64 error = start_cpu(1);
    if (error) fail(name, "starting CPU 1: %d", error);
    for (u64 i = 1; i <= ROUNDS; ++i) {
        while (slept != i) {}
        gic_send(SGI, 2);
        for (u64 spin = 0; woken != i; ++spin)
            if (spin > 100000000) fail(name, "round %u: CPU 1 sleeps on", i);
    }
    stop = 1;
    __asm__ volatile("dsb sy\n\tsev" : : : "memory");
    wait_until_off(1);
}

void guest_main(void) {
    gic_init();
    gic_enable(VIRTUAL_TIMER, 0x80);
    by_timer();
    by_suspend();
    by_event();
    if (count_cpus() > 1) by_another_cpu();
    pass(name);
}
