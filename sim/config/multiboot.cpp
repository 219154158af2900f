#include "sim/config/multiboot.hpp"

#include <algorithm>

#include "core/base/bits.hpp"
#include "core/config/finding.hpp"
#include "sim/config/byte_view.hpp"
#include "sim/config/byte_writer.hpp"
#include "sim/config/elf.hpp"
#include "sim/config/linux_x86.hpp"

namespace ax::sim {

namespace {

using config::Hex;

constexpr u32 magic = 0x1bad'b002;
constexpr u64 search_bytes = 8192, search_step = 4;
/// "Header layout".
namespace at {
constexpr u64 flags = 4, checksum = 8, header_addr = 12, load_addr = 16, load_end_addr = 20, bss_end_addr = 24, entry_addr = 28, end = 32;
}
struct HeaderFlags {
    using PageAlignModules = Bits<0>;
    using MemoryInformation = Bits<1>;
    using VideoMode = Bits<2>;
    using Required = Bits<15, 0>;  ///< whoever does not know one of these may not start the kernel
    using Addresses = Bits<16>;
};
/// "Boot information format".
namespace info_at {
constexpr u64 flags = 0, mem_lower = 4, mem_upper = 8, cmdline = 16, mods_count = 20, mods_addr = 24, mmap_length = 44, mmap_addr = 48,
              boot_loader_name = 64, end = 120;
/// Behind the structure.
constexpr u64 name = 0x80, module = 0xa0, map = 0xc0;
}  // namespace info_at
struct InfoFlags {
    using Memory = Bits<0>;
    using Cmdline = Bits<2>;
    using Modules = Bits<3>;
    using MemoryMap = Bits<6>;
    using LoaderName = Bits<9>;
};
constexpr u64 kib = 1 << 10, one_mib = 1 << 20, four_gib = u64{1} << 32;

template <class... Parts>
std::string text(const Parts&... parts) {
    return std::string(config::join(parts...).view());
}

ImageError refusal(const char* rule, const ImageFile& image, std::string what, std::string hint) {
    return {rule, image.path().string() + " " + std::move(what), std::move(hint)};
}

/// Bytes of memory from `start` on, as far as one usable range of the map reaches.
u64 usable_from(std::span<const E820Entry> map, u64 start) {
    for (const E820Entry& entry : map)
        if (entry.type == E820Entry::Type::Usable && entry.range.contains(Gpa{start}, 1)) return entry.range.end().value() - start;
    return 0;
}

/// The image as its header's address fields place it.
std::expected<PlacedKernel, ImageError> place_by_addresses(const ImageFile& image, const MultibootHeader& h) {
    const auto damaged = [&](std::string what) { return std::unexpected(refusal("image-damaged", image, std::move(what), "build it again")); };
    const u64 before_header = u64{h.header_addr} - h.load_addr;
    if (h.header_addr < h.load_addr || before_header > h.offset)
        return damaged(text("has a Multiboot header that lies at ", Hex{h.header_addr}, " and below what it loads at ", Hex{h.load_addr}));
    const u64 from = h.offset - before_header;
    u64 bytes = image.bytes().size() - from;
    if (h.load_end_addr != 0) {
        if (h.load_end_addr < h.load_addr || u64{h.load_end_addr} - h.load_addr > bytes)
            return damaged(text("has a Multiboot header that loads up to ", Hex{h.load_end_addr}, ", beyond the end of the file"));
        bytes = h.load_end_addr - h.load_addr;
    }
    const u64 with_bss = std::max(bytes, u64{h.bss_end_addr} - std::min(h.bss_end_addr, h.load_addr));
    PlacedKernel placed{KernelKind::Raw, {}, Gpa{h.entry_addr}};
    placed.segments.push_back({"kernel", Gpa{h.load_addr}, image.bytes().subspan(from, bytes), with_bss, image.storage()});
    return placed;
}

std::optional<ImageError> check_features(const ImageFile& image, const MultibootHeader& h, const X86BootInput& input) {
    constexpr u64 known = HeaderFlags::PageAlignModules::mask | HeaderFlags::MemoryInformation::mask | HeaderFlags::VideoMode::mask;
    if ((HeaderFlags::Required::get(h.flags) & ~known) != 0)
        return refusal("multiboot-features", image, text("asks for features of Multiboot that do not exist, flags ", Hex{h.flags}), "build it for Multiboot 0.6.96");
    if (!input.initrd) return std::nullopt;
    if (input.initrd->wraps() || input.initrd->end().value() > four_gib)
        return refusal("multiboot-module", image, "reaches modules below 4 GiB alone", "load the ramdisk lower");
    if (h.aligns_modules() && input.initrd->start.value() % page_size != 0)
        return refusal("multiboot-module", image, text("wants modules at page boundaries, not at ", Hex{input.initrd->start.value()}),
                       text("load the ramdisk at ", Hex{align_up(input.initrd->start.value(), page_size)}));
    return std::nullopt;
}

std::expected<PlacedKernel, ImageError> place_image(const ImageFile& image, const MultibootHeader& header, const config::KernelConfig& kernel) {
    if (!header.has_addresses()) {
        if (is_elf(image.bytes())) return place_kernel(image, kernel, config::Arch::X86_64);
        return std::unexpected(refusal("image-damaged", image, "has a Multiboot header that does not say where it goes, and is no ELF file", "set bit 16 of its flags, or build an ELF file"));
    }
    auto placed = place_by_addresses(image, header);
    if (!placed) return placed;
    if (kernel.entry_point != 0) placed->entry = Gpa{kernel.entry_point};
    const Segment& segment = placed->segments.front();
    if (region_of(kernel, segment.gpa, segment.memory_size) == nullptr)
        return std::unexpected(refusal("image-memory", image,
                                       text("needs ", Hex{segment.memory_size}, " bytes at ", Hex{segment.gpa.value()},
                                            ", which is not all inside one memory region"),
                                       "make the region larger"));
    return placed;
}

}  // namespace

bool MultibootHeader::has_addresses() const { return HeaderFlags::Addresses::test(flags); }
bool MultibootHeader::aligns_modules() const { return HeaderFlags::PageAlignModules::test(flags); }

std::optional<MultibootHeader> find_multiboot(std::span<const std::byte> file) {
    const ByteView view(file.first(std::min<std::size_t>(file.size(), search_bytes)));
    for (u64 offset = 0; view.slice(offset, at::checksum + 4); offset += search_step) {
        if (view.number<u32>(offset) != magic) continue;
        MultibootHeader header;
        header.offset = offset;
        header.flags = *view.number<u32>(offset + at::flags);
        if (magic + header.flags + *view.number<u32>(offset + at::checksum) != 0u) continue;
        if (!header.has_addresses()) return header;
        if (!view.slice(offset, at::end)) continue;
        header.header_addr = *view.number<u32>(offset + at::header_addr);
        header.load_addr = *view.number<u32>(offset + at::load_addr);
        header.load_end_addr = *view.number<u32>(offset + at::load_end_addr);
        header.bss_end_addr = *view.number<u32>(offset + at::bss_end_addr);
        header.entry_addr = *view.number<u32>(offset + at::entry_addr);
        return header;
    }
    return std::nullopt;
}

std::vector<std::byte> multiboot_info(const config::KernelConfig& kernel, const X86BootInput& input) {
    constexpr std::string_view loader = "axsim";
    constexpr u64 base = start_info::info.value(), entry_bytes = 20;
    const std::vector<E820Entry> map = e820_of(kernel);
    ByteWriter info;
    info.zeros(info_at::map);
    u64 flags = InfoFlags::Memory::mask | InfoFlags::Cmdline::mask | InfoFlags::MemoryMap::mask | InfoFlags::LoaderName::mask;
    info.put(info_at::mem_lower, usable_from(map, 0) / kib, 4);
    info.put(info_at::mem_upper, std::min(usable_from(map, one_mib), four_gib - one_mib) / kib, 4);
    info.put(info_at::cmdline, start_info::cmdline.value(), 4);
    info.put(info_at::boot_loader_name, base + info_at::name, 4);
    for (std::size_t i = 0; i < loader.size(); ++i) info.put(info_at::name + i, static_cast<u8>(loader[i]), 1);
    if (input.initrd) {
        flags |= InfoFlags::Modules::mask;
        info.put(info_at::mods_count, 1, 4);
        info.put(info_at::mods_addr, base + info_at::module, 4);
        info.put(info_at::module, input.initrd->start.value(), 4);
        info.put(info_at::module + 4, input.initrd->end().value(), 4);
    }
    for (const E820Entry& entry : map) {
        info.number(entry_bytes, 4);
        info.number(entry.range.start.value(), 8);
        info.number(entry.range.size, 8);
        info.number(index(entry.type), 4);
    }
    info.put(info_at::mmap_length, info.size() - info_at::map, 4);
    info.put(info_at::mmap_addr, base + info_at::map, 4);
    info.put(info_at::flags, flags, 4);
    static_assert(info_at::end <= info_at::name);
    return std::move(info.bytes());
}

std::expected<X86Boot, ImageError> place_multiboot(const ImageFile& image, const MultibootHeader& header, const config::KernelConfig& kernel,
                                                   const X86BootInput& input) {
    if (auto refused = check_features(image, header, input)) return std::unexpected(*refused);
    auto placed = place_image(image, header, kernel);
    if (!placed) return std::unexpected(placed.error());
    auto info = place_start_info(image, kernel, multiboot_info(kernel, input));
    if (!info) return std::unexpected(info.error());
    X86Boot boot{PcStart::Protected, std::move(placed->segments), placed->entry, start_info::info, multiboot_eax};
    for (Segment& segment : *info) boot.segments.push_back(std::move(segment));
    return boot;
}

}  // namespace ax::sim
