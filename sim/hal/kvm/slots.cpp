#include "sim/hal/kvm/slots.hpp"

#include <algorithm>
#include <set>

namespace ax::sim::kvm {

SlotChanges plan_slots(std::span<const Slot> installed, std::span<const GpaRun> wanted) {
    SlotChanges changes;
    std::set<u32> used;
    std::vector<GpaRun> missing;
    auto old = installed.begin();
    for (const GpaRun& run : wanted) {
        for (; old != installed.end() && old->run.range.start < run.range.start; ++old) changes.removed.push_back(*old);
        if (old != installed.end() && old->run == run)
            used.insert((old++)->number);
        else
            missing.push_back(run);
    }
    changes.removed.insert(changes.removed.end(), old, installed.end());
    u32 number = 0;
    for (const GpaRun& run : missing) {
        while (used.contains(number)) ++number;
        changes.added.push_back({number++, run});
    }
    return changes;
}

std::vector<Slot> after(std::span<const Slot> installed, const SlotChanges& changes) {
    std::vector<Slot> result;
    for (const Slot& slot : installed)
        if (std::ranges::find(changes.removed, slot) == changes.removed.end()) result.push_back(slot);
    result.insert(result.end(), changes.added.begin(), changes.added.end());
    std::ranges::sort(result, {}, [](const Slot& slot) { return slot.run.range.start; });
    return result;
}

}  // namespace ax::sim::kvm
