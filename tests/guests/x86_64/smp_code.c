/* What one CPU changes for all: code that another CPU runs, once that one has serialised; translations that another CPU uses, after
   an IPI made it flush; while all count under locked instructions of every kind. Passes with one CPU, which does both. */
#include "guest.h"

static const char name[] = "smp_code";
#define WINDOW (4ul << 39)
#define ROUNDS 200u
#define FLUSH 0x52u

static unsigned count;
static u64 *root, *leaf;
static volatile u8 *code;
static u64 *data[2];
static volatile u64 request[MAX_CPUS], answered[MAX_CPUS], call_result[MAX_CPUS], load_result[MAX_CPUS], flushes[MAX_CPUS], quit;
static volatile u64 added, swapped, bits, compared;

/* mov eax, value; ret */
static void write_function(u32 value) {
    code[0] = 0xb8;
    *(volatile u32 *)(code + 1) = value;
    code[5] = 0xc3;
}

void guest_trap(struct frame *frame) {
    if (frame->vector != FLUSH) fail(name, "CPU %u: vector %u error %x rip %x", (u64)this_cpu(), frame->vector, frame->error, frame->rip);
    invlpg(WINDOW);
    flushes[this_cpu()]++;
    lapic_end();
}

static void use_both(u64 cpu) {
    (void)cpuid(0, 0); /* serialises */
    call_result[cpu] = ((u64 (*)(void))(u64)code)();
    load_result[cpu] = read64(WINDOW);
}

static void locked(void) {
    for (unsigned i = 0; i < 50; ++i) {
        u64 one = 1, old = compared;
        __asm__ volatile("lock incq %0" : "+m"(added) : : "cc");
        __asm__ volatile("lock xaddq %0, %1" : "+r"(one), "+m"(swapped) : : "cc");
        __asm__ volatile("lock btcq $5, %0" : "+m"(bits) : : "cc");
        for (;;) {
            u8 done;
            u64 next = old + 1;
            __asm__ volatile("lock cmpxchgq %3, %1\n\tsete %2" : "+a"(old), "+m"(compared), "=q"(done) : "r"(next) : "cc");
            if (done) break;
        }
    }
}

void secondary_main(u64 cpu) {
    lapic_init();
    load_root(root);
    irq_on();
    for (u64 done = 0; !quit;) {
        if (request[cpu] == done) {
            pause();
            continue;
        }
        done = request[cpu];
        use_both(cpu);
        locked();
        answered[cpu] = done;
    }
}

static void change_translation(u64 *page) {
    u64 before[MAX_CPUS];
    *leaf = (u64)page | PTE_PRESENT | PTE_WRITE;
    invlpg(WINDOW);
    for (u64 cpu = 1; cpu < count; ++cpu) before[cpu] = flushes[cpu];
    if (count > 1) ipi(0, IPI_OTHERS | FLUSH);
    for (u64 cpu = 1; cpu < count; ++cpu)
        for (u64 spin = 0; flushes[cpu] == before[cpu]; ++spin) {
            if (spin > 100000000) fail(name, "CPU %u does not flush", cpu);
            pause();
        }
}

static void ask_all(u64 round, u32 value, u64 word) {
    for (u64 cpu = 1; cpu < count; ++cpu) request[cpu] = round;
    use_both(0);
    locked();
    for (u64 cpu = 1; cpu < count; ++cpu)
        for (u64 spin = 0; answered[cpu] != round; ++spin) {
            if (spin > 100000000) fail(name, "round %u: CPU %u does not answer", round, cpu);
            pause();
        }
    for (u64 cpu = 0; cpu < count; ++cpu) {
        if (call_result[cpu] != value) fail(name, "round %u: CPU %u runs old code: %u, not %u", round, cpu, call_result[cpu], (u64)value);
        if (load_result[cpu] != word) fail(name, "round %u: CPU %u reads %x, not %x", round, cpu, load_result[cpu], word);
    }
    const u64 all = round * 50 * count;
    if (added != all || swapped != all || compared != all || bits != (all & 1) << 5) fail(name, "round %u: %u, %u, %u, %x of %u", round, added, swapped, compared, bits, all);
}

void guest_main(void) {
    count = count_cpus();
    pic_off();
    lapic_init();
    code = new_page();
    root = identity_root();
    map_page(root, WINDOW, 0, 0);
    leaf = table_below(&table_below(table_below(&root[4]))[0]);
    for (unsigned i = 0; i < 2; ++i) {
        data[i] = new_page();
        data[i][0] = 0xda7a0000 + i;
    }
    *leaf = (u64)data[0] | PTE_PRESENT | PTE_WRITE;
    load_root(root);
    write_function(0);
    for (u64 cpu = 1; cpu < count; ++cpu) start_cpu(cpu);
    for (u64 cpu = 1; cpu < count; ++cpu)
        while (!(lapic(LAPIC_VERSION) && answered[cpu] == 0 && !is_off(cpu))) pause();
    for (u32 i = 1; i <= ROUNDS; ++i) {
        write_function(i);
        if (i > 1) change_translation(data[i & 1]);
        else *leaf = (u64)data[1] | PTE_PRESENT | PTE_WRITE, invlpg(WINDOW);
        ask_all(i, i, 0xda7a0000 + (i & 1));
    }
    quit = 1;
    for (u64 cpu = 1; cpu < count; ++cpu) wait_until_off(cpu);
    say("%u CPUs\n", (u64)count);
    pass(name);
}
