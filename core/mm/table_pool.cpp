#include "core/mm/table_pool.hpp"

#include <array>
#include <bit>

namespace ax::mm {

static_assert(std::endian::native == std::endian::little, "page-table entries are little-endian");

u64 TableMemory::read(Hpa entry) {
    std::array<std::byte, sizeof(u64)> bytes{};
    expect(frames_->read(entry, bytes), "a page table lies in host RAM");
    return std::bit_cast<u64>(bytes);
}

void TableMemory::write(Hpa entry, u64 value) {
    const auto bytes = std::bit_cast<std::array<std::byte, sizeof(u64)>>(value);
    expect(frames_->write(entry, bytes), "a page table lies in host RAM");
}

std::optional<Hpa> TableMemory::allocate_table(unsigned pages) {
    if (used_pages_ > max_pages_ || pages > max_pages_ - used_pages_) return std::nullopt;
    Hpa table;
    if (!frames_->allocate(pages, pages * page_size, table)) return std::nullopt;
    used_pages_ += pages;
    return table;
}

void TableMemory::free_table(Hpa table, unsigned pages) {
    expect(pages <= used_pages_, "only tables that were allocated are freed");
    used_pages_ -= pages;
    frames_->free(table, pages);
}

}  // namespace ax::mm
