#include "sim/config/table_reader.hpp"

#include <algorithm>

namespace ax::sim {

namespace {

std::string join_names(std::span<const std::string_view> names) {
    std::string text;
    for (const std::string_view name : names) text += (text.empty() ? "" : ", ") + std::string(name);
    return text;
}

bool check_positional(const ValueAt& value, const ElementLayout& layout, Diagnostics& diagnostics) {
    const std::size_t size = value.node.elements.size();
    if (size >= layout.required && size <= layout.fields.size()) return true;
    diagnostics.error(value.node.at,
                      {value.path, "element-length",
                       "has " + std::to_string(size) + (size == 1 ? " value" : " values") + ", but an element has " +
                           (layout.required == layout.fields.size() ? "" : "up to ") + std::to_string(layout.fields.size()),
                       "write [" + join_names(layout.fields) + "]"});
    return false;
}

bool check_table(const ValueAt& value, const ElementLayout& layout, Diagnostics& diagnostics) {
    bool is_good = true;
    for (std::size_t i = 0; i < layout.required; ++i) {
        if (value.node.find(layout.fields[i]) != nullptr) continue;
        diagnostics.error(value.node.at, {value.path, "missing-key", "has no " + std::string(layout.fields[i]),
                                          "an element has the keys " + join_names(layout.fields)});
        is_good = false;
    }
    for (const TomlEntry& entry : value.node.entries) {
        if (std::ranges::find(layout.fields, std::string_view(entry.key)) != layout.fields.end()) continue;
        const std::string_view meant = closest(entry.key, layout.fields);
        diagnostics.error(entry.key_at, {value.path + "." + entry.key, "unknown-key", "there is no such key",
                                         meant.empty() ? "an element has the keys " + join_names(layout.fields)
                                                       : "did you mean " + std::string(meant) + "?"});
        is_good = false;
    }
    return is_good;
}

}  // namespace

std::string TableReader::path_of(std::string_view key) const {
    return path_.empty() ? std::string(key) : path_ + "." + std::string(key);
}

std::optional<ValueAt> TableReader::find(std::string_view key) {
    asked_.push_back(key);
    const TomlNode* node = table_.find(key);
    if (node == nullptr) return std::nullopt;
    return ValueAt{*node, path_of(key)};
}

std::optional<ValueAt> TableReader::require(std::string_view key, std::string_view example) {
    std::optional<ValueAt> value = find(key);
    if (!value) diagnostics_.error(table_.at, {path_of(key), "missing-key", "the key is missing", "add " + std::string(example)});
    return value;
}

void TableReader::number(std::string_view key, u64& to) {
    if (const auto value = find(key))
        if (const auto number = read_number(*value, diagnostics_)) to = *number;
}

void TableReader::number(std::string_view key, std::optional<u64>& to) {
    if (const auto value = find(key)) to = read_number(*value, diagnostics_);
}

void TableReader::required_number(std::string_view key, std::string_view example, u64& to) {
    if (const auto value = require(key, example))
        if (const auto number = read_number(*value, diagnostics_)) to = *number;
}

void TableReader::boolean(std::string_view key, bool& to) {
    if (const auto value = find(key))
        if (const auto flag = read_boolean(*value, diagnostics_)) to = *flag;
}

void TableReader::reject_unknown(std::span<const KeyInfo> elsewhere) {
    for (const TomlEntry& entry : table_.entries) {
        if (std::ranges::find(asked_, std::string_view(entry.key)) != asked_.end()) continue;
        std::string hint;
        const std::string_view meant = closest(entry.key, asked_);
        const auto home = std::ranges::find(elsewhere, std::string_view(entry.key), &KeyInfo::key);
        if (home != elsewhere.end())
            hint = "it belongs to [" + std::string(home->table) + "]";
        else if (!meant.empty())
            hint = "did you mean " + std::string(meant) + "?";
        else
            hint = "remove it; known here: " + join_names(asked_);
        diagnostics_.error(entry.key_at, {path_of(entry.key), "unknown-key", "there is no such key", std::move(hint)});
    }
}

std::vector<std::string_view> TableReader::unfamiliar_keys() const {
    std::vector<std::string_view> keys;
    for (const TomlEntry& entry : table_.entries) {
        const bool is_asked = std::ranges::find(asked_, std::string_view(entry.key)) != asked_.end();
        if (!is_asked && closest(entry.key, asked_).empty()) keys.push_back(entry.key);
    }
    return keys;
}

std::optional<ElementReader> ElementReader::open(const ValueAt& value, const ElementLayout& layout, Diagnostics& diagnostics) {
    bool is_good = false;
    if (value.node.kind == TomlNode::Kind::Array)
        is_good = check_positional(value, layout, diagnostics);
    else if (value.node.kind == TomlNode::Kind::Table)
        is_good = check_table(value, layout, diagnostics);
    else
        report_wrong_kind(value, "[" + join_names(layout.fields) + "] or a table with these keys", diagnostics);
    if (!is_good) return std::nullopt;
    return ElementReader(value, layout, diagnostics);
}

std::optional<ValueAt> ElementReader::find(std::size_t field) const {
    const std::string_view name = layout_->fields[field];
    const TomlNode* node = nullptr;
    if (node_->kind == TomlNode::Kind::Table)
        node = node_->find(name);
    else if (field < node_->elements.size())
        node = &node_->elements[field];
    if (node == nullptr) return std::nullopt;
    return ValueAt{*node, path_ + "." + std::string(name)};
}

void ElementReader::number(std::size_t field, u64& to, u64 max) const {
    if (const auto value = find(field))
        if (const auto number = read_number(*value, *diagnostics_, max)) to = *number;
}

}  // namespace ax::sim
