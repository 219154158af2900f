/* Model-specific registers: those that exist keep what they may hold and refuse the rest with #GP; those that do not are #GP; the
   ones that the CPU works with do what they say: segment bases, SWAPGS, SYSCALL, EFER. */
#include "guest.h"

static const char name[] = "msrs";
#define EFER 0xc0000080u
#define STAR 0xc0000081u
#define LSTAR 0xc0000082u
#define FMASK 0xc0000084u
#define FS_BASE 0xc0000100u
#define GS_BASE 0xc0000101u
#define KERNEL_GS_BASE 0xc0000102u

static bool try_read(u32 number, u64 *value) {
    u32 low = 0, high = 0;
    clear_note();
    __asm__ volatile(TRY("rdmsr") : "+a"(low), "+d"(high) : "c"(number | 0xabcdul << 32));
    *value = (u64)high << 32 | low;
    return !noted.count;
}
static bool try_write(u32 number, u64 value) {
    clear_note();
    __asm__ volatile(TRY("wrmsr") : : "c"(number), "a"((u32)value), "d"((u32)(value >> 32)) : "memory");
    if (noted.count && noted.cause != GP) fail(name, "writing MSR %x raises %x", (u64)number, noted.cause);
    return !noted.count;
}

static void kept(u32 number, u64 value) {
    u64 got;
    if (!try_write(number, value)) fail(name, "MSR %x refuses %x", (u64)number, value);
    if (!try_read(number, &got) || got != value) fail(name, "MSR %x keeps %x, not %x", (u64)number, got, value);
}
static void refused(u32 number, u64 value) {
    u64 before, after;
    if (!try_read(number, &before)) fail(name, "MSR %x cannot be read", (u64)number);
    if (try_write(number, value)) fail(name, "MSR %x takes %x", (u64)number, value);
    if (!try_read(number, &after) || before != after) fail(name, "a refused write changes MSR %x to %x", (u64)number, after);
}

static void missing(void) {
    static const u32 numbers[] = {0x2, 0x3f, 0x12345, 0x3fffffff, 0x40000000, 0x4b564d00, 0x480, 0x48b, 0x80000000, 0xbfffffff, 0xc0000105, 0xc0010117, 0xc0011fff, 0xc0012000, 0xffffffff, 0x830, 0xda0};
    u64 v;
    for (unsigned i = 0; i < sizeof numbers / sizeof *numbers; ++i) {
        if (try_read(numbers[i], &v)) fail(name, "MSR %x reads %x", (u64)numbers[i], v);
        if (noted.count != 1 || noted.cause != GP) fail(name, "reading MSR %x: %x", (u64)numbers[i], noted.cause);
        if (try_write(numbers[i], 0)) fail(name, "MSR %x can be written", (u64)numbers[i]);
    }
    clear_note();
}

static void values(void) {
    kept(0x174, 0x1234), kept(0x175, 0xffff800000001000), kept(0x176, 0x7ffffffff000);
    kept(STAR, 0x0023001000000000), kept(LSTAR, 0xffff800000000000), kept(0xc0000083, 0x1000), kept(FMASK, 0x47700);
    kept(FS_BASE, 0xffff800012345678), kept(GS_BASE, 0x7fffffffffff), kept(KERNEL_GS_BASE, 0xffffffffffffffff);
    kept(0xc0000103, 0xdeadbeef);
    refused(LSTAR, 0x0000800000000000), refused(FS_BASE, 0x8000000000000000), refused(KERNEL_GS_BASE, 0x0000ffffffffffff), refused(0x176, 1ul << 47);
    wrmsr(FS_BASE, 0), wrmsr(GS_BASE, 0);
    /* Page attributes: eight types of which some do not exist. */
    kept(0x277, 0x0007040600070406);
    refused(0x277, 0x0007040600070402), refused(0x277, 0x0807040600070406), refused(0x277, 0xff);
    u64 base;
    if (!try_read(0x1b, &base) || (base & ~0x100ul) != (LAPIC_BASE | 0x800)) fail(name, "IA32_APIC_BASE is %x", base);
    if (!(base >> 8 & 1)) fail(name, "this is not the bootstrap processor");
    refused(0x1b, base | 1), refused(0x1b, base | 1ul << 50);
}

static void efer(void) {
    const u64 start = rdmsr(EFER);
    if ((start & 0x500) != 0x500) fail(name, "EFER is %x", start);
    kept(EFER, start ^ 0x800), kept(EFER, start ^ 1), kept(EFER, start);
    /* LME cannot change under paging; LMA is the CPU's; the rest does not exist. */
    refused(EFER, start & ~0x100ul), refused(EFER, start | 1ul << 63), refused(EFER, start | 2);
}

