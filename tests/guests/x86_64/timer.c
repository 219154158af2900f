/* The local APIC's timer in its three modes, the 8254 and the clock's periodic interrupt by the I/O APIC: counters only go
   forward, an interrupt comes not before its time, in HLT and in a loop, once, and not while it is masked. */
#include "guest.h"

static const char name[] = "timer";
#define TIMER 0x40u
#define PIT 0x42u
#define CLOCK 0x43u
#define TSC_DEADLINE 0x6e0u
#define TIME_STAMP 0x10u
#define PERIODIC 0x20000u
#define BY_TSC 0x40000u

static volatile u64 fired[256], fired_at;

void guest_trap(struct frame *frame) {
    if (handle_expected(frame)) return;
    if (frame->vector < 32) fail(name, "trap vector=%u error=%x rip=%x", frame->vector, frame->error, frame->rip);
    fired_at = rdtsc();
    fired[frame->vector]++;
    if (frame->vector == CLOCK) {
        out8(CMOS_PORT, 0xc);
        (void)in8(CMOS_PORT + 1);
    }
    if (frame->vector != SPURIOUS) lapic_end();
}

static void wait(unsigned vector, u64 before, bool halts) {
    for (u64 i = 0; fired[vector] == before; ++i) {
        if (i > 100000000) fail(name, "vector %x never comes", (u64)vector);
        if (halts) wait_for_irq();
        else if (!(rflags() & 0x200)) irq_on();
    }
    irq_off();
}

static void only_forward(void) {
    u64 last = rdtsc();
    for (unsigned i = 0; i < 1000; ++i) {
        const u64 now = rdtsc();
        if (now < last) fail(name, "the time stamp went from %u back to %u", last, now);
        last = now;
    }
    const u32 pm = in32(PM_PORT + 8);
    while (in32(PM_PORT + 8) == pm) {}
}

/* `divide` encodes 2 to 128 and 1 (SDM vol. 3, "Divide Configuration Register"). */
static void one_shot(u32 divide, u64 by) {
    lapic_set(LAPIC_DIVIDE, divide);
    lapic_set(LAPIC_LVT_TIMER, TIMER);
    for (u64 i = 0; i < 6; ++i) {
        const u64 before = fired[TIMER], ticks = 1000 * (i + 1), start = rdtsc();
        lapic_set(LAPIC_INITIAL, (u32)ticks);
        if (lapic(LAPIC_INITIAL) != ticks) fail(name, "the initial count is %u, not %u", (u64)lapic(LAPIC_INITIAL), ticks);
        wait(TIMER, before, i & 1);
        /* Time and timer both count nanoseconds here; on other machines only the order is sure. */
        if (fired_at < start + ticks * by && cpuid(0x40000000, 0).ebx == 0x69737861) fail(name, "%u ticks of %u took %u", ticks, by, fired_at - start);
        if (fired[TIMER] != before + 1) fail(name, "one shot fired %u times", fired[TIMER] - before);
        if (lapic(LAPIC_CURRENT) != 0) fail(name, "the count is %u after the shot", (u64)lapic(LAPIC_CURRENT));
    }
}

static void periodic(void) {
    lapic_set(LAPIC_DIVIDE, 0xb);
    lapic_set(LAPIC_LVT_TIMER, PERIODIC | TIMER);
    const u64 before = fired[TIMER], start = rdtsc();
    lapic_set(LAPIC_INITIAL, 20000);
    for (u64 n = 1; n <= 20; ++n) wait(TIMER, before + n - 1, n & 1);
    if (rdtsc() - start < 20 * 20000 && cpuid(0x40000000, 0).ebx == 0x69737861) fail(name, "20 periods took %u", rdtsc() - start);
    lapic_set(LAPIC_INITIAL, 0);
    const u64 after = fired[TIMER];
    irq_on();
    for (u64 end = rdtsc() + 100000; rdtsc() < end;) {}
    irq_off();
    if (fired[TIMER] > after + 1) fail(name, "a stopped timer fires %u times", fired[TIMER] - after);
}

