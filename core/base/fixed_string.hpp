// A string whose capacity is part of its type; it never allocates.
#pragma once

#include <array>
#include <concepts>
#include <string_view>

#include "core/base/types.hpp"

namespace ax {

/// Up to `Capacity` bytes of text, of any value. Text that does not fit is reported, not cut.
template <std::size_t Capacity>
class FixedString {
public:
    constexpr FixedString() = default;
    /// From a literal, whose length is checked by the compiler.
    template <std::size_t N>
    requires(N <= Capacity + 1) constexpr FixedString(const char (&literal)[N]) : size_(N - 1) {
        for (std::size_t i = 0; i < size_; ++i) bytes_[i] = literal[i];
    }

    static constexpr std::size_t capacity() { return Capacity; }
    [[nodiscard]] constexpr std::size_t size() const { return size_; }
    [[nodiscard]] constexpr bool empty() const { return size_ == 0; }
    [[nodiscard]] constexpr std::string_view view() const { return {bytes_.data(), size_}; }

    /// False, and nothing changes, when `text` is longer than the capacity.
    [[nodiscard]] constexpr bool assign(std::string_view text) {
        if (text.size() > Capacity) return false;
        clear();
        return append(text);
    }
    /// False, and nothing changes, when there is no room for all of `text`.
    [[nodiscard]] constexpr bool append(std::string_view text) {
        if (text.size() > Capacity - size_) return false;
        append_cut(text);
        return true;
    }
    /// Adds as much of `text` as there is room for; for messages, where a cut end is better than none.
    constexpr void append_cut(std::string_view text) {
        for (const char c : text.substr(0, Capacity - size_)) bytes_[size_++] = c;
    }
    constexpr void clear() {
        while (size_ > 0) bytes_[--size_] = '\0';
    }

    /// A template, so that a literal is no candidate for conversion to both parameter types.
    template <class Text>
    requires std::convertible_to<const Text&, std::string_view>
    constexpr bool operator==(const Text& other) const { return view() == std::string_view(other); }
    constexpr bool operator==(const FixedString& other) const { return view() == other.view(); }

private:
    std::array<char, Capacity> bytes_{};
    std::size_t size_ = 0;
};

static_assert(FixedString<4>("four") == std::string_view("four"));

}  // namespace ax
