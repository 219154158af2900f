// Keys of platform files.
#include "core/config/platform.hpp"
#include "sim/config/choices.hpp"
#include "sim/config/file_keys.hpp"

namespace ax::sim {

namespace {

using namespace config;
using enum KeyKind;

constexpr bool required = true, optional = false, own = true, familys = false;
constexpr u64 any = ~u64{0};

constexpr auto arches = choices::words_of(choices::arches);
constexpr auto htinst_styles = choices::words_of(choices::htinst_styles);

constexpr KeyInfo number(std::string_view table, std::string_view key, std::string_view doc, bool is_required = optional, u64 min = 0,
                         u64 max = any, bool is_own = familys) {
    return {table, key, Number, is_required, is_own, min, max, {}, nullptr, doc};
}
constexpr KeyInfo ranges(std::string_view key, u64 length, std::string_view doc) {
    return {"devices", key, Ranges, optional, familys, 0, length, {}, nullptr, doc};
}

constexpr auto keys = std::to_array<KeyInfo>({
    {"", "arch", Choice, required, familys, 0, any, arches, nullptr, "Instruction set of the board."},
    {"", "platform", Text, required, familys, 0, Name::capacity(), {}, nullptr, "Name of the board."},
    number("", "task-stack-size", "Bytes of stack of each task of the hypervisor; from the family's defconfig.", optional, 1),
    number("", "ticks-per-sec", "Scheduler ticks per second; from the family's defconfig.", optional, 1, 1'000'000),
    number("", "smp", "Number of pCPUs; from the family's defconfig.", optional, 1, 64),

    {"plat", "family", Text, optional, familys, 0, Name::capacity(), {}, nullptr, "Family of boards that this one belongs to."},
    number("plat", "phys-memory-base", "First address of RAM.", required),
    number("plat", "phys-memory-size", "Bytes of RAM that the hypervisor counts on.", required),
    number("plat", "kernel-base-paddr", "Where the hypervisor's image runs, physically."),
    number("plat", "kernel-base-vaddr", "Where the hypervisor's image runs, virtually."),
    number("plat", "phys-virt-offset", "Virtual minus physical address in the hypervisor's linear mapping."),
    number("plat", "phys-bus-offset", "Bus minus physical address."),
    number("plat", "kernel-aspace-base", "First virtual address of the hypervisor's own address space."),
    number("plat", "kernel-aspace-size", "Bytes of the hypervisor's own address space."),

    ranges("mmio-regions", max_mmio_regions, "Device windows of the board, each [base, size]."),
    ranges("virtio-mmio-regions", max_mmio_regions, "Windows of virtio devices, each [base, size]."),
    ranges("pci-ranges", max_pci_ranges, "PCI windows: I/O ports, 32-bit memory, 64-bit memory, each [base, size]."),
    number("devices", "pci-ecam-base", "PCI configuration space."),
    number("devices", "pci-bus-end", "Number of the last PCI bus."),
    number("devices", "timer-frequency", "Frequency of the time counter in Hz.", optional, 1, 100'000'000'000),
    number("devices", "uart-paddr", "Address of the UART."),
    number("devices", "uart-irq", "Interrupt of the UART."),
    number("devices", "gicc-paddr", "Address of the GIC's CPU interface."),
    number("devices", "gicd-paddr", "Address of the GIC's distributor."),
    number("devices", "gicr-paddr", "Address of the GIC's redistributors."),
    number("devices", "rtc-paddr", "Address of the real-time clock."),
    {"devices", "psci-method", Text, optional, familys, 0, Name::capacity(), {}, nullptr, "How firmware is called: smc or hvc."},

    number("sim", "cpus", "Number of simulated pCPUs.", optional, 1, 64, own),
    {"sim", "ns-per-insn", Ratio, optional, own, 1, 1'000'000, {}, nullptr, "Virtual nanoseconds that one instruction takes: a whole number, or \"N/D\"."},
    number("sim", "quantum", "Instructions that a pCPU runs before another has its turn.", optional, 1, 1'000'000'000'000, own),
    number("sim", "memory", "Bytes of simulated RAM from phys-memory-base, a multiple of 0x1000; else phys-memory-size.", optional, 1, any, own),
    number("sim", "epoch", "The clock at power-on, in seconds since 1970.", optional, 0, 9'000'000'000, own),
    number("sim", "ticks-per-sec", "Scheduler ticks per second.", optional, 1, 1'000'000, own),
    {"sim", "htinst", Choice, optional, own, 0, any, htinst_styles, nullptr, "What riscv64 hardware leaves in htinst after a guest-page fault: the transformed instruction, or zero."},
});

}  // namespace

std::span<const KeyInfo> platform_key_table() { return keys; }

}  // namespace ax::sim
