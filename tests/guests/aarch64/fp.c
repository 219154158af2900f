/* Floating-point and SIMD registers, control and status survive exits of every kind and interrupts; with the unit
   off, each such instruction traps with its own class, at EL1 and at EL0 as CPACR_EL1.FPEN says. */
#include "guest.h"

static const char name[] = "fp";
static u64 memory[4] __attribute__((aligned(16))) = {0x3ff8000000000000, 0x40490fdb, 0x1111111122222222, 0x3333333344444444};
static volatile u64 interrupts;

#define EACH(X) X(0) X(1) X(2) X(3) X(4) X(5) X(6) X(7) X(8) X(9) X(10) X(11) X(12) X(13) X(14) X(15) \
    X(16) X(17) X(18) X(19) X(20) X(21) X(22) X(23) X(24) X(25) X(26) X(27) X(28) X(29) X(30) X(31)
#define PUT(n) __asm__ volatile("fmov d" #n ", %0\n\tfmov v" #n ".d[1], %1" : : "r"(pattern(n, salt)), "r"(~pattern(n, salt)));
#define TAKE(n) \
    { \
        u64 low_, high_; \
        __asm__ volatile("fmov %0, d" #n "\n\tfmov %1, v" #n ".d[1]" : "=r"(low_), "=r"(high_)); \
        if (low_ != pattern(n, salt) || high_ != ~pattern(n, salt)) fail(name, "v%u after %s: %x %x", (u64)n, what, high_, low_); \
    }

#define FPCR 0x03c00000ul /* DN, FZ, round towards zero */
#define FPSR 0x0800009ful

static u64 pattern(u64 n, u64 salt) { return 0xfff0000000000000 | n << 32 | salt; }

void guest_trap(struct frame *frame) {
    if (handle_user(frame) || handle_expected(frame)) return;
    if (frame->kind != IRQ) fail(name, "trap kind=%u esr=%x far=%x elr=%x", frame->kind, frame->esr, frame->far, frame->elr);
    const u32 acknowledged = gic_acknowledge();
    sys_write(cntv_ctl_el0, 0);
    gic_end(acknowledged);
    interrupts++;
}

/* Nothing between PUT and TAKE may use floating point: the kit does not. */
static void keep(const char *what, u64 salt, void (*exit)(void)) {
    EACH(PUT)
    sys_write(fpcr, FPCR);
    sys_write(fpsr, FPSR);
    exit();
    EACH(TAKE)
    if (sys_read(fpcr) != FPCR) fail(name, "FPCR after %s: %x", what, sys_read(fpcr));
    if (sys_read(fpsr) != FPSR) fail(name, "FPSR after %s: %x", what, sys_read(fpsr));
    sys_write(fpcr, 0);
    sys_write(fpsr, 0);
}

static void by_mmio(void) { (void)read32(UART_BASE + 0x18); }
static void by_hypercall(void) { hvc(PSCI_VERSION, 0, 0, 0); }
static void by_time(void) { for (u64 end = sys_read(cntvct_el0) + 20000; sys_read(cntvct_el0) < end;) {} }
static void by_spin(void) { for (volatile u64 i = 0; i < 100000; ++i) {} }
static void by_fault(void) {
    expect_traps(true);
    (void)read64(UNMAPPED);
    expect_traps(false);
}
static void by_interrupt(void) {
    const u64 before = interrupts;
    sys_write(cntv_tval_el0, 3000);
    sys_write(cntv_ctl_el0, 1);
    while (interrupts == before) {
        irq_off();
        if (interrupts == before) wfi();
        irq_on();
    }
    irq_off();
}
CODE(user_call, "svc #7");
static void by_user(void) { run_user((u64)user_call, 0); }

/* Arm ARM, ISS encoding for an exception from an access to SVE, Advanced SIMD or floating-point: CV 1, COND 14. */
static void check_off(const char *what) {
    const u64 esr = noted.cause;
    if (noted.count != 1 || EC(esr) != EC_FP || (esr & 0x3f00000) != 0x3e00000) fail(name, "%s with the unit off: %u traps, ESR %x", what, noted.count, esr);
}

#define OFF(text) \
    do { \
        clear_note(); \
        __asm__ volatile(text : : "r"(memory) : "x9", "memory"); \
        check_off(text); \
    } while (0)

static void unit_off(u64 fpen) {
    sys_write(cpacr_el1, fpen << 20);
    expect_traps(true);
    OFF("fadd d1, d2, d3");
    OFF("ldr d1, [%0]");
    OFF("str q1, [%0]");
    OFF("ldp s1, s2, [%0]");
    OFF("st1 {v1.16b}, [%0]");
    OFF("fmov x9, d1");
    OFF("add v1.4s, v2.4s, v3.4s");
    OFF("mrs x9, fpcr");
    OFF("msr fpsr, xzr");
    expect_traps(false);
    if (memory[0] != 0x3ff8000000000000) fail(name, "a store with the unit off stored");
    sys_write(cpacr_el1, 3ul << 20);
}

CODE(user_fp, "fmov d0, x0\n\tfmov x0, d0\n\tsvc #0");

static void user_off(void) {
    sys_write(cpacr_el1, 1ul << 20);
    run_user((u64)user_fp, 77);
    if (EC(user_stop.esr) != EC_FP || user_stop.elr != (u64)user_fp) fail(name, "EL0 with FPEN 1: ESR %x ELR %x", user_stop.esr, user_stop.elr);
    __asm__ volatile("fmov d1, xzr");
    sys_write(cpacr_el1, 3ul << 20);
    if (run_user((u64)user_fp, 77) != 77 || EC(user_stop.esr) != EC_SVC) fail(name, "EL0 with FPEN 3: ESR %x", user_stop.esr);
}

static void arithmetic(void) {
    u64 product, flags;
    __asm__ volatile("ldr d1, [%1]\n\tfmul d2, d1, d1\n\tfmov %0, d2" : "=r"(product) : "r"(memory));
    if (product != 0x4002000000000000) fail(name, "1.5 * 1.5 is %x", product);
    __asm__ volatile("mvni v1.4s, #0\n\tldr s1, [%1, #8]\n\tfmov %0, d1" : "=r"(product) : "r"(memory));
    if (product != 0x40490fdb) fail(name, "a load of s1 keeps old bits: %x", product);
    __asm__ volatile("fmov d1, xzr\n\tfdiv d2, d1, d1\n\tfmov %0, d2" : "=r"(product));
    flags = sys_read(fpsr);
    if (flags != 1 || product != 0x7ff8000000000000) fail(name, "0/0: flags %x value %x", flags, product);
}

void guest_main(void) {
    if (sys_read(cpacr_el1) >> 20 & 3) say("entered with the unit on\n");
    unit_off(0);
    unit_off(2);
    gic_init();
    gic_enable(VIRTUAL_TIMER, 0x80);
    keep("an MMIO access", 1, by_mmio);
    keep("a hypercall", 2, by_hypercall);
    keep("reading time", 3, by_time);
    keep("a fault", 4, by_fault);
    keep("a long loop", 5, by_spin);
    for (u64 i = 0; i < 20; ++i) keep("an interrupt", 6 + i, by_interrupt);
    keep("EL0", 99, by_user);
    arithmetic();
    user_off();
    pass(name);
}
