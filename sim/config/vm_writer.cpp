#include "sim/config/vm_writer.hpp"

namespace ax::sim {

namespace {

using config::AxVMCrateConfig;

constexpr u64 first_beyond_toml = u64{1} << 63;

/// Collects lines `key = value`, each below its comment.
class Lines {
public:
    void comment(std::string_view text) { text_.append("# ").append(text).append("\n"); }
    void table(std::string_view name) { text_.append(text_.empty() ? "[" : "\n[").append(name).append("]\n"); }
    void value(std::string_view key, std::string_view value) { text_.append(key).append(" = ").append(value).append("\n"); }
    void path(std::string_view key, const config::Path& path) {
        if (!path.empty()) value(key, toml_quoted(path.view()));
    }
    void address(std::string_view key, const std::optional<u64>& address) {
        if (address) value(key, hex_number(*address));
    }
    /// An array with one element on each line; `write` gives an element's text.
    template <class List, class Write>
    void list(std::string_view key, const List& elements, Write write) {
        if (elements.empty()) {
            value(key, "[]");
            return;
        }
        text_.append(key).append(" = [\n");
        for (const auto& element : elements) text_.append("    ").append(write(element)).append(",\n");
        text_.append("]\n");
    }
    [[nodiscard]] std::string take() { return std::move(text_); }

private:
    std::string text_;
};

std::string decimal(u64 value) { return value < first_beyond_toml ? std::to_string(value) : hex_number(value); }

/// Settings and masks: small numbers are counts, large ones addresses.
std::string plain_number(u64 value) { return value < 0x1000 ? std::to_string(value) : hex_number(value); }

template <class List>
std::string number_list(const List& numbers, std::string (*write)(u64)) {
    std::string text = "[";
    for (const u64 number : numbers) {
        if (text.size() > 1) text += ", ";
        text += write(number);
    }
    text += "]";
    return text;
}

std::string_view word_for(config::ImageLocation location) {
    switch (location) {
        case config::ImageLocation::Fs: return "\"fs\"";
        case config::ImageLocation::Memory: return "\"memory\"";
    }
    return "";
}

std::string_view word_for(config::BootProtocol protocol) {
    switch (protocol) {
        case config::BootProtocol::Direct: return "\"direct\"";
        case config::BootProtocol::Multiboot: return "\"multiboot\"";
        case config::BootProtocol::Uefi: return "\"uefi\"";
    }
    return "";
}

std::string_view word_for(config::VMInterruptMode mode) {
    switch (mode) {
        case config::VMInterruptMode::NoIrq: return "\"no_irq\"";
        case config::VMInterruptMode::Emulated: return "\"emu\"";
        case config::VMInterruptMode::Passthrough: return "\"passthrough\"";
    }
    return "";
}

std::string_view word_for(config::FrameSize size) {
    switch (size) {
        case config::FrameSize::Auto: return "\"auto\"";
        case config::FrameSize::Size4K: return "\"4K\"";
        case config::FrameSize::Size2M: return "\"2M\"";
    }
    return "";
}

void write_base(Lines& lines, const config::BaseConfig& base) {
    lines.table("base");
    lines.value("id", decimal(base.id));
    lines.value("name", toml_quoted(base.name.view()));
    lines.comment("0 host VM, 1 RTOS, 2 Linux.");
    lines.value("vm_type", decimal(base.vm_type));
    lines.value("cpu_num", decimal(base.cpu_num));
    if (base.phys_cpu_ids) {
        lines.comment("The number by which the guest knows each vCPU.");
        lines.value("phys_cpu_ids", number_list(*base.phys_cpu_ids, plain_number));
    }
    if (base.phys_cpu_sets) {
        lines.comment("One mask per vCPU: bit n allows pCPU n.");
        lines.value("phys_cpu_sets", number_list(*base.phys_cpu_sets, hex_number));
    }
}

std::string region_text(const config::VmMemConfig& region) {
    std::string text = "[" + hex_number(region.gpa);
    for (const std::string& number : {hex_number(region.size), hex_number(region.flags)}) text.append(", ").append(number);
    return text.append(", ").append(std::to_string(index(region.map_type))).append("]");
}

void write_images(Lines& lines, const config::KernelConfig& kernel) {
    if (kernel.entry_point == 0) lines.comment("0: where the image says.");
    lines.value("entry_point", kernel.entry_point == 0 ? "0" : hex_number(kernel.entry_point));
    lines.value("image_location", word_for(kernel.image_location));
    lines.value("kernel_path", toml_quoted(kernel.kernel_path.view()));
    lines.value("kernel_load_addr", hex_number(kernel.kernel_load_addr));
    lines.path("bios_path", kernel.bios_path);
    lines.address("bios_load_addr", kernel.bios_load_addr);
    lines.path("ramdisk_path", kernel.ramdisk_path);
    lines.address("ramdisk_load_addr", kernel.ramdisk_load_addr);
    lines.path("dtb_path", kernel.dtb_path);
    if (kernel.dtb_path.empty() && kernel.dtb_load_addr) lines.comment("No dtb_path: the device tree is made from this file and put here.");
    lines.address("dtb_load_addr", kernel.dtb_load_addr);
    lines.path("disk_path", kernel.disk_path);
    if (kernel.enable_bios) lines.value("enable_bios", "true");
    if (kernel.boot_protocol) lines.value("boot_protocol", word_for(*kernel.boot_protocol));
    lines.path("uefi_firmware_path", kernel.uefi_firmware_path);
    lines.path("option_rom_path", kernel.option_rom_path);
    if (!kernel.cmdline.empty()) lines.value("cmdline", toml_quoted(kernel.cmdline.view()));
}

void write_kernel(Lines& lines, const config::KernelConfig& kernel) {
    lines.table("kernel");
    write_images(lines, kernel);
    if (kernel.memory_population == config::MemoryPopulation::Lazy) lines.value("memory_population", "\"lazy\"");
    if (kernel.frame_size != config::FrameSize::Auto) lines.value("frame_size", word_for(kernel.frame_size));
    lines.comment("[gpa, size, flags, map_type]; flags: read 1, write 2, execute 4; map_type: 0 allocated, 1 identical, 2 reserved.");
    lines.list("memory_regions", kernel.memory_regions, region_text);
}

std::string emu_device_text(const config::EmulatedDeviceConfig& device) {
    std::string text = "[" + toml_quoted(device.name.view());
    for (const std::string& number : {hex_number(device.base_gpa), hex_number(device.length), decimal(device.irq_id),
                                      hex_number(index(device.emu_type)), number_list(device.cfg_list, plain_number)})
        text.append(", ").append(number);
    return text.append("]");
}

std::string pass_through_text(const config::PassThroughDeviceConfig& device) {
    std::string text = "[" + toml_quoted(device.name.view());
    if ((device.base_gpa | device.base_hpa | device.length | device.irq_id) != 0)
        for (const std::string& number :
             {hex_number(device.base_gpa), hex_number(device.base_hpa), hex_number(device.length), decimal(device.irq_id)})
            text.append(", ").append(number);
    return text.append("]");
}

void write_devices(Lines& lines, const config::DeviceConfig& devices) {
    lines.table("devices");
    lines.value("interrupt_mode", word_for(devices.interrupt_mode));
    if (devices.address_space_policy == config::AddressSpacePolicy::Passthrough)
        lines.value("address_space_policy", "\"passthrough\"");
    if (devices.lapic_timer == config::LapicTimer::OneShot) lines.value("lapic_timer", "\"one-shot\"");
    if (devices.lapic_mode == config::LapicMode::X2apic) lines.value("lapic_mode", "\"x2apic\"");
    if (!devices.emu_devices.empty()) lines.comment("[name, base_gpa, length, irq_id, emu_type, cfg_list]");
    lines.list("emu_devices", devices.emu_devices, emu_device_text);
    if (!devices.passthrough_devices.empty()) lines.comment("[name, base_gpa, base_hpa, length, irq_id]");
    lines.list("passthrough_devices", devices.passthrough_devices, pass_through_text);
    if (!devices.passthrough_addresses.empty())
        lines.list("passthrough_addresses", devices.passthrough_addresses, [](const config::PassThroughAddressConfig& window) {
            return std::string("[").append(hex_number(window.base_gpa)).append(", ").append(hex_number(window.length)).append("]");
        });
    if (!devices.passthrough_ports.empty())
        lines.list("passthrough_ports", devices.passthrough_ports, [](const config::PassThroughPortConfig& ports) {
            return std::string("[").append(hex_number(ports.base)).append(", ").append(hex_number(ports.length)).append("]");
        });
    if (!devices.excluded_devices.empty())
        lines.list("excluded_devices", devices.excluded_devices,
                   [](const config::DeviceName& path) { return std::string("[").append(toml_quoted(path.view())).append("]"); });
}

void write_heading(Lines& lines, std::string_view heading) {
    while (!heading.empty()) {
        const std::size_t end = heading.find('\n');
        lines.comment(heading.substr(0, end));
        heading.remove_prefix(end == std::string_view::npos ? heading.size() : end + 1);
    }
}

}  // namespace

std::string write_vm(const AxVMCrateConfig& config, std::string_view heading) {
    Lines lines;
    write_heading(lines, heading);
    write_base(lines, config.base);
    write_kernel(lines, config.kernel);
    write_devices(lines, config.devices);
    return lines.take();
}

std::string toml_quoted(std::string_view value) {
    std::string text = "\"";
    for (const char c : value) {
        const auto byte = static_cast<unsigned char>(c);
        if (c == '"' || c == '\\') {
            text += '\\';
            text += c;
        } else if (byte < 0x20 || byte == 0x7f) {
            text.append("\\u00");
            text += "0123456789abcdef"[byte >> 4];
            text += "0123456789abcdef"[byte & 0xf];
        } else {
            text += c;
        }
    }
    text += '"';
    return text;
}

std::string hex_number(u64 value) {
    std::string digits;
    for (u64 left = value; left != 0 || digits.empty(); left >>= 4) {
        if (digits.size() % 5 == 4) digits += '_';
        digits += "0123456789abcdef"[left & 0xf];
    }
    std::string text = "0x";
    text.append(digits.rbegin(), digits.rend());
    return value < first_beyond_toml ? text : toml_quoted(text);
}

}  // namespace ax::sim
