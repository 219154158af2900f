// A GICv3's interrupts on their way from an input to the end of their handling.
#include <gtest/gtest.h>

#include "tests/unit/devices/irqchip/vgicv3_fixture.hpp"

namespace ax::device_test {
namespace {

using namespace gicv3_bench;
using Numbers = std::vector<u32>;

class Vgicv3Test : public testing::Test, protected Gicv3Bench {
protected:
    Vgicv3Test() { open(); }
    void pulse(u32 intid) {
        gic.set_line(intid, true);
        gic.set_line(intid, false);
    }
    [[nodiscard]] std::optional<u8> urgency(u32 cpu = 0) const { return gic.most_urgent(VcpuId{cpu}); }
};

TEST_F(Vgicv3Test, an_interrupt_runs_from_its_input_to_its_end) {
    set_up(0, 40, 0x80);
    set_edge(0, 40, true);
    pulse(40);
    EXPECT_TRUE(inputs.levels[0]);
    EXPECT_EQ(enter().slots[0], (irq::Delivery{.number = 40, .priority = 0x80, .is_pending = true}));
    exit();
    EXPECT_TRUE(slots.slots[0].is_empty());
    EXPECT_EQ(take(), 40u);
    EXPECT_FALSE(inputs.levels[0]);
    EXPECT_TRUE(is(0, ISACTIVER, 40));
    EXPECT_FALSE(is(0, ISPENDR, 40));
    EXPECT_EQ(enter().slots[0], (irq::Delivery{.number = 40, .priority = 0x80, .is_active = true}));
    exit();
    end();
    EXPECT_FALSE(is(0, ISACTIVER, 40));
    EXPECT_EQ(offered(), Numbers{});
}

TEST_F(Vgicv3Test, a_level_asks_again_after_its_end_and_not_before) {
    set_up(0, 40);
    gic.set_line(40, true);
    EXPECT_TRUE(enter().slots[0].tells_end);
    exit();
    EXPECT_EQ(take(), 40u);
    EXPECT_FALSE(enter().slots[0].is_pending);
    exit();
    EXPECT_TRUE(is(0, ISPENDR, 40));
    EXPECT_FALSE(inputs.levels[0]);
    end();
    EXPECT_TRUE(inputs.levels[0]);
    EXPECT_EQ(take(), 40u);
    gic.set_line(40, false);
    end();
    EXPECT_EQ(offered(), Numbers{});
}

TEST_F(Vgicv3Test, the_end_of_a_level_asks_for_maintenance) {
    set_up(0, 40);
    gic.set_line(40, true);
    EXPECT_EQ(interface[0].acknowledge(enter()), 40u);
    EXPECT_TRUE(interface[0].end(slots));
    exit();
    EXPECT_EQ(offered(), Numbers{40});
}

TEST_F(Vgicv3Test, a_level_that_falls_before_it_is_taken_is_withdrawn) {
    set_up(0, 40);
    gic.set_line(40, true);
    enter();
    gic.set_line(40, false);
    exit();
    EXPECT_FALSE(inputs.levels[0]);
    EXPECT_EQ(offered(), Numbers{});
}

TEST_F(Vgicv3Test, a_level_made_pending_by_software_is_taken_once) {
    set_up(0, 40);
    put(0, ISPENDR, 40);
    EXPECT_EQ(take(), 40u);
    end();
    EXPECT_EQ(offered(), Numbers{});
}

TEST_F(Vgicv3Test, an_edge_while_its_forerunner_is_active_comes_after_it) {
    set_up(0, 40);
    set_edge(0, 40, true);
    pulse(40);
    EXPECT_EQ(take(), 40u);
    pulse(40);
    const irq::Delivery& d = enter().slots[0];
    EXPECT_TRUE(d.is_pending && d.is_active);
    interface[0].end(slots);
    EXPECT_EQ(interface[0].acknowledge(slots), 40u);
    exit();
    EXPECT_FALSE(is(0, ISPENDR, 40));
    end();
    EXPECT_EQ(offered(), Numbers{});
}

// The edge moves while the guest has the interrupt in a slot: before it takes it both are one, afterwards two.
TEST_F(Vgicv3Test, an_edge_during_the_run_is_not_lost) {
    set_up(0, 40);
    set_edge(0, 40, true);
    pulse(40);
    EXPECT_EQ(interface[0].acknowledge(enter()), 40u);
    pulse(40);
    exit();
    EXPECT_TRUE(is(0, ISPENDR, 40));
    EXPECT_TRUE(is(0, ISACTIVER, 40));
}

TEST_F(Vgicv3Test, most_urgent_first_then_lowest_number) {
    for (const auto& [intid, priority] : std::vector<std::pair<u32, u64>>{{900, 0x40}, {33, 0x80}, {20, 0x80}, {40, 0x40}}) {
        set_up(0, intid, priority);
        put(0, ISPENDR, intid);
    }
    EXPECT_EQ(offered(), (Numbers{40, 900, 20, 33}));
    EXPECT_FALSE(slots.has_more);
    EXPECT_EQ(urgency(), 0x40);
}

TEST_F(Vgicv3Test, what_is_active_goes_before_what_is_pending) {
    for (const u32 intid : {40u, 41u, 42u}) set_up(0, intid, 0x80);
    put(0, ISPENDR, 40);
    put(0, ISPENDR, 41);
    put(0, ISACTIVER, 42);
    EXPECT_EQ(offered(), (Numbers{42, 40, 41}));
}

TEST_F(Vgicv3Test, more_than_fit_stay_here_and_it_says_so) {
    for (u32 intid = 40; intid < 46; ++intid) {
        set_up(0, intid, 0xf8 - 8 * (intid - 40));
        put(0, ISPENDR, intid);
    }
    EXPECT_EQ(offered(), (Numbers{45, 44, 43, 42}));
    EXPECT_TRUE(slots.has_more);
    EXPECT_EQ(getd(ISPENDR + 4), u64{0x3f} << 8);
    slots.count = 16;
    EXPECT_EQ(offered(), (Numbers{45, 44, 43, 42, 41, 40}));
    EXPECT_FALSE(slots.has_more);
    slots.count = 0;
    EXPECT_EQ(offered(), Numbers{});
    EXPECT_TRUE(slots.has_more);
}

TEST_F(Vgicv3Test, no_more_slots_are_filled_than_there_are) {
    for (u32 intid = 40; intid < 80; ++intid) {
        set_up(0, intid);
        put(0, ISPENDR, intid);
    }
    slots.count = 1000;
    EXPECT_EQ(offered().size(), irq::Deliveries::max_slots);
    EXPECT_TRUE(slots.has_more);
}

TEST_F(Vgicv3Test, ends_without_a_slot_count_against_what_has_none) {
    for (u32 intid = 40; intid < 46; ++intid) {
        set_up(0, intid, 0x10 * ((intid - 40) / 2));
        put(0, ISACTIVER, intid);
    }
    enter().ended_unlisted = 1;
    exit();
    EXPECT_EQ(getd(ISACTIVER + 4), u64{0b101111} << 8);
    // 40 ends in its slot, and so does the one that has none.
    interface[0].running = {{0x00, 40}};
    interface[0].end(enter());
    slots.ended_unlisted += 5;
    exit();
    EXPECT_EQ(slots.ended_unlisted, 0u);
    EXPECT_EQ(getd(ISACTIVER + 4), u64{0b001110} << 8);
}

TEST_F(Vgicv3Test, an_end_without_a_slot_lets_a_level_ask_again) {
    set_up(0, 40);
    gic.set_line(40, true);
    EXPECT_EQ(take(), 40u);
    slots.count = 0;
    enter().ended_unlisted = 1;
    exit();
    EXPECT_TRUE(inputs.levels[0]);
}

// Held priorities that are already dropped block nothing: without a slot the pending one would wait for ever.
TEST_F(Vgicv3Test, active_interrupts_leave_a_slot_to_a_pending_one) {
    for (u32 intid = 40; intid < 45; ++intid) {
        set_up(0, intid, 0x10);
        put(0, ISACTIVER, intid);
    }
    for (const u32 intid : {50u, 51u}) {
        set_up(0, intid, intid == 50 ? 0x90 : 0x80);
        put(0, ISPENDR, intid);
    }
    EXPECT_EQ(offered(), (Numbers{40, 41, 42, 51}));
    EXPECT_TRUE(slots.has_more);
    EXPECT_EQ(take(), 51u);
}

TEST_F(Vgicv3Test, only_enabled_interrupts_of_enabled_groups_are_offered) {
    set_up(0, 40);
    set_up(0, 41);
    set_group(0, 41, false);
    put(0, ISPENDR, 40);
    put(0, ISPENDR, 41);
    put(0, ISPENDR, 42);
    for (const auto& [enables, numbers] :
         std::vector<std::pair<u64, Numbers>>{{0, {}}, {group0, {41}}, {group1, {40}}, {group0 | group1, {40, 41}}}) {
        putd(GICD_CTLR, enables);
        EXPECT_EQ(offered(), numbers) << enables;
        EXPECT_EQ(inputs.levels[0], !numbers.empty());
        EXPECT_EQ(urgency().has_value(), !numbers.empty());
    }
    put(0, ICENABLER, 41);
    EXPECT_EQ(offered(), Numbers{40});
}

TEST_F(Vgicv3Test, what_is_active_keeps_its_slot_when_it_is_disabled) {
    set_up(0, 40);
    put(0, ISPENDR, 40);
    EXPECT_EQ(take(), 40u);
    put(0, ICENABLER, 40);
    putd(GICD_CTLR, 0);
    EXPECT_EQ(offered(), Numbers{40});
    end();
    EXPECT_EQ(offered(), Numbers{});
}

TEST_F(Vgicv3Test, a_shared_interrupt_goes_where_its_route_says) {
    struct Row {
        u64 route;
        u32 cpu;
    };
    Gicv3Bench bench({0x0, 0x1, 0x100, 0x05'0000'0000});
    bench.open();
    bench.set_up(0, 40);
    bench.put(0, ISPENDR, 40);
    for (const auto& [route, cpu] : std::vector<Row>{
             {0x0, 0}, {0x1, 1}, {0x100, 2}, {0x05'0000'0000, 3}, {0x8000'0001, 0}, {0x100, 2}, {0x77, 0}, {0x05'0000'0001, 0}}) {
        bench.putd(IROUTER + 8 * 40, route, 8);
        for (u32 c = 0; c < 4; ++c) {
            EXPECT_EQ(bench.offered(c), c == cpu ? Numbers{40} : Numbers{}) << route;
            EXPECT_EQ(bench.inputs.levels[c], c == cpu) << route;
        }
    }
}

TEST_F(Vgicv3Test, an_interrupt_active_on_one_CPU_waits_for_its_end_whoever_is_next) {
    for (const bool is_edge : {false, true}) {
        set_up(0, 40);
        set_edge(0, 40, is_edge);
        putd(IROUTER + 8 * 40, 0, 8);
        gic.set_line(40, true);
        EXPECT_EQ(take(0), 40u);
        gic.set_line(40, false);
        gic.set_line(40, true);
        putd(IROUTER + 8 * 40, 1, 8);
        EXPECT_EQ(offered(1), Numbers{});
        EXPECT_FALSE(inputs.levels[1]);
        // The end must be heard of, for the other's sake.
        EXPECT_TRUE(enter(0).slots[0].tells_end);
        EXPECT_FALSE(slots.slots[0].is_pending);
        EXPECT_TRUE(interface[0].end(slots));
        exit(0);
        EXPECT_TRUE(inputs.levels[1]);
        EXPECT_EQ(take(1), 40u);
        gic.set_line(40, false);
        end(1);
        EXPECT_EQ(offered(0), Numbers{});
    }
}

TEST_F(Vgicv3Test, a_private_input_carries_its_host_interrupt) {
    set_up(1, 27, 0x20);
    gic.set_private(VcpuId{1}, 27, true, 30);
    EXPECT_TRUE(inputs.levels[1]);
    EXPECT_FALSE(inputs.levels[0]);
    EXPECT_EQ(enter(1).slots[0], (irq::Delivery{.number = 27, .priority = 0x20, .is_pending = true, .host_number = 30}));
    exit(1);
    EXPECT_EQ(take(1), 27u);
    EXPECT_TRUE(is(1, ISACTIVER, 27));
    EXPECT_FALSE(is(0, ISACTIVER, 27));
    gic.set_private(VcpuId{1}, 27, true, std::nullopt);
    EXPECT_EQ(enter(1).slots[0],
              (irq::Delivery{.number = 27, .priority = 0x20, .is_active = true, .tells_end = true, .host_number = {}}));
    exit(1);
    gic.set_private(VcpuId{1}, 27, false, std::nullopt);
    end(1);
    EXPECT_EQ(offered(1), Numbers{});
}

TEST_F(Vgicv3Test, a_host_interrupt_is_never_pending_and_active_at_once) {
    set_up(0, 27);
    set_edge(0, 27, true);
    gic.set_private(VcpuId{0}, 27, true, 27);
    EXPECT_EQ(take(), 27u);
    gic.set_private(VcpuId{0}, 27, false, 27);
    gic.set_private(VcpuId{0}, 27, true, 27);
    EXPECT_TRUE(enter().slots[0].is_active);
    EXPECT_FALSE(slots.slots[0].is_pending);
    interface[0].end(slots);
    exit();
    EXPECT_EQ(take(), 27u);
}

struct Sgi {
    irq::IpiTargets targets;
    std::array<bool, 4> reached;
};

TEST_F(Vgicv3Test, SGIs_reach_their_targets) {
    const std::vector<Sgi> rows{
        {{.base = 0, .mask = 0b0001}, {true, false, false, false}},
        {{.base = 0, .mask = 0b1111'1111'1111'1110}, {false, true, false, false}},
        {{.base = 16, .mask = 0b0010}, {false, false, true, false}},
        {{.base = 0x2'0100, .mask = 0b1'0000'0001}, {false, false, false, true}},
        {{.all_but_self = true, .base = 0, .mask = 0}, {true, false, true, true}},
        {{.base = 0x100, .mask = 0xffff}, {false, false, false, false}},
        {{.base = 0, .mask = 0}, {false, false, false, false}},
    };
    for (std::size_t i = 0; i < rows.size(); ++i) {
        Gicv3Bench bench({0, 1, 17, 0x2'0108});
        bench.open();
        for (u32 c = 0; c < 4; ++c) bench.set_up(c, 5);
        bench.gic.send(VcpuId{1}, rows[i].targets, 5, true);
        for (u32 c = 0; c < 4; ++c) {
            EXPECT_EQ(bench.inputs.levels[c], rows[i].reached[c]) << i << ' ' << c;
            EXPECT_EQ(bench.take(c) == 5, rows[i].reached[c]) << i << ' ' << c;
        }
    }
}

TEST_F(Vgicv3Test, an_SGI_reaches_only_targets_that_have_it_in_its_group) {
    for (const bool is_sent : {false, true})
        for (const bool is_set : {false, true}) {
            put(0, ISENABLER, 3);
            set_group(0, 3, is_set);
            gic.send(VcpuId{1}, {.base = 0, .mask = 1}, 3, is_sent);
            EXPECT_EQ(is(0, ISPENDR, 3), is_sent == is_set);
            put(0, ICPENDR, 3);
        }
}

TEST_F(Vgicv3Test, an_SGI_sent_twice_before_it_is_taken_comes_once_and_after_it_twice) {
    set_up(0, 3);
    gic.send(VcpuId{1}, {.base = 0, .mask = 1}, 3, true);
    gic.send(VcpuId{1}, {.base = 0, .mask = 1}, 3, true);
    EXPECT_EQ(take(), 3u);
    EXPECT_FALSE(is(0, ISPENDR, 3));
    gic.send(VcpuId{0}, {.base = 0, .mask = 1}, 3, true);
    EXPECT_FALSE(enter().slots[0].tells_end);
    EXPECT_TRUE(slots.slots[0].is_pending && slots.slots[0].is_active);
    exit();
}

TEST_F(Vgicv3Test, software_may_begin_and_end_the_activity_of_an_interrupt) {
    for (const u32 intid : {5u, 27u, 40u}) {
        set_up(0, intid);
        put(0, ISPENDR, intid);
        put(0, ISACTIVER, intid);
        EXPECT_FALSE(inputs.levels[0]) << intid;
        EXPECT_EQ(offered(), Numbers{intid});
        put(0, ICACTIVER, intid);
        EXPECT_TRUE(inputs.levels[0]) << intid;
        EXPECT_EQ(take(), intid);
        put(0, ICACTIVER, intid);
        EXPECT_EQ(offered(), Numbers{});
        interface[0].running.clear();
    }
}

TEST_F(Vgicv3Test, a_split_end_leaves_the_interrupt_active_until_it_is_deactivated) {
    interface[0].is_split = true;
    set_up(0, 40);
    set_up(0, 41);
    gic.set_line(40, true);
    EXPECT_EQ(take(), 40u);
    end();
    EXPECT_TRUE(is(0, ISACTIVER, 40));
    put(0, ISPENDR, 41);
    EXPECT_EQ(take(), 41u);
    EXPECT_TRUE(CpuInterface::deactivate(enter(), 40));
    exit();
    EXPECT_EQ(getd(ISACTIVER + 4), bit32(41));
    EXPECT_EQ(offered(), (Numbers{41, 40}));
}

TEST_F(Vgicv3Test, an_output_is_driven_again_by_news_and_by_nothing_else) {
    set_up(0, 40, 0x80);
    set_up(0, 70, 0x20);
    gic.set_line(40, true);
    inputs.driven.clear();
    gic.set_line(70, true);
    EXPECT_EQ(inputs.driven, (std::vector<std::pair<u32, bool>>{{0, true}}));
    inputs.driven.clear();
    gic.set_line(70, true);
    set_up(0, 100);
    set_up(1, 27);
    gic.set_line(110, true);
    EXPECT_EQ(offered(1), Numbers{});
    EXPECT_TRUE(inputs.driven.empty());
    gic.set_line(40, false);
    gic.set_line(70, false);
    EXPECT_EQ(inputs.driven, (std::vector<std::pair<u32, bool>>{{0, false}}));
}

TEST_F(Vgicv3Test, most_urgent_is_what_could_be_taken_next) {
    EXPECT_EQ(urgency(), std::nullopt);
    set_up(0, 40, 0x80);
    set_up(0, 41, 0x40);
    put(0, ISPENDR, 40);
    EXPECT_EQ(urgency(), 0x80);
    put(0, ISPENDR, 41);
    EXPECT_EQ(urgency(), 0x40);
    EXPECT_EQ(take(), 41u);
    EXPECT_EQ(urgency(), 0x80);
    EXPECT_EQ(urgency(1), std::nullopt);
    EXPECT_EQ(urgency(64), std::nullopt);
}

TEST_F(Vgicv3Test, inputs_and_vCPUs_that_are_not_there_are_ignored) {
    const SavedState before = save(gic.distributor());
    for (const u32 number : {0u, 15u, 16u, 31u, 1020u, 1023u, 1024u, ~0u}) gic.set_line(number, true);
    for (const u32 number : {0u, 15u, 32u, 40u, ~0u}) gic.set_private(VcpuId{0}, number, true, 5);
    gic.set_private(VcpuId{2}, 27, true, std::nullopt);
    EXPECT_EQ(save(gic.distributor()), before);
    slots.ended_unlisted = 3;
    EXPECT_EQ(offered(2), Numbers{});
    EXPECT_FALSE(slots.has_more);
}

}  // namespace
}  // namespace ax::device_test
