/* The kit's stage-1 translation: 4 KiB granule, 39-bit addresses in both halves, two kinds of memory. */
#include "guest.h"

/* Arm ARM, TCR_EL1: T0SZ and T1SZ 25, write-back inner shareable walks, 4 KiB granules, 40-bit physical addresses. */
#define TCR (25ul | 25ul << 16 | 0x3500ul | 0x3500ul << 16 | 2ul << 30 | 2ul << 32)
#define SCTLR_MMU_AND_CACHES 0x1005ul

u64 *identity_root(void) {
    u64 *root = new_page();
    root[0] = PTE_VALID | PTE_ACCESSED | PTE_PXN | PTE_UXN;
    root[1] = RAM_BASE | PTE_VALID | PTE_RAM;
    return root;
}

void flush_tlb(void) { __asm__ volatile("dsb sy\n\ttlbi vmalle1is\n\tdsb sy\n\tisb" : : : "memory"); }

void mmu_on(const u64 *low_root, const u64 *high_root) {
    sys_write(mair_el1, 0xff00);
    sys_write(tcr_el1, TCR);
    sys_write(ttbr0_el1, (u64)low_root);
    sys_write(ttbr1_el1, (u64)high_root);
    flush_tlb();
    sys_write(sctlr_el1, sys_read(sctlr_el1) | SCTLR_MMU_AND_CACHES);
}

void mmu_off(void) {
    dsb();
    sys_write(sctlr_el1, sys_read(sctlr_el1) & ~SCTLR_MMU_AND_CACHES);
    flush_tlb();
}

void flush_code(u64 address, u64 bytes) {
    for (u64 line = address & ~63ul; line < address + bytes; line += 64)
        __asm__ volatile("dc cvau, %0" : : "r"(line) : "memory");
    __asm__ volatile("dsb ish" : : : "memory");
    for (u64 line = address & ~63ul; line < address + bytes; line += 64)
        __asm__ volatile("ic ivau, %0" : : "r"(line) : "memory");
    __asm__ volatile("dsb ish\n\tisb" : : : "memory");
}
