/* Floating-point registers, rounding mode and flags survive exits of every kind; with the unit off,
   each floating-point instruction is illegal, compressed ones included. */
#include "guest.h"

static const char name[] = "fp";
static u64 memory[2] = {0x3ff8000000000000, 0x40490fdb};

#define EACH(X) X(0) X(1) X(2) X(3) X(4) X(5) X(6) X(7) X(8) X(9) X(10) X(11) X(12) X(13) X(14) X(15) \
    X(16) X(17) X(18) X(19) X(20) X(21) X(22) X(23) X(24) X(25) X(26) X(27) X(28) X(29) X(30) X(31)
#define PUT(n) __asm__ volatile("fmv.d.x f" #n ", %0" : : "r"(pattern(n, salt)));
#define TAKE(n) { u64 v_; __asm__ volatile("fmv.x.d %0, f" #n : "=r"(v_)); if (v_ != pattern(n, salt)) fail(name, "f%u after %s: %x", (u64)n, what, v_); }

static u64 pattern(u64 n, u64 salt) { return 0xfff0000000000000 | n << 32 | salt; }

/* Nothing between PUT and TAKE may use floating point: the kit does not. */
static void keep(const char *what, u64 salt, void (*exit)(void)) {
    EACH(PUT)
    csr_write(fcsr, 0x7b);
    exit();
    EACH(TAKE)
    if (csr_read(fcsr) != 0x7b) fail(name, "fcsr after %s: %x", what, csr_read(fcsr));
    csr_write(fcsr, 0);
}

static void by_mmio(void) { (void)read8(UART_BASE + 5); }
static void by_sbi(void) { sbi(SBI_BASE, 0, 0, 0, 0, 0, 0); }
static void by_time(void) { for (u64 end = csr_read(time) + 20000; csr_read(time) < end;) {} }
static void by_fault(void) {
    expect_traps(true);
    (void)read64(UNMAPPED);
    expect_traps(false);
}
static void by_spin(void) { for (volatile u64 i = 0; i < 100000; ++i) {} }

static void off(const char *what) {
    if (noted.count != 1 || noted.cause != 2) fail(name, "%s with the unit off: %u traps, cause %u", what, noted.count, noted.cause);
    clear_note();
}

static void unit_off(void) {
    register u64 at __asm__("a0") = (u64)memory;
    csr_clear(sstatus, SSTATUS_FS);
    expect_traps(true);
    __asm__ volatile("fadd.d f1, f2, f3");
    off("fadd.d");
    __asm__ volatile(".option push\n.option norvc\nfld f8, 0(%0)\n.option pop" : : "r"(at));
    off("fld");
    __asm__ volatile(".option push\n.option norvc\nfsd f8, 0(%0)\n.option pop" : : "r"(at) : "memory");
    off("fsd");
    __asm__ volatile("c.fld f8, 0(%0)" : : "r"(at));
    off("c.fld");
    __asm__ volatile("c.fsd f8, 0(%0)" : : "r"(at) : "memory");
    off("c.fsd");
    __asm__ volatile("addi sp, sp, -16\nc.fsdsp f8, 0(sp)\naddi sp, sp, 16" : : : "memory");
    off("c.fsdsp");
    __asm__ volatile("csrr t0, fcsr" : : : "t0");
    off("csrr fcsr");
    expect_traps(false);
    csr_set(sstatus, SSTATUS_FS);
}

void guest_main(void) {
    csr_set(sstatus, SSTATUS_FS);
    keep("an MMIO access", 1, by_mmio);
    keep("an SBI call", 2, by_sbi);
    keep("reading time", 3, by_time);
    keep("a fault", 4, by_fault);
    keep("a long loop", 5, by_spin);

    u64 product, single;
    __asm__ volatile("fld f1, 0(%1)\nfmul.d f2, f1, f1\nfmv.x.d %0, f2" : "=r"(product) : "r"(memory));
    if (product != 0x4002000000000000) fail(name, "1.5 * 1.5 is %x", product);
    __asm__ volatile("flw f1, 8(%1)\nfmv.x.d %0, f1" : "=r"(single) : "r"(memory));
    if (single != 0xffffffff40490fdb) fail(name, "flw does not box: %x", single);
    csr_write(fflags, 0);
    __asm__ volatile("fmv.d.x f1, zero\nfdiv.d f2, f1, f1\nfmv.x.d %0, f2" : "=r"(product));
    if (csr_read(fflags) != 0x10 || product != 0x7ff8000000000000) fail(name, "0/0: flags %x value %x", csr_read(fflags), product);
    unit_off();
    pass(name);
}
