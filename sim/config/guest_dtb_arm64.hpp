// The device tree that tells an aarch64 guest what its VM has.
#pragma once

#include "core/config/gic_layout.hpp"
#include "sim/config/guest_dtb.hpp"

namespace ax::sim {

struct Arm64DtbInput {
    std::string model = "axsim,aarch64-virt";
    std::vector<GpaRange> memory;
    std::vector<u64> cpu_ids;  ///< MPIDR_EL1 affinity fields, one per vCPU, in order
    std::string cpu_compatible = "arm,cortex-a72";
    std::string psci_method = "hvc";  ///< "hvc" or "smc"
    std::optional<config::GicLayout> gic;
    std::optional<DtbDevice> uart;  ///< PL011; `irq` is an INTID, 32 and up for shared peripheral interrupts
    std::optional<DtbDevice> rtc;   ///< PL031
    std::string bootargs;
    std::optional<GpaRange> initrd;
};

/// A flattened device tree, packed. Fails when the input holds what no such tree can; the text says what.
/// Nodes follow the bindings of Linux's Documentation/devicetree/bindings: arm/cpus, arm/psci,
/// interrupt-controller/arm,gic and arm,gic-v3, timer/arm,arch_timer, serial/pl011, rtc/arm,pl031.
[[nodiscard]] std::expected<std::vector<std::byte>, std::string> make_arm64_dtb(const Arm64DtbInput& input);

}  // namespace ax::sim
