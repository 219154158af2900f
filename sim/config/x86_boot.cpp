#include "sim/config/x86_boot.hpp"

#include "core/base/bits.hpp"
#include "core/config/check.hpp"
#include "core/config/finding.hpp"
#include "sim/config/elf.hpp"
#include "sim/config/linux_x86.hpp"
#include "sim/config/multiboot.hpp"
#include "sim/config/pvh.hpp"

namespace ax::sim {

namespace {

using config::Hex;

constexpr u64 one_mib = 1 << 20;
constexpr u64 cmdline_bytes = 4096;

template <class... Parts>
std::string text(const Parts&... parts) {
    return std::string(config::join(parts...).view());
}

std::optional<ImageError> check_memory(const ImageFile& image, const config::KernelConfig& kernel, const std::vector<Segment>& segments) {
    for (const Segment& segment : segments)
        if (region_of(kernel, segment.gpa, segment.memory_size) == nullptr)
            return ImageError{"image-memory",
                              image.path().string() + " needs the loader's " + segment.name + text(" at ", Hex{segment.gpa.value()}),
                              "give the VM memory from address 0 on"};
    return std::nullopt;
}

std::expected<X86Boot, ImageError> with_start(PcStart start, const ImageFile& image, const config::KernelConfig& kernel, PlacedKernel placed) {
    X86Boot boot{start, std::move(placed.segments), placed.entry, Gpa{}, 0};
    if (start != PcStart::Long) return boot;
    std::vector<Segment> tables = long_mode_tables();
    if (auto refused = check_memory(image, kernel, tables)) return std::unexpected(*refused);
    for (Segment& table : tables) boot.segments.push_back(std::move(table));
    return boot;
}

std::expected<X86Boot, ImageError> place_linux(const ImageFile& image, const config::KernelConfig& kernel, const X86BootInput& input) {
    auto placed = place_bzimage(image, kernel, {input.initrd, input.rsdp});
    if (!placed) return std::unexpected(placed.error());
    return X86Boot{PcStart::Long, std::move(placed->segments), placed->entry, linux_boot::boot_params, 0};
}

/// What AxVisor's built-in stub, which lies at the entry point, does with a raw image: Multiboot without a header.
std::expected<X86Boot, ImageError> place_raw_multiboot(const ImageFile& image, PlacedKernel placed, const config::KernelConfig& kernel,
                                                       const X86BootInput& input) {
    auto info = place_start_info(image, kernel, multiboot_info(kernel, input));
    if (!info) return std::unexpected(info.error());
    if (!placed.segments.front().range().contains(placed.entry, 1)) placed.entry = placed.segments.front().gpa;
    X86Boot boot{PcStart::Protected, std::move(placed.segments), placed.entry, start_info::info, multiboot_eax};
    for (Segment& segment : *info) boot.segments.push_back(std::move(segment));
    return boot;
}

}  // namespace

std::expected<std::vector<Segment>, ImageError> place_start_info(const ImageFile& image, const config::KernelConfig& kernel,
                                                                 std::vector<std::byte> info) {
    const std::string_view cmdline = kernel.cmdline.view();
    if (cmdline.size() >= cmdline_bytes || info.size() > start_info::info_bytes)
        return std::unexpected(ImageError{"linux-cmdline", text("the command line has ", u64{cmdline.size()}, " characters"), "shorten kernel.cmdline"});
    std::vector<std::byte> line;
    for (const char c : cmdline) line.push_back(static_cast<std::byte>(c));
    line.push_back(std::byte{0});
    std::vector<Segment> segments;
    segments.push_back(make_segment("start information", start_info::info, std::move(info)));
    segments.push_back(make_segment("cmdline", start_info::cmdline, std::move(line)));
    if (auto refused = check_memory(image, kernel, segments)) return std::unexpected(*refused);
    return segments;
}

std::expected<X86Boot, ImageError> place_x86_kernel(const ImageFile& image, const config::KernelConfig& kernel, const X86BootInput& input) {
    const bool starts_bios = kernel.entry_point != 0 && kernel.entry_point < one_mib && input.bios && input.bios->contains(Gpa{kernel.entry_point}, 1);
    const auto place = [&] { return place_kernel(image, kernel, config::Arch::X86_64); };
    if (starts_bios) {
        auto placed = place();
        if (!placed) return std::unexpected(placed.error());
        return with_start(PcStart::Real, image, kernel, *std::move(placed));
    }
    if (is_bzimage(image)) return place_linux(image, kernel, input);
    if (const auto header = find_multiboot(image.bytes())) return place_multiboot(image, *header, kernel, input);
    if (const auto entry = find_pvh_entry(image.bytes())) return place_pvh(image, *entry, kernel, input);

    auto placed = place();
    if (!placed) return std::unexpected(placed.error());
    if (placed->kind == KernelKind::Elf)
        return with_start(is_elf_of_32_bits(image.bytes()) ? PcStart::Protected : PcStart::Long, image, kernel, *std::move(placed));
    if (config::boot_protocol_of(kernel) == config::BootProtocol::Multiboot && !input.bios)
        return place_raw_multiboot(image, *std::move(placed), kernel, input);
    const bool is_low = placed->entry.value() < one_mib;
    return with_start(is_low ? PcStart::Real : PcStart::Long, image, kernel, *std::move(placed));
}

}  // namespace ax::sim
