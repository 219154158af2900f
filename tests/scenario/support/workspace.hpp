// A temporary folder with the configuration files of one scenario: VM files made from those of
// configs/vms and tests/guests, with other vCPU counts or command lines, and platform files.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "tests/scenario/support/isa.hpp"

namespace ax::scenario {

class Workspace {
public:
    explicit Workspace(const Isa& isa);
    Workspace(const Workspace&) = delete;
    Workspace& operator=(const Workspace&) = delete;
    ~Workspace();

    [[nodiscard]] std::string path(const std::string& name) const { return (folder_ / name).string(); }
    /// Writes a file of the folder and gives its path.
    std::string write(const std::string& name, const std::string& text) const;

    /// configs/vms/`file` with absolute image paths. `vcpus` other than 0 replaces the number of vCPUs;
    /// `cmdline` is appended to the kernel's command line; `is_lazy` populates memory by 4 KiB frames when it is touched.
    struct VmChanges {
        unsigned vcpus = 0;
        std::string cmdline = {};
        bool is_lazy = false;
    };
    [[nodiscard]] std::string vm(const std::string& file, const VmChanges& changes) const;
    [[nodiscard]] std::string vm(const std::string& file) const { return vm(file, VmChanges{}); }
    /// The machine of one bare-metal test guest: tests/guests/ISA/vm.toml.in, filled in.
    struct BareMetalMachine {
        unsigned vcpus = 1;
        unsigned gic = 3;           ///< version; aarch64 only
        std::string regions = {};  ///< more lines of memory_regions; aarch64 only
    };
    [[nodiscard]] std::string bare_metal(const std::string& guest, const BareMetalMachine& machine) const;
    [[nodiscard]] std::string bare_metal(const std::string& guest) const { return bare_metal(guest, BareMetalMachine{}); }
    /// The ELF file of one bare-metal test guest.
    [[nodiscard]] std::string elf(const std::string& guest) const;
    /// The built-in board with this many pCPUs.
    [[nodiscard]] std::string platform(unsigned pcpus) const;

    [[nodiscard]] const Isa& isa() const { return isa_; }

private:
    const Isa& isa_;
    std::filesystem::path folder_;
};

[[nodiscard]] std::string read_text(const std::string& path);
/// `text` with the first `from` replaced; a test failure when there is none.
[[nodiscard]] std::string replaced(std::string text, const std::string& from, const std::string& to);

/// A file of guests/ that scripts/guests.sh fetches.
[[nodiscard]] std::string fetched_guest(const std::string& name);
/// The axsim program of this build.
[[nodiscard]] std::string axsim_program();

/// The first of these fetched guests that is not there; empty when all are.
[[nodiscard]] std::string missing_guest(const std::vector<std::string>& names);

/// Skips the test when one of a list of fetched guests is missing; with CI=true in the environment it fails.
#define AX_NEEDS_GUESTS(...)                                                                        \
    if (const std::string missing = ax::scenario::missing_guest(__VA_ARGS__); !missing.empty()) {   \
        if (ax::scenario::is_ci()) FAIL() << missing << " is missing: run scripts/guests.sh";       \
        GTEST_SKIP() << missing << " is missing: run scripts/guests.sh";                            \
    }                                                                                               \
    static_assert(true)

[[nodiscard]] bool is_ci();

}  // namespace ax::scenario
