// Everything that is wrong with a set of configuration files, at once: each file alone, its images, VMs on
// their platform, VMs beside each other.
#pragma once

#include <filesystem>
#include <optional>
#include <vector>

#include "sim/config/platform_file.hpp"
#include "sim/config/vm_file.hpp"

namespace ax::sim {

enum class FileKind : u8 { Vm, Platform, Defconfig, Unreadable };

/// "vm", "platform", "defconfig" or "unreadable".
[[nodiscard]] std::string_view to_text(FileKind kind);

/// One of the files that were asked about.
struct CheckedFile {
    std::filesystem::path path;
    FileKind kind = FileKind::Unreadable;
    std::string text;
    std::optional<VmFile> vm;              ///< when it is a VM's and its values could be read
    bool is_good_vm = false;               ///< and it breaks no rule over it alone
    std::optional<PlatformFile> platform;  ///< when it is a platform's and has no error
};

struct CheckReport {
    std::vector<CheckedFile> files;     ///< in the order of the question
    std::vector<Diagnostic> findings;   ///< by file, then by place
    std::optional<std::size_t> platform;  ///< which of `files` the VMs were checked against

    [[nodiscard]] std::size_t errors() const;
    [[nodiscard]] std::size_t warnings() const { return findings.size() - errors(); }
    [[nodiscard]] const PlatformFile* platform_file() const { return platform ? &*files[*platform].platform : nullptr; }
    /// The text of the value that a finding speaks of, as its file writes it; empty when there is none.
    [[nodiscard]] std::string value_of(const Diagnostic& finding) const;
};

/// Reads and checks all files. The platform is `platform` or else the first platform file among `paths`; rules
/// that need one are left out when there is none. An image that cannot be read is a warning where the
/// VM's image_location is "memory", because the family puts it into the hypervisor when that is built.
[[nodiscard]] CheckReport check_files(const std::vector<std::filesystem::path>& paths,
                                      const std::optional<std::filesystem::path>& platform);

}  // namespace ax::sim
