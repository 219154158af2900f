/* The kit's interrupt controller: one face over GICv2 and GICv3. */
#include "guest.h"

#define ISENABLER 0x100
#define ICENABLER 0x180
#define ISPENDR 0x200
#define ISACTIVER 0x300
#define IPRIORITYR 0x400
#define ITARGETSR 0x800
#define ICFGR 0xc00

static u64 redistributors[MAX_CPUS];
static volatile unsigned version;

unsigned gic_version(void) {
    if (version) return version;
    const u32 architecture = read32(GICD_BASE + 0xfe8) >> 4 & 15;
    if (architecture == 2) version = 2;
    else version = read32(GICD_BASE + 0xffe8) >> 4 & 15;
    if (version != 2 && version != 3) fail("kit", "a GIC of version %u", (u64)version);
    return version;
}

u64 gic_bank(unsigned intid) {
    if (gic_version() == 2 || intid >= 32) return GICD_BASE;
    return redistributors[this_cpu()] + 0x10000;
}

static void wait_for(u64 address, u32 mask, u32 wanted, const char *what) {
    for (u64 i = 0; (read32(address) & mask) != wanted; ++i)
        if (i > 1000000) fail("kit", "%s is %x", what, (u64)read32(address));
}

static void init_distributor(void) {
    const unsigned lines = (read32(GICD_BASE + 4) & 31) + 1;
    write32(GICD_BASE, 0);
    if (gic_version() == 2) {
        for (unsigned n = 32; n < 32 * lines; ++n) write8(GICD_BASE + ITARGETSR + n, 1);
        write32(GICD_BASE, 1);
        return;
    }
    wait_for(GICD_BASE, 1u << 31, 0, "GICD_CTLR");
    for (unsigned n = 1; n < lines; ++n) write32(GICD_BASE + 0x80 + 4 * n, 0xffffffff);
    write32(GICD_BASE, 0x12);
    wait_for(GICD_BASE, 1u << 31, 0, "GICD_CTLR");
}

/* Redistributors stand one behind the other; each names its CPU. */
static void find_redistributor(void) {
    const u64 cpu = this_cpu();
    for (u64 at = GICR_BASE;; at += GICR_STRIDE) {
        const u64 type = read64(at + 8);
        if (type >> 32 == cpu) {
            redistributors[cpu] = at;
            return;
        }
        if (type & 0x10) fail("kit", "CPU %u has no redistributor", cpu);
    }
}

void gic_init(void) {
    if (this_cpu() == 0) init_distributor();
    if (gic_version() == 2) {
        write32(GICC_BASE + 4, 0xff);
        write32(GICC_BASE + 8, 0);
        write32(GICC_BASE, 1);
        return;
    }
    find_redistributor();
    const u64 frame = redistributors[this_cpu()];
    write32(frame + 0x14, read32(frame + 0x14) & ~2u);
    wait_for(frame + 0x14, 4, 0, "GICR_WAKER");
    write32(frame + 0x10080, 0xffffffff);
    sys_write(S3_0_C12_C12_5, sys_read(S3_0_C12_C12_5) | 1); /* ICC_SRE_EL1 */
    if (!(sys_read(S3_0_C12_C12_5) & 1)) fail("kit", "ICC_SRE_EL1.SRE cannot be set");
    sys_write(S3_0_C4_C6_0, 0xff);                           /* ICC_PMR_EL1 */
    sys_write(S3_0_C12_C12_3, 0);                            /* ICC_BPR1_EL1 */
    sys_write(S3_0_C12_C12_4, 0);                            /* ICC_CTLR_EL1 */
    sys_write(S3_0_C12_C12_7, 1);                            /* ICC_IGRPEN1_EL1 */
}

void gic_enable(unsigned intid, u8 priority) {
    write8(gic_bank(intid) + IPRIORITYR + intid, priority);
    write32(gic_bank(intid) + ISENABLER + 4 * (intid / 32), 1u << intid % 32);
}

void gic_disable(unsigned intid) { write32(gic_bank(intid) + ICENABLER + 4 * (intid / 32), 1u << intid % 32); }

void gic_configure_edge(unsigned intid, bool edge) {
    const u64 at = gic_bank(intid) + ICFGR + 4 * (intid / 16);
    const u32 bit = 2u << 2 * (intid % 16);
    write32(at, edge ? read32(at) | bit : read32(at) & ~bit);
}

void gic_set_pending(unsigned intid) { write32(gic_bank(intid) + ISPENDR + 4 * (intid / 32), 1u << intid % 32); }

static bool is_set(u64 array, unsigned intid) { return read32(gic_bank(intid) + array + 4 * (intid / 32)) >> intid % 32 & 1; }
bool gic_is_pending(unsigned intid) { return is_set(ISPENDR, intid); }
bool gic_is_active(unsigned intid) { return is_set(ISACTIVER, intid); }

u32 gic_acknowledge(void) {
    if (gic_version() == 2) return read32(GICC_BASE + 0xc);
    const u32 intid = (u32)sys_read(S3_0_C12_C12_0); /* ICC_IAR1_EL1 */
    dsb();
    return intid;
}

void gic_end(u32 acknowledged) {
    if (gic_version() == 2) write32(GICC_BASE + 0x10, acknowledged);
    else sys_write(S3_0_C12_C12_1, acknowledged); /* ICC_EOIR1_EL1 */
}

void gic_set_mask(u8 priority) {
    if (gic_version() == 2) write32(GICC_BASE + 4, priority);
    else sys_write(S3_0_C4_C6_0, priority);
}

void gic_send(unsigned intid, u64 cpus) {
    dsb();
    if (gic_version() == 2) write32(GICD_BASE + 0xf00, (u32)(cpus << 16) | intid);
    else sys_write(S3_0_C12_C11_5, (u64)intid << 24 | cpus); /* ICC_SGI1R_EL1 */
}

void gic_send_to_others(unsigned intid) {
    dsb();
    if (gic_version() == 2) write32(GICD_BASE + 0xf00, 1u << 24 | intid);
    else sys_write(S3_0_C12_C11_5, (u64)intid << 24 | 1ul << 40);
}
