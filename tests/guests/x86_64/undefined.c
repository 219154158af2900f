/* Instructions that the guest's CPU does not have are #UD at their own address and change nothing; those that do nothing here do
   nothing; privileged ones are #GP in ring 3; a hypercall that nobody knows fails, and is #UD in ring 3. */
#include "guest.h"

static const char name[] = "undefined";
static u64 memory[8] __attribute__((aligned(64)));

#define UNDEFINED(text) \
    do { \
        u64 a_ = 0x1111, c_ = 0, d_ = 0x3333; \
        __asm__ volatile(TRY(text) : "+a"(a_), "+c"(c_), "+d"(d_) : "b"(memory) : "cc", "memory"); \
        expect_exception(name, text, UD, 0); \
        if (a_ != 0x1111 || c_ != 0 || d_ != 0x3333) fail(name, "%s changes registers: %x %x %x", text, a_, c_, d_); \
    } while (0)
#define NOTHING(text) \
    do { \
        __asm__ volatile(TRY(text) : : "a"(memory), "b"(memory) : "memory"); \
        expect_none(name, text); \
    } while (0)

static void missing(void) {
    UNDEFINED("ud2"); UNDEFINED(".byte 0x0f, 0xff"); UNDEFINED(".byte 0x06"); UNDEFINED(".byte 0x27"); UNDEFINED(".byte 0xd6"); UNDEFINED(".byte 0x0f, 0xb9, 0xc0");
    /* VMX, SVM and SMX. */
    UNDEFINED("vmxon (%%rbx)"); UNDEFINED("vmxoff"); UNDEFINED("vmclear (%%rbx)"); UNDEFINED("vmptrld (%%rbx)"); UNDEFINED("vmptrst (%%rbx)");
    UNDEFINED("vmlaunch"); UNDEFINED("vmresume"); UNDEFINED("vmread %%rax, %%rcx"); UNDEFINED("vmwrite %%rax, %%rcx");
    UNDEFINED("invept (%%rbx), %%rax"); UNDEFINED("invvpid (%%rbx), %%rax"); UNDEFINED(".byte 0x0f, 0x01, 0xd4"); UNDEFINED("getsec");
    UNDEFINED("vmrun"); UNDEFINED("vmmcall"); UNDEFINED("vmload"); UNDEFINED("vmsave"); UNDEFINED("stgi"); UNDEFINED("clgi"); UNDEFINED("skinit");
    /* What CPUID does not announce. */
    if (!(cpuid(1, 0).ecx >> 3 & 1)) {
        UNDEFINED("monitor");
        UNDEFINED("mwait");
    }
    if (!(cpuid(1, 0).ecx >> 26 & 1)) {
        UNDEFINED("xsetbv"); UNDEFINED("xgetbv"); UNDEFINED("xsave (%%rbx)"); UNDEFINED("xrstor (%%rbx)");
    }
    if (!(cpuid(1, 0).ecx >> 30 & 1)) {
        UNDEFINED("rdrand %%eax"); UNDEFINED("rdrand %%rcx");
    }
    UNDEFINED("invpcid (%%rbx), %%rax"); UNDEFINED("rdseed %%eax"); UNDEFINED("rdfsbase %%rax"); UNDEFINED("rsm");
}

static void nothing(void) {
    NOTHING("wbinvd"); NOTHING("invd"); NOTHING("pause"); NOTHING("rep nop"); NOTHING("lfence"); NOTHING("mfence"); NOTHING("sfence");
    NOTHING("clflush (%%rbx)"); NOTHING("prefetcht0 (%%rbx)"); NOTHING("nopl (%%rbx)"); NOTHING("invlpg (%%rbx)"); NOTHING("endbr64");
    for (unsigned i = 0; i < 100; ++i) pause();
}

static void hypercall(void) {
    u64 rax = 0x7fffffff, rbx = 1, rcx = 2;
    __asm__ volatile("vmcall" : "+a"(rax), "+b"(rbx), "+c"(rcx) : : "memory");
    if ((i64)rax >= 0) fail(name, "an unknown hypercall succeeds with %x", rax);
    if (rbx != 1 || rcx != 2) fail(name, "an unknown hypercall changes registers");
}

#define USER(label, text) CODE(label, text "\n\tint $0x80")
USER(u_vmcall, "vmcall"); USER(u_ud2, "ud2"); USER(u_vmxoff, "vmxoff");
USER(u_hlt, "hlt"); USER(u_invd, "invd"); USER(u_wbinvd, "wbinvd"); USER(u_invlpg, "invlpg (%rsp)"); USER(u_lgdt, "lgdt (%rsp)"); USER(u_lidt, "lidt (%rsp)");
USER(u_ltr, "ltr %ax"); USER(u_lldt, "lldt %ax"); USER(u_cli, "cli"); USER(u_sti, "sti"); USER(u_swapgs, "swapgs"); USER(u_sysret, "sysretq");
USER(u_pause, "pause"); USER(u_sgdt, "subq $64, %rsp\n\tsgdt (%rsp)");

static void rings(void) {
    const struct {
        char *code;
        u64 cause;
    } cases[] = {{u_vmcall, UD}, {u_ud2, UD}, {u_vmxoff, UD}, {u_hlt, GP}, {u_invd, GP}, {u_wbinvd, GP}, {u_invlpg, GP}, {u_lgdt, GP}, {u_lidt, GP},
                 {u_ltr, GP}, {u_lldt, GP}, {u_cli, GP}, {u_sti, GP}, {u_swapgs, GP}, {u_sysret, GP}, {u_pause, 0x80}, {u_sgdt, 0x80}};
    for (unsigned i = 0; i < sizeof cases / sizeof *cases; ++i) {
        run_user((u64)cases[i].code, 0);
        if (user_stop.cause != cases[i].cause) fail(name, "ring 3, case %u: %x, not %x", (u64)i, user_stop.cause, cases[i].cause);
        if (cases[i].cause != 0x80 && user_stop.rip != (u64)cases[i].code) fail(name, "ring 3, case %u: stops at %x", (u64)i, user_stop.rip);
    }
}

void guest_main(void) {
    wrmsr(0xc0000080, rdmsr(0xc0000080) | 1);
    expect_traps(true);
    missing();
    nothing();
    expect_traps(false);
    hypercall();
    rings();
    pass(name);
}
