#include "sim/config/kernel.hpp"

#include <algorithm>

#include "core/config/finding.hpp"
#include "sim/config/byte_view.hpp"
#include "sim/config/elf.hpp"

namespace ax::sim {

namespace {

using config::Hex;
using config::KernelConfig;

// Linux Documentation, "Boot image header in RISC-V Linux" and "Booting AArch64 Linux": one layout.
constexpr u64 header_image_size = 16;
constexpr u64 header_magic = 0x38;
constexpr u32 magic_riscv = 0x0543'5352;  // "RSC\x05"
constexpr u32 magic_arm64 = 0x644d'5241;  // "ARMd"
constexpr u32 magic_zboot = 0x676d'697a;  // "zimg", at 4: an EFI image that unpacks itself

template <class... Parts>
std::string text(const Parts&... parts) {
    return std::string(config::join(parts...).view());
}

std::optional<ImageError> refuse_compressed(const ImageFile& image) {
    const ByteView view(image.bytes());
    const u32 first = view.number<u32>(0).value_or(0);
    std::string kind;
    std::string command;
    if ((first & 0xffff) == 0x8b1f) kind = "gzip", command = "gzip -dc";
    if (first == 0xfd2f'b528) kind = "zstd", command = "zstd -dc";
    if (first == 0x587a'37fd) kind = "xz", command = "xz -dc";
    if (!kind.empty())
        return ImageError{"image-compressed", image.path().string() + " is compressed with " + kind,
                          "unpack it first: " + command + " " + image.path().string() + " > Image"};
    if ((first & 0xffff) == 0x5a4d && view.number<u32>(4) == magic_zboot)
        return ImageError{"image-compressed", image.path().string() + " is an EFI program that unpacks itself (zboot)",
                          "use the plain Image of the same kernel"};
    return std::nullopt;
}

u16 machine_of(config::Arch arch) {
    switch (arch) {
        case config::Arch::X86_64: return index(ElfMachine::X86_64);
        case config::Arch::Aarch64: return index(ElfMachine::Aarch64);
        case config::Arch::Riscv64: return index(ElfMachine::Riscv);
    }
    return 0;
}

std::string_view name_of(u16 machine) {
    if (machine == index(ElfMachine::X86_64)) return "x86_64";
    if (machine == index(ElfMachine::Aarch64)) return "aarch64";
    if (machine == index(ElfMachine::Riscv)) return "riscv";
    return "another machine";
}

std::expected<void, ImageError> check_fits(const ImageFile& image, const Segment& segment, const KernelConfig& kernel) {
    if (segment.range().wraps() || region_of(kernel, segment.gpa, segment.memory_size) == nullptr)
        return std::unexpected(ImageError{"image-memory",
                                          image.path().string() + " needs " +
                                              text(Hex{segment.memory_size}, " bytes at ", Hex{segment.gpa.value()}) +
                                              ", which is not all inside one memory region",
                                          "make the region larger or load it elsewhere"});
    return {};
}

std::expected<Gpa, ImageError> elf_entry(const ImageFile& image, const ElfFile& elf, u64 shift) {
    for (const ElfSegment& segment : elf.segments)
        if (elf.entry - segment.virtual_address < segment.memory_size)
            return Gpa{segment.physical_address + shift + (elf.entry - segment.virtual_address)};
    return std::unexpected(ImageError{"image-entry",
                                      image.path().string() + text(" starts at ", Hex{elf.entry}, ", where it loads nothing"),
                                      "name the address in entry_point"});
}

std::expected<PlacedKernel, ImageError> place_elf(const ImageFile& image, const KernelConfig& kernel, config::Arch arch) {
    const auto elf = parse_elf(image.bytes());
    if (!elf)
        return std::unexpected(ImageError{"image-damaged",
                                          image.path().string() + " is a damaged or unsuitable ELF file: " + elf.error(),
                                          "build or fetch it again"});
    if (elf->machine != machine_of(arch))
        return std::unexpected(ImageError{"image-machine",
                                          image.path().string() + " is for " + std::string(name_of(elf->machine)) +
                                              text(" (e_machine ", u64{elf->machine}, ")"),
                                          "use an image for " + std::string(name_of(machine_of(arch)))});
    const bool fits_as_linked = std::ranges::all_of(
        elf->segments, [&](const ElfSegment& s) { return region_of(kernel, Gpa{s.physical_address}, s.memory_size) != nullptr; });
    const u64 lowest = std::ranges::min(elf->segments, {}, &ElfSegment::physical_address).physical_address;
    const u64 shift = fits_as_linked ? 0 : kernel.kernel_load_addr - lowest;

    PlacedKernel placed{KernelKind::Elf, {}, Gpa{kernel.entry_point}};
    for (const ElfSegment& s : elf->segments) {
        placed.segments.push_back({"kernel", Gpa{s.physical_address + shift}, s.bytes, s.memory_size, image.storage()});
        if (auto fits = check_fits(image, placed.segments.back(), kernel); !fits) return std::unexpected(fits.error());
    }
    if (kernel.entry_point == 0) {
        const auto entry = elf_entry(image, *elf, shift);
        if (!entry) return std::unexpected(entry.error());
        placed.entry = *entry;
    }
    return placed;
}

}  // namespace

std::expected<PlacedKernel, ImageError> place_kernel(const ImageFile& image, const KernelConfig& kernel, config::Arch arch) {
    if (auto refused = refuse_compressed(image)) return std::unexpected(*refused);
    if (is_elf(image.bytes())) return place_elf(image, kernel, arch);

    const ByteView view(image.bytes());
    const auto magic = view.number<u32>(header_magic);
    const bool is_linux = magic == magic_riscv || magic == magic_arm64;
    const config::Arch made_for = magic == magic_riscv ? config::Arch::Riscv64 : config::Arch::Aarch64;
    if (is_linux && made_for != arch)
        return std::unexpected(ImageError{
            "image-machine", image.path().string() + " is a Linux image for " + std::string(name_of(machine_of(made_for))),
            "use an image for " + std::string(name_of(machine_of(arch)))});
    // The header's size counts what the kernel zeroes behind its file, so that nothing is put there.
    const u64 image_size = is_linux ? view.number<u64>(header_image_size).value_or(0) : 0;
    const Segment segment{"kernel", Gpa{kernel.kernel_load_addr}, image.bytes(), std::max<u64>(image.bytes().size(), image_size),
                          image.storage()};
    if (auto fits = check_fits(image, segment, kernel); !fits) return std::unexpected(fits.error());
    const Gpa entry{kernel.entry_point == 0 ? kernel.kernel_load_addr : kernel.entry_point};
    return PlacedKernel{is_linux ? KernelKind::LinuxImage : KernelKind::Raw, {segment}, entry};
}

}  // namespace ax::sim
