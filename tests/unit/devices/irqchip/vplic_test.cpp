#include "devices/irqchip/vplic.hpp"

#include <gtest/gtest.h>

#include "tests/unit/devices/irqchip/vplic_fixture.hpp"

namespace ax::device_test {
namespace {

using dev::Vplic;
using dev::VplicError;

class VplicTest : public testing::Test, protected PlicBench {};

TEST(VplicCreate, refuses_what_cannot_be_built) {
    FakeCpuLines cpus;
    EXPECT_EQ(Vplic::create(two_harts(0), cpus).error(), VplicError::SourceCount);
    EXPECT_EQ(Vplic::create(two_harts(1024), cpus).error(), VplicError::SourceCount);
    EXPECT_EQ(Vplic::create({.sources = 3, .contexts = {}}, cpus).error(), VplicError::NoContexts);
    Vplic::Config twice = two_harts(3);
    twice.contexts[0] = VcpuId{1};
    EXPECT_EQ(Vplic::create(twice, cpus).error(), VplicError::VcpuNamedTwice);
    EXPECT_TRUE(Vplic::create(two_harts(1023), cpus).has_value());
}

TEST_F(VplicTest, interrupt_runs_from_line_to_completion) {
    set_up(1, 10, 1);
    plic.set_line(10, true);
    EXPECT_TRUE(cpus.levels[0]);
    EXPECT_EQ(get(pending_at(0)), u64{1} << 10);
    EXPECT_EQ(get(claim_at(1)), 10u);
    EXPECT_FALSE(cpus.levels[0]);
    EXPECT_EQ(get(pending_at(0)), 0u);
    plic.set_line(10, false);
    put(claim_at(1), 10);
    EXPECT_FALSE(cpus.levels[0]);
    EXPECT_EQ(get(claim_at(1)), 0u);
}

TEST_F(VplicTest, request_stays_pending_when_the_line_drops_before_the_claim) {
    set_up(1, 10, 1);
    plic.set_line(10, true);
    plic.set_line(10, false);
    EXPECT_TRUE(cpus.levels[0]);
    EXPECT_EQ(get(claim_at(1)), 10u);
    put(claim_at(1), 10);
    EXPECT_EQ(get(claim_at(1)), 0u);
}

TEST_F(VplicTest, rise_and_fall_in_service_asks_for_nothing) {
    set_up(1, 10, 1);
    plic.set_line(10, true);
    EXPECT_EQ(get(claim_at(1)), 10u);
    plic.set_line(10, false);
    plic.set_line(10, true);
    plic.set_line(10, false);
    put(claim_at(1), 10);
    EXPECT_EQ(get(pending_at(0)), 0u);
}

TEST_F(VplicTest, highest_priority_wins_and_ties_go_to_the_lowest_number) {
    const std::array<std::pair<u32, u64>, 5> sources{{{95, 7}, {40, 3}, {2, 3}, {33, 5}, {1, 1}}};
    for (const auto& [source, priority] : sources) {
        set_up(1, source, priority);
        plic.set_line(source, true);
    }
    for (const u64 expected : {95u, 33u, 2u, 40u, 1u, 0u}) EXPECT_EQ(get(claim_at(1)), expected);
}

TEST_F(VplicTest, only_a_priority_above_the_threshold_interrupts_but_a_claim_ignores_it) {
    set_up(1, 10, 3);
    put(threshold_at(1), 3);
    plic.set_line(10, true);
    EXPECT_FALSE(cpus.levels[0]);
    put(threshold_at(1), 2);
    EXPECT_TRUE(cpus.levels[0]);
    put(threshold_at(1), 7);
    EXPECT_FALSE(cpus.levels[0]);
    EXPECT_EQ(get(claim_at(1)), 10u);
}

TEST_F(VplicTest, raising_a_pending_priority_over_the_threshold_interrupts) {
    set_up(3, 64, 2);
    put(threshold_at(3), 2);
    plic.set_line(64, true);
    EXPECT_FALSE(cpus.levels[1]);
    put(priority_at(64), 3);
    EXPECT_TRUE(cpus.levels[1]);
    put(priority_at(64), 0);
    EXPECT_FALSE(cpus.levels[1]);
}

TEST_F(VplicTest, enabling_and_disabling_a_pending_source_moves_the_line) {
    plic.set_line(64, true);
    set_up(3, 64, 2);
    EXPECT_TRUE(cpus.levels[1]);
    EXPECT_FALSE(cpus.levels[0]);
    put(enable_at(3, 2), 0);
    EXPECT_FALSE(cpus.levels[1]);
}

TEST_F(VplicTest, reset_lowers_outputs_and_asks_again_for_lines_still_high) {
    set_up(1, 10, 1);
    plic.set_line(10, true);
    plic.set_line(11, true);
    EXPECT_EQ(get(claim_at(1)), 10u);
    plic.set_line(11, false);
    set_up(1, 11, 1);
    EXPECT_TRUE(cpus.levels[0]);
    plic.reset();
    EXPECT_FALSE(cpus.levels[0]);
    EXPECT_EQ(get(priority_at(10)), 0u);
    EXPECT_EQ(get(enable_at(1, 0)), 0u);
    EXPECT_EQ(get(pending_at(0)), u64{1} << 10);
    set_up(1, 10, 1);
    EXPECT_TRUE(cpus.levels[0]);
}

TEST_F(VplicTest, lines_that_do_not_exist_are_ignored) {
    set_up(1, 10, 1);
    for (const u32 number : {0u, 96u, 1024u, ~0u}) plic.set_line(number, true);
    for (u32 word = 0; word < 3; ++word) EXPECT_EQ(get(pending_at(word)), 0u);
    EXPECT_TRUE(cpus.driven.empty());
}

TEST_F(VplicTest, t1_access_of_wrong_size_or_alignment_faults_and_changes_nothing) {
    set_up(1, 10, 1);
    plic.set_line(10, true);
    const SavedState before = save(plic);
    struct Case {
        u64 offset;
        u8 size;
    };
    for (const Case c : {Case{claim_at(1), 1}, Case{claim_at(1), 2}, Case{threshold_at(1), 8}, Case{claim_at(1) + 2, 4},
                         Case{priority_at(10) + 1, 4}, Case{claim_at(1) + 1, 1}}) {
        EXPECT_FALSE(plic.read(c.offset, c.size).has_value());
        EXPECT_FALSE(plic.write(c.offset, c.size, 10).has_value());
    }
    EXPECT_EQ(save(plic), before);
}

TEST_F(VplicTest, t2_places_without_register_read_zero_and_ignore_writes) {
    for (u32 source = 1; source <= 95; ++source) set_up(1, source, 1);
    const SavedState before = save(plic);
    for (const u64 offset : {priority_at(96), priority_at(1023), pending_at(3), pending_at(32), u64{0x1ffc}, enable_at(0, 3),
                             enable_at(4, 0), enable_at(15871, 31), u64{0x1f'2000}, u64{0x1f'fffc}, threshold_at(0) + 8,
                             threshold_at(3) + 0xffc, threshold_at(4), claim_at(4), Vplic::window_bytes - 4, ~u64{3}}) {
        EXPECT_EQ(write_word(plic, offset, 4, 0xffff'ffff), 0u) << std::hex << offset;
        EXPECT_EQ(read_word(plic, offset, 4), 0u) << std::hex << offset;
    }
    EXPECT_EQ(save(plic), before);
}

TEST_F(VplicTest, t2_enable_bits_of_sources_beyond_the_last_read_zero) {
    for (const u32 sources : {1u, 30u, 31u, 32u, 63u, 1023u}) {
        PlicBench bench(two_harts(sources));
        u64 bits = 0;
        for (u32 word = 0; word < 32; ++word) {
            bench.put(enable_at(1, word), 0xffff'ffff);
            bits += static_cast<u64>(std::popcount(bench.get(enable_at(1, word))));
        }
        EXPECT_EQ(bits, sources);
    }
}

TEST_F(VplicTest, t3_completion_beyond_last_source_is_ignored) {
    set_up(1, 10, 1);
    plic.set_line(10, true);
    EXPECT_EQ(get(claim_at(1)), 10u);
    const SavedState before = save(plic);
    for (const u64 id : {u64{0}, u64{96}, u64{1023}, u64{1024}, u64{0xffff'ffff}, u64{0x1'0000'0000}}) put(claim_at(1), id);
    EXPECT_EQ(save(plic), before);
}

TEST_F(VplicTest, t4_completion_of_source_not_enabled_for_the_context_is_ignored) {
    set_up(1, 10, 1);
    plic.set_line(10, true);
    EXPECT_EQ(get(claim_at(1)), 10u);
    put(claim_at(3), 10);
    EXPECT_EQ(get(pending_at(0)), 0u);
    put(enable_at(1, 0), 0);
    put(claim_at(1), 10);
    EXPECT_EQ(get(pending_at(0)), 0u);
    put(enable_at(1, 0), 1u << 10);
    put(claim_at(1), 10);
    EXPECT_EQ(get(pending_at(0)), u64{1} << 10);
}

TEST_F(VplicTest, t5_completion_without_claim_makes_and_loses_nothing) {
    set_up(1, 10, 1);
    put(claim_at(1), 10);
    EXPECT_EQ(get(pending_at(0)), 0u);
    plic.set_line(10, true);
    put(claim_at(1), 10);
    EXPECT_EQ(get(claim_at(1)), 10u);
    EXPECT_EQ(get(claim_at(1)), 0u);
}

TEST_F(VplicTest, t6_claim_of_nothing_is_zero_and_changes_nothing) {
    set_up(1, 10, 1);
    plic.set_line(10, true);
    const SavedState before = save(plic);
    EXPECT_EQ(get(claim_at(0)), 0u);
    EXPECT_EQ(get(claim_at(3)), 0u);
    EXPECT_EQ(save(plic), before);
}

TEST_F(VplicTest, t7_source_zero_has_no_priority_and_no_enable) {
    put(priority_at(0), 7);
    put(enable_at(1, 0), 0xffff'ffff);
    EXPECT_EQ(get(priority_at(0)), 0u);
    EXPECT_EQ(get(enable_at(1, 0)), 0xffff'fffeu);
    plic.set_line(0, true);
    EXPECT_FALSE(cpus.levels[0]);
}

TEST_F(VplicTest, t8_pending_is_read_only) {
    set_up(1, 10, 1);
    put(pending_at(0), 0xffff'ffff);
    EXPECT_EQ(get(pending_at(0)), 0u);
    plic.set_line(10, true);
    put(pending_at(0), 0);
    EXPECT_EQ(get(pending_at(0)), u64{1} << 10);
    EXPECT_TRUE(cpus.levels[0]);
}

TEST_F(VplicTest, t9_priority_and_threshold_keep_three_bits) {
    for (const u64 value : {u64{7}, u64{8}, u64{0xffff'ffff}, u64{0xffff'fffa}, ~u64{0}}) {
        put(priority_at(10), value);
        put(threshold_at(1), value);
        EXPECT_EQ(get(priority_at(10)), value & 7);
        EXPECT_EQ(get(threshold_at(1)), value & 7);
    }
}

TEST_F(VplicTest, t10_of_two_claims_one_gets_the_source_and_both_lines_fall) {
    set_up(1, 10, 1);
    set_up(3, 10, 1);
    plic.set_line(10, true);
    EXPECT_TRUE(cpus.levels[0] && cpus.levels[1]);
    EXPECT_EQ(get(claim_at(3)), 10u);
    EXPECT_FALSE(cpus.levels[0] || cpus.levels[1]);
    EXPECT_EQ(get(claim_at(1)), 0u);
}

TEST_F(VplicTest, t11_source_never_completed_is_the_only_silent_one) {
    set_up(1, 10, 1);
    set_up(1, 11, 1);
    plic.set_line(10, true);
    EXPECT_EQ(get(claim_at(1)), 10u);
    for (int i = 0; i < 3; ++i) {
        plic.set_line(10, false);
        plic.set_line(10, true);
        EXPECT_FALSE(cpus.levels[0]);
        plic.set_line(11, true);
        EXPECT_EQ(get(claim_at(1)), 11u);
        plic.set_line(11, false);
        put(claim_at(1), 11);
    }
}

TEST_F(VplicTest, t12_completion_with_the_line_high_asks_again_once) {
    set_up(1, 10, 1);
    plic.set_line(10, true);
    for (int i = 0; i < 3; ++i) {
        EXPECT_EQ(get(claim_at(1)), 10u);
        EXPECT_EQ(get(claim_at(1)), 0u);
        EXPECT_FALSE(cpus.levels[0]);
        put(claim_at(1), 10);
        EXPECT_TRUE(cpus.levels[0]);
    }
    EXPECT_EQ(cpus.driven.size(), 7u);
}

TEST_F(VplicTest, t13_output_is_driven_only_when_it_changes) {
    set_up(1, 10, 1);
    set_up(1, 11, 2);
    plic.set_line(10, true);
    plic.set_line(11, true);
    put(enable_at(1, 0), 0xffff'fffe);
    put(threshold_at(1), 0);
    put(priority_at(10), 5);
    EXPECT_EQ(cpus.driven.size(), 1u);
    for (int i = 0; i < 10; ++i) {
        put(threshold_at(1), 7);
        put(threshold_at(1), 7);
        put(threshold_at(1), 0);
        put(threshold_at(1), 0);
    }
    EXPECT_EQ(cpus.driven.size(), 21u);
}

TEST_F(VplicTest, t14_machine_context_works_but_moves_no_vcpu_line) {
    set_up(0, 10, 1);
    plic.set_line(10, true);
    EXPECT_TRUE(cpus.driven.empty());
    EXPECT_EQ(get(claim_at(0)), 10u);
    put(claim_at(0), 10);
    EXPECT_EQ(get(pending_at(0)), u64{1} << 10);
    EXPECT_TRUE(cpus.driven.empty());
}

TEST_F(VplicTest, t15_priority_zero_neither_interrupts_nor_can_be_claimed) {
    set_up(1, 10, 0);
    plic.set_line(10, true);
    EXPECT_EQ(get(pending_at(0)), u64{1} << 10);
    EXPECT_FALSE(cpus.levels[0]);
    EXPECT_EQ(get(claim_at(1)), 0u);
}

}  // namespace
}  // namespace ax::device_test
