// The GICv2's registers one by one: what they hold after reset, which bits can be written, whose they are.
#include <gtest/gtest.h>

#include "tests/unit/devices/irqchip/vgicv2_fixture.hpp"

namespace ax::device_test {
namespace {

using namespace gicv2_bench;
using dev::Vgicv2;
using dev::Vgicv2Error;

class Vgicv2Registers : public testing::Test, protected Gicv2Bench {};

TEST(Vgicv2Create, refuses_what_cannot_be_built) {
    FakeInputs irqs;
    const bus::Initiator initiator;
    for (const u32 lines : {0u, 1u, 33u, 1020u, 1056u})
        EXPECT_EQ(Vgicv2::create({.lines = lines, .initiator = &initiator}, irqs).error(), Vgicv2Error::LineCount);
    for (const u32 vcpus : {0u, 9u})
        EXPECT_EQ(Vgicv2::create({.vcpus = vcpus, .initiator = &initiator}, irqs).error(), Vgicv2Error::VcpuCount);
    EXPECT_EQ(Vgicv2::create({}, irqs).error(), Vgicv2Error::NoInitiator);
    for (const u32 lines : {32u, 256u, 1024u})
        EXPECT_TRUE(Vgicv2::create({.lines = lines, .vcpus = 8, .initiator = &initiator}, irqs).has_value());
}

// A register, its value after reset, and what it reads after all ones and after all zeroes were written.
struct Row {
    u64 offset;
    u64 reset;
    u64 ones;
    u64 zeroes;
};

TEST_F(Vgicv2Registers, distributor_of_two_cpus) {
    for (const Row r : {
             Row{GICD_CTLR, 0, 3, 0},
             Row{GICD_TYPER, 0x27, 0x27, 0x27},
             Row{GICD_IIDR, 0x43b, 0x43b, 0x43b},
             Row{IGROUPR, 0, 0xffff'ffff, 0},
             Row{IGROUPR + 4, 0, 0xffff'ffff, 0},
             Row{IGROUPR + 28, 0, 0xffff'ffff, 0},
             Row{IGROUPR + 32, 0, 0, 0},
             Row{ISENABLER, 0xffff, 0xffff'ffff, 0xffff'ffff},
             Row{ISENABLER + 4, 0, 0xffff'ffff, 0xffff'ffff},
             Row{ICENABLER + 4, 0xffff'ffff, 0, 0},
             Row{ICENABLER, 0xffff'ffff, 0xffff, 0xffff},
             Row{ISENABLER + 32, 0, 0, 0},
             Row{ISPENDR, 0, 0xffff'0000, 0xffff'0000},
             Row{ICPENDR, 0xffff'0000, 0, 0},
             Row{ISPENDR + 28, 0, 0xffff'ffff, 0xffff'ffff},
             Row{ICPENDR + 28, 0xffff'ffff, 0, 0},
             Row{ISACTIVER, 0, 0xffff'ffff, 0xffff'ffff},
             Row{ICACTIVER, 0xffff'ffff, 0, 0},
             Row{ISACTIVER + 8, 0, 0xffff'ffff, 0xffff'ffff},
             Row{ICACTIVER + 8, 0xffff'ffff, 0, 0},
             Row{IPRIORITYR, 0, 0xf8f8'f8f8, 0},
             Row{IPRIORITYR + 28, 0, 0xf8f8'f8f8, 0},
             Row{IPRIORITYR + 252, 0, 0xf8f8'f8f8, 0},
             Row{IPRIORITYR + 256, 0, 0, 0},
             Row{ITARGETSR, 0x0101'0101, 0x0101'0101, 0x0101'0101},
             Row{ITARGETSR + 28, 0x0101'0101, 0x0101'0101, 0x0101'0101},
             Row{ITARGETSR + 32, 0, 0x0303'0303, 0},
             Row{ITARGETSR + 252, 0, 0x0303'0303, 0},
             Row{ITARGETSR + 256, 0, 0, 0},
             Row{ICFGR, 0xaaaa'aaaa, 0xaaaa'aaaa, 0xaaaa'aaaa},
             Row{ICFGR + 4, 0, 0xaaaa'aaaa, 0},
             Row{ICFGR + 8, 0, 0xaaaa'aaaa, 0},
             Row{ICFGR + 60, 0, 0xaaaa'aaaa, 0},
             Row{ICFGR + 64, 0, 0, 0},
             Row{SGIR, 0, 0, 0},
             Row{SPENDSGIR, 0, 0x0303'0303, 0x0303'0303},
             Row{CPENDSGIR, 0x0303'0303, 0, 0},
             Row{SPENDSGIR + 12, 0, 0x0303'0303, 0x0303'0303},
             Row{CPENDSGIR + 12, 0x0303'0303, 0, 0},
         }) {
        EXPECT_EQ(getd(r.offset), r.reset) << std::hex << r.offset;
        putd(r.offset, 0xffff'ffff);
        EXPECT_EQ(getd(r.offset), r.ones) << std::hex << r.offset;
        putd(r.offset, 0);
        EXPECT_EQ(getd(r.offset), r.zeroes) << std::hex << r.offset;
    }
}

TEST_F(Vgicv2Registers, distributor_identifies_itself_as_architecture_version_2) {
    u64 offset = 0xfd0;
    for (const u64 byte : {0x04u, 0u, 0u, 0u, 0x90u, 0xb4u, 0x2bu, 0u, 0x0du, 0xf0u, 0x05u, 0xb1u}) {
        putd(offset, 0xff);
        EXPECT_EQ(getd(offset), byte) << std::hex << offset;
        offset += 4;
    }
}

TEST_F(Vgicv2Registers, cpu_interface) {
    for (const Row r : {
             Row{GICC_CTLR, 0, 0x3ff, 0},
             Row{PMR, 0, 0xf8, 0},
             Row{BPR, 2, 7, 2},
             Row{IAR, 1023, 1023, 1023},
             Row{EOIR, 0, 0, 0},
             Row{RPR, 0xff, 0xff, 0xff},
             Row{HPPIR, 1023, 1023, 1023},
             Row{ABPR, 3, 7, 3},
             Row{AIAR, 1023, 1023, 1023},
             Row{AEOIR, 0, 0, 0},
             Row{AHPPIR, 1023, 1023, 1023},
             Row{APR0, 0, 0xffff'ffff, 0},
             Row{APR0 + 4, 0, 0, 0},
             Row{APR0 + 12, 0, 0, 0},
             Row{NSAPR0, 0, 0xffff'ffff, 0},
             Row{NSAPR0 + 12, 0, 0, 0},
             Row{GICC_IIDR, 0x0002'043b, 0x0002'043b, 0x0002'043b},
             Row{DIR, 0, 0, 0},
         }) {
        EXPECT_EQ(getc(r.offset), r.reset) << std::hex << r.offset;
        putc(r.offset, 0xffff'ffff);
        EXPECT_EQ(getc(r.offset), r.ones) << std::hex << r.offset;
        putc(r.offset, 0);
        EXPECT_EQ(getc(r.offset), r.zeroes) << std::hex << r.offset;
    }
}

TEST(Vgicv2Shape, type_register_tells_lines_and_cpus) {
    for (const u32 lines : {32u, 64u, 256u, 1024u}) {
        for (u32 vcpus = 1; vcpus <= 8; ++vcpus) {
            Gicv2Bench bench(vcpus, lines);
            EXPECT_EQ(bench.getd(GICD_TYPER), (lines / 32 - 1) | (vcpus - 1) << 5);
        }
    }
}

TEST(Vgicv2Shape, one_cpu_has_no_targets_and_gets_everything) {
    Gicv2Bench bench(1);
    bench.putd(ITARGETSR + 32, 0xffff'ffff);
    EXPECT_EQ(bench.getd(ITARGETSR), 0u);
    EXPECT_EQ(bench.getd(ITARGETSR + 32), 0u);
    bench.open();
    bench.enable(40, 0x80, 0);
    bench.gic.set_line(40, true);
    EXPECT_EQ(bench.getc(IAR), 40u);
}

TEST(Vgicv2Shape, each_of_eight_cpus_reads_its_own_bit_as_target) {
    Gicv2Bench bench(8);
    for (u32 c = 0; c < 8; ++c) {
        EXPECT_EQ(bench.getd(ITARGETSR, c), 0x0101'0101u << c);
        EXPECT_EQ(bench.getd(ITARGETSR + 31, c, 1), 1u << c);
    }
    bench.putd(ITARGETSR + 32, 0xffff'ffff);
    EXPECT_EQ(bench.getd(ITARGETSR + 32), 0xffff'ffffu);
}

TEST(Vgicv2Shape, the_last_word_of_1024_lines_ends_at_1019) {
    Gicv2Bench bench(2, 1024);
    for (const u64 base : {IGROUPR, ISENABLER, ISPENDR, ISACTIVER}) {
        bench.putd(base + 124, 0xffff'ffff);
        EXPECT_EQ(bench.getd(base + 124), 0x0fff'ffffu) << std::hex << base;
    }
    bench.putd(ICFGR + 252, 0xffff'ffff);
    EXPECT_EQ(bench.getd(ICFGR + 252), 0x00aa'aaaau);
    for (const u64 base : {IPRIORITYR, ITARGETSR}) {
        bench.putd(base + 1016, 0xffff'ffff);
        EXPECT_NE(bench.getd(base + 1016), 0u);
        EXPECT_EQ(bench.putd(base + 1020, 0xffff'ffff), 0u);
        EXPECT_EQ(bench.getd(base + 1020), 0u);
    }
}

TEST_F(Vgicv2Registers, private_words_are_banked_and_shared_ones_are_not) {
    for (const u64 base : {IGROUPR, ISENABLER, ISPENDR, ISACTIVER}) {
        putd(base, 0x00a0'0000, 0);
        putd(base, 0x0005'0000, 1);
        EXPECT_EQ(getd(base, 0) & 0xffff'0000, 0x00a0'0000u) << std::hex << base;
        EXPECT_EQ(getd(base, 1) & 0xffff'0000, 0x0005'0000u) << std::hex << base;
        putd(base + 4, 0x0000'0300, 1);
        EXPECT_EQ(getd(base + 4, 0), 0x0000'0300u) << std::hex << base;
    }
    putd(IPRIORITYR + 20, 0x4030'2010, 1);
    EXPECT_EQ(getd(IPRIORITYR + 20, 0), 0u);
    EXPECT_EQ(getd(IPRIORITYR + 20, 1), 0x4030'2010u);
    putd(ICFGR + 4, 0x2, 1);
    EXPECT_EQ(getd(ICFGR + 4, 0), 0u);
    EXPECT_EQ(getd(ICFGR + 4, 1), 2u);
    putc(PMR, 0x70, 1);
    EXPECT_EQ(getc(PMR, 0), 0u);
}

TEST_F(Vgicv2Registers, bytes_can_be_reached_one_by_one) {
    for (const u64 base : {IPRIORITYR + 40, ITARGETSR + 40, SPENDSGIR + 4}) {
        for (u64 i = 0; i < 4; ++i) {
            putd(base + i, i == 2 ? 0x03 : 0x01, 0, 1);
            putd(base + i, base < ITARGETSR ? 0x10 * (i + 1) : 1, 0, 1);
        }
        const u64 word = getd(base);
        for (u64 i = 0; i < 4; ++i) EXPECT_EQ(getd(base + i, 0, 1), word >> 8 * i & 0xff);
        EXPECT_EQ(word, base < ITARGETSR ? 0x4030'2010u : base < SPENDSGIR ? 0x0101'0101u : 0x0103'0101u);
    }
    putd(CPENDSGIR + 6, 0x02, 0, 1);
    EXPECT_EQ(getd(SPENDSGIR + 4), 0x0101'0101u);
}

TEST_F(Vgicv2Registers, reset_returns_both_devices_to_power_on) {
    const SavedState power_on = save_both(gic);
    open();
    enable(40, 0x20, 3);
    enable(27, 0x10);
    make_edge(41);
    putd(ISPENDR + 4, 0x200);
    putd(ISACTIVER + 4, 0xffff);
    putd(SGIR, 0x0200'0005);
    getc(IAR);
    putc(APR0, 0x80, 1);
    putc(BPR, 5, 1);
    EXPECT_NE(save_both(gic), power_on);
    gic.distributor().reset();
    gic.cpu_interface().reset();
    for (u32 c = 0; c < 2; ++c) EXPECT_FALSE(irqs.levels[c]);
    EXPECT_EQ(save_both(gic), power_on);
}

// gic_dist_init, gic_cpu_init and one interrupt of irq-gic, in its order.
TEST_F(Vgicv2Registers, linux_driver_sequence_works) {
    EXPECT_EQ(((getd(GICD_TYPER) & 0x1f) + 1) * 32, 256u);
    putd(GICD_CTLR, 0);
    u64 mask = 0;
    for (u64 i = 0; i < 32 && mask == 0; i += 4) mask = getd(ITARGETSR + i) & 0xff;
    EXPECT_EQ(mask, 1u);
    for (u64 i = 32; i < 256; i += 4) putd(ITARGETSR + i, 0x0101'0101);
    for (u64 i = 32; i < 256; i += 16) putd(ICFGR + i / 4, 0);
    for (u64 i = 32; i < 256; i += 4) putd(IPRIORITYR + i, 0xa0a0'a0a0);
    for (u64 i = 32; i < 256; i += 32) {
        putd(ICACTIVER + i / 8, 0xffff'ffff);
        putd(ICENABLER + i / 8, 0xffff'ffff);
    }
    putd(GICD_CTLR, 1);
    for (u32 c = 0; c < 2; ++c) {
        putd(ICACTIVER, 0xffff'ffff, c);
        putd(ICENABLER, 0xffff'0000, c);
        for (u64 i = 0; i < 32; i += 4) putd(IPRIORITYR + i, 0xa0a0'a0a0, c);
        putc(PMR, 0xf0, c);
        EXPECT_EQ(getc(GICC_IIDR, c) >> 16 & 0xf, 2u);
        for (u64 i = 0; i < 16; i += 4) putc(APR0 + i, 0, c);
        putc(GICC_CTLR, (getc(GICC_CTLR, c) & 0x1e0) | 1, c);
    }
    putd(ISENABLER, 1u << 27, 1);
    gic.set_private(VcpuId{1}, 27, true, std::nullopt);
    EXPECT_TRUE(irqs.levels[1]);
    EXPECT_EQ(getc(IAR, 1), 27u);
    gic.set_private(VcpuId{1}, 27, false, std::nullopt);
    putc(EOIR, 27, 1);
    EXPECT_EQ(getc(IAR, 1), 1023u);
    putd(SGIR, 0x0001'0002, 1);
    EXPECT_EQ(getc(IAR, 0), 0x402u);
    putc(EOIR, 0x402, 0);
    EXPECT_FALSE(irqs.levels[0]);
    EXPECT_EQ(getc(RPR, 0), 0xffu);
}

}  // namespace
}  // namespace ax::device_test
