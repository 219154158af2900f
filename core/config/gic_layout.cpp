#include "core/config/gic_layout.hpp"

#include <algorithm>

namespace ax::config {

namespace {

/// Where QEMU's virt board has its redistributors (hw/arm/virt.c), and the family's files.
constexpr Gpa usual_gicr{0x080a'0000};

/// The second number of an `InterruptController`: where its other window is.
std::optional<u64> second_address(const EmulatedDeviceConfig& controller) {
    if (controller.cfg_list.size() < 2) return std::nullopt;
    return controller.cfg_list[1];
}

GpaRange cpu_interface_of(const EmulatedDeviceConfig& controller) {
    return {Gpa{second_address(controller).value_or(controller.base_gpa + gic_frame)}, gic_frame};
}

GicRedistributors redistributors_of(const EmulatedDeviceConfig& controller, u64 cpu_num) {
    return {.base = Gpa{second_address(controller).value_or(usual_gicr.value())}, .count = std::min<u64>(cpu_num, max_vcpus)};
}

/// A partly passed-through row; its length is that of one redistributor.
GicRedistributors partial_redistributors_of(const EmulatedDeviceConfig& device) {
    GicRedistributors row{.base = Gpa{device.base_gpa}, .count = 1, .length = device.length};
    if (device.cfg_list.size() != 3) return row;
    row.count = device.cfg_list[0];
    row.stride = device.cfg_list[1];
    row.first_pcpu = device.cfg_list[2];
    return row;
}

}  // namespace

u32 gic_version_of(const EmulatedDeviceConfig& controller) {
    return !controller.cfg_list.empty() && controller.cfg_list[0] == 3 ? 3 : 2;
}

std::optional<GicLayout> gic_layout(std::span<const EmulatedDeviceConfig> devices, u64 cpu_num) {
    GicLayout layout;
    bool has_distributor = false;
    for (const EmulatedDeviceConfig& device : devices) {
        if (device.emu_type == EmulatedDeviceType::InterruptController && !has_distributor) {
            has_distributor = true;
            layout.version = gic_version_of(device);
            layout.gicd = device.range();
            if (layout.version == 2)
                layout.gicc = cpu_interface_of(device);
            else
                static_cast<void>(layout.gicr.push_back(redistributors_of(device, cpu_num)));
        } else if (device.emu_type == EmulatedDeviceType::GPPTDistributor && !has_distributor) {
            has_distributor = true;
            layout.is_partial = true;
            layout.gicd = device.range();
        } else if (device.emu_type == EmulatedDeviceType::GPPTRedistributor) {
            static_cast<void>(layout.gicr.push_back(partial_redistributors_of(device)));
        } else if (device.emu_type == EmulatedDeviceType::GPPTITS && !device.cfg_list.empty()) {
            layout.gits = GicIts{device.range(), Hpa{device.cfg_list[0]}};
        }
    }
    if (!has_distributor) return std::nullopt;
    return layout;
}

std::optional<GicLayout> gic_layout(const AxVMConfig& config) {
    return gic_layout(std::span(config.emu_devices().begin(), config.emu_devices().size()), config.cpu_num());
}

FixedVector<GpaRange, 2> windows_of(const EmulatedDeviceConfig& device, u64 cpu_num) {
    FixedVector<GpaRange, 2> windows;
    const auto add = [&](const GpaRange& range) { expect(windows.push_back(range), "a device has at most two windows"); };
    if (device.emu_type == EmulatedDeviceType::GPPTRedistributor) {
        add(partial_redistributors_of(device).range());
        return windows;
    }
    add(device.range());
    if (device.emu_type != EmulatedDeviceType::InterruptController) return windows;
    add(gic_version_of(device) == 2 ? cpu_interface_of(device) : redistributors_of(device, cpu_num).range());
    return windows;
}

}  // namespace ax::config
