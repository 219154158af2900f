// Kernels with a Multiboot header. Source: Multiboot Specification 0.6.96.
#pragma once

#include "sim/config/x86_boot.hpp"

namespace ax::sim {

/// What EAX holds when a kernel of this kind starts ("Machine state").
inline constexpr u32 multiboot_eax = 0x2bad'b002;

/// "Header layout": where a header is, and what it asks for.
struct MultibootHeader {
    u64 offset = 0;  ///< in the file
    u32 flags = 0;
    /// The address fields; valid when the flags say so.
    u32 header_addr = 0, load_addr = 0, load_end_addr = 0, bss_end_addr = 0, entry_addr = 0;

    [[nodiscard]] bool has_addresses() const;
    [[nodiscard]] bool aligns_modules() const;
};

/// The first header whose checksum is right, in the first 8 KiB at a multiple of 4; none when there is none.
[[nodiscard]] std::optional<MultibootHeader> find_multiboot(std::span<const std::byte> file);

/// An ELF file, or an image with address fields, which come first. EBX points to information about memory, command line and
/// the initrd, which is the one module. A kernel that asks for a video mode gets none. Refuses what `place_kernel` does, address
/// fields that make no sense (`image-damaged`), features that nobody knows (`multiboot-features`), and an initrd that is not
/// where the kernel wants modules (`multiboot-module`).
[[nodiscard]] std::expected<X86Boot, ImageError> place_multiboot(const ImageFile& image, const MultibootHeader& header,
                                                                 const config::KernelConfig& kernel, const X86BootInput& input);

/// "Boot information format", with memory map, command line, and the initrd as a module.
[[nodiscard]] std::vector<std::byte> multiboot_info(const config::KernelConfig& kernel, const X86BootInput& input);

}  // namespace ax::sim
