/* Console input by interrupt: prints "ready", answers each line with its text reversed, and ends at the
   line "quit". Between bytes the CPU waits in WFI, so a run without input is idle. */
#include "guest.h"

static const char name[] = "echo";
#define UART_FR (UART_BASE + 0x18)
#define UART_IMSC (UART_BASE + 0x38)
#define UART_ICR (UART_BASE + 0x44)
/* Receive, and receive timeout. */
#define RECEIVED 0x50u

static volatile u8 ring[256];
static volatile u64 received;

void guest_trap(struct frame *frame) {
    if (frame->kind != IRQ) fail(name, "trap kind=%u esr=%x far=%x elr=%x", frame->kind, frame->esr, frame->far, frame->elr);
    const u32 acknowledged = gic_acknowledge();
    if (gic_intid(acknowledged) == SPURIOUS) return;
    if (gic_intid(acknowledged) != UART_IRQ) fail(name, "interrupt %u", (u64)gic_intid(acknowledged));
    while (!(read32(UART_FR) & 0x10)) {
        ring[received % sizeof ring] = (u8)read32(UART_BASE);
        received++;
    }
    write32(UART_ICR, RECEIVED);
    gic_end(acknowledged);
}

static u8 next_byte(u64 *taken) {
    for (;;) {
        irq_off();
        if (received != *taken) break;
        wfi();
        irq_on();
    }
    irq_on();
    return ring[(*taken)++ % sizeof ring];
}

void guest_main(void) {
    u64 taken = 0;
    char line[80];
    gic_init();
    gic_configure_edge(UART_IRQ, false);
    gic_enable(UART_IRQ, 0x80);
    write32(UART_IMSC, RECEIVED);
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
