#include "sim/config/convert_flat.hpp"

#include <algorithm>

#include "core/config/crate_config.hpp"
#include "sim/config/layout.hpp"
#include "sim/config/value_reader.hpp"
#include "sim/config/vm_reader.hpp"

namespace ax::sim {

namespace {

using config::Hex;

std::string hex(u64 value) { return std::string(config::join(Hex{value}).view()); }

TomlNode integer_at(Position at, u64 value) {
    TomlNode node;
    node.kind = TomlNode::Kind::Integer;
    node.at = at;
    node.integer = static_cast<i64>(value);
    return node;
}

TomlNode array_at(Position at, std::vector<TomlNode> elements) {
    TomlNode node;
    node.kind = TomlNode::Kind::Array;
    node.at = at;
    node.elements = std::move(elements);
    return node;
}

/// A number that may turn out to be none; whoever reads the converted tree reports that.
std::optional<u64> number_in(const TomlNode& node) {
    if (node.kind == TomlNode::Kind::String) return parse_number(node.text);
    if (node.kind != TomlNode::Kind::Integer || node.integer < 0) return std::nullopt;
    return static_cast<u64>(node.integer);
}

const TomlNode* field_of(const TomlNode& element, std::size_t field) {
    if (element.kind == TomlNode::Kind::Table) return element.find(memory_region_fields[field]);
    return element.kind == TomlNode::Kind::Array && field < element.elements.size() ? &element.elements[field] : nullptr;
}

/// What the comment behind a value of one line says, up to the gap before its next column.
std::string comment_behind(std::string_view text, Position at) {
    for (u32 line = 1; line < at.line; ++line) text.remove_prefix(std::min(text.find('\n'), text.size() - 1) + 1);
    const std::string_view line = text.substr(0, text.find('\n'));
    const std::size_t mark = line.find('#');
    if (mark == std::string_view::npos) return {};
    std::string_view comment = line.substr(mark + 1);
    while (comment.starts_with(' ') || comment.starts_with('\t')) comment.remove_prefix(1);
    comment = comment.substr(0, std::min(comment.find('\t'), comment.find("  ")));
    while (comment.ends_with(' ') || comment.ends_with('\r')) comment.remove_suffix(1);
    constexpr std::size_t longest_name = 40;
    return comment.size() <= longest_name ? std::string(comment) : std::string();
}

class FlatConverter {
public:
    FlatConverter(const TomlNode& flat, std::string_view text, Diagnostics& diagnostics)
        : flat_(flat), text_(text), diagnostics_(diagnostics) {}

    TomlNode convert();

private:
    void convert_cpu_set(const TomlEntry& entry);
    void convert_memory(const TomlEntry& entry);
    void move_to_devices(const TomlNode& region, const std::string& path);
    void convert_vm_type(const TomlEntry& entry);
    void reject(const TomlEntry& entry);
    void add_what_is_missing();
    void add(std::string_view table, const TomlEntry& entry);
    void note(Position at, std::string key, std::string what, std::string hint = {}) {
        diagnostics_.warning(at, {std::move(key), "converted", std::move(what), std::move(hint)});
    }

