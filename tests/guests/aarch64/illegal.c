/* Instructions and registers that a guest does not have are undefined, at EL1 and at EL0; what EL1 may trap of EL0
   is trapped; BRK, SVC and an illegal exception return have their own classes; hints of the future do nothing. */
#include "guest.h"

static const char name[] = "illegal";
#define ILLEGAL_STATE (1ul << 20)

void guest_trap(struct frame *frame) {
    if (EC(frame->esr) == 0x0e) frame->spsr &= ~ILLEGAL_STATE;
    if (handle_user(frame) || handle_expected(frame)) return;
    fail(name, "trap kind=%u esr=%x far=%x elr=%x", frame->kind, frame->esr, frame->far, frame->elr);
}

struct word {
    const char *what;
    u32 insn;
};

static const struct word undefined[] = {
    {"udf #0", 0x00000000}, {"udf #0xffff", 0x0000ffff}, {"reserved 0x0001....", 0x00010000}, {"unallocated group 1", 0x02000000},
    {"unallocated group 3", 0x06000000}, {"hlt #0", 0xd4400000}, {"dcps1", 0xd4a00001}, {"dcps3", 0xd4a00003},
    {"exception generation, opc 7", 0xd4e00001}, {"load/store pair, opc 3", 0xe8000000}, {"add, immr 64 of a W register", 0x53404000},
    {"mrs x0, hcr_el2", 0xd53c1100}, {"msr hcr_el2, x0", 0xd51c1100}, {"mrs x0, vttbr_el2", 0xd53c2100}, {"mrs x0, vtcr_el2", 0xd53c2140},
    {"mrs x0, esr_el2", 0xd53c5200}, {"mrs x0, hpfar_el2", 0xd53c6080}, {"mrs x0, cnthctl_el2", 0xd53ce100}, {"msr cntvoff_el2, x0", 0xd51ce060},
    {"mrs x0, vpidr_el2", 0xd53c0000}, {"msr vmpidr_el2, x0", 0xd51c00a0}, {"mrs x0, mdcr_el2", 0xd53c1120}, {"mrs x0, cptr_el2", 0xd53c1140},
    {"mrs x0, ich_hcr_el2", 0xd53ccb00}, {"msr ich_lr0_el2, x0", 0xd51ccc00}, {"mrs x0, icc_sre_el2", 0xd53cc9a0}, {"mrs x0, sp_el1", 0xd53c4100},
    {"mrs x0, scr_el3", 0xd53e1100}, {"mrs x0, sctlr_el3", 0xd53e1000}, {"mrs x0, icc_sre_el3", 0xd53ecca0}, {"msr icc_igrpen1_el3, x0", 0xd51eccE0},
    {"mrs x0, cntps_ctl_el1", 0xd53fe220}, {"tlbi alle1", 0xd50c879f}, {"tlbi vmalls12e1is", 0xd50c83df}, {"tlbi alle2", 0xd50c871f},
    {"tlbi alle3", 0xd50e871f}, {"at s12e1r, x0", 0xd50c7880}, {"at s1e2r, x0", 0xd50c7800}, {"at s1e3w, x0", 0xd50e7820},
    {"msr midr_el1, x0", 0xd5180000}, {"mrs x0, icc_eoir1_el1", 0xd538cc20}, {"msr icc_iar1_el1, x0", 0xd518cc00}, {"mrs x0, icc_sgi1r_el1", 0xd538cba0},
    {"mrs x0, S3_0_C1_C7_7", 0xd53817e0}, {"mrs x0, S3_5_C1_C0_0", 0xd53d1000}, {"msr S3_3_C4_C7_7, x0", 0xd51b47e0}, {"mrs x0, S3_0_C6_C5_3", 0xd538656f & ~31u},
};

/* Instructions of later architectures, and the field of an identification register that would announce them. */
static void later_features(void);

static u32 *page;

static void place(u32 insn) {
    page[0] = insn;
    page[1] = 0xd65f03c0; /* ret */
    flush_code((u64)page, 8);
}

static void run(const struct word *word) {
    register u64 x0 __asm__("x0") = 0;
    place(word->insn);
    clear_note();
    __asm__ volatile("blr %1" : "+r"(x0) : "r"(page) : "x1", "x30", "memory");
    if (noted.count > 1) fail(name, "%s: %u traps", word->what, noted.count);
}

