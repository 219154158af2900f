// Numbers to and from bytes, little endian on every host; small numbers in few bytes.
#pragma once

#include <algorithm>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/types.hpp"

namespace ax::sim {

/// Signed distances near zero as small unsigned numbers: 0, -1, 1, -2, …
[[nodiscard]] constexpr u64 zigzag(u64 distance) { return (distance << 1) ^ static_cast<u64>(static_cast<i64>(distance) >> 63); }
[[nodiscard]] constexpr u64 unzigzag(u64 code) { return (code >> 1) ^ (~(code & 1) + 1); }
static_assert(zigzag(~u64{0}) == 1 && unzigzag(zigzag(u64{1} << 63)) == u64{1} << 63);

/// Seven bits a byte, the lowest first; the high bit says that more follow. Gives the place behind.
[[nodiscard]] inline std::byte* put_varint(std::byte* at, u64 value) {
    for (; value >= 0x80; value >>= 7) *at++ = static_cast<std::byte>(value | 0x80);
    *at++ = static_cast<std::byte>(value);
    return at;
}

/// Appends to a buffer whose room the caller has made sure of.
class ByteSink {
public:
    static constexpr std::size_t max_varint_bytes = 10;

    [[nodiscard]] std::size_t size() const { return size_; }
    [[nodiscard]] std::size_t room() const { return buffer_.size() - size_; }
    [[nodiscard]] std::span<const std::byte> data() const { return {buffer_.data(), size_}; }
    void clear() { size_ = 0; }
    void make_room(std::size_t size) {
        if (room() < size) buffer_.resize(size_ + size);
    }

    /// Where the next byte goes, for who writes many at once; `advance_to` says where that ended.
    [[nodiscard]] std::byte* cursor() { return buffer_.data() + size_; }
    void advance_to(const std::byte* end) { size_ = static_cast<std::size_t>(end - buffer_.data()); }

    void put_byte(u64 value) { buffer_[size_++] = static_cast<std::byte>(value); }
    void put_fixed(u64 value, unsigned size_bytes) {
        for (unsigned i = 0; i < size_bytes; ++i) put_byte(value >> (8 * i));
    }
    void put_varint(u64 value) { advance_to(sim::put_varint(cursor(), value)); }
    /// Length and bytes; needs room for both.
    void put_text(std::string_view text) {
        put_varint(text.size());
        for (const char c : text) put_byte(static_cast<unsigned char>(c));
    }

private:
    std::vector<std::byte> buffer_;
    std::size_t size_ = 0;
};

/// Takes from bytes. What is not there reads as zero and is remembered: check `is_good` at the end.
class ByteSource {
public:
    ByteSource() = default;
    explicit ByteSource(std::span<const std::byte> data) : rest_(data) {}

    [[nodiscard]] bool is_good() const { return is_good_; }
    [[nodiscard]] bool is_empty() const { return rest_.empty(); }
    void fail() { is_good_ = false; }

    u8 take_byte() {
        if (rest_.empty()) {
            is_good_ = false;
            return 0;
        }
        const auto value = std::to_integer<u8>(rest_.front());
        rest_ = rest_.subspan(1);
        return value;
    }
    u64 take_fixed(unsigned size_bytes) {
        u64 value = 0;
        for (unsigned i = 0; i < size_bytes; ++i) value |= u64{take_byte()} << (8 * i);
        return value;
    }
    u64 take_varint() {
        u64 value = 0;
        for (unsigned shift = 0; shift < 64; shift += 7) {
            const u64 byte = take_byte();
            value |= (byte & 0x7f) << shift;
            if (byte < 0x80) return value;
        }
        is_good_ = false;
        return value;
    }
    /// A number that must fit 32 bits.
    u32 take_u32() {
        const u64 value = take_varint();
        if (value > ~u32{0}) is_good_ = false;
        return static_cast<u32>(value);
    }
    std::string take_text() {
        const u64 size = take_varint();
        if (size > rest_.size()) {
            is_good_ = false;
            return {};
        }
        std::string text(size, '\0');
        std::ranges::transform(rest_.first(size), text.begin(), [](std::byte b) { return std::to_integer<char>(b); });
        rest_ = rest_.subspan(size);
        return text;
    }

private:
    std::span<const std::byte> rest_;
    bool is_good_ = true;
};

}  // namespace ax::sim
