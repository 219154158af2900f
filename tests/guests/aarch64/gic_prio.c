/* Interrupts by priority: the order of delivery, the mask, preemption by groups of priorities, priority drop and
   deactivation apart, level and edge interrupts set pending by software, active interrupts that stay away. */
#include "guest.h"

static const char name[] = "gic_prio";
/* Shared interrupts that no device of the machine raises, and SGIs, which a redistributor holds. */
#define A 40u
#define B 41u
#define C 42u
#define SGI 7u

static volatile unsigned order[64], depths[64];
static volatile unsigned taken, depth, raise_inside;
static volatile bool keep_active;
static volatile u64 running[64];

/* ICC_BPR1_EL1 n groups by bits 7:n, GICC_BPR of a GICv2 by bits 7:n+1. */
static void set_groups(unsigned lowest_bit) {
    if (gic_version() == 3) sys_write(S3_0_C12_C12_3, lowest_bit);
    else write32(GICC_BASE + 8, lowest_bit - 1);
}
static u64 read_running(void) { return gic_version() == 3 ? sys_read(S3_0_C12_C11_3) : read32(GICC_BASE + 0x14); }
static u64 read_pending(void) { return gic_version() == 3 ? sys_read(S3_0_C12_C12_2) : read32(GICC_BASE + 0x18) & 0x3ff; }
static void set_split(bool on) {
    if (gic_version() == 3) sys_write(S3_0_C12_C12_4, on ? 2 : 0);
    else write32(GICC_BASE, on ? 0x201 : 1);
}
static void deactivate(u32 acknowledged) {
    if (gic_version() == 3) sys_write(S3_0_C12_C11_1, acknowledged);
    else write32(GICC_BASE + 0x1000, acknowledged);
}
static void write_array(u64 array, unsigned intid) { write32(gic_bank(intid) + array + 4 * (intid / 32), 1u << intid % 32); }
static void clear_pending(unsigned intid) { write_array(0x280, intid); }
static void set_active(unsigned intid) { write_array(0x300, intid); }
static void clear_active(unsigned intid) { write_array(0x380, intid); }

/* With SGIs a GICv2 wants GICD_SGIR; for the others ISPENDR does. */
static void raise(unsigned intid) {
    if (intid < 16) gic_send(intid, 1);
    else gic_set_pending(intid);
}

void guest_trap(struct frame *frame) {
    if (frame->kind != IRQ) fail(name, "trap kind=%u esr=%x far=%x elr=%x", frame->kind, frame->esr, frame->far, frame->elr);
    const u32 acknowledged = gic_acknowledge();
    const unsigned intid = gic_intid(acknowledged);
    if (intid == SPURIOUS) fail(name, "a spurious interrupt");
    if (taken >= 60) fail(name, "interrupt %u again and again", (u64)intid);
    depths[taken] = ++depth;
    running[taken] = read_running();
    order[taken++] = intid;
    if (raise_inside) {
        const unsigned next = raise_inside;
        raise_inside = 0;
        raise(next);
        irq_on();
        for (volatile unsigned i = 0; i < 200; ++i) {}
        irq_off();
    }
    --depth;
    if (!keep_active) gic_end(acknowledged);
}

static void settle(void) {
    irq_on();
    for (volatile unsigned i = 0; i < 300; ++i) {}
    irq_off();
}

static void expect(const char *what, unsigned n, const unsigned *wanted) {
    if (taken != n) fail(name, "%s: %u interrupts, not %u; the first is %u", what, (u64)taken, (u64)n, (u64)order[0]);
    for (unsigned i = 0; i < n; ++i)
        if (order[i] != wanted[i]) fail(name, "%s: number %u is %u, not %u", what, (u64)i, (u64)order[i], (u64)wanted[i]);
    taken = 0;
}
#define EXPECT(what, ...) expect(what, sizeof (unsigned[]){__VA_ARGS__} / sizeof(unsigned), (const unsigned[]){__VA_ARGS__})
#define EXPECT_NONE(what) expect(what, 0, (const unsigned[]){0})

static void delivery_order(void) {
    static const unsigned ids[] = {A, B, C, SGI};
    static const u8 priorities[4][4] = {{0x80, 0x60, 0x40, 0x20}, {0x20, 0x40, 0x60, 0x80}, {0x60, 0x20, 0x80, 0x40}, {0xa0, 0xa0, 0xa0, 0xa0}};
    static const unsigned wanted[4][4] = {{SGI, C, B, A}, {A, B, C, SGI}, {B, SGI, A, C}, {SGI, A, B, C}};
    for (unsigned i = 0; i < 4; ++i) {
        for (unsigned k = 0; k < 4; ++k) gic_enable(ids[k], priorities[i][k]);
        for (unsigned k = 0; k < 4; ++k) raise(ids[k]);
        dsb();
        if (read_pending() != wanted[i][0]) fail(name, "round %u: the highest pending is %u", (u64)i, read_pending());
        settle();
        /* The architecture leaves the order of equals open; all known controllers take the lowest number. */
        expect("order", 4, wanted[i]);
        if (read_running() != 0xff) fail(name, "running at %x when idle", read_running());
    }
}

