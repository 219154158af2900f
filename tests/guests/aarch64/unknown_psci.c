/* Calls of PSCI and SMCCC that do not exist answer "not supported", by HVC and by SMC; bad parameters answer an error;
   queries answer what PSCI 1.1 says; no call changes a register that SMCCC preserves. */
#include "guest.h"

static const char name[] = "unknown_psci";

struct registers {
    u64 x[31];
};

/* Loads x0 to x30 from `in`, calls by HVC or SMC, stores x0 to x30 to `out`; callee-saved registers are kept. */
void call_with_registers(const struct registers *in, struct registers *out, u64 by_smc);
__asm__(
    ".pushsection .text\n .balign 4\n"
    "call_with_registers:\n"
    "sub sp, sp, #128\n"
    ".irp n, 18,19,20,21,22,23,24,25,26,27,28,29,30\n str x\\n, [sp, #(8 * (\\n - 18))]\n .endr\n"
    "str x1, [sp, #104]\n"
    "msr tpidr_el1, x2\n"
    "msr tpidr_el0, x0\n"
    "mrs x30, tpidr_el1\n cbnz x30, 1f\n"
    "mov x30, x0\n"
    ".irp n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29\n ldr x\\n, [x30, #(8 * \\n)]\n .endr\n"
    "ldr x30, [x30, #240]\n"
    "hvc #0\n b 2f\n"
    "1: mov x30, x0\n"
    ".irp n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29\n ldr x\\n, [x30, #(8 * \\n)]\n .endr\n"
    "ldr x30, [x30, #240]\n"
    "smc #0\n"
    "2: msr tpidr_el0, x30\n"
    "ldr x30, [sp, #104]\n"
    ".irp n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29\n str x\\n, [x30, #(8 * \\n)]\n .endr\n"
    "mrs x0, tpidr_el0\n"
    "str x0, [x30, #240]\n"
    ".irp n, 18,19,20,21,22,23,24,25,26,27,28,29,30\n ldr x\\n, [sp, #(8 * (\\n - 18))]\n .endr\n"
    "add sp, sp, #128\n"
    "ret\n"
    ".popsection\n");

/* SMCCC 1.1 preserves x4 to x30; x1 to x3 may hold results. Before 1.1, x4 to x17 may change: axsim and QEMU keep them. */
static void expect_unsupported(u64 function, bool by_smc, u64 seed) {
    struct registers in, out;
    for (unsigned n = 0; n < 31; ++n) in.x[n] = next_random(&seed);
    in.x[0] = function;
    call_with_registers(&in, &out, by_smc);
    if ((int32_t)out.x[0] != PSCI_NOT_SUPPORTED) fail(name, "%s of %x answers %x", by_smc ? "SMC" : "HVC", function, out.x[0]);
    for (unsigned n = 4; n < 31; ++n)
        if (out.x[n] != in.x[n]) fail(name, "%s of %x changes x%u", by_smc ? "SMC" : "HVC", function, (u64)n);
}

static void answers(const char *what, i64 got, i64 wanted) {
    if ((int32_t)got != wanted) fail(name, "%s answers %d, not %d", what, (i64)(int32_t)got, wanted);
}