static void by_deadline(void) {
    if (!(cpuid(1, 0).ecx >> 24 & 1)) {
        say("no TSC deadline\n");
        return;
    }
    lapic_set(LAPIC_LVT_TIMER, BY_TSC | TIMER);
    for (u64 i = 0; i < 20; ++i) {
        const u64 before = fired[TIMER], deadline = rdtsc() + 1000 * (i + 1);
        wrmsr(TSC_DEADLINE, deadline);
        if (rdmsr(TSC_DEADLINE) != deadline && fired[TIMER] == before && rdtsc() < deadline) fail(name, "the deadline reads %x", rdmsr(TSC_DEADLINE));
        wait(TIMER, before, i & 1);
        if (fired_at < deadline) fail(name, "deadline %u fired at %u", deadline, fired_at);
        if (fired[TIMER] != before + 1) fail(name, "a deadline fired %u times", fired[TIMER] - before);
        if (rdmsr(TSC_DEADLINE) != 0) fail(name, "a deadline that has passed reads %x", rdmsr(TSC_DEADLINE));
    }
    /* In the past: at once. Taken back: never. */
    u64 before = fired[TIMER];
    wrmsr(TSC_DEADLINE, 1);
    wait(TIMER, before, false);
    before = fired[TIMER];
    wrmsr(TSC_DEADLINE, rdtsc() + 50000);
    wrmsr(TSC_DEADLINE, 0);
    irq_on();
    for (u64 end = rdtsc() + 100000; rdtsc() < end;) {}
    irq_off();
    if (fired[TIMER] != before) fail(name, "a deadline that was taken back fires");
    /* The counter is set: what waits is the counter's value, wherever it comes from. */
    static const u64 bases[] = {0x123456789abcd, 1000, 0xfff0000000000000, 0x7000000000};
    for (u64 i = 0; i < 4; ++i) {
        before = fired[TIMER];
        wrmsr(TIME_STAMP, 0);
        wrmsr(TSC_DEADLINE, bases[i] + 30000);
        wrmsr(TIME_STAMP, bases[i]);
        wait(TIMER, before, i & 1);
        if (fired_at < bases[i] + 30000 || fired_at > bases[i] + 10000000) fail(name, "deadline %u fired at %u", bases[i] + 30000, fired_at);
        before = fired[TIMER];
        const u64 deadline = rdtsc() + 3000;
        wrmsr(TSC_DEADLINE, deadline);
        wait(TIMER, before, !(i & 1));
        if (fired_at < deadline) fail(name, "deadline %u fired at %u", deadline, fired_at);
    }
}

static void masked(void) {
    const u64 before = fired[TIMER];
    lapic_set(LAPIC_LVT_TIMER, TIMER);
    lapic_set(LAPIC_INITIAL, 1000);
    while (!lapic_is_pending(TIMER)) {}
    if (fired[TIMER] != before) fail(name, "a masked interrupt was taken");
    irq_on();
    for (volatile unsigned i = 0; i < 10; ++i) {}
    irq_off();
    if (fired[TIMER] != before + 1) fail(name, "a pending interrupt was taken %u times", fired[TIMER] - before);
    lapic_set(LAPIC_LVT_TIMER, LVT_MASKED | TIMER);
    lapic_set(LAPIC_INITIAL, 1000);
    irq_on();
    for (u64 end = rdtsc() + 10000; rdtsc() < end;) {}
    irq_off();
    if (fired[TIMER] != before + 1 || lapic_is_pending(TIMER)) fail(name, "a masked timer fires");
}

static void pit(void) {
    ioapic_route(2, PIT, 0);
    out8(PIT_PORT + 3, 0x34);
    out8(PIT_PORT, 0x00);
    out8(PIT_PORT, 0x10);
    const u64 before = fired[PIT];
    for (u64 n = 1; n <= 5; ++n) wait(PIT, before + n - 1, n & 1);
    ioapic_mask(2);
    out8(PIT_PORT + 3, 0x30);
    out8(PIT_PORT, 0x10);
    out8(PIT_PORT, 0x00);
}

static void clock(void) {
    ioapic_route(8, CLOCK, 0);
    out8(CMOS_PORT, 0xa);
    out8(CMOS_PORT + 1, 0x26);
    out8(CMOS_PORT, 0xb);
    out8(CMOS_PORT + 1, 0x42);
    out8(CMOS_PORT, 0xc);
    (void)in8(CMOS_PORT + 1);
    const u64 before = fired[CLOCK];
    for (u64 n = 1; n <= 5; ++n) wait(CLOCK, before + n - 1, true);
    out8(CMOS_PORT, 0xb);
    out8(CMOS_PORT + 1, 0x02);
    ioapic_mask(8);
}

void guest_main(void) {
    pic_off();
    lapic_init();
    only_forward();
    static const u32 divides[8] = {0xb, 0, 1, 2, 3, 8, 9, 0xa};
    for (unsigned i = 0; i < 8; ++i) one_shot(divides[i], 1ul << i);
    periodic();
    masked();
    by_deadline();
    pit();
    clock();
    say("one shot %u, 8254 %u, clock %u\n", fired[TIMER], fired[PIT], fired[CLOCK]);
    pass(name);
}
