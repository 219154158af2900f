// Little-endian numbers and text into a growing block of bytes, or over what is there already.
#pragma once

#include <string_view>
#include <vector>

#include "core/base/types.hpp"

namespace ax::sim {

class ByteWriter {
public:
    [[nodiscard]] std::size_t size() const { return bytes_.size(); }

    void number(u64 value, unsigned size) {
        for (unsigned i = 0; i < size; ++i) bytes_.push_back(static_cast<std::byte>(value >> (8 * i)));
    }
    /// The characters, then zeros up to `size`; longer text is cut.
    void text(std::string_view text, std::size_t size) {
        for (std::size_t i = 0; i < size; ++i) bytes_.push_back(i < text.size() ? static_cast<std::byte>(text[i]) : std::byte{0});
    }
    void zeros(std::size_t count) { bytes_.resize(bytes_.size() + count); }
    /// Zeros up to a multiple of `alignment`.
    void align(std::size_t alignment) { zeros((alignment - bytes_.size() % alignment) % alignment); }

    /// Replaces `size` bytes; grows when they lie beyond the end.
    void put(std::size_t at, u64 value, unsigned size) {
        if (bytes_.size() < at + size) bytes_.resize(at + size);
        for (unsigned i = 0; i < size; ++i) bytes_[at + i] = static_cast<std::byte>(value >> (8 * i));
    }

    [[nodiscard]] std::vector<std::byte>& bytes() { return bytes_; }

private:
    std::vector<std::byte> bytes_;
};

}  // namespace ax::sim
