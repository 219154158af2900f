#include "sim/mmu/vmsa_walker.hpp"

#include "sim/mmu/vmsa_stage1.hpp"
#include "sim/mmu/vmsa_stage2.hpp"

namespace ax::sim::arm64 {

std::expected<VmsaTranslation, VmsaFault> walk(const PhysMemory& memory, Gva va, WalkAccess access, const VmsaContext& context) {
    const auto stage1 = translate_stage1(memory, va, context);
    if (!stage1) return std::unexpected(stage1.error());
    // With stage 1 off all rights are given and PAN does not apply, so nothing is refused here.
    if (!stage1_allows(stage1->el1, stage1->el0, stage1->pan_applies, access, context))
        return std::unexpected(VmsaFault{1, VmsaFaultKind::Permission, stage1->level, false, {}});
    const auto stage2 = translate_stage2(memory, stage1->ipa, context);
    if (!stage2) return std::unexpected(stage2.error());
    if (!stage2->rights.allow(access.access))
        return std::unexpected(VmsaFault{2, VmsaFaultKind::Permission, stage2->level, false, stage1->ipa});
    VmsaTranslation result;
    result.page = stage2->hpa.page_base();
    result.ipa_page = stage1->ipa.page_base();
    result.el1 = stage1->el1;
    result.el0 = stage1->el0;
    result.stage2 = stage2->rights;
    result.non_global = stage1->non_global;
    result.pan_applies = stage1->pan_applies;
    result.stage1_shift = stage1->shift;
    result.stage1_level = stage1->level;
    result.stage2_level = stage2->level;
    return result;
}

bool allows(const VmsaTranslation& translation, WalkAccess access, const VmsaContext& context) {
    return stage1_allows(translation.el1, translation.el0, translation.pan_applies, access, context) &&
           translation.stage2.allow(access.access);
}

}  // namespace ax::sim::arm64
