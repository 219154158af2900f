/* Three further CPUs, started by INIT and start-up IPIs at three different pages: each begins in real mode with CS:IP at its page
   and the registers of a reset, runs 16-bit code with ports and its own stack, and is started over and over. A start-up IPI without
   an INIT before it is ignored. */
#include "guest.h"

static const char name[] = "ap_start";
/* What real-mode code at `page` leaves there at 0x800. */
struct report {
    u16 runs, cs, ip, flags, cr0, ss, sp, port;
    u32 edx;
};

/* Position-independent within its page; DS is CS. The report lies at 0x800 of the page. */
__asm__(".pushsection .text\n\t.code16\n"
        ".globl real_begin, real_end\n"
        "real_begin:\n\tcli\n\tmovw %sp, %cs:0x80c\n\tmovw %ss, %cs:0x80a\n\tmovw %cs, %ax\n\tmovw %ax, %ds\n\tmovw %ax, %ss\n\tmovw $0x1000, %sp\n"
        "\tmovw %ax, 0x802\n\tcall 1f\n1:\tpopw %ax\n\tsubw $(1b - real_begin), %ax\n\tmovw %ax, 0x804\n\tpushfw\n\tpopw 0x806\n\tsmsww 0x808\n"
        "\tmovl %edx, 0x810\n\tmovw $0x1234, %dx\n\tinw %dx, %ax\n\tmovw %ax, 0x80e\n\tincw 0x800\n2:\thlt\n\tjmp 2b\n"
        "real_end:\n\t.code64\n\t.popsection");
extern char real_begin[], real_end[];

static struct report *prepare(u64 page) {
    for (const char *from = real_begin; from != real_end; ++from) write8(page + (u64)(from - real_begin), (u8)*from);
    struct report *r = (struct report *)(page + 0x800);
    *r = (struct report){0};
    return r;
}

static void wait_for(volatile u16 *runs, u16 wanted, u64 cpu) {
    for (u64 i = 0; *runs != wanted; ++i) {
        if (i > 100000000) fail(name, "CPU %u ran %u times, not %u", cpu, (u64)*runs, (u64)wanted);
        pause();
    }
}

void guest_main(void) {
    const unsigned count = count_cpus();
    static const u64 pages[] = {0, 0x1000, 0x9f000 - 0x1000, 0x50000};
    struct report *reports[4];
    lapic_init();
    for (unsigned cpu = 1; cpu < count && cpu < 4; ++cpu) reports[cpu] = prepare(pages[cpu]);
    for (u16 round = 1; round <= 5; ++round)
        for (unsigned cpu = 1; cpu < count && cpu < 4; ++cpu) {
            volatile struct report *r = reports[cpu];
            ipi(cpu, IPI_INIT);
            for (volatile unsigned i = 0; i < 1000; ++i) {}
            ipi(cpu, IPI_STARTUP | (u32)(pages[cpu] >> 12));
            wait_for(&r->runs, round, cpu);
            if (r->cs != pages[cpu] >> 4 || r->ip != 0) fail(name, "CPU %u begins at %x:%x", (u64)cpu, (u64)r->cs, (u64)r->ip);
            if ((r->flags & 0x702) != 2) fail(name, "CPU %u begins with flags %x", (u64)cpu, (u64)r->flags);
            if (r->cr0 & 1) fail(name, "CPU %u begins with CR0 %x", (u64)cpu, (u64)r->cr0);
            if (r->ss != 0 || r->sp != 0) fail(name, "CPU %u begins with a stack at %x:%x", (u64)cpu, (u64)r->ss, (u64)r->sp);
            if (r->edx != cpuid(1, 0).eax && cpuid(0x40000000, 0).ebx == 0x69737861) fail(name, "CPU %u begins with EDX %x", (u64)cpu, (u64)r->edx);
            if (r->port != 0xffff) fail(name, "CPU %u reads %x from a port", (u64)cpu, (u64)r->port);
            /* Once more without INIT: it is not waiting. */
            ipi(cpu, IPI_STARTUP | (u32)(pages[cpu] >> 12));
            for (volatile unsigned i = 0; i < 20000; ++i) {}
            if (r->runs != round) fail(name, "CPU %u takes a start-up IPI while it runs", (u64)cpu);
        }
    say("%u CPUs\n", (u64)count);
    pass(name);
}
