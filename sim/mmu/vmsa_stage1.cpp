#include "sim/mmu/vmsa_stage1.hpp"

#include <algorithm>

#include "sim/mmu/vmsa_stage2.hpp"
#include "sim/mmu/vmsa_tables.hpp"

namespace ax::sim::arm64 {

namespace {

using vmsa::Sctlr;
using vmsa::Tcr;

constexpr unsigned most_input_bits = 48;
constexpr unsigned least_input_bits = 25;

/// AddrTop: the highest bit of an address that takes part in translation.
unsigned top_bit(Gva va, const VmsaContext& context) {
    const bool is_upper = Bits<55>::test(va.value());
    const bool is_tagged = is_upper ? Tcr::TBI1::test(context.tcr) : Tcr::TBI0::test(context.tcr);
    return is_tagged ? 55 : 63;
}

struct Half {
    TableShape shape;
    u64 ttbr = 0;
    bool is_disabled = false;  ///< EPD0, EPD1
    bool is_in_range = false;
};

/// TTBR0_EL1 or TTBR1_EL1 with its part of TCR_EL1. TnSZ out of bounds counts as the nearest bound, and
/// a reserved granule as 4 KiB, which the manual allows.
Half half_of(Gva va, const VmsaContext& context) {
    const unsigned top = top_bit(va, context);
    const bool is_upper = ((va.value() >> top) & 1) != 0;
    const u64 granule = is_upper ? Tcr::TG1::get(context.tcr) : Tcr::TG0::get(context.tcr);
    const u64 size = is_upper ? Tcr::T1SZ::get(context.tcr) : Tcr::T0SZ::get(context.tcr);
    Half half;
    TableShape& shape = half.shape;
    const bool is_64k = granule == (is_upper ? Tcr::tg1_64k : Tcr::tg0_64k);
    const bool is_16k = granule == (is_upper ? Tcr::tg1_16k : Tcr::tg0_16k);
    shape.granule_shift = is_64k ? 16 : is_16k ? 14 : 12;
    shape.input_bits = std::clamp(64 - static_cast<unsigned>(size), least_input_bits, most_input_bits);
    shape.output_bits = std::min(vmsa::address_bits(Tcr::IPS::get(context.tcr)), context.physical_bits);
    const unsigned levels = (shape.input_bits - shape.granule_shift + shape.stride() - 1) / shape.stride();
    shape.first_level = 4 - static_cast<int>(levels);
    half.ttbr = is_upper ? context.ttbr1 : context.ttbr0;
    half.is_disabled = is_upper ? Tcr::EPD1::test(context.tcr) : Tcr::EPD0::test(context.tcr);
    const u64 beyond = (va.value() << (63 - top)) >> (63 - top + shape.input_bits);
    const u64 ones = ~u64{0} >> (63 - top + shape.input_bits);
    half.is_in_range = beyond == (is_upper ? ones : 0);
    return half;
}

/// AArch64.TranslateAddressS1Off.
std::expected<Stage1Translation, VmsaFault> flat(Gva va, const VmsaContext& context) {
    const u64 address = va.value() & (~u64{0} >> (63 - top_bit(va, context)));
    if ((address >> context.physical_bits) != 0) return std::unexpected(VmsaFault{1, VmsaFaultKind::AddressSize, 0, false, {}});
    Stage1Translation result;
    result.ipa = Gpa{address};
    result.el1 = result.el0 = {true, true, true};
    // Device-nGnRnE, or with HCR_EL2.DC Normal write-back, non-shareable.
    const bool is_cacheable = vmsa::Hcr::DC::test(context.hcr);
    result.attributes = is_cacheable ? 0xff : 0;
    result.shareability = is_cacheable ? 0 : vmsa::Par::outer_shareable;
    return result;
}

std::expected<u64, VmsaFault> load_table_entry(const PhysMemory& memory, Gpa ipa, const VmsaContext& context,
                                               VmsaFault external) {
    auto place = translate_stage2(memory, ipa, context);
    // "Stage 1 walk is checked as a read, regardless of the original type."
    if (place && !place->rights.read) place = std::unexpected(VmsaFault{2, VmsaFaultKind::Permission, place->level, false, ipa});
    if (!place) {
        VmsaFault fault = place.error();
        fault.s1ptw = true;
        return std::unexpected(fault);
    }
    return load_descriptor(memory, place->hpa, Sctlr::EE::test(context.sctlr), external);
}

void set_rights(Stage1Translation& result, const Leaf& leaf, const VmsaContext& context) {
    using Bits1 = vmsa::Stage1Leaf;
    const u64 descriptor = leaf.descriptor;
    const bool is_writable = !Bits1::AP2::test(descriptor) && !leaf.no_write;
    const bool is_el0 = Bits1::AP1::test(descriptor) && !leaf.no_el0;
    const bool uxn = Bits1::UXN::test(descriptor) || leaf.el0_no_execute;
    const bool pxn = Bits1::PXN::test(descriptor) || leaf.el1_no_execute;
    const bool wxn = Sctlr::WXN::test(context.sctlr);
    const bool el0_writes = is_el0 && is_writable;
    result.el0 = {is_el0, el0_writes, !uxn && !(el0_writes && wxn)};
    // What EL0 may write, EL1 never executes.
    result.el1 = {true, is_writable, !pxn && !(is_writable && wxn) && !el0_writes};
    result.pan_applies = is_el0;
}

void set_attributes(Stage1Translation& result, u64 descriptor, const VmsaContext& context) {
    constexpr u8 normal_non_cacheable = 0x44;
    result.attributes = static_cast<u8>(context.mair >> (8 * vmsa::Stage1Leaf::AttrIndx::get(descriptor)));
    const bool is_device = (result.attributes & 0xf0) == 0;
    // Device and Normal Non-cacheable memory is always Outer Shareable.
    result.shareability = is_device || result.attributes == normal_non_cacheable
                              ? u8{vmsa::Par::outer_shareable}
                              : static_cast<u8>(vmsa::Stage1Leaf::SH::get(descriptor));
}

}  // namespace

std::expected<Stage1Translation, VmsaFault> translate_stage1(const PhysMemory& memory, Gva va, const VmsaContext& context) {
    if (!context.stage1_on()) return flat(va, context);
    const Half half = half_of(va, context);
    if (!half.is_in_range || half.is_disabled) return std::unexpected(half.shape.fault(VmsaFaultKind::Translation, 0));
    const auto leaf = descend(half.shape, half.ttbr, va.value(), [&](u64 address, int level) {
        return load_table_entry(memory, Gpa{address}, context, half.shape.fault(VmsaFaultKind::External, level));
    });
    if (!leaf) return std::unexpected(leaf.error());
    Stage1Translation result;
    result.ipa = Gpa{leaf->output};
    result.non_global = vmsa::Stage1Leaf::nG::test(leaf->descriptor);
    result.level = static_cast<u8>(leaf->level);
    result.shift = static_cast<u8>(half.shape.shift_at(leaf->level));
    set_rights(result, *leaf, context);
    set_attributes(result, leaf->descriptor, context);
    return result;
}

bool stage1_allows(const Rights& el1, const Rights& el0, bool pan_applies, WalkAccess access, const VmsaContext& context) {
    if (access.is_el0) return el0.allow(access.access);
    const bool is_kept_out = context.has_pan && access.pan && pan_applies && access.access != Access::Execute;
    return !is_kept_out && el1.allow(access.access);
}

}  // namespace ax::sim::arm64