static void queries(i64 (*call)(u64, u64, u64, u64)) {
    const i64 version = call(PSCI_VERSION, 0, 0, 0);
    if (version < 0x10000 || version > 0x10003) fail(name, "PSCI version %x", version);
    const i64 migrate = call(PSCI_MIGRATE_INFO_TYPE, 0, 0, 0);
    if (migrate != 2 && migrate != PSCI_NOT_SUPPORTED) fail(name, "MIGRATE_INFO_TYPE answers %d", migrate);
    static const u32 present[] = {PSCI_VERSION, PSCI_CPU_SUSPEND, 0x84000001, PSCI_CPU_OFF, PSCI_CPU_ON, 0x84000003, PSCI_AFFINITY_INFO,
                                  0x84000004, PSCI_SYSTEM_OFF, PSCI_SYSTEM_RESET, PSCI_FEATURES};
    for (unsigned i = 0; i < sizeof present / sizeof *present; ++i)
        if ((int32_t)call(PSCI_FEATURES, present[i], 0, 0) < 0) fail(name, "FEATURES does not know %x", (u64)present[i]);
    static const u32 absent[] = {0x84000016, 0x8400ffff, 0xc4000000, 0xc4000002, 0xc4000008, 0x12345678, 0x86000000, 0, 0x83000000};
    for (unsigned i = 0; i < sizeof absent / sizeof *absent; ++i) answers("FEATURES of nothing", call(PSCI_FEATURES, absent[i], 0, 0), PSCI_NOT_SUPPORTED);
}

static void bad_parameters(i64 (*call)(u64, u64, u64, u64)) {
    answers("CPU_ON of CPU 0x7777", call(PSCI_CPU_ON, 0x7777, 0x40080000, 0), PSCI_INVALID_PARAMETERS);
    answers("CPU_ON of affinity 1.0.0.0", call(PSCI_CPU_ON, 1ul << 32, 0x40080000, 0), PSCI_INVALID_PARAMETERS);
    answers("CPU_ON of all ones", call(PSCI_CPU_ON, ~0ul, 0x40080000, 0), PSCI_INVALID_PARAMETERS);
    answers("CPU_ON by 32 bits", call(0x84000003, 0x777777, 0x40080000, 0), PSCI_INVALID_PARAMETERS);
    answers("CPU_ON of the running CPU", call(PSCI_CPU_ON, sys_read(mpidr_el1) & 0xff00fffffful, 0x40080000, 0), PSCI_ALREADY_ON);
    answers("AFFINITY_INFO of nothing", call(PSCI_AFFINITY_INFO, 0x7777, 0, 0), PSCI_INVALID_PARAMETERS);
    answers("AFFINITY_INFO of this CPU", call(PSCI_AFFINITY_INFO, sys_read(mpidr_el1) & 0xff00fffffful, 0, 0), 0);
    answers("AFFINITY_INFO by 32 bits", call(0x84000004, sys_read(mpidr_el1) & 0xffffff, 0, 0), 0);
}

/* Services of SMCCC that nobody offers, and functions of PSCI's own range that do not exist. */
static void unknown(bool by_smc) {
    static const u64 fixed[] = {0x84000016, 0x8400001f, 0xc4000000, 0xc4000002, 0x84000100, 0xc400ffff, 0x81000000, 0x82000000, 0x83000000,
                                0xc3000001, 0x87000000, 0xb2000001, 0xbf00ffff, 0x00000000, 0x12345678, 0x7fffffff, 0xffffffff};
    for (unsigned i = 0; i < sizeof fixed / sizeof *fixed; ++i) expect_unsupported(fixed[i], by_smc, i);
    u64 seed = 2026;
    for (unsigned i = 0; i < 1000; ++i) {
        const u64 function = 0x80000000 | (next_random(&seed) & 0x7fffffff);
        /* Bits 29:24 name the owner: 0 architecture, 4 standard services; 5 and 6 hypervisors. */
        const u64 owner = function >> 24 & 0x3f;
        if (owner == 0 || (owner >= 4 && owner <= 6)) continue;
        expect_unsupported(function, by_smc, seed);
    }
}

void guest_main(void) {
    static i64 (*const calls[])(u64, u64, u64, u64) = {hvc, smc};
    const unsigned conduits = is_bare_qemu() ? 1 : 2;
    for (unsigned i = 0; i < conduits; ++i) {
        queries(calls[i]);
        bad_parameters(calls[i]);
        unknown(i == 1);
    }
    say("%s\n", conduits == 2 ? "by HVC and SMC" : "by HVC");
    pass(name);
}
