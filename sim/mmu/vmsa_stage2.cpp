#include "sim/mmu/vmsa_stage2.hpp"

#include <algorithm>
#include <optional>

#include "sim/mmu/vmsa_tables.hpp"

namespace ax::sim::arm64 {

namespace {

using vmsa::Vtcr;

/// The largest address for which a granule may not yet start one level higher ("Implemented physical
/// address size and the stage 2 starting level").
unsigned most_bits_below(unsigned granule_shift) { return granule_shift == 14 ? 40 : 42; }

/// Nothing when VTCR_EL2 holds what the manual makes fault: a T0SZ that the CPU's physical addresses do
/// not reach, or an SL0 that gives fewer than 2 entries or more than 16 concatenated tables. Where it leaves a choice
/// (T0SZ out of 16 to 39, larger than the physical addresses) this CPU faults too, so that it is noticed.
std::optional<TableShape> shape_of(const VmsaContext& context) {
    TableShape shape{.stage = 2};
    const u64 granule = Vtcr::TG0::get(context.vtcr);
    shape.granule_shift = granule == vmsa::Tcr::tg0_64k ? 16 : granule == vmsa::Tcr::tg0_16k ? 14 : 12;
    shape.input_bits = 64 - static_cast<unsigned>(Vtcr::T0SZ::get(context.vtcr));
    shape.output_bits = std::min(vmsa::address_bits(Vtcr::PS::get(context.vtcr)), context.physical_bits);
    const bool is_small = shape.granule_shift == 12;
    const int highest_level = is_small ? 0 : 1;
    shape.first_level = (is_small ? 2 : 3) - static_cast<int>(Vtcr::SL0::get(context.vtcr));
    if (shape.input_bits < 25 || shape.input_bits > std::min(48U, context.physical_bits)) return std::nullopt;
    if (shape.first_level < highest_level) return std::nullopt;
    if (shape.first_level == highest_level && context.physical_bits <= most_bits_below(shape.granule_shift)) return std::nullopt;
    const int most_index_bits = static_cast<int>(shape.stride()) + 4;
    if (shape.root_index_bits() < 1 || shape.root_index_bits() > most_index_bits) return std::nullopt;
    return shape;
}

}  // namespace

std::expected<Stage2Translation, VmsaFault> translate_stage2(const PhysMemory& memory, Gpa ipa, const VmsaContext& context) {
    if (!context.stage2_on()) return Stage2Translation{Hpa{ipa.value()}, {true, true, true}, 3};
    const std::optional<TableShape> shape = shape_of(context);
    if (!shape || (ipa.value() >> shape->input_bits) != 0)
        return std::unexpected(VmsaFault{2, VmsaFaultKind::Translation, 0, false, ipa});
    const auto load = [&](u64 address, int level) {
        // SCTLR_EL2.EE is 0: EL2 of this machine is little-endian.
        return load_descriptor(memory, Hpa{address}, false, shape->fault(VmsaFaultKind::External, level));
    };
    const auto leaf = descend(*shape, context.vttbr, ipa.value(), load);
    if (!leaf) {
        VmsaFault fault = leaf.error();
        fault.ipa = ipa;
        return std::unexpected(fault);
    }
    using Bits2 = vmsa::Stage2Leaf;
    const u64 descriptor = leaf->descriptor;
    const Rights rights{Bits2::S2AP_R::test(descriptor), Bits2::S2AP_W::test(descriptor), !Bits2::XN::test(descriptor)};
    return Stage2Translation{Hpa{leaf->output}, rights, static_cast<u8>(leaf->level)};
}

}  // namespace ax::sim::arm64