static void expect_undefined(const struct word *word) {
    run(word);
    if (noted.count != 1 || noted.cause != (1ul << 25) || noted.pc != (u64)page)
        fail(name, "%s: %u traps, ESR %x ELR %x", word->what, noted.count, noted.cause, noted.pc);
}

#define FIELD(reg, low) (sys_read(reg) >> (low) & 15)

static void later_features(void) {
    const struct {
        u64 present;
        struct word word;
    } list[] = {
        {FIELD(id_aa64isar0_el1, 20), {"ldadd x0, x1, [x2] (LSE)", 0xf8200041}},
        {FIELD(id_aa64isar0_el1, 20), {"cas x0, x1, [x2] (LSE)", 0xc8a07c41}},
        {FIELD(id_aa64isar1_el1, 20), {"ldapr x0, [x1] (RCPC)", 0xf8bfc020}},
        {FIELD(id_aa64isar1_el1, 4) | FIELD(id_aa64isar1_el1, 8), {"pacia x0, x1 (PAuth)", 0xdac10020}},
        {FIELD(id_aa64isar0_el1, 60), {"mrs x0, rndr", 0xd53b2400}},
        {FIELD(id_aa64isar0_el1, 52), {"cfinv (FlagM)", 0xd500401f}},
        {FIELD(id_aa64mmfr1_el1, 20), {"mrs x0, pan", 0xd5384260}},
        {FIELD(id_aa64mmfr2_el1, 4), {"mrs x0, uao", 0xd5384280}},
        {FIELD(id_aa64pfr0_el1, 32), {"mrs x0, zcr_el1 (SVE)", 0xd5381200}},
        {FIELD(id_aa64pfr0_el1, 32), {"add z0.b, z0.b, z0.b (SVE)", 0x04200000}},
        {FIELD(id_aa64pfr0_el1, 48), {"mrs x0, dit", 0xd53b42a0}},
        {FIELD(id_aa64pfr1_el1, 8), {"irg x0, x0 (MTE)", 0x9adf1000}},
        {FIELD(id_aa64mmfr1_el1, 8), {"msr vbar_el12, x0 (VHE)", 0xd51dc000}},
    };
    for (unsigned i = 0; i < sizeof list / sizeof *list; ++i)
        if (!list[i].present) expect_undefined(&list[i].word);
}

static void hints(void) {
    for (u32 n = 0; n < 128; ++n) {
        if (n == 2 || n == 3) continue; /* WFE and WFI */
        const struct word hint = {"a hint", 0xd503201f | n << 5};
        run(&hint);
        if (noted.count) fail(name, "hint #%u: ESR %x", (u64)n, noted.cause);
    }
}

static void own_classes(void) {
    static const struct {
        const char *what;
        u32 insn;
        u64 esr;
    } list[] = {{"brk #0x1234", 0xd4224680, 0xf2001234}, {"svc #0x4321", 0xd4086421, 0x56004321}};
    for (unsigned i = 0; i < 2; ++i) {
        const struct word word = {list[i].what, list[i].insn};
        run(&word);
        if (noted.count != 1 || noted.cause != list[i].esr) fail(name, "%s: %u traps, ESR %x", word.what, noted.count, noted.cause);
        if (noted.pc != (u64)page + 4 * i) fail(name, "%s: ELR %x", word.what, noted.pc);
    }
}

/* Returning to where EL1 cannot go, or to a state saved as illegal: the target is reached with PSTATE.IL, and its
   first instruction traps. The handler clears SPSR.IL and steps over it; NZCV come from the saved state. */
static void illegal_returns(void) {
    static const struct {
        const char *what;
        u64 spsr;
    } list[] = {{"EL2h", 0x3c9}, {"EL2t", 0x3c8}, {"EL3h", 0x3cd}, {"EL0 with SP_EL1", 0x3c1}, {"a reserved mode", 0x3c6},
                {"AArch32 user", 0x1d0}, {"AArch32 supervisor", 0x1d3}, {"EL1h, saved as illegal", 0x3c5 | ILLEGAL_STATE}};
    for (unsigned i = 0; i < sizeof list / sizeof *list; ++i) {
        u64 target, flags, mode;
        clear_note();
        __asm__ volatile("adr %0, 1f\n\tmsr elr_el1, %0\n\tmsr spsr_el1, %3\n\tisb\n\teret\n1: nop\n\tmrs %1, nzcv\n\tmrs %2, CurrentEL"
                         : "=&r"(target), "=&r"(flags), "=&r"(mode) : "r"(list[i].spsr | 10ul << 28) : "memory", "cc");
        if (noted.count != 1 || noted.cause != (0x0eul << 26 | 1ul << 25) || noted.pc != target)
            fail(name, "return to %s: %u traps, ESR %x ELR %x", list[i].what, noted.count, noted.cause, noted.pc);
        if (flags != 10ul << 28 || mode != 4) fail(name, "return to %s: NZCV %x, CurrentEL %x", list[i].what, flags, mode);
    }
    clear_note();
}

