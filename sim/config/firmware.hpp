// A VM that starts with its firmware: the ROM below 4 GiB, and what the firmware fetches through fw_cfg.
#pragma once

#include <expected>
#include <memory>
#include <optional>
#include <vector>

#include "sim/config/acpi_tables.hpp"
#include "sim/config/linux_x86.hpp"

namespace ax::sim {

/// An image that ends at 4 GiB: the reset vector lies in its last paragraph.
[[nodiscard]] bool is_reset_rom(Gpa at, u64 bytes);

/// The whole ROM where it ends at 4 GiB, and its last 128 KiB where they end at 1 MiB, which is RAM: boards show ROMs at both.
/// Refuses what the VM has no memory for (`image-memory`), and a whole ROM that the VM could write (`rom-writable`).
[[nodiscard]] std::expected<std::vector<Segment>, ImageError> place_rom(const ImageFile& rom, const config::KernelConfig& kernel);

/// What a VM's files give to its firmware.
struct FirmwareImages {
    std::optional<ImageFile> kernel, initrd, option_rom;
};

/// The contents of fw_cfg, under the names that its device gives them (devices/pc/fw_cfg.hpp). Files: `e820` is etc/e820, `rsdp`
/// etc/acpi/rsdp, `tables` etc/acpi/tables, `table_loader` etc/table-loader, the option ROM is in genroms.
struct FirmwareInput {
    std::optional<FirmwareKernel> kernel;  ///< none: firmware alone
    FirmwareImages images;                  ///< they hold the bytes
    u64 memory_below_4g = 0;
    u32 cpus = 1;
    std::vector<std::byte> e820;
    std::vector<std::byte> rsdp, tables, table_loader;
};

/// Refuses a kernel that is no bzImage (`firmware-kernel`), what `kernel_for_firmware` refuses, and more CPUs than ACPI has
/// (`acpi`).
[[nodiscard]] std::expected<FirmwareInput, ImageError> make_firmware_input(FirmwareImages images, const config::AxVMCrateConfig& config);

/// Bytes of RAM that lie together from address 0 on, below 4 GiB.
[[nodiscard]] u64 memory_below_4g(std::span<const config::VmMemConfig> regions);

}  // namespace ax::sim
