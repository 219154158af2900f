#include "core/config/check_platform.hpp"

#include "core/config/check.hpp"

namespace ax::config {

using namespace std::string_view_literals;

namespace {

std::string_view controllers_of(Arch arch) {
    switch (arch) {
        case Arch::X86_64: return "x86_64 has 0x23 (IO APIC) and 0x24 (PIT)"sv;
        case Arch::Aarch64: return "aarch64 has 0x1 (GICv2 or GICv3) and 0x20 to 0x22 (GICv3, partly passed through)"sv;
        case Arch::Riscv64: return "riscv64 has 0x30 (PLIC)"sv;
    }
    return {};
}

}  // namespace

std::optional<Arch> arch_of(EmulatedDeviceType type) {
    switch (type) {
        case EmulatedDeviceType::InterruptController:
        case EmulatedDeviceType::GPPTRedistributor:
        case EmulatedDeviceType::GPPTDistributor:
        case EmulatedDeviceType::GPPTITS: return Arch::Aarch64;
        case EmulatedDeviceType::X86IoApic:
        case EmulatedDeviceType::X86Pit: return Arch::X86_64;
        case EmulatedDeviceType::PPPTGlobal: return Arch::Riscv64;
        case EmulatedDeviceType::Dummy:
        case EmulatedDeviceType::Console:
        case EmulatedDeviceType::FwCfg:
        case EmulatedDeviceType::IVCChannel:
        case EmulatedDeviceType::LoongArchPchPic:
        case EmulatedDeviceType::Rtc:
        case EmulatedDeviceType::VirtioBlk:
        case EmulatedDeviceType::VirtioNet:
        case EmulatedDeviceType::VirtioConsole: return std::nullopt;
    }
    return std::nullopt;
}

std::string_view to_text(Arch arch) {
    switch (arch) {
        case Arch::X86_64: return "x86_64"sv;
        case Arch::Aarch64: return "aarch64"sv;
        case Arch::Riscv64: return "riscv64"sv;
    }
    return "unknown"sv;
}

void check_on_board(const AxVMCrateConfig& vm, const BoardFacts& board, FindingSink& sink) {
    check_board_cpus(vm, board, sink);
    check_device_arch(vm, board, sink);
    check_part_length(vm, board, sink);
    check_gic_parts(vm, board, sink);
    check_affinities(vm, board, sink);
    check_boot_arch(vm, board, sink);
    check_cmdline(vm, board, sink);
    check_identical_memory(vm, board, sink);
    check_memory_fits(vm, board, sink);
    check_pass_through_on_board(vm, board, sink);
}

void check_board_cpus(const AxVMCrateConfig& vm, const BoardFacts& board, FindingSink& sink) {
    if (!vm.base.phys_cpu_sets || !board.cpus) return;
    const PerVcpu& sets = *vm.base.phys_cpu_sets;
    const u64 cpus = *board.cpus;
    const u64 known = cpus >= 64 ? ~u64{0} : (u64{1} << cpus) - 1;
    for (std::size_t i = 0; i < sets.size(); ++i) {
        const auto key = key_path("base.phys_cpu_sets[", u64{i}, "]");
        if (sets[i] == 0 || (sets[i] & ~known) == 0) continue;
        if ((sets[i] & known) == 0)
            sink.report({Severity::Error, "cpu-set-platform", key,
                         join(Hex{sets[i]}, " names no pCPU that the platform has; it has ", cpus),
                         join("use a mask within ", Hex{known})});
        else
            sink.report({Severity::Warning, "cpu-set-platform", key,
                         join("bits ", Hex{sets[i] & ~known}, " of ", Hex{sets[i]}, " name pCPUs that the platform lacks; it has ", cpus),
                         join("use a mask within ", Hex{known})});
    }
}

void check_device_arch(const AxVMCrateConfig& vm, const BoardFacts& board, FindingSink& sink) {
    const Arch arch = board.platform.arch;
    for (std::size_t i = 0; i < vm.devices.emu_devices.size(); ++i) {
        const EmulatedDeviceType type = vm.devices.emu_devices[i].emu_type;
        const std::optional<Arch> needed = arch_of(type);
        const bool is_foreign = type == EmulatedDeviceType::LoongArchPchPic || (needed && *needed != arch);
        if (!is_foreign) continue;
        sink.report({Severity::Error, "device-arch", key_path("devices.emu_devices[", u64{i}, "].emu_type"),
                     join(to_text(arch), " has no "sv, to_text(type)),
                     join(controllers_of(arch))});
    }
    if (arch == Arch::X86_64) return;
    for (std::size_t i = 0; i < vm.devices.passthrough_ports.size(); ++i)
        sink.report({Severity::Error, "device-arch", key_path("devices.passthrough_ports[", u64{i}, "]"),
                     join("I/O ports do not exist on "sv, to_text(arch)), "remove it"});
}

void check_part_length(const AxVMCrateConfig& vm, const BoardFacts& board, FindingSink& sink) {
    // "PrimeCell UART (PL011)" and "Real Time Clock (PL031)", Summary of registers: identification at the end of 4 KiB.
    constexpr u64 primecell_length = 0x1000;
    if (board.platform.arch != Arch::Aarch64) return;
    for (std::size_t i = 0; i < vm.devices.emu_devices.size(); ++i) {
        const EmulatedDeviceConfig& device = vm.devices.emu_devices[i];
        if (device.emu_type != EmulatedDeviceType::Console && device.emu_type != EmulatedDeviceType::Rtc) continue;
        if (device.length >= primecell_length) continue;
        sink.report({Severity::Error, "device-length", key_path("devices.emu_devices[", u64{i}, "].length"),
                     join(Hex{device.length}, " bytes are too few for a "sv,
                          device.emu_type == EmulatedDeviceType::Console ? "PL011, aarch64's console"sv : "PL031, aarch64's clock"sv),
                     join("use ", Hex{primecell_length})});
    }
}

void check_boot_arch(const AxVMCrateConfig& vm, const BoardFacts& board, FindingSink& sink) {
    if (board.platform.arch == Arch::X86_64) return;
    const BootProtocol protocol = boot_protocol_of(vm.kernel);
    if (protocol == BootProtocol::Direct) return;
    sink.report({Severity::Error, "boot-arch", key_path(vm.kernel.boot_protocol ? "kernel.boot_protocol"sv : "kernel.enable_bios"sv),
                 join(protocol == BootProtocol::Uefi ? "\"uefi\""sv : "\"multiboot\""sv, " does not exist on "sv, to_text(board.platform.arch)),
                 "use \"direct\""});
}

void check_cmdline(const AxVMCrateConfig& vm, const BoardFacts& board, FindingSink& sink) {
    // COMMAND_LINE_SIZE of Linux with the zero at its end; the other two take all that a file can hold.
    constexpr u64 longest_on_riscv = 1023;
    const u64 length = vm.kernel.cmdline.view().size();
    if (board.platform.arch != Arch::Riscv64 || length <= longest_on_riscv) return;
    sink.report({Severity::Warning, "cmdline-length", "kernel.cmdline",
                 join(length, " characters; Linux on riscv64 reads the first ", longest_on_riscv, " and drops the rest"), "make it shorter"});
}

}  // namespace ax::config
