/* The kit's interrupt controllers, and the CPUs that ACPI names. */
#include "guest.h"

void pic_off(void) {
    out8(0x21, 0xff);
    out8(0xa1, 0xff);
}

void lapic_init(void) {
    lapic_set(LAPIC_LVT_TIMER, LVT_MASKED);
    lapic_set(LAPIC_LVT_ERROR, LVT_MASKED);
    lapic_set(LAPIC_DFR, 0xffffffff);
    lapic_set(LAPIC_LDR, 1u << (24 + this_cpu()));
    lapic_set(LAPIC_TPR, 0);
    lapic_set(LAPIC_SVR, 0x100 | SPURIOUS);
    lapic_set(LAPIC_DIVIDE, 0xb);
}

bool lapic_is_pending(u8 vector) { return lapic(LAPIC_IRR + 0x10 * (vector / 32)) >> vector % 32 & 1; }

void ipi(u64 cpu, u32 command) {
    for (unsigned i = 0; i < 100000 && (lapic(LAPIC_ICR) & 0x1000); ++i) {}
    lapic_set(LAPIC_ICR_HIGH, (u32)cpu << 24);
    lapic_set(LAPIC_ICR, command);
}

u32 ioapic(u8 reg) {
    write32(IOAPIC_BASE, reg);
    return read32(IOAPIC_BASE + 0x10);
}

void ioapic_set(u8 reg, u32 value) {
    write32(IOAPIC_BASE, reg);
    write32(IOAPIC_BASE + 0x10, value);
}

void ioapic_route(unsigned pin, u8 vector, u64 cpu) {
    ioapic_set((u8)(0x11 + 2 * pin), (u32)cpu << 24);
    ioapic_set((u8)(0x10 + 2 * pin), vector);
}

void ioapic_mask(unsigned pin) { ioapic_set((u8)(0x10 + 2 * pin), LVT_MASKED); }

/* ACPI specification, "Root System Description Pointer" to "Multiple APIC Description Table". */
static u64 unaligned(u64 at, unsigned bytes) {
    u64 v = 0;
    while (bytes) v = v << 8 | read8(at + --bytes);
    return v;
}

static bool is_signed(u64 at, const char *signature) {
    for (unsigned i = 0; signature[i]; ++i)
        if (read8(at + i) != (u8)signature[i]) return false;
    return true;
}

static u64 find_rsdp(void) {
    const u64 given = start_info ? unaligned(start_info + 32, 8) : 0;
    if (given) return given;
    for (u64 at = 0xe0000; at < 0x100000; at += 16)
        if (is_signed(at, "RSD PTR ")) return at;
    fail("kit", "there is no RSDP");
}

unsigned count_cpus(void) {
    const u64 rsdp = find_rsdp();
    const bool wide = read8(rsdp + 15) >= 2;
    const u64 root = wide ? unaligned(rsdp + 24, 8) : unaligned(rsdp + 16, 4);
    const unsigned entry = wide ? 8 : 4;
    unsigned count = 0;
    for (u64 at = root + 36; at < root + unaligned(root + 4, 4); at += entry) {
        const u64 table = unaligned(at, entry);
        if (!is_signed(table, "APIC")) continue;
        for (u64 part = table + 44; part < table + unaligned(table + 4, 4); part += read8(part + 1))
            if (read8(part) == 0 && (read8(part + 4) & 1)) ++count;
    }
    return count < MAX_CPUS ? count : MAX_CPUS;
}
