// Rules over an Arm GIC: its version, its windows, and the vCPUs that it can serve.
#include "core/config/check.hpp"
#include "core/config/check_platform.hpp"
#include "core/config/gic_layout.hpp"

namespace ax::config {

using namespace std::string_view_literals;

namespace {

constexpr std::string_view known_settings =
    "use [2] or [2, address of the CPU interface] for a GICv2, [3] or [3, address of the redistributors] for a GICv3"sv;
/// MPIDR_EL1.Aff3 and Aff2 to Aff0.
constexpr u64 affinity_mask = 0xff'00ff'ffff;
constexpr u64 aff0_mask = 0xff;

FixedString<95> emu_key(std::size_t i, std::string_view field) { return key_path("devices.emu_devices[", u64{i}, "]", field); }

bool has_known_settings(const EmulatedDeviceConfig& device, std::size_t i, FindingSink& sink) {
    const std::size_t count = device.cfg_list.size();
    if (count > 2)
        sink.report({Severity::Error, "device-config", emu_key(i, ".cfg_list"sv),
                     join("this device (", to_text(device.emu_type), ") takes at most 2 numbers, not ", u64{count}), join(known_settings)});
    else if (count > 0 && device.cfg_list[0] != 2 && device.cfg_list[0] != 3)
        sink.report({Severity::Error, "device-config", emu_key(i, ".cfg_list"sv),
                     join("there is no GIC of version ", device.cfg_list[0], " here"), join(known_settings)});
    else
        return true;
    return false;
}

/// Registers lie in frames of 64 KiB; a GICv2, which came before them, may lie at any page.
void check_frames(const EmulatedDeviceConfig& device, std::size_t i, u64 cpu_num, FindingSink& sink) {
    const u64 alignment = gic_version_of(device) == 2 ? page_size : gic_frame;
    if (device.length != 0 && device.length != gic_frame)
        sink.report({Severity::Error, "device-length", emu_key(i, ".length"sv),
                     join("a GIC's distributor has 0x10000 bytes, not ", Hex{device.length}), "use 0x10000; cfg_list says where its other window is"});
    const auto windows = windows_of(device, cpu_num);
    for (std::size_t w = 0; w < windows.size(); ++w) {
        const auto key = emu_key(i, w == 0 ? ".base_gpa"sv : ".cfg_list"sv);
        if (!windows[w].start.is_aligned(alignment))
            sink.report({Severity::Error, "gic-alignment", key,
                         join("a window of a GICv", u64{gic_version_of(device)}, " cannot lie at ", Hex{windows[w].start.value()}),
                         join("use a multiple of ", Hex{alignment})});
        if (w > 0 && windows[w].wraps())
            sink.report({Severity::Error, "device-wrap", key,
                         join("the window from ", Hex{windows[w].start.value()}, " runs past the end of the 64-bit address space"), "move it down"});
        if (w > 0 && windows[w].overlaps(windows[0]))
            sink.report({Severity::Error, "device-overlap", key,
                         join("the window at ", Hex{windows[w].start.value()}, " overlaps the distributor at ", Hex{device.base_gpa}),
                         "move one of them"});
    }
}

}  // namespace

void check_gic(const AxVMCrateConfig& config, FindingSink& sink) {
    for (std::size_t i = 0; i < config.devices.emu_devices.size(); ++i) {
        const EmulatedDeviceConfig& device = config.devices.emu_devices[i];
        if (device.emu_type != EmulatedDeviceType::InterruptController || !has_known_settings(device, i, sink)) continue;
        check_frames(device, i, config.base.cpu_num, sink);
        if (gic_version_of(device) == 2 && config.base.cpu_num > max_gicv2_vcpus)
            sink.report({Severity::Error, "gic-cpus", "base.cpu_num",
                         join("a GICv2 serves at most ", max_gicv2_vcpus, " vCPUs, not ", config.base.cpu_num),
                         join("use fewer, or a GICv3: [3] as cfg_list of emu_devices[", u64{i}, "]")});
    }
}

void check_gic_parts(const AxVMCrateConfig& vm, const BoardFacts& board, FindingSink& sink) {
    if (board.platform.arch != Arch::Aarch64) return;
    std::optional<std::size_t> distributor;
    bool has_controller = false;
    u64 served = 0;
    for (std::size_t i = 0; i < vm.devices.emu_devices.size(); ++i) {
        const EmulatedDeviceConfig& device = vm.devices.emu_devices[i];
        has_controller = has_controller || is_interrupt_controller(device.emu_type);
        if (device.emu_type == EmulatedDeviceType::GPPTDistributor) distributor = i;
        if (device.emu_type == EmulatedDeviceType::GPPTRedistributor && !device.cfg_list.empty()) served += device.cfg_list[0];
    }
    if (!has_controller && vm.devices.interrupt_mode == VMInterruptMode::Emulated)
        sink.report({Severity::Error, "gic-missing", "devices.interrupt_mode", "\"emu\" needs an interrupt controller, and emu_devices has none",
                     "add one, for example [\"gic\", 0x0800_0000, 0x1_0000, 0, 0x1, [3]]"});
    if (distributor && served != vm.base.cpu_num)
        sink.report({Severity::Error, "gic-parts", emu_key(*distributor, ".emu_type"sv),
                     join("a GICv3 needs a redistributor for each vCPU; there are ", served, " for ", vm.base.cpu_num),
                     "name the vCPUs in the first number of cfg_list of a device of type 0x20"});
    for (std::size_t i = 0; i < vm.devices.emu_devices.size() && !distributor; ++i) {
        const EmulatedDeviceType type = vm.devices.emu_devices[i].emu_type;
        if (type != EmulatedDeviceType::GPPTRedistributor && type != EmulatedDeviceType::GPPTITS) continue;
        sink.report({Severity::Error, "gic-parts", emu_key(i, ".emu_type"sv),
                     join("a ", to_text(type), " belongs to a distributor of type 0x21, and there is none"), "add the distributor"});
    }
}

void check_affinities(const AxVMCrateConfig& vm, const BoardFacts& board, FindingSink& sink) {
    if (board.platform.arch != Arch::Aarch64) return;
    const auto layout = gic_layout(std::span(vm.devices.emu_devices.begin(), vm.devices.emu_devices.size()), vm.base.cpu_num);
    const bool is_v3 = layout && layout->version == 3;
    if (!vm.base.phys_cpu_ids) {
        if (is_v3 && vm.base.cpu_num > gicv3_cluster)
            sink.report({Severity::Error, "cpu-affinity", "base.cpu_num",
                         join("without phys_cpu_ids the guest knows vCPU ", gicv3_cluster, " as ", Hex{gicv3_cluster},
                              ", and no software interrupt of a GICv3 reaches an affinity 0 beyond 0xf"),
                         "add phys_cpu_ids with clusters of 16: 0x0 to 0xf, 0x100 to 0x10f, and so on"});
        return;
    }
    const PerVcpu& ids = *vm.base.phys_cpu_ids;
    for (std::size_t i = 0; i < ids.size(); ++i) {
        const auto key = key_path("base.phys_cpu_ids[", u64{i}, "]");
        if ((ids[i] & ~affinity_mask) != 0)
            sink.report({Severity::Error, "cpu-affinity", key,
                         join(Hex{ids[i]}, " is no MPIDR affinity; bits ", Hex{ids[i] & ~affinity_mask}, " are not part of one"),
                         "use 0xAA00BBCCDD with affinity levels 3 (AA) to 0 (DD)"});
        else if (is_v3 && (ids[i] & aff0_mask) >= gicv3_cluster)
            sink.report({Severity::Error, "cpu-affinity", key,
                         join("no software interrupt of a GICv3 reaches an affinity 0 beyond 0xf, and that of ", Hex{ids[i]}, " is ", Hex{ids[i] & aff0_mask}),
                         "use clusters of 16: 0x0 to 0xf, 0x100 to 0x10f, and so on"});
    }
}

}  // namespace ax::config
