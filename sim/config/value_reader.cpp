#include "sim/config/value_reader.hpp"

#include <algorithm>
#include <charconv>

namespace ax::sim {

namespace {

std::string hex(u64 value) { return std::string(config::join(config::Hex{value}).view()); }

/// Edits (insert, delete, replace one character) from `a` to `b`.
std::size_t distance(std::string_view a, std::string_view b) {
    std::vector<std::size_t> row(b.size() + 1);
    for (std::size_t j = 0; j <= b.size(); ++j) row[j] = j;
    for (std::size_t i = 1; i <= a.size(); ++i) {
        std::size_t diagonal = row[0];
        row[0] = i;
        for (std::size_t j = 1; j <= b.size(); ++j) {
            const std::size_t replaced = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
            diagonal = row[j];
            row[j] = std::min({replaced, row[j] + 1, row[j - 1] + 1});
        }
    }
    return row[b.size()];
}

std::optional<u64> number_of(const ValueAt& value, Diagnostics& diagnostics) {
    const TomlNode& node = value.node;
    if (node.kind == TomlNode::Kind::String) {
        const std::optional<u64> number = parse_number(node.text);
        if (!number)
            diagnostics.error(node.at, {value.path, "wrong-type", "\"" + node.text.substr(0, 60) + "\" is no number of 64 bits",
                                        "write an integer, or a string such as \"0xffff_8000_0000_0000\""});
        return number;
    }
    if (node.kind != TomlNode::Kind::Integer) {
        report_wrong_kind(value, "a number", diagnostics);
        return std::nullopt;
    }
    if (node.integer < 0) {
        diagnostics.error(node.at, {value.path, "out-of-range", std::to_string(node.integer) + " is negative",
                                    "use a number from 0; write one of 2^63 and more as a string, \"0x...\""});
        return std::nullopt;
    }
    return static_cast<u64>(node.integer);
}

}  // namespace

void report_wrong_kind(const ValueAt& value, std::string_view wanted, Diagnostics& diagnostics) {
    diagnostics.error(value.node.at,
                      {value.path, "wrong-type", "is " + std::string(to_text(value.node.kind)), "write " + std::string(wanted)});
}

std::optional<u64> parse_number(std::string_view text) {
    int base = 10;
    if (text.starts_with("0x") || text.starts_with("0X")) base = 16;
    if (text.starts_with("0o")) base = 8;
    if (text.starts_with("0b")) base = 2;
    if (base != 10) text.remove_prefix(2);
    if (text.empty() || text.front() == '_' || text.back() == '_' || text.contains("__")) return std::nullopt;
    std::string digits(text);
    std::erase(digits, '_');
    u64 number = 0;
    const auto parsed = std::from_chars(digits.data(), digits.data() + digits.size(), number, base);
    if (parsed.ec != std::errc{} || parsed.ptr != digits.data() + digits.size()) return std::nullopt;
    return number;
}

std::optional<u64> read_number(const ValueAt& value, Diagnostics& diagnostics, u64 max) {
    const std::optional<u64> number = number_of(value, diagnostics);
    if (number && *number > max) {
        diagnostics.error(value.node.at,
                          {value.path, "out-of-range", hex(*number) + " is too large", "use a number up to " + hex(max)});
        return std::nullopt;
    }
    return number;
}

std::optional<bool> read_boolean(const ValueAt& value, Diagnostics& diagnostics) {
    if (value.node.kind == TomlNode::Kind::Boolean) return value.node.boolean;
    report_wrong_kind(value, "true or false", diagnostics);
    return std::nullopt;
}

std::optional<std::string> read_string(const ValueAt& value, std::size_t max, Diagnostics& diagnostics) {
    const TomlNode& node = value.node;
    if (node.kind != TomlNode::Kind::String) {
        report_wrong_kind(value, "a string", diagnostics);
        return std::nullopt;
    }
    if (node.text.size() > max) {
        diagnostics.error(node.at, {value.path, "too-long", "has " + std::to_string(node.text.size()) + " bytes",
                                    "use at most " + std::to_string(max)});
        return std::nullopt;
    }
    if (node.text.contains('\0')) {
        diagnostics.error(node.at, {value.path, "wrong-type", "contains a zero byte", "remove it"});
        return std::nullopt;
    }
    return node.text;
}

std::optional<u8> read_choice(const ValueAt& value, std::span<const Choice> choices, Diagnostics& diagnostics) {
    std::string list;
    std::vector<std::string_view> words;
    for (const Choice& choice : choices) {
        words.push_back(choice.word);
        list += (list.empty() ? "\"" : ", \"") + std::string(choice.word) + "\"";
    }
    if (value.node.kind != TomlNode::Kind::String) {
        report_wrong_kind(value, "one of " + list, diagnostics);
        return std::nullopt;
    }
    const auto found = std::ranges::find(choices, std::string_view(value.node.text), &Choice::word);
    if (found != choices.end()) return found->value;
    const std::string_view meant = closest(value.node.text, words);
    diagnostics.error(value.node.at,
                      {value.path, "unknown-word", "\"" + value.node.text.substr(0, 60) + "\" has no meaning here",
                       meant.empty() ? "use one of " + list : "did you mean \"" + std::string(meant) + "\"? Use one of " + list});
    return std::nullopt;
}

std::string_view closest(std::string_view word, std::span<const std::string_view> known) {
    std::string_view best;
    // A third of the letters wrong is a misspelling; more is another word.
    std::size_t best_distance = std::max<std::size_t>(2, word.size() / 3) + 1;
    if (word.size() > 100) return best;
    for (const std::string_view candidate : known) {
        const std::size_t d = distance(word, candidate);
        if (d >= best_distance || d >= candidate.size()) continue;
        best = candidate;
        best_distance = d;
    }
    return best;
}

}  // namespace ax::sim
