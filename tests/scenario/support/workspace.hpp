// A temporary folder with the configuration files of one scenario: VM files made from those of
// configs/vms and tests/guests, with other vCPU counts or command lines, and platform files.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace ax::scenario {

class Workspace {
public:
    Workspace();
    Workspace(const Workspace&) = delete;
    Workspace& operator=(const Workspace&) = delete;
    ~Workspace();

    [[nodiscard]] std::string path(const std::string& name) const { return (folder_ / name).string(); }
    /// Writes a file of the folder and gives its path.
    std::string write(const std::string& name, const std::string& text) const;

    /// configs/vms/`file` with absolute image paths. `vcpus` other than 0 replaces the number of vCPUs;
    /// `cmdline` is appended to the kernel's command line.
    struct VmChanges {
        unsigned vcpus = 0;
        std::string cmdline;
    };
    [[nodiscard]] std::string vm(const std::string& file, const VmChanges& changes) const;
    [[nodiscard]] std::string vm(const std::string& file) const { return vm(file, VmChanges{}); }
    /// The machine of one bare-metal test guest.
    [[nodiscard]] std::string bare_metal(const std::string& guest, unsigned vcpus = 1) const;
    /// The built-in board with this many pCPUs.
    [[nodiscard]] std::string platform(unsigned pcpus) const;

private:
    std::filesystem::path folder_;
};

[[nodiscard]] std::string read_text(const std::string& path);
/// `text` with the first `from` replaced; a test failure when there is none.
[[nodiscard]] std::string replaced(std::string text, const std::string& from, const std::string& to);

/// A file of guests/ that scripts/guests.sh fetches.
[[nodiscard]] std::string fetched_guest(const std::string& name);
[[nodiscard]] std::string bare_metal_elf(const std::string& name);
/// The axsim program of this build.
[[nodiscard]] std::string axsim_program();

/// The first of these fetched guests that is not there; empty when all are.
[[nodiscard]] std::string missing_guest(const std::vector<std::string>& names);

/// Skips the test when a fetched guest is missing; with CI=true in the environment it fails.
#define AX_NEEDS_GUESTS(...)                                                                        \
    if (const std::string missing = ax::scenario::missing_guest({__VA_ARGS__}); !missing.empty()) { \
        if (ax::scenario::is_ci()) FAIL() << missing << " is missing: run scripts/guests.sh";       \
        GTEST_SKIP() << missing << " is missing: run scripts/guests.sh";                            \
    }                                                                                               \
    static_assert(true)

[[nodiscard]] bool is_ci();

}  // namespace ax::scenario
