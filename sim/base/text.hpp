// Numbers as text, the same on every host and locale.
#pragma once

#include <array>
#include <charconv>
#include <string>

#include "core/base/types.hpp"

namespace ax::sim {

/// `0x` and lower-case digits; at least `digits` of them.
[[nodiscard]] inline std::string hex(u64 value, std::size_t digits = 1) {
    std::array<char, 16> text{};
    const auto end = std::to_chars(text.data(), text.data() + text.size(), value, 16).ptr;
    const auto length = static_cast<std::size_t>(end - text.data());
    return "0x" + std::string(digits > length ? digits - length : 0, '0') + std::string(text.data(), length);
}

/// `part` of `whole` as a percentage with two decimals, without floating point; 0.00 of nothing.
[[nodiscard]] inline std::string percent(u64 part, u64 whole) {
    if (whole == 0) return "0.00";
    // The product must fit: of very large numbers the low bits do not count.
    constexpr unsigned spare_bits = 14;
    if (part > ~u64{0} / 10'000) return percent(part >> spare_bits, whole >> spare_bits);
    const u64 hundredths = part * 10'000 / whole;
    const std::string decimals = std::to_string(hundredths % 100);
    return std::to_string(hundredths / 100) + "." + (decimals.size() < 2 ? "0" : "") + decimals;
}

/// `text` filled with spaces to `width` columns, at its left end or its right end.
[[nodiscard]] inline std::string pad_left(std::string text, std::size_t width) {
    if (text.size() < width) text.insert(0, width - text.size(), ' ');
    return text;
}
[[nodiscard]] inline std::string pad_right(std::string text, std::size_t width) {
    if (text.size() < width) text.append(width - text.size(), ' ');
    return text;
}

}  // namespace ax::sim
