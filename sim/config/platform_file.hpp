// A platform file: the family's description of a board, and how axsim simulates it (`[sim]`).
#pragma once

#include <expected>
#include <filesystem>
#include <optional>

#include "core/config/platform.hpp"
#include "core/exit/vm_exit.hpp"
#include "sim/config/diagnostic.hpp"

namespace ax::sim {

/// `num / den`, both at least 1.
struct Ratio {
    u64 num = 1;
    u64 den = 1;
    constexpr bool operator==(const Ratio&) const = default;
};

/// What the H-extension model leaves in htinst where hardware has the choice.
enum class HtinstStyle : u8 { Transformed, Zero };

/// The table `[sim]`; every key may be left out.
struct SimConfig {
    u64 cpus = 1;               ///< pCPUs, 1 to 64
    bool has_cpus = false;      ///< the file says how many, here or by `smp`
    Ratio ns_per_insn;          ///< virtual time that one retired instruction takes; key `ns-per-insn`, an integer or "N/D"
    u64 quantum = 20'000;       ///< instructions until another vCPU's turn
    u64 memory_base = 0;        ///< first byte of the board's RAM; from [plat]
    u64 memory_bytes = 0;       ///< the board's RAM; key `memory`, else [plat] phys-memory-size
    u64 epoch = 1'577'836'800;  ///< seconds since 1970 when the machine starts; 2020-01-01T00:00:00Z
    u64 ticks_per_sec = 1000;   ///< scheduler ticks; key `ticks-per-sec`, here or at the top of the file
    HtinstStyle htinst = HtinstStyle::Transformed;
    /// Virtual time that each kind of exit takes, in the order of `vm_exit_names`; table `[sim.exit-cost-ns]`.
    std::array<u64, vm_exit_names.size()> exit_cost_ns{};
};

/// Of QEMU's virt boards; a PC's time-stamp counter counts nanoseconds.
[[nodiscard]] constexpr u64 usual_timer_frequency(config::Arch arch) {
    switch (arch) {
        case config::Arch::Riscv64: return 10'000'000;
        case config::Arch::Aarch64: return 62'500'000;
        case config::Arch::X86_64: return 1'000'000'000;
    }
    return 1'000'000'000;
}

struct PlatformFile {
    std::string name;  ///< as given: the path, or what the text was called
    std::string text;  ///< the whole file, for records
    config::PlatformConfig config;
    SimConfig sim;
    std::vector<Diagnostic> warnings;

    /// Frequency of the guest's time counter in Hz; that of QEMU's boards unless the file names one.
    [[nodiscard]] u64 timer_frequency() const { return config.devices.timer_frequency.value_or(usual_timer_frequency(config.arch)); }
    [[nodiscard]] HpaRange memory() const { return {Hpa{sim.memory_base}, sim.memory_bytes}; }
};

/// The family's defconfig.toml: what every platform has unless its own file says otherwise.
struct Defconfig {
    std::optional<u64> task_stack_size;  ///< bytes
    std::optional<u64> ticks_per_sec;
    std::optional<u64> smp;  ///< pCPUs
};

[[nodiscard]] std::expected<PlatformFile, ConfigError> read_platform_file(const std::filesystem::path& path);
[[nodiscard]] std::expected<PlatformFile, ConfigError> read_platform_text(std::string_view text, const std::string& name);

[[nodiscard]] std::expected<Defconfig, ConfigError> read_defconfig_text(std::string_view text, const std::string& name);
/// True for a key of a defconfig.
[[nodiscard]] bool is_defconfig_key(std::string_view key);

}  // namespace ax::sim
