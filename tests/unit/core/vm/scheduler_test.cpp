// Who runs where: fairness, affinity, and never one vCPU on two pCPUs.
#include "core/vm/scheduler.hpp"

#include <set>

#include "tests/unit/core/mm/random.hpp"
#include "tests/unit/core/vm/vm_fixture.hpp"

namespace ax::vm::test {
namespace {

class SchedulerTest : public VmTest {
protected:
    /// vCPUs with these masks, all ready.
    void ready(const std::vector<u64>& affinities) {
        build(affinities);
        for (std::size_t i = 1; i < affinities.size(); ++i) guest->power_on(i);
        ASSERT_TRUE(scheduler.add(vm()));
    }
    /// Number of the vCPU that the pCPU picks, -1 when it idles.
    int pick(u32 pcpu) {
        const TaskRef ref = scheduler.pick(PcpuId{pcpu});
        return ref.task == nullptr ? -1 : static_cast<int>(index(ref.task->id()));
    }
    void block(std::size_t i) {
        static_cast<void>(task(i).inject({EventLine::External, false}));
        task(i).wait();
    }
    void wake(std::size_t i) { static_cast<void>(task(i).inject({EventLine::External, true})); }

    Scheduler scheduler;
};

TEST_F(SchedulerTest, without_tasks_every_pcpu_idles) {
    EXPECT_EQ(pick(0), -1);
    EXPECT_FALSE(scheduler.has_work(PcpuId{0}));
    EXPECT_FALSE(scheduler.has_waiting());
}

TEST_F(SchedulerTest, choice_is_kept_until_it_blocks) {
    ready({~u64{0}, ~u64{0}, ~u64{0}});
    const int first = pick(0);
    for (int i = 0; i < 5; ++i) EXPECT_EQ(pick(0), first);
    block(static_cast<std::size_t>(first));
    const int second = pick(0);
    EXPECT_NE(second, first);
    wake(static_cast<std::size_t>(first));
    EXPECT_EQ(pick(0), second);
}

TEST_F(SchedulerTest, rotation_takes_all_in_turn) {
    ready({~u64{0}, ~u64{0}, ~u64{0}, ~u64{0}});
    std::vector<int> order;
    for (int i = 0; i < 8; ++i) {
        order.push_back(pick(0));
        scheduler.rotate(PcpuId{0});
    }
    EXPECT_EQ(std::set<int>(order.begin(), order.begin() + 4), (std::set<int>{0, 1, 2, 3}));
    EXPECT_TRUE(std::equal(order.begin(), order.begin() + 4, order.begin() + 4));
}

TEST_F(SchedulerTest, rotation_of_a_lone_vcpu_keeps_it) {
    ready({~u64{0}});
    EXPECT_EQ(pick(0), 0);
    scheduler.rotate(PcpuId{0});
    EXPECT_EQ(pick(0), 0);
}

TEST_F(SchedulerTest, affinity_holds) {
    ready({0b01, 0b10, 0b11});
    for (int round = 0; round < 10; ++round) {
        const int left = pick(0);
        const int right = pick(1);
        EXPECT_TRUE(left == 0 || left == 2) << left;
        EXPECT_TRUE(right == 1 || right == 2) << right;
        EXPECT_NE(left, right);
        EXPECT_EQ(pick(2), -1);
        EXPECT_FALSE(scheduler.has_work(PcpuId{2}));
        scheduler.rotate_all();
    }
}

TEST_F(SchedulerTest, second_pcpu_finds_nothing_when_the_only_vcpu_runs) {
    ready({~u64{0}});
    EXPECT_EQ(pick(0), 0);
    EXPECT_EQ(pick(1), -1);
    block(0);
    EXPECT_EQ(pick(0), -1);
    wake(0);
    EXPECT_EQ(pick(1), 0);
    EXPECT_EQ(pick(0), -1);
}

TEST_F(SchedulerTest, waiting_means_ready_without_a_pcpu) {
    ready({~u64{0}, ~u64{0}});
    EXPECT_TRUE(scheduler.has_waiting());
    EXPECT_NE(pick(0), -1);
    EXPECT_TRUE(scheduler.has_waiting());
    EXPECT_NE(pick(1), -1);
    EXPECT_FALSE(scheduler.has_waiting());
}

TEST_F(SchedulerTest, takes_256_vcpus_and_then_refuses) {
    build(max_vcpus);
    for (int i = 0; i < 4; ++i) ASSERT_TRUE(scheduler.add(vm()));
    EXPECT_FALSE(scheduler.add(vm()));
    EXPECT_NE(pick(0), -1);
}

/// Random wake-ups, blocks, rotations and picks; after each pick the rules must hold.
class SchedulerPropertyTest : public SchedulerTest, public testing::WithParamInterface<u64> {
protected:
    static constexpr u32 pcpus = 3;
    static constexpr std::size_t tasks = 6;

