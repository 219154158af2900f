// Where the parts of a kernel image go in guest memory, and where the guest starts.
#pragma once

#include <expected>
#include <optional>
#include <vector>

#include "core/config/crate_config.hpp"
#include "core/config/platform.hpp"
#include "sim/config/image_file.hpp"

namespace ax::sim {

/// Bytes for guest memory. `memory_size` counts from `gpa` too; what lies beyond the bytes is zero.
struct Segment {
    std::string name;  ///< "kernel", "ramdisk", "dtb" or "bios", for messages
    Gpa gpa;
    std::span<const std::byte> bytes;
    u64 memory_size = 0;
    std::shared_ptr<const std::vector<std::byte>> storage;  ///< owns the bytes

    [[nodiscard]] GpaRange range() const { return {gpa, memory_size}; }
};

enum class KernelKind : u8 {
    Elf,         ///< of 64 bits, or of 32 on x86
    LinuxImage,  ///< Linux `Image` with the header of arm64 and riscv, EFI stub or not
    Raw,         ///< anything else
};

struct PlacedKernel {
    KernelKind kind = KernelKind::Raw;
    std::vector<Segment> segments;
    Gpa entry;
    u64 text_offset = 0;  ///< LinuxImage: how far beyond a multiple of 2 MiB it wants to lie
};

/// Places a kernel in the VM's memory.
/// ELF: at its physical addresses when all of them are in the VM's memory, otherwise moved so that the
/// lowest is at `kernel_load_addr`. Linux and raw images: at `kernel_load_addr`.
/// The entry is `entry_point`; when that is 0, the ELF file's own entry, otherwise `kernel_load_addr`.
/// Refuses compressed images, images that are known to be for another machine or another byte order, programs for
/// UEFI, and what does not fit into one region.
[[nodiscard]] std::expected<PlacedKernel, ImageError> place_kernel(const ImageFile& image, const config::KernelConfig& kernel,
                                                                   config::Arch arch);

/// The architecture that an image was made for, where its bytes say so: ELF, Linux Image, bzImage, EFI program.
[[nodiscard]] std::optional<config::Arch> arch_of(const ImageFile& image);

}  // namespace ax::sim
