#include "sim/config/convert.hpp"

#include <algorithm>
#include <cctype>
#include <memory>

#include "core/base/expect.hpp"
#include "sim/config/convert_flat.hpp"
#include "sim/config/layout.hpp"
#include "sim/config/vm_file.hpp"
#include "sim/config/vm_reader.hpp"
#include "sim/config/vm_writer.hpp"

namespace ax::sim {

namespace {

/// Bytes `[begin, begin + size)` of a text, and what stands there afterwards.
struct Edit {
    std::size_t begin = 0;
    std::size_t size = 0;
    std::string text;
};

/// Where a position is in the text; columns count characters, not bytes.
std::size_t offset_of(std::string_view text, Position at) {
    std::size_t offset = 0;
    for (u32 line = 1; line < at.line; ++line) offset = std::min(text.find('\n', offset), text.size() - 1) + 1;
    for (u32 column = 1; column < at.column && offset < text.size(); ++column) {
        ++offset;
        while (offset < text.size() && (static_cast<unsigned char>(text[offset]) & 0xc0) == 0x80) ++offset;
    }
    return offset;
}

/// The end of the number that begins at `begin`, quotes included where it is written as a string.
std::size_t end_of_number(std::string_view text, std::size_t begin) {
    const char quote = begin < text.size() ? text[begin] : '\0';
    if (quote == '"' || quote == '\'') return std::min(text.find(quote, begin + 1), text.size() - 1) + 1;
    std::size_t end = begin;
    while (end < text.size() && (std::isalnum(static_cast<unsigned char>(text[end])) != 0 || text[end] == '_')) ++end;
    return end;
}

/// Brings single keys of a file in today's form up to date without touching anything else.
class Moderniser {
public:
    Moderniser(std::string_view text, const TomlNode& root, Diagnostics& diagnostics)
        : text_(text), root_(root), diagnostics_(diagnostics) {}

    std::string run() {
        if (const TomlNode* base = root_.find("base"); base != nullptr) convert_cpu_set(*base);
        if (const TomlNode* kernel = root_.find("kernel"); kernel != nullptr)
            if (const TomlNode* regions = kernel->find("memory_regions"); regions != nullptr) complete_regions(*regions);
        std::string text(text_);
        std::ranges::sort(edits_, std::ranges::greater{}, &Edit::begin);
        for (const Edit& edit : edits_) text.replace(edit.begin, edit.size, edit.text);
        return text;
    }

private:
    void convert_cpu_set(const TomlNode& base);
    void complete_regions(const TomlNode& regions);
    void note(Position at, std::string key, std::string what) {
        diagnostics_.warning(at, {std::move(key), "converted", std::move(what), ""});
    }

    std::string_view text_;
    const TomlNode& root_;
    Diagnostics& diagnostics_;
    std::vector<Edit> edits_;
};

void Moderniser::convert_cpu_set(const TomlNode& base) {
    const auto entry = std::ranges::find(base.entries, std::string_view("cpu_set"), &TomlEntry::key);
    if (entry == base.entries.end()) return;
    const std::size_t begin = offset_of(text_, entry->key_at);
    // A dotted or quoted key does not begin here; the reader goes on warning about it.
    if (!text_.substr(begin).starts_with("cpu_set")) return;
    const std::size_t value = offset_of(text_, entry->value.at);
    if (base.find("phys_cpu_sets") != nullptr) {
        edits_.push_back({begin, 0, "# "});
        note(entry->key_at, "base.cpu_set", "left out: phys_cpu_sets says the same for each vCPU");
        return;
    }
    const TomlNode* count = base.find("cpu_num");
    const i64 written = count != nullptr && count->kind == TomlNode::Kind::Integer ? count->integer : 1;
    const std::string mask(text_.substr(value, end_of_number(text_, value) - value));
    std::string masks = mask;
    for (i64 vcpu = 1; vcpu < std::min<i64>(written, config::max_vcpus); ++vcpu) masks.append(", ").append(mask);
    edits_.push_back({begin, value + mask.size() - begin, std::string("phys_cpu_sets = [").append(masks).append("]")});
    note(entry->key_at, "base.cpu_set", "became phys_cpu_sets, the pCPUs that each vCPU may run on");
}

void Moderniser::complete_regions(const TomlNode& regions) {
    if (regions.kind != TomlNode::Kind::Array) return;
    for (std::size_t i = 0; i < regions.elements.size(); ++i) {
        const TomlNode& region = regions.elements[i];
        if (region.kind != TomlNode::Kind::Array || region.elements.size() + 1 != memory_region_fields.size()) continue;
        const TomlNode& last = region.elements.back();
        edits_.push_back({end_of_number(text_, offset_of(text_, last.at)), 0, ", 0"});
        note(region.at, "kernel.memory_regions[" + std::to_string(i) + "]", "got map_type 0, allocated memory");
    }
}

std::expected<Conversion, ConfigError> convert_flat(std::string_view text, const std::string& name, const TomlNode& root) {
    Diagnostics diagnostics(name, text);
    const TomlNode tree = from_flat_form(root, text, diagnostics);
    const auto config = std::make_unique<config::AxVMCrateConfig>();
    read_vm_tables(tree, *config, diagnostics);
    if (diagnostics.has_errors()) {
        // Nothing was converted, so that what would have been is of no interest.
        std::vector<Diagnostic> found = diagnostics.take();
        std::erase_if(found, [](const Diagnostic& d) { return d.severity == config::Severity::Warning; });
        return std::unexpected(ConfigError{std::move(found)});
    }
    std::string written = write_vm(*config, "Converted from the flat form of 2024 by axsim config convert.");
    expect(parse_vm_text(written, name).has_value(), "a converted VM file can be read");
    return Conversion{std::move(written), true, diagnostics.take()};
}

std::expected<Conversion, ConfigError> modernise(std::string_view text, const std::string& name, const TomlNode& root) {
    Diagnostics diagnostics(name, text);
    std::string written = Moderniser(text, root, diagnostics).run();
    const auto file = parse_vm_text(written, name);
    if (!file) return std::unexpected(file.error());
    return Conversion{written, written != text, diagnostics.take()};
}

}  // namespace

std::expected<Conversion, ConfigError> convert_vm(std::string_view text, const std::string& name) {
    Diagnostics diagnostics(name, text);
    const std::expected<TomlNode, TomlSyntaxError> root = parse_toml(text);
    if (!root) {
        diagnostics.error(root.error().at,
                          {"", "syntax", "this is not TOML", root.error().hint(), root.error().what});
        return std::unexpected(ConfigError{diagnostics.take()});
    }
    if (root->find("base") != nullptr || root->find("kernel") != nullptr) return modernise(text, name, *root);
    if (is_flat_form(*root)) return convert_flat(text, name, *root);
    diagnostics.error({}, {"", "no-vm-file",
                           "this is no VM file: it has neither the tables [base], [kernel] and [devices] nor the "
                           "keys of the flat form of 2024",
                           "name a VM file"});
    return std::unexpected(ConfigError{diagnostics.take()});
}

}  // namespace ax::sim
