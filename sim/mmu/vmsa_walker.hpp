// Two-stage address translation of the simulated arm64 CPU at EL1 and EL0: VMSAv8-64 as of Armv8.0, granules of
// 4, 16 and 64 KiB, no hardware update of the access flag.
#pragma once

#include <expected>

#include "sim/mmu/vmsa.hpp"
#include "sim/phys/memory.hpp"

namespace ax::sim::arm64 {

/// Walks both stages for one access at `va`. Faults come in the order of Arm ARM DDI 0487, "Prioritization of
/// synchronous aborts from a single stage of address translation": all of stage 1, rights included, then stage 2.
[[nodiscard]] std::expected<VmsaTranslation, VmsaFault> walk(const PhysMemory& memory, Gva va, WalkAccess access,
                                                             const VmsaContext& context);

/// True when the translation in hand allows the access; stale rights mean a new walk, not a fault.
[[nodiscard]] bool allows(const VmsaTranslation& translation, WalkAccess access, const VmsaContext& context);

}  // namespace ax::sim::arm64
