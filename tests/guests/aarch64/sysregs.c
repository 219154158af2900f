/* Every class of system register that a hypervisor traps or presents: identification, debug, auxiliary control, timers,
   the GIC's CPU interface, performance counters, cache geometry. Prints what is found; insists where the
   architecture does; EL0 gets none of the identification. */
#include "guest.h"

static const char name[] = "sysregs";

struct reader {
    const char *what;
    u64 (*read)(void);
};
#define READER(id, what) static u64 read_##id(void) { return sys_read(what); }
#define ROW(id) {#id, read_##id}

/* Reads between expect_traps(); false when it is undefined. */
static bool try_read(const struct reader *r, u64 *value) {
    clear_note();
    *value = r->read();
    if (!noted.count) return true;
    if (noted.count != 1 || noted.cause != 1ul << 25) fail(name, "%s: %u traps, ESR %x", r->what, noted.count, noted.cause);
    return false;
}

#define ID_LIST(X) X(midr_el1) X(mpidr_el1) X(revidr_el1) X(id_pfr0_el1) X(id_pfr1_el1) X(id_dfr0_el1) X(id_afr0_el1) X(id_mmfr0_el1) X(id_mmfr1_el1) \
    X(id_mmfr2_el1) X(id_mmfr3_el1) X(id_isar0_el1) X(id_isar1_el1) X(id_isar2_el1) X(id_isar3_el1) X(id_isar4_el1) X(id_isar5_el1) X(id_mmfr4_el1) \
    X(mvfr0_el1) X(mvfr1_el1) X(mvfr2_el1) X(id_aa64pfr0_el1) X(id_aa64pfr1_el1) X(id_aa64dfr0_el1) X(id_aa64dfr1_el1) X(id_aa64afr0_el1) \
    X(id_aa64afr1_el1) X(id_aa64isar0_el1) X(id_aa64isar1_el1) X(id_aa64mmfr0_el1) X(id_aa64mmfr1_el1) X(id_aa64mmfr2_el1) X(ctr_el0) X(dczid_el0) \
    X(clidr_el1) X(aidr_el1) X(ccsidr_el1) X(csselr_el1)
#define DEFINE(id) READER(id, id)
ID_LIST(DEFINE)
static const struct reader ids[] = {
#define AS_ROW(id) ROW(id),
    ID_LIST(AS_ROW)};

static void identification(void) {
    u64 value;
    for (unsigned i = 0; i < sizeof ids / sizeof *ids; ++i) {
        if (!try_read(&ids[i], &value)) fail(name, "%s is undefined", ids[i].what);
        say("%s %x\n", ids[i].what, value);
    }
    /* The reserved rows of the space op0 3, op1 0, CRn 0, CRm 4 to 7 read as zero or hold what a later architecture put there. */
#define RESERVED(spelling) if (sys_read(spelling)) say(#spelling " %x\n", sys_read(spelling)); if (noted.count) fail(name, #spelling ": ESR %x", noted.cause)
    RESERVED(S3_0_C0_C4_2); RESERVED(S3_0_C0_C4_3); RESERVED(S3_0_C0_C4_4); RESERVED(S3_0_C0_C4_6); RESERVED(S3_0_C0_C4_7);
    RESERVED(S3_0_C0_C5_2); RESERVED(S3_0_C0_C5_6); RESERVED(S3_0_C0_C6_2); RESERVED(S3_0_C0_C6_7); RESERVED(S3_0_C0_C7_3); RESERVED(S3_0_C0_C7_7);
    const u64 mpidr = sys_read(mpidr_el1);
    if (!(mpidr >> 31 & 1) || (mpidr & 0xff00ffffff)) fail(name, "MPIDR_EL1 of the first CPU is %x", mpidr);
    if ((sys_read(id_aa64pfr0_el1) & 0xff) != 0x11 && (sys_read(id_aa64pfr0_el1) & 0xff) != 0x22) fail(name, "EL0 and EL1 are %x", sys_read(id_aa64pfr0_el1));
    if ((sys_read(id_aa64mmfr0_el1) >> 28 & 15) == 15) fail(name, "no 4 KiB granule");
    if ((sys_read(id_aa64pfr0_el1) >> 24 & 15) != (gic_version() == 3 ? 1 : 0)) say("ID_AA64PFR0_EL1.GIC is %u with a GICv%u\n", sys_read(id_aa64pfr0_el1) >> 24 & 15, (u64)gic_version());
    say("SVE %u, AMU %u, RAS %u\n", sys_read(id_aa64pfr0_el1) >> 32 & 15, sys_read(id_aa64pfr0_el1) >> 44 & 15, sys_read(id_aa64pfr0_el1) >> 28 & 15);
    /* Writes to identification do nothing but trap as undefined. */
    clear_note();
    __asm__ volatile("msr S3_0_C0_C4_0, xzr");
    if (noted.count != 1 || noted.cause != 1ul << 25) fail(name, "a write to ID_AA64PFR0_EL1: %u traps, ESR %x", noted.count, noted.cause);
}

