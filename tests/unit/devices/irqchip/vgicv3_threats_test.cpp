// One test per row of the threat table in devices/irqchip/vgicv3_registers.cpp.
#include <gtest/gtest.h>

#include "tests/unit/devices/irqchip/vgicv3_fixture.hpp"

namespace ax::device_test {
namespace {

using namespace gicv3_bench;
using Numbers = std::vector<u32>;

class Vgicv3ThreatsTest : public testing::Test, protected Gicv3Bench {
protected:
    /// True when `act` leaves the controller and its outputs as they are.
    template <class Act>
    bool changes_nothing(Act act) {
        const SavedState before = save(gic.distributor());
        const std::size_t driven = inputs.driven.size();
        act();
        return save(gic.distributor()) == before && inputs.driven.size() == driven;
    }
    /// Every register that could matter, full of ones where it keeps them.
    void fill() {
        for (u64 offset = 0; offset < 0x8000; offset += 4)
            if (offset < ICENABLER || offset >= ISENABLER + 0x100) putd(offset, ~u64{0});
        putd(ICPENDR + 4, ~u64{0});
        for (u64 offset = IGROUPR; offset < 0xd00; offset += 4)
            if (offset < ICENABLER || offset >= ISPENDR) putr(1, SGI_base + offset, ~u64{0});
    }
};

TEST_F(Vgicv3ThreatsTest, T1_misaligned_accesses_are_refused) {
    fill();
    EXPECT_TRUE(changes_nothing([&] {
        for (const u64 base : {GICD_CTLR, ISENABLER + 4, IPRIORITYR + 40, IROUTER + 8 * 40})
            for (const auto& [size, by] : std::vector<std::pair<u8, u64>>{{2, 1}, {4, 1}, {4, 2}, {4, 3}, {8, 1}, {8, 4}}) {
                const u64 offset = align_down(base, 8) + by;
                EXPECT_EQ(getd(offset, size), fault) << offset;
                EXPECT_EQ(putd(offset, 0, size), fault) << offset;
                EXPECT_EQ(getr(1, SGI_base + offset, size), fault) << offset;
                EXPECT_EQ(putr(1, SGI_base + offset, 0, size), fault) << offset;
            }
    }));
}

struct Widths {
    u64 offset;
    std::vector<u8> refused;
};

TEST_F(Vgicv3ThreatsTest, T2_widths_that_a_register_does_not_have_read_0_and_write_nothing) {
    fill();
    const std::vector<Widths> distributor{
        {GICD_CTLR, {1, 2, 8}},     {GICD_IIDR, {1, 2, 8}},   {IGROUPR + 8, {1, 2, 8}}, {ISENABLER + 8, {1, 2, 8}},
        {ICENABLER + 8, {1, 2, 8}}, {ISPENDR + 8, {1, 2, 8}}, {ICPENDR + 8, {1, 2, 8}}, {ISACTIVER + 8, {1, 2, 8}},
        {ICACTIVER + 8, {1, 2, 8}}, {IPRIORITYR + 64, {8}},   {ICFGR + 16, {1, 2, 8}},  {IROUTER + 8 * 64, {1, 2}},
        {SETSPI_NSR, {1, 8}},       {CLRSPI_NSR, {1, 8}},     {0xffe8, {1, 2, 8}},
    };
    const std::vector<Widths> redistributor{
        {0x00, {1, 2, 8}},
        {0x08, {1, 2}},
        {0x14, {1, 2}},
        {0xffe8, {1, 2, 8}},
        {SGI_base + ICENABLER, {1, 2, 8}},
        {SGI_base + IPRIORITYR + 16, {8}},
    };
    EXPECT_TRUE(changes_nothing([&] {
        for (const Widths& row : distributor)
            for (const u8 size : row.refused) {
                EXPECT_EQ(getd(row.offset, size), 0u) << std::hex << row.offset;
                for (const u64 value : {u64{0}, ~u64{0}, u64{50}}) EXPECT_EQ(putd(row.offset, value, size), 0u);
            }
        for (const Widths& row : redistributor)
            for (const u8 size : row.refused) {
                EXPECT_EQ(getr(1, row.offset, size), 0u) << std::hex << row.offset;
                for (const u64 value : {u64{0}, ~u64{0}}) EXPECT_EQ(putr(1, row.offset, value, size), 0u);
            }
    }));
}

TEST_F(Vgicv3ThreatsTest, T3_places_without_a_register_read_0_and_write_nothing) {
    fill();
    EXPECT_TRUE(changes_nothing([&] {
        for (const u64 offset :
             {u64{0x0c},    u64{0x10},        u64{0x20},   u64{0x50},   u64{0x58},     u64{0x7c},     ITARGETSR + 40,
              IGRPMODR + 4, NSACR + 8,        u64{0xf00},  u64{0xf10},  u64{0xf20},    u64{0x1000},   u64{0x5ffc},
              IROUTER,      IROUTER + 8 * 31, u64{0x8000}, u64{0xffcc}, u64{0x1'0000}, u64{0x1'0080}, ~u64{0} - 7})
            for (const u8 size : {u8{4}, u8{8}}) {
                if (offset % size != 0) continue;
                EXPECT_EQ(getd(offset, size), 0u) << std::hex << offset;
                EXPECT_EQ(putd(offset, ~u64{0}, size), 0u) << std::hex << offset;
            }
        for (const u64 offset : {u64{0x18},
                                 u64{0x40},
                                 u64{0x48},
                                 u64{0x70},
                                 u64{0x78},
                                 u64{0x100},
                                 u64{0xffcc},
                                 SGI_base,
                                 SGI_base + IGROUPR + 4,
                                 SGI_base + ISENABLER + 4,
                                 SGI_base + IPRIORITYR + 32,
                                 SGI_base + ICFGR + 8,
                                 SGI_base + IGRPMODR,
                                 SGI_base + NSACR,
                                 SGI_base + IROUTER + 8 * 40,
                                 SGI_base + 0xffe8,
                                 2 * stride,
                                 2 * stride + 0x14,
                                 64 * stride,
                                 ~u64{0} - 7 - stride})
            for (const u8 size : {u8{4}, u8{8}}) {
                if (offset % size != 0) continue;
                EXPECT_EQ(getr(1, offset, size), 0u) << std::hex << offset;
                EXPECT_EQ(putr(1, offset, ~u64{0}, size), 0u) << std::hex << offset;
            }
    }));
}

TEST_F(Vgicv3ThreatsTest, T4_registers_that_only_tell_ignore_writes) {
    EXPECT_TRUE(changes_nothing([&] {
        for (const u64 offset : {GICD_TYPER, GICD_IIDR, u64{0xffd0}, u64{0xffe8}, u64{0xfffc}}) putd(offset, ~u64{0});
        for (const u64 offset : {u64{0x00}, u64{0x04}, u64{0x08}, u64{0x0c}, u64{0xffe8}}) putr(1, offset, ~u64{0});
        putr(1, 8, ~u64{0}, 8);
    }));
}

TEST(Vgicv3Threats, T5_interrupts_that_do_not_exist_are_never_seen) {
    for (const u32 interrupts : {1020u, 100u, 32u}) {
        Gicv3Bench bench({0, 1}, interrupts);
        bench.open();
        bench.slots.count = irq::Deliveries::max_slots;
        for (u32 intid = interrupts; intid < 1024; ++intid) {
            bench.put(0, ISENABLER, intid);
            bench.put(0, ISPENDR, intid);
            bench.put(0, ISACTIVER, intid);
            bench.set_group(0, intid, true);
            bench.set_edge(0, intid, true);
            bench.set_priority(0, intid, 0xf8);
            bench.putd(IROUTER + u64{8} * intid, 1, 8);
            bench.putd(SETSPI_NSR, intid);
            bench.gic.set_line(intid, true);
            for (const u64 bank : {IGROUPR, ISENABLER, ISPENDR, ISACTIVER}) ASSERT_FALSE(bench.is(0, bank, intid)) << intid;
            ASSERT_EQ(bench.getd(IPRIORITYR + intid, 1), 0u) << intid;
            ASSERT_EQ(bench.getd(ICFGR + intid / 16 * 4) >> (intid % 16 * 2) & 3, 0u) << intid;
            ASSERT_EQ(bench.getd(IROUTER + u64{8} * intid, 8), 0u) << intid;
        }
        EXPECT_TRUE(bench.inputs.driven.empty());
        EXPECT_EQ(bench.offered(), Numbers{});
        EXPECT_EQ(bench.offered(1), Numbers{});
    }
}

TEST_F(Vgicv3ThreatsTest, T6_SGIs_stay_edges_and_GICD_shows_nothing_private) {
    putr(0, SGI_base + ICFGR, 0);
    EXPECT_EQ(getr(0, SGI_base + ICFGR), 0xaaaa'aaaau);
    fill();
    EXPECT_TRUE(changes_nothing([&] {
        for (const u64 bank : {IGROUPR, ISENABLER, ICENABLER, ISPENDR, ICPENDR, ISACTIVER, ICACTIVER, IPRIORITYR, IPRIORITYR + 28,
                               ICFGR, ICFGR + 4}) {
            putd(bank, ~u64{0});
            putd(bank, 0);
            EXPECT_EQ(getd(bank), 0u) << std::hex << bank;
        }
    }));
}

TEST_F(Vgicv3ThreatsTest, T7_a_route_to_nowhere_is_kept_and_leads_to_the_first_vCPU) {
    open();
    set_up(0, 40);
    putd(IROUTER + 8 * 40, 0x12'0034'5678, 8);
    EXPECT_EQ(getd(IROUTER + 8 * 40, 8), 0x12'0034'5678u);
    gic.set_line(40, true);
    EXPECT_EQ(offered(0), Numbers{40});
    EXPECT_EQ(offered(1), Numbers{});
}

TEST_F(Vgicv3ThreatsTest, T8_messages_for_what_is_not_shared_are_ignored) {
    EXPECT_TRUE(changes_nothing([&] {
        for (const u64 intid : {0u, 15u, 16u, 31u, 1020u, 1023u}) {
            putd(SETSPI_NSR, intid);
            putd(CLRSPI_NSR, intid);
        }
    }));
}

TEST_F(Vgicv3ThreatsTest, T9_SGIs_to_nobody_and_of_numbers_above_15_are_ignored) {
    open();
    for (u32 cpu = 0; cpu < 2; ++cpu)
        for (u32 intid = 0; intid < 32; ++intid) set_up(cpu, intid);
    EXPECT_TRUE(changes_nothing([&] {
        for (const u32 number : {16u, 27u, 40u, ~0u})
            gic.send(VcpuId{0}, {.all_but_self = number == 16, .base = 0, .mask = 0xffff}, number, true);
        gic.send(VcpuId{0}, {.base = 2, .mask = ~u64{0}}, 3, true);
        gic.send(VcpuId{0}, {.base = ~u64{0}, .mask = ~u64{0}}, 3, true);
        gic.send(VcpuId{0}, {.base = 0, .mask = ~u64{3}}, 3, true);
        gic.send(VcpuId{0}, {.base = 0, .mask = 3}, 3, false);
    }));
    gic.send(VcpuId{99}, {.all_but_self = true}, 3, true);
    EXPECT_EQ(offered(0), Numbers{3});
    EXPECT_EQ(offered(1), Numbers{3});
}

TEST_F(Vgicv3ThreatsTest, T10_an_interrupt_never_ended_silences_only_itself) {
    open();
    set_up(0, 40, 0xf0);
    set_up(0, 41, 0x80);
    gic.set_line(40, true);
    EXPECT_EQ(take(), 40u);
    for (u32 n = 0; n < 100; ++n) {
        put(0, ISPENDR, 40);
        put(0, ISPENDR, 41);
        EXPECT_EQ(take(), 41u);
        end();
        EXPECT_EQ(take(), 1023u);
    }
}

TEST_F(Vgicv3ThreatsTest, T11_a_pending_interrupt_gets_a_slot_however_many_are_active) {
    open();
    for (u32 intid = 0; intid < 300; ++intid) {
        set_up(0, intid, 0x00);
        put(0, ISACTIVER, intid);
    }
    set_up(0, 700, 0xf0);
    gic.set_line(700, true);
    for (const u32 count : {1u, 2u, 16u}) {
        slots.count = count;
        EXPECT_EQ(offered().back(), 700u);
        EXPECT_TRUE(slots.has_more);
    }
}

TEST_F(Vgicv3ThreatsTest, T12_ends_of_nothing_are_ignored) {
    open();
    set_up(0, 40);
    set_up(1, 41);
    put(0, ISACTIVER, 40);
    gic.set_line(41, true);
    EXPECT_TRUE(changes_nothing([&] {
        for (const u32 count : {1u, 31u, 1'000'000u}) {
            enter(1).ended_unlisted = count;
            exit(1);
            EXPECT_EQ(slots.ended_unlisted, 0u);
        }
    }));
    // Neither does one CPU end another's, nor without a slot what has one.
    enter(0).ended_unlisted = 31;
    exit(0);
    EXPECT_TRUE(is(0, ISACTIVER, 40));
}

TEST_F(Vgicv3ThreatsTest, T13_what_software_makes_active_is_held_by_whom_it_is_routed_to) {
    putd(IROUTER + 8 * 40, 1, 8);
    put(0, ISACTIVER, 40);
    EXPECT_EQ(offered(0), Numbers{});
    EXPECT_EQ(offered(1), Numbers{40});
    // It is that already.
    putd(IROUTER + 8 * 40, 0, 8);
    put(0, ISACTIVER, 40);
    EXPECT_EQ(offered(0), Numbers{});
    EXPECT_EQ(offered(1), Numbers{40});
    interface[1].running = {{0, 40}};
    end(1);
    EXPECT_FALSE(is(0, ISACTIVER, 40));
}

TEST_F(Vgicv3ThreatsTest, T14_a_damaged_state_holds_only_what_a_guest_could_have_brought_about) {
    for (const u32 interrupts : {1020u, 70u}) {
        Gicv3Bench bench({0, 1, 2}, interrupts);
        for (u64 seed = 1; seed <= 50; ++seed) {
            Scrambler scrambler(seed);
            bench.gic.distributor().fields(scrambler);
            ASSERT_TRUE(scrambler.is_balanced());
            ASSERT_EQ(bench.getd(GICD_CTLR) & ~u64{3}, 0x50u);
            ASSERT_EQ(bench.getr(2, SGI_base + ICFGR), 0xaaaa'aaaau);
            for (u32 c = 0; c < 3; ++c) ASSERT_TRUE(bench.getr(c, 0x14) == 0 || bench.getr(c, 0x14) == 6);
            for (u32 intid = interrupts; intid < 1024; ++intid)
                for (const u64 bank : {IGROUPR, ISENABLER, ISPENDR, ISACTIVER}) ASSERT_FALSE(bench.is(0, bank, intid)) << intid;
            for (u32 intid = 32; intid < interrupts; ++intid) {
                ASSERT_EQ(bench.getd(IPRIORITYR + intid, 1) & 7, 0u);
                ASSERT_EQ(bench.getd(IROUTER + u64{8} * intid, 8) & ~u64{0xff'80ff'ffff}, 0u);
            }
            // Active interrupts are held once.
            for (u32 w = 1; w < 32; ++w) {
                const auto& own = bench.gic.state().own;
                ASSERT_EQ(own[0].held[w] | own[1].held[w] | own[2].held[w], bench.gic.state().shared[w].active);
                ASSERT_EQ((own[0].held[w] & own[1].held[w]) | ((own[0].held[w] | own[1].held[w]) & own[2].held[w]), 0u);
            }
            for (u32 c = 0; c < 3; ++c) {
                bench.interface[c].running.clear();
                for (u32 n = 0; n < 20; ++n) bench.take(c);
            }
            const SavedState saved = save(bench.gic.distributor());
            ASSERT_TRUE(restore(bench.gic.distributor(), saved));
            ASSERT_EQ(save(bench.gic.distributor()), saved);
        }
    }
}

}  // namespace
}  // namespace ax::device_test
