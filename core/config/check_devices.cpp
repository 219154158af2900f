// Rules over the `devices` table.
#include "core/config/check.hpp"
#include "core/config/gic_layout.hpp"

namespace ax::config {

using namespace std::string_view_literals;

namespace {

/// The most inputs that any interrupt controller of the family has (GIC, PLIC).
constexpr u64 most_inputs = 1023;

FixedString<95> emu_key(std::size_t i, std::string_view field = {}) {
    return key_path("devices.emu_devices[", u64{i}, "]", field);
}

FixedString<95> pass_through_key(std::size_t i, std::string_view field = {}) {
    return key_path("devices.passthrough_devices[", u64{i}, "]", field);
}

Message range_text(const GpaRange& range) { return join(Hex{range.start.value()}, "..", Hex{range.end().value()}); }

}  // namespace

void check_device_shape(const DeviceConfig& devices, FindingSink& sink) {
    for (std::size_t i = 0; i < devices.emu_devices.size(); ++i) {
        const EmulatedDeviceConfig& device = devices.emu_devices[i];
        if (device.length == 0 && device.emu_type != EmulatedDeviceType::Dummy)
            sink.report({Severity::Error, "device-length", emu_key(i, ".length"sv), "the device has no addresses",
                         "give the length of its window in bytes"});
        if (device.emu_type == EmulatedDeviceType::X86Pit && (device.base_gpa >= port_count || device.length > port_count - device.base_gpa))
            sink.report({Severity::Error, "port-range", emu_key(i, ".base_gpa"sv), join("its ports from ", Hex{device.base_gpa}, " run past port 0xffff"),
                         "use 0x40, where the PIT of a PC is"});
        if (device.range().wraps())
            sink.report({Severity::Error, "device-wrap", emu_key(i, ".length"sv),
                         join("the window from ", Hex{device.base_gpa}, " runs past the end of the 64-bit address space"),
                         "make it smaller or move it down"});
    }
}

void check_device_overlap(const AxVMCrateConfig& config, FindingSink& sink) {
    const DeviceConfig& devices = config.devices;
    const auto check = [&](std::size_t i, const GpaRange& range, std::string_view list, std::size_t j, const GpaRange& other, std::string_view fix) {
        if (range.overlaps(other))
            sink.report({Severity::Error, "device-overlap", emu_key(i),
                         join(range_text(range).view(), " overlaps ", list, "[", u64{j}, "], ", range_text(other).view()), join(fix)});
    };
    for (std::size_t i = 0; i < devices.emu_devices.size(); ++i) {
        const bool has_ports = devices.emu_devices[i].has_ports();
        for (const GpaRange& range : windows_of(devices.emu_devices[i], config.base.cpu_num)) {
            for (std::size_t j = 0; j < i; ++j) {
                if (devices.emu_devices[j].has_ports() != has_ports) continue;
                for (const GpaRange& other : windows_of(devices.emu_devices[j], config.base.cpu_num))
                    check(i, range, "emu_devices"sv, j, other, "move one of them"sv);
            }
            for (std::size_t j = 0; has_ports && j < devices.passthrough_ports.size(); ++j)
                check(i, range, "passthrough_ports"sv, j, {Gpa{devices.passthrough_ports[j].base}, devices.passthrough_ports[j].length},
                      "a port is either emulated or passed through; remove one"sv);
            if (has_ports) continue;
            constexpr std::string_view remove_one = "a window is either emulated or passed through; remove one"sv;
            for (std::size_t j = 0; j < devices.passthrough_devices.size(); ++j)
                check(i, range, "passthrough_devices"sv, j, devices.passthrough_devices[j].range(), remove_one);
            for (std::size_t j = 0; j < devices.passthrough_addresses.size(); ++j)
                check(i, range, "passthrough_addresses"sv, j, devices.passthrough_addresses[j].range(), remove_one);
        }
    }
}

void check_device_memory_overlap(const AxVMCrateConfig& config, FindingSink& sink) {
    const auto check = [&](const FixedString<95>& key, const GpaRange& range) {
        for (std::size_t i = 0; i < config.kernel.memory_regions.size(); ++i) {
            const GpaRange region = config.kernel.memory_regions[i].range();
            if (!range.overlaps(region)) continue;
            sink.report({Severity::Error, "device-memory-overlap", key,
                         join(range_text(range).view(), " overlaps memory_regions[", u64{i}, "], ", range_text(region).view()),
                         "move the device out of the VM's memory"});
        }
    };
    const DeviceConfig& devices = config.devices;
    for (std::size_t i = 0; i < devices.emu_devices.size(); ++i)
        if (!devices.emu_devices[i].has_ports())
            for (const GpaRange& range : windows_of(devices.emu_devices[i], config.base.cpu_num)) check(emu_key(i), range);
    for (std::size_t i = 0; i < devices.passthrough_devices.size(); ++i)
        check(pass_through_key(i), devices.passthrough_devices[i].range());
    for (std::size_t i = 0; i < devices.passthrough_addresses.size(); ++i)
        check(key_path("devices.passthrough_addresses[", u64{i}, "]"), devices.passthrough_addresses[i].range());
}

namespace {

/// The interrupts that a device of the VM may raise, as its controller numbers them.
struct Inputs {
    u64 first = 1;
    u64 last = most_inputs;
};

Inputs inputs_of(const DeviceConfig& devices) {
    for (const EmulatedDeviceConfig& device : devices.emu_devices) {
        if (device.emu_type == EmulatedDeviceType::PPPTGlobal) return {1, plic_sources};
        // What is below belongs to single vCPUs, whose timers and software raise it.
        if (device.emu_type == EmulatedDeviceType::InterruptController || device.emu_type == EmulatedDeviceType::GPPTDistributor)
            return {first_spi, last_spi};
    }
    return {};
}

}  // namespace

void check_device_interrupts(const DeviceConfig& devices, FindingSink& sink) {
    const auto uses_line = [](const EmulatedDeviceConfig& device) {
        return device.irq_id != 0 && !is_interrupt_controller(device.emu_type);
    };
    const Inputs inputs = inputs_of(devices);
    for (std::size_t i = 0; i < devices.emu_devices.size(); ++i) {
        const EmulatedDeviceConfig& device = devices.emu_devices[i];
        if (!uses_line(device)) continue;
        if (inputs.first == first_spi && device.irq_id < first_spi)
            sink.report({Severity::Error, "irq-range", emu_key(i, ".irq_id"sv),
                         join("a GIC's interrupt ", device.irq_id, " is private to one vCPU, and no device can raise it"),
                         join("use 32 + n for the shared peripheral interrupt n; 32 to ", last_spi)});
        else if (device.irq_id > inputs.last)
            sink.report({Severity::Error, "irq-range", emu_key(i, ".irq_id"sv),
                         join(device.irq_id, " is no input of the interrupt controller"),
                         join("use a number from ", inputs.first, " to ", inputs.last)});
        for (std::size_t j = 0; j < i; ++j) {
            const EmulatedDeviceConfig& other = devices.emu_devices[j];
            if (!uses_line(other) || other.irq_id != device.irq_id) continue;
            sink.report({Severity::Error, "irq-shared", emu_key(i, ".irq_id"sv),
                         join("interrupt ", device.irq_id, " is used by emu_devices[", u64{j}, "] already"),
                         "give each device its own interrupt"});
        }
        // The family's files write 1 where a device has no interrupt of its own.
        for (std::size_t j = 0; j < devices.passthrough_devices.size(); ++j) {
            if (device.irq_id <= 1 || devices.passthrough_devices[j].irq_id != device.irq_id) continue;
            sink.report({Severity::Warning, "irq-shared", emu_key(i, ".irq_id"sv),
                         join("interrupt ", device.irq_id, " is that of passthrough_devices[", u64{j}, "] too"),
                         "give each device its own interrupt"});
        }
    }
}

void check_pass_through_interrupts(const DeviceConfig& devices, FindingSink& sink) {
    for (std::size_t i = 0; i < devices.passthrough_devices.size(); ++i) {
        const u64 irq = devices.passthrough_devices[i].irq_id;
        if (irq > most_inputs)
            sink.report({Severity::Error, "irq-range", pass_through_key(i, ".irq_id"sv), join(irq, " is no input of an interrupt controller"),
                         join("use a number up to ", most_inputs)});
        // The family's files write 1 where a device has no interrupt of its own.
        for (std::size_t j = 0; j < i && irq > 1; ++j) {
            if (devices.passthrough_devices[j].irq_id != irq) continue;
            sink.report({Severity::Warning, "irq-shared", pass_through_key(i, ".irq_id"sv),
                         join("interrupt ", irq, " is that of passthrough_devices[", u64{j}, "] too"),
                         "give each device its own interrupt, or 0 where it has none"});
            break;
        }
    }
}

void check_interrupt_controller(const DeviceConfig& devices, FindingSink& sink) {
    std::optional<std::size_t> first;
    for (std::size_t i = 0; i < devices.emu_devices.size(); ++i) {
        if (!is_interrupt_controller(devices.emu_devices[i].emu_type)) continue;
        if (first) {
            sink.report({Severity::Error, "interrupt-controllers", emu_key(i, ".emu_type"sv),
                         join("a second interrupt controller; emu_devices[", u64{*first}, "] is the first"), "a VM has one"});
        } else {
            first = i;
        }
    }
}

void check_pass_through(const DeviceConfig& devices, FindingSink& sink) {
    for (std::size_t i = 0; i < devices.passthrough_devices.size(); ++i) {
        const PassThroughDeviceConfig& device = devices.passthrough_devices[i];
        if (device.length == 0 && !device.is_tree_path())
            sink.report({Severity::Error, "device-length", pass_through_key(i), "the device has no addresses",
                         "give its length in bytes, or name it by its device-tree path, which begins with /"});
        if (device.range().wraps() || HpaRange{Hpa{device.base_hpa}, device.length}.wraps())
            sink.report({Severity::Error, "device-wrap", pass_through_key(i),
                         "the window runs past the end of the 64-bit address space", "make it smaller or move it down"});
        if (device.base_gpa % page_size != device.base_hpa % page_size)
            sink.report({Severity::Error, "pass-through-alignment", pass_through_key(i),
                         join(Hex{device.base_gpa}, " and ", Hex{device.base_hpa}, " differ within their page, and only pages can be mapped"),
                         "let the last three hexadecimal digits agree"});
        else if ((device.base_gpa | device.length) % page_size != 0)
            sink.report({Severity::Warning, "pass-through-alignment", pass_through_key(i),
                         join("pages are passed through whole: the guest gets all that lies around ", range_text(device.range()).view(), " too"),
                         "use multiples of 0x1000"});
        for (std::size_t j = 0; j < i; ++j) {
            const PassThroughDeviceConfig& other = devices.passthrough_devices[j];
            const bool agrees = device.base_gpa - device.base_hpa == other.base_gpa - other.base_hpa;
            if (agrees || !device.range().overlaps(other.range())) continue;
            sink.report({Severity::Error, "pass-through-conflict", pass_through_key(i),
                         join("passthrough_devices[", u64{j}, "] maps part of ", range_text(device.range()).view(),
                              " to another host address"),
                         "let overlapping windows agree on the host address"});
        }
    }
    for (std::size_t i = 0; i < devices.passthrough_addresses.size(); ++i) {
        const PassThroughAddressConfig& window = devices.passthrough_addresses[i];
        if (window.length == 0 || window.range().wraps())
            sink.report({Severity::Error, "device-length", key_path("devices.passthrough_addresses[", u64{i}, "]"),
                         window.length == 0 ? Message("the window is empty")
                                            : Message("the window runs past the end of the 64-bit address space"),
                         "give a length in bytes that fits"});
        for (std::size_t j = 0; j < i; ++j) {
            if (!window.range().overlaps(devices.passthrough_addresses[j].range())) continue;
            sink.report({Severity::Warning, "pass-through-overlap", key_path("devices.passthrough_addresses[", u64{i}, "]"),
                         join(range_text(window.range()).view(), " overlaps passthrough_addresses[", u64{j}, "]"),
                         "name each address once"});
        }
    }
}

void check_pass_through_ports(const DeviceConfig& devices, FindingSink& sink) {
    for (std::size_t i = 0; i < devices.passthrough_ports.size(); ++i) {
        const PassThroughPortConfig& ports = devices.passthrough_ports[i];
        const auto key = key_path("devices.passthrough_ports[", u64{i}, "]");
        if (ports.length == 0)
            sink.report({Severity::Error, "port-range", key, "the port range is empty", "give the number of ports"});
        if (u32{ports.base} + ports.length > 0x1'0000)
            sink.report({Severity::Error, "port-range", key,
                         join("the port range from ", Hex{ports.base}, " runs past port 0xffff"), "make it smaller"});
        for (std::size_t j = 0; j < i; ++j) {
            const PassThroughPortConfig& other = devices.passthrough_ports[j];
            if (u32{ports.base} + ports.length <= other.base || u32{other.base} + other.length <= ports.base) continue;
            sink.report({Severity::Warning, "port-overlap", key, join("overlaps passthrough_ports[", u64{j}, "]"),
                         "name each port once"});
        }
    }
}

}  // namespace ax::config
