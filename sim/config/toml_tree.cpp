// The only file that knows toml++.
#include "sim/config/toml_tree.hpp"

#include <toml++/toml.h>

#include <algorithm>
#include <charconv>

#include "sim/config/layout.hpp"

namespace ax::sim {

namespace {

Position position(const toml::source_region& region) { return {region.begin.line, region.begin.column}; }

// The depth of recursion is bounded: the parser refuses deeply nested values, `find_deep_key` long keys.
TomlNode convert(const toml::node& node) {
    TomlNode result;
    result.at = position(node.source());
    switch (node.type()) {
        case toml::node_type::table:
            result.kind = TomlNode::Kind::Table;
            for (const auto& [key, value] : *node.as_table())
                result.entries.push_back({std::string(key.str()), position(key.source()), convert(value)});
            std::ranges::sort(result.entries, {}, [](const TomlEntry& e) { return std::pair(e.key_at.line, e.key_at.column); });
            break;
        case toml::node_type::array:
            result.kind = TomlNode::Kind::Array;
            for (const toml::node& element : *node.as_array()) result.elements.push_back(convert(element));
            break;
        case toml::node_type::string:
            result.kind = TomlNode::Kind::String;
            result.text = node.as_string()->get();
            break;
        case toml::node_type::integer:
            result.kind = TomlNode::Kind::Integer;
            result.integer = node.as_integer()->get();
            break;
        case toml::node_type::floating_point: result.kind = TomlNode::Kind::Float; break;
        case toml::node_type::boolean:
            result.kind = TomlNode::Kind::Boolean;
            result.boolean = node.as_boolean()->get();
            break;
        case toml::node_type::none:
        case toml::node_type::date:
        case toml::node_type::time:
        case toml::node_type::date_time: result.kind = TomlNode::Kind::Date; break;
    }
    return result;
}

/// Length of the string that begins at `text`, quotes included, or all of it where it has no end.
std::size_t string_length(std::string_view text) {
    const char quote = text.front();
    const std::string_view triple = quote == '"' ? "\"\"\"" : "'''";
    const std::string_view end = text.starts_with(triple) ? triple : triple.substr(0, 1);
    std::size_t at = end.size();
    while (at < text.size() && !text.substr(at).starts_with(end) && (end.size() == 3 || text[at] != '\n'))
        at += quote == '"' && text[at] == '\\' ? 2 : 1;
    return std::min(at + end.size(), text.size());
}

/// toml++ nests a table per part of a dotted key, however many, and then takes them down recursively.
/// No key of a configuration has more than a few parts.
std::optional<TomlSyntaxError> find_deep_key(std::string_view text) {
    constexpr unsigned max_dots = 8;
    unsigned dots = 0;
    Position at{1, 1};
    for (std::size_t i = 0; i < text.size(); ++i, ++at.column) {
        const char c = text[i];
        if (c == '"' || c == '\'') {
            const std::string_view skipped = text.substr(i, string_length(text.substr(i)));
            at.line += static_cast<u32>(std::ranges::count(skipped, '\n'));
            i += skipped.size() - 1;
            at.column += static_cast<u32>(skipped.size() - 1);
        } else if (c == '#') {
            i = std::min(text.find('\n', i), text.size()) - 1;
        } else if (c == '.') {
            if (++dots > max_dots) return TomlSyntaxError{at, "a key has more than 9 parts"};
        } else if (std::string_view("=,{}[]\n").contains(c)) {
            dots = 0;
            if (c == '\n') at = {at.line + 1, 0};
        }
    }
    return std::nullopt;
}

/// One step of a path: `name` or `[index]`.
struct PathStep {
    std::string_view name;
    std::size_t index = 0;
};

std::optional<PathStep> next_step(std::string_view& path) {
    if (path.starts_with('.')) path.remove_prefix(1);
    if (path.empty()) return std::nullopt;
    if (!path.starts_with('[')) {
        const std::string_view name = path.substr(0, path.find_first_of(".["));
        path.remove_prefix(name.size());
        return PathStep{name, 0};
    }
    PathStep step;
    const auto parsed = std::from_chars(path.data() + 1, path.data() + path.size(), step.index);
    path.remove_prefix(static_cast<std::size_t>(parsed.ptr - path.data()));
    if (path.starts_with(']')) path.remove_prefix(1);
    return step;
}

const TomlNode* child(const TomlNode& node, const PathStep& step, std::string_view list) {
    if (node.kind == TomlNode::Kind::Table) return node.find(step.name);
    if (node.kind != TomlNode::Kind::Array) return nullptr;
    std::size_t index = step.index;
    if (!step.name.empty()) {
        const std::optional<std::size_t> field = positional_index(list, step.name);
        if (!field) return nullptr;
        index = *field;
    }
    return index < node.elements.size() ? &node.elements[index] : nullptr;
}

}  // namespace

const TomlNode* TomlNode::find(std::string_view key) const {
    const auto found = std::ranges::find(entries, key, &TomlEntry::key);
    return found == entries.end() ? nullptr : &found->value;
}

std::string_view to_text(TomlNode::Kind kind) {
    switch (kind) {
        case TomlNode::Kind::Table: return "a table";
        case TomlNode::Kind::Array: return "an array";
        case TomlNode::Kind::String: return "a string";
        case TomlNode::Kind::Integer: return "an integer";
        case TomlNode::Kind::Float: return "a floating-point number";
        case TomlNode::Kind::Boolean: return "a boolean";
        case TomlNode::Kind::Date: return "a date or time";
    }
    return "a value";
}

std::expected<TomlNode, TomlSyntaxError> parse_toml(std::string_view text) {
    if (const auto deep = find_deep_key(text)) return std::unexpected(*deep);
    try {
        return convert(toml::parse(text));
    } catch (const toml::parse_error& error) {
        return std::unexpected(TomlSyntaxError{position(error.source()), std::string(error.description())});
    }
}

Position position_of(const TomlNode& root, std::string_view path) {
    const TomlNode* node = &root;
    std::string_view list;
    while (const std::optional<PathStep> step = next_step(path)) {
        const TomlNode* next = child(*node, *step, list);
        if (next == nullptr) break;
        if (!step->name.empty()) list = step->name;
        node = next;
    }
    return node->at;
}

}  // namespace ax::sim
