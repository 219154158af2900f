/* SBI calls that do not exist answer "not supported"; bad arguments answer an error; no call changes a
   register other than a0 and a1. */
#include "guest.h"

static const char name[] = "unknown_sbi";

struct registers {
    u64 x[32];
};

/* Loads every register that a call must keep from `in`, calls, and stores them to `out`. */
void sbi_with_registers(const struct registers *in, struct registers *out);
__asm__(
    ".pushsection .text\n"
    ".balign 4\n"
    "sbi_with_registers:\n"
    "addi sp, sp, -128\n"
    ".irp n, 1,3,4,8,9,18,19,20,21,22,23,24,25,26,27\n"
    "sd x\\n, (4 * \\n)(sp)\n"
    ".endr\n"
    "la t0, sbi_out\n"
    "sd a1, 0(t0)\n"
    "sd sp, 8(t0)\n"
    "mv sp, a0\n"
    ".irp n, 1,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31\n"
    "ld x\\n, (8 * \\n)(sp)\n"
    ".endr\n"
    "ecall\n"
    "sd t0, sbi_spill, t6\n"
    "la t0, sbi_out\n"
    "ld t0, 0(t0)\n"
    ".irp n, 1,2,3,4,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30\n"
    "sd x\\n, (8 * \\n)(t0)\n"
    ".endr\n"
    "ld t1, sbi_spill\n"
    "sd t1, 40(t0)\n"
    "la t0, sbi_out\n"
    "ld sp, 8(t0)\n"
    ".irp n, 1,3,4,8,9,18,19,20,21,22,23,24,25,26,27\n"
    "ld x\\n, (4 * \\n)(sp)\n"
    ".endr\n"
    "addi sp, sp, 128\n"
    "ret\n"
    ".popsection\n"
    ".pushsection .data\n"
    ".balign 8\n"
    "sbi_out: .dword 0, 0\n"
    "sbi_spill: .dword 0\n"
    ".popsection\n");

static bool is_known(u64 extension) {
    static const u64 known[] = {SBI_BASE, SBI_TIME, SBI_IPI, SBI_RFENCE, SBI_HSM, SBI_SRST, SBI_DBCN,
                                0x504d55, 0x53555350, 0x43505043, 0x4e41434c, 0x535441, 0x535345, 0x46574654, 0x4d505859};
    for (unsigned i = 0; i < sizeof known / sizeof *known; ++i)
        if (extension == known[i]) return true;
    return extension <= 0x0f || (extension >= 0x08000000 && extension <= 0x0affffff);
}

static void expect_unsupported(u64 extension, u64 function, u64 seed) {
    struct registers in, out;
    for (unsigned n = 0; n < 32; ++n) in.x[n] = next_random(&seed);
    in.x[2] = (u64)&in;
    in.x[16] = function;
    in.x[17] = extension;
    sbi_with_registers(&in, &out);
    if ((i64)out.x[10] != SBI_NOT_SUPPORTED) fail(name, "EID %x FID %x answers %d", extension, function, out.x[10]);
    for (unsigned n = 1; n < 31; ++n)
        if (n != 10 && n != 11 && out.x[n] != in.x[n]) fail(name, "EID %x FID %x changes x%u", extension, function, n);
}

void guest_main(void) {
    u64 seed = 2026;
    for (unsigned i = 0; i < 2000; ++i) {
        u64 extension = next_random(&seed) & 0xffffffff;
        u64 function = next_random(&seed) >> (i % 64);
        if (!is_known(extension)) expect_unsupported(extension, function & 0xffffffff, seed);
    }
    static const u64 called[] = {SBI_BASE, SBI_TIME, SBI_IPI, SBI_RFENCE, SBI_HSM, SBI_SRST};
    for (unsigned i = 0; i < sizeof called / sizeof *called; ++i) {
        expect_unsupported(called[i], 100 + i, seed);
        expect_unsupported(called[i], 0x7fffffff, seed);
        struct sbi_result probed = sbi(SBI_BASE, 3, called[i], 0, 0, 0, 0);
        if (probed.error || probed.value == 0) fail(name, "probe of %x: %d %d", called[i], probed.error, probed.value);
    }
    struct sbi_result probed = sbi(SBI_BASE, 3, 0x12345678, 0, 0, 0, 0);
    if (probed.error || probed.value) fail(name, "probe of an unknown extension: %d %d", probed.error, probed.value);

    i64 error = sbi(SBI_HSM, 0, 0x7777, 0x80200000, 0, 0, 0).error;
    if (error != SBI_INVALID_PARAM) fail(name, "starting hart 0x7777 answers %d", error);
    error = sbi(SBI_HSM, 2, ~0ul, 0, 0, 0, 0).error;
    if (error != SBI_INVALID_PARAM) fail(name, "status of hart -1 answers %d", error);
    error = sbi(SBI_HSM, 0, boot_hart, 0x80200000, 0, 0, 0).error;
    if (error != SBI_ALREADY_AVAILABLE) fail(name, "starting the running hart answers %d", error);
    error = sbi(SBI_HSM, 3, 0x1234, 0, 0, 0, 0).error;
    if (error != SBI_INVALID_PARAM) fail(name, "suspending in an unknown way answers %d", error);
    error = sbi(SBI_SRST, 0, 77, 0, 0, 0, 0).error;
    if (error >= 0) fail(name, "an unknown reset type answers %d", error);
    pass(name);
}
