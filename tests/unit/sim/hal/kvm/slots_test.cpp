#include "sim/hal/kvm/slots.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <set>

namespace ax::sim::kvm {
namespace {

GpaRun run(u64 page, u64 pages, bool writes = true) {
    return {{Gpa{page * page_size}, pages * page_size}, Hpa{0x8000'0000 + page * page_size}, {true, writes, true, false}};
}

TEST(KvmSlots, what_has_not_changed_stays) {
    const std::vector<Slot> installed = {{0, run(0, 4)}, {1, run(8, 4)}};
    const std::vector<GpaRun> wanted = {run(0, 4), run(8, 4)};
    const SlotChanges changes = plan_slots(installed, wanted);
    EXPECT_TRUE(changes.removed.empty());
    EXPECT_TRUE(changes.added.empty());
}

TEST(KvmSlots, a_run_that_grows_or_changes_rights_is_removed_and_added) {
    const std::vector<Slot> installed = {{0, run(0, 4)}, {5, run(8, 4)}};
    for (const GpaRun& now : {run(0, 5), run(0, 4, false)}) {
        const std::vector<GpaRun> wanted = {now, run(8, 4)};
        const SlotChanges changes = plan_slots(installed, wanted);
        EXPECT_EQ(changes.removed, (std::vector<Slot>{{0, run(0, 4)}}));
        EXPECT_EQ(changes.added, (std::vector<Slot>{{0, now}}));
    }
}

TEST(KvmSlots, numbers_in_use_are_not_given_again) {
    const std::vector<Slot> installed = {{0, run(0, 1)}, {2, run(4, 1)}};
    const std::vector<GpaRun> wanted = {run(0, 1), run(2, 1), run(4, 1), run(6, 1)};
    EXPECT_EQ(plan_slots(installed, wanted).added, (std::vector<Slot>{{1, run(2, 1)}, {3, run(6, 1)}}));
}

TEST(KvmSlots, any_change_ends_in_what_is_wanted_and_never_overlaps) {
    std::mt19937_64 random(3);
    std::vector<Slot> installed;
    for (unsigned n = 0; n < 5'000; ++n) {
        std::vector<GpaRun> wanted;
        for (u64 page = random() % 3; page < 40;) {
            const u64 pages = 1 + random() % 4;
            wanted.push_back(run(page, pages, random() % 4 != 0));
            page += pages + random() % 3;
        }
        const SlotChanges changes = plan_slots(installed, wanted);
        std::vector<Slot> kernel = installed;
        for (const Slot& slot : changes.removed) ASSERT_EQ(std::erase(kernel, slot), 1U);
        for (const Slot& slot : changes.added) {
            for (const Slot& other : kernel) {
                ASSERT_NE(other.number, slot.number);
                ASSERT_FALSE(other.run.range.overlaps(slot.run.range));
            }
            kernel.push_back(slot);
        }
        installed = after(installed, changes);
        ASSERT_EQ(installed.size(), kernel.size());
        ASSERT_TRUE(std::ranges::equal(installed, wanted, {}, &Slot::run));
    }
}

}  // namespace
}  // namespace ax::sim::kvm
