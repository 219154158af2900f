// Every key of VM and platform files with its kind, bounds and meaning: what the JSON Schema and the users'
// page are made from, and what tells a reader in which table a key belongs.
#pragma once

#include <span>
#include <string_view>

#include "core/base/types.hpp"
#include "sim/config/layout.hpp"

namespace ax::sim {

enum class KeyKind : u8 {
    Number,     ///< an integer, or a string of digits from 2^63 on
    Ratio,      ///< a whole number, or "N/D"
    Text,
    Boolean,
    Choice,     ///< one of `words`
    Numbers,    ///< a list of numbers
    Elements,   ///< a list in table or positional form, of `layout`
    Ranges,     ///< a list of [base, size]
    PathLists,  ///< a list of lists of device-tree paths
};

/// One key of a table, or one field of a list's elements.
struct KeyInfo {
    std::string_view table;  ///< empty: the top of the file; a list's name: a field of its elements
    std::string_view key;
    KeyKind kind = KeyKind::Number;
    bool required = false;
    bool is_extension = false;  ///< axsim's own, unknown to the family
    u64 min = 0;                ///< Number: the least
    u64 max = ~u64{0};          ///< Number: the most; Text: characters; lists: elements
    std::span<const std::string_view> words;
    const ElementLayout* layout = nullptr;
    std::string_view doc;  ///< meaning and units, for people
};

/// Keys of VM files by table, in the order in which the family writes them, then the fields of their elements.
[[nodiscard]] std::span<const KeyInfo> vm_key_table();
/// Keys of platform files, the same way.
[[nodiscard]] std::span<const KeyInfo> platform_key_table();

}  // namespace ax::sim
