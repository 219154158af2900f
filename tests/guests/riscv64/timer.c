/* Time only goes forward; a timer set through SBI fires not before its deadline, in WFI and in a loop;
   WFI also ends when the interrupt is pending but masked. */
#include "guest.h"

static const char name[] = "timer";
static volatile u64 fired;
static volatile u64 fired_at;

void guest_trap(struct frame *frame) {
    if (frame->scause != (INTERRUPT | 5)) fail(name, "trap scause=%x stval=%x sepc=%x", frame->scause, frame->stval, frame->sepc);
    fired_at = csr_read(time);
    fired++;
    set_timer(~0ul);
}

void guest_main(void) {
    u64 last = csr_read(time);
    for (unsigned i = 0; i < 1000; ++i) {
        u64 now = csr_read(time);
        if (now < last) fail(name, "time went from %u back to %u", last, now);
        last = now;
    }
    csr_write(sie, SIE_STIE);

    for (u64 i = 0; i < 20; ++i) {
        csr_clear(sstatus, SSTATUS_SIE);
        const u64 before = fired, deadline = csr_read(time) + 1000 * (i + 1);
        set_timer(deadline);
        if (i % 2) {
            csr_set(sstatus, SSTATUS_SIE);
            while (fired == before) __asm__ volatile("wfi");
        } else {
            csr_set(sstatus, SSTATUS_SIE);
            while (fired == before) {}
        }
        if (fired != before + 1) fail(name, "round %u: fired %u times", i, fired - before);
        if (fired_at < deadline) fail(name, "round %u: fired at %u, deadline %u", i, fired_at, deadline);
    }

    csr_clear(sstatus, SSTATUS_SIE);
    const u64 before = fired, deadline = csr_read(time) + 5000;
    set_timer(deadline);
    while (!(csr_read(sip) & SIE_STIE)) __asm__ volatile("wfi");
    if (csr_read(time) < deadline) fail(name, "pending at %u before %u", csr_read(time), deadline);
    if (fired != before) fail(name, "a masked interrupt was taken");
    set_timer(~0ul);
    if (csr_read(sip) & SIE_STIE) fail(name, "a new deadline does not clear the pending bit");
    set_timer(0);
    csr_set(sstatus, SSTATUS_SIE);
    for (u64 i = 0; i < 1000000 && fired == before; ++i) {}
    if (fired != before + 1) fail(name, "a deadline in the past fired %u times", fired - before);
    pass(name);
}
