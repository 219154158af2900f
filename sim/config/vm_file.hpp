// A VM's TOML file: read, checked by every rule of core/config, its image paths resolved.
#pragma once

#include <expected>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "core/config/crate_config.hpp"
#include "sim/config/diagnostic.hpp"

namespace ax::sim {

/// Where the image files are; none where the configuration names none.
struct VmImagePaths {
    std::filesystem::path kernel;
    std::optional<std::filesystem::path> bios;
    std::optional<std::filesystem::path> dtb;
    std::optional<std::filesystem::path> ramdisk;
    std::optional<std::filesystem::path> option_rom;
};

struct VmFile {
    std::string name;  ///< as given: the path, or what the text was called
    std::string text;  ///< the whole file, for records
    config::AxVMCrateConfig config;
    VmImagePaths images;
    std::vector<Diagnostic> warnings;
};

/// Reads and checks a file. Image files are looked for but not opened; see sim/config/guest.hpp.
/// Relative image paths count from the file's directory, or from the current one where no such file
/// exists there.
[[nodiscard]] std::expected<VmFile, ConfigError> read_vm_file(const std::filesystem::path& path);

/// The same for a text; `name` stands for the file in messages and gives the directory.
[[nodiscard]] std::expected<VmFile, ConfigError> read_vm_text(std::string_view text, const std::string& name);

/// A text and all that is said of it.
struct JudgedVm {
    std::optional<VmFile> file;  ///< when every value could be read, whatever the rules say of them
    std::vector<Diagnostic> findings;
    bool is_good = false;  ///< none of the findings is an error
};

/// The same, for those who look at what breaks a rule too.
[[nodiscard]] JudgedVm judge_vm_text(std::string_view text, const std::string& name);

/// Syntax, keys and types alone, without the rules over what they mean.
[[nodiscard]] std::expected<VmFile, ConfigError> parse_vm_text(std::string_view text, const std::string& name);

/// A diagnostic about the value `report.key` of a file that was read before.
[[nodiscard]] Diagnostic diagnose(const VmFile& file, Diagnostics::Report report,
                                  config::Severity severity = config::Severity::Error);

}  // namespace ax::sim
