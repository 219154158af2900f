/* Console input by interrupt: prints "ready", answers each line with its text reversed, and ends at the line "quit". Between bytes
   the CPU waits in HLT, so a run without input is idle. */
#include "guest.h"

static const char name[] = "echo";
#define RECEIVED 0x41u

static volatile u8 ring[256];
static volatile u64 received;

void guest_trap(struct frame *frame) {
    if (frame->vector == SPURIOUS) return;
    if (frame->vector != RECEIVED) fail(name, "trap vector=%u error=%x rip=%x", frame->vector, frame->error, frame->rip);
    while (in8(UART_PORT + 5) & 1) {
        ring[received % sizeof ring] = in8(UART_PORT);
        received++;
    }
    lapic_end();
}

static u8 next_byte(u64 *taken) {
    irq_off();
    while (received == *taken) wait_for_irq();
    irq_on();
    return ring[(*taken)++ % sizeof ring];
}

void guest_main(void) {
    u64 taken = 0;
    char line[80];
    pic_off();
    lapic_init();
    ioapic_route(UART_IRQ, RECEIVED, 0);
    out8(UART_PORT + 1, 1);
    irq_on();
    say("ready\n");
    for (;;) {
        unsigned n = 0;
        for (u8 c; (c = next_byte(&taken)) != '\n' && c != '\r';)
            if (n < sizeof line) line[n++] = (char)c;
        if (n == 4 && line[0] == 'q' && line[1] == 'u' && line[2] == 'i' && line[3] == 't') pass(name);
        while (n) put_char(line[--n]);
        say("\n");
    }
}
