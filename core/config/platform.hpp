// A board as its platform file describes it, in the family's terms (axconfig).
#pragma once

#include <optional>

#include "core/base/addr.hpp"
#include "core/config/limits.hpp"

namespace ax::config {

inline constexpr std::size_t max_mmio_regions = 64;
inline constexpr std::size_t max_pci_ranges = 8;
inline constexpr std::size_t max_board_constants = 32;

/// One `[base, size]` of a platform file's lists of address ranges.
using RangeList = FixedVector<HpaRange, max_mmio_regions>;

/// The table `[plat]`. What a file leaves out is absent; sizes are bytes.
struct PlatConfig {
    Name family;
    u64 phys_memory_base = 0;
    u64 phys_memory_size = 0;
    u64 kernel_base_paddr = 0;
    std::optional<u64> kernel_base_vaddr;
    std::optional<u64> phys_virt_offset;
    std::optional<u64> phys_bus_offset;
    std::optional<u64> kernel_aspace_base;
    std::optional<u64> kernel_aspace_size;
};

/// A constant that only one board has, as `cpu-csr-base`.
struct NamedNumber {
    Name name;
    u64 value = 0;
};

/// The table `[devices]`.
struct PlatDevices {
    RangeList mmio_regions;
    RangeList virtio_mmio_regions;
    FixedVector<HpaRange, max_pci_ranges> pci_ranges;
    std::optional<u64> pci_ecam_base;
    std::optional<u64> pci_bus_end;
    std::optional<u64> timer_frequency;  ///< Hz
    std::optional<u64> uart_paddr;
    std::optional<u64> uart_irq;
    std::optional<u64> gicc_paddr;
    std::optional<u64> gicd_paddr;
    std::optional<u64> gicr_paddr;
    std::optional<u64> rtc_paddr;
    Name psci_method;
    FixedVector<NamedNumber, max_board_constants> other;  ///< numbers under names that axsim does not know
};

enum class Arch : u8 { X86_64, Aarch64, Riscv64 };

struct PlatformConfig {
    Arch arch = Arch::Riscv64;
    Name platform;
    PlatConfig plat;
    PlatDevices devices;
    /// From the family's defconfig; a platform file may hold them too.
    std::optional<u64> task_stack_size;  ///< bytes
    std::optional<u64> ticks_per_sec;
    std::optional<u64> smp;
};

}  // namespace ax::config
