/* A jump to an address that is not a multiple of 4 faults at its target with a class of its own, before any fetch. */
#include "guest.h"

static const char name[] = "pc_alignment";

CODE(target, "nop\n\tnop\n\tret");

void guest_main(void) {
    expect_traps(true);
    for (u64 offset = 1; offset < 4; ++offset) {
        const u64 places[] = {(u64)target + offset, UNMAPPED + offset};
        for (unsigned i = 0; i < 2; ++i) {
            clear_note();
            ((void (*)(void))places[i])();
            if (noted.count != 1 || EC(noted.cause) != EC_PC) fail(name, "jump to %x: %u traps, ESR %x", places[i], noted.count, noted.cause);
            if (noted.value != places[i] || noted.pc != places[i]) fail(name, "jump to %x: FAR %x ELR %x", places[i], noted.value, noted.pc);
        }
    }
    clear_note();
    ((void (*)(void))(u64)target)();
    if (noted.count) fail(name, "an aligned jump: ESR %x", noted.cause);
    pass(name);
}
