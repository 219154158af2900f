/* Accesses of random place, width and value to every port of the devices, to the pages of both APICs, and to MSRs. Each completes,
   or is #GP for an MSR; the guest, and so the machine, is still there afterwards. What the devices made of it goes into the run's
   state hash. Only what ends or resets the machine is left out. scribble_long is the same for a campaign. */
#include "guest.h"

#ifndef ROUNDS
#define ROUNDS 20000u
#define NAME "scribble"
#endif

static const char name[] = NAME;
static u64 refused, nmis;

void guest_trap(struct frame *frame) {
    if (frame->vector == NMI) {
        nmis++;
        return;
    }
    if (!handle_expected(frame)) fail(name, "trap vector=%u error=%x rip=%x", frame->vector, frame->error, frame->rip);
}

static u16 choose_port(u64 r) {
    static const u16 first[] = {0x20, 0xa0, 0x40, 0x60, 0x70, 0x80, 0xcf8, 0x3f8, 0x4d0, 0x600, 0x510, 0x92, 0x2f8, 0};
    static const u16 length[] = {2, 2, 4, 8, 2, 16, 8, 8, 2, 16, 12, 1, 8, 0xffff};
    const unsigned which = r % 14;
    return (u16)(first[which] + (r >> 8) % length[which]);
}

/* Turns the machine off or resets it: PM1a control, reset control, the system ports. */
static bool is_forbidden_port(u16 port, unsigned width) {
    static const u16 ends[] = {0x605, 0xcf9, 0x92, 0x64};
    if (port == 0xcf8 && width == 4) return false;
    for (unsigned i = 0; i < 4; ++i)
        if (port <= ends[i] && port + width > ends[i]) return true;
    return false;
}

static void poke_port(u64 r, u64 value) {
    const u16 port = choose_port(r);
    const unsigned width = 1u << (r >> 32) % 3;
    const bool load = r >> 40 & 1;
    if (!load && is_forbidden_port(port, width)) return;
    if (load) width == 1 ? (void)in8(port) : width == 2 ? (void)in16(port) : (void)in32(port);
    else width == 1 ? out8(port, (u8)value) : width == 2 ? out16(port, (u16)value) : out32(port, (u32)value);
}

/* An INIT that reaches this CPU would end it. */
static bool is_init(u64 place, u64 value) {
    return place >= LAPIC_BASE + LAPIC_ICR - 7 && place < LAPIC_BASE + LAPIC_ICR + 16 && (value >> 8 & 7) >= 5;
}
/* Nor may LINT1 or the I/O APIC send one. */
static bool sends_init(u64 place, u64 value) {
    const bool is_entry = (place >= LAPIC_BASE + 0x320 - 7 && place < LAPIC_BASE + 0x380) || (place >= IOAPIC_BASE && place < IOAPIC_BASE + 0x20);
    return is_entry && (value >> 8 & 7) >= 5;
}

static void poke_memory(u64 r, u64 value) {
    const u64 window = r & 1 ? LAPIC_BASE : IOAPIC_BASE, offset = r >> 16;
    u64 place = window + (r & 2 ? offset % 0x1000 : r & 4 ? offset % 0x400 / 16 * 16 : offset % 0x50);
    const unsigned width = r & 8 ? 2 : (unsigned)(r >> 4 & 3);
    if (r & 0x40) place &= ~((1ul << width) - 1);
    if (place > window + 0xff8) place = window + 0xff8;
    if (r & 0x80) {
        switch (width) {
        case 0: (void)read8(place); break;
        case 1: (void)*(volatile u16 *)place; break;
        case 2: (void)read32(place); break;
        default: (void)read64(place); break;
        }
        return;
    }
    if (is_init(place, value) || sends_init(place, value)) value &= ~0x700ul;
    switch (width) {
    case 0: write8(place, (u8)value); break;
    case 1: *(volatile u16 *)place = (u16)value; break;
    case 2: write32(place, (u32)value); break;
    default: write64(place, value); break;
    }
}

/* Those by which the guest itself runs are only read: EFER, FS and GS bases, the APIC's base. */
static bool is_kept_msr(u32 number) { return number == 0xc0000080 || number == 0x1b || number == 0xc0000100 || number == 0xc0000101; }

static void poke_msr(u64 r, u64 value) {
    static const u32 first[] = {0, 0x10, 0x1b, 0x38, 0x80, 0xc0, 0x170, 0x1a0, 0x200, 0x277, 0x2f0, 0x400, 0x480, 0x6e0, 0x800, 0xc0000080, 0xc0000100, 0xc0010000, 0x40000000};
    const u32 number = first[r % 19] + (u32)(r >> 8) % (r >> 30 & 1 ? 4 : 64);
    clear_note();
    if (r >> 31 & 1 || is_kept_msr(number))
        __asm__ volatile(TRY("rdmsr") : : "c"(number) : "rax", "rdx", "memory");
    else
        __asm__ volatile(TRY("wrmsr") : : "c"(number), "a"((u32)value), "d"((u32)(value >> 32) & (r >> 32 & 1 ? ~0u : 0)) : "memory");
    if (!noted.count) return;
    if (noted.count != 1 || noted.cause != GP) fail(name, "MSR %x: %u exceptions, %x", (u64)number, noted.count, noted.cause);
    ++refused;
}

void guest_main(void) {
    u64 seed = 42;
    irq_off();
    expect_traps(true);
    for (unsigned i = 0; i < ROUNDS; ++i) {
        const u64 r = next_random(&seed), value = next_random(&seed), what = next_random(&seed);
        if (what % 8 < 4) poke_port(r, value);
        else if (what % 8 < 7) poke_memory(r, value);
        else poke_msr(r, value);
    }
    expect_traps(false);
    uart_reset();
    say("\n%u MSR accesses were refused, %u NMIs came\n", refused, nmis);
    pass(name);
}
