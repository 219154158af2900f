#include "devices/irqchip/vgicv2.hpp"

#include <gtest/gtest.h>

#include "tests/unit/devices/irqchip/vgicv2_fixture.hpp"

namespace ax::device_test {
namespace {

using namespace gicv2_bench;

class Vgicv2Test : public testing::Test, protected Gicv2Bench {
protected:
    Vgicv2Test() { open(); }
};

TEST_F(Vgicv2Test, level_interrupt_runs_from_line_to_end) {
    enable(40, 0x80);
    gic.set_line(40, true);
    EXPECT_TRUE(irqs.levels[0]);
    EXPECT_FALSE(irqs.levels[1]);
    EXPECT_TRUE(is_set(ISPENDR, 40));
    EXPECT_EQ(getc(HPPIR), 40u);
    EXPECT_EQ(getc(IAR), 40u);
    EXPECT_FALSE(irqs.levels[0]);
    EXPECT_TRUE(is_set(ISACTIVER, 40));
    EXPECT_TRUE(is_set(ISPENDR, 40));
    EXPECT_EQ(getc(RPR), 0x80u);
    EXPECT_EQ(getc(APR0), u64{1} << 16);
    EXPECT_EQ(getc(HPPIR), 1023u);
    gic.set_line(40, false);
    putc(EOIR, 40);
    EXPECT_EQ(getc(RPR), 0xffu);
    EXPECT_FALSE(is_set(ISACTIVER, 40));
    EXPECT_FALSE(irqs.levels[0]);
}

TEST_F(Vgicv2Test, level_still_high_at_the_end_interrupts_again) {
    enable(40, 0x80);
    gic.set_line(40, true);
    getc(IAR);
    putc(EOIR, 40);
    EXPECT_TRUE(irqs.levels[0]);
    EXPECT_EQ(getc(IAR), 40u);
}

TEST_F(Vgicv2Test, level_that_falls_before_the_acknowledge_is_spurious) {
    enable(40, 0x80);
    gic.set_line(40, true);
    gic.set_line(40, false);
    EXPECT_FALSE(irqs.levels[0]);
    EXPECT_EQ(getc(IAR), 1023u);
}

TEST_F(Vgicv2Test, edge_is_remembered_and_one_during_handling_comes_after_it) {
    enable(40, 0x80);
    make_edge(40);
    gic.set_line(40, true);
    gic.set_line(40, false);
    EXPECT_TRUE(irqs.levels[0]);
    EXPECT_EQ(getc(IAR), 40u);
    EXPECT_FALSE(is_set(ISPENDR, 40));
    gic.set_line(40, true);
    gic.set_line(40, true);
    EXPECT_TRUE(is_set(ISPENDR, 40));
    EXPECT_FALSE(irqs.levels[0]);
    putc(EOIR, 40);
    EXPECT_EQ(getc(IAR), 40u);
    putc(EOIR, 40);
    EXPECT_EQ(getc(IAR), 1023u);
}

TEST_F(Vgicv2Test, pending_set_by_software_on_a_level_interrupt_outlives_the_line_until_acknowledged_or_cleared) {
    enable(40, 0x80);
    putd(ISPENDR + 4, 0x100);
    gic.set_line(40, true);
    gic.set_line(40, false);
    EXPECT_TRUE(irqs.levels[0]);
    EXPECT_EQ(getc(IAR), 40u);
    putc(EOIR, 40);
    EXPECT_FALSE(irqs.levels[0]);
    putd(ISPENDR + 4, 0x100);
    putd(ICPENDR + 4, 0x100);
    EXPECT_FALSE(irqs.levels[0]);
    gic.set_line(40, true);
    putd(ICPENDR + 4, 0x100);
    EXPECT_TRUE(irqs.levels[0]);
}

TEST_F(Vgicv2Test, most_urgent_goes_first_and_ties_go_to_the_lowest_number) {
    for (const auto& [intid, priority] : {std::pair{200u, 0x10u}, {100u, 0x40u}, {33u, 0x40u}, {64u, 0x20u}, {255u, 0xf0u}}) {
        enable(intid, priority);
        gic.set_line(intid, true);
    }
    putc(BPR, 7);
    for (const u64 expected : {200u, 64u, 33u, 100u, 255u}) {
        EXPECT_EQ(getc(IAR), expected);
        gic.set_line(static_cast<u32>(expected), false);
        putc(EOIR, expected);
    }
    EXPECT_EQ(getc(IAR), 1023u);
}

TEST_F(Vgicv2Test, only_a_priority_above_the_mask_interrupts) {
    enable(40, 0x80);
    gic.set_line(40, true);
    for (const u64 mask : {0x00u, 0x78u, 0x80u}) {
        putc(PMR, mask);
        EXPECT_FALSE(irqs.levels[0]);
        EXPECT_EQ(getc(IAR), 1023u);
        EXPECT_EQ(getc(HPPIR), 40u);
    }
    putc(PMR, 0x88);
    EXPECT_TRUE(irqs.levels[0]);
    putd(IPRIORITYR + 40, 0x88, 0, 1);
    EXPECT_FALSE(irqs.levels[0]);
}

TEST_F(Vgicv2Test, binary_point_decides_on_preemption) {
    enable(40, 0x88);
    enable(41, 0x80);
    for (u32 point = 0; point < 8; ++point) {
        putc(BPR, point);
        gic.set_line(40, true);
        EXPECT_EQ(getc(IAR), 40u);
        gic.set_line(41, true);
        // The two priorities differ in bit 3.
        EXPECT_EQ(irqs.levels[0], point < 3) << point;
        if (point < 3) {
            EXPECT_EQ(getc(IAR), 41u);
            EXPECT_EQ(getc(RPR), 0x80u);
            EXPECT_EQ(getc(APR0), u64{3} << 16);
            gic.set_line(41, false);
            putc(EOIR, 41);
            EXPECT_EQ(getc(RPR), 0x88u);
        } else {
            EXPECT_EQ(getc(IAR), 1023u);
            EXPECT_EQ(getc(RPR), point == 7 ? 0u : 0x80u);
            gic.set_line(41, false);
        }
        gic.set_line(40, false);
        putc(EOIR, 40);
        EXPECT_EQ(getc(RPR), 0xffu);
    }
}

TEST_F(Vgicv2Test, group_1_is_split_by_the_aliased_binary_point_unless_there_is_one_for_both) {
    for (const u32 intid : {40u, 41u}) make_group1(intid);
    enable(40, 0x88);
    enable(41, 0x80);
    struct Case {
        u64 control;
        u64 point;
        u64 aliased;
        bool preempts;
    };
    // The aliased register counts one higher: 3 leaves bits 7-3, and 4 leaves bits 7-4.
    for (const Case c : {Case{0, 7, 3, true}, Case{0, 2, 4, false}, Case{0, 7, 0, true}, Case{0, 2, 7, false},
                         Case{cbpr, 2, 7, true}, Case{cbpr, 3, 3, false}}) {
        putc(GICC_CTLR, group0 | group1 | c.control);
        putc(BPR, c.point);
        putc(ABPR, c.aliased);
        gic.set_line(40, true);
        EXPECT_EQ(getc(AIAR), 40u);
        EXPECT_EQ(getc(APR0), 0u);
        EXPECT_NE(getc(NSAPR0), 0u);
        gic.set_line(41, true);
        EXPECT_EQ(irqs.levels[0], c.preempts) << c.control << ' ' << c.point << ' ' << c.aliased;
        gic.set_line(41, false);
        gic.set_line(40, false);
        putc(AEOIR, 40);
        EXPECT_EQ(getc(NSAPR0), 0u);
    }
}

TEST_F(Vgicv2Test, groups_are_enabled_in_both_places) {
    enable(40, 0x80);
    enable(41, 0x40);
    make_group1(41);
    gic.set_line(41, true);
    for (const u64 distributor : {0u, 1u, 2u, 3u}) {
        for (const u64 cpu : {0u, 1u, 2u, 3u}) {
            putd(GICD_CTLR, distributor);
            putc(GICC_CTLR, cpu);
            EXPECT_EQ(irqs.levels[0], (distributor & cpu & group1) != 0);
            EXPECT_EQ(getc(HPPIR), (distributor & group1) != 0 ? 1022u : 1023u);
        }
    }
}

TEST_F(Vgicv2Test, what_the_distributor_does_not_forward_hides_nothing) {
    enable(40, 0x80);
    enable(41, 0x40);
    make_group1(41);
    gic.set_line(40, true);
    gic.set_line(41, true);
    putd(GICD_CTLR, group0);
    EXPECT_EQ(getc(IAR), 40u);
}

TEST_F(Vgicv2Test, each_group_is_acknowledged_through_its_own_register_or_both_with_ackctl) {
    enable(40, 0x80);
    gic.set_line(40, true);
    EXPECT_EQ(getc(AHPPIR), 1023u);
    EXPECT_EQ(getc(AIAR), 1023u);
    EXPECT_EQ(getc(HPPIR), 40u);
    make_group1(40);
    EXPECT_EQ(getc(HPPIR), 1022u);
    EXPECT_EQ(getc(IAR), 1022u);
    EXPECT_TRUE(irqs.levels[0]);
    EXPECT_EQ(getc(AHPPIR), 40u);
    EXPECT_EQ(getc(AIAR), 40u);
    gic.set_line(40, false);
    putc(AEOIR, 40);
    EXPECT_EQ(getc(RPR), 0xffu);
    EXPECT_FALSE(is_set(ISACTIVER, 40));
    putc(GICC_CTLR, group0 | group1 | ack_ctl);
    gic.set_line(40, true);
    EXPECT_EQ(getc(HPPIR), 40u);
    EXPECT_EQ(getc(IAR), 40u);
    putc(EOIR, 40);
    EXPECT_EQ(getc(RPR), 0xffu);
}

TEST_F(Vgicv2Test, aliased_end_of_a_group_0_interrupt_is_ignored) {
    enable(40, 0x80);
    gic.set_line(40, true);
    EXPECT_EQ(getc(IAR), 40u);
    putc(AEOIR, 40);
    EXPECT_EQ(getc(RPR), 0x80u);
    EXPECT_TRUE(is_set(ISACTIVER, 40));
}

TEST_F(Vgicv2Test, group_0_becomes_fiq_when_told_so) {
    enable(40, 0x80);
    gic.set_line(40, true);
    EXPECT_TRUE(irqs.levels[0]);
    putc(GICC_CTLR, group0 | group1 | fiq_en);
    EXPECT_FALSE(irqs.levels[0]);
    EXPECT_TRUE(fiqs.levels[0]);
    make_group1(40);
    EXPECT_TRUE(irqs.levels[0]);
    EXPECT_FALSE(fiqs.levels[0]);
}

TEST_F(Vgicv2Test, split_end_drops_the_priority_first_and_deactivates_later) {
    putc(GICC_CTLR, group0 | eoi_mode);
    enable(40, 0x80);
    enable(41, 0x80);
    gic.set_line(40, true);
    EXPECT_EQ(getc(IAR), 40u);
    putc(EOIR, 40);
    EXPECT_EQ(getc(RPR), 0xffu);
    EXPECT_TRUE(is_set(ISACTIVER, 40));
    EXPECT_FALSE(irqs.levels[0]);
    gic.set_line(41, true);
    EXPECT_EQ(getc(IAR), 41u);
    putc(DIR, 40);
    EXPECT_FALSE(is_set(ISACTIVER, 40));
    EXPECT_EQ(getc(RPR), 0x80u);
    EXPECT_EQ(getc(HPPIR), 40u);
}

TEST_F(Vgicv2Test, deactivation_without_split_ends_is_ignored) {
    enable(40, 0x80);
    gic.set_line(40, true);
    EXPECT_EQ(getc(IAR), 40u);
    putc(DIR, 40);
    EXPECT_TRUE(is_set(ISACTIVER, 40));
}

TEST_F(Vgicv2Test, sgi_filters_choose_the_targets) {
    Gicv2Bench bench(4);
    bench.open();
    struct Case {
        u64 value;
        std::array<bool, 4> hit;
    };
    for (const Case c : {Case{0x0005'0000, {true, false, true, false}}, Case{0x0002'0000, {false, true, false, false}},
                         Case{0x0000'0000, {false, false, false, false}}, Case{0x01ff'0000, {true, false, true, true}},
                         Case{0x02ff'0000, {false, true, false, false}}, Case{0x03ff'0000, {false, false, false, false}}}) {
        for (u64 sgi = 0; sgi < 16; ++sgi) {
            bench.putd(SGIR, c.value | sgi, 1);
            for (u32 t = 0; t < 4; ++t) {
                EXPECT_EQ(bench.irqs.levels[t], c.hit[t]) << std::hex << c.value;
                const u64 taken = bench.getc(IAR, t);
                EXPECT_EQ(taken, c.hit[t] ? 0x400 | sgi : 1023u) << std::hex << c.value;
                bench.putc(EOIR, taken, t);
            }
        }
    }
}

TEST_F(Vgicv2Test, sgi_comes_once_per_sender_and_names_it) {
    Gicv2Bench bench(8);
    bench.open();
    for (const u32 from : {5u, 2u, 7u, 5u}) bench.putd(SGIR, 0x0001'0003, from);
    EXPECT_EQ(bench.getd(SPENDSGIR, 0), u64{0xa4} << 24);
    for (const u64 from : {2u, 5u, 7u}) {
        EXPECT_EQ(bench.getc(HPPIR), from << 10 | 3);
        EXPECT_EQ(bench.getc(IAR), from << 10 | 3);
        EXPECT_EQ(bench.is_set(ISPENDR, 3), from != 7);
        EXPECT_EQ(bench.getc(IAR), 1023u);
        bench.putc(EOIR, from << 10 | 3);
    }
    EXPECT_EQ(bench.getc(IAR), 1023u);
}

TEST_F(Vgicv2Test, sgi_pending_bits_are_set_and_cleared_by_sender) {
    putd(SPENDSGIR + 3, 0x2, 0, 1);
    EXPECT_TRUE(irqs.levels[0]);
    EXPECT_FALSE(irqs.levels[1]);
    putd(CPENDSGIR + 3, 0x1, 0, 1);
    EXPECT_TRUE(irqs.levels[0]);
    putd(CPENDSGIR + 3, 0x2, 0, 1);
    EXPECT_FALSE(irqs.levels[0]);
}

TEST_F(Vgicv2Test, private_inputs_are_those_of_one_cpu) {
    for (u32 c = 0; c < 2; ++c) enable(27, 0x80, 0, c);
    gic.set_private(VcpuId{1}, 27, true, std::nullopt);
    EXPECT_FALSE(irqs.levels[0]);
    EXPECT_TRUE(irqs.levels[1]);
    EXPECT_EQ(getc(IAR, 0), 1023u);
    EXPECT_EQ(getc(IAR, 1), 27u);
    putc(EOIR, 27, 1);
    EXPECT_TRUE(irqs.levels[1]);
    gic.set_private(VcpuId{1}, 27, false, std::nullopt);
    EXPECT_FALSE(irqs.levels[1]);
    EXPECT_TRUE(host.given.empty());
}

using Given = std::vector<std::pair<u32, u32>>;

TEST_F(Vgicv2Test, host_interrupt_is_given_back_when_the_guest_deactivates_it) {
    enable(27, 0x80, 0, 1);
    gic.set_private(VcpuId{1}, 27, true, 127);
    EXPECT_EQ(getc(IAR, 1), 27u);
    EXPECT_TRUE(host.given.empty());
    putc(EOIR, 27, 1);
    EXPECT_EQ(host.given, (Given{{1, 127}}));
    EXPECT_FALSE(irqs.levels[1]);
    EXPECT_FALSE(is_set(ISPENDR, 27, 1));
    gic.set_private(VcpuId{1}, 27, true, 128);
    EXPECT_EQ(getc(IAR, 1), 27u);
    putc(GICC_CTLR, group0 | eoi_mode, 1);
    putc(EOIR, 27, 1);
    EXPECT_EQ(host.given.size(), 1u);
    putc(DIR, 27, 1);
    EXPECT_EQ(host.given, (Given{{1, 127}, {1, 128}}));
}

TEST_F(Vgicv2Test, host_interrupt_is_given_back_once_and_only_when_it_was_active) {
    enable(27, 0x80);
    gic.set_private(VcpuId{0}, 27, true, 27);
    putc(EOIR, 27);
    putd(ICACTIVER, 0xffff'ffff);
    EXPECT_TRUE(host.given.empty());
    getc(IAR);
    putd(ICACTIVER, 0xffff'ffff);
    putd(ICACTIVER, 0xffff'ffff);
    putc(EOIR, 27);
    EXPECT_EQ(host.given, (Given{{0, 27}}));
    putd(ISACTIVER, u64{1} << 27);
    putc(EOIR, 27);
    EXPECT_FALSE(is_set(ISACTIVER, 27));
    EXPECT_EQ(host.given.size(), 1u);
}

TEST_F(Vgicv2Test, host_interrupt_whose_cause_is_still_there_comes_again) {
    enable(27, 0x80);
    host.insists = true;
    gic.set_private(VcpuId{0}, 27, true, 27);
    for (u32 i = 1; i <= 3; ++i) {
        EXPECT_EQ(getc(IAR), 27u);
        putc(EOIR, 27);
        EXPECT_EQ(host.given.size(), i);
        EXPECT_TRUE(irqs.levels[0]);
    }
}

TEST_F(Vgicv2Test, reset_gives_host_interrupts_back_and_keeps_other_inputs) {
    enable(27, 0x80);
    gic.set_private(VcpuId{0}, 27, true, 27);
    gic.set_private(VcpuId{1}, 28, true, 128);
    gic.set_private(VcpuId{1}, 29, true, std::nullopt);
    gic.set_line(50, true);
    getc(IAR);
    gic.distributor().reset();
    EXPECT_EQ(host.given, (Given{{0, 27}, {1, 128}}));
    EXPECT_EQ(getd(ISPENDR, 0), 0u);
    EXPECT_EQ(getd(ISPENDR, 1), u64{1} << 29);
    EXPECT_TRUE(is_set(ISPENDR, 50));
}

TEST_F(Vgicv2Test, restored_controller_goes_on_where_the_saved_one_was) {
    enable(40, 0x80);
    enable(27, 0x40);
    gic.set_line(40, true);
    getc(IAR);
    gic.set_private(VcpuId{0}, 27, true, 27);
    putd(SGIR, 0x0002'0004);
    Gicv2Bench other;
    ASSERT_TRUE(restore(other.gic.distributor(), save(gic.distributor())));
    ASSERT_TRUE(restore(other.gic.cpu_interface(), save(gic.cpu_interface())));
    EXPECT_EQ(save_both(other.gic), save_both(gic));
    EXPECT_TRUE(other.irqs.driven.empty());
    EXPECT_EQ(other.getc(RPR), 0x80u);
    EXPECT_EQ(other.getc(IAR), 27u);
    other.putc(EOIR, 27);
    EXPECT_EQ(other.host.given, (Given{{0, 27}}));
    EXPECT_EQ(other.getc(IAR, 1), 4u);
}

}  // namespace
}  // namespace ax::device_test
