/* Debug registers keep what they are given, DR4 and DR5 are DR6 and DR7 until CR4.DE, reserved bits are fixed, general detect and
   single steps raise #DB with their bits, INT3 and ICEBP are traps, ring 3 may not touch the registers. */
#include "guest.h"

static const char name[] = "debug_regs";
#define dr_read(n) ({ u64 v_; __asm__ volatile("mov %%db" #n ", %0" : "=r"(v_)); v_; })
#define dr_write(n, value) __asm__ volatile("mov %0, %%db" #n : : "r"((u64)(value)) : "memory")

static void expect(const char *what, u64 got, u64 wanted) {
    if (got != wanted) fail(name, "%s: %x, not %x", what, got, wanted);
}

static volatile u64 steps, breakpoints, dr6, addresses[16];

void guest_trap(struct frame *frame) {
    if (frame->vector == DB && !traps_expected) {
        dr6 = dr_read(6);
        dr_write(6, 0xffff0ff0);
        if (steps < 16) addresses[steps] = frame->rip;
        steps++;
        /* The step after POPF of the end is the last. */
        return;
    }
    if (frame->vector == BP) {
        breakpoints++;
        return;
    }
    if (handle_user(frame) || handle_expected(frame)) return;
    fail(name, "trap vector=%u error=%x rip=%x", frame->vector, frame->error, frame->rip);
}

static void values(void) {
    dr_write(0, 0x123456789abcdef0);
    dr_write(1, ~0ul);
    dr_write(2, 0);
    dr_write(3, 0xffffffff80000000);
    expect("DR0", dr_read(0), 0x123456789abcdef0), expect("DR1", dr_read(1), ~0ul), expect("DR2", dr_read(2), 0), expect("DR3", dr_read(3), 0xffffffff80000000);
    dr_write(6, 0);
    expect("DR6 of 0", dr_read(6), 0xffff0ff0);
    dr_write(6, 0xffffffff);
    expect("DR6 of ones", dr_read(6) & 0xffff1fff, 0xffff0fff);
    dr_write(7, 0);
    expect("DR7 of 0", dr_read(7), 0x400);
    dr_write(7, 0x300);
    expect("DR7 with LE and GE", dr_read(7), 0x700);
    dr_write(7, 0);
    dr_write(6, 0xffff0ff0);
}

static void aliases(void) {
    expect("DR4", dr_read(4), dr_read(6));
    expect("DR5", dr_read(5), dr_read(7));
    dr_write(4, 0xffff0ff1);
    expect("DR6 through DR4", dr_read(6), 0xffff0ff1);
    dr_write(4, 0xffff0ff0);
    const bool has_de = cpuid(1, 0).edx >> 2 & 1;
    expect_traps(true);
    if (has_de) {
        cr_write(4, cr_read(4) | 8);
        __asm__ volatile(TRY("mov %%db4, %%rax") : : : "rax");
        expect_exception(name, "DR4 with DE", UD, 0);
        __asm__ volatile(TRY("mov %%rax, %%db5") : : : "memory");
        expect_exception(name, "DR5 with DE", UD, 0);
        cr_write(4, cr_read(4) & ~8ul);
    }
    __asm__ volatile(TRY("mov %0, %%db6") : : "r"(1ul << 32) : "memory");
    expect_exception(name, "DR6's upper half", GP, 0);
    __asm__ volatile(TRY("mov %0, %%db7") : : "r"(1ul << 63) : "memory");
    expect_exception(name, "DR7's upper half", GP, 0);
    expect_traps(false);
}

extern char step_first[], step_second[], step_third[], step_end[];

static void single_steps(void) {
    steps = 0;
    __asm__ volatile("pushfq\n\torq $0x100, (%%rsp)\n\tpopfq\n"
                     "step_first: nop\n"
                     "step_second: movl $5, %%eax\n"
                     "step_third: pushfq\n\tandq $~0x100, (%%rsp)\n\tpopfq\n"
                     "step_end:" : : : "rax", "cc", "memory");
    expect("steps", steps, 5);
    if (!(dr6 & 0x4000)) fail(name, "a step leaves DR6 %x", dr6);
    if (addresses[0] != (u64)step_second || addresses[1] != (u64)step_third || addresses[4] != (u64)step_end) fail(name, "steps at %x, %x, %x", addresses[0], addresses[1], addresses[4]);
    if (rflags() & 0x100) fail(name, "TF stays");
}

static void general_detect(void) {
    dr_write(7, 0x2000);
    expect_traps(true);
    __asm__ volatile(TRY("mov %%db0, %%rax") : : : "rax");
    expect_exception(name, "general detect", DB, 0);
    expect_traps(false);
    if (!(dr_read(6) & 0x2000)) fail(name, "general detect leaves DR6 %x", dr_read(6));
    expect("DR7 afterwards", dr_read(7), 0x400);
    dr_write(6, 0xffff0ff0);
}

static void traps(void) {
    __asm__ volatile("int3\n\tint3");
    expect("INT3", breakpoints, 2);
    steps = 0;
    __asm__ volatile(".byte 0xf1");
    expect("ICEBP", steps, 1);
}

CODE(user_read, "mov %db7, %rax\n\tint $0x80");
CODE(user_write, "mov %rax, %db0\n\tint $0x80");

void guest_main(void) {
    values();
    aliases();
    single_steps();
    general_detect();
    traps();
    run_user((u64)user_read, 0);
    expect("reading in ring 3", user_stop.cause, GP);
    run_user((u64)user_write, 0);
    expect("writing in ring 3", user_stop.cause, GP);
    pass(name);
}
