#include "sim/config/vm_file.hpp"

#include "core/config/check.hpp"
#include "sim/config/rule_sink.hpp"
#include "sim/config/text_file.hpp"
#include "sim/config/vm_reader.hpp"

namespace ax::sim {

namespace {

std::filesystem::path resolve(const std::filesystem::path& directory, std::string_view written) {
    const std::filesystem::path path(written);
    if (path.is_absolute()) return path;
    const std::filesystem::path beside = directory / path;
    std::error_code error;
    if (std::filesystem::exists(beside, error) || !std::filesystem::exists(path, error)) return beside.lexically_normal();
    return path;
}

std::optional<std::filesystem::path> resolve_optional(const std::filesystem::path& directory, const config::Path& written) {
    if (written.empty()) return std::nullopt;
    return resolve(directory, written.view());
}

enum class Rules : u8 { Skip, Apply };

JudgedVm judge(std::string_view text, const std::string& name, Rules rules) {
    Diagnostics diagnostics(name, text);
    const std::expected<TomlNode, TomlSyntaxError> root = parse_toml(text);
    if (!root) {
        diagnostics.error(root.error().at,
                          {"", "syntax", "this is not TOML", root.error().hint(), root.error().what});
        return {std::nullopt, diagnostics.take(), false};
    }
    VmFile file;
    file.name = name;
    file.text = std::string(text);
    read_vm_tables(*root, file.config, diagnostics);
    // Rules over values that could not be read would only repeat that.
    if (diagnostics.has_errors()) return {std::nullopt, diagnostics.take(), false};
    if (rules == Rules::Apply) {
        RuleSink sink(*root, diagnostics);
        config::check_vm(file.config, sink);
    }
    const config::KernelConfig& kernel = file.config.kernel;
    const std::filesystem::path directory = std::filesystem::path(name).parent_path();
    file.images = {resolve(directory, kernel.kernel_path.view()), resolve_optional(directory, kernel.bios_path),
                   resolve_optional(directory, kernel.dtb_path), resolve_optional(directory, kernel.ramdisk_path),
                   resolve_optional(directory, kernel.option_rom_path)};
    const bool is_good = !diagnostics.has_errors();
    return {std::move(file), diagnostics.take(), is_good};
}

std::expected<VmFile, ConfigError> read(std::string_view text, const std::string& name, Rules rules) {
    JudgedVm judged = judge(text, name, rules);
    if (!judged.is_good) return std::unexpected(ConfigError{std::move(judged.findings)});
    judged.file->warnings = std::move(judged.findings);
    return *std::move(judged.file);
}

}  // namespace

std::expected<VmFile, ConfigError> read_vm_file(const std::filesystem::path& path) {
    const std::expected<std::string, ConfigError> text = read_text_file(path);
    if (!text) return std::unexpected(text.error());
    return read_vm_text(*text, path.string());
}

std::expected<VmFile, ConfigError> read_vm_text(std::string_view text, const std::string& name) {
    return read(text, name, Rules::Apply);
}

JudgedVm judge_vm_text(std::string_view text, const std::string& name) { return judge(text, name, Rules::Apply); }

std::expected<VmFile, ConfigError> parse_vm_text(std::string_view text, const std::string& name) {
    return read(text, name, Rules::Skip);
}

Diagnostic diagnose(const VmFile& file, Diagnostics::Report report, config::Severity severity) {
    Diagnostics diagnostics(file.name, file.text);
    const std::expected<TomlNode, TomlSyntaxError> root = parse_toml(file.text);
    const Position at = root ? position_of(*root, report.key) : Position{};
    diagnostics.add(severity, at, std::move(report));
    return diagnostics.take().front();
}

}  // namespace ax::sim
