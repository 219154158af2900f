/* CPUs turned on and off many times: CPU_ON's answers in every state, the state that a started CPU finds itself in,
   its context, AFFINITY_INFO all along, CPUs that start each other. Passes with one CPU too. */
#include "guest.h"

static const char name[] = "psci_cycle";
#define CYCLES 30u

static volatile u64 running[MAX_CPUS], may_stop[MAX_CPUS], starts[MAX_CPUS], contexts[MAX_CPUS];
static volatile u64 sctlr[MAX_CPUS], daif[MAX_CPUS], el[MAX_CPUS], stack_select[MAX_CPUS];
u8 stacks[MAX_CPUS][4096] __attribute__((aligned(16)));

/* Its own entry, so that the first instruction's state can be seen: x0 is the context. */
CODE(cycle_start,
     "mrs x1, mpidr_el1\n\tand x1, x1, #0xff\n\tmrs x2, sctlr_el1\n\tmrs x3, daif\n\tmrs x4, CurrentEL\n\tmrs x5, spsel\n\t"
     "adrp x6, vectors\n\tadd x6, x6, :lo12:vectors\n\tmsr vbar_el1, x6\n\tisb\n\t"
     "adrp x6, stacks\n\tadd x6, x6, :lo12:stacks\n\tadd x7, x1, #1\n\tadd x6, x6, x7, lsl #12\n\tmov sp, x6\n\tb cycle_main");

void cycle_main(u64 context, u64 cpu, u64 sctlr_value, u64 daif_value, u64 el_value, u64 spsel) {
    contexts[cpu] = context;
    sctlr[cpu] = sctlr_value;
    daif[cpu] = daif_value;
    el[cpu] = el_value;
    stack_select[cpu] = spsel;
    starts[cpu]++;
    dsb();
    running[cpu] = 1;
    while (!may_stop[cpu]) {}
    running[cpu] = 0;
    hvc(PSCI_CPU_OFF, 0, 0, 0);
    fail(name, "CPU %u is not off", cpu);
}

static void wait_until_running(u64 cpu) {
    for (u64 i = 0; !running[cpu]; ++i)
        if (i > 100000000) fail(name, "CPU %u never runs", cpu);
}

static void check_state(u64 cpu, u64 context, u64 cycle) {
    if (contexts[cpu] != context) fail(name, "CPU %u: context %x, not %x", cpu, contexts[cpu], context);
    if (sctlr[cpu] & 0x1005) fail(name, "CPU %u: SCTLR_EL1 %x", cpu, sctlr[cpu]);
    if (daif[cpu] != 0x3c0) fail(name, "CPU %u: DAIF %x", cpu, daif[cpu]);
    if (el[cpu] != 4 || stack_select[cpu] != 1) fail(name, "CPU %u: CurrentEL %x SPSel %x", cpu, el[cpu], stack_select[cpu]);
    if (starts[cpu] != cycle + 1) fail(name, "CPU %u started %u times, not %u", cpu, starts[cpu], cycle + 1);
}

static u64 pendings;
static bool qemu;

static void one_cycle(u64 cpu, u64 cycle) {
    const u64 context = 0x123456789abcdef0 + cpu + cycle;
    const u32 function = cycle & 1 ? 0x84000003 : PSCI_CPU_ON;
    const u64 passed = cycle & 1 ? context & 0xffffffff : context;
    if (hvc(PSCI_AFFINITY_INFO, cpu, 0, 0) != 1) fail(name, "CPU %u is off, but its state is %d", cpu, hvc(PSCI_AFFINITY_INFO, cpu, 0, 0));
    may_stop[cpu] = 0;
    dsb();
    i64 error = hvc(function, cpu, (u64)cycle_start, passed);
    if (error) fail(name, "starting CPU %u: %d", cpu, error);
    /* Until it runs, a second call may find it pending; AFFINITY_INFO says on or pending. QEMU 7.2 starts it anew. */
    error = qemu ? PSCI_ON_PENDING : hvc(PSCI_CPU_ON, cpu, (u64)cycle_start, 0);
    if (error != PSCI_ALREADY_ON && error != PSCI_ON_PENDING) fail(name, "starting CPU %u twice: %d", cpu, error);
    if (error == PSCI_ON_PENDING) ++pendings;
    const i64 state = hvc(PSCI_AFFINITY_INFO, cpu, 0, 0);
    if (state != 0 && state != 2 && !qemu) fail(name, "CPU %u was started, but its state is %d", cpu, state);
    wait_until_running(cpu);
    check_state(cpu, passed, cycle);
    error = hvc(PSCI_CPU_ON, cpu, (u64)cycle_start, 0);
    if (error != PSCI_ALREADY_ON) fail(name, "starting CPU %u while it runs: %d", cpu, error);
    if (hvc(PSCI_AFFINITY_INFO, cpu, 0, 0) != 0) fail(name, "CPU %u runs, but its state is %d", cpu, hvc(PSCI_AFFINITY_INFO, cpu, 0, 0));
}

static void stop(u64 cpu) {
    may_stop[cpu] = 1;
    dsb();
    wait_until_off(cpu);
    if (running[cpu]) fail(name, "CPU %u is off and runs", cpu);
}

void guest_main(void) {
    const u64 cpus = count_cpus();
    qemu = is_bare_qemu();
    for (u64 cycle = 0; cycle < CYCLES; ++cycle) {
        /* One after the other, then all at once. */
        for (u64 cpu = 1; cpu < cpus; ++cpu) {
            one_cycle(cpu, cycle);
            if (cycle & 2) stop(cpu);
        }
        for (u64 cpu = 1; cpu < cpus; ++cpu)
            if (!(cycle & 2)) stop(cpu);
    }
    if (hvc(PSCI_CPU_ON, cpus, (u64)cycle_start, 0) != PSCI_INVALID_PARAMETERS) fail(name, "a CPU too many");
    say("%u CPUs, %u calls found one pending\n", cpus, pendings);
    pass(name);
}
