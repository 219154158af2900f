// A set of translations by page number: open addressing, cleared in constant time.
#pragma once

#include <vector>

#include "sim/mmu/x86_paging.hpp"

namespace ax::sim::x86 {

class TlbSpace {
public:
    TlbSpace() : slots_(initial_slots) {}

    [[nodiscard]] const PageTranslation* find(u64 page) const {
        const Slot& slot = slots_[place(page)];
        return slot.generation == generation_ && slot.is_valid ? &slot.translation : nullptr;
    }
    /// Adds the entry or replaces the one for the same page.
    void insert(u64 page, const PageTranslation& translation);
    void drop(u64 page) {
        Slot& slot = slots_[place(page)];
        if (slot.generation != generation_ || !slot.is_valid) return;
        // The slot stays taken, so that those behind it are still found.
        slot.is_valid = false;
        --size_;
    }
    /// Every page that came from the guest's page of `page`'s surroundings, for page sizes up to 4 MiB.
    void drop_block(u64 page);
    void clear() {
        ++generation_;
        used_ = size_ = 0;
        shifts_ = 0;
    }
    [[nodiscard]] std::size_t size() const { return size_; }

private:
    static constexpr std::size_t initial_slots = 1024;
    struct Slot {
        u64 page = 0;
        u64 generation = 0;
        bool is_valid = false;
        PageTranslation translation;
    };

    /// The slot of `page`, or the first free one on its way. There always is one.
    [[nodiscard]] std::size_t place(u64 page) const {
        std::size_t i = ((page * 0x9e37'79b9'7f4a'7c15) >> 32) & (slots_.size() - 1);
        while (slots_[i].generation == generation_ && slots_[i].page != page) i = (i + 1) & (slots_.size() - 1);
        return i;
    }
    void make_room();

    std::vector<Slot> slots_;
    u64 generation_ = 1;
    std::size_t used_ = 0;  ///< slots taken, by dropped pages too
    std::size_t size_ = 0;
    u64 shifts_ = 0;  ///< bit n: there has been an entry of a guest page of 2^n bytes
};

}  // namespace ax::sim::x86
