// The registers of a GICv3, one by one.
#include <gtest/gtest.h>

#include "tests/unit/devices/irqchip/vgicv3_fixture.hpp"

namespace ax::device_test {
namespace {

using namespace gicv3_bench;
using dev::Vgicv3;
using dev::Vgicv3Error;

class Vgicv3RegistersTest : public testing::Test, protected Gicv3Bench {};

TEST(Vgicv3Create, refuses_what_cannot_be_built) {
    EXPECT_EQ(Vgicv3::check(config_of({}, 64)).error(), Vgicv3Error::NoVcpus);
    EXPECT_EQ(Vgicv3::check(config_of({0, 1, 0}, 64)).error(), Vgicv3Error::AffinityTwice);
    EXPECT_EQ(Vgicv3::check(config_of({0}, 31)).error(), Vgicv3Error::InterruptCount);
    EXPECT_EQ(Vgicv3::check(config_of({0}, 1021)).error(), Vgicv3Error::InterruptCount);
    EXPECT_TRUE(Vgicv3::check(config_of({0, 1}, 32)).has_value());
    EXPECT_TRUE(Vgicv3::check(config_of({0, 1}, 1020)).has_value());
}

struct Constant {
    u64 offset;
    u64 value;
};

TEST_F(Vgicv3RegistersTest, the_distributor_identifies_itself) {
    for (const auto& [offset, value] : std::vector<Constant>{{GICD_CTLR, 0x50},
                                                             {GICD_TYPER, 0x0549'001f},
                                                             {GICD_IIDR, 0x43b},
                                                             {0xc, 0},
                                                             {0x10, 0},
                                                             {0xffd0, 0x04},
                                                             {0xffe0, 0x92},
                                                             {0xffe4, 0xb4},
                                                             {0xffe8, 0x3b},
                                                             {0xfff0, 0x0d},
                                                             {0xfff4, 0xf0},
                                                             {0xfff8, 0x05},
                                                             {0xfffc, 0xb1}}) {
        EXPECT_EQ(getd(offset), value) << std::hex << offset;
        if (offset == GICD_CTLR) continue;
        putd(offset, ~u64{0});
        EXPECT_EQ(getd(offset), value) << std::hex << offset;
    }
}

TEST_F(Vgicv3RegistersTest, TYPER_tells_how_many_interrupts_there_are) {
    for (const auto& [interrupts, lines] : std::vector<std::pair<u32, u64>>{{32, 0}, {33, 1}, {64, 1}, {256, 7}, {1020, 31}}) {
        Gicv3Bench bench({0}, interrupts);
        EXPECT_EQ(bench.getd(GICD_TYPER) & 0x1f, lines) << interrupts;
    }
}

TEST_F(Vgicv3RegistersTest, only_the_enable_bits_of_CTLR_can_be_written) {
    putd(GICD_CTLR, ~u64{0});
    EXPECT_EQ(getd(GICD_CTLR), 0x53u);
    putd(GICD_CTLR, 0);
    EXPECT_EQ(getd(GICD_CTLR), 0x50u);
}

TEST(Vgicv3Redistributor, TYPER_tells_who_it_belongs_to_in_one_word_or_two) {
    Gicv3Bench bench({0x12'0003'0201, 0x0f, 0x10f});
    struct Row {
        u32 cpu;
        u64 value;
    };
    for (const auto& [cpu, value] :
         std::vector<Row>{{0, 0x1203'0201'0000'0000}, {1, 0x0000'000f'0000'0100}, {2, 0x0000'010f'0000'0210}}) {
        EXPECT_EQ(bench.getr(cpu, 8, 8), value) << cpu;
        EXPECT_EQ(bench.getr(cpu, 8), value & 0xffff'ffff) << cpu;
        EXPECT_EQ(bench.getr(cpu, 12), value >> 32) << cpu;
        bench.putr(cpu, 8, ~u64{0}, 8);
        EXPECT_EQ(bench.getr(cpu, 8, 8), value) << cpu;
    }
}

TEST_F(Vgicv3RegistersTest, a_redistributor_has_no_LPIs_and_identifies_itself) {
    for (const auto& [offset, value] : std::vector<Constant>{{0x00, 0},
                                                             {0x04, 0x43b},
                                                             {0x10, 0},
                                                             {0x70, 0},
                                                             {0x78, 0},
                                                             {0xa0, 0},
                                                             {0xb0, 0},
                                                             {0xc0, 0},
                                                             {0xffe8, 0x3b},
                                                             {0xfff0, 0x0d}}) {
        putr(1, offset, ~u64{0});
        putr(1, offset, ~u64{0}, 8);
        EXPECT_EQ(getr(1, offset), value) << std::hex << offset;
    }
}

TEST_F(Vgicv3RegistersTest, WAKER_lets_the_children_follow_the_processor) {
    EXPECT_EQ(getr(1, 0x14), 6u);
    putr(1, 0x14, 0);
    EXPECT_EQ(getr(1, 0x14), 0u);
    EXPECT_EQ(getr(0, 0x14), 6u);
    putr(1, 0x14, ~u64{0});
    EXPECT_EQ(getr(1, 0x14), 6u);
    putr(1, 0x14, 4);
    EXPECT_EQ(getr(1, 0x14), 0u);
}

// Registers that set bits and registers that clear them, read back alike.
TEST_F(Vgicv3RegistersTest, set_and_clear_registers_work_on_one_state) {
    for (const auto& [set, clear] :
         std::vector<std::pair<u64, u64>>{{ISENABLER, ICENABLER}, {ISPENDR, ICPENDR}, {ISACTIVER, ICACTIVER}}) {
        for (const u64 at : {u64{4}, u64{0x40}}) {
            putd(set + at, 0xf0f0'1234);
            putd(set + at, 0x0000'0001);
            EXPECT_EQ(getd(set + at), 0xf0f0'1235u);
            putd(clear + at, 0xf000'0030);
            EXPECT_EQ(getd(set + at), 0x00f0'1205u);
            EXPECT_EQ(getd(clear + at), 0x00f0'1205u);
        }
        putr(1, SGI_base + set, 0x8000'8001);
        putr(1, SGI_base + clear, 0x8000'0000);
        EXPECT_EQ(getr(1, SGI_base + set), 0x8001u);
        EXPECT_EQ(getr(1, SGI_base + clear), 0x8001u);
        EXPECT_EQ(getr(0, SGI_base + set), 0u);
        EXPECT_EQ(getd(set + 8), 0u);
    }
}

TEST_F(Vgicv3RegistersTest, groups_are_plain_bits) {
    putd(IGROUPR + 4, 0xdead'beef);
    putr(0, SGI_base + IGROUPR, 0x1234'5678);
    EXPECT_EQ(getd(IGROUPR + 4), 0xdead'beefu);
    EXPECT_EQ(getr(0, SGI_base + IGROUPR), 0x1234'5678u);
    EXPECT_EQ(getr(1, SGI_base + IGROUPR), 0u);
}

TEST_F(Vgicv3RegistersTest, priorities_have_five_bits_and_take_bytes_halves_and_words) {
    putd(IPRIORITYR + 40, 0xffff'ffff);
    EXPECT_EQ(getd(IPRIORITYR + 40), 0xf8f8'f8f8u);
    putd(IPRIORITYR + 41, 0x107, 1);
    EXPECT_EQ(getd(IPRIORITYR + 40), 0xf8f8'00f8u);
    putd(IPRIORITYR + 42, 0x1122, 2);
    EXPECT_EQ(getd(IPRIORITYR + 40), 0x1020'00f8u);
    EXPECT_EQ(getd(IPRIORITYR + 42, 2), 0x1020u);
    EXPECT_EQ(getd(IPRIORITYR + 43, 1), 0x10u);
    putr(1, SGI_base + IPRIORITYR + 28, 0x8090'a0b0);
    EXPECT_EQ(getr(1, SGI_base + IPRIORITYR + 28), 0x8090'a0b0u);
    EXPECT_EQ(getr(1, SGI_base + IPRIORITYR + 30, 1), 0x90u);
    EXPECT_EQ(getr(0, SGI_base + IPRIORITYR + 28), 0u);
}

TEST_F(Vgicv3RegistersTest, of_ICFGR_the_upper_bit_of_each_pair_counts_and_SGIs_are_edges) {
    putd(ICFGR + 8, 0xffff'fffd);
    EXPECT_EQ(getd(ICFGR + 8), 0xaaaa'aaa8u);
    EXPECT_EQ(getd(ICFGR + 12), 0u);
    putd(ICFGR + 12, 0x0000'0002);
    EXPECT_EQ(getd(ICFGR + 8), 0xaaaa'aaa8u);
    EXPECT_EQ(getd(ICFGR + 12), 2u);
    for (const u64 value : {u64{0}, ~u64{0}}) {
        putr(0, SGI_base + ICFGR, value);
        EXPECT_EQ(getr(0, SGI_base + ICFGR), 0xaaaa'aaaau);
        putr(0, SGI_base + ICFGR + 4, value);
        EXPECT_EQ(getr(0, SGI_base + ICFGR + 4), value & 0xaaaa'aaaa);
    }
}

TEST_F(Vgicv3RegistersTest, IROUTER_takes_words_and_double_words) {
    const u64 at = IROUTER + 8 * 100;
    putd(at, ~u64{0}, 8);
    EXPECT_EQ(getd(at, 8), 0xff'80ff'ffffu);
    putd(at, 0x1234'5678);
    EXPECT_EQ(getd(at, 8), 0xff'0034'5678u);
    putd(at + 4, 0x07);
    EXPECT_EQ(getd(at, 8), 0x07'0034'5678u);
    EXPECT_EQ(getd(at), 0x0034'5678u);
    EXPECT_EQ(getd(at + 4), 0x07u);
    EXPECT_EQ(getd(at + 8, 8), 0u);
}

TEST_F(Vgicv3RegistersTest, messages_latch_edges_and_hold_levels_until_cleared) {
    set_edge(0, 50, true);
    for (const u8 size : {u8{2}, u8{4}}) {
        putd(SETSPI_NSR, 50, size);
        putd(SETSPI_NSR, 51, size);
        EXPECT_EQ(getd(ISPENDR + 4), u64{3} << (50 - 32));
        // A level by message is no latch.
        putd(ICPENDR + 4, ~u64{0});
        EXPECT_EQ(getd(ISPENDR + 4), u64{2} << (50 - 32));
        putd(SETSPI_NSR, 50, size);
        putd(CLRSPI_NSR, 50, size);
        putd(CLRSPI_NSR, 51, size);
        EXPECT_EQ(getd(ISPENDR + 4), 0u);
    }
    EXPECT_EQ(getd(SETSPI_NSR), 0u);
}

TEST_F(Vgicv3RegistersTest, a_level_is_pending_by_its_input_or_its_latch) {
    gic.set_line(40, true);
    EXPECT_TRUE(is(0, ISPENDR, 40));
    put(0, ICPENDR, 40);
    EXPECT_TRUE(is(0, ISPENDR, 40));
    put(0, ISPENDR, 40);
    gic.set_line(40, false);
    EXPECT_TRUE(is(0, ISPENDR, 40));
    put(0, ICPENDR, 40);
    EXPECT_FALSE(is(0, ISPENDR, 40));
}

TEST_F(Vgicv3RegistersTest, an_edge_is_pending_by_its_latch_alone) {
    set_edge(0, 40, true);
    gic.set_line(40, true);
    gic.set_line(40, false);
    EXPECT_TRUE(is(0, ISPENDR, 40));
    put(0, ICPENDR, 40);
    gic.set_line(40, true);
    put(0, ICPENDR, 40);
    gic.set_line(40, true);
    EXPECT_FALSE(is(0, ISPENDR, 40));
}

TEST_F(Vgicv3RegistersTest, reset_forgets_all_but_the_levels_of_inputs) {
    open();
    set_up(0, 40, 0x80);
    set_edge(0, 41, true);
    putd(IROUTER + 8 * 40, 1, 8);
    putr(0, 0x14, 0);
    gic.set_line(40, true);
    gic.set_line(41, true);
    gic.set_private(VcpuId{1}, 27, true, 27);
    EXPECT_EQ(take(1), 40u);
    gic.distributor().reset();
    EXPECT_FALSE(inputs.levels[1]);
    EXPECT_EQ(getd(GICD_CTLR), 0x50u);
    EXPECT_EQ(getr(0, 0x14), 6u);
    EXPECT_EQ(getd(ISENABLER + 4), 0u);
    EXPECT_EQ(getd(IGROUPR + 4), 0u);
    EXPECT_EQ(getd(ISACTIVER + 4), 0u);
    EXPECT_EQ(getd(IPRIORITYR + 40), 0u);
    EXPECT_EQ(getd(ICFGR + 8), 0u);
    EXPECT_EQ(getd(IROUTER + 8 * 40, 8), 0u);
    // Both are levels now, and high.
    EXPECT_EQ(getd(ISPENDR + 4), u64{3} << 8);
    EXPECT_EQ(getr(1, SGI_base + ISPENDR), u64{1} << 27);
    open();
    set_up(1, 27);
    EXPECT_EQ(enter(1).slots[0].host_number, 27u);
    exit(1);
}

}  // namespace
}  // namespace ax::device_test
