// The names of all rules over configurations, as `--json` and the brackets of a message show them.
#pragma once

#include <array>
#include <string_view>

namespace ax::config {

/// Every name that a finding can carry, by subject. Users filter by them: none is ever renamed.
inline constexpr std::array<std::string_view, 73> rule_names = {
    // One VM: base.
    "id-range", "vm-type", "cpu-num", "per-vcpu-length", "duplicate-cpu-id", "empty-cpu-set",
    // One VM: memory and images.
    "no-memory", "region-alignment", "region-size", "region-wrap", "region-flags", "region-device", "region-overlap", "entry-point",
    "load-address", "image-address", "image-path",
    // One VM: its start.
    "boot-protocol", "boot-firmware", "firmware-unused", "excluded-nothing",
    // One VM: emulated devices.
    "device-length", "device-wrap", "device-config", "device-overlap", "device-memory-overlap", "redistributors", "ivc-alignment",
    "ivc-regions", "irq-range", "irq-shared", "irq-unconnected", "interrupt-controllers",
    // One VM: what is passed through.
    "pass-through-alignment", "pass-through-conflict", "pass-through-overlap", "port-range", "port-overlap",
    // A VM on its board.
    "cpu-set-platform", "cpu-id-range", "redistributor-platform", "device-arch", "boot-arch", "cmdline-length", "region-flags-platform",
    "address-width", "identical-memory", "identical-hypervisor", "reserved-memory", "memory-platform", "pass-through-memory",
    "pass-through-platform",
    // VMs beside each other.
    "duplicate-vm-id", "duplicate-vm-name", "memory-shared", "pass-through-shared", "port-shared", "irq-shared-vms", "tree-shared",
    "memory-together",
    // A board itself.
    "device-region", "board-memory", "board-cpus", "board-ticks", "board-overlap", "board-empty-region", "virtio-region", "ecam-size",
    "bus-range", "kernel-place", "kernel-mapping", "kernel-space", "psci-method"};

/// The name of a rule; one that is not in the list does not compile.
class RuleName {
public:
    template <std::size_t N>
    consteval RuleName(const char (&name)[N]) : name_(find({name, N - 1})) {}

    [[nodiscard]] constexpr std::string_view view() const { return name_; }

private:
    static consteval std::string_view find(std::string_view name) {
        for (const std::string_view known : rule_names)
            if (known == name) return known;
        // Not a constant expression: the compiler stops here and shows the name.
        return rule_names[rule_names.size()];
    }

    std::string_view name_;
};

}  // namespace ax::config
