// The rules over a VM on a board, over several VMs on one, and over the board itself. As in check.hpp,
// one function per rule.
#pragma once

#include <optional>
#include <span>

#include "core/config/crate_config.hpp"
#include "core/config/finding.hpp"
#include "core/config/platform.hpp"

namespace ax::config {

/// A board, and what of it the hypervisor may give to VMs.
struct BoardFacts {
    const PlatformConfig& platform;
    std::optional<u64> cpus;  ///< pCPUs, 1 to 64; none when the platform file does not say
    HpaRange ram;             ///< all of its memory
};

/// All the rules over one VM on its board.
void check_on_board(const AxVMCrateConfig& vm, const BoardFacts& board, FindingSink& sink);

/// Rules over CPUs, devices and start (check_platform.cpp).
void check_board_cpus(const AxVMCrateConfig& vm, const BoardFacts& board, FindingSink& sink);
void check_device_arch(const AxVMCrateConfig& vm, const BoardFacts& board, FindingSink& sink);
void check_part_length(const AxVMCrateConfig& vm, const BoardFacts& board, FindingSink& sink);
void check_boot_arch(const AxVMCrateConfig& vm, const BoardFacts& board, FindingSink& sink);
void check_cmdline(const AxVMCrateConfig& vm, const BoardFacts& board, FindingSink& sink);

/// Rules over the parts of a GIC and over the numbers by which it knows vCPUs (check_gic.cpp).
void check_gic_parts(const AxVMCrateConfig& vm, const BoardFacts& board, FindingSink& sink);
void check_affinities(const AxVMCrateConfig& vm, const BoardFacts& board, FindingSink& sink);

/// Rules over addresses (check_board_memory.cpp).
void check_identical_memory(const AxVMCrateConfig& vm, const BoardFacts& board, FindingSink& sink);
void check_memory_fits(const AxVMCrateConfig& vm, const BoardFacts& board, FindingSink& sink);
void check_pass_through_on_board(const AxVMCrateConfig& vm, const BoardFacts& board, FindingSink& sink);

/// All the rules over VMs that share a machine (check_together.cpp). What concerns two of them is told to
/// the sink of the later one; `sinks[i]` belongs to `vms[i]`. Without a board its rules are left out.
void check_together(std::span<const AxVMCrateConfig* const> vms, const BoardFacts* board, std::span<FindingSink* const> sinks);

/// Rules over a board's own description (check_board.cpp).
void check_board(const PlatformConfig& platform, FindingSink& sink);

/// Bytes that a VM takes from the board's free memory when it is created.
[[nodiscard]] u64 eager_memory_of(const AxVMCrateConfig& vm);

/// The instruction set that a type of device belongs to; none when it fits all.
[[nodiscard]] std::optional<Arch> arch_of(EmulatedDeviceType type);

/// "x86_64", "aarch64" or "riscv64".
[[nodiscard]] std::string_view to_text(Arch arch);

}  // namespace ax::config
