#include "sim/trap/arm64/icv_interface.hpp"

#include <algorithm>
#include <bit>

namespace ax::sim::arm64 {

namespace {

using Lr = ax::arm64::IchLr;
using Vmcr = ax::arm64::IchVmcr;
using Pending = Bits<62>;  ///< the two bits of ICH_LR<n>_EL2.State
using Active = Bits<63>;

bool is_special(u64 intid) { return intid >= IcvView::first_special && intid <= IcvView::spurious; }

}  // namespace

std::optional<unsigned> IcvView::highest_pending() const {
    std::optional<unsigned> best;
    for (unsigned n = 0; n < count_; ++n) {
        if (Lr::State::get(view_.ICH_LR_EL2[n]) != Lr::pending) continue;
        const bool is_enabled =
            group_of(n) == IcvGroup::Group1 ? Vmcr::VENG1::test(view_.ICH_VMCR_EL2) : Vmcr::VENG0::test(view_.ICH_VMCR_EL2);
        if (is_enabled && (!best || priority_of(n) < priority_of(*best))) best = n;
    }
    return best;
}

bool IcvView::can_signal(unsigned n) const {
    if (!ax::arm64::IchHcr::En::test(view_.ICH_HCR_EL2)) return false;
    const u64 priority = priority_of(n);
    if (priority >= (Vmcr::VPMR::get(view_.ICH_VMCR_EL2) & priority_mask)) return false;
    const u64 running = running_priority();
    if (running == idle_priority) return true;
    const u64 mask = group_mask(group_of(n));
    return (priority & mask) < (running & mask);
}

u64 IcvView::running_priority() const {
    const auto active = static_cast<u32>(view_.ICH_AP0R_EL2[0] | view_.ICH_AP1R_EL2[0]);
    return active == 0 ? idle_priority : static_cast<u64>(std::countr_zero(active)) << unimplemented_bits;
}

u64 IcvView::binary_point(IcvGroup group) const {
    const u64 vmcr = view_.ICH_VMCR_EL2;
    const u64 common = std::max(Vmcr::VBPR0::get(vmcr), least_binary_point);
    if (group == IcvGroup::Group0 || Vmcr::VCBPR::test(vmcr)) return common;
    // BPR1 names the same split with a number that is one higher.
    return std::max(Vmcr::VBPR1::get(vmcr), least_binary_point + 1) - 1;
}

void IcvInterface::acknowledge(unsigned n) {
    // What the core should not have put there is passed on once.
    if (is_special(intid_of(n))) {
        el2_.ICH_LR_EL2[n] = Pending::set(el2_.ICH_LR_EL2[n], 0);
        return;
    }
    const IcvGroup group = group_of(n);
    u64& active = group == IcvGroup::Group1 ? el2_.ICH_AP1R_EL2[0] : el2_.ICH_AP0R_EL2[0];
    active |= bit(static_cast<unsigned>((priority_of(n) & group_mask(group)) >> unimplemented_bits));
    el2_.ICH_LR_EL2[n] = Active::set(Pending::set(el2_.ICH_LR_EL2[n], 0), 1);
}

std::optional<u32> IcvInterface::end(IcvGroup group, u64 intid) {
    if (is_special(intid)) return std::nullopt;
    const u64 dropped = drop_priority();
    // Without an active priority nothing ends; the manual allows EOIcount to stay.
    if (dropped == idle_priority) return std::nullopt;
    const bool deactivates = !is_split() || intid >= first_lpi;
    const auto n = find_active(intid);
    if (!n) {
        if (deactivates && intid < first_lpi) count_end();
        return std::nullopt;
    }
    const bool is_same = group_of(*n) == group && (priority_of(*n) & group_mask(group)) == dropped;
    return is_same && deactivates ? deactivate_entry(*n) : std::nullopt;
}

std::optional<u32> IcvInterface::deactivate(u64 intid) {
    if (!is_split() || is_special(intid) || intid >= first_lpi) return std::nullopt;
    if (const auto n = find_active(intid)) return deactivate_entry(*n);
    count_end();
    return std::nullopt;
}

std::optional<unsigned> IcvView::find_active(u64 intid) const {
    for (unsigned n = 0; n < count_; ++n)
        if (Active::test(view_.ICH_LR_EL2[n]) && intid_of(n) == intid) return n;
    return std::nullopt;
}

u64 IcvInterface::drop_priority() {
    const u64 running = running_priority();
    if (running == idle_priority) return running;
    const u64 lowest = bit(static_cast<unsigned>(running >> unimplemented_bits));
    // At equal priority Group 0 goes first.
    u64& active = (el2_.ICH_AP0R_EL2[0] & lowest) != 0 ? el2_.ICH_AP0R_EL2[0] : el2_.ICH_AP1R_EL2[0];
    active &= ~lowest;
    return running;
}

std::optional<u32> IcvInterface::deactivate_entry(unsigned n) {
    el2_.ICH_LR_EL2[n] = Active::set(el2_.ICH_LR_EL2[n], 0);
    if (!Lr::HW::test(el2_.ICH_LR_EL2[n])) return std::nullopt;
    return static_cast<u32>(Lr::pINTID::get(el2_.ICH_LR_EL2[n]));
}

void IcvInterface::count_end() {
    using Hcr = ax::arm64::IchHcr;
    el2_.ICH_HCR_EL2 = Hcr::EOIcount::set(el2_.ICH_HCR_EL2, Hcr::EOIcount::get(el2_.ICH_HCR_EL2) + 1);
}

}  // namespace ax::sim::arm64
