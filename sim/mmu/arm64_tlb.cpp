#include "sim/mmu/arm64_tlb.hpp"

#include <algorithm>

namespace ax::sim::arm64 {

namespace {

using TopByte = Bits<63, 56>;

/// The address with copies of bit 55 for its tag.
Gva untagged(Gva va) { return Gva{sign_extend(va.value(), 7)}; }

/// A tag where none is allowed is part of the address, which is then out of range and has no entry.
bool is_in_reach(Gva va, TlbTag tag) {
    const bool ignores_top = Bits<55>::test(va.value()) ? tag.tbi1 : tag.tbi0;
    return ignores_top || untagged(va) == va;
}

}  // namespace

const TlbSpace* Arm64Tlb::space_of(u16 vmid) const {
    const auto found = std::ranges::find(vmids_, vmid, &Vmid::vmid);
    return found == vmids_.end() ? nullptr : &found->space;
}

TlbSpace* Arm64Tlb::space_of(u16 vmid) {
    const auto found = std::ranges::find(vmids_, vmid, &Vmid::vmid);
    return found == vmids_.end() ? nullptr : &found->space;
}

const VmsaTranslation* Arm64Tlb::find(Gva va, TlbTag tag) const {
    const TlbSpace* space = space_of(tag.vmid);
    if (space == nullptr || !is_in_reach(va, tag)) return nullptr;
    const u64 page = untagged(va).page_number();
    if (!tag.stage1_on) return space->find(page, TlbOwner::Flat);
    const VmsaTranslation* own = space->find(page, owner_of(tag.asid));
    return own != nullptr ? own : space->find(page, TlbOwner::Global);
}

bool Arm64Tlb::insert(Gva va, TlbTag tag, const VmsaTranslation& translation) {
    ++walks_;
    const bool is_full = entries() >= most_entries;
    if (is_full) drop_all();
    TlbSpace* space = space_of(tag.vmid);
    if (space == nullptr) space = &vmids_.emplace_back(tag.vmid).space;
    const u64 page = untagged(va).page_number();
    if (!tag.stage1_on) {
        space->drop(page, TlbOwner::Flat);
        space->add(page, TlbOwner::Flat, translation);
        return is_full;
    }
    space->drop(page, owner_of(tag.asid));
    space->drop(page, TlbOwner::Global);
    space->add(page, translation.non_global ? owner_of(tag.asid) : TlbOwner::Global, translation);
    return is_full;
}

void Arm64Tlb::drop_all() {
    for (Vmid& each : vmids_) each.space.clear();
}

void Arm64Tlb::drop_vmid(u16 vmid) {
    if (TlbSpace* space = space_of(vmid)) space->clear();
}

void Arm64Tlb::drop_asid(u16 vmid, u16 asid) {
    if (TlbSpace* space = space_of(vmid)) space->drop_owner(owner_of(asid));
}

void Arm64Tlb::drop_va(u16 vmid, u16 asid, Gva va) {
    TlbSpace* space = space_of(vmid);
    if (space == nullptr) return;
    const u64 page = untagged(va).page_number();
    for (const TlbOwner owner : {TlbOwner::Flat, TlbOwner::Global, owner_of(asid)}) space->drop_covering(page, owner);
}

void Arm64Tlb::drop_va_all_asids(u16 vmid, Gva va) {
    if (TlbSpace* space = space_of(vmid)) space->drop_covering(untagged(va).page_number());
}

std::size_t Arm64Tlb::entries() const {
    std::size_t count = 0;
    for (const Vmid& each : vmids_) count += each.space.size();
    return count;
}

}  // namespace ax::sim::arm64
