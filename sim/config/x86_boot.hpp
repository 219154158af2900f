// How the images of an x86 VM start: which of the formats they have, where their parts go, and what the first CPU finds.
#pragma once

#include <expected>
#include <optional>
#include <vector>

#include "sim/config/kernel.hpp"

namespace ax::sim {

/// How an x86 VM's first CPU begins.
enum class PcStart : u8 {
    Long,       ///< 64-bit mode: Linux's 64-bit boot protocol, plain code
    Protected,  ///< 32-bit protected mode: Multiboot, PVH
    Real,       ///< real mode at the entry, below 1 MiB
    Reset,      ///< the reset vector: firmware
};

/// A start, ready for memory. Linux wants its argument in RSI; Multiboot and PVH in EBX.
struct X86Boot {
    PcStart start = PcStart::Long;
    std::vector<Segment> segments;
    Gpa entry;
    Gpa argument;  ///< 0 for code that is told nothing
    u32 eax = 0;   ///< Protected
};

struct X86BootInput {
    std::optional<GpaRange> initrd;  ///< where it is loaded
    std::optional<GpaRange> bios;    ///< where an image in low memory is loaded, which may be what starts
    Gpa rsdp;                        ///< 0: there is none
};

/// By the first of these that fits:
/// * `entry_point` lies in the BIOS image: that starts in real mode, as AxVisor's boot stub does, and the kernel is loaded.
/// * bzImage: the 64-bit boot protocol.
/// * A Multiboot 1 header; a raw image with boot_protocol "multiboot" and no BIOS image, as AxVisor starts one.
/// * ELF with Xen's note of a 32-bit entry: PVH.
/// * Another ELF: of 32 bits in protected mode, of 64 bits in 64-bit mode.
/// * A raw image: in real mode when its entry is below 1 MiB, else in 64-bit mode.
/// 64-bit mode has the first 4 GiB mapped to themselves, protected mode has no paging; both have flat segments.
/// Refuses what `place_kernel`, `place_bzimage` and `place_multiboot` do, and what needs low memory that the VM lacks
/// (`image-memory`).
[[nodiscard]] std::expected<X86Boot, ImageError> place_x86_kernel(const ImageFile& image, const config::KernelConfig& kernel,
                                                                  const X86BootInput& input);

/// Where the loader's own structures for Multiboot and PVH lie.
namespace start_info {
inline constexpr Gpa info{0x7000}, cmdline{0x2'0000};
inline constexpr u64 info_bytes = 0x1000;
}  // namespace start_info

/// The information structure and the command line, as segments. Refuses a VM without memory there (`image-memory`), and more than
/// fits (`linux-cmdline`).
[[nodiscard]] std::expected<std::vector<Segment>, ImageError> place_start_info(const ImageFile& image, const config::KernelConfig& kernel,
                                                                               std::vector<std::byte> info);

}  // namespace ax::sim
