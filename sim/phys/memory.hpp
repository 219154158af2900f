// The RAM of the simulated board: sparse, with a dirty set, hashed incrementally.
#pragma once

#include <expected>
#include <span>
#include <string>
#include <vector>

#include "core/base/addr.hpp"

namespace ax::sim {

/// Host memory backs the range lazily, so an untouched page costs nothing and reads as zero.
class PhysMemory {
public:
    /// `base` and `size` are whole pages. The error text says what the host refused.
    static std::expected<PhysMemory, std::string> create(Hpa base, u64 size);
    PhysMemory(PhysMemory&& other) noexcept;
    PhysMemory& operator=(PhysMemory&&) = delete;
    ~PhysMemory();

    [[nodiscard]] HpaRange range() const { return range_; }
    [[nodiscard]] bool contains(Hpa at, u64 size) const { return range_.contains(at, size); }

    /// False, and nothing is copied, when the range is not all RAM.
    [[nodiscard]] bool read(Hpa from, std::span<std::byte> to) const;
    [[nodiscard]] bool write(Hpa to, std::span<const std::byte> from);

    /// The host address of a byte of RAM; the caller has checked `contains`. Writing through it needs
    /// `mark_dirty` first.
    [[nodiscard]] std::byte* pointer(Hpa at) const { return host_ + (at - range_.start); }
    /// Says that the page of `at` may change from now on, until the next `hash`.
    void mark_dirty(Hpa at) {
        const u64 page = (at - range_.start) >> page_shift;
        if (!is_dirty_[page]) {
            is_dirty_[page] = true;
            dirty_.push_back(static_cast<u32>(page));
        }
    }

    [[nodiscard]] bool is_dirty(Hpa at) const { return is_dirty_[(at - range_.start) >> page_shift]; }

    /// Hash of all contents. Costs only the pages marked dirty since the last call, and forgets those
    /// marks: whoever caches the right to write must ask again (see `write_epoch`).
    [[nodiscard]] u64 hash();
    /// Changes whenever cached write rights become stale.
    [[nodiscard]] u64 write_epoch() const { return write_epoch_; }
    [[nodiscard]] std::size_t dirty_pages() const { return dirty_.size(); }

private:
    PhysMemory(std::byte* host, HpaRange range);

    std::byte* host_;
    HpaRange range_;
    std::vector<bool> is_dirty_;
    std::vector<u32> dirty_;
    std::vector<u64> page_hash_;
    u64 hash_ = 0;
    u64 write_epoch_ = 0;
};

}  // namespace ax::sim
