#include "sim/config/platform_file.hpp"

#include "core/config/check_platform.hpp"
#include "sim/config/platform_reader.hpp"
#include "sim/config/rule_sink.hpp"
#include "sim/config/text_file.hpp"

namespace ax::sim {

std::expected<PlatformFile, ConfigError> read_platform_file(const std::filesystem::path& path) {
    const std::expected<std::string, ConfigError> text = read_text_file(path);
    if (!text) return std::unexpected(text.error());
    return read_platform_text(*text, path.string());
}

namespace {

/// The tree of a text; none, and reported, when it is no TOML.
std::optional<TomlNode> parse(std::string_view text, Diagnostics& diagnostics) {
    std::expected<TomlNode, TomlSyntaxError> root = parse_toml(text);
    if (root) return *std::move(root);
    diagnostics.error(root.error().at, {"", "syntax", "this is not TOML", root.error().hint(), root.error().what});
    return std::nullopt;
}

}  // namespace

std::expected<Defconfig, ConfigError> read_defconfig_text(std::string_view text, const std::string& name) {
    Diagnostics diagnostics(name, text);
    Defconfig defconfig;
    if (const auto root = parse(text, diagnostics)) read_defconfig_keys(*root, defconfig, diagnostics);
    if (diagnostics.has_errors()) return std::unexpected(ConfigError{diagnostics.take()});
    return defconfig;
}

std::expected<PlatformFile, ConfigError> read_platform_text(std::string_view text, const std::string& name) {
    Diagnostics diagnostics(name, text);
    const std::optional<TomlNode> root = parse(text, diagnostics);
    if (!root) return std::unexpected(ConfigError{diagnostics.take()});
    PlatformFile file;
    file.name = name;
    file.text = std::string(text);
    read_platform_tables(*root, file, diagnostics);
    if (!diagnostics.has_errors()) {
        RuleSink sink(*root, diagnostics);
        config::check_board(file.config, sink);
    }
    if (diagnostics.has_errors()) return std::unexpected(ConfigError{diagnostics.take()});
    file.warnings = diagnostics.take();
    return file;
}

}  // namespace ax::sim