#define USER_LIST(X) X(midr_el1) X(mpidr_el1) X(revidr_el1) X(id_pfr0_el1) X(id_isar0_el1) X(mvfr0_el1) X(id_aa64pfr0_el1) X(id_aa64dfr0_el1) \
    X(id_aa64isar0_el1) X(id_aa64isar1_el1) X(id_aa64mmfr0_el1) X(clidr_el1) X(aidr_el1) X(ccsidr_el1) X(csselr_el1) X(actlr_el1) X(mdscr_el1)
#define USER_CODE(id) CODE(user_##id, "mrs x0, " #id "\n\tsvc #0");
USER_LIST(USER_CODE)

static void by_user(void) {
    static const struct {
        const char *what;
        char *code;
    } rows[] = {
#define USER_ROW(id) {#id, user_##id},
        USER_LIST(USER_ROW)};
    for (unsigned i = 0; i < sizeof rows / sizeof *rows; ++i) {
        run_user((u64)rows[i].code, 0);
        if (EC(user_stop.esr) != EC_UNKNOWN || user_stop.elr != (u64)rows[i].code) fail(name, "EL0 reads %s: ESR %x", rows[i].what, user_stop.esr);
    }
}

static void keeps(const char *what, u64 got, u64 wanted, u64 mask) {
    if (noted.count) fail(name, "%s: ESR %x", what, noted.cause);
    if ((got & mask) != (wanted & mask)) fail(name, "%s keeps %x, not %x", what, got, wanted);
}
#define KEEPS(reg, value, mask) do { sys_write(reg, value); keeps(#reg, sys_read(reg), value, mask); sys_write(reg, 0); } while (0)

/* Arm ARM, debug registers: the OS lock begins set; breakpoints keep their values though nobody debugs. */
static void debug(void) {
    clear_note();
    say("OSLSR_EL1 %x, MDSCR_EL1 %x\n", sys_read(oslsr_el1), sys_read(mdscr_el1));
    sys_write(oslar_el1, 1);
    if (!(sys_read(oslsr_el1) & 2)) fail(name, "OSLAR_EL1 does not lock: %x", sys_read(oslsr_el1));
    sys_write(oslar_el1, 0);
    if (sys_read(oslsr_el1) & 2) fail(name, "OSLAR_EL1 does not unlock: %x", sys_read(oslsr_el1));
    const u64 breakpoints = (sys_read(id_aa64dfr0_el1) >> 12 & 15) + 1, watchpoints = (sys_read(id_aa64dfr0_el1) >> 20 & 15) + 1;
    say("%u breakpoints, %u watchpoints\n", breakpoints, watchpoints);
    const u64 probe = 0x40081230;
    sys_write(dbgbvr0_el1, probe);
    sys_write(dbgwvr0_el1, probe);
    say("DBGBVR0_EL1 keeps %x, DBGWVR0_EL1 %x\n", sys_read(dbgbvr0_el1), sys_read(dbgwvr0_el1));
    sys_write(dbgbcr0_el1, 0);
    sys_write(dbgwcr0_el1, 0);
    sys_write(dbgbvr1_el1, probe);
    sys_write(dbgbcr1_el1, 0);
    if (noted.count) fail(name, "debug registers: ESR %x", noted.cause);
    sys_write(mdscr_el1, 0);
    (void)sys_read(mdccsr_el0);
    (void)sys_read(mdccint_el1);
    (void)sys_read(osdlr_el1);
    (void)sys_read(dbgprcr_el1);
    (void)sys_read(dbgauthstatus_el1);
    (void)sys_read(mdrar_el1);
    say("the last debug registers: %u undefined\n", noted.count);
    clear_note();
}

static void control(void) {
    clear_note();
    say("ACTLR_EL1 %x\n", sys_read(actlr_el1));
    sys_write(actlr_el1, sys_read(actlr_el1));
    KEEPS(tpidr_el1, 0x123456789abcdef0, ~0ul);
    KEEPS(tpidr_el0, 0x123456789abcdef0, ~0ul);
    KEEPS(tpidrro_el0, 0x123456789abcdef0, ~0ul);
    KEEPS(contextidr_el1, 0xdeadbeef, 0xffffffff);
    KEEPS(mair_el1, 0x44ff04bb00ff4404, ~0ul);
    KEEPS(ttbr0_el1, 0x0012000040123000, ~0ul);
    KEEPS(ttbr1_el1, 0x0034000040456000, ~0ul);
    KEEPS(far_el1, 0xffff000012345678, ~0ul);
    KEEPS(esr_el1, 0x96000045, 0xffffffff);
    KEEPS(elr_el1, 0xffff000012345678, ~0ul);
    KEEPS(sp_el0, 0x40123450, ~0ul);
    KEEPS(cntkctl_el1, 0x303, 0x303);
    KEEPS(par_el1, 0x40123000, 0x40123000);
    sys_write(amair_el1, 0);
    sys_write(afsr0_el1, 0);
    sys_write(afsr1_el1, 0);
    (void)sys_read(amair_el1);
    (void)sys_read(afsr0_el1);
    (void)sys_read(afsr1_el1);
    (void)sys_read(isr_el1);
    (void)sys_read(rvbar_el1);
    const u64 undefined = noted.count;
    if (undefined > 1) fail(name, "control registers: %u undefined, ESR %x", undefined, noted.cause);
    say("RVBAR_EL1 is %s\n", undefined ? "undefined" : "there");
    clear_note();
    /* Cache geometry by set and way: every level that CLIDR_EL1 names. */
    for (u64 level = 0; level < 7; ++level) {
        if (!(sys_read(clidr_el1) >> 3 * level & 7)) break;
        sys_write(csselr_el1, level << 1);
        say("level %u cache %x\n", level + 1, sys_read(ccsidr_el1));
        __asm__ volatile("dc isw, %0\n\tdc csw, %0\n\tdc cisw, %0" : : "r"(level << 1) : "memory");
    }
    if (noted.count) fail(name, "cache geometry: ESR %x", noted.cause);
}

