#include "sim/config/linux_x86.hpp"

#include <algorithm>

#include "core/base/bits.hpp"
#include "core/config/finding.hpp"
#include "sim/config/byte_view.hpp"
#include "sim/config/byte_writer.hpp"

namespace ax::sim {

namespace {

using config::Hex;

/// Offsets in a bzImage, and in boot_params ("The zero page").
namespace at {
constexpr u64 setup_sects = 0x1f1, syssize = 0x1f4, boot_flag = 0x1fe, jump = 0x201, header = 0x202, version = 0x206,
              type_of_loader = 0x210, loadflags = 0x211, ramdisk_image = 0x218, ramdisk_size = 0x21c, heap_end_ptr = 0x224,
              cmd_line_ptr = 0x228, initrd_addr_max = 0x22c, kernel_alignment = 0x230, relocatable_kernel = 0x234, xloadflags = 0x236,
              cmdline_size = 0x238, pref_address = 0x258, init_size = 0x260;
constexpr u64 acpi_rsdp_addr = 0x070, ext_ramdisk_image = 0x0c0, ext_ramdisk_size = 0x0c4, e820_entries = 0x1e8, e820_table = 0x2d0;
}  // namespace at

constexpr u32 magic = 0x5372'6448;  // "HdrS"
constexpr u16 boot_sector = 0xaa55;
constexpr u64 sector = 512, first_sectors = 4, paragraph = 16;
constexpr u16 oldest_version = 0x20c;
/// "Assigned boot loader IDs": none of those listed.
constexpr u8 unlisted_loader = 0xff;
struct LoadFlags {
    using LoadedHigh = Bits<0>;
    using CanUseHeap = Bits<7>;
};
struct XLoadFlags {
    using Kernel64 = Bits<0>;
    using AnywhereAbove4G = Bits<1>;
};
/// The heap of the real-mode code ends there, less 0x200 as the protocol counts.
constexpr u16 heap_end = 0xfe00;

constexpr u64 one_mib = 0x10'0000;
constexpr u64 zero_page_bytes = 4096;
constexpr std::size_t e820_max = 128, e820_entry_bytes = 20;
/// The last KiB of the first 640 belongs to firmware's data area; ROMs begin at 896 KiB.
constexpr u64 low_usable_end = 0x9'fc00, low_end = 0xa'0000, rom_begin = 0xe'0000;

template <class... Parts>
std::string text(const Parts&... parts) {
    return std::string(config::join(parts...).view());
}

ImageError refusal(const char* rule, const ImageFile& image, std::string what, std::string hint) {
    return {rule, image.path().string() + " " + std::move(what), std::move(hint)};
}

void add_part(std::vector<E820Entry>& map, const GpaRange& ram, u64 begin, u64 end, E820Entry::Type type) {
    const u64 from = std::max(ram.start.value(), begin);
    const u64 to = std::min(ram.end().value(), end);
    if (from < to) map.push_back({{Gpa{from}, to - from}, type});
}

/// "Paging": one PML4 entry, four directories of 2 MiB pages.
std::vector<std::byte> identity_map() {
    constexpr u64 table_entries = 512, directories = 4, huge_page = 0x20'0000;
    constexpr u64 present_writable = 3, page_size_flag = 0x80;
    ByteWriter tables;
    const u64 base = linux_boot::page_tables.value();
    tables.zeros((2 + directories) * page_size);
    tables.put(0, (base + page_size) | present_writable, 8);
    for (u64 d = 0; d < directories; ++d) {
        tables.put(page_size + 8 * d, (base + (2 + d) * page_size) | present_writable, 8);
        for (u64 e = 0; e < table_entries; ++e)
            tables.put((2 + d) * page_size + 8 * e, ((d * table_entries + e) * huge_page) | present_writable | page_size_flag, 8);
    }
    return std::move(tables.bytes());
}

/// Flat code of 64 bits and flat data behind two entries that nobody uses (Intel SDM vol. 3, "Segment Descriptors").
std::vector<std::byte> flat_gdt() {
    constexpr u64 code = 0x00af'9b00'0000'ffff, data = 0x00cf'9300'0000'ffff;
    ByteWriter gdt;
    gdt.zeros(linux_boot::code_selector);
    gdt.number(code, 8);
    gdt.number(data, 8);
    return std::move(gdt.bytes());
}

std::vector<std::byte> boot_params(const BzImage& kernel, std::span<const E820Entry> map, const LinuxBootInput& input) {
    ByteWriter page;
    page.zeros(zero_page_bytes);
    std::ranges::copy(kernel.setup.subspan(at::setup_sects, kernel.header_end - at::setup_sects),
                      page.bytes().begin() + static_cast<std::ptrdiff_t>(at::setup_sects));
    page.put(at::type_of_loader, unlisted_loader, 1);
    page.put(at::cmd_line_ptr, linux_boot::cmdline.value(), 4);
    page.put(at::acpi_rsdp_addr, input.rsdp.value(), 8);
    if (input.initrd) {
        page.put(at::ramdisk_image, input.initrd->start.value() & 0xffff'ffff, 4);
        page.put(at::ext_ramdisk_image, input.initrd->start.value() >> 32, 4);
        page.put(at::ramdisk_size, input.initrd->size & 0xffff'ffff, 4);
        page.put(at::ext_ramdisk_size, input.initrd->size >> 32, 4);
    }
    const std::size_t count = std::min(map.size(), e820_max);
    page.put(at::e820_entries, count, 1);
    std::ranges::copy(e820_bytes(map.first(count)), page.bytes().begin() + static_cast<std::ptrdiff_t>(at::e820_table));
    return std::move(page.bytes());
}

std::optional<ImageError> check_cmdline(const ImageFile& image, const BzImage& kernel, std::string_view cmdline) {
    if (cmdline.size() <= kernel.cmdline_size) return std::nullopt;
    return refusal("linux-cmdline", image,
                   text("takes a command line of ", u64{kernel.cmdline_size}, " characters, not ", u64{cmdline.size()}),
                   "shorten kernel.cmdline");
}

std::vector<std::byte> with_zero(std::string_view text) {
    ByteWriter writer;
    writer.text(text, text.size() + 1);
    return std::move(writer.bytes());
}

std::optional<ImageError> check_load(const ImageFile& image, const BzImage& bz, const config::KernelConfig& kernel, u64 load) {
    const u64 needed = std::max<u64>(bz.init_size, bz.kernel.size());
    if (!bz.is_relocatable && load != bz.preferred_address)
        return refusal("linux-alignment", image, text("runs only at ", Hex{bz.preferred_address}), "load it there");
    if (bz.alignment != 0 && load % bz.alignment != 0)
        return refusal("linux-alignment", image, text("runs at multiples of ", Hex{bz.alignment}, ", not at ", Hex{load}),
                       text("use ", Hex{load / bz.alignment * bz.alignment}));
    if (load < one_mib || load > (u64{1} << 32) - needed)
        return refusal("image-memory", image, text("would lie at ", Hex{load}), "load it between 1 MiB and 4 GiB");
    if (region_of(kernel, Gpa{load}, needed) == nullptr)
        return refusal("image-memory", image,
                       text("needs ", Hex{needed}, " bytes at ", Hex{load}, ", which is not all inside one memory region"),
                       "make the region larger or load it elsewhere");
    return std::nullopt;
}

std::optional<ImageError> check_initrd(const ImageFile& image, const BzImage& bz, u64 load, const GpaRange& initrd) {
    const GpaRange kernel{Gpa{load}, std::max<u64>(bz.init_size, bz.kernel.size())};
    const bool reaches_all = XLoadFlags::AnywhereAbove4G::test(bz.xloadflags);
    if (initrd.wraps() || (!reaches_all && initrd.size != 0 && (initrd.end() - 1).value() > bz.initrd_max))
        return refusal("linux-initrd", image, text("reaches an initrd up to ", Hex{bz.initrd_max}), "load the ramdisk lower");
    if (kernel.overlaps(initrd))
        return refusal("linux-initrd", image,
                       text("unpacks itself into ", Hex{load}, "..", Hex{kernel.end().value()}, ", where the ramdisk is"),
                       text("load the ramdisk at ", Hex{align_up(kernel.end().value(), page_size)}, " or above"));
    return std::nullopt;
}

}  // namespace

std::vector<E820Entry> make_e820(std::span<const GpaRange> ram) {
    std::vector<E820Entry> map;
    for (const GpaRange& range : ram) {
        if (range.wraps()) continue;
        add_part(map, range, 0, low_usable_end, E820Entry::Type::Usable);
        add_part(map, range, low_usable_end, low_end, E820Entry::Type::Reserved);
        add_part(map, range, rom_begin, one_mib, E820Entry::Type::Reserved);
        add_part(map, range, one_mib, ~u64{0}, E820Entry::Type::Usable);
    }
    std::ranges::sort(map, {}, [](const E820Entry& e) { return e.range.start; });
    return map;
}

std::vector<E820Entry> e820_of(const config::KernelConfig& kernel) {
    std::vector<GpaRange> ram;
    for (const config::VmMemConfig& region : kernel.memory_regions)
        if (!region.permissions().device && region.permissions().write) ram.push_back(region.range());
    return make_e820(ram);
}

std::vector<std::byte> e820_bytes(std::span<const E820Entry> map) {
    ByteWriter writer;
    for (const E820Entry& entry : map) {
        writer.number(entry.range.start.value(), 8);
        writer.number(entry.range.size, 8);
        writer.number(index(entry.type), 4);
    }
    static_assert(e820_entry_bytes == 20);
    return std::move(writer.bytes());
}

Segment make_segment(std::string name, Gpa gpa, std::vector<std::byte> bytes) {
    const auto storage = std::make_shared<const std::vector<std::byte>>(std::move(bytes));
    return {std::move(name), gpa, *storage, storage->size(), storage};
}

std::vector<Segment> long_mode_tables() {
    std::vector<Segment> tables;
    tables.push_back(make_segment("gdt", linux_boot::gdt, flat_gdt()));
    tables.push_back(make_segment("page tables", linux_boot::page_tables, identity_map()));
    return tables;
}

bool is_bzimage(const ImageFile& image) { return ByteView(image.bytes()).number<u32>(at::header) == magic; }

std::expected<BzImage, ImageError> parse_bzimage(const ImageFile& image) {
    const ByteView view(image.bytes());
    if (view.number<u32>(at::header) != magic || view.number<u16>(at::boot_flag) != boot_sector)
        return std::unexpected(refusal("image-machine", image, "is no bzImage of Linux", "use arch/x86/boot/bzImage of a kernel"));
    BzImage bz;
    bz.version = view.number<u16>(at::version).value_or(0);
    if (bz.version < oldest_version)
        return std::unexpected(refusal("image-machine", image, text("speaks boot protocol ", Hex{bz.version}, ", older than 2.12"),
                                       "use a kernel from 3.8 on"));
    bz.header_end = at::header + view.number<u8>(at::jump).value_or(0);
    const u64 sectors = view.number<u8>(at::setup_sects).value_or(0);
    const u64 setup_bytes = ((sectors == 0 ? first_sectors : sectors) + 1) * sector;
    const u64 kernel_bytes = u64{view.number<u32>(at::syssize).value_or(0)} * paragraph;
    const auto setup = view.slice(0, setup_bytes);
    if (!setup || bz.header_end > setup_bytes || bz.header_end < at::init_size + 4 || bz.header_end > at::e820_table)
        return std::unexpected(refusal("image-damaged", image, "is cut in its header", "build or fetch it again"));
    // syssize counts whole paragraphs; the file may end within the last one.
    if (kernel_bytes <= linux_boot::entry_offset || view.size() - setup_bytes + paragraph <= kernel_bytes)
        return std::unexpected(refusal("image-damaged", image, text("is cut: its kernel has ", Hex{kernel_bytes}, " bytes, the file ",
                                                                    Hex{view.size() - setup_bytes}),
                                       "build or fetch it again"));
    bz.setup = *setup;
    bz.kernel = image.bytes().subspan(setup_bytes);
    bz.loadflags = view.number<u8>(at::loadflags).value_or(0);
    bz.xloadflags = view.number<u16>(at::xloadflags).value_or(0);
    bz.is_relocatable = view.number<u8>(at::relocatable_kernel) != 0;
    bz.alignment = view.number<u32>(at::kernel_alignment).value_or(0);
    bz.preferred_address = view.number<u64>(at::pref_address).value_or(0);
    bz.init_size = view.number<u32>(at::init_size).value_or(0);
    bz.initrd_max = view.number<u32>(at::initrd_addr_max).value_or(0);
    bz.cmdline_size = view.number<u32>(at::cmdline_size).value_or(0);
    if (!LoadFlags::LoadedHigh::test(bz.loadflags) || !XLoadFlags::Kernel64::test(bz.xloadflags))
        return std::unexpected(refusal("image-machine", image, "has no 64-bit entry", "use a kernel for x86_64"));
    return bz;
}

std::expected<LinuxBoot, ImageError> place_bzimage(const ImageFile& image, const config::KernelConfig& kernel,
                                                   const LinuxBootInput& input) {
    const auto bz = parse_bzimage(image);
    if (!bz) return std::unexpected(bz.error());
    const u64 load = kernel.kernel_load_addr != 0 ? kernel.kernel_load_addr : bz->preferred_address;
    if (auto refused = check_cmdline(image, *bz, kernel.cmdline.view())) return std::unexpected(*refused);
    if (auto refused = check_load(image, *bz, kernel, load)) return std::unexpected(*refused);
    if (input.initrd)
        if (auto refused = check_initrd(image, *bz, load, *input.initrd)) return std::unexpected(*refused);

    LinuxBoot boot;
    boot.segments.push_back({"kernel", Gpa{load}, bz->kernel, bz->kernel.size(), image.storage()});
    for (Segment& table : long_mode_tables()) boot.segments.push_back(std::move(table));
    boot.segments.push_back(make_segment("boot_params", linux_boot::boot_params, boot_params(*bz, e820_of(kernel), input)));
    boot.segments.push_back(make_segment("cmdline", linux_boot::cmdline, with_zero(kernel.cmdline.view())));
    for (const Segment& segment : boot.segments)
        if (region_of(kernel, segment.gpa, segment.memory_size) == nullptr)
            return std::unexpected(refusal("image-memory", image,
                                           text("needs the loader's ", std::string_view(segment.name), " at ", Hex{segment.gpa.value()}),
                                           "give the VM memory from address 0 on"));
    boot.entry = Gpa{load + linux_boot::entry_offset};
    return boot;
}

std::expected<FirmwareKernel, ImageError> kernel_for_firmware(const ImageFile& image, std::string_view cmdline, u64 initrd_size,
                                                              u64 memory_below_4g) {
    const auto bz = parse_bzimage(image);
    if (!bz) return std::unexpected(bz.error());
    if (auto refused = check_cmdline(image, *bz, cmdline)) return std::unexpected(*refused);
    FirmwareKernel parts;
    const u64 needed = parts.kernel_at.value() + std::max<u64>(bz->init_size, bz->kernel.size());
    // Firmware keeps tables of its own at the top of memory.
    constexpr u64 firmware_bytes = 0x10'0000;
    const u64 top = std::min<u64>(memory_below_4g > firmware_bytes ? memory_below_4g - firmware_bytes : 0, u64{bz->initrd_max} + 1);
    if (top < needed || initrd_size > top - needed)
        return std::unexpected(refusal("image-memory", image,
                                       text("and its ramdisk need ", Hex{needed + initrd_size}, " bytes from 0 on"),
                                       "give the VM more memory"));
    parts.initrd_at = Gpa{align_down(top - initrd_size, page_size)};
    ByteWriter setup;
    setup.bytes().assign(bz->setup.begin(), bz->setup.end());
    setup.put(at::type_of_loader, unlisted_loader, 1);
    setup.put(at::loadflags, bz->loadflags | LoadFlags::CanUseHeap::mask, 1);
    setup.put(at::heap_end_ptr, heap_end, 2);
    setup.put(at::cmd_line_ptr, parts.cmdline_at.value(), 4);
    setup.put(at::ramdisk_image, initrd_size == 0 ? 0 : parts.initrd_at.value(), 4);
    setup.put(at::ramdisk_size, initrd_size, 4);
    parts.setup = std::move(setup.bytes());
    parts.kernel = bz->kernel;
    parts.cmdline = with_zero(cmdline);
    return parts;
}

}  // namespace ax::sim
