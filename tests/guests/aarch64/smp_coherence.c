/* What one CPU changes for all: code that another CPU runs, after IC IVAU or IC IALLUIS here and ISB there;
   translations that another CPU uses, after TLBI of every broadcast kind. Passes with one CPU, which does both. */
#include "guest.h"

static const char name[] = "smp_coherence";
#define WINDOW (4ul << 30)
#define ROUNDS 200u

static unsigned cpus;
static u64 *root, *leaves;
static volatile u32 *code;
static u64 *data[2];
static volatile u64 request[MAX_CPUS], answered[MAX_CPUS], call_result[MAX_CPUS], load_result[MAX_CPUS], quit;

static void write_function(u32 value) {
    code[0] = 0xd2800000 | value << 5; /* mov x0, value; ret */
    code[1] = 0xd65f03c0;
}

static void use_both(u64 cpu) {
    isb();
    call_result[cpu] = ((u64 (*)(void))(u64)code)();
    load_result[cpu] = read64(WINDOW);
}

void secondary_main(u64 cpu) {
    mmu_on(root, root);
    for (u64 done = 0; !quit;) {
        if (request[cpu] == done) continue;
        done = request[cpu];
        use_both(cpu);
        dsb();
        answered[cpu] = done;
    }
    hvc(PSCI_CPU_OFF, 0, 0, 0);
    fail(name, "CPU %u is not off", cpu);
}

static void change_code(u32 value, bool all) {
    write_function(value);
    if (!all) {
        flush_code((u64)code, 8);
        return;
    }
    __asm__ volatile("dc cvau, %0\n\tdsb ish\n\tic ialluis\n\tdsb ish\n\tisb" : : "r"(code) : "memory");
}

static void change_translation(u64 *page, unsigned kind) {
    leaves[0] = 0;
    __asm__ volatile("dsb ish" : : : "memory");
    const u64 operand = WINDOW >> 12;
    switch (kind) {
    case 0: __asm__ volatile("tlbi vae1is, %0" : : "r"(operand) : "memory"); break;
    case 1: __asm__ volatile("tlbi vaae1is, %0" : : "r"(operand) : "memory"); break;
    case 2: __asm__ volatile("tlbi vale1is, %0" : : "r"(operand) : "memory"); break;
    case 3: __asm__ volatile("tlbi vaale1is, %0" : : "r"(operand) : "memory"); break;
    case 4: __asm__ volatile("tlbi aside1is, %0" : : "r"(0ul) : "memory"); break;
    default: __asm__ volatile("tlbi vmalle1is" : : : "memory"); break;
    }
    __asm__ volatile("dsb ish" : : : "memory");
    leaves[0] = (u64)page | PTE_PAGE | PTE_RAM | PTE_NOT_GLOBAL;
    __asm__ volatile("dsb ish\n\tisb" : : : "memory");
}

static void ask_all(u64 round, u32 value, u64 word) {
    for (u64 cpu = 1; cpu < cpus; ++cpu) request[cpu] = round;
    use_both(0);
    for (u64 cpu = 1; cpu < cpus; ++cpu)
        for (u64 spin = 0; answered[cpu] != round; ++spin)
            if (spin > 100000000) fail(name, "round %u: CPU %u does not answer", round, cpu);
    for (u64 cpu = 0; cpu < cpus; ++cpu) {
        if (call_result[cpu] != value) fail(name, "round %u: CPU %u runs old code: %u, not %u", round, cpu, call_result[cpu], (u64)value);
        if (load_result[cpu] != word) fail(name, "round %u: CPU %u reads %x, not %x", round, cpu, load_result[cpu], word);
    }
}

void guest_main(void) {
    cpus = count_cpus();
    code = new_page();
    root = identity_root();
    u64 *middle = new_page();
    leaves = new_page();
    root[4] = (u64)middle | PTE_TABLE;
    middle[0] = (u64)leaves | PTE_TABLE;
    for (unsigned i = 0; i < 2; ++i) {
        data[i] = new_page();
        data[i][0] = 0xda7a0000 + i;
    }
    mmu_on(root, root);
    change_code(0, true);
    change_translation(data[0], 5);
    for (u64 cpu = 1; cpu < cpus; ++cpu)
        if (start_cpu(cpu)) fail(name, "starting CPU %u", cpu);
    for (u32 i = 1; i <= ROUNDS; ++i) {
        change_code(i, i % 7 == 0);
        change_translation(data[i & 1], i % 6);
        ask_all(i, i, 0xda7a0000 + (i & 1));
    }
    quit = 1;
    for (u64 cpu = 1; cpu < cpus; ++cpu) wait_until_off(cpu);
    say("%u CPUs\n", (u64)cpus);
    pass(name);
}
