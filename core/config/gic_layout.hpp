// Where a VM's Arm GIC is in its guest physical space, from the devices that its configuration names.
#pragma once

#include <optional>
#include <span>

#include "core/config/vm_config.hpp"

namespace ax::config {

/// Arm GIC Architecture Specification, "GIC memory-mapped register access": one frame of registers.
inline constexpr u64 gic_frame = 0x1'0000;
/// A redistributor without virtual LPIs has two frames, RD_base and SGI_base.
inline constexpr u64 gicr_stride = 2 * gic_frame;
/// "Interrupt types": shared peripheral interrupts have the INTIDs from 32 to 1019.
inline constexpr u64 first_spi = 32;
inline constexpr u64 last_spi = 1019;
/// GICD_TYPER.CPUNumber of a GICv2 counts to this.
inline constexpr u64 max_gicv2_vcpus = 8;
/// ICC_SGI1R_EL1, TargetList: an SGI reaches the PEs 0 to 15 of a cluster.
inline constexpr u64 gicv3_cluster = 16;

/// Redistributors in one row, vCPU after vCPU.
struct GicRedistributors {
    Gpa base;
    u64 count = 0;
    u64 stride = gicr_stride;  ///< bytes from one to the next
    u64 length = gicr_stride;  ///< bytes of each
    u64 first_pcpu = 0;        ///< partial passthrough: the pCPU whose redistributor the first one is

    /// All of them; wraps when they do not fit into the address space.
    [[nodiscard]] constexpr GpaRange range() const;
    constexpr bool operator==(const GicRedistributors&) const = default;
};

/// Partial passthrough of an interrupt translation service.
struct GicIts {
    GpaRange range;
    Hpa host;
};

struct GicLayout {
    u32 version = 3;          ///< 2 or 3
    bool is_partial = false;  ///< the board's GICv3, partly passed through (types 0x20 to 0x22)
    GpaRange gicd;
    GpaRange gicc;                                        ///< GICv2 alone; empty otherwise
    FixedVector<GicRedistributors, max_emu_devices> gicr;  ///< GICv3 alone
    std::optional<GicIts> gits;
};

/// The GIC that these devices make for `cpu_num` vCPUs; none when they name no distributor. Of a file that
/// breaks rules, as much as makes sense.
[[nodiscard]] std::optional<GicLayout> gic_layout(std::span<const EmulatedDeviceConfig> devices, u64 cpu_num);
[[nodiscard]] std::optional<GicLayout> gic_layout(const AxVMConfig& config);

/// The GIC's version that an `InterruptController` asks for: 2 unless its cfg_list says 3.
[[nodiscard]] u32 gic_version_of(const EmulatedDeviceConfig& controller);

/// Every window that a device takes: its own and, of a GIC, the CPU interface or all redistributors.
[[nodiscard]] FixedVector<GpaRange, 2> windows_of(const EmulatedDeviceConfig& device, u64 cpu_num);

constexpr GpaRange GicRedistributors::range() const {
    if (count == 0) return {base, 0};
    // Far more than any file means, and more than 64 bits hold: a range that wraps.
    constexpr u64 most = ~u64{0} / (4 * max_vcpus);
    if (stride > most || length > most || count > max_vcpus) return {base, ~u64{0}};
    return {base, (count - 1) * stride + length};
}

static_assert(GicRedistributors{Gpa{0x080a'0000}, 4}.range() == GpaRange{Gpa{0x080a'0000}, 0x8'0000});
static_assert(GicRedistributors{Gpa{0x1000}, 2, ~u64{0}}.range().wraps());

}  // namespace ax::config
