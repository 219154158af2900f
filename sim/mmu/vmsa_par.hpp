// The AT instructions of the EL1&0 regime and what they leave in PAR_EL1.
#pragma once

#include <expected>

#include "sim/mmu/vmsa_stage1.hpp"

namespace ax::sim::arm64 {

/// PAR_EL1 after a translation that succeeded: Arm ARM DDI 0487, PAR_EL1, F is 0.
[[nodiscard]] u64 par_value(const Stage1Translation& translation);
/// PAR_EL1 after one that did not: F is 1.
[[nodiscard]] u64 par_value(const VmsaFault& fault);

/// AT S1E1R, S1E1W (`is_el0` false) and S1E0R, S1E0W (true), executed at EL1; `access` is Read or Write.
/// PSTATE.PAN does not count for these four. The value for PAR_EL1, or a fault that is taken as an exception instead:
/// a stage 2 fault of the walk goes to EL2, an external abort goes where such aborts go.
[[nodiscard]] std::expected<u64, VmsaFault> address_translate(const PhysMemory& memory, Gva va, WalkAccess access,
                                                              const VmsaContext& context);

}  // namespace ax::sim::arm64
