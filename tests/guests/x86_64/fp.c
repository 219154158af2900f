/* SSE and x87 registers, control and status survive exits of every kind and interrupts; with the unit off each such instruction
   raises its own exception, as CR0.EM, CR0.TS and CR4.OSFXSR say. */
#include "guest.h"

static const char name[] = "fp";
static u64 memory[4] __attribute__((aligned(16))) = {0x3ff8000000000000, 0x40490fdb, 0x1111111122222222, 0x3333333344444444};
static volatile u64 interrupts;
#define TIMER 0x40u

#define EACH(X) X(0) X(1) X(2) X(3) X(4) X(5) X(6) X(7) X(8) X(9) X(10) X(11) X(12) X(13) X(14) X(15)
#define PUT(n) __asm__ volatile("movq %0, %%xmm" #n "\n\tpinsrq $1, %1, %%xmm" #n : : "r"(pattern(n, salt)), "r"(~pattern(n, salt)));
#define TAKE(n) \
    { \
        u64 low_, high_; \
        __asm__ volatile("movq %%xmm" #n ", %0\n\tpextrq $1, %%xmm" #n ", %1" : "=r"(low_), "=r"(high_)); \
        if (low_ != pattern(n, salt) || high_ != ~pattern(n, salt)) fail(name, "xmm%u after %s: %x %x", (u64)n, what, high_, low_); \
    }

#define MXCSR 0xffc0u /* flush to zero, round towards zero, all masked, denormals are zero */
#define CONTROL 0x0c7fu

static u64 pattern(u64 n, u64 salt) { return 0xfff0000000000000 | n << 32 | salt; }

void guest_trap(struct frame *frame) {
    if (handle_user(frame) || handle_expected(frame)) return;
    if (frame->vector != TIMER) fail(name, "trap vector=%u error=%x rip=%x", frame->vector, frame->error, frame->rip);
    lapic_end();
    interrupts++;
}

/* Nothing between PUT and TAKE may use floating point: the kit does not. */
static void keep(const char *what, u64 salt, void (*exit)(void)) {
    u32 mxcsr = MXCSR;
    u16 control = CONTROL, status;
    u64 top;
    EACH(PUT)
    __asm__ volatile("fninit\n\tfldcw %0\n\tldmxcsr %1\n\tfldpi\n\tfldl %2\n\tfldz" : : "m"(control), "m"(mxcsr), "m"(memory[0]));
    exit();
    EACH(TAKE)
    __asm__ volatile("stmxcsr %0\n\tfnstcw %1\n\tfnstsw %2\n\tfstp %%st(0)\n\tfstpl %3" : "=m"(mxcsr), "=m"(control), "=m"(status), "=m"(top));
    if (mxcsr != MXCSR) fail(name, "MXCSR after %s: %x", what, (u64)mxcsr);
    if (control != CONTROL) fail(name, "FCW after %s: %x", what, (u64)control);
    if ((status & 0x3800) != 5 << 11) fail(name, "FSW after %s: %x", what, (u64)status);
    if (top != memory[0]) fail(name, "st1 after %s: %x", what, top);
    mxcsr = 0x1f80;
    __asm__ volatile("fstpl %0\n\tfninit\n\tldmxcsr %1" : "=m"(top) : "m"(mxcsr));
    if (top >> 12 != 0x400921fb54442) fail(name, "st2 after %s: %x", what, top);
}

static void by_port(void) { (void)in8(UART_PORT + 5); }
static void by_mmio(void) { (void)lapic(LAPIC_VERSION); }
static void by_cpuid(void) { (void)cpuid(1, 0); }
static void by_msr(void) { (void)rdmsr(0x1b); }
static void by_time(void) { for (u64 end = rdtsc() + 20000; rdtsc() < end;) {} }
static void by_spin(void) { for (volatile u64 i = 0; i < 100000; ++i) {} }
static void by_fault(void) {
    expect_traps(true);
    __asm__ volatile(TRY("ud2"));
    expect_exception(name, "ud2", UD, 0);
    expect_traps(false);
}
static void by_interrupt(void) {
    const u64 before = interrupts;
    lapic_set(LAPIC_LVT_TIMER, TIMER);
    lapic_set(LAPIC_INITIAL, 3000);
    while (interrupts == before) wait_for_irq();
}
CODE(user_call, "int $0x80");
static void by_user(void) { run_user((u64)user_call, 0); }

#define RAISES(text, vector) \
    do { \
        __asm__ volatile(TRY(text) : : "r"(memory) : "rax", "memory"); \
        expect_exception(name, text, vector, 0); \
    } while (0)
#define WORKS(text) \
    do { \
        __asm__ volatile(TRY(text) : : "r"(memory) : "rax", "memory"); \
        expect_none(name, text); \
    } while (0)

/* SDM vol. 3, "Emulation of x87 FPU" and "Providing Non-Numeric Exception Handlers": bits 2 (EM) and 3 (TS) of CR0, bit 9 (OSFXSR)
   of CR4. */
static void units_off(void) {
    const u64 cr0 = cr_read(0), cr4 = cr_read(4);
    expect_traps(true);
    cr_write(0, cr0 | 8);
    RAISES("fld1", NM); RAISES("addps %%xmm1, %%xmm2", NM); RAISES("movups (%0), %%xmm1", NM); RAISES("movups %%xmm1, (%0)", NM);
    RAISES("fxsave (%0)", NM);
    cr_write(0, (cr0 | 4) & ~2ul);
    RAISES("fld1", NM); RAISES("addps %%xmm1, %%xmm2", UD); RAISES("paddb %%mm1, %%mm2", UD);
    cr_write(0, cr0);
    cr_write(4, cr4 & ~0x200ul);
    RAISES("addps %%xmm1, %%xmm2", UD); RAISES("movdqa (%0), %%xmm1", UD); RAISES("ldmxcsr (%0)", UD);
    WORKS("fnclex");
    cr_write(4, cr4);
    WORKS("addps %%xmm1, %%xmm2");
    __asm__ volatile("clts");
    if (memory[0] != 0x3ff8000000000000) fail(name, "a store with the unit off stored");
    expect_traps(false);
}

CODE(user_fp, "movq %rdi, %xmm0\n\tmovq %xmm0, %rax\n\tint $0x80");

static void user_off(void) {
    const u64 cr0 = cr_read(0);
    cr_write(0, cr0 | 8);
    run_user((u64)user_fp, 77);
    if (VECTOR(user_stop.cause) != NM || user_stop.rip != (u64)user_fp) fail(name, "ring 3 with TS: vector %u at %x", VECTOR(user_stop.cause), user_stop.rip);
    cr_write(0, cr0);
    if (run_user((u64)user_fp, 77) != 77 || VECTOR(user_stop.cause) != 0x80) fail(name, "ring 3 without TS: vector %u", VECTOR(user_stop.cause));
}

static void arithmetic(void) {
    u64 product;
    u32 mxcsr = 0x1f80;
    __asm__ volatile("movsd (%1), %%xmm1\n\tmulsd %%xmm1, %%xmm1\n\tmovq %%xmm1, %0" : "=r"(product) : "r"(memory));
    if (product != 0x4002000000000000) fail(name, "1.5 * 1.5 is %x", product);
    __asm__ volatile("ldmxcsr %1\n\txorpd %%xmm1, %%xmm1\n\tdivsd %%xmm1, %%xmm1\n\tmovq %%xmm1, %0\n\tstmxcsr %1" : "=r"(product), "+m"(mxcsr));
    if (product != 0xfff8000000000000) fail(name, "0/0 is %x", product);
    /* An engine may lack SSE's flags, and then its exceptions too; never one without the other. */
    const bool has_flags = (mxcsr & 0x3f) == 1;
    if (!has_flags && (mxcsr & 0x3f)) fail(name, "0/0: MXCSR %x", (u64)mxcsr);
    if (!has_flags) say("no SSE exceptions\n");
    mxcsr = 0x1f00;
    expect_traps(true);
    __asm__ volatile("ldmxcsr %0\n\txorpd %%xmm2, %%xmm2\n\t" TRY("divsd %%xmm2, %%xmm2") : : "m"(mxcsr));
    if (has_flags) expect_exception(name, "0/0 unmasked", XM, 0);
    expect_none(name, "0/0 unmasked, without flags");
    mxcsr = 0x1f80;
    __asm__ volatile("ldmxcsr %0" : : "m"(mxcsr));
    /* x87 with NE: #MF at the next waiting instruction. */
    u16 control = 0x37b;
    __asm__ volatile("fninit\n\tfldcw %0\n\tfld1\n\tfldz\n\tfdivrp\n\t" TRY("fwait") "fnclex\n\tfninit" : : "m"(control));
    expect_exception(name, "x87 1/0 unmasked", MF, 0);
    expect_traps(false);
}

void guest_main(void) {
    pic_off();
    lapic_init();
    cr_write(4, cr_read(4) | 0x600);
    units_off();
    keep("a port", 1, by_port);
    keep("an MMIO access", 2, by_mmio);
    keep("CPUID", 3, by_cpuid);
    keep("an MSR", 4, by_msr);
    keep("reading time", 5, by_time);
    keep("a fault", 6, by_fault);
    keep("a long loop", 7, by_spin);
    for (u64 i = 0; i < 20; ++i) keep("an interrupt", 8 + i, by_interrupt);
    keep("ring 3", 99, by_user);
    arithmetic();
    user_off();
    pass(name);
}
