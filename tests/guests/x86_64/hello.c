/* The least a guest does: it was entered by PVH with start information and ACPI tables, prints, and ends. */
#include "guest.h"

static const char name[] = "hello";

void guest_main(void) {
    const struct cpuid id = cpuid(0, 0);
    say("hello from CPU %u, ", (u64)this_cpu());
    for (unsigned i = 0; i < 12; ++i) put_char((char)((i < 4 ? id.ebx : i < 8 ? id.edx : id.ecx) >> 8 * (i % 4)));
    say("\n");
    if (read32(start_info) != 0x336ec578) fail(name, "no start information at %x", start_info);
    if (rflags() & 0x200) fail(name, "entered with interrupts on");
    say("%u CPUs, version %x of the local APIC\n", (u64)count_cpus(), (u64)lapic(LAPIC_VERSION));
    const char *line = (const char *)read64(start_info + 24);
    if (line) say("command line \"%s\"\n", line);
    pass(name);
}
