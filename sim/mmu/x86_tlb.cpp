#include "sim/mmu/x86_tlb.hpp"

#include <algorithm>

namespace ax::sim::x86 {

namespace {

constexpr unsigned giant_shift = 30;

u64 giant_of(Gva va) { return va.value() >> giant_shift; }

}  // namespace

TlbLoss tlb_loss(const PagingContext& before, const PagingContext& after) {
    using namespace paging;
    constexpr u64 cr4_bits =
        Cr4::PSE::mask | Cr4::PAE::mask | Cr4::PGE::mask | Cr4::PCIDE::mask | Cr4::SMEP::mask | Cr4::SMAP::mask | Cr4::LA57::mask;
    const bool remakes = Cr0::PG::test(before.cr0 ^ after.cr0) || ((before.cr4 ^ after.cr4) & cr4_bits) != 0 ||
                         ((before.efer ^ after.efer) & (Efer::LMA::mask | Efer::NXE::mask)) != 0;
    if (remakes) return TlbLoss::Everything;
    return before.cr3 != after.cr3 ? TlbLoss::NonGlobal : TlbLoss::Nothing;
}

bool X86Tlb::insert(Gva va, const PageTranslation& translation) {
    ++walks_;
    const bool is_giant = translation.shift == giant_shift;
    const bool is_new_giant = is_giant && std::ranges::find(giants_, giant_of(va)) == giants_.end();
    const bool is_full = entries() >= most_entries || (is_new_giant && giants_.size() >= most_giants);
    if (is_full) drop_all();
    if (is_new_giant) giants_.push_back(giant_of(va));
    TlbSpace& kept = translation.is_global ? global_ : local_;
    TlbSpace& other = translation.is_global ? local_ : global_;
    other.drop(va.page_number());
    kept.insert(va.page_number(), translation);
    return is_full;
}

void X86Tlb::drop_all() {
    local_.clear();
    global_.clear();
    giants_.clear();
}

bool X86Tlb::drop_page(Gva va) {
    // A quarter of a million pages are not looked for one by one: dropping more than asked is legal.
    if (std::ranges::find(giants_, giant_of(va)) != giants_.end()) {
        drop_all();
        return true;
    }
    local_.drop_block(va.page_number());
    global_.drop_block(va.page_number());
    return false;
}

void X86Tlb::drop(TlbLoss loss) {
    switch (loss) {
        case TlbLoss::Nothing: return;
        case TlbLoss::NonGlobal: return drop_non_global();
        case TlbLoss::Everything: return drop_all();
    }
}

}  // namespace ax::sim::x86
