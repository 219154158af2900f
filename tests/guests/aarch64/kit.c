/* The kit of guest.h: console, PSCI, exceptions, CPUs. */
#include "guest.h"

#define UART_DR (UART_BASE + 0x00)
#define UART_FR (UART_BASE + 0x18)
#define UART_IBRD (UART_BASE + 0x24)
#define UART_FBRD (UART_BASE + 0x28)
#define UART_LCR_H (UART_BASE + 0x2c)
#define UART_CR (UART_BASE + 0x30)
#define UART_IMSC (UART_BASE + 0x38)
#define UART_ICR (UART_BASE + 0x44)
#define UART_DMACR (UART_BASE + 0x48)

u64 device_tree __attribute__((section(".data")));
struct user_stop user_stop;

/* Bounded, so that a UART in a strange state does not hang a guest. */
void put_char(char c) {
    for (unsigned i = 0; i < 100000 && (read32(UART_FR) & 0x20); ++i) {}
    write32(UART_DR, (u8)c);
}

void uart_reset(void) {
    write32(UART_CR, 0);
    write32(UART_IMSC, 0);
    write32(UART_DMACR, 0);
    write32(UART_ICR, 0x7ff);
    write32(UART_IBRD, 13);
    write32(UART_FBRD, 1);
    write32(UART_LCR_H, 0x70);
    write32(UART_CR, 0x301);
}

void power_off(void) {
    hvc(PSCI_SYSTEM_OFF, 0, 0, 0);
    say("FAIL kit the firmware does not power off\n");
    for (;;) wfi();
}

#define CALL(insn) \
    register u64 r0 __asm__("x0") = function; \
    register u64 r1 __asm__("x1") = a; \
    register u64 r2 __asm__("x2") = b; \
    register u64 r3 __asm__("x3") = c; \
    __asm__ volatile(insn " #0" : "+r"(r0), "+r"(r1), "+r"(r2), "+r"(r3) : : "x4", "x5", "x6", "x7", "x8", "x9", "x10", "x11", \
                     "x12", "x13", "x14", "x15", "x16", "x17", "memory"); \
    return (i64)r0

i64 hvc(u64 function, u64 a, u64 b, u64 c) { CALL("hvc"); }
i64 smc(u64 function, u64 a, u64 b, u64 c) { CALL("smc"); }

bool is_bare_qemu(void) {
    const bool before = traps_expected;
    expect_traps(true);
    smc(PSCI_VERSION, 0, 0, 0);
    const bool undefined = noted.count;
    expect_traps(before);
    return undefined;
}

bool handle_expected(struct frame *frame) {
    if (!traps_expected || frame->kind != SYNC) return false;
    noted.count++;
    noted.cause = frame->esr;
    noted.value = frame->far;
    noted.pc = frame->elr;
    /* A fetch that failed can only be left to where the call came from; SVC has moved on by itself. */
    if (EC(frame->esr) == EC_FETCH || EC(frame->esr) == EC_PC)
        frame->elr = frame->x[30];
    else if (EC(frame->esr) != EC_SVC)
        frame->elr += 4;
    return true;
}

extern char user_return[];

bool handle_user(struct frame *frame) {
    if (frame->kind != USER_SYNC) return false;
    user_stop.esr = frame->esr;
    user_stop.far = frame->far;
    user_stop.elr = frame->elr;
    frame->elr = (u64)user_return;
    frame->spsr = 0x3c5;
    return true;
}

__attribute__((weak)) void guest_trap(struct frame *frame) {
    if (handle_user(frame) || handle_expected(frame)) return;
    fail("kit", "trap kind=%u esr=%x far=%x elr=%x x30=%x", frame->kind, frame->esr, frame->far, frame->elr, frame->x[30]);
}

__attribute__((weak)) void secondary_main(u64 cpu) {
    (void)cpu;
    hvc(PSCI_CPU_OFF, 0, 0, 0);
}

extern char secondary_start[];

i64 start_cpu(u64 cpu) {
    static u8 stacks[MAX_CPUS][16384] __attribute__((aligned(16)));
    return hvc(PSCI_CPU_ON, cpu, (u64)secondary_start, (u64)stacks[cpu % MAX_CPUS] + sizeof stacks[0]);
}

void wait_until_off(u64 cpu) {
    for (u64 i = 0; hvc(PSCI_AFFINITY_INFO, cpu, 0, 0) != 1; ++i)
        if (i > 1000000) fail("kit", "CPU %u never turns off: %d", cpu, hvc(PSCI_AFFINITY_INFO, cpu, 0, 0));
}

unsigned count_cpus(void) {
    unsigned n = 0;
    while (n < MAX_CPUS && hvc(PSCI_AFFINITY_INFO, n, 0, 0) >= 0) ++n;
    return n;
}
