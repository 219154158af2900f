#include "sim/config/platform_file.hpp"

#include "sim/config/platform_reader.hpp"
#include "sim/config/text_file.hpp"

namespace ax::sim {

std::expected<PlatformFile, ConfigError> read_platform_file(const std::filesystem::path& path) {
    const std::expected<std::string, ConfigError> text = read_text_file(path);
    if (!text) return std::unexpected(text.error());
    return read_platform_text(*text, path.string());
}

std::expected<PlatformFile, ConfigError> read_platform_text(std::string_view text, const std::string& name) {
    Diagnostics diagnostics(name, text);
    const std::expected<TomlNode, TomlSyntaxError> root = parse_toml(text);
    if (!root) {
        diagnostics.error(root.error().at,
                          {"", "syntax", "this is not TOML", "see https://toml.io/en/v1.0.0", root.error().what});
        return std::unexpected(ConfigError{diagnostics.take()});
    }
    PlatformFile file;
    file.name = name;
    file.text = std::string(text);
    read_platform_tables(*root, file, diagnostics);
    if (diagnostics.has_errors()) return std::unexpected(ConfigError{diagnostics.take()});
    file.warnings = diagnostics.take();
    return file;
}

}  // namespace ax::sim
