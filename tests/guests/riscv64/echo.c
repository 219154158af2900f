/* Console input by interrupt: prints "ready", answers each line with its text reversed, and ends at the
   line "quit". Between bytes the hart waits in WFI, so a run without input is idle. */
#include "guest.h"

static const char name[] = "echo";
#define CONTEXT (2 * boot_hart + 1)
#define CLAIM (PLIC_BASE + 0x200004 + 0x1000 * CONTEXT)

static volatile u8 ring[256];
static volatile u64 received;

void guest_trap(struct frame *frame) {
    if (frame->scause != (INTERRUPT | 9)) fail(name, "trap scause=%x stval=%x sepc=%x", frame->scause, frame->stval, frame->sepc);
    const u32 source = read32(CLAIM);
    if (source == 0) return;
    if (source != UART_IRQ) fail(name, "interrupt of source %u", (u64)source);
    while (read8(UART_BASE + 5) & 1) {
        ring[received % sizeof ring] = read8(UART_BASE);
        received++;
    }
    write32(CLAIM, source);
}

static u8 next_byte(u64 *taken) {
    for (;;) {
        csr_clear(sstatus, SSTATUS_SIE);
        if (received != *taken) break;
        __asm__ volatile("wfi");
        csr_set(sstatus, SSTATUS_SIE);
    }
    csr_set(sstatus, SSTATUS_SIE);
    return ring[(*taken)++ % sizeof ring];
}

void guest_main(void) {
    u64 taken = 0;
    char line[80];
    uart_reset();
    write32(PLIC_BASE + 4 * UART_IRQ, 1);
    write32(CLAIM - 4, 0);
    write32(PLIC_BASE + 0x2000 + 0x80 * CONTEXT, 1u << UART_IRQ);
    write8(UART_BASE + 1, 1);
    csr_write(sie, SIE_SEIE);
    csr_set(sstatus, SSTATUS_SIE);
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
