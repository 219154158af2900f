#include "sim/config/pvh.hpp"

#include <algorithm>

#include "core/base/bits.hpp"
#include "core/config/finding.hpp"
#include "sim/config/byte_view.hpp"
#include "sim/config/byte_writer.hpp"
#include "sim/config/elf.hpp"
#include "sim/config/linux_x86.hpp"

namespace ax::sim {

namespace {

constexpr std::string_view note_name = "Xen";
constexpr u32 note_phys32_entry = 18;
constexpr u32 start_magic = 0x336e'c578;  // "xEn3" with bit 7 of the E set
constexpr u32 version = 1;
/// Offsets in `hvm_start_info`; behind it lie the list of modules and the memory map.
namespace at {
constexpr u64 version = 4, nr_modules = 12, modlist = 16, cmdline = 24, rsdp = 32, memmap = 40, memmap_entries = 48;
constexpr u64 module = 0x40, map = 0x60;
}  // namespace at

}  // namespace

std::optional<u64> find_pvh_entry(std::span<const std::byte> file) {
    const auto note = elf_note(file, note_name, note_phys32_entry);
    if (!note) return std::nullopt;
    // As wide as the words of the file; the upper half of 8 bytes is zero.
    return ByteView(*note).number<u32>(0);
}

std::vector<std::byte> hvm_start_info(const config::KernelConfig& kernel, const X86BootInput& input) {
    constexpr u64 base = start_info::info.value();
    const std::vector<E820Entry> map = e820_of(kernel);
    ByteWriter info;
    info.zeros(at::map);
    info.put(0, start_magic, 4);
    info.put(at::version, version, 4);
    info.put(at::cmdline, start_info::cmdline.value(), 8);
    info.put(at::rsdp, input.rsdp.value(), 8);
    if (input.initrd) {
        info.put(at::nr_modules, 1, 4);
        info.put(at::modlist, base + at::module, 8);
        info.put(at::module, input.initrd->start.value(), 8);
        info.put(at::module + 8, input.initrd->size, 8);
    }
    info.put(at::memmap, base + at::map, 8);
    info.put(at::memmap_entries, map.size(), 4);
    for (const E820Entry& entry : map) {
        info.number(entry.range.start.value(), 8);
        info.number(entry.range.size, 8);
        info.number(index(entry.type), 4);
        info.number(0, 4);
    }
    return std::move(info.bytes());
}

std::expected<X86Boot, ImageError> place_pvh(const ImageFile& image, u64 pvh_entry, const config::KernelConfig& kernel, const X86BootInput& input) {
    // The file's own entry is for other loaders, and need not make sense here.
    config::KernelConfig with_entry = kernel;
    if (with_entry.entry_point == 0) with_entry.entry_point = pvh_entry;
    auto placed = place_kernel(image, with_entry, config::Arch::X86_64);
    if (!placed) return std::unexpected(placed.error());
    const auto is_inside = [&](Gpa entry) {
        return std::ranges::any_of(placed->segments, [&](const Segment& s) { return s.range().contains(entry, 1); });
    };
    if (kernel.entry_point == 0) {
        const auto elf = parse_elf(image.bytes());
        if (elf) placed->entry = Gpa{pvh_entry + (placed->segments.front().gpa.value() - elf->segments.front().physical_address)};
        if (!is_inside(placed->entry))
            return std::unexpected(ImageError{"image-entry",
                                              image.path().string() + " names the PVH entry " +
                                                  std::string(config::join(config::Hex{pvh_entry}, ", where it loads nothing").view()),
                                              "name the address in entry_point"});
    }
    auto info = place_start_info(image, kernel, hvm_start_info(kernel, input));
    if (!info) return std::unexpected(info.error());
    X86Boot boot{PcStart::Protected, std::move(placed->segments), placed->entry, start_info::info, 0};
    for (Segment& segment : *info) boot.segments.push_back(std::move(segment));
    return boot;
}

}  // namespace ax::sim
