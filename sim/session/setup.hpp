// From configuration files, or from a recording, to a machine that is ready to run.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "sim/machine/machine.hpp"

namespace ax::sim {

/// The configuration of a run, read and checked.
struct Setup {
    PlatformFile platform;
    std::vector<VmFile> vms;
    std::vector<Guest> guests;
    MachineOptions options;
    /// Texts for the user that stop nothing: warnings of the configuration, images that differ from the
    /// recorded ones.
    std::vector<std::string> warnings;
};

/// What can go wrong before a machine exists: a text of one or more lines, ready to print.
struct SetupError {
    std::string text;
};

/// Reads the files and loads the images. Without a platform file the built-in board of the VMs' architecture is
/// used, which their kernels or else their devices tell.
[[nodiscard]] std::expected<Setup, SetupError> read_setup(const std::vector<std::string>& vm_paths, const std::string& platform_path,
                                                          const MachineOptions& options);
/// The same from the header of a recording. Images are read from where they were; one that differs is
/// a warning, because replay then shows what follows from the difference.
[[nodiscard]] std::expected<Setup, SetupError> setup_from(const TraceHeader& header);

/// What a recording of this setup begins with.
[[nodiscard]] TraceHeader header_for(const Setup& setup, const std::vector<std::string>& command_line);

/// The machine, built and booted; the guests move out of `setup`.
[[nodiscard]] std::expected<std::unique_ptr<Machine>, SetupError> build(Setup& setup);

/// The board that is simulated when no platform file is given: QEMU's virt board. Empty where there is none yet.
[[nodiscard]] std::string_view built_in_platform(config::Arch arch = config::Arch::Riscv64);

}  // namespace ax::sim
