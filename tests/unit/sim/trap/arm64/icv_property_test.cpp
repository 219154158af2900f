// All small states, and long random histories: interface and model must agree on every register.
#include <gtest/gtest.h>

#include <algorithm>

#include "sim/trap/arm64/icv.hpp"
#include "tests/unit/core/mm/random.hpp"
#include "tests/unit/sim/trap/arm64/icv_model.hpp"

namespace ax::sim::arm64 {
namespace {

using namespace ax::arm64::sysreg;
using ax::arm64::El2Regs;
using mm::test::Random;
using test::IcvModel;
using test::ModelInterrupt;

bool same(const El2Regs& a, const El2Regs& b) {
    return a.ICH_HCR_EL2 == b.ICH_HCR_EL2 && a.ICH_VMCR_EL2 == b.ICH_VMCR_EL2 && a.ICH_LR_EL2 == b.ICH_LR_EL2 &&
           a.ICH_AP0R_EL2 == b.ICH_AP0R_EL2 && a.ICH_AP1R_EL2 == b.ICH_AP1R_EL2;
}

/// What can be seen without changing anything.
void expect_same_view(El2Regs& el2, const IcvModel& model) {
    ASSERT_EQ(irq_asserted(el2), model.is_signalled(true));
    ASSERT_EQ(fiq_asserted(el2), model.is_signalled(false));
    ASSERT_EQ(icv_read(el2, ICC_HPPIR1_EL1).value, model.hppir(true));
    ASSERT_EQ(icv_read(el2, ICC_HPPIR0_EL1).value, model.hppir(false));
    ASSERT_EQ(icv_read(el2, ICC_RPR_EL1).value, model.running_priority());
    ASSERT_EQ(ich_misr(el2), model.maintenance());
}

/// One access on copies of both.
void expect_same_effect(const El2Regs& before, const IcvModel& start, unsigned operation, u64 intid) {
    El2Regs el2 = before;
    IcvModel model = start;
    const bool is_group1 = (operation & 1) != 0;
    if (operation < 2) {
        ASSERT_EQ(icv_read(el2, is_group1 ? ICC_IAR1_EL1 : ICC_IAR0_EL1).value, model.acknowledge(is_group1));
    } else if (operation < 4) {
        ASSERT_EQ(icv_write(el2, is_group1 ? ICC_EOIR1_EL1 : ICC_EOIR0_EL1, intid).deactivates, model.end(is_group1, intid));
    } else {
        ASSERT_EQ(icv_write(el2, ICC_DIR_EL1, intid).deactivates, model.deactivate_by(intid));
    }
    ASSERT_TRUE(same(el2, model.registers())) << "operation " << operation << " of " << intid;
}

void expect_same_behaviour(const IcvModel& model) {
    El2Regs el2 = model.registers();
    ASSERT_NO_FATAL_FAILURE(expect_same_view(el2, model));
    ASSERT_TRUE(same(el2, model.registers()));
    for (const unsigned operation : {0U, 1U}) ASSERT_NO_FATAL_FAILURE(expect_same_effect(el2, model, operation, 0));
    for (const unsigned operation : {2U, 3U, 4U})
        for (const u64 intid : {u64{32}, u64{99}}) ASSERT_NO_FATAL_FAILURE(expect_same_effect(el2, model, operation, intid));
}

const std::vector<std::set<std::pair<u64, bool>>>& running_sets() {
    static const std::vector<std::set<std::pair<u64, bool>>> sets = {
        {}, {{0x40, true}}, {{0x40, false}}, {{0x40, false}, {0x40, true}}, {{0x00, true}, {0x40, false}}, {{0x48, true}}};
    return sets;
}

/// All states of two list registers, by the digits of a number.
ModelInterrupt interrupt_of(unsigned code, u64 intid) {
    constexpr u64 priorities[] = {0x00, 0x40, 0x48, 0xf0};
    ModelInterrupt i{.intid = intid,
                     .priority = priorities[code / 8 % 4],
                     .group1 = (code & 4) != 0,
                     .pending = (code & 1) != 0,
                     .active = (code & 2) != 0};
    i.tells_end = intid == 32;
    return i;
}

TEST(IcvProperty, all_states_of_two_list_registers) {
    struct Setting {
        u64 bpr0, bpr1;
        bool common;
    };
    constexpr Setting settings[] = {{2, 3, false}, {2, 7, false}, {6, 3, false}, {5, 3, true}};
    constexpr u64 enables[] = {0b111, 0b011, 0b101, 0b110};
    u64 states = 0;
    for (unsigned first = 0; first < 32; ++first)
        for (unsigned second = 0; second < 32; ++second)
            for (const auto& running : running_sets())
                for (const Setting& s : settings)
                    for (const u64 pmr : {u64{0xf8}, u64{0x48}})
                        for (const bool split : {false, true}) {
                            IcvModel model{.lists = {interrupt_of(first, 32), interrupt_of(second, 33)}, .running = running};
                            model.common = s.common;
                            model.split = split;
                            model.bpr0 = s.bpr0;
                            model.bpr1 = s.bpr1;
                            model.pmr = pmr;
                            const u64 enable = enables[(first ^ second ^ states) % 4];
                            model.enabled = (enable & 1) != 0;
                            model.group0 = (enable & 2) != 0;
                            model.group1 = (enable & 4) != 0;
                            model.extra = states % 128 * 2;
                            ++states;
                            ASSERT_NO_FATAL_FAILURE(expect_same_behaviour(model)) << first << ' ' << second << ' ' << states;
                        }
    EXPECT_EQ(states, 32U * 32 * 6 * 4 * 2 * 2);
}

ModelInterrupt random_interrupt(Random& random) {
    constexpr u64 intids[] = {32, 33, 34, 35, 36, 27, 1019, 1022, 8192, 9000};
    ModelInterrupt i{.intid = intids[random.below(10)], .priority = random.below(32) * 8};
    i.group1 = !random.one_in(3);
    i.pending = random.one_in(2);
    i.active = random.one_in(4);
    i.hw = random.one_in(3);
    i.physical = i.hw ? random.below(1020) : 0;
    i.tells_end = random.one_in(3);
    return i;
}

/// What the guest or EL2 writes; both sides get it.
void change_settings(Random& random, El2Regs& el2, IcvModel& model) {
    const u64 value = random.next();
    switch (random.below(7)) {
        case 0:
            (void)icv_write(el2, ICC_PMR_EL1, value);
            model.pmr = value % 256 / 8 * 8;
            break;
        case 1:
            (void)icv_write(el2, ICC_BPR0_EL1, value);
            model.bpr0 = std::max<u64>(value % 8, 2);
            break;
        case 2:
            (void)icv_write(el2, ICC_BPR1_EL1, value);
            if (!model.common) model.bpr1 = std::max<u64>(value % 8, 3);
            break;
        case 3:
            (void)icv_write(el2, ICC_CTLR_EL1, value);
            model.common = value % 2 != 0;
            model.split = value / 2 % 2 != 0;
            break;
        case 4:
            (void)icv_write(el2, ICC_IGRPEN0_EL1, value);
            model.group0 = value % 2 != 0;
            break;
        case 5:
            (void)icv_write(el2, ICC_IGRPEN1_EL1, value);
            model.group1 = value % 2 != 0;
            break;
        default:
            model.extra = value % 128 * 2;
            model.enabled = !random.one_in(8);
            model.ends = random.one_in(4) ? 0 : model.ends;
            el2.ICH_HCR_EL2 = model.registers().ICH_HCR_EL2;
            break;
    }
}

TEST(IcvProperty, long_histories_of_four_list_registers) {
    Random random(69);
    IcvModel model;
    model.lists.resize(4);
    El2Regs el2 = model.registers();
    u64 taken = 0, ended = 0;
    for (int step = 0; step < 300'000; ++step) {
        const u64 operation = random.below(20);
        if (operation < 4) {
            // Two list registers never hold one INTID.
            const ModelInterrupt fresh = random_interrupt(random);
            const auto n = static_cast<std::size_t>(random.below(4));
            bool is_known = false;
            for (std::size_t other = 0; other < 4; ++other) is_known |= other != n && model.lists[other].intid == fresh.intid;
            if (is_known) continue;
            model.lists[n] = fresh;
            el2.ICH_LR_EL2 = model.registers().ICH_LR_EL2;
        } else if (operation == 4) {
            change_settings(random, el2, model);
        } else if (operation < 11) {
            const bool is_group1 = !random.one_in(3);
            const u64 intid = model.acknowledge(is_group1);
            ASSERT_EQ(icv_read(el2, is_group1 ? ICC_IAR1_EL1 : ICC_IAR0_EL1).value, intid) << step;
            taken += intid != 1023;
        } else {
            const ModelInterrupt& some = model.lists[static_cast<std::size_t>(random.below(4))];
            const u64 intid = random.one_in(8) ? 500 : some.intid;
            const bool is_group1 = random.one_in(8) ? !some.group1 : some.group1;
            if (operation < 17) {
                const auto want = model.end(is_group1, intid);
                ASSERT_EQ(icv_write(el2, is_group1 ? ICC_EOIR1_EL1 : ICC_EOIR0_EL1, intid).deactivates, want) << step;
                ended += want.has_value();
            } else {
                const auto want = model.deactivate_by(intid);
                ASSERT_EQ(icv_write(el2, ICC_DIR_EL1, intid).deactivates, want) << step;
                ended += want.has_value();
            }
        }
        ASSERT_TRUE(same(el2, model.registers())) << step;
        ASSERT_NO_FATAL_FAILURE(expect_same_view(el2, model)) << step;
    }
    EXPECT_GT(taken, 3000U);
    EXPECT_GT(ended, 300U);
}

}  // namespace
}  // namespace ax::sim::arm64
