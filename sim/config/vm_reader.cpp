#include "sim/config/vm_reader.hpp"

#include <algorithm>

#include "sim/config/choices.hpp"
#include "sim/config/file_keys.hpp"
#include "sim/config/table_reader.hpp"

namespace ax::sim {

namespace {

using config::AxVMCrateConfig;

using namespace choices;

void read_per_vcpu(TableReader& table, std::string_view key, std::optional<config::PerVcpu>& to) {
    const auto list = table.find(key);
    if (!list) return;
    to.emplace();
    read_list(*list, *to, table.diagnostics(), [&](const ValueAt& v) { return read_number(v, table.diagnostics()); });
}

void read_base(const TomlNode& node, config::BaseConfig& base, Diagnostics& diagnostics) {
    TableReader table(node, "base", diagnostics);
    table.required_number("id", "the VM's number, id = 1", base.id);
    table.required_text("name", "a name, name = \"linux\"", base.name);
    table.required_number("vm_type", "vm_type = 1", base.vm_type);
    table.required_number("cpu_num", "the number of vCPUs, cpu_num = 1", base.cpu_num);
    read_per_vcpu(table, "phys_cpu_ids", base.phys_cpu_ids);
    read_per_vcpu(table, "phys_cpu_sets", base.phys_cpu_sets);
    if (const auto old = table.find("cpu_set"))
        diagnostics.warning(old->node.at, {old->path, "old-key", "this key of 2024 has no effect, neither in AxVisor nor here",
                                           "use phys_cpu_sets, which has one mask per vCPU"});
    table.reject_unknown(vm_key_table());
}

std::optional<config::VmMemConfig> read_region(const ValueAt& value, Diagnostics& diagnostics) {
    const auto element = ElementReader::open(value, memory_region_layout, diagnostics);
    if (!element) return std::nullopt;
    config::VmMemConfig region;
    element->number(0, region.gpa);
    element->number(1, region.size);
    element->number(2, region.flags);
    const ValueAt type = *element->find(3);
    if (const auto number = read_number(type, diagnostics)) {
        if (const auto known = config::mapping_type_from(*number))
            region.map_type = *known;
        else
            diagnostics.error(type.node.at, {type.path, "unknown-number", std::to_string(*number) + " is no mapping type",
                                             "use 0 (MapAlloc), 1 (MapIdentical) or 2 (MapReserved)"});
    }
    return region;
}

void read_kernel(const TomlNode& node, config::KernelConfig& kernel, Diagnostics& diagnostics) {
    TableReader table(node, "kernel", diagnostics);
    table.number("entry_point", kernel.entry_point);
    table.required_text("kernel_path", "the kernel image, kernel_path = \"Image\"", kernel.kernel_path);
    table.required_number("kernel_load_addr", "its address, kernel_load_addr = 0x8020_0000", kernel.kernel_load_addr);
    table.text("bios_path", kernel.bios_path);
    table.number("bios_load_addr", kernel.bios_load_addr);
    table.text("dtb_path", kernel.dtb_path);
    table.number("dtb_load_addr", kernel.dtb_load_addr);
    table.text("ramdisk_path", kernel.ramdisk_path);
    table.number("ramdisk_load_addr", kernel.ramdisk_load_addr);
    table.choice("image_location", image_locations, kernel.image_location);
    table.text("cmdline", kernel.cmdline);
    table.text("disk_path", kernel.disk_path);
    table.boolean("enable_bios", kernel.enable_bios);
    if (const auto value = table.find("boot_protocol"))
        if (const auto chosen = read_choice(*value, boot_protocols, diagnostics))
            kernel.boot_protocol = static_cast<config::BootProtocol>(*chosen);
    table.text("uefi_firmware_path", kernel.uefi_firmware_path);
    table.text("option_rom_path", kernel.option_rom_path);
    table.choice("memory_population", memory_populations, kernel.memory_population);
    table.choice("frame_size", frame_sizes, kernel.frame_size);
    if (const auto list = table.require("memory_regions", "memory_regions = [[0x8000_0000, 0x1000_0000, 0x7, 0]]"))
        read_list(*list, kernel.memory_regions, diagnostics, [&](const ValueAt& v) { return read_region(v, diagnostics); });
    table.reject_unknown(vm_key_table());
}

std::optional<config::EmulatedDeviceConfig> read_emu_device(const ValueAt& value, Diagnostics& diagnostics) {
    const auto element = ElementReader::open(value, emu_device_layout, diagnostics);
    if (!element) return std::nullopt;
    config::EmulatedDeviceConfig device;
    element->text(0, device.name);
    element->number(1, device.base_gpa);
    element->number(2, device.length);
    element->number(3, device.irq_id);
    const ValueAt type = *element->find(4);
    if (const auto number = read_number(type, diagnostics)) {
        if (const auto known = config::emulated_device_type_from(*number))
            device.emu_type = *known;
        else
            diagnostics.error(
                type.node.at,
                {type.path, "unknown-number", std::string(config::join(config::Hex{*number}).view()) + " is no device type",
                 "use for example 0x2 (console), 0x30 (PLIC), 0x40 (real-time clock); core/config/device_type.hpp lists all"});
    }
    read_list(*element->find(5), device.cfg_list, diagnostics, [&](const ValueAt& v) { return read_number(v, diagnostics); });
    return device;
}

std::optional<config::PassThroughDeviceConfig> read_passthrough_device(const ValueAt& value, Diagnostics& diagnostics) {
    const auto element = ElementReader::open(value, passthrough_device_layout, diagnostics);
    if (!element) return std::nullopt;
    config::PassThroughDeviceConfig device;
    element->text(0, device.name);
    element->number(1, device.base_gpa);
    element->number(2, device.base_hpa);
    element->number(3, device.length);
    element->number(4, device.irq_id);
    return device;
}

std::optional<config::PassThroughAddressConfig> read_passthrough_address(const ValueAt& value, Diagnostics& diagnostics) {
    const auto element = ElementReader::open(value, passthrough_address_layout, diagnostics);
    if (!element) return std::nullopt;
    config::PassThroughAddressConfig window;
    element->number(0, window.base_gpa);
    element->number(1, window.length);
    return window;
}

std::optional<config::PassThroughPortConfig> read_passthrough_port(const ValueAt& value, Diagnostics& diagnostics) {
    const auto element = ElementReader::open(value, passthrough_port_layout, diagnostics);
    if (!element) return std::nullopt;
    u64 base = 0;
    u64 length = 0;
    element->number(0, base, 0xffff);
    element->number(1, length, 0xffff);
    return config::PassThroughPortConfig{static_cast<u16>(base), static_cast<u16>(length)};
}

void read_excluded_devices(const ValueAt& value, config::DeviceConfig& devices, Diagnostics& diagnostics) {
    if (value.node.kind != TomlNode::Kind::Array) {
        report_wrong_kind(value, "an array of arrays of device-tree paths, [[\"/gic-v3\"]]", diagnostics);
        return;
    }
    const auto read_path = [&](const ValueAt& v) -> std::optional<config::DeviceName> {
        config::DeviceName path;
        read_text(v, path, diagnostics);
        return path;
    };
    for (std::size_t i = 0; i < value.node.elements.size(); ++i)
        read_list(ValueAt{value.node.elements[i], value.path + "[" + std::to_string(i) + "]"}, devices.excluded_devices,
                  diagnostics, read_path);
}

void read_devices(const TomlNode& node, config::DeviceConfig& devices, Diagnostics& diagnostics) {
    TableReader table(node, "devices", diagnostics);
    if (const auto list = table.require("emu_devices", "emu_devices = []"))
        read_list(*list, devices.emu_devices, diagnostics, [&](const ValueAt& v) { return read_emu_device(v, diagnostics); });
    if (const auto list = table.require("passthrough_devices", "passthrough_devices = []"))
        read_list(*list, devices.passthrough_devices, diagnostics,
                  [&](const ValueAt& v) { return read_passthrough_device(v, diagnostics); });
    table.choice("interrupt_mode", interrupt_modes, devices.interrupt_mode);
    if (const auto list = table.find("excluded_devices")) read_excluded_devices(*list, devices, diagnostics);
    if (const auto list = table.find("passthrough_addresses"))
        read_list(*list, devices.passthrough_addresses, diagnostics,
                  [&](const ValueAt& v) { return read_passthrough_address(v, diagnostics); });
    if (const auto list = table.find("passthrough_ports"))
        read_list(*list, devices.passthrough_ports, diagnostics,
                  [&](const ValueAt& v) { return read_passthrough_port(v, diagnostics); });
    table.choice("address_space_policy", address_space_policies, devices.address_space_policy);
    table.choice("lapic_timer", lapic_timers, devices.lapic_timer);
    table.choice("lapic_mode", lapic_modes, devices.lapic_mode);
    table.reject_unknown(vm_key_table());
}

template <class T>
void read_table(TableReader& root, std::string_view name, T& to, void (*read)(const TomlNode&, T&, Diagnostics&)) {
    const auto value = root.require(name, "the table [" + std::string(name) + "]");
    if (!value) return;
    if (value->node.kind == TomlNode::Kind::Table)
        read(value->node, to, root.diagnostics());
    else
        report_wrong_kind(*value, "the table [" + std::string(name) + "]", root.diagnostics());
}

}  // namespace

namespace {

/// Rows of the key table that are keys of the three tables, not fields of a list's elements.
bool is_table_key(const KeyInfo& info) { return info.table == "base" || info.table == "kernel" || info.table == "devices"; }

}  // namespace

std::string_view table_of(std::string_view key) {
    for (const KeyInfo& info : vm_key_table())
        if (info.key == key && is_table_key(info)) return info.table;
    return {};
}

std::vector<std::string_view> vm_keys() {
    std::vector<std::string_view> keys;
    for (const KeyInfo& info : vm_key_table())
        if (is_table_key(info)) keys.push_back(info.key);
    return keys;
}

bool is_flat_form(const TomlNode& root) {
    if (root.find("base") != nullptr || root.find("kernel") != nullptr || root.find("devices") != nullptr) return false;
    return std::ranges::any_of(root.entries, [](const TomlEntry& entry) { return !table_of(entry.key).empty(); });
}

void read_vm_tables(const TomlNode& root, config::AxVMCrateConfig& config, Diagnostics& diagnostics) {
    if (is_flat_form(root)) {
        diagnostics.error(root.entries.front().key_at,
                          {"", "flat-form", "this is the flat form of 2024, without the tables [base], [kernel] and [devices]",
                           "axsim config convert FILE writes it in today's form"});
        return;
    }
    TableReader table(root, "", diagnostics);
    read_table(table, "base", config.base, &read_base);
    read_table(table, "kernel", config.kernel, &read_kernel);
    read_table(table, "devices", config.devices, &read_devices);
    table.reject_unknown(vm_key_table());
}

}  // namespace ax::sim
