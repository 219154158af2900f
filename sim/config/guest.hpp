// Everything that a VM's memory holds before its first instruction, and where that one is.
#pragma once

#include <expected>
#include <memory>

#include "core/config/vm_config.hpp"
#include "sim/config/firmware.hpp"
#include "sim/config/guest_dtb.hpp"
#include "sim/config/guest_dtb_arm64.hpp"
#include "sim/config/kernel.hpp"
#include "sim/config/platform_file.hpp"
#include "sim/config/symbols.hpp"
#include "sim/config/vm_file.hpp"
#include "sim/config/x86_boot.hpp"

namespace ax::sim {

/// An image file as a record names it.
struct ImageRecord {
    std::string role;  ///< "kernel", "ramdisk", "dtb" or "bios"
    std::string path;
    u64 size = 0;
    u64 digest = 0;  ///< XXH3, 64 bits
};

struct Guest {
    std::unique_ptr<config::AxVMConfig> config;  ///< with the entry resolved
    std::vector<Segment> segments;               ///< none overlaps another; each inside one memory region
    Gpa device_tree;                             ///< for the boot argument of the first vCPU; x86: what RSI or EBX holds
    PcStart pc_start = PcStart::Long;
    u32 pc_eax = 0;                               ///< what EAX holds when `pc_start` is Protected
    std::unique_ptr<const FirmwareInput> firmware;  ///< what fw_cfg serves; none without firmware
    std::vector<ImageRecord> images;
    std::shared_ptr<const SymbolTable> symbols;  ///< of the kernel; may be empty
    std::vector<Diagnostic> warnings;
};

/// Reads the images of a VM, places them, and makes or patches its device tree. All that is wrong
/// with them is reported at once, at the keys that name them.
/// Without `dtb_path` a tree is generated; it goes to `dtb_load_addr` or, without one, to the top of the
/// region that holds the kernel. Symbols come from an ELF kernel or from `<kernel>.map` beside it.
[[nodiscard]] std::expected<Guest, ConfigError> load_guest(const VmFile& vm, const PlatformFile& platform);

/// What a VM's configuration and its platform say about its device tree, without an initrd: for riscv64 and for
/// aarch64.
[[nodiscard]] GuestDtbInput dtb_input_for(const config::AxVMCrateConfig& config, const PlatformFile& platform);
[[nodiscard]] Arm64DtbInput arm64_dtb_input_for(const config::AxVMCrateConfig& config, const PlatformFile& platform);

}  // namespace ax::sim
