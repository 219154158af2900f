#include "sim/config/firmware.hpp"

#include <algorithm>

#include "core/base/bits.hpp"
#include "core/config/finding.hpp"

namespace ax::sim {

namespace {

using config::Hex;

constexpr u64 one_mib = 1 << 20, four_gib = u64{1} << 32, low_copy_bytes = 0x2'0000;

template <class... Parts>
std::string text(const Parts&... parts) {
    return std::string(config::join(parts...).view());
}

ImageError refusal(const char* rule, const ImageFile& image, std::string what, std::string hint) {
    return {rule, image.path().string() + " " + std::move(what), std::move(hint)};
}

}  // namespace

bool is_reset_rom(Gpa at, u64 bytes) { return bytes <= four_gib && at == Gpa{four_gib - bytes}; }

std::expected<std::vector<Segment>, ImageError> place_rom(const ImageFile& rom, const config::KernelConfig& kernel) {
    const u64 bytes = rom.bytes().size();
    const u64 low_bytes = std::min(bytes, low_copy_bytes);
    std::vector<Segment> segments;
    segments.push_back({"bios", Gpa{four_gib - bytes}, rom.bytes(), bytes, rom.storage()});
    segments.push_back({"low copy of the bios", Gpa{one_mib - low_bytes}, rom.bytes().last(low_bytes), low_bytes, rom.storage()});
    const config::VmMemConfig* high = region_of(kernel, segments[0].gpa, bytes);
    if (high == nullptr)
        return std::unexpected(refusal("image-memory", rom, text("needs memory for a ROM at ", Hex{four_gib - bytes}, "..", Hex{four_gib}),
                                       text("add the region [", Hex{align_down(four_gib - bytes, page_size)}, ", ",
                                            Hex{align_up(bytes, page_size)}, ", 0x5, 0]")));
    if (high->permissions().write)
        return std::unexpected(refusal("rom-writable", rom, text("lies in memory that the VM may write, flags ", Hex{high->flags}), "use flags 0x5 for a ROM"));
    if (region_of(kernel, segments[1].gpa, low_bytes) == nullptr)
        return std::unexpected(refusal("image-memory", rom, text("needs memory for its copy at ", Hex{one_mib - low_bytes}, "..", Hex{one_mib}),
                                       "give the VM memory from address 0 on"));
    return segments;
}

u64 memory_below_4g(std::span<const config::VmMemConfig> regions) {
    u64 end = 0;
    // Each round a region continues what there is; there are at most as many rounds as regions.
    for (std::size_t round = 0; round < regions.size(); ++round)
        for (const config::VmMemConfig& region : regions)
            if (region.permissions().write && !region.permissions().device && region.gpa <= end && !region.range().wraps())
                end = std::max(end, region.range().end().value());
    return std::min(end, four_gib);
}

std::expected<FirmwareInput, ImageError> make_firmware_input(FirmwareImages images, const config::AxVMCrateConfig& config) {
    FirmwareInput input;
    input.memory_below_4g = memory_below_4g({config.kernel.memory_regions.begin(), config.kernel.memory_regions.end()});
    input.cpus = static_cast<u32>(config.base.cpu_num);
    input.e820 = e820_bytes(e820_of(config.kernel));
    input.images = std::move(images);
    if (input.images.kernel) {
        if (!is_bzimage(*input.images.kernel))
            return std::unexpected(refusal("firmware-kernel", *input.images.kernel, "is no bzImage, and firmware is given no other kernel",
                                           "to run the firmware alone, name it in kernel_path, with its address in kernel_load_addr"));
        auto parts = kernel_for_firmware(*input.images.kernel, config.kernel.cmdline.view(),
                                         input.images.initrd ? input.images.initrd->bytes().size() : 0, input.memory_below_4g);
        if (!parts) return std::unexpected(parts.error());
        input.kernel = std::move(*parts);
    }
    auto acpi = make_acpi_tables({.cpus = input.cpus}, Gpa{0});
    if (!acpi) return std::unexpected(ImageError{"acpi", "cannot make ACPI tables: " + acpi.error(), "use fewer CPUs"});
    input.table_loader = make_table_loader(*acpi);
    input.rsdp = std::move(acpi->rsdp);
    input.tables = std::move(acpi->tables);
    return input;
}

}  // namespace ax::sim
