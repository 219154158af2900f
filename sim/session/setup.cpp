#include "sim/session/setup.hpp"

#include <algorithm>
#include <filesystem>
#include <span>

#include "core/config/check_platform.hpp"
#include "sim/base/text.hpp"
#include "sim/config/check_together.hpp"
#include "sim/session/version.hpp"

namespace ax::sim {

namespace {

SetupError to_error(const ConfigError& error) { return {error.to_text()}; }

/// Sorts findings into errors and the setup's warnings.
void sort_out(std::vector<Diagnostic> found, Setup& setup, ConfigError& errors) {
    for (Diagnostic& diagnostic : found) {
        if (diagnostic.severity == config::Severity::Error)
            errors.diagnostics.push_back(std::move(diagnostic));
        else
            setup.warnings.push_back(diagnostic.to_text());
    }
}

/// Checks VMs and platform together and loads the images; all that is wrong is reported at once.
std::expected<void, SetupError> complete(Setup& setup) {
    ConfigError errors;
    for (const Diagnostic& d : setup.platform.warnings) setup.warnings.push_back(d.to_text());
    for (const VmFile& vm : setup.vms) {
        sort_out(vm.warnings, setup, errors);
        sort_out(check_on_platform(vm, setup.platform), setup, errors);
    }
    sort_out(check_together(setup.vms, &setup.platform), setup, errors);
    for (const VmFile& vm : setup.vms) {
        auto guest = load_guest(vm, setup.platform);
        if (!guest) {
            sort_out(std::move(guest.error().diagnostics), setup, errors);
            continue;
        }
        sort_out(std::move(guest->warnings), setup, errors);
        setup.guests.push_back(std::move(*guest));
    }
    if (!errors.diagnostics.empty()) return std::unexpected(to_error(errors));
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

/// The architecture that a VM is for, by its kernel and else by its devices.
std::optional<config::Arch> arch_of(const VmFile& vm) {
    if (const auto kernel = load_image(vm.images.kernel))
        if (const auto arch = sim::arch_of(*kernel)) return arch;
    for (const config::EmulatedDeviceConfig& device : vm.config.devices.emu_devices)
        if (const auto arch = config::arch_of(device.emu_type)) return arch;
    return std::nullopt;
}

SetupError needs_platform(const std::string& what) {
    return {"axsim: error: " + what + "; name the board's file with --platform, for example one of configs/platforms"};
}

/// The board that is simulated when none is named, which follows from the VMs.
std::expected<PlatformFile, SetupError> default_platform(std::span<const VmFile> vms) {
    std::optional<config::Arch> arch;
    std::string_view by;
    for (const VmFile& vm : vms) {
        const auto mine = arch_of(vm);
        if (!mine) continue;
        if (arch && *arch != *mine)
            return std::unexpected(SetupError{"axsim: error: " + vm.name + " is for " + std::string(to_text(*mine)) + ", but " + std::string(by) +
                                              " for " + std::string(to_text(*arch)) + "; all VMs of a machine have one instruction set"});
        if (!arch) by = vm.name;
        arch = mine;
    }
    if (!arch) {
        // A kernel that cannot be read is what the user has to hear of, on whatever board.
        const bool is_unreadable = std::ranges::any_of(vms, [](const VmFile& vm) { return !load_image(vm.images.kernel).has_value(); });
        if (!is_unreadable) return std::unexpected(needs_platform("neither kernel nor devices of " + vms.front().name + " tell its instruction set"));
        arch = config::Arch::Riscv64;
    }
    auto platform = read_platform_text(built_in_platform(*arch), "built-in " + std::string(to_text(*arch)) + " board");
    if (!platform) return std::unexpected(to_error(platform.error()));
    return *std::move(platform);
}

}  // namespace

std::expected<Setup, SetupError> read_setup(const std::vector<std::string>& vm_paths, const std::string& platform_path,
                                            const MachineOptions& options) {
    Setup setup;
    setup.options = options;
    if (!platform_path.empty()) {
        auto platform = read_platform_file(platform_path);
        if (!platform) return std::unexpected(to_error(platform.error()));
        setup.platform = std::move(*platform);
    }
    ConfigError errors;
    for (const std::string& path : vm_paths) {
        auto vm = read_vm_file(path);
        if (vm)
            setup.vms.push_back(std::move(*vm));
        else
            sort_out(std::move(vm.error().diagnostics), setup, errors);
    }
    if (!errors.diagnostics.empty()) return std::unexpected(to_error(errors));
    if (platform_path.empty()) {
        auto platform = default_platform(setup.vms);
        if (!platform) return std::unexpected(platform.error());
        setup.platform = std::move(*platform);
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

namespace {

constexpr std::string_view riscv64_board = R"(# The board that axsim simulates when no platform file is given.
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

constexpr std::string_view aarch64_board = R"(# The board that axsim simulates when no platform file is given.
arch = "aarch64"
platform = "aarch64-qemu-virt-hv"
[plat]
family = "aarch64-qemu-virt"
phys-memory-base = 0x4000_0000
phys-memory-size = 0x8000_0000
kernel-base-paddr = 0x4008_0000
[devices]
mmio-regions = [[0x0800_0000, 0x2_0000], [0x080a_0000, 0xf6_0000], [0x0900_0000, 0x1000], [0x0901_0000, 0x1000], [0x0904_0000, 0x1000]]
timer-frequency = 62_500_000
uart-paddr = 0x0900_0000
uart-irq = 1
gicc-paddr = 0x0801_0000
gicd-paddr = 0x0800_0000
gicr-paddr = 0x080a_0000
psci-method = "smc"
rtc-paddr = 0x0901_0000
[sim]
cpus = 4
)";

constexpr std::string_view x86_64_board = R"(# The board that axsim simulates when no platform file is given.
arch = "x86_64"
platform = "x86_64-qemu-q35"
[plat]
family = "x86-pc"
phys-memory-base = 0
phys-memory-size = 0x8000_0000
kernel-base-paddr = 0x20_0000
[devices]
mmio-regions = [[0xb000_0000, 0x1000_0000], [0xfec0_0000, 0x1000], [0xfee0_0000, 0x1000]]
timer-frequency = 4_000_000_000
[sim]
cpus = 4
)";

}  // namespace

std::string_view built_in_platform(config::Arch arch) {
    switch (arch) {
        case config::Arch::X86_64: return x86_64_board;
        case config::Arch::Aarch64: return aarch64_board;
        case config::Arch::Riscv64: return riscv64_board;
    }
    return {};
}

}  // namespace ax::sim
