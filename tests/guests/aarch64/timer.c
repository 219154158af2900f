/* The virtual and the physical timer: counters only go forward, an interrupt comes not before its deadline, in WFI
   and in a loop; CVAL and TVAL agree; ISTATUS shows what IMASK hides; WFI ends at a masked interrupt. */
#include "guest.h"

static const char name[] = "timer";
enum { ENABLE = 1, IMASK = 2, ISTATUS = 4 };

static volatile u64 fired;
static volatile u64 fired_at;
static unsigned expected_intid;

/* One source for both timers: V is virtual, P physical. */
#define TIMER(letter, intid_, what_) \
    static u64 count_##letter(void) { return sys_read(cnt##letter##ct_el0); } \
    static u64 control_##letter(void) { return sys_read(cnt##letter##_ctl_el0); } \
    static void set_control_##letter(u64 v) { sys_write(cnt##letter##_ctl_el0, v); } \
    static u64 compare_##letter(void) { return sys_read(cnt##letter##_cval_el0); } \
    static void set_compare_##letter(u64 v) { sys_write(cnt##letter##_cval_el0, v); } \
    static u64 value_##letter(void) { return sys_read(cnt##letter##_tval_el0); } \
    static void set_value_##letter(u64 v) { sys_write(cnt##letter##_tval_el0, v); } \
    static const struct timer timer_##letter = {what_, intid_, count_##letter, control_##letter, set_control_##letter, \
        compare_##letter, set_compare_##letter, value_##letter, set_value_##letter}

struct timer {
    const char *what;
    unsigned intid;
    u64 (*count)(void);
    u64 (*control)(void);
    void (*set_control)(u64);
    u64 (*compare)(void);
    void (*set_compare)(u64);
    u64 (*value)(void);
    void (*set_value)(u64);
};
TIMER(v, VIRTUAL_TIMER, "virtual");
TIMER(p, PHYSICAL_TIMER, "physical");

void guest_trap(struct frame *frame) {
    if (frame->kind != IRQ) fail(name, "trap kind=%u esr=%x far=%x elr=%x", frame->kind, frame->esr, frame->far, frame->elr);
    const struct timer *t = expected_intid == VIRTUAL_TIMER ? &timer_v : &timer_p;
    fired_at = t->count();
    const u32 acknowledged = gic_acknowledge();
    if (gic_intid(acknowledged) != expected_intid) fail(name, "%s: interrupt %u", t->what, (u64)gic_intid(acknowledged));
    if ((t->control() & 7) != (ENABLE | ISTATUS)) fail(name, "%s: control is %x in the handler", t->what, t->control());
    t->set_control(0);
    gic_end(acknowledged);
    fired++;
}

static void only_forward(const struct timer *t) {
    u64 last = t->count();
    for (unsigned i = 0; i < 1000; ++i) {
        const u64 now = t->count();
        if (now < last) fail(name, "the %s counter went from %u back to %u", t->what, last, now);
        last = now;
    }
}

static void rounds(const struct timer *t) {
    for (u64 i = 0; i < 20; ++i) {
        irq_off();
        const u64 before = fired, ticks = 1000 * (i + 1), deadline = t->count() + ticks;
        if (i & 2) t->set_value(ticks);
        else t->set_compare(deadline);
        t->set_control(ENABLE);
        while (fired == before) {
            irq_off();
            if (fired == before && (i & 1)) wfi();
            irq_on();
        }
        if (fired != before + 1) fail(name, "%s round %u: fired %u times", t->what, i, fired - before);
        if (fired_at < deadline) fail(name, "%s round %u: fired at %u, deadline %u", t->what, i, fired_at, deadline);
    }
    irq_off();
}

