// Rules over how the guest is started: boot protocol, firmware, what is left out of the device tree.
#include "core/config/check.hpp"

namespace ax::config {

using namespace std::string_view_literals;

namespace {

std::string_view word_for(BootProtocol protocol) {
    switch (protocol) {
        case BootProtocol::Direct: return "direct"sv;
        case BootProtocol::Multiboot: return "multiboot"sv;
        case BootProtocol::Uefi: return "uefi"sv;
    }
    return "unknown"sv;
}

}  // namespace

BootProtocol boot_protocol_of(const KernelConfig& kernel) {
    if (kernel.boot_protocol) return *kernel.boot_protocol;
    return kernel.enable_bios ? BootProtocol::Multiboot : BootProtocol::Direct;
}

void check_boot_protocol(const KernelConfig& kernel, FindingSink& sink) {
    if (kernel.boot_protocol && kernel.enable_bios && *kernel.boot_protocol == BootProtocol::Direct)
        sink.report({Severity::Error, "boot-protocol", "kernel.boot_protocol",
                     "\"direct\" contradicts enable_bios = true, which starts the guest through its firmware", "remove one of the two keys"});
    // As in AxVisor, where the flag alone switches the firmware on.
    if (kernel.boot_protocol && !kernel.enable_bios && *kernel.boot_protocol != BootProtocol::Direct)
        sink.report({Severity::Error, "boot-protocol", "kernel.boot_protocol",
                     join("\""sv, word_for(*kernel.boot_protocol), "\" starts the guest through its firmware, which enable_bios does not switch on"sv),
                     "add enable_bios = true"});
    if (boot_protocol_of(kernel) != BootProtocol::Uefi) return;
    if (kernel.uefi_firmware_path.empty() && kernel.bios_path.empty())
        sink.report({Severity::Error, "boot-firmware", "kernel.boot_protocol", "\"uefi\" needs a firmware image, and none is named",
                     "add uefi_firmware_path"});
    if (!kernel.bios_load_addr)
        sink.report({Severity::Error, "boot-firmware", "kernel.boot_protocol", "\"uefi\" needs the address of its firmware",
                     "add bios_load_addr"});
}

void check_excluded_devices(const DeviceConfig& devices, FindingSink& sink) {
    for (std::size_t i = 0; i < devices.excluded_devices.size(); ++i) {
        const std::string_view path = devices.excluded_devices[i].view();
        bool is_covered = false;
        for (const PassThroughDeviceConfig& device : devices.passthrough_devices)
            is_covered = is_covered || (device.is_tree_path() && is_below_node(path, device.name.view()));
        if (is_covered) continue;
        sink.report({Severity::Warning, "excluded-nothing", "devices.excluded_devices",
                     join("\""sv, path, "\" excludes nothing: no device-tree path in passthrough_devices covers it"sv),
                     "remove it, or pass through a node above it, as [\"/\"]"});
    }
}

}  // namespace ax::config
