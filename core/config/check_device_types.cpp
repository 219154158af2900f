// Rules over what each type of emulated device needs: its length and its list of settings.
#include <array>

#include "core/config/check.hpp"
#include "core/config/gic_layout.hpp"

namespace ax::config {

using namespace std::string_view_literals;

namespace {

constexpr u64 plic_context_base = 0x20'0000;
constexpr u64 plic_context_stride = 0x1000;

FixedString<95> emu_key(std::size_t i, std::string_view field) { return key_path("devices.emu_devices[", u64{i}, "]", field); }

/// How a type of device is described. `settings` names the elements of cfg_list, in order.
struct Shape {
    EmulatedDeviceType type;
    u64 minimum_length;
    u64 settings_count;
    std::string_view settings;
};

constexpr std::array shapes = {
    Shape{EmulatedDeviceType::Console, 8, 0, ""sv},
    Shape{EmulatedDeviceType::Rtc, 0x20, 0, ""sv},
    Shape{EmulatedDeviceType::GPPTRedistributor, 2 * gic_frame, 3, "[vCPUs, stride, first pCPU]"sv},
    Shape{EmulatedDeviceType::GPPTDistributor, gic_frame, 0, ""sv},
    Shape{EmulatedDeviceType::GPPTITS, 2 * gic_frame, 1, "[address of the host's ITS]"sv},
    Shape{EmulatedDeviceType::PPPTGlobal, 0, 1, "[contexts]"sv},
    Shape{EmulatedDeviceType::IVCChannel, page_size, 0, ""sv},
    // QEMU, "QEMU Firmware Configuration (fw_cfg) Device": selector, data and DMA registers.
    Shape{EmulatedDeviceType::FwCfg, 0x18, 0, ""sv},
    // Intel 82093AA, IOREGSEL and IOWIN; Intel 8254 with the gate at port 0x61.
    Shape{EmulatedDeviceType::X86IoApic, 0x14, 0, ""sv},
    Shape{EmulatedDeviceType::X86Pit, 0x22, 0, ""sv},
    // VIRTIO, "MMIO Device Register Layout": the device's own fields begin at 0x100.
    Shape{EmulatedDeviceType::VirtioBlk, 0x100, 0, ""sv},
    Shape{EmulatedDeviceType::VirtioNet, 0x100, 0, ""sv},
    Shape{EmulatedDeviceType::VirtioConsole, 0x100, 0, ""sv},
};

/// One shape for all devices of a type, if there is one.
const Shape* shape_of(EmulatedDeviceType type) {
    for (const Shape& shape : shapes)
        if (shape.type == type) return &shape;
    return nullptr;
}

void check_length(const EmulatedDeviceConfig& device, std::size_t i, const Shape& shape, FindingSink& sink) {
    if (device.length == 0 || device.length >= shape.minimum_length) return;
    sink.report({Severity::Error, "device-length", emu_key(i, ".length"sv),
                 join(Hex{device.length}, " bytes are too few for this device (", to_text(device.emu_type), ")"),
                 join("use at least ", Hex{shape.minimum_length})});
}

/// Types without settings ignore what is there, as the family does; that is said.
bool has_settings(const EmulatedDeviceConfig& device, std::size_t i, const Shape& shape, FindingSink& sink) {
    const u64 count = device.cfg_list.size();
    if (count == shape.settings_count) return true;
    if (shape.settings_count == 0)
        sink.report({Severity::Warning, "device-config", emu_key(i, ".cfg_list"sv),
                     join("this device (", to_text(device.emu_type), ") has no settings, and what is given has no effect"), "use []"});
    else
        sink.report({Severity::Error, "device-config", emu_key(i, ".cfg_list"sv),
                     join("this device (", to_text(device.emu_type), ") takes ", shape.settings_count,
                          shape.settings_count == 1 ? " number, not "sv : " numbers, not "sv, count),
                     join("use ", shape.settings)});
    return false;
}

void check_plic(const EmulatedDeviceConfig& device, std::size_t i, u64 cpu_num, FindingSink& sink) {
    const u64 contexts = device.cfg_list[0];
    if (contexts < 2 * cpu_num)
        sink.report({Severity::Error, "device-config", emu_key(i, ".cfg_list"sv),
                     join(contexts, " PLIC contexts are too few for ", cpu_num, cpu_num == 1 ? " vCPU"sv : " vCPUs"sv),
                     join("use [", 2 * cpu_num, "]: two contexts per vCPU")});
    const u64 room = device.length < plic_context_base ? 0 : (device.length - plic_context_base) / plic_context_stride;
    if (contexts > room)
        sink.report({Severity::Error, "device-length", emu_key(i, ".length"sv),
                     join(Hex{device.length}, " bytes hold ", room, " PLIC contexts, not ", contexts),
                     "context n needs 0x1000 bytes at 0x200000 + n * 0x1000; QEMU's virt board has 0x600000"});
}

/// The length of a redistributor is that of one vCPU's frames; the stride is from one vCPU to the next.
void check_redistributor(const EmulatedDeviceConfig& device, std::size_t i, u64 cpu_num, FindingSink& sink) {
    const u64 count = device.cfg_list[0];
    const u64 stride = device.cfg_list[1];
    if (count == 0 || count > cpu_num)
        sink.report({Severity::Error, "device-config", emu_key(i, ".cfg_list"sv),
                     join("redistributors for ", count, " vCPUs, but the VM has ", cpu_num), join("use a number from 1 to ", cpu_num)});
    if (stride < 2 * gic_frame || stride % gic_frame != 0)
        sink.report({Severity::Error, "device-config", emu_key(i, ".cfg_list"sv),
                     join("the stride ", Hex{stride}, " does not hold the two frames of 64 KiB of a redistributor"),
                     "use a multiple of 0x10000 from 0x20000 on"});
    if (windows_of(device, cpu_num)[0].wraps() && !device.range().wraps())
        sink.report({Severity::Error, "device-wrap", emu_key(i, ".cfg_list"sv),
                     join(count, " redistributors from ", Hex{device.base_gpa}, " on run past the end of the 64-bit address space"),
                     "move them down"});
}

void check_ivc(const EmulatedDeviceConfig& device, std::size_t i, FindingSink& sink) {
    if (device.base_gpa % page_size == 0 && device.length % page_size == 0) return;
    sink.report({Severity::Error, "ivc-alignment", emu_key(i, device.base_gpa % page_size != 0 ? ".base_gpa"sv : ".length"sv),
                 "channels are handed out by the page, and this range is not made of whole pages", "use multiples of 0x1000"});
}

}  // namespace

void check_device_config(const AxVMCrateConfig& config, FindingSink& sink) {
    for (std::size_t i = 0; i < config.devices.emu_devices.size(); ++i) {
        const EmulatedDeviceConfig& device = config.devices.emu_devices[i];
        const Shape* shape = shape_of(device.emu_type);
        if (shape == nullptr) continue;
        check_length(device, i, *shape, sink);
        if (!has_settings(device, i, *shape, sink)) continue;
        if (device.emu_type == EmulatedDeviceType::PPPTGlobal) check_plic(device, i, config.base.cpu_num, sink);
        if (device.emu_type == EmulatedDeviceType::GPPTRedistributor) check_redistributor(device, i, config.base.cpu_num, sink);
        if (device.emu_type == EmulatedDeviceType::IVCChannel) check_ivc(device, i, sink);
    }
}

void check_ivc_regions(const DeviceConfig& devices, FindingSink& sink) {
    std::optional<std::size_t> first;
    for (std::size_t i = 0; i < devices.emu_devices.size(); ++i) {
        if (devices.emu_devices[i].emu_type != EmulatedDeviceType::IVCChannel) continue;
        if (first)
            sink.report({Severity::Error, "ivc-regions", emu_key(i, ".emu_type"sv),
                         join("a second range for inter-VM channels; emu_devices["sv, u64{*first}, "] is the first"sv),
                         "a VM has one; make that one larger"});
        else
            first = i;
    }
}

}  // namespace ax::config
