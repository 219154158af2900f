// Rules over the `kernel` table: memory regions, entry point, load addresses.
#include "core/base/bits.hpp"
#include "core/config/check.hpp"

namespace ax::config {

using namespace std::string_view_literals;

namespace {

FixedString<95> region_key(std::size_t i, std::string_view field = {}) {
    return key_path("kernel.memory_regions[", u64{i}, "]", field);
}

Message range_text(const GpaRange& range) { return join(Hex{range.start.value()}, "..", Hex{range.end().value()}); }

}  // namespace

void check_has_memory(const KernelConfig& kernel, FindingSink& sink) {
    if (!kernel.memory_regions.empty()) return;
    sink.report({Severity::Error, "no-memory", "kernel.memory_regions", "the VM has no memory",
                 "add a region, for example [0x8000_0000, 0x1000_0000, 0x7, 0]"});
}

void check_region_shape(const KernelConfig& kernel, FindingSink& sink) {
    for (std::size_t i = 0; i < kernel.memory_regions.size(); ++i) {
        const VmMemConfig& region = kernel.memory_regions[i];
        if (region.gpa % page_size != 0)
            sink.report({Severity::Error, "region-alignment", region_key(i, ".gpa"sv),
                         join(Hex{region.gpa}, " is not a multiple of the page size 0x1000"),
                         join("use ", Hex{align_down(region.gpa, page_size)})});
        if (region.size == 0)
            sink.report({Severity::Error, "region-size", region_key(i, ".size"sv), "the region is empty",
                         "give its size in bytes, or remove the region"});
        if (region.size % page_size != 0)
            sink.report({Severity::Error, "region-size", region_key(i, ".size"sv),
                         join(Hex{region.size}, " is not a multiple of the page size 0x1000"), "use a whole number of pages"});
        if (region.range().wraps())
            sink.report({Severity::Error, "region-wrap", region_key(i, ".size"sv),
                         join("the region from ", Hex{region.gpa}, " runs past the end of the 64-bit address space"),
                         "make it smaller or move it down"});
    }
}

void check_region_flags(const KernelConfig& kernel, FindingSink& sink) {
    for (std::size_t i = 0; i < kernel.memory_regions.size(); ++i) {
        const u64 flags = kernel.memory_regions[i].flags;
        if ((flags & ~mapping_flags::all) != 0)
            sink.report({Severity::Error, "region-flags", region_key(i, ".flags"sv),
                         join("bits ", Hex{flags & ~mapping_flags::all}, " of ", Hex{flags}, " have no meaning"),
                         "add up read 0x1, write 0x2, execute 0x4, user 0x8, device 0x10, uncached 0x20"});
        if ((flags & (mapping_flags::read | mapping_flags::write | mapping_flags::execute)) == 0)
            sink.report({Severity::Error, "region-flags", region_key(i, ".flags"sv),
                         join("flags ", Hex{flags}, " let the guest neither read, write nor execute"),
                         "use 0x7 for plain memory"});
        if ((flags & mapping_flags::device) != 0)
            sink.report({Severity::Warning, "region-device", region_key(i, ".flags"sv),
                         join("flags ", Hex{flags}, " ask for device memory, which is no RAM"),
                         "describe it in devices.passthrough_devices"});
    }
}

void check_region_overlap(const KernelConfig& kernel, FindingSink& sink) {
    for (std::size_t i = 0; i < kernel.memory_regions.size(); ++i) {
        const GpaRange range = kernel.memory_regions[i].range();
        for (std::size_t j = 0; j < i; ++j) {
            const GpaRange other = kernel.memory_regions[j].range();
            if (!range.overlaps(other)) continue;
            sink.report({Severity::Error, "region-overlap", region_key(i),
                         join(range_text(range).view(), " overlaps memory_regions[", u64{j}, "], ", range_text(other).view()),
                         "move one of them, or make it smaller"});
        }
    }
}

void check_entry_point(const KernelConfig& kernel, FindingSink& sink) {
    if (kernel.entry_point == 0 || kernel.memory_regions.empty()) return;
    const VmMemConfig* region = region_of(kernel, Gpa{kernel.entry_point}, 1);
    if (region == nullptr) {
        sink.report({Severity::Error, "entry-point", "kernel.entry_point",
                     join(Hex{kernel.entry_point}, " lies in none of the memory regions"),
                     "use an address in one of them, or 0 for the entry that the kernel image names"});
    } else if (!region->permissions().execute) {
        sink.report({Severity::Error, "entry-point", "kernel.entry_point",
                     join(Hex{kernel.entry_point}, " lies in a region that is not executable, flags ", Hex{region->flags}),
                     "add 0x4 to the region's flags"});
    }
}

void check_load_addresses(const KernelConfig& kernel, FindingSink& sink) {
    if (kernel.memory_regions.empty()) return;
    // Where boards show their firmware's ROM: the last 16 MiB below 4 GiB.
    constexpr u64 rom_begin = 0xff00'0000, rom_end = 0x1'0000'0000;
    const auto check = [&](std::string_view key, std::optional<u64> address) {
        if (!address || region_of(kernel, Gpa{*address}, 1) != nullptr) return;
        const bool is_rom = *address >= rom_begin && *address < rom_end;
        const u64 page = align_down(*address, page_size);
        sink.report({Severity::Error, "load-address", key_path(key), join(Hex{*address}, " lies in none of the memory regions"),
                     is_rom ? join("add a region for the ROM: [", Hex{page}, ", ", Hex{rom_end - page}, ", 0x5, 0]") : join("use an address in one of them")});
    };
    check("kernel.kernel_load_addr"sv, kernel.kernel_load_addr);
    // An address without an image is left over from editing and places nothing, except for the DTB,
    // which is then generated.
    if (!kernel.bios_path.empty()) check("kernel.bios_load_addr"sv, kernel.bios_load_addr);
    if (!kernel.ramdisk_path.empty()) check("kernel.ramdisk_load_addr"sv, kernel.ramdisk_load_addr);
    check("kernel.dtb_load_addr"sv, kernel.dtb_load_addr);
    if (kernel.dtb_load_addr && *kernel.dtb_load_addr % 8 != 0)
        sink.report({Severity::Error, "load-address", "kernel.dtb_load_addr",
                     join(Hex{*kernel.dtb_load_addr}, " is not a multiple of 8, as a device tree must be"),
                     join("use ", Hex{align_down(*kernel.dtb_load_addr, 8)})});
}

void check_image_pairs(const KernelConfig& kernel, FindingSink& sink) {
    const auto check = [&](std::string_view path_key, std::string_view address_key, const Path& path, bool has_address) {
        if (path.empty() || has_address) return;
        sink.report({Severity::Error, "image-address", key_path("kernel.", path_key),
                     join("there is no ", address_key, " to say where it goes"), join("add ", address_key)});
    };
    check("bios_path"sv, "bios_load_addr"sv, kernel.bios_path, kernel.bios_load_addr.has_value());
    check("dtb_path"sv, "dtb_load_addr"sv, kernel.dtb_path, kernel.dtb_load_addr.has_value());
    check("ramdisk_path"sv, "ramdisk_load_addr"sv, kernel.ramdisk_path, kernel.ramdisk_load_addr.has_value());
    if (kernel.kernel_path.empty())
        sink.report({Severity::Error, "image-path", "kernel.kernel_path", "the path is empty", "name the kernel image"});
}

}  // namespace ax::config
