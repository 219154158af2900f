/* The kit of guest.h. */
#include "guest.h"

u64 boot_hart __attribute__((section(".data")));
u64 device_tree __attribute__((section(".data")));

/* Bounded, so that a UART in a strange state does not hang a guest. */
void put_char(char c) {
    for (unsigned i = 0; i < 100000 && !(read8(UART_BASE + 5) & 0x20); ++i) {}
    write8(UART_BASE, (u8)c);
}

void uart_reset(void) {
    write8(UART_BASE + 3, 3);
    write8(UART_BASE + 1, 0);
    write8(UART_BASE + 2, 1);
    write8(UART_BASE + 4, 3);
}

void power_off(void) {
    sbi(SBI_SRST, 0, 0, 0, 0, 0, 0);
    sbi(8, 0, 0, 0, 0, 0, 0);
    say("FAIL kit the firmware does not power off\n");
    for (;;) __asm__ volatile("wfi");
}

struct sbi_result sbi(u64 extension, u64 function, u64 a0, u64 a1, u64 a2, u64 a3, u64 a4) {
    register u64 r0 __asm__("a0") = a0;
    register u64 r1 __asm__("a1") = a1;
    register u64 r2 __asm__("a2") = a2;
    register u64 r3 __asm__("a3") = a3;
    register u64 r4 __asm__("a4") = a4;
    register u64 r6 __asm__("a6") = function;
    register u64 r7 __asm__("a7") = extension;
    __asm__ volatile("ecall" : "+r"(r0), "+r"(r1) : "r"(r2), "r"(r3), "r"(r4), "r"(r6), "r"(r7) : "memory");
    return (struct sbi_result){(i64)r0, (i64)r1};
}

bool handle_expected(struct frame *frame) {
    if (!traps_expected || (frame->scause & INTERRUPT)) return false;
    noted.count++;
    noted.cause = frame->scause;
    noted.value = frame->stval;
    noted.pc = frame->sepc;
    /* A fetch that failed can only be left to where the jump came from. */
    if (frame->scause == 1 || frame->scause == 12)
        frame->sepc = frame->x[1];
    else
        frame->sepc += (*(u16 *)frame->sepc & 3) == 3 ? 4 : 2;
    return true;
}

__attribute__((weak)) void guest_trap(struct frame *frame) {
    if (handle_expected(frame)) return;
    fail("kit", "trap scause=%x stval=%x sepc=%x ra=%x", frame->scause, frame->stval, frame->sepc, frame->x[1]);
}

__attribute__((weak)) void secondary_main(u64 hart) {
    (void)hart;
    sbi(SBI_HSM, 1, 0, 0, 0, 0, 0);
}

extern char secondary_start[];

i64 start_hart(u64 hart) {
    static u8 stacks[MAX_HARTS][16384] __attribute__((aligned(16)));
    return sbi(SBI_HSM, 0, hart, (u64)secondary_start, (u64)stacks[hart % MAX_HARTS] + sizeof stacks[0], 0, 0).error;
}

unsigned find_harts(u64 harts[MAX_HARTS]) {
    unsigned n = 0;
    harts[n++] = boot_hart;
    for (u64 h = 0; h < MAX_HARTS; ++h)
        if (h != boot_hart && sbi(SBI_HSM, 2, h, 0, 0, 0, 0).error == 0) harts[n++] = h;
    return n;
}
