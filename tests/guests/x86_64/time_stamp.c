/* RDTSC and RDTSCP: they only go forward, agree with each other and with IA32_TIME_STAMP_COUNTER, which can be set; TSC_AUX comes
   along; CR4.TSD takes them from ring 3; performance counters do not exist. */
#include "guest.h"

static const char name[] = "time_stamp";
#define TSC 0x10u
#define TSC_AUX 0xc0000103u

static u64 rdtscp(u32 *aux) {
    u64 low = ~0ul, high = ~0ul, c = ~0ul;
    __asm__ volatile("rdtscp" : "+a"(low), "+d"(high), "+c"(c));
    if ((low | high | c) >> 32) fail(name, "rdtscp leaves upper halves: %x %x %x", low, high, c);
    *aux = (u32)c;
    return high << 32 | low;
}

CODE(user_rdtsc, "rdtsc\n\tint $0x80");
CODE(user_rdtscp, "rdtscp\n\tint $0x80");
CODE(user_rdpmc, "xorl %ecx, %ecx\n\trdpmc\n\tint $0x80");

static void user(u64 entry, u64 vector, const char *what) {
    run_user(entry, 0);
    if (VECTOR(user_stop.cause) != vector) fail(name, "%s in ring 3: exception %u, not %u", what, VECTOR(user_stop.cause), vector);
}

void guest_main(void) {
    u32 aux;
    u64 last = rdtsc();
    for (u64 i = 0; i < 3000; ++i) {
        const u64 now = i % 3 == 0 ? rdtsc() : i % 3 == 1 ? rdtscp(&aux) : rdmsr(TSC);
        if (now < last) fail(name, "round %u: from %u back to %u", i, last, now);
        last = now;
    }
    for (u64 v = 0; v < 5; ++v) {
        wrmsr(TSC_AUX, 0x1234567 * v);
        rdtscp(&aux);
        if (aux != 0x1234567 * v) fail(name, "TSC_AUX %x comes as %x", 0x1234567 * v, (u64)aux);
    }
    static const u64 values[] = {0x123456789abcd, 0, 0xffffffff00000000, 1000};
    for (unsigned i = 0; i < 4; ++i) {
        wrmsr(TSC, values[i]);
        const u64 now = rdtsc(), by_msr = rdmsr(TSC);
        if (now - values[i] > 10000000 || by_msr - now > 10000000) fail(name, "set to %x it reads %x and %x", values[i], now, by_msr);
    }
    user((u64)user_rdtsc, 0x80, "rdtsc");
    user((u64)user_rdtscp, 0x80, "rdtscp");
    user((u64)user_rdpmc, GP, "rdpmc");
    cr_write(4, cr_read(4) | 4);
    user((u64)user_rdtsc, GP, "rdtsc with TSD");
    user((u64)user_rdtscp, GP, "rdtscp with TSD");
    (void)rdtsc();
    cr_write(4, cr_read(4) & ~4ul);
    user((u64)user_rdtsc, 0x80, "rdtsc again");
    expect_traps(true);
    __asm__ volatile(TRY("rdpmc") : : "c"(7) : "rax", "rdx");
    expect_exception(name, "rdpmc", GP, 0);
    pass(name);
}
