// Which memory slots of a KVM VM must go and which must come so that it has the runs that are wanted.
#pragma once

#include "sim/hal/kvm/gpa_runs.hpp"

namespace ax::sim::kvm {

struct Slot {
    u32 number = 0;
    GpaRun run;

    constexpr bool operator==(const Slot&) const = default;
};

struct SlotChanges {
    std::vector<Slot> removed;
    std::vector<Slot> added;  ///< under the lowest numbers that are free then
};

/// `installed` and `wanted` are in the order of their addresses. A slot's memory cannot change in place, so a run that
/// differs in anything is removed and added; all removals come first.
[[nodiscard]] SlotChanges plan_slots(std::span<const Slot> installed, std::span<const GpaRun> wanted);
/// The slots after the changes, by address.
[[nodiscard]] std::vector<Slot> after(std::span<const Slot> installed, const SlotChanges& changes);

}  // namespace ax::sim::kvm
