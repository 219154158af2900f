/* The least a guest does: it was entered at EL1 with a device tree, prints, asks PSCI its version, and ends. */
#include "guest.h"

static const char name[] = "hello";

void guest_main(void) {
    say("hello from CPU %u at EL%u\n", this_cpu(), sys_read(CurrentEL) >> 2);
    if (sys_read(CurrentEL) != 1 << 2) fail(name, "CurrentEL is %x", sys_read(CurrentEL));
    if (sys_read(sctlr_el1) & 5) fail(name, "entered with SCTLR_EL1 %x", sys_read(sctlr_el1));
    if ((sys_read(daif) & 0x3c0) != 0x3c0) fail(name, "entered with DAIF %x", sys_read(daif));
    /* QEMU has no room for its tree below an ELF file at this address, and leaves x0 at 0. */
    if (device_tree) {
        if (device_tree % 8 != 0) fail(name, "device tree at %x is not aligned to 8", device_tree);
        if (read32(device_tree) != 0xedfe0dd0) fail(name, "no device tree at %x", device_tree);
        say("device tree at %x\n", device_tree);
    }
    const i64 version = hvc(PSCI_VERSION, 0, 0, 0);
    if (version < 0x10000) fail(name, "PSCI version %d", version);
    say("PSCI %u.%u, GICv%u, %u CPUs\n", (u64)version >> 16, (u64)version & 0xffff, (u64)gic_version(), (u64)count_cpus());
    pass(name);
}
