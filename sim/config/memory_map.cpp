#include "sim/config/memory_map.hpp"

#include <algorithm>
#include <array>
#include <tuple>

#include "core/config/device_type.hpp"
#include "core/config/gic_layout.hpp"
#include "sim/base/text.hpp"

namespace ax::sim {

namespace {

using config::VmMemMappingType;

std::string rights_text(const config::VmMemConfig& region) {
    const mm::Permissions p = region.permissions();
    std::string text;
    text += p.read ? 'R' : '-';
    text += p.write ? 'W' : '-';
    text += p.execute ? 'X' : '-';
    if (p.device) text += " device";
    switch (region.map_type) {
        case VmMemMappingType::MapAlloc: return text + ", allocated";
        case VmMemMappingType::MapIdentical: return text + ", host address equal";
        case VmMemMappingType::MapReserved: return text + ", reserved on the host";
    }
    return text;
}

std::string irq_text(u64 irq) { return irq == 0 ? std::string() : ", irq " + std::to_string(irq); }

void add_images(const VmFile& vm, std::vector<MapEntry>& map) {
    const config::KernelConfig& kernel = vm.config.kernel;
    const auto add = [&](const std::string& name, const std::optional<std::filesystem::path>& path, std::optional<u64> address) {
        if (!path || !address) return;
        std::error_code error;
        const std::uintmax_t size = std::filesystem::file_size(*path, error);
        map.push_back({MapEntryKind::Image, {Gpa{*address}, error ? 1 : static_cast<u64>(size)}, name,
                       path->string() + (error ? " (cannot be read)" : "")});
    };
    add("kernel", vm.images.kernel, kernel.kernel_load_addr);
    add("bios", vm.images.bios, kernel.bios_load_addr);
    add("dtb", vm.images.dtb, kernel.dtb_load_addr);
    add("ramdisk", vm.images.ramdisk, kernel.ramdisk_load_addr);
    if (!vm.images.dtb && kernel.dtb_load_addr) map.push_back({MapEntryKind::Image, {Gpa{*kernel.dtb_load_addr}, 1}, "dtb", "generated"});
}

/// Which of a GIC's windows this is.
std::string part_text(const config::EmulatedDeviceConfig& device, std::size_t window) {
    if (device.emu_type != config::EmulatedDeviceType::InterruptController) return {};
    const bool is_v2 = config::gic_version_of(device) == 2;
    const std::string version = is_v2 ? ", GICv2 " : ", GICv3 ";
    if (window == 0) return version + "distributor";
    return version + (is_v2 ? "CPU interface" : "redistributors");
}

void add_devices(const config::DeviceConfig& devices, u64 cpu_num, std::vector<MapEntry>& map) {
    for (const config::EmulatedDeviceConfig& device : devices.emu_devices) {
        if (device.has_ports()) continue;
        const auto windows = config::windows_of(device, cpu_num);
        for (std::size_t i = 0; i < windows.size(); ++i)
            map.push_back({MapEntryKind::Emulated, windows[i], std::string(device.name.view()),
                           std::string(config::to_text(device.emu_type)) + part_text(device, i) + irq_text(device.irq_id)});
    }
    for (const config::PassThroughDeviceConfig& device : devices.passthrough_devices)
        if (device.length != 0)
            map.push_back({MapEntryKind::PassThrough, device.range(), std::string(device.name.view()),
                           "host " + hex(device.base_hpa) + irq_text(device.irq_id)});
    for (const config::PassThroughAddressConfig& window : devices.passthrough_addresses)
        map.push_back({MapEntryKind::PassThrough, window.range(), "window", "host " + hex(window.base_gpa)});
}

constexpr std::size_t address_digits = 12;

std::string line_of(const MapEntry& entry, std::size_t name_width) {
    const bool is_image = entry.kind == MapEntryKind::Image;
    std::string line = is_image ? "    " : "  ";
    line += hex(entry.range.start.value(), address_digits) + " - " + hex((entry.range.end() - 1).value(), address_digits);
    line += is_image ? " " : "   ";
    line += pad_left(is_image && entry.range.size == 1 ? "?" : size_text(entry.range.size), 12) + "  " +
            pad_right(std::string(to_text(entry.kind)), 14) + "  " + pad_right(entry.name, name_width) + "  " + entry.detail;
    return line + "\n";
}

}  // namespace

std::string_view to_text(MapEntryKind kind) {
    switch (kind) {
        case MapEntryKind::Memory: return "memory";
        case MapEntryKind::Image: return "image";
        case MapEntryKind::Emulated: return "emulated";
        case MapEntryKind::PassThrough: return "passed through";
    }
    return "unknown";
}

std::string size_text(u64 bytes) {
    constexpr std::array<std::string_view, 5> units = {" B", " KiB", " MiB", " GiB", " TiB"};
    std::size_t unit = 0;
    while (unit + 1 < units.size() && bytes != 0 && bytes % 1024 == 0) {
        bytes /= 1024;
        ++unit;
    }
    return std::to_string(bytes).append(units[unit]);
}

std::vector<MapEntry> memory_map_of(const VmFile& vm) {
    std::vector<MapEntry> map;
    for (const config::VmMemConfig& region : vm.config.kernel.memory_regions)
        map.push_back({MapEntryKind::Memory, region.range(), "RAM", rights_text(region)});
    add_images(vm, map);
    add_devices(vm.config.devices, vm.config.base.cpu_num, map);
    std::ranges::sort(map, {}, [](const MapEntry& e) { return std::tuple(e.range.start, e.kind, e.range.size, std::string_view(e.name)); });
    return map;
}

std::string draw(const std::vector<MapEntry>& map) {
    std::size_t name_width = 0;
    for (const MapEntry& entry : map) name_width = std::max(name_width, entry.name.size());
    std::string text;
    u64 end = 0;
    for (const MapEntry& entry : map) {
        const u64 start = entry.range.start.value();
        if (entry.kind != MapEntryKind::Image && start > end && end != 0)
            text += "  " + pad_right("...", 2 * (address_digits + 2) + 3) + "   " + pad_left(size_text(start - end), 12) + "\n";
        text += line_of(entry, name_width);
        end = std::max(end, entry.range.end().value());
    }
    return text;
}

}  // namespace ax::sim
