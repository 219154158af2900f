// What a hostile guest does to a GICv2: one test per row of the table in vgicv2.cpp.
#include <gtest/gtest.h>

#include <algorithm>

#include "tests/unit/devices/irqchip/vgicv2_fixture.hpp"

namespace ax::device_test {
namespace {

using namespace gicv2_bench;

class Vgicv2Threats : public testing::Test, protected Gicv2Bench {
protected:
    Vgicv2Threats() {
        open();
        enable(40, 0x80);
        gic.set_line(40, true);
    }
};

TEST_F(Vgicv2Threats, t1_access_of_wrong_size_or_alignment_faults_and_changes_nothing) {
    const SavedState before = save_both(gic);
    for (u64 offset = 0; offset < 0x1010; ++offset) {
        for (const u8 size : {u8{1}, u8{2}, u8{4}, u8{8}}) {
            const bool has_bytes = (offset >= 0x400 && offset < 0x7fc) || (offset >= 0x800 && offset < 0xbfc) ||
                                   (offset >= 0xf10 && offset < 0xf30);
            if (size == 4 && offset % 4 == 0) continue;
            EXPECT_EQ(read_word(gic.cpu_interface(), offset, size), fault) << std::hex << offset;
            EXPECT_EQ(write_word(gic.cpu_interface(), offset, size, ~u64{0}), fault) << std::hex << offset;
            if (size == 1 && has_bytes) continue;
            EXPECT_EQ(read_word(gic.distributor(), offset, size), fault) << std::hex << offset;
            EXPECT_EQ(write_word(gic.distributor(), offset, size, ~u64{0}), fault) << std::hex << offset;
        }
    }
    EXPECT_EQ(save_both(gic), before);
    EXPECT_EQ(getc(IAR), 40u);
}

TEST_F(Vgicv2Threats, t2_places_without_register_read_zero_and_ignore_writes) {
    const SavedState before = save_both(gic);
    for (const u64 offset : {0x00cu, 0x010u, 0x07cu, 0x7fcu, 0xbfcu, 0xd00u, 0xe00u, 0xefcu, 0xf04u, 0xf30u, 0xfccu, 0x1000u,
                             0xfffcu}) {
        EXPECT_EQ(putd(offset, 0xffff'ffff), 0u) << std::hex << offset;
        EXPECT_EQ(getd(offset), 0u) << std::hex << offset;
    }
    for (const u64 offset : {0x02cu, 0x040u, 0x0ccu, 0x0f0u, 0x0f8u, 0x100u, 0xffcu, 0x1004u, 0xfffcu}) {
        EXPECT_EQ(putc(offset, 0xffff'ffff), 0u) << std::hex << offset;
        EXPECT_EQ(getc(offset), 0u) << std::hex << offset;
    }
    for (const u64 offset : {u64{0x1'0000'0000}, ~u64{3}}) {
        EXPECT_EQ(getd(offset), 0u);
        EXPECT_EQ(getc(offset), 0u);
    }
    EXPECT_EQ(save_both(gic), before);
}

TEST_F(Vgicv2Threats, t3_ends_of_what_does_not_exist_are_ignored) {
    putc(GICC_CTLR, group0 | eoi_mode);
    EXPECT_EQ(getc(IAR), 40u);
    const SavedState before = save_both(gic);
    for (const u64 intid : {256u, 300u, 1019u, 1020u, 1022u, 1023u}) {
        for (const u64 offset : {EOIR, AEOIR, DIR}) putc(offset, intid);
    }
    EXPECT_EQ(save_both(gic), before);
}

TEST_F(Vgicv2Threats, t4_more_ends_than_acknowledges_drop_only_what_runs) {
    EXPECT_EQ(getc(IAR), 40u);
    enable(41, 0x40);
    gic.set_line(41, true);
    EXPECT_EQ(getc(IAR), 41u);
    for (const u64 running : {0x80u, 0xffu, 0xffu}) {
        putc(EOIR, 99);
        EXPECT_EQ(getc(RPR), running);
    }
    EXPECT_EQ(getd(ISACTIVER + 4), u64{3} << 8);
    EXPECT_EQ(getc(IAR), 1023u);
}

TEST_F(Vgicv2Threats, t5_acknowledge_with_nothing_to_take_changes_nothing) {
    gic.set_line(40, false);
    const SavedState before = save_both(gic);
    for (int i = 0; i < 10; ++i) {
        EXPECT_EQ(getc(IAR), 1023u);
        EXPECT_EQ(getc(AIAR), 1023u);
    }
    EXPECT_EQ(save_both(gic), before);
}

TEST_F(Vgicv2Threats, t6_sgis_gather_in_one_bit_per_sender) {
    for (u32 i = 0; i < 1'000; ++i) putd(SGIR, 0x00ff'0000 | i % 16, i % 2);
    for (u32 c = 0; c < 2; ++c) {
        for (u64 sgi = 0; sgi < 16; ++sgi) EXPECT_EQ(getd(SPENDSGIR + sgi, c, 1), sgi % 2 == 0 ? 0x1u : 0x2u);
        for (u64 sgi = 0; sgi < 16; ++sgi) {
            EXPECT_EQ(getc(IAR, c), sgi % 2 << 10 | sgi);
            putc(EOIR, sgi, c);
        }
        EXPECT_EQ(getd(ISPENDR, c), 0u);
    }
    EXPECT_EQ(getc(IAR, 1), 1023u);
}

TEST_F(Vgicv2Threats, t7_sgis_are_neither_disabled_nor_made_pending_by_words) {
    putd(ICENABLER, 0xffff'ffff);
    EXPECT_EQ(getd(ISENABLER), 0xffffu);
    putd(ISPENDR, 0x0000'ffff);
    EXPECT_EQ(getd(ISPENDR), 0u);
    putd(SGIR, 0x0200'0001);
    putd(ICPENDR, 0x0000'ffff);
    EXPECT_EQ(getd(ISPENDR), 2u);
    putd(ICFGR, 0);
    EXPECT_EQ(getd(ICFGR), 0xaaaa'aaaau);
}

TEST_F(Vgicv2Threats, t8_targets_that_do_not_exist_are_not_kept) {
    putd(ITARGETSR + 40, 0xfc, 0, 1);
    EXPECT_EQ(getd(ITARGETSR + 40, 0, 1), 0u);
    EXPECT_FALSE(irqs.levels[0]);
    putd(ITARGETSR, 0);
    EXPECT_EQ(getd(ITARGETSR), 0x0101'0101u);
}

TEST_F(Vgicv2Threats, t9_binary_points_and_priorities_stay_within_five_bits) {
    for (u64 value = 0; value < 8; ++value) {
        putc(BPR, value);
        putc(ABPR, value);
        EXPECT_EQ(getc(BPR), std::max(value, u64{2}));
        EXPECT_EQ(getc(ABPR), std::max(value, u64{3}));
    }
    for (u64 value = 0; value < 256; ++value) {
        putd(IPRIORITYR + 40, value, 0, 1);
        putc(PMR, value);
        EXPECT_EQ(getd(IPRIORITYR + 40, 0, 1), value & 0xf8);
        EXPECT_EQ(getc(PMR), value & 0xf8);
    }
}

TEST_F(Vgicv2Threats, t10_written_active_priorities_hold_interrupts_back) {
    putc(NSAPR0, u64{1} << 16);
    EXPECT_EQ(getc(RPR), 0x80u);
    EXPECT_FALSE(irqs.levels[0]);
    putc(APR0, u64{1} << 16);
    putc(EOIR, 99);
    EXPECT_EQ(getc(APR0), 0u);
    EXPECT_EQ(getc(NSAPR0), u64{1} << 16);
    putc(NSAPR0, 0x8000'0000);
    EXPECT_TRUE(irqs.levels[0]);
    putc(APR0, 0xffff'ffff);
    EXPECT_FALSE(irqs.levels[0]);
}

TEST_F(Vgicv2Threats, t11_inputs_that_do_not_exist_are_ignored) {
    const SavedState before = save_both(gic);
    for (const u32 number : {0u, 15u, 31u, 256u, 1019u, 1023u, ~0u}) gic.set_line(number, true);
    for (const u32 number : {0u, 15u, 32u, 40u, ~0u}) gic.set_private(VcpuId{0}, number, true, 5);
    gic.set_private(VcpuId{2}, 27, true, 5);
    gic.set_private(VcpuId{~0u}, 27, true, 5);
    EXPECT_EQ(save_both(gic), before);
    Gicv2Bench large(2, 1024);
    const SavedState quiet = save_both(large.gic);
    for (u32 number = 1020; number < 1030; ++number) large.gic.set_line(number, true);
    EXPECT_EQ(save_both(large.gic), quiet);
    large.open();
    large.enable(1019, 0x10);
    large.gic.set_line(1019, true);
    EXPECT_EQ(large.getc(IAR), 1019u);
}

TEST_F(Vgicv2Threats, t12_outputs_are_driven_only_when_they_change) {
    irqs.driven.clear();
    for (int i = 0; i < 5; ++i) {
        putc(PMR, 0);
        putc(PMR, 0x80);
        putd(ICENABLER + 4, 0x100);
        putc(PMR, 0xf8);
        putd(ISENABLER + 4, 0x100);
        putd(ISENABLER + 4, 0x100);
    }
    EXPECT_EQ(irqs.driven.size(), 10u);
    EXPECT_TRUE(fiqs.driven.empty());
}

TEST_F(Vgicv2Threats, t13_interrupt_for_two_cpus_is_taken_by_the_first) {
    putd(ITARGETSR + 40, 3, 0, 1);
    EXPECT_TRUE(irqs.levels[0]);
    EXPECT_TRUE(irqs.levels[1]);
    EXPECT_EQ(getc(IAR, 1), 40u);
    EXPECT_FALSE(irqs.levels[0]);
    EXPECT_EQ(getc(IAR, 0), 1023u);
    putc(EOIR, 40, 1);
    EXPECT_TRUE(irqs.levels[0]);
}

TEST_F(Vgicv2Threats, t14_vcpu_without_cpu_interface_faults) {
    const SavedState before = save_both(gic);
    for (const u32 cpu : {2u, 7u, 8u, ~0u}) {
        EXPECT_EQ(getd(GICD_TYPER, cpu), fault);
        EXPECT_EQ(putd(GICD_CTLR, 0, cpu), fault);
        EXPECT_EQ(getc(IAR, cpu), fault);
        EXPECT_EQ(putc(EOIR, 40, cpu), fault);
    }
    EXPECT_EQ(save_both(gic), before);
}

}  // namespace
}  // namespace ax::device_test
