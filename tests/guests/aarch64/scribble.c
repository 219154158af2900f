/* Accesses of random place, width and value to every register of every device. Each completes or is an abort with its
   address; the guest, and so the machine, is still there afterwards. What the devices made of it goes into the run's
   state hash. scribble_long is the same for a campaign. */
#include "guest.h"

#ifndef ROUNDS
#define ROUNDS 20000u
#define NAME "scribble"
#endif

static const char name[] = NAME;
static u64 places[4];
static u64 lengths[4];
static unsigned windows;

static void add_window(u64 base, u64 length) {
    places[windows] = base;
    lengths[windows++] = length;
}

/* Registers of the GIC that lie close together are met more often than its reserved space. */
static u64 choose_place(u64 *seed) {
    const u64 r = next_random(seed);
    const u64 window = r % 8 < windows ? r % 8 : r % 16 < 8 ? 0 : 3 % windows, offset = r >> 16;
    switch (r >> 8 & 3) {
    case 0: return places[window] + offset % lengths[window];
    case 1: return places[window] + offset % 0x1000 % lengths[window];
    case 2: return places[window] + offset % 0x50;
    default: return places[window] + (lengths[window] - 0x40 + offset % 0x40);
    }
}

static u64 choose_width(u64 r) { return r % 4 == 0 ? r >> 2 & 3 : 2; }

static void access(u64 address, u64 width, bool load, u64 value) {
    switch (width + (load ? 0 : 4)) {
    case 0: (void)*(volatile u8 *)address; break;
    case 1: (void)*(volatile u16 *)address; break;
    case 2: (void)*(volatile u32 *)address; break;
    case 3: (void)*(volatile u64 *)address; break;
    case 4: *(volatile u8 *)address = (u8)value; break;
    case 5: *(volatile u16 *)address = (u16)value; break;
    case 6: *(volatile u32 *)address = (u32)value; break;
    default: *(volatile u64 *)address = value; break;
    }
}

void guest_main(void) {
    u64 seed = 42, refused = 0, misaligned = 0;
    gic_init();
    add_window(GICD_BASE, gic_version() == 3 ? GICD_BYTES : 0x1000);
    add_window(UART_BASE, UART_BYTES);
    add_window(RTC_BASE, RTC_BYTES);
    if (gic_version() == 3) add_window(GICR_BASE, count_cpus() * GICR_STRIDE);
    else add_window(GICC_BASE, GICC_BYTES);
    expect_traps(true);
    for (unsigned i = 0; i < ROUNDS; ++i) {
        const u64 place = choose_place(&seed), value = next_random(&seed), what = next_random(&seed), width = choose_width(what >> 8);
        const u64 address = what % 16 < 2 ? place : place & ~((1ul << width) - 1);
        const bool load = what & 16;
        clear_note();
        access(address, width, load, value);
        if (!noted.count) continue;
        /* A misaligned access may fault with an address of its second half. */
        if (noted.count > 1 || EC(noted.cause) != EC_DATA || WNR(noted.cause) != !load || noted.value - address > 7)
            fail(name, "%u traps at %x: ESR %x FAR %x", noted.count, address, noted.cause, noted.value);
        if (FSC(noted.cause) == FSC_ALIGNMENT) ++misaligned;
        else if (FSC(noted.cause) == FSC_EXTERNAL) ++refused;
        else fail(name, "ESR %x at %x", noted.cause, address);
    }
    expect_traps(false);
    uart_reset();
    say("\n%u accesses were refused, %u as misaligned\n", refused + misaligned, misaligned);
    pass(name);
}
