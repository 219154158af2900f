// Stage 2 of the simulated arm64 MMU. Written from the manual on its own; it shares nothing with
// core/mm, so that a wrong bit on either side shows.
#pragma once

#include <expected>

#include "sim/mmu/vmsa.hpp"
#include "sim/phys/memory.hpp"

namespace ax::sim::arm64 {

struct Stage2Translation {
    Hpa hpa;
    Rights rights;
    u8 level = 3;
};

/// Translates one intermediate physical address; flat, with all rights, when stage 2 is off. Faults are
/// of stage 2 with `ipa` set. Rights are for the caller to look at.
/// Source: Arm ARM DDI 0487, "Stage 2 translation", AArch64.TranslationTableWalk for its second stage.
[[nodiscard]] std::expected<Stage2Translation, VmsaFault> translate_stage2(const PhysMemory& memory, Gpa ipa,
                                                                           const VmsaContext& context);

}  // namespace ax::sim::arm64
