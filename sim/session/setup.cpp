#include "sim/session/setup.hpp"

#include <filesystem>

#include "sim/base/text.hpp"
#include "sim/session/version.hpp"

namespace ax::sim {

namespace {

SetupError to_error(const ConfigError& error) { return {error.to_text()}; }

/// Checks VMs and platform together and loads the images.
std::expected<void, SetupError> complete(Setup& setup) {
    for (const Diagnostic& d : setup.platform.warnings) setup.warnings.push_back(d.to_text());
    for (const VmFile& vm : setup.vms) {
        ConfigError misfit{check_on_platform(vm, setup.platform)};
        std::erase_if(misfit.diagnostics, [&](const Diagnostic& d) {
            if (d.severity == config::Severity::Error) return false;
            setup.warnings.push_back(d.to_text());
            return true;
        });
        if (!misfit.diagnostics.empty()) return std::unexpected(to_error(misfit));
        for (const Diagnostic& d : vm.warnings) setup.warnings.push_back(d.to_text());
        auto guest = load_guest(vm, setup.platform);
        if (!guest) return std::unexpected(to_error(guest.error()));
        for (const Diagnostic& d : guest->warnings) setup.warnings.push_back(d.to_text());
        setup.guests.push_back(std::move(*guest));
    }
    for (std::size_t i = 0; i < setup.vms.size(); ++i)
        for (std::size_t j = 0; j < i; ++j)
            if (setup.vms[i].config.base.id == setup.vms[j].config.base.id)
                return std::unexpected(SetupError{Error{"two VMs have the id " + std::to_string(setup.vms[i].config.base.id),
                                                        setup.vms[j].name + " and " + setup.vms[i].name, "ids name VMs in traces and hypercalls",
                                                        "give each its own base.id"}
                                                      .to_line()});
    return {};
}

void compare_images(Setup& setup, const std::vector<TraceImage>& recorded) {
    for (const TraceImage& old : recorded) {
        for (const Guest& guest : setup.guests) {
            if (guest.config->id() != old.vm) continue;
            for (const ImageRecord& now : guest.images) {
                if (now.role != old.role || now.digest == old.digest) continue;
                setup.warnings.push_back("axsim: warning: the " + old.role + " of VM " + std::to_string(old.vm) + " is not the recorded one (" +
                                         now.path + "): digest " + hex(now.digest, 16) + " instead of " + hex(old.digest, 16) +
                                         "; replay stops where that first shows");
            }
        }
    }
}

}  // namespace

std::expected<Setup, SetupError> read_setup(const std::vector<std::string>& vm_paths, const std::string& platform_path,
                                            const MachineOptions& options) {
    Setup setup;
    setup.options = options;
    auto platform = platform_path.empty() ? read_platform_text(built_in_platform(), "built-in riscv64-qemu-virt")
                                          : read_platform_file(platform_path);
    if (!platform) return std::unexpected(to_error(platform.error()));
    setup.platform = std::move(*platform);
    for (const std::string& path : vm_paths) {
        auto vm = read_vm_file(path);
        if (!vm) return std::unexpected(to_error(vm.error()));
        setup.vms.push_back(std::move(*vm));
    }
    if (auto done = complete(setup); !done) return std::unexpected(done.error());
    return setup;
}

std::expected<Setup, SetupError> setup_from(const TraceHeader& header) {
    Setup setup;
    setup.options.seed = header.seed;
    if (const auto interval = header.options.find("state_hash_interval"); interval != header.options.end())
        setup.options.state_hash_interval = std::stoull("0" + interval->second);
    for (const TraceConfig& config : header.configs) {
        if (config.role == "platform") {
            auto platform = read_platform_text(config.text, config.name);
            if (!platform) return std::unexpected(to_error(platform.error()));
            setup.platform = std::move(*platform);
        } else {
            auto vm = read_vm_text(config.text, config.name);
            if (!vm) return std::unexpected(to_error(vm.error()));
            setup.vms.push_back(std::move(*vm));
        }
    }
    if (auto done = complete(setup); !done) return std::unexpected(done.error());
    compare_images(setup, header.images);
    return setup;
}

TraceHeader header_for(const Setup& setup, const std::vector<std::string>& command_line) {
    TraceHeader header;
    header.axsim_version = version;
    header.engine_version = "unicorn " + RiscvEngine::version();
    header.command_line = command_line;
    header.seed = setup.options.seed;
    header.options["state_hash_interval"] = std::to_string(setup.options.state_hash_interval);
    header.configs.push_back({"platform", setup.platform.name, setup.platform.text});
    for (const VmFile& vm : setup.vms)
        // Image paths count from the file's directory, wherever the replay is started.
        header.configs.push_back({"vm", std::filesystem::absolute(vm.name).lexically_normal().string(), vm.text});
    for (const Guest& guest : setup.guests)
        for (const ImageRecord& image : guest.images)
            header.images.push_back({static_cast<u32>(guest.config->id()), image.role, image.path, image.size, image.digest});
    return header;
}

std::expected<std::unique_ptr<Machine>, SetupError> build(Setup& setup) {
    auto machine = Machine::create(setup.platform, std::move(setup.guests), setup.options);
    if (!machine) return std::unexpected(SetupError{machine.error().to_line()});
    return std::move(*machine);
}

std::string_view built_in_platform() {
    return R"(# The board that axsim simulates when no platform file is given.
arch = "riscv64"
platform = "riscv64-qemu-virt"
[plat]
family = "riscv64-qemu-virt"
phys-memory-base = 0x8000_0000
phys-memory-size = 0x8000_0000
kernel-base-paddr = 0x8020_0000
[devices]
mmio-regions = [[0x0010_1000, 0x1000], [0x0c00_0000, 0x60_0000], [0x1000_0000, 0x1000]]
timer-frequency = 10_000_000
[sim]
cpus = 4
)";
}

}  // namespace ax::sim
