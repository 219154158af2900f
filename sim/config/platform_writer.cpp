#include "sim/config/platform_writer.hpp"

#include "core/config/check_platform.hpp"
#include "sim/config/vm_writer.hpp"

namespace ax::sim {

namespace {

void add_line(std::string& text, std::string_view key, std::string_view value, std::string_view type) {
    text.append(key).append(" = ").append(value).append("  # ").append(type).append("\n");
}
void add(std::string& text, std::string_view key, std::optional<u64> value) {
    if (value) add_line(text, key, hex_number(*value), "uint");
}
template <std::size_t N>
void add(std::string& text, std::string_view key, const FixedString<N>& value) {
    if (!value.empty()) add_line(text, key, toml_quoted(value.view()), "str");
}
template <std::size_t N>
void add(std::string& text, std::string_view key, const FixedVector<HpaRange, N>& ranges) {
    std::string value = "[\n";
    for (const HpaRange& range : ranges)
        value.append("    [").append(hex_number(range.start.value())).append(", ").append(hex_number(range.size)).append("],\n");
    add_line(text, key, value + "]", "[(uint, uint)]");
}

}  // namespace

std::string write_platform(const config::PlatformConfig& board) {
    const config::PlatConfig& plat = board.plat;
    const config::PlatDevices& devices = board.devices;
    std::string text;
    add_line(text, "arch", toml_quoted(config::to_text(board.arch)), "str");
    add_line(text, "platform", toml_quoted(board.platform.view()), "str");
    add(text, "task-stack-size", board.task_stack_size);
    add(text, "ticks-per-sec", board.ticks_per_sec);
    add(text, "smp", board.smp);
    text.append("\n[plat]\n");
    add(text, "family", plat.family);
    add(text, "phys-memory-base", std::optional(plat.phys_memory_base));
    add(text, "phys-memory-size", std::optional(plat.phys_memory_size));
    add(text, "kernel-base-paddr", std::optional(plat.kernel_base_paddr));
    add(text, "kernel-base-vaddr", plat.kernel_base_vaddr);
    add(text, "phys-virt-offset", plat.phys_virt_offset);
    add(text, "phys-bus-offset", plat.phys_bus_offset);
    add(text, "kernel-aspace-base", plat.kernel_aspace_base);
    add(text, "kernel-aspace-size", plat.kernel_aspace_size);
    text.append("\n[devices]\n");
    add(text, "mmio-regions", devices.mmio_regions);
    add(text, "virtio-mmio-regions", devices.virtio_mmio_regions);
    add(text, "pci-ecam-base", devices.pci_ecam_base);
    add(text, "pci-bus-end", devices.pci_bus_end);
    add(text, "pci-ranges", devices.pci_ranges);
    add(text, "timer-frequency", devices.timer_frequency);
    add(text, "uart-paddr", devices.uart_paddr);
    add(text, "uart-irq", devices.uart_irq);
    add(text, "gicc-paddr", devices.gicc_paddr);
    add(text, "gicd-paddr", devices.gicd_paddr);
    add(text, "gicr-paddr", devices.gicr_paddr);
    add(text, "psci-method", devices.psci_method);
    add(text, "rtc-paddr", devices.rtc_paddr);
    for (const config::NamedNumber& constant : devices.other) add(text, constant.name.view(), std::optional(constant.value));
    return text;
}

}  // namespace ax::sim
