#include "sim/mmu/x86_tlb_space.hpp"

namespace ax::sim::x86 {

void TlbSpace::insert(u64 page, const PageTranslation& translation) {
    if (2 * (used_ + 1) > slots_.size()) make_room();
    Slot& slot = slots_[place(page)];
    if (slot.generation != generation_) ++used_;
    if (slot.generation != generation_ || !slot.is_valid) ++size_;
    slot = Slot{page, generation_, true, translation};
    shifts_ |= bit(translation.shift);
}

void TlbSpace::drop_block(u64 page) {
    drop(page);
    for (const unsigned shift : {21U, 22U}) {
        if ((shifts_ & bit(shift)) == 0) continue;
        const u64 count = bit(shift - static_cast<unsigned>(page_shift));
        const u64 first = align_down(page, count);
        for (u64 n = 0; n < count; ++n) {
            const PageTranslation* entry = find(first + n);
            if (entry != nullptr && entry->shift == shift) drop(first + n);
        }
    }
}

/// Doubles when the living need it; otherwise only the dropped go.
void TlbSpace::make_room() {
    std::vector<Slot> old(4 * (size_ + 1) > slots_.size() ? 2 * slots_.size() : slots_.size());
    old.swap(slots_);
    used_ = 0;
    for (const Slot& slot : old) {
        if (slot.generation != generation_ || !slot.is_valid) continue;
        slots_[place(slot.page)] = slot;
        ++used_;
    }
}

}  // namespace ax::sim::x86
