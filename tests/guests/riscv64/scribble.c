/* A hundred thousand accesses of random place, width and value to the device windows. Each completes
   or is an access fault; the guest, and so the machine, is still there afterwards. What the devices
   made of it goes into the run's state hash. */
#include "guest.h"

static const char name[] = "scribble";
#define ROUNDS 100000u

/* Mostly what a device takes: bytes at the UART, aligned words at the others. */
static u64 choose_width(u64 address, u64 r) {
    if (r % 4 == 0) return r >> 2 & 3;
    return address >= UART_BASE && address < UART_BASE + UART_BYTES ? 0 : 2;
}

static u64 choose_place(u64 *seed) {
    const u64 r = next_random(seed);
    switch (r % 8) {
    case 0: return UART_BASE + (r >> 8) % 8;
    case 1: return UART_BASE + (r >> 8) % UART_BYTES;
    case 2: return RTC_BASE + (r >> 8) % 0x28;
    case 3: return RTC_BASE + (r >> 8) % RTC_BYTES;
    case 4: return PLIC_BASE + (r >> 8) % 0x200;
    case 5: return PLIC_BASE + 0x1000 + (r >> 8) % 0x2000;
    case 6: return PLIC_BASE + 0x200000 + (r >> 8) % 0x8000;
    default: return PLIC_BASE + (r >> 8) % PLIC_BYTES;
    }
}

void guest_main(void) {
    u64 seed = 42, refused = 0, misaligned = 0;
    csr_write(sie, 0);
    expect_traps(true);
    for (unsigned i = 0; i < ROUNDS; ++i) {
        const u64 place = choose_place(&seed), value = next_random(&seed), what = next_random(&seed);
        const u64 width = choose_width(place, what >> 8), address = what % 16 < 2 ? place : place & ~((1ul << width) - 1);
        const bool load = what & 16;
        clear_note();
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
        if (noted.count > 1) fail(name, "%u traps at %x", noted.count, address);
        if (!noted.count) continue;
        if (noted.cause == (load ? 4 : 6)) ++misaligned;
        else if (noted.cause == (load ? 5 : 7)) ++refused;
        else fail(name, "cause %u at %x", noted.cause, address);
    }
    expect_traps(false);
    uart_reset();
    say("\n%u accesses were refused, %u as misaligned\n", refused, misaligned);
    pass(name);
}