static void bases(void) {
    static u64 words[2] = {0x1111, 0x2222};
    u64 v;
    wrmsr(GS_BASE, (u64)&words[0]);
    wrmsr(KERNEL_GS_BASE, (u64)&words[1]);
    __asm__ volatile("movq %%gs:0, %0" : "=r"(v));
    if (v != 0x1111) fail(name, "GS base: %x", v);
    __asm__ volatile("swapgs\n\tmovq %%gs:0, %0\n\tswapgs" : "=r"(v));
    if (v != 0x2222) fail(name, "SWAPGS: %x", v);
    if (rdmsr(GS_BASE) != (u64)&words[0]) fail(name, "SWAPGS twice");
    wrmsr(FS_BASE, (u64)&words[1] - 8);
    __asm__ volatile("movq %%fs:8, %0" : "=r"(v));
    if (v != 0x2222) fail(name, "FS base: %x", v);
    /* A selector gives the base of its descriptor. */
    __asm__ volatile("movl %0, %%fs\n\tmovl %0, %%gs" : : "r"(DATA));
    if (rdmsr(FS_BASE) != 0 || rdmsr(GS_BASE) != 0) fail(name, "a selector leaves the base");
}

static volatile u64 by_syscall;
extern char syscall_entry[];
/* RCX has where ring 3 was, R11 its flags. */
__asm__(".pushsection .text\nsyscall_entry: movq %rcx, %rax\n\tpushfq\n\tpopq by_syscall(%rip)\n\tint $0x81\n\t.popsection");
CODE(user_syscall, "stc\n\tsyscall\nafter_syscall: int $0x80");
extern char after_syscall[];
static volatile u64 stopped_cs, stopped_ss, stopped_rax, stopped_r11;
extern u64 kernel_rsp;
extern char user_return[];

void guest_trap(struct frame *frame) {
    if (frame->vector == 0x81) {
        stopped_cs = frame->cs, stopped_ss = frame->ss, stopped_rax = frame->rax, stopped_r11 = frame->r11;
        frame->rip = (u64)user_return, frame->rsp = kernel_rsp, frame->rflags = 2, frame->cs = CODE64, frame->ss = DATA;
        return;
    }
    if (handle_user(frame) || handle_expected(frame)) return;
    fail(name, "trap vector=%u error=%x rip=%x", frame->vector, frame->error, frame->rip);
}

/* SDM vol. 2, "SYSCALL": CS and SS come from STAR, RIP from LSTAR, flags are masked by FMASK. */
static void syscalls(void) {
    wrmsr(STAR, 0x0018ul << 32);
    wrmsr(LSTAR, (u64)syscall_entry);
    wrmsr(FMASK, 0x201);
    wrmsr(EFER, rdmsr(EFER) | 1);
    run_user((u64)user_syscall, 0);
    if (stopped_rax != (u64)after_syscall) fail(name, "SYSCALL leaves RCX %x", stopped_rax);
    if (stopped_cs != 0x18 || stopped_ss != 0x20) fail(name, "SYSCALL makes CS %x SS %x", stopped_cs, stopped_ss);
    if (!(stopped_r11 & 1) || (by_syscall & 0x201)) fail(name, "SYSCALL makes R11 %x RFLAGS %x", stopped_r11, by_syscall);
    wrmsr(EFER, rdmsr(EFER) & ~1ul);
    run_user((u64)user_syscall, 0);
    if (VECTOR(user_stop.cause) != UD) fail(name, "SYSCALL without SCE: %x", user_stop.cause);
}

CODE(user_rdmsr, "movl $0xc0000080, %ecx\n\trdmsr\n\tint $0x80");
CODE(user_wrmsr, "movl $0xc0000100, %ecx\n\txorl %eax, %eax\n\txorl %edx, %edx\n\twrmsr\n\tint $0x80");

void guest_main(void) {
    expect_traps(true);
    missing();
    values();
    efer();
    bases();
    expect_traps(false);
    syscalls();
    run_user((u64)user_rdmsr, 0);
    if (user_stop.cause != GP) fail(name, "RDMSR in ring 3: %x", user_stop.cause);
    run_user((u64)user_wrmsr, 0);
    if (user_stop.cause != GP) fail(name, "WRMSR in ring 3: %x", user_stop.cause);
    pass(name);
}
