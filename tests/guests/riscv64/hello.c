/* The least a guest does: it was entered with a hart number and a device tree, prints, and ends. */
#include "guest.h"

void guest_main(void) {
    say("hello from hart %u\n", boot_hart);
    if (device_tree % 8 != 0) fail("hello", "device tree at %x is not aligned to 8", device_tree);
    if (read32(device_tree) != 0xedfe0dd0) fail("hello", "no device tree at %x", device_tree);
    if (boot_hart >= MAX_HARTS) fail("hello", "hart %u", boot_hart);
    struct sbi_result version = sbi(SBI_BASE, 0, 0, 0, 0, 0, 0);
    if (version.error) fail("hello", "no SBI version: %d", version.error);
    say("SBI %u.%u\n", (u64)(version.value >> 24) & 0x7f, (u64)version.value & 0xffffff);
    pass("hello");
}
