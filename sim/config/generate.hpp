// A VM file for a given kernel: what `axsim config generate` writes.
#pragma once

#include <expected>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "core/config/crate_config.hpp"
#include "core/config/platform.hpp"
#include "sim/base/error.hpp"

namespace ax::sim {

/// What the VM shall be. Numbers and names have axvmconfig's defaults; what is absent follows from the images.
struct GenerateRequest {
    config::Arch arch = config::Arch::Riscv64;
    u64 id = 0;
    std::string name = "GuestVM";  ///< the architecture is appended, as axvmconfig does
    u64 vm_type = 1;
    u64 cpu_num = 1;
    u64 entry_point = 0;  ///< 0: where the kernel says
    std::filesystem::path kernel_path;
    std::optional<u64> kernel_load_addr;  ///< absent: where an ELF file is linked, else the board's usual place
    config::ImageLocation image_location = config::ImageLocation::Fs;
    std::optional<std::string> cmdline;  ///< absent: the board's console
    std::filesystem::path ramdisk_path;  ///< empty for none
    std::optional<u64> memory_bytes;     ///< absent: enough for the images, at least 256 MiB
    std::filesystem::path output;        ///< image paths are written relative to its directory; empty: absolute
};

struct GeneratedVm {
    std::string text;
    std::vector<std::string> warnings;  ///< one line each
};

/// The text of a file that gives the kernel memory, the board's devices and a place for its device tree, and
/// that keeps every rule over one VM. Refuses images that are missing (a kernel in the hypervisor's
/// own memory excepted) or made for another architecture, addresses where the board has no memory, and values that a
/// rule refuses.
[[nodiscard]] std::expected<GeneratedVm, Error> generate_vm(const GenerateRequest& request);

}  // namespace ax::sim
