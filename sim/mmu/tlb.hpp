// The architectural TLB of a hart: what was translated stays translated until software says
// otherwise. Unicorn's own TLB is a cache of this one and may lose entries at any (host-dependent)
// moment without the guest being able to tell.
#pragma once

#include <vector>

#include "core/base/fields.hpp"
#include "sim/mmu/sv39_walker.hpp"

namespace ax::sim {

/// Unbounded; open addressing on the virtual page number. Clearing is O(1).
class Tlb {
public:
    Tlb() : slots_(initial_slots) {}

    /// The entry for the page of `va`, or null.
    [[nodiscard]] const PageTranslation* find(Gva va) const {
        for (std::size_t i = start(va);; i = (i + 1) & (slots_.size() - 1)) {
            const Slot& slot = slots_[i];
            if (slot.generation != generation_) return nullptr;
            if (slot.page == va.page_number()) return &slot.translation;
        }
    }
    /// Adds the entry or replaces the one for the same page.
    void insert(Gva va, const PageTranslation& translation) {
        ++walks_;
        if (2 * (used_ + 1) > slots_.size()) grow();
        Slot& slot = place(va.page_number());
        if (slot.generation != generation_) ++used_;
        slot = Slot{va.page_number(), generation_, translation};
    }
    void clear() {
        ++generation_;
        used_ = 0;
    }
    /// Walks so far: the same number in every run, whatever the host's Unicorn evicted.
    [[nodiscard]] u64 walks() const { return walks_; }

    void fields(FieldVisitor& v) {
        field(v, "walks", walks_);
        u64 used = used_;
        field(v, "entries", used);
    }

private:
    static constexpr std::size_t initial_slots = 4096;
    struct Slot {
        u64 page = 0;
        u64 generation = 0;
        PageTranslation translation;
    };

    [[nodiscard]] std::size_t start(Gva va) const { return hash(va.page_number()) & (slots_.size() - 1); }
    [[nodiscard]] static std::size_t hash(u64 page) { return (page * 0x9e37'79b9'7f4a'7c15ULL) >> 32; }
    Slot& place(u64 page) {
        std::size_t i = hash(page) & (slots_.size() - 1);
        while (slots_[i].generation == generation_ && slots_[i].page != page) i = (i + 1) & (slots_.size() - 1);
        return slots_[i];
    }
    void grow() {
        std::vector<Slot> old(2 * slots_.size());
        old.swap(slots_);
        for (const Slot& slot : old)
            if (slot.generation == generation_) place(slot.page) = slot;
    }

    std::vector<Slot> slots_;
    u64 generation_ = 1;
    std::size_t used_ = 0;
    u64 walks_ = 0;
};

}  // namespace ax::sim
