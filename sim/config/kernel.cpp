#include "sim/config/kernel.hpp"

#include <algorithm>

#include "core/base/bits.hpp"
#include "core/config/finding.hpp"
#include "sim/config/byte_view.hpp"
#include "sim/config/elf.hpp"

namespace ax::sim {

namespace {

using config::Hex;
using config::KernelConfig;

// Linux Documentation, "Boot image header in RISC-V Linux" and "Booting AArch64 Linux": one layout.
constexpr u64 header_text_offset = 8;
constexpr u64 header_image_size = 16;
constexpr u64 header_flags = 24;
constexpr u64 header_magic = 0x38;
constexpr u32 magic_riscv = 0x0543'5352;  // "RSC\x05"
constexpr u32 magic_arm64 = 0x644d'5241;  // "ARMd"
constexpr u32 magic_zboot = 0x676d'697a;  // "zimg", at 4: an EFI image that unpacks itself
using BigEndianFlag = Bits<0>;
/// Kernels from before 3.17 left image_size 0, and text_offset was to be taken for this.
constexpr u64 old_arm64_text_offset = 0x8'0000;
// Linux Documentation, "The Linux/x86 Boot Protocol".
constexpr u64 bzimage_header = 0x202;
constexpr u32 magic_bzimage = 0x5372'6448;  // "HdrS"
// Microsoft, "PE Format": MS-DOS stub, signature, COFF file header.
constexpr u16 magic_mz = 0x5a4d;
constexpr u64 pe_header_pointer = 0x3c;
constexpr u32 magic_pe = 0x4550;  // "PE\0\0"

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
    if ((first & 0xffff) == magic_mz && view.number<u32>(4) == magic_zboot)
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
    if (machine == index(ElfMachine::I386)) return "i386";
    if (machine == index(ElfMachine::X86_64)) return "x86_64";
    if (machine == index(ElfMachine::Aarch64)) return "aarch64";
    if (machine == index(ElfMachine::Riscv)) return "riscv";
    return "another machine";
}

std::optional<config::Arch> arch_of_machine(u16 machine) {
    if (machine == index(ElfMachine::I386)) return config::Arch::X86_64;
    for (const config::Arch arch : {config::Arch::X86_64, config::Arch::Aarch64, config::Arch::Riscv64})
        if (machine == machine_of(arch)) return arch;
    return std::nullopt;
}

std::optional<config::Arch> arch_of_linux(const ByteView& view) {
    const u32 magic = view.number<u32>(header_magic).value_or(0);
    if (magic == magic_riscv) return config::Arch::Riscv64;
    if (magic == magic_arm64) return config::Arch::Aarch64;
    return std::nullopt;
}

bool is_bzimage(const ByteView& view) { return view.number<u32>(bzimage_header) == magic_bzimage; }

/// The machine of an EFI program, by the numbers of the PE format; none when it is no such program.
std::optional<u16> pe_machine(const ByteView& view) {
    if (view.number<u16>(0) != magic_mz) return std::nullopt;
    const u64 at = view.number<u32>(pe_header_pointer).value_or(0);
    if (view.number<u32>(at) != magic_pe) return std::nullopt;
    return view.number<u16>(at + sizeof magic_pe);
}

std::optional<config::Arch> arch_of_pe(u16 machine) {
    constexpr u16 amd64 = 0x8664, arm64 = 0xaa64, riscv64 = 0x5064;
    if (machine == amd64) return config::Arch::X86_64;
    if (machine == arm64) return config::Arch::Aarch64;
    if (machine == riscv64) return config::Arch::Riscv64;
    return std::nullopt;
}

ImageError wrong_machine(const ImageFile& image, std::string_view what, config::Arch made_for, config::Arch arch) {
    return {"image-machine", image.path().string() + " is " + std::string(what) + " for " + std::string(name_of(machine_of(made_for))),
            "use an image for " + std::string(name_of(machine_of(arch)))};
}

/// What is neither ELF nor a Linux Image of `arch`, but would pass for a raw image.
std::optional<ImageError> refuse_foreign(const ImageFile& image, config::Arch arch) {
    const ByteView view(image.bytes());
    if (arch == config::Arch::X86_64) return std::nullopt;
    if (is_bzimage(view)) return wrong_machine(image, "a Linux image", config::Arch::X86_64, arch);
    const auto machine = pe_machine(view);
    if (!machine) return std::nullopt;
    if (const auto made_for = arch_of_pe(*machine); made_for && *made_for != arch)
        return wrong_machine(image, "an EFI program", *made_for, arch);
    return ImageError{"image-efi", image.path().string() + " is an EFI program, which needs UEFI firmware to start it",
                      "use the plain Image or ELF file of the same program"};
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
    // Kernels that move themselves to their virtual addresses name the physical one.
    for (const ElfSegment& segment : elf.segments)
        if (elf.entry - segment.physical_address < segment.memory_size) return Gpa{elf.entry + shift};
    return std::unexpected(ImageError{"image-entry",
                                      image.path().string() + text(" starts at ", Hex{elf.entry}, ", where it loads nothing"),
                                      "name the address in entry_point"});
}

std::expected<PlacedKernel, ImageError> place_elf(const ImageFile& image, const KernelConfig& kernel, config::Arch arch) {
    auto elf = parse_elf(image.bytes());
    if (is_elf_of_32_bits(image.bytes()) && arch != config::Arch::X86_64) elf = std::unexpected("it is not of 64 bits");
    if (!elf)
        return std::unexpected(ImageError{"image-damaged",
                                          image.path().string() + " is a damaged or unsuitable ELF file: " + elf.error(),
                                          "build or fetch it again"});
    if (arch_of_machine(elf->machine) != arch)
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
    const auto made_for = arch_of_linux(view);
    if (made_for && *made_for != arch) return std::unexpected(wrong_machine(image, "a Linux image", *made_for, arch));
    if (!made_for)
        if (auto refused = refuse_foreign(image, arch)) return std::unexpected(*refused);
    if (made_for && BigEndianFlag::test(view.number<u64>(header_flags).value_or(0)))
        return std::unexpected(ImageError{"image-machine", image.path().string() + " is a big-endian Linux image",
                                          "use an image of a little-endian kernel"});
    // The header's size counts what the kernel zeroes behind its file, so that nothing is put there.
    const u64 image_size = made_for ? view.number<u64>(header_image_size).value_or(0) : 0;
    const Segment segment{"kernel", Gpa{kernel.kernel_load_addr}, image.bytes(), std::max<u64>(image.bytes().size(), image_size),
                          image.storage()};
    if (auto fits = check_fits(image, segment, kernel); !fits) return std::unexpected(fits.error());
    PlacedKernel placed{made_for ? KernelKind::LinuxImage : KernelKind::Raw, {segment},
                        Gpa{kernel.entry_point == 0 ? kernel.kernel_load_addr : kernel.entry_point}};
    if (made_for) placed.text_offset = view.number<u64>(header_text_offset).value_or(0);
    if (made_for == config::Arch::Aarch64 && image_size == 0) placed.text_offset = old_arm64_text_offset;
    return placed;
}

std::optional<config::Arch> arch_of(const ImageFile& image) {
    const ByteView view(image.bytes());
    if (is_elf(image.bytes())) {
        const auto elf = parse_elf(image.bytes());
        return elf ? arch_of_machine(elf->machine) : std::nullopt;
    }
    if (const auto arch = arch_of_linux(view)) return arch;
    if (is_bzimage(view)) return config::Arch::X86_64;
    const auto machine = pe_machine(view);
    return machine ? arch_of_pe(*machine) : std::nullopt;
}

}  // namespace ax::sim
