#include "sim/mmu/vmsa_par.hpp"

namespace ax::sim::arm64 {

using vmsa::Par;

u64 par_value(const Stage1Translation& translation) {
    return Par::Res1::of(1) | Par::SH::of(translation.shareability) | Par::PA::of(translation.ipa.page_number()) |
           Par::ATTR::of(translation.attributes);
}

u64 par_value(const VmsaFault& fault) {
    return Par::Res1::of(1) | Par::F::of(1) | Par::FST::of(fault_status(fault)) | Par::PTW::of(fault.s1ptw) |
           Par::S::of(fault.stage == 2);
}

std::expected<u64, VmsaFault> address_translate(const PhysMemory& memory, Gva va, WalkAccess access, const VmsaContext& context) {
    access.pan = false;
    const auto found = translate_stage1(memory, va, context);
    if (!found) {
        const bool is_exception = found.error().stage == 2 || found.error().kind == VmsaFaultKind::External;
        if (is_exception) return std::unexpected(found.error());
        return par_value(found.error());
    }
    if (!stage1_allows(found->el1, found->el0, found->pan_applies, access, context))
        return par_value(VmsaFault{1, VmsaFaultKind::Permission, found->level, false, {}});
    return par_value(*found);
}

}  // namespace ax::sim::arm64