static void timers(void) {
    clear_note();
    KEEPS(cntv_cval_el0, 0x123456789abcdef0, ~0ul);
    KEEPS(cntp_cval_el0, 0x123456789abcdef0, ~0ul);
    sys_write(cntv_cval_el0, ~0ul);
    sys_write(cntp_cval_el0, ~0ul);
    KEEPS(cntv_ctl_el0, 3, 7);
    KEEPS(cntp_ctl_el0, 3, 7);
    if (sys_read(cntpct_el0) - sys_read(cntvct_el0) > 1ul << 50 && sys_read(cntvct_el0) > sys_read(cntpct_el0)) fail(name, "CNTVCT_EL0 is ahead of CNTPCT_EL0");
}

/* The CPU interface of a GICv3; with a GICv2 these registers may be undefined. */
static void gic(void) {
    clear_note();
    say("ICC_SRE_EL1 %x\n", sys_read(S3_0_C12_C12_5));
    if (noted.count) {
        if (gic_version() == 3) fail(name, "ICC_SRE_EL1: ESR %x", noted.cause);
        say("ICC registers are undefined\n");
        return;
    }
    if (gic_version() != 3) return;
    gic_init();
    for (u64 priority = 0; priority < 256; priority += 8) {
        gic_set_mask((u8)priority);
        if ((sys_read(S3_0_C4_C6_0) & 0xf0) != (priority & 0xf0)) fail(name, "ICC_PMR_EL1 keeps %x of %x", sys_read(S3_0_C4_C6_0), priority);
    }
    say("ICC_CTLR_EL1 %x, ICC_BPR1_EL1 %x, ICC_BPR0_EL1 %x, ICC_IGRPEN0_EL1 %x\n", sys_read(S3_0_C12_C12_4), sys_read(S3_0_C12_C12_3), sys_read(S3_0_C12_C8_3), sys_read(S3_0_C12_C12_6));
    if (sys_read(S3_0_C12_C12_0) != SPURIOUS || sys_read(S3_0_C12_C12_2) != SPURIOUS) fail(name, "ICC_IAR1_EL1 or ICC_HPPIR1_EL1 without an interrupt");
    if (sys_read(S3_0_C12_C11_3) != 0xff) fail(name, "ICC_RPR_EL1 is %x when idle", sys_read(S3_0_C12_C11_3));
    (void)sys_read(S3_0_C12_C8_4); /* ICC_AP0R0_EL1 */
    if (sys_read(S3_0_C12_C9_0)) fail(name, "ICC_AP1R0_EL1 is %x when idle", sys_read(S3_0_C12_C9_0));
    if (noted.count) fail(name, "the CPU interface: ESR %x", noted.cause);
}

/* Hidden by a hypervisor, there in QEMU: either is fine, and what is read must be the same in every run. */
static void performance(void) {
    clear_note();
    const u64 version = sys_read(id_aa64dfr0_el1) >> 8 & 15;
    const u64 control = sys_read(pmcr_el0), traps = noted.count;
    (void)sys_read(pmccntr_el0);
    (void)sys_read(pmuserenr_el0);
    (void)sys_read(pmintenset_el1);
    (void)sys_read(pmcntenset_el0);
    (void)sys_read(pmovsset_el0);
    (void)sys_read(pmselr_el0);
    (void)sys_read(pmceid0_el0);
    (void)sys_read(pmevcntr0_el0);
    (void)sys_read(pmccfiltr_el0);
    if (traps) say("PMCR_EL0 is undefined, PMUVer %u, %u of 10 registers are\n", version, noted.count);
    else say("PMCR_EL0 %x, PMUVer %u, %u of 10 registers are undefined\n", control, version, noted.count);
    if ((version == 0 || version == 15) && noted.count != 10) fail(name, "there is no PMU, but %u of its registers", 10 - noted.count);
    clear_note();
}

void guest_main(void) {
    expect_traps(true);
    identification();
    by_user();
    debug();
    control();
    timers();
    gic();
    performance();
    pass(name);
}
