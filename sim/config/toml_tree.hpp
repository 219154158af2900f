// A TOML text as a plain tree whose every value knows its place in the text.
#pragma once

#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "sim/config/diagnostic.hpp"

namespace ax::sim {

struct TomlEntry;

struct TomlNode {
    enum class Kind : u8 { Table, Array, String, Integer, Float, Boolean, Date };

    Kind kind = Kind::Table;
    Position at;
    std::string text;                ///< String
    i64 integer = 0;                 ///< Integer
    bool boolean = false;            ///< Boolean
    std::vector<TomlNode> elements;  ///< Array
    std::vector<TomlEntry> entries;  ///< Table, in the order of the text

    /// The value of a key of this table, or null.
    [[nodiscard]] const TomlNode* find(std::string_view key) const;
};

struct TomlEntry {
    std::string key;
    Position key_at;
    TomlNode value;
};

/// "a table", "an integer" and so on, for messages.
[[nodiscard]] std::string_view to_text(TomlNode::Kind kind);

/// What a TOML parser says about a text that is none.
struct TomlSyntaxError {
    Position at;
    std::string what;

    /// What to do about it.
    [[nodiscard]] std::string hint() const {
        return what.contains("not representable in 64 bits") ? "write a number of 2^63 and more as a string, \"0x...\""
                                                             : "see https://toml.io/en/v1.0.0";
    }
};

[[nodiscard]] std::expected<TomlNode, TomlSyntaxError> parse_toml(std::string_view text);

/// The place of the value that `path` (as `kernel.memory_regions[2].size`) names, also where the
/// element is written positionally; of the closest value around it when there is none.
[[nodiscard]] Position position_of(const TomlNode& root, std::string_view path);

}  // namespace ax::sim
