/* The pair of 8259s by LINT0 as ExtINT, without an I/O APIC: initialisation, the 8254's and the clock's interrupts, masks, priorities,
   EOI, spurious interrupts; and the same line by the I/O APIC, edge- and level-triggered, with EOI. */
#include "guest.h"

static const char name[] = "pic";
#define BASE 0x30u
static volatile u64 taken[256], last;

void guest_trap(struct frame *frame) {
    if (frame->vector < 32) fail(name, "trap vector=%u error=%x rip=%x", frame->vector, frame->error, frame->rip);
    taken[frame->vector]++;
    last = frame->vector;
    if (frame->vector == BASE + 8) {
        out8(CMOS_PORT, 0xc);
        (void)in8(CMOS_PORT + 1);
    }
    /* A level that stays leaves the rest of the guest no time. */
    if (frame->vector == 0x61 && taken[0x61] == 5) out8(UART_PORT + 1, 0);
    if (frame->vector >= BASE + 8 && frame->vector < BASE + 16) out8(0xa0, 0x20);
    if (frame->vector >= BASE && frame->vector < BASE + 16) out8(0x20, 0x20);
    else lapic_end();
}

static void wait(unsigned vector, u64 more) {
    const u64 until = taken[vector] + more;
    for (u64 i = 0; taken[vector] < until; ++i) {
        if (i > 10000000) fail(name, "vector %x never comes", (u64)vector);
        wait_for_irq();
    }
}

static void init_pics(void) {
    out8(0x20, 0x11), out8(0x21, BASE), out8(0x21, 4), out8(0x21, 1);
    out8(0xa0, 0x11), out8(0xa1, BASE + 8), out8(0xa1, 2), out8(0xa1, 1);
    out8(0x21, 0xff), out8(0xa1, 0xff);
    if (in8(0x21) != 0xff || in8(0xa1) != 0xff) fail(name, "masks read %x and %x", (u64)in8(0x21), (u64)in8(0xa1));
}

static void start_pit(u16 ticks) {
    out8(PIT_PORT + 3, 0x34);
    out8(PIT_PORT, (u8)ticks);
    out8(PIT_PORT, (u8)(ticks >> 8));
}

void guest_main(void) {
    lapic_init();
    init_pics();
    lapic_set(LAPIC_LVT_LINT0, 0x700);
    start_pit(2000);
    out8(0x21, 0xfe);
    wait(BASE, 5);
    out8(0x21, 0xff);
    /* Masked, it waits in IRR. */
    const u64 before = taken[BASE];
    irq_on();
    for (u64 end = rdtsc() + 20000000; rdtsc() < end;) {}
    irq_off();
    if (taken[BASE] != before) fail(name, "a masked interrupt comes");
    out8(0x20, 0x0a);
    if (!(in8(0x20) & 1)) fail(name, "IRR is %x", (u64)in8(0x20));
    /* The second 8259 through the cascade: the clock. */
    out8(0x21, 0xfb), out8(0xa1, 0xfe);
    out8(CMOS_PORT, 0xa), out8(CMOS_PORT + 1, 0x26);
    out8(CMOS_PORT, 0xb), out8(CMOS_PORT + 1, 0x42);
    out8(CMOS_PORT, 0xc), (void)in8(CMOS_PORT + 1);
    wait(BASE + 8, 3);
    out8(CMOS_PORT, 0xb), out8(CMOS_PORT + 1, 0x02);
    out8(0x21, 0xff), out8(0xa1, 0xff);
    /* LINT0 masked: nothing comes this way, and the local APIC's own do. */
    lapic_set(LAPIC_LVT_LINT0, LVT_MASKED | 0x700);
    out8(0x21, 0xfe);
    const u64 now = taken[BASE];
    irq_on();
    for (u64 end = rdtsc() + 20000000; rdtsc() < end;) {}
    irq_off();
    if (taken[BASE] != now) fail(name, "an interrupt comes by a masked LINT0");
    pic_off();
    start_pit(0);

    /* The UART's transmitter by the I/O APIC: at an edge once; at a level again and again until it is quiet. */
    ioapic_route(UART_IRQ, 0x60, 0);
    out8(UART_PORT + 1, 2);
    wait(0x60, 1);
    irq_on();
    for (volatile unsigned i = 0; i < 1000; ++i) {}
    irq_off();
    if (taken[0x60] != 1) fail(name, "an edge interrupts %u times", taken[0x60]);
    out8(UART_PORT + 1, 0);
    ioapic_set(0x10 + 2 * UART_IRQ, 0x8000 | 0x61);
    out8(UART_PORT + 1, 2);
    irq_on();
    for (volatile unsigned i = 0; i < 1000; ++i) {}
    irq_off();
    if (taken[0x61] != 5) fail(name, "a level that five EOIs outlives interrupts %u times", taken[0x61]);
    if (ioapic(0x10 + 2 * UART_IRQ) & 0x4000) fail(name, "remote IRR stays");
    ioapic_mask(UART_IRQ);
    pass(name);
}