    const TomlNode& flat_;
    std::string_view text_;
    Diagnostics& diagnostics_;
    TomlNode base_, kernel_, devices_;
    std::vector<TomlNode> passed_through_;  ///< from memory regions
};

void FlatConverter::add(std::string_view table, const TomlEntry& entry) {
    TomlNode& to = table == "base" ? base_ : table == "kernel" ? kernel_ : devices_;
    to.entries.push_back(entry);
}

void FlatConverter::convert_cpu_set(const TomlEntry& entry) {
    if (flat_.find("phys_cpu_sets") != nullptr) {
        note(entry.key_at, "cpu_set", "left out: phys_cpu_sets says the same for each vCPU");
        return;
    }
    const TomlNode* count = flat_.find("cpu_num");
    const u64 vcpus = count == nullptr ? 1 : std::min<u64>(number_in(*count).value_or(1), config::max_vcpus);
    add("base", {"phys_cpu_sets", entry.key_at, array_at(entry.value.at, std::vector<TomlNode>(vcpus, entry.value))});
    note(entry.key_at, "cpu_set", "became phys_cpu_sets in [base], the pCPUs that each vCPU may run on");
}

void FlatConverter::move_to_devices(const TomlNode& region, const std::string& path) {
    const u64 gpa = number_in(*field_of(region, 0)).value_or(0);
    std::string name = comment_behind(text_, region.at);
    if (name.empty()) name = "mmio";
    name += "@" + hex(gpa).substr(2);
    TomlNode text;
    text.kind = TomlNode::Kind::String;
    text.at = region.at;
    text.text = name;
    const TomlNode& address = *field_of(region, 0);
    passed_through_.push_back(array_at(region.at, {text, address, address, *field_of(region, 1), integer_at(region.at, 0)}));
    note(region.at, path, "is device memory and became \"" + name + "\" in passthrough_devices");
}

void FlatConverter::convert_memory(const TomlEntry& entry) {
    TomlEntry converted = entry;
    if (entry.value.kind == TomlNode::Kind::Array) {
        converted.value.elements.clear();
        std::size_t completed = 0;
        for (std::size_t i = 0; i < entry.value.elements.size(); ++i) {
            const TomlNode& region = entry.value.elements[i];
            const bool has_three =
                field_of(region, 0) != nullptr && field_of(region, 1) != nullptr && field_of(region, 2) != nullptr;
            const u64 flags = has_three ? number_in(*field_of(region, 2)).value_or(0) : 0;
            if ((flags & config::mapping_flags::device) != 0) {
                move_to_devices(region, "memory_regions[" + std::to_string(i) + "]");
                continue;
            }
            converted.value.elements.push_back(region);
            if (!has_three || field_of(region, 3) != nullptr) continue;
            TomlNode& added = converted.value.elements.back();
            if (region.kind == TomlNode::Kind::Array)
                added.elements.push_back(integer_at(region.at, 0));
            else
                added.entries.push_back({"map_type", region.at, integer_at(region.at, 0)});
            ++completed;
        }
        if (completed != 0)
            note(entry.key_at, "memory_regions",
                 std::to_string(completed) + (completed == 1 ? " region" : " regions") + " got map_type 0, allocated memory",
                 "use 1 where the guest needs the host's own addresses");
    }
    add("kernel", converted);
}

void FlatConverter::convert_vm_type(const TomlEntry& entry) {
    TomlEntry converted = entry;
    const std::optional<u64> number = number_in(entry.value);
    if (number && *number > index(config::VMType::VMTLinux)) {
        converted.value = integer_at(entry.value.at, index(config::VMType::VMTRTOS));
        note(entry.value.at, "vm_type", std::to_string(*number) + " names no type of VM and became 1, an RTOS",
             "use 0 (host VM), 1 (RTOS) or 2 (Linux)");
    }
    add("base", converted);
}

void FlatConverter::reject(const TomlEntry& entry) {
    std::vector<std::string_view> known = vm_keys();
    known.push_back("cpu_set");
    const std::string_view meant = closest(entry.key, known);
    diagnostics_.error(entry.key_at, {entry.key, "unknown-key", "there is no such key",
                                      meant.empty() ? std::string("remove it") : "did you mean " + std::string(meant) + "?"});
}

void FlatConverter::add_what_is_missing() {
    const Position top = flat_.entries.front().key_at;
    if (flat_.find("cpu_num") == nullptr) {
        add("base", {"cpu_num", top, integer_at(top, 1)});
        note(top, "cpu_num", "added: a VM of this form has one vCPU");
    }
    if (flat_.find("emu_devices") == nullptr) add("devices", {"emu_devices", top, array_at(top, {})});
    const auto list = std::ranges::find(devices_.entries, std::string_view("passthrough_devices"), &TomlEntry::key);
    if (list == devices_.entries.end()) {
        add("devices", {"passthrough_devices", top, array_at(top, std::move(passed_through_))});
    } else if (list->value.kind == TomlNode::Kind::Array) {
        list->value.elements.insert(list->value.elements.end(), passed_through_.begin(), passed_through_.end());
    }
}

TomlNode FlatConverter::convert() {
    for (TomlNode* table : {&base_, &kernel_, &devices_}) table->at = flat_.entries.front().key_at;
    for (const TomlEntry& entry : flat_.entries) {
        if (entry.key == "cpu_set")
            convert_cpu_set(entry);
        else if (entry.key == "memory_regions")
            convert_memory(entry);
        else if (entry.key == "vm_type")
            convert_vm_type(entry);
        else if (const std::string_view table = table_of(entry.key); !table.empty())
            add(table, entry);
        else
            reject(entry);
    }
    add_what_is_missing();
    TomlNode root;
    root.at = flat_.at;
    root.entries = {{"base", base_.at, std::move(base_)},
                    {"kernel", kernel_.at, std::move(kernel_)},
                    {"devices", devices_.at, std::move(devices_)}};
    return root;
}

}  // namespace

TomlNode from_flat_form(const TomlNode& flat, std::string_view text, Diagnostics& diagnostics) {
    return FlatConverter(flat, text, diagnostics).convert();
}

}  // namespace ax::sim