    void SetUp() override {
        std::vector<u64> masks;
        for (std::size_t i = 0; i < tasks; ++i) masks.push_back(1 + random.below((1U << pcpus) - 1));
        ready(masks);
    }
    void check_pick(u32 p) {
        const bool had_work = scheduler.has_work(PcpuId{p});
        const int before = current[p];
        const bool keeps = before >= 0 && task(static_cast<std::size_t>(before)).is_runnable() && !rotates[p];
        const int now = pick(p);
        ASSERT_EQ(now >= 0, had_work) << "has_work tells what pick does";
        if (keeps) {
            ASSERT_EQ(now, before) << "a runnable choice is kept";
        } else {
            rotates[p] = false;
        }
        current[p] = now;
        if (now < 0) return;
        const VcpuTask& t = task(static_cast<std::size_t>(now));
        ASSERT_TRUE(t.is_runnable());
        ASSERT_TRUE(t.may_run_on(PcpuId{p}));
        for (u32 q = 0; q < pcpus; ++q) ASSERT_TRUE(q == p || current[q] != now) << "one vCPU on two pCPUs";
    }

    mm::test::Random random{GetParam()};
    std::array<int, pcpus> current{-1, -1, -1};
    std::array<bool, pcpus> rotates{};
};

TEST_P(SchedulerPropertyTest, rules_hold_whatever_happens) {
    for (int step = 0; step < 2000 && !HasFailure(); ++step) {
        const auto p = static_cast<u32>(random.below(pcpus));
        const std::size_t t = random.below(tasks);
        switch (random.below(6)) {
            case 0:
                if (task(t).is_runnable()) block(t);
                break;
            case 1: wake(t); break;
            case 2:
                scheduler.rotate(PcpuId{p});
                rotates[p] = true;
                break;
            case 3:
                scheduler.rotate_all();
                rotates.fill(true);
                break;
            default: check_pick(p);
        }
    }
}

TEST_P(SchedulerPropertyTest, every_ready_vcpu_runs_within_as_many_ticks_as_there_are_vcpus) {
    // Any history first.
    for (int step = 0; step < 200; ++step) {
        const std::size_t t = random.below(tasks);
        if (task(t).is_runnable())
            block(t);
        else
            wake(t);
        static_cast<void>(pick(static_cast<u32>(random.below(pcpus))));
    }
    for (int period = 0; period < 5; ++period) {
        std::set<int> seen;
        for (std::size_t tick = 0; tick < tasks; ++tick) {
            for (u32 p = 0; p < pcpus; ++p) seen.insert(pick(p));
            scheduler.rotate_all();
        }
        for (std::size_t i = 0; i < tasks; ++i)
            EXPECT_EQ(seen.contains(static_cast<int>(i)), task(i).is_runnable()) << "vCPU " << i << ", period " << period;
    }
}

INSTANTIATE_TEST_SUITE_P(Seeds, SchedulerPropertyTest, testing::Range<u64>(1, 41));

}  // namespace
}  // namespace ax::vm::test
