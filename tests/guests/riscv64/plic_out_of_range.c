/* Reads and writes the PLIC's whole window and beyond, registers or not, in all widths. Each access
   completes or is an access fault with its address; afterwards the PLIC still works. */
#include "guest.h"

static const char name[] = "plic_out_of_range";
static u64 faults;

static void poke(u64 address, unsigned width, u64 value) {
    clear_note();
    switch (width) {
    case 0: (void)read8(address); break;
    case 1: (void)*(volatile u16 *)address; break;
    case 2: (void)read32(address); break;
    case 3: (void)read64(address); break;
    case 4: write8(address, (u8)value); break;
    case 5: *(volatile u16 *)address = (u16)value; break;
    case 6: write32(address, (u32)value); break;
    default: write64(address, value); break;
    }
    if (noted.count > 1) fail(name, "%u traps at %x", noted.count, address);
    if (noted.count && noted.cause != (width < 4 ? 5 : 7)) fail(name, "cause %u at %x width %u", noted.cause, address, (u64)width);
    if (noted.count && noted.value != address) fail(name, "stval %x at %x width %u", noted.value, address, (u64)width);
    faults += noted.count;
}

static void poke_all(u64 address) {
    for (unsigned width = 0; width < 8; ++width) poke(address & ~((1ul << (width & 3)) - 1), width, 0xfedcba9876543210ul ^ address);
}

void guest_main(void) {
    csr_write(sie, 0);
    expect_traps(true);
    for (u64 at = 0; at < 0x2400; at += 4) poke_all(PLIC_BASE + at);
    for (u64 at = 0x1f0000; at < 0x208000; at += 0x7fc) poke_all(PLIC_BASE + at);
    for (u64 at = 0x200000; at < 0x4000000 - 8; at += 0xeffc) poke_all(PLIC_BASE + at);
    const u64 edges[] = {PLIC_BASE - 4, PLIC_BASE + PLIC_BYTES - 8, PLIC_BASE + PLIC_BYTES, PLIC_BASE + 0x3fffff8, PLIC_BASE + 0x4000000};
    for (unsigned i = 0; i < sizeof edges / sizeof *edges; ++i) poke_all(edges[i]);
    expect_traps(false);
    say("%u accesses were refused\n", faults);

    for (u64 source = 1; source < 32; ++source) write32(PLIC_BASE + 4 * source, 0);
    write32(PLIC_BASE + 4 * UART_IRQ, 5);
    if (read32(PLIC_BASE + 4 * UART_IRQ) != 5) fail(name, "priority reads back %u", (u64)read32(PLIC_BASE + 4 * UART_IRQ));
    write32(PLIC_BASE, 7);
    if (read32(PLIC_BASE) != 0) fail(name, "source 0 has a priority");
    pass(name);
}
