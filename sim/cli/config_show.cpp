// axsim config show
#include <cstdio>
#include <memory>
#include <nlohmann/json.hpp>

#include "core/config/check.hpp"
#include "core/config/check_platform.hpp"
#include "core/config/vm_config.hpp"
#include "sim/base/text.hpp"
#include "sim/cli/commands.hpp"
#include "sim/cli/config_commands.hpp"
#include "sim/config/check_files.hpp"
#include "sim/config/memory_map.hpp"

namespace ax::sim::cli {

namespace {

using Json = nlohmann::ordered_json;

struct ShowSettings {
    std::vector<std::string> files;
    std::string platform;
    bool json = false;
};

std::vector<u64> members(u64 mask) {
    std::vector<u64> cpus;
    for (u64 cpu = 0; cpu < 64; ++cpu)
        if (((mask >> cpu) & 1) != 0) cpus.push_back(cpu);
    return cpus;
}

std::string cpus_text(const std::optional<u64>& mask) {
    if (!mask) return "any";
    std::string text;
    for (const u64 cpu : members(*mask)) text.append(text.empty() ? "" : ", ").append(std::to_string(cpu));
    return text;
}

const char* mode_text(config::VMInterruptMode mode) {
    switch (mode) {
        case config::VMInterruptMode::NoIrq: return "no_irq";
        case config::VMInterruptMode::Emulated: return "emu";
        case config::VMInterruptMode::Passthrough: return "passthrough";
    }
    return "unknown";
}

const char* type_text(config::VMType type) {
    switch (type) {
        case config::VMType::VMTHostVM: return "host VM";
        case config::VMType::VMTRTOS: return "RTOS";
        case config::VMType::VMTLinux: return "Linux";
    }
    return "unknown";
}

const char* protocol_text(config::BootProtocol protocol) {
    switch (protocol) {
        case config::BootProtocol::Direct: return "direct";
        case config::BootProtocol::Multiboot: return "multiboot";
        case config::BootProtocol::Uefi: return "uefi";
    }
    return "unknown";
}

std::string entry_text(const config::AxVMConfig& vm) {
    return vm.bsp_entry() == Gpa{} ? "where the kernel image says" : hex(vm.bsp_entry().value());
}

/// What a file says, without what would move the cursor or change the colours of the terminal.
std::string plain(std::string_view text) {
    std::string result(text);
    for (char& c : result)
        if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = '?';
    return result;
}

std::string map_text(const VmFile& file) {
    std::vector<MapEntry> map = memory_map_of(file);
    for (MapEntry& entry : map) {
        entry.name = plain(entry.name);
        entry.detail = plain(entry.detail);
    }
    return draw(map);
}

void print_vm(const VmFile& file) {
    const auto vm = std::make_unique<config::AxVMConfig>(file.config);
    std::printf("VM %llu \"%s\" (%s), %s\n", static_cast<unsigned long long>(vm->id()), plain(vm->name()).c_str(),
                type_text(vm->vm_type()), file.name.c_str());
    std::printf("  boot        %s, entry %s\n", protocol_text(config::boot_protocol_of(file.config.kernel)), entry_text(*vm).c_str());
    if (!file.config.kernel.cmdline.empty()) std::printf("  cmdline     %s\n", plain(file.config.kernel.cmdline.view()).c_str());
    std::printf("  interrupts  %s\n", mode_text(vm->interrupt_mode()));
    std::printf("\n  vCPU  guest's number  pCPUs\n");
    for (const config::VcpuAffinity& affinity : vm->get_vcpu_affinities_pcpu_ids())
        std::printf("  %4u  %14s  %s\n", index(affinity.vcpu_id), hex(affinity.phys_id).c_str(), cpus_text(affinity.pcpu_mask).c_str());
    std::printf("\n%s", map_text(file).c_str());
    for (const config::PassThroughDeviceConfig& device : file.config.devices.passthrough_devices)
        if (device.is_tree_path()) std::printf("  passed through by device-tree path: %s\n", plain(device.name.view()).c_str());
    for (const config::DeviceName& path : file.config.devices.excluded_devices)
        std::printf("  excluded: %s\n", plain(path.view()).c_str());
    for (const config::EmulatedDeviceConfig& device : file.config.devices.emu_devices)
        if (device.has_ports())
            std::printf("  I/O ports emulated: %s, %llu of them, %s\n", hex(device.base_gpa).c_str(), static_cast<unsigned long long>(device.length), plain(device.name.view()).c_str());
    for (const config::PassThroughPortConfig& ports : file.config.devices.passthrough_ports)
        std::printf("  I/O ports passed through: %s, %u of them\n", hex(ports.base).c_str(), ports.length);
    std::printf("\n");
}

Json to_json(const VmFile& file) {
    const auto vm = std::make_unique<config::AxVMConfig>(file.config);
    Json json{{"file", file.name},          {"id", vm->id()},
              {"name", vm->name()},         {"type", type_text(vm->vm_type())},
              {"boot", protocol_text(config::boot_protocol_of(file.config.kernel))},
              {"entry", vm->bsp_entry().value()},
              {"cmdline", file.config.kernel.cmdline.view()},
              {"interrupt_mode", mode_text(vm->interrupt_mode())}};
    json["vcpus"] = Json::array();
    for (const config::VcpuAffinity& affinity : vm->get_vcpu_affinities_pcpu_ids()) {
        Json vcpu{{"id", index(affinity.vcpu_id)}, {"phys_id", affinity.phys_id}, {"pcpus", nullptr}};
        if (affinity.pcpu_mask) vcpu["pcpus"] = members(*affinity.pcpu_mask);
        json["vcpus"].push_back(std::move(vcpu));
    }
    json["map"] = Json::array();
    for (const MapEntry& entry : memory_map_of(file))
        json["map"].push_back({{"kind", to_text(entry.kind)},
                               {"start", entry.range.start.value()},
                               {"size", entry.range.size},
                               {"name", entry.name},
                               {"detail", entry.detail}});
    return json;
}

void print_platform(const PlatformFile& platform, const CheckReport& report) {
    u64 used = 0;
    for (const CheckedFile& file : report.files)
        if (file.is_good_vm) used += config::eager_memory_of(file.vm->config);
    std::printf("platform %s (%s): %llu pCPUs, %s of RAM from %s, of which the VMs take %s\n\n",
                plain(platform.config.platform.view()).c_str(), std::string(config::to_text(platform.config.arch)).c_str(),
                static_cast<unsigned long long>(platform.sim.cpus), size_text(platform.memory().size).c_str(),
                hex(platform.memory().start.value()).c_str(), size_text(used).c_str());
}

int show(const ShowSettings& settings) {
    const std::vector<std::filesystem::path> paths(settings.files.begin(), settings.files.end());
    const CheckReport report =
        check_files(paths, settings.platform.empty() ? std::nullopt : std::optional<std::filesystem::path>(settings.platform));
    Json json{{"vms", Json::array()}};
    if (const PlatformFile* platform = report.platform_file(); platform != nullptr && !settings.json) print_platform(*platform, report);
    for (const CheckedFile& file : report.files) {
        if (!file.is_good_vm) continue;
        if (settings.json)
            json["vms"].push_back(to_json(*file.vm));
        else
            print_vm(*file.vm);
    }
    if (settings.json) std::printf("%s\n", json.dump(2, ' ', false, Json::error_handler_t::replace).c_str());
    for (const Diagnostic& finding : report.findings) std::fputs(finding.to_text().c_str(), stderr);
    return report.errors() != 0 ? bad_input : success;
}

}  // namespace

void add_config_show(CLI::App& config, Action& action) {
    const auto settings = std::make_shared<ShowSettings>();
    CLI::App* show_app = config.add_subcommand("show", "Draw what the files say: vCPUs, memory map, devices, interrupts");
    show_app->add_option("FILE", settings->files, "VM files")->required()->expected(1, 64);
    show_app->add_option("--platform", settings->platform, "The board that the VMs shall run on");
    show_app->add_flag("--json", settings->json, "Print one JSON object on standard output");
    show_app->callback([settings, &action] { action = [settings] { return show(*settings); }; });
}

}  // namespace ax::sim::cli
