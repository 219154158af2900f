// Linux bzImage kernels: started directly by the 64-bit boot protocol, or handed to firmware in parts.
#pragma once

#include <array>
#include <expected>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "sim/config/kernel.hpp"

namespace ax::sim {

/// One entry of the memory map that firmware gives (ACPI specification, "Address Range Types").
struct E820Entry {
    enum class Type : u8 { Usable = 1, Reserved = 2 };
    GpaRange range;
    Type type = Type::Usable;
    bool operator==(const E820Entry&) const = default;
};

/// The map of a PC with this RAM: the last KiB below 640 KiB and the area of ROMs from 896 KiB to 1 MiB are reserved, what lies
/// between them is not RAM.
[[nodiscard]] std::vector<E820Entry> make_e820(std::span<const GpaRange> ram);
/// The same, of the memory that a VM may write.
[[nodiscard]] std::vector<E820Entry> e820_of(const config::KernelConfig& kernel);
/// The bytes of fw_cfg's file `etc/e820`, which is also what boot_params holds.
[[nodiscard]] std::vector<std::byte> e820_bytes(std::span<const E820Entry> map);

/// What a bzImage says about itself: Linux Documentation, "The Linux/x86 Boot Protocol", "The Real-Mode Kernel Header".
struct BzImage {
    u16 version = 0;  ///< 0x20f is 2.15
    u8 loadflags = 0;
    u16 xloadflags = 0;
    bool is_relocatable = false;
    u32 alignment = 0;
    u64 preferred_address = 0;
    u32 init_size = 0;  ///< memory that it needs from its load address on
    u32 initrd_max = 0;  ///< the highest address that an initrd may have
    u32 cmdline_size = 0;
    std::span<const std::byte> setup;   ///< the boot sector and the real-mode code
    std::span<const std::byte> kernel;  ///< the protected-mode code
    u64 header_end = 0;                 ///< where the header in `setup` ends
};

/// Has the setup header's magic.
[[nodiscard]] bool is_bzimage(const ImageFile& image);
/// Refuses what is no bzImage, is cut, or is older than protocol 2.12 or not for 64 bits (`image-machine`, `image-damaged`).
[[nodiscard]] std::expected<BzImage, ImageError> parse_bzimage(const ImageFile& image);

/// Where the loader's own structures lie, all in the first 640 KiB.
namespace linux_boot {
inline constexpr Gpa gdt{0x6000}, boot_params{0x7000}, page_tables{0x9000}, cmdline{0x2'0000};
inline constexpr u16 code_selector = 0x10, data_selector = 0x18;
inline constexpr u16 gdt_limit = 0x1f;
inline constexpr u64 entry_offset = 0x200;
}  // namespace linux_boot

/// The GDT and the page tables, at their places.
[[nodiscard]] std::vector<Segment> long_mode_tables();
/// A segment that owns its bytes.
[[nodiscard]] Segment make_segment(std::string name, Gpa gpa, std::vector<std::byte> bytes);

/// "64-bit Boot Protocol": the CPU starts in 64-bit mode, interrupts off, at `entry`, with CR3 at `page_tables`, which map
/// the first 4 GiB to themselves, the GDT at `gdt`, the two flat segments, and RSI at `boot_params`.
struct LinuxBoot {
    std::vector<Segment> segments;
    Gpa entry;
};

struct LinuxBootInput {
    std::optional<GpaRange> initrd;  ///< where it is loaded
    Gpa rsdp;                        ///< 0: Linux looks for it
};

/// A bzImage at `kernel_load_addr`, or, when that is 0, where it prefers to be. Refuses what does not fit into the VM's memory
/// (`image-memory`), a load address that the kernel cannot run at (`linux-alignment`), a command line that is too long
/// (`linux-cmdline`), an initrd that it cannot reach or that is in its way (`linux-initrd`).
[[nodiscard]] std::expected<LinuxBoot, ImageError> place_bzimage(const ImageFile& image, const config::KernelConfig& kernel,
                                                                 const LinuxBootInput& input);

/// The parts of a kernel as the option ROM `linuxboot` takes them from fw_cfg.
struct FirmwareKernel {
    std::vector<std::byte> setup;       ///< with the loader's fields filled in
    std::span<const std::byte> kernel;  ///< lies in the image
    std::vector<std::byte> cmdline;     ///< with its zero
    Gpa setup_at{0x1'0000};
    Gpa cmdline_at{0x2'0000};
    Gpa kernel_at{0x10'0000};
    Gpa initrd_at;
};

/// `memory_below_4g` bytes of RAM from 0 on; the initrd goes as high as it may. Refuses as `place_bzimage` does.
[[nodiscard]] std::expected<FirmwareKernel, ImageError> kernel_for_firmware(const ImageFile& image, std::string_view cmdline,
                                                                            u64 initrd_size, u64 memory_below_4g);

}  // namespace ax::sim
