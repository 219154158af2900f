/* CPUID: leaves that exist agree with each other and with what the CPU then does, leaves that do not exist say nothing, upper
   halves become 0, and ring 3 may ask. */
#include "guest.h"

static const char name[] = "cpu_id";

static void halves(void) {
    u64 a = 0xffffffff00000000, b = ~0ul, c = 0xffffffff00000000, d = ~0ul;
    __asm__ volatile("cpuid" : "+a"(a), "+b"(b), "+c"(c), "+d"(d));
    if ((a | b | c | d) >> 32) fail(name, "upper halves: %x %x %x %x", a, b, c, d);
}

static void empty(u32 leaf) {
    for (u32 sub = 0; sub < 3; ++sub) {
        const struct cpuid r = cpuid(leaf, sub);
        if (r.eax | r.ebx | r.ecx | r.edx) fail(name, "leaf %x has %x %x %x %x", (u64)leaf, (u64)r.eax, (u64)r.ebx, (u64)r.ecx, (u64)r.edx);
    }
}

CODE(user_cpuid, "xorl %eax, %eax\n\txorl %ecx, %ecx\n\tcpuid\n\tmovl %ebx, %eax\n\tint $0x80");

/* A feature that is missing raises #UD, and one that is there does not. */
#define FEATURE(has, text, what) \
    do { \
        __asm__ volatile(TRY(text) : : "r"(memory) : "rax", "rcx", "rdx", "memory"); \
        if ((has) && noted.count) fail(name, what " is announced and raises %u", VECTOR(noted.cause)); \
        if (!(has) && noted.count != 1) fail(name, what " is not announced and works"); \
        if (!(has) && VECTOR(noted.cause) != UD) fail(name, what " raises %u, not #UD", VECTOR(noted.cause)); \
        clear_note(); \
    } while (0)

void guest_main(void) {
    static u64 memory[64] __attribute__((aligned(64)));
    const struct cpuid first = cpuid(0, 0), features = cpuid(1, 0), extended = cpuid(0x80000000, 0), far = cpuid(0x80000001, 0);
    const u32 ecx = features.ecx, edx = features.edx;
    if (first.eax < 1 || extended.eax < 0x80000008) fail(name, "leaves end at %x and %x", (u64)first.eax, (u64)extended.eax);
    if (features.ebx >> 24 != this_cpu()) fail(name, "leaf 1 names APIC %u", (u64)features.ebx >> 24);
    if (!(edx & 1) || !(edx >> 5 & 1) || !(edx >> 9 & 1) || !(edx >> 25 & 1) || !(far.edx >> 29 & 1) || !(far.edx >> 20 & 1))
        fail(name, "what long mode needs is missing: %x %x", (u64)edx, (u64)far.edx);
    if ((cpuid(0x80000008, 0).eax & 0xff) < 36) fail(name, "%u address bits", (u64)cpuid(0x80000008, 0).eax & 0xff);
    say("%x %x %x %x, model %x\n", (u64)ecx, (u64)edx, (u64)far.ecx, (u64)far.edx, (u64)features.eax);
    halves();
    if (cpuid(0x40000000, 0).ebx == 0x69737861) { /* "axsi": of axsim it is known what does not exist */
        empty(first.eax + 1), empty(0x20000000), empty(0x8fffffff), empty(extended.eax + 1), empty(0xffffffff), empty(0x40000001);
        empty(0xb), empty(0xd);
    }
    for (unsigned i = 0; i < 3; ++i) {
        const struct cpuid again = cpuid(1, i);
        if (again.eax != features.eax || again.ecx != features.ecx) fail(name, "leaf 1 is not always the same");
    }
    if ((u32)run_user((u64)user_cpuid, 0) != first.ebx) fail(name, "ring 3: %x", (u64)user_stop.cause);
    cr_write(4, cr_read(4) | 0x600);
    expect_traps(true);
    FEATURE(ecx & 1, "addsubps %%xmm1, %%xmm2", "SSE3");
    FEATURE(ecx >> 1 & 1, "pclmulqdq $0, %%xmm1, %%xmm2", "PCLMULQDQ");
    FEATURE(ecx >> 9 & 1, "pshufb %%xmm1, %%xmm2", "SSSE3");
    FEATURE(ecx >> 13 & 1, "xorl %%eax, %%eax\n\txorl %%edx, %%edx\n\tcmpxchg16b (%0)", "CMPXCHG16B");
    FEATURE(ecx >> 19 & 1, "ptest %%xmm1, %%xmm2", "SSE4.1");
    FEATURE(ecx >> 20 & 1, "crc32b (%0), %%eax", "SSE4.2");
    FEATURE(ecx >> 23 & 1, "popcntl (%0), %%eax", "POPCNT");
    FEATURE(ecx >> 25 & 1, "aesenc %%xmm1, %%xmm2", "AES");
    FEATURE(ecx >> 27 & 1, "xorl %%ecx, %%ecx\n\txgetbv", "OSXSAVE");
    FEATURE(ecx >> 30 & 1, "rdrand %%eax", "RDRAND");
    FEATURE(edx >> 15 & 1, "cmovel %%eax, %%ecx", "CMOV");
    FEATURE(edx >> 19 & 1, "clflush (%0)", "CLFLUSH");
    FEATURE(edx >> 24 & 1, "fxsave (%0)", "FXSAVE");
    FEATURE(edx >> 26 & 1, "paddq %%xmm1, %%xmm2", "SSE2");
    FEATURE(far.edx >> 27 & 1, "rdtscp", "RDTSCP");
    FEATURE(far.ecx & 1, "lahf", "LAHF");
    __asm__ volatile(TRY("rdmsr") : : "c"(0x10a) : "rax", "rdx");
    if ((cpuid(7, 0).edx >> 29 & 1) != (noted.count == 0)) fail(name, "IA32_ARCH_CAPABILITIES is announced or there, not both");
    clear_note();
    expect_traps(false);
    pass(name);
}
