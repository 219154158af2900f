#include "sim/phys/memory.hpp"

#include <sys/mman.h>
#include <xxhash.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "core/base/expect.hpp"

namespace ax::sim {

std::expected<PhysMemory, std::string> PhysMemory::create(Hpa base, u64 size) {
    expect(base.is_aligned(page_size) && size % page_size == 0 && size != 0, "RAM is whole pages");
    // One page more than asked: block scanning reads whole words at the end of RAM.
    void* host = mmap(nullptr, size + page_size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (host == MAP_FAILED) return std::unexpected(std::string(std::strerror(errno)));
    return PhysMemory(static_cast<std::byte*>(host), HpaRange{base, size});
}

PhysMemory::PhysMemory(std::byte* host, HpaRange range)
    : host_(host), range_(range), is_dirty_(range.size / page_size), page_hash_(range.size / page_size) {}

PhysMemory::PhysMemory(PhysMemory&& other) noexcept
    : host_(std::exchange(other.host_, nullptr)),
      range_(other.range_),
      is_dirty_(std::move(other.is_dirty_)),
      dirty_(std::move(other.dirty_)),
      page_hash_(std::move(other.page_hash_)),
      hash_(other.hash_),
      write_epoch_(other.write_epoch_) {}

PhysMemory::~PhysMemory() {
    if (host_ != nullptr) munmap(host_, range_.size + page_size);
}

bool PhysMemory::read(Hpa from, std::span<std::byte> to) const {
    if (to.empty()) return true;
    if (!contains(from, to.size())) return false;
    std::memcpy(to.data(), pointer(from), to.size());
    return true;
}

bool PhysMemory::write(Hpa to, std::span<const std::byte> from) {
    if (from.empty()) return true;
    if (!contains(to, from.size())) return false;
    for (u64 page = to.page_number(); page <= (to + (from.size() - 1)).page_number(); ++page) mark_dirty(Hpa{page << page_shift});
    std::memcpy(pointer(to), from.data(), from.size());
    return true;
}

namespace {

u64 hash_page(const std::byte* page) { return XXH3_64bits(page, page_size); }

/// Position matters, and a zero page counts like one never touched.
u64 contribution(u64 content_hash, u64 page) {
    static const u64 zero_hash = [] {
        const std::vector<std::byte> zeros(page_size);
        return hash_page(zeros.data());
    }();
    if (content_hash == zero_hash) return 0;
    const u64 words[2] = {content_hash, page};
    return XXH3_64bits(words, sizeof words);
}

}  // namespace

u64 PhysMemory::hash() {
    for (const u32 page : dirty_) {
        const u64 fresh = contribution(hash_page(host_ + page * page_size), page);
        // A sum does not depend on the order in which pages became dirty.
        hash_ += fresh - page_hash_[page];
        page_hash_[page] = fresh;
        is_dirty_[page] = false;
    }
    if (!dirty_.empty()) ++write_epoch_;
    dirty_.clear();
    return hash_;
}

}  // namespace ax::sim
