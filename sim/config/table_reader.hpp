// Reading one TOML table key by key, and one list element in either of its two forms.
#pragma once

#include "core/base/fixed_vector.hpp"
#include "sim/config/file_keys.hpp"
#include "sim/config/value_reader.hpp"

namespace ax::sim {

/// Remembers which keys were asked for, so that the rest can be called unknown.
class TableReader {
public:
    /// `path` names the table in messages; empty for the root.
    TableReader(const TomlNode& table, std::string path, Diagnostics& diagnostics)
        : table_(table), path_(std::move(path)), diagnostics_(diagnostics) {}

    /// The value of `key`, or none.
    [[nodiscard]] std::optional<ValueAt> find(std::string_view key);
    /// The value of `key`; reported when there is none. `example` shows how to write it.
    [[nodiscard]] std::optional<ValueAt> require(std::string_view key, std::string_view example);

    void number(std::string_view key, u64& to);
    void number(std::string_view key, std::optional<u64>& to);
    void required_number(std::string_view key, std::string_view example, u64& to);
    void boolean(std::string_view key, bool& to);
    template <std::size_t N>
    void text(std::string_view key, FixedString<N>& to) {
        if (const auto value = find(key)) read_text(*value, to, diagnostics_);
    }
    template <std::size_t N>
    void required_text(std::string_view key, std::string_view example, FixedString<N>& to) {
        if (const auto value = require(key, example)) read_text(*value, to, diagnostics_);
    }
    /// `E` is an enumeration whose values `choices` holds.
    template <class E>
    void choice(std::string_view key, std::span<const Choice> choices, E& to) {
        if (const auto value = find(key))
            if (const auto chosen = read_choice(*value, choices, diagnostics_)) to = static_cast<E>(*chosen);
    }

    /// Reports every key not asked for. One that `elsewhere` has is named with the table it belongs to.
    void reject_unknown(std::span<const KeyInfo> elsewhere = {});

    /// Keys not asked for that resemble none that was.
    [[nodiscard]] std::vector<std::string_view> unfamiliar_keys() const;

    [[nodiscard]] const TomlNode& table() const { return table_; }
    [[nodiscard]] Diagnostics& diagnostics() { return diagnostics_; }
    [[nodiscard]] std::string path_of(std::string_view key) const;

private:
    const TomlNode& table_;
    std::string path_;
    Diagnostics& diagnostics_;
    std::vector<std::string_view> asked_;
};

/// One element of a list: `{ gpa = 1, size = 2 }` or `[1, 2]`.
class ElementReader {
public:
    /// None, and reported, when the value is neither form, has too few or too many fields, or a field
    /// that the layout lacks.
    static std::optional<ElementReader> open(const ValueAt& value, const ElementLayout& layout, Diagnostics& diagnostics);

    /// The field with this number in the layout, or none where it was left out.
    [[nodiscard]] std::optional<ValueAt> find(std::size_t field) const;
    void number(std::size_t field, u64& to, u64 max = ~u64{0}) const;
    template <std::size_t N>
    void text(std::size_t field, FixedString<N>& to) const {
        if (const auto value = find(field)) read_text(*value, to, *diagnostics_);
    }

private:
    ElementReader(const ValueAt& value, const ElementLayout& layout, Diagnostics& diagnostics)
        : node_(&value.node), path_(value.path), layout_(&layout), diagnostics_(&diagnostics) {}

    const TomlNode* node_;
    std::string path_;
    const ElementLayout* layout_;
    Diagnostics* diagnostics_;
};

/// The elements of an array, each read by `read_one(ValueAt) -> std::optional<T>`. Reports a value that
/// is no array and a list that is too long.
template <class T, std::size_t N, class F>
void read_list(const ValueAt& value, FixedVector<T, N>& to, Diagnostics& diagnostics, F read_one) {
    if (value.node.kind != TomlNode::Kind::Array) {
        report_wrong_kind(value, "an array", diagnostics);
        return;
    }
    for (std::size_t i = 0; i < value.node.elements.size(); ++i) {
        const ValueAt element{value.node.elements[i], value.path + "[" + std::to_string(i) + "]"};
        if (i == N) {
            diagnostics.error(element.node.at,
                              {value.path, "too-long", "has " + std::to_string(value.node.elements.size()) + " elements",
                               "use at most " + std::to_string(N)});
            return;
        }
        if (const auto read = read_one(element)) static_cast<void>(to.push_back(*read));
    }
}

}  // namespace ax::sim
