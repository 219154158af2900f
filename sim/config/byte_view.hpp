// Bounds-checked little-endian reads from a file that anyone may have made.
#pragma once

#include <algorithm>
#include <optional>
#include <span>
#include <string_view>

#include "core/base/types.hpp"

namespace ax::sim {

class ByteView {
public:
    constexpr explicit ByteView(std::span<const std::byte> bytes) : bytes_(bytes) {}

    [[nodiscard]] u64 size() const { return bytes_.size(); }

    /// The number of type T at `offset`; none when it is not all there.
    template <class T>
    [[nodiscard]] std::optional<T> number(u64 offset) const {
        const auto part = slice(offset, sizeof(T));
        if (!part) return std::nullopt;
        u64 value = 0;
        for (std::size_t i = sizeof(T); i > 0; --i) value = (value << 8) | std::to_integer<u64>((*part)[i - 1]);
        return static_cast<T>(value);
    }

    /// `length` bytes at `offset`; none when they are not all there.
    [[nodiscard]] std::optional<std::span<const std::byte>> slice(u64 offset, u64 length) const {
        if (offset > bytes_.size() || length > bytes_.size() - offset) return std::nullopt;
        return bytes_.subspan(offset, length);
    }

    /// Text up to a zero byte; none when there is no zero byte within 4 KiB from `offset` on.
    [[nodiscard]] std::optional<std::string_view> text(u64 offset) const {
        if (offset >= bytes_.size()) return std::nullopt;
        const auto rest = bytes_.subspan(offset, std::min<u64>(bytes_.size() - offset, 4096));
        const std::string_view chars(static_cast<const char*>(static_cast<const void*>(rest.data())), rest.size());
        const std::size_t end = chars.find('\0');
        if (end == std::string_view::npos) return std::nullopt;
        return chars.substr(0, end);
    }

private:
    std::span<const std::byte> bytes_;
};

}  // namespace ax::sim