static void expect_user(const char *what, u32 insn, u64 class) {
    page[0] = insn;
    page[1] = 0xd4000001; /* svc #0 */
    flush_code((u64)page, 8);
    run_user((u64)page, (u64)page);
    if (EC(user_stop.esr) != class || user_stop.elr != (u64)page + (class == EC_SVC ? 8 : 0))
        fail(name, "EL0 %s: ESR %x ELR %x", what, user_stop.esr, user_stop.elr);
}

/* Arm ARM, SCTLR_EL1: UCI, UCT, DZE, nTWE, nTWI and UMA decide what EL0 may do by itself. */
static void user(void) {
    static const struct word none[] = {
        {"mrs x0, sctlr_el1", 0xd5381000}, {"msr vbar_el1, x0", 0xd518c000}, {"mrs x0, midr_el1", 0xd5380000}, {"mrs x0, mpidr_el1", 0xd53800a0},
        {"mrs x0, currentel", 0xd5384240}, {"msr spsel, #0", 0xd50040bf}, {"eret", 0xd69f03e0}, {"hvc #0", 0xd4000002}, {"smc #0", 0xd4000003},
        {"tlbi vmalle1", 0xd508871f}, {"ic iallu", 0xd508751f}, {"dc isw, x0", 0xd5087640}, {"at s1e1r, x0", 0xd5087800},
        {"mrs x0, icc_pmr_el1", 0xd5384600}, {"mrs x0, hcr_el2", 0xd53c1100}, {"udf #1", 0x00000001}, {"mrs x0, elr_el1", 0xd5384020},
    };
    for (unsigned i = 0; i < sizeof none / sizeof *none; ++i) expect_user(none[i].what, none[i].insn, EC_UNKNOWN);
    const u64 before = sys_read(sctlr_el1), allowed = 1ul << 26 | 1ul << 18 | 1ul << 16 | 1ul << 15 | 1ul << 14 | 1ul << 9;
    for (unsigned allow = 0; allow < 2; ++allow) {
        const u64 class = allow ? EC_SVC : EC_SYSTEM;
        sys_write(sctlr_el1, allow ? before | allowed : before & ~allowed);
        sys_write(cntkctl_el1, allow ? 0x303 : 0);
        expect_user("mrs x0, ctr_el0", 0xd53b0020, class);
        expect_user("dc civac, x0", 0xd50b7e20, class);
        expect_user("ic ivau, x0", 0xd50b7520, class);
        expect_user("mrs x0, daif", 0xd53b4220, class);
        expect_user("msr daifset, #1", 0xd50341df, class);
        expect_user("mrs x0, cntvct_el0", 0xd53be040, class);
        expect_user("mrs x0, cntpct_el0", 0xd53be020, class);
        expect_user("mrs x0, cntv_ctl_el0", 0xd53be320, class);
        expect_user("mrs x0, cntp_cval_el0", 0xd53be240, class);
        if (!allow) expect_user("wfi", 0xd503207f, 1);
    }
    sys_write(sctlr_el1, before);
    sys_write(cntkctl_el1, 0);
    expect_user("mrs x0, tpidrro_el0", 0xd53bd060, EC_SVC);
    expect_user("msr tpidrro_el0, x0", 0xd51bd060, EC_UNKNOWN);
    expect_user("mrs x0, dczid_el0", 0xd53b00e0, EC_SVC);
    expect_user("brk #1", 0xd4200020, EC_BRK);
}

void guest_main(void) {
    const unsigned n = sizeof undefined / sizeof *undefined;
    page = new_page();
    sys_write(cpacr_el1, 3ul << 20);
    expect_traps(true);
    for (unsigned i = 0; i < n; ++i) expect_undefined(&undefined[i]);
    later_features();
    hints();
    own_classes();
    illegal_returns();
    user();
    say("%u instructions are undefined\n", (u64)n);
    pass(name);
}