static void compare_and_value(const struct timer *t) {
    t->set_control(ENABLE | IMASK);
    const u64 before = t->count();
    t->set_value(0x7fffffff);
    const u64 after = t->count(), deadline = t->compare();
    if (deadline < before + 0x7fffffff || deadline > after + 0x7fffffff) fail(name, "%s: TVAL makes CVAL %x at %x", t->what, deadline, before);
    if (t->control() != (ENABLE | IMASK)) fail(name, "%s: control %x before the deadline", t->what, t->control());
    /* TVAL is signed: -5 is a deadline in the past. */
    t->set_value(0xfffffffb);
    if (t->compare() > t->count()) fail(name, "%s: TVAL -5 is CVAL %x at %x", t->what, t->compare(), t->count());
    if (t->control() != (ENABLE | IMASK | ISTATUS)) fail(name, "%s: control %x after the deadline", t->what, t->control());
    t->set_compare(~0ul);
    if (t->compare() != ~0ul) fail(name, "%s: CVAL keeps %x", t->what, t->compare());
    t->set_compare(t->count() + 1000000);
    const u64 left = t->value();
    if (left > 1000000) fail(name, "%s: TVAL shows %u of 1000000", t->what, left);
    t->set_control(0);
}

static void masked(const struct timer *t) {
    const u64 before = fired, deadline = t->count() + 5000;
    t->set_compare(deadline);
    t->set_control(ENABLE);
    /* Masked by PSTATE: pending at the GIC, and WFI ends. */
    while (!(t->control() & ISTATUS)) wfi();
    if (t->count() < deadline) fail(name, "%s: ISTATUS at %u before %u", t->what, t->count(), deadline);
    if (!gic_is_pending(t->intid)) fail(name, "%s: not pending at the GIC", t->what);
    if (!(sys_read(isr_el1) & 0x80)) fail(name, "%s: ISR_EL1 is %x", t->what, sys_read(isr_el1));
    if (fired != before) fail(name, "%s: a masked interrupt was taken", t->what);
    /* Masked by the timer: the level falls, and nothing is taken although PSTATE allows it. */
    t->set_control(ENABLE | IMASK);
    if (gic_is_pending(t->intid)) fail(name, "%s: pending in spite of IMASK", t->what);
    irq_on();
    for (volatile unsigned i = 0; i < 2000; ++i) {}
    if (fired != before) fail(name, "%s: taken in spite of IMASK", t->what);
    irq_off();
    /* A new deadline takes the condition away; one in the past brings it at once. */
    t->set_compare(t->count() + 100000000);
    t->set_control(ENABLE);
    if ((t->control() & ISTATUS) || gic_is_pending(t->intid)) fail(name, "%s: a new deadline does not clear the condition", t->what);
    t->set_compare(0);
    irq_on();
    for (u64 i = 0; i < 1000000 && fired == before; ++i) {}
    if (fired != before + 1) fail(name, "%s: a deadline in the past fired %u times", t->what, fired - before);
    irq_off();
    /* Disabled at the GIC: pending there, and not taken. */
    gic_disable(t->intid);
    t->set_control(ENABLE);
    irq_on();
    for (volatile unsigned i = 0; i < 2000; ++i) {}
    if (fired != before + 1 || !gic_is_pending(t->intid)) fail(name, "%s: disabled at the GIC, fired %u", t->what, fired - before);
    irq_off();
    t->set_control(0);
}

void guest_main(void) {
    gic_init();
    say("counters run at %u Hz\n", sys_read(cntfrq_el0));
    if (sys_read(cntfrq_el0) != 62500000) fail(name, "CNTFRQ_EL0 is %u", sys_read(cntfrq_el0));
    const struct timer *const timers[] = {&timer_v, &timer_p};
    for (unsigned i = 0; i < 2; ++i) {
        expected_intid = timers[i]->intid;
        gic_enable(expected_intid, 0x80);
        only_forward(timers[i]);
        rounds(timers[i]);
        compare_and_value(timers[i]);
        masked(timers[i]);
        say("%s timer done\n", timers[i]->what);
    }
    pass(name);
}
