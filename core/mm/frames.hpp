// Where guest memory comes from and how it is touched: the host's RAM as core/mm sees it.
#pragma once

#include <span>

#include "core/base/addr.hpp"

namespace ax::mm {

class Frames {
public:
    /// `count` contiguous frames of 4 KiB, zeroed, aligned to `alignment` bytes (a power of two, at
    /// least a page). False when there are none.
    [[nodiscard]] virtual bool allocate(u64 count, u64 alignment, Hpa& frames) = 0;
    /// The frames of exactly this range, zeroed; false when any of them is taken or is no RAM.
    [[nodiscard]] virtual bool allocate_at(Hpa start, u64 count) = 0;
    virtual void free(Hpa start, u64 count) = 0;

    /// Copies from and to RAM; false, and nothing is copied, when the range is not all RAM.
    [[nodiscard]] virtual bool read(Hpa from, std::span<std::byte> to) = 0;
    [[nodiscard]] virtual bool write(Hpa to, std::span<const std::byte> from) = 0;

protected:
    ~Frames() = default;
};

}  // namespace ax::mm