static void priority_mask(void) {
    gic_enable(A, 0x60);
    gic_enable(B, 0x80);
    gic_set_mask(0x80);
    raise(A);
    raise(B);
    settle();
    EXPECT("mask 80", A); /* only what is higher than the mask */
    if (!gic_is_pending(B)) fail(name, "a masked interrupt is not pending");
    gic_set_mask(0x90);
    settle();
    EXPECT("mask 90", B);
    gic_set_mask(0);
    raise(A);
    settle();
    EXPECT_NONE("mask 0");
    gic_set_mask(0xff);
    settle();
    EXPECT("mask ff", A);
}

static void preempt(const char *what, unsigned groups, u8 first, u8 second, bool preempts) {
    set_groups(groups);
    gic_enable(A, first);
    gic_enable(B, second);
    raise_inside = B;
    raise(A);
    settle();
    if (preempts != (depths[1] == 2)) fail(name, "%s: B is taken at depth %u", what, (u64)depths[1]);
    if ((running[0] & 0xf0) != (first & ~0ul << groups & 0xf0) || (running[1] & 0xf0) != (second & ~0ul << groups & 0xf0))
        say("%s: running at %x and %x\n", what, running[0], running[1]);
    EXPECT("preemption", A, B);
}

static void preemption(void) {
    preempt("higher", 4, 0x80, 0x40, true);
    preempt("equal", 4, 0x80, 0x80, false);
    preempt("lower", 4, 0x40, 0x80, false);
    preempt("higher by one step", 4, 0x50, 0x40, true);
    preempt("higher in the same group", 7, 0x60, 0x40, false);
    preempt("higher in another group", 7, 0xc0, 0x40, true);
    preempt("higher in the same group of 32", 5, 0x50, 0x40, false);
    set_groups(4);
}

/* EOImode 1: the end drops the priority, deactivation is apart; until then the interrupt itself does not come again. */
static void split_end(void) {
    gic_enable(A, 0x80);
    gic_enable(B, 0x80);
    gic_configure_edge(A, true);
    set_split(true);
    raise(A);
    settle();
    EXPECT("split", A);
    if (!gic_is_active(A)) fail(name, "the end alone deactivates");
    if (read_running() != 0xff) fail(name, "the end does not drop the priority: %x", read_running());
    raise(A);
    raise(B);
    settle();
    EXPECT("an active interrupt does not come again", B);
    if (!gic_is_pending(A) || !gic_is_active(A)) fail(name, "active and pending: %u %u", (u64)gic_is_active(A), (u64)gic_is_pending(A));
    deactivate(B);
    deactivate(A);
    if (gic_is_active(B)) fail(name, "DIR does not deactivate");
    settle();
    EXPECT("deactivated, it comes again", A);
    deactivate(A);
    set_split(false);
    if (gic_is_active(A) || gic_is_pending(A)) fail(name, "A is not idle after all");
}

static void level_and_edge(void) {
    for (unsigned edge = 0; edge < 2; ++edge) {
        gic_configure_edge(C, edge);
        if ((read32(GICD_BASE + 0xc00 + 4 * (C / 16)) >> 2 * (C % 16) & 2) != 2 * edge) fail(name, "ICFGR keeps not %u", (u64)edge);
        gic_enable(C, 0x80);
        /* Set, seen, cleared, without ever being taken. */
        raise(C);
        if (!gic_is_pending(C)) fail(name, "edge %u: not pending", (u64)edge);
        clear_pending(C);
        if (gic_is_pending(C)) fail(name, "edge %u: pending after ICPENDR", (u64)edge);
        settle();
        EXPECT_NONE("cleared");
        /* Twice before it is taken is once; once more in the handler is once more. */
        raise(C);
        raise(C);
        settle();
        EXPECT("set twice", C);
        raise_inside = C;
        raise(C);
        settle();
        EXPECT("set in the handler", C, C);
        if (gic_is_active(C) || gic_is_pending(C)) fail(name, "edge %u: not idle after all", (u64)edge);
    }
    /* Disabled: pending and not taken, until enabled. */
    gic_disable(C);
    raise(C);
    settle();
    EXPECT_NONE("disabled");
    if (!gic_is_pending(C)) fail(name, "disabled and not pending");
    gic_enable(C, 0x80);
    settle();
    EXPECT("enabled", C);
}

static void active_state(void) {
    gic_enable(A, 0x80);
    set_active(A);
    if (!gic_is_active(A)) fail(name, "ISACTIVER does not activate");
    raise(A);
    settle();
    EXPECT_NONE("active by ISACTIVER");
    clear_active(A);
    if (gic_is_active(A)) fail(name, "ICACTIVER does not deactivate");
    settle();
    EXPECT("inactive by ICACTIVER", A);
    /* Acknowledged and not ended: lower ones wait, and the state can be seen. */
    gic_enable(B, 0xa0);
    keep_active = true;
    raise(A);
    settle();
    EXPECT("kept active", A);
    keep_active = false;
    raise(B);
    settle();
    EXPECT_NONE("below the running priority");
    if (!gic_is_active(A) || (read_running() & 0xf0) != 0x80) fail(name, "running at %x", read_running());
    gic_end(A);
    settle();
    EXPECT("after the end", B);
}

void guest_main(void) {
    gic_init();
    set_groups(4);
    static const unsigned all[] = {A, B, C};
    for (unsigned i = 0; i < 3; ++i) gic_configure_edge(all[i], true);
    delivery_order();
    priority_mask();
    preemption();
    split_end();
    level_and_edge();
    active_state();
    pass(name);
}
