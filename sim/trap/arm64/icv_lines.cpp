// What comes out of the virtual CPU interface: the interrupt lines to EL1, and maintenance to EL2.
#include "sim/trap/arm64/icv.hpp"
#include "sim/trap/arm64/icv_interface.hpp"

namespace ax::sim::arm64 {

namespace {

using ax::arm64::El2Regs;
using Hcr = ax::arm64::IchHcr;
using Lr = ax::arm64::IchLr;
using Misr = ax::arm64::IchMisr;
using Vmcr = ax::arm64::IchVmcr;

bool is_signalled(const El2Regs& el2, IcvGroup group, unsigned list_registers) {
    const IcvView view(el2, list_registers);
    const auto n = view.highest_pending();
    return n && view.group_of(*n) == group && view.can_signal(*n);
}

template <class Predicate>
u64 list_register_mask(const El2Regs& el2, unsigned list_registers, Predicate holds) {
    u64 mask = 0;
    for (unsigned n = 0; n < list_registers; ++n)
        if (holds(el2.ICH_LR_EL2[n])) mask |= bit(n);
    return mask;
}

}  // namespace

bool irq_asserted(const El2Regs& el2, unsigned list_registers) { return is_signalled(el2, IcvGroup::Group1, list_registers); }
bool fiq_asserted(const El2Regs& el2, unsigned list_registers) { return is_signalled(el2, IcvGroup::Group0, list_registers); }

bool wakes(const El2Regs& el2, unsigned list_registers) {
    using Routing = ax::arm64::Hcr;
    const u64 hcr = el2.HCR_EL2;
    return (Routing::IMO::test(hcr) && (Routing::VI::test(hcr) || irq_asserted(el2, list_registers))) ||
           (Routing::FMO::test(hcr) && (Routing::VF::test(hcr) || fiq_asserted(el2, list_registers))) ||
           (Routing::AMO::test(hcr) && Routing::VSE::test(hcr));
}

u64 ich_eisr(const El2Regs& el2, unsigned list_registers) {
    return list_register_mask(el2, list_registers,
                              [](u64 lr) { return Lr::State::get(lr) == 0 && !Lr::HW::test(lr) && Lr::EOI::test(lr); });
}

u64 ich_elrsr(const El2Regs& el2, unsigned list_registers) {
    return list_register_mask(el2, list_registers,
                              [](u64 lr) { return Lr::State::get(lr) == 0 && (Lr::HW::test(lr) || !Lr::EOI::test(lr)); });
}

u64 ich_misr(const El2Regs& el2, unsigned list_registers) {
    const u64 hcr = el2.ICH_HCR_EL2, vmcr = el2.ICH_VMCR_EL2;
    const u64 valid = list_register_mask(el2, list_registers, [](u64 lr) { return Lr::State::get(lr) != 0; });
    const u64 pending = list_register_mask(el2, list_registers, [](u64 lr) { return Lr::State::get(lr) == Lr::pending; });
    const bool is_nearly_empty = (valid & (valid - 1)) == 0;
    const bool group0 = Vmcr::VENG0::test(vmcr), group1 = Vmcr::VENG1::test(vmcr);
    return Misr::EOI::of(ich_eisr(el2, list_registers) != 0) | Misr::U::of(Hcr::UIE::test(hcr) && is_nearly_empty) |
           Misr::LRENP::of(Hcr::LRENPIE::test(hcr) && Hcr::EOIcount::test(hcr)) |
           Misr::NP::of(Hcr::NPIE::test(hcr) && pending == 0) | Misr::VGrp0E::of(Hcr::VGrp0EIE::test(hcr) && group0) |
           Misr::VGrp0D::of(Hcr::VGrp0DIE::test(hcr) && !group0) | Misr::VGrp1E::of(Hcr::VGrp1EIE::test(hcr) && group1) |
           Misr::VGrp1D::of(Hcr::VGrp1DIE::test(hcr) && !group1);
}

bool maintenance_asserted(const El2Regs& el2, unsigned list_registers) {
    return Hcr::En::test(el2.ICH_HCR_EL2) && ich_misr(el2, list_registers) != 0;
}

u64 ich_vtr(unsigned list_registers) {
    using Vtr = ax::arm64::IchVtr;
    return Vtr::ListRegs::of(list_registers - 1) | Vtr::A3V::of(1) | Vtr::PREbits::of(IcvView::priority_bits - 1) |
           Vtr::PRIbits::of(IcvView::priority_bits - 1);
}

}  // namespace ax::sim::arm64
