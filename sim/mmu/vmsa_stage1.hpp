// Stage 1 of the simulated arm64 MMU: the EL1&0 regime.
#pragma once

#include <expected>

#include "sim/mmu/vmsa.hpp"
#include "sim/phys/memory.hpp"

namespace ax::sim::arm64 {

struct Stage1Translation {
    Gpa ipa;
    Rights el1, el0;
    bool non_global = false;
    bool pan_applies = false;
    u8 level = 3;
    u8 shift = 12;        ///< log2 of what the descriptor covers
    u8 attributes = 0;    ///< memory attributes as MAIR_EL1 encodes them
    u8 shareability = 0;  ///< as PAR_EL1.SH shows it
};

/// Translates one virtual address without looking at rights. Table accesses go through stage 2; its
/// faults come back with stage 2 and s1ptw. With stage 1 off: flat, all rights.
/// Source: Arm ARM DDI 0487, AArch64.TranslationTableWalk and AArch64.TranslateAddressS1Off.
[[nodiscard]] std::expected<Stage1Translation, VmsaFault> translate_stage1(const PhysMemory& memory, Gva va,
                                                                           const VmsaContext& context);

/// AArch64.CheckPermission: false is a stage 1 permission fault.
[[nodiscard]] bool stage1_allows(const Rights& el1, const Rights& el0, bool pan_applies, WalkAccess access,
                                 const VmsaContext& context);

}  // namespace ax::sim::arm64
