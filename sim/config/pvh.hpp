// ELF kernels with an entry for Xen's PVH guests. Source: Xen, "x86/HVM direct boot ABI".
#pragma once

#include "sim/config/x86_boot.hpp"

namespace ax::sim {

/// The physical address that the note XEN_ELFNOTE_PHYS32_ENTRY names; none without such a note.
[[nodiscard]] std::optional<u64> find_pvh_entry(std::span<const std::byte> file);

/// The kernel as `place_kernel` places it, started at `pvh_entry` with EBX at `hvm_start_info`. Refuses as `place_kernel` does, and
/// an entry where the file loads nothing (`image-entry`).
[[nodiscard]] std::expected<X86Boot, ImageError> place_pvh(const ImageFile& image, u64 pvh_entry, const config::KernelConfig& kernel,
                                                           const X86BootInput& input);

/// `hvm_start_info`, version 1, with its lists behind it: memory map, command line, the initrd as a module, the RSDP.
[[nodiscard]] std::vector<std::byte> hvm_start_info(const config::KernelConfig& kernel, const X86BootInput& input);

}  // namespace ax::sim
