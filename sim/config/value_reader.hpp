// Single values of a TOML tree as the types of a configuration, with a diagnostic for what does not fit.
#pragma once

#include <optional>
#include <span>

#include "core/base/fixed_string.hpp"
#include "sim/config/toml_tree.hpp"

namespace ax::sim {

/// A value and how to name it in messages.
struct ValueAt {
    const TomlNode& node;
    std::string path;
};

/// Reports that the value is of the wrong kind.
void report_wrong_kind(const ValueAt& value, std::string_view wanted, Diagnostics& diagnostics);

/// A number of 0 to `max`, written as a TOML integer or as a string of digits ("0x8000_0000_0000_0000"),
/// which is the only way to write one of 2^63 and more.
[[nodiscard]] std::optional<u64> read_number(const ValueAt& value, Diagnostics& diagnostics, u64 max = ~u64{0});

/// A number from text: decimal or with 0x, 0o, 0b, `_` between digits. None when it is no such number.
[[nodiscard]] std::optional<u64> parse_number(std::string_view text);

[[nodiscard]] std::optional<bool> read_boolean(const ValueAt& value, Diagnostics& diagnostics);
[[nodiscard]] std::optional<std::string> read_string(const ValueAt& value, std::size_t max, Diagnostics& diagnostics);

template <std::size_t N>
void read_text(const ValueAt& value, FixedString<N>& to, Diagnostics& diagnostics) {
    // The length is checked by read_string.
    if (const auto text = read_string(value, N, diagnostics)) static_cast<void>(to.assign(*text));
}

/// A word and the number of what it stands for.
struct Choice {
    std::string_view word;
    u8 value;
};
/// One of the words; the message lists them all.
[[nodiscard]] std::optional<u8> read_choice(const ValueAt& value, std::span<const Choice> choices, Diagnostics& diagnostics);

/// The one of `known` that `word` is most likely a misspelling of; empty for none.
[[nodiscard]] std::string_view closest(std::string_view word, std::span<const std::string_view> known);

}  // namespace ax::sim
