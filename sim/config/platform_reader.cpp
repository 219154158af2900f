#include "sim/config/platform_reader.hpp"

#include <algorithm>

#include "sim/config/choices.hpp"
#include "sim/config/table_reader.hpp"

namespace ax::sim {

namespace {

using namespace choices;

/// Keeps `instructions * num` of any run that ends within 64 bits.
constexpr u64 max_ratio_part = 1'000'000;
constexpr u64 max_cpus = 64, max_ticks_per_sec = 1'000'000;

template <std::size_t N>
void read_ranges(TableReader& table, std::string_view key, FixedVector<HpaRange, N>& to) {
    Diagnostics& diagnostics = table.diagnostics();
    const auto list = table.find(key);
    if (!list) return;
    read_list(*list, to, diagnostics, [&](const ValueAt& value) -> std::optional<HpaRange> {
        if (value.node.kind != TomlNode::Kind::Array || value.node.elements.size() != 2) {
            diagnostics.error(value.node.at, {value.path, "element-length", "is no pair of numbers", "write [base, size]"});
            return std::nullopt;
        }
        const auto base = read_number({value.node.elements[0], value.path + "[0]"}, diagnostics);
        const auto size = read_number({value.node.elements[1], value.path + "[1]"}, diagnostics);
        if (!base || !size) return std::nullopt;
        const HpaRange range{Hpa{*base}, *size};
        if (range.wraps())
            diagnostics.error(value.node.at, {value.path, "range-wrap", "runs past the end of the 64-bit address space",
                                              "make it smaller or move it down"});
        return range;
    });
}

void read_plat(const TomlNode& node, config::PlatConfig& plat, Diagnostics& diagnostics) {
    TableReader table(node, "plat", diagnostics);
    table.text("family", plat.family);
    table.required_number("phys-memory-base", "the first address of RAM, phys-memory-base = 0x8000_0000", plat.phys_memory_base);
    table.required_number("phys-memory-size", "the bytes of RAM, phys-memory-size = 0x800_0000", plat.phys_memory_size);
    table.number("kernel-base-paddr", plat.kernel_base_paddr);
    table.number("kernel-base-vaddr", plat.kernel_base_vaddr);
    table.number("phys-virt-offset", plat.phys_virt_offset);
    table.number("phys-bus-offset", plat.phys_bus_offset);
    table.number("kernel-aspace-base", plat.kernel_aspace_base);
    table.number("kernel-aspace-size", plat.kernel_aspace_size);
    table.reject_unknown();
}

void read_devices(const TomlNode& node, config::PlatDevices& devices, Diagnostics& diagnostics) {
    TableReader table(node, "devices", diagnostics);
    read_ranges(table, "mmio-regions", devices.mmio_regions);
    read_ranges(table, "virtio-mmio-regions", devices.virtio_mmio_regions);
    read_ranges(table, "pci-ranges", devices.pci_ranges);
    table.number("pci-ecam-base", devices.pci_ecam_base);
    table.number("pci-bus-end", devices.pci_bus_end);
    table.number("timer-frequency", devices.timer_frequency);
    table.number("uart-paddr", devices.uart_paddr);
    table.number("uart-irq", devices.uart_irq);
    table.number("gicc-paddr", devices.gicc_paddr);
    table.number("gicd-paddr", devices.gicd_paddr);
    table.number("gicr-paddr", devices.gicr_paddr);
    table.number("rtc-paddr", devices.rtc_paddr);
    table.text("psci-method", devices.psci_method);
    // Boards add constants of their own, which the family's generator passes on; a misspelt key is none.
    for (const std::string_view key : table.unfamiliar_keys()) {
        config::NamedNumber constant;
        if (!constant.name.assign(key) || devices.other.is_full()) break;
        table.number(key, constant.value);
        static_cast<void>(devices.other.push_back(constant));
    }
    if (devices.timer_frequency == 0u || devices.timer_frequency.value_or(1) > 100'000'000'000)
        diagnostics.error(position_of(node, "timer-frequency"),
                          {"devices.timer-frequency", "out-of-range", "is no frequency of a timer",
                           "use a number of Hz from 1 to 100_000_000_000"});
    table.reject_unknown();
}

void read_ratio(const ValueAt& value, Ratio& to, Diagnostics& diagnostics) {
    std::optional<u64> num;
    std::optional<u64> den = 1;
    if (value.node.kind == TomlNode::Kind::Integer && value.node.integer > 0) {
        num = static_cast<u64>(value.node.integer);
    } else if (value.node.kind == TomlNode::Kind::String) {
        const std::string_view text = value.node.text;
        const std::size_t slash = text.find('/');
        num = parse_number(text.substr(0, slash));
        if (slash != std::string_view::npos) den = parse_number(text.substr(slash + 1));
    }
    const auto fits = [](std::optional<u64> part) { return part && *part >= 1 && *part <= max_ratio_part; };
    if (fits(num) && fits(den)) {
        to = {*num, *den};
        return;
    }
    diagnostics.error(value.node.at, {value.path, "ratio", "is no ratio of numbers from 1 to 1_000_000",
                                      "write a whole number, or \"N/D\" such as \"1/3\""});
}

void read_exit_costs(const ValueAt& value, SimConfig& sim, Diagnostics& diagnostics) {
    if (value.node.kind != TomlNode::Kind::Table) {
        report_wrong_kind(value, "a table with exit names as keys", diagnostics);
        return;
    }
    TableReader table(value.node, value.path, diagnostics);
    for (std::size_t i = 0; i < vm_exit_names.size(); ++i)
        if (const auto cost = table.find(vm_exit_names[i]))
            sim.exit_cost_ns[i] = read_number(*cost, diagnostics, 1'000'000'000).value_or(0);
    table.reject_unknown();
}

/// A number of 1 to `max`.
void read_count(TableReader& table, std::string_view key, u64 max, u64& to) {
    const auto value = table.find(key);
    if (!value) return;
    const auto number = read_number(*value, table.diagnostics(), max);
    if (number == 0u)
        table.diagnostics().error(value->node.at, {value->path, "out-of-range", "0 makes no sense here", "use a number from 1"});
    if (number) to = *number;
}

void read_sim(const TomlNode& node, SimConfig& sim, Diagnostics& diagnostics) {
    TableReader table(node, "sim", diagnostics);
    sim.has_cpus = sim.has_cpus || table.find("cpus").has_value();
    read_count(table, "cpus", max_cpus, sim.cpus);
    if (const auto value = table.find("ns-per-insn")) read_ratio(*value, sim.ns_per_insn, diagnostics);
    read_count(table, "quantum", 1'000'000'000'000, sim.quantum);
    read_count(table, "memory", ~u64{0}, sim.memory_bytes);
    // Nanoseconds since 1970 must fit what a clock device hands out.
    if (const auto value = table.find("epoch")) sim.epoch = read_number(*value, diagnostics, 9'000'000'000).value_or(sim.epoch);
    read_count(table, "ticks-per-sec", max_ticks_per_sec, sim.ticks_per_sec);
    table.choice("htinst", htinst_styles, sim.htinst);
    if (const auto value = table.find("exit-cost-ns")) read_exit_costs(*value, sim, diagnostics);
    table.reject_unknown();
}

template <class T>
void read_table(const std::optional<ValueAt>& value, T& to, Diagnostics& diagnostics,
                void (*read)(const TomlNode&, T&, Diagnostics&)) {
    if (!value) return;
    if (value->node.kind == TomlNode::Kind::Table)
        read(value->node, to, diagnostics);
    else
        report_wrong_kind(*value, "the table [" + value->path + "]", diagnostics);
}

void check_memory(const TomlNode& root, const PlatformFile& file, Diagnostics& diagnostics) {
    const bool is_given = root.find("sim") != nullptr && root.find("sim")->find("memory") != nullptr;
    const std::string key = is_given ? "sim.memory" : "plat.phys-memory-size";
    const Position at = position_of(root, key);
    const HpaRange memory = file.memory();
    if (memory.size == 0 || memory.size % page_size != 0)
        diagnostics.error(at, {key, "memory-size", "is no whole number of pages of 0x1000 bytes", "round it"});
    if (!memory.start.is_aligned(page_size))
        diagnostics.error(position_of(root, "plat.phys-memory-base"),
                          {"plat.phys-memory-base", "memory-base", "is not a multiple of the page size 0x1000", "round it"});
    if (memory.wraps())
        diagnostics.error(at,
                          {key, "memory-wrap", "the memory runs past the end of the 64-bit address space", "make it smaller"});
    for (std::size_t i = 0; i < file.config.devices.mmio_regions.size(); ++i) {
        if (!file.config.devices.mmio_regions[i].overlaps(memory)) continue;
        const std::string region = "devices.mmio-regions[" + std::to_string(i) + "]";
        diagnostics.error(position_of(root, region),
                          {region, "mmio-memory-overlap", "lies in the board's memory", "move it, or change " + key});
    }
}

void read_count(TableReader& table, std::string_view key, u64 max, std::optional<u64>& to) {
    u64 number = 0;
    read_count(table, key, max, number);
    if (number != 0) to = number;
}

/// The keys that a platform file and a defconfig share; `to` is either.
template <class T>
void read_common(TableReader& table, T& to) {
    read_count(table, "task-stack-size", ~u64{0}, to.task_stack_size);
    read_count(table, "ticks-per-sec", max_ticks_per_sec, to.ticks_per_sec);
    read_count(table, "smp", max_cpus, to.smp);
}

}  // namespace

bool is_defconfig_key(std::string_view key) {
    return key == "task-stack-size" || key == "ticks-per-sec" || key == "smp";
}

void read_defconfig_keys(const TomlNode& root, Defconfig& defconfig, Diagnostics& diagnostics) {
    TableReader table(root, "", diagnostics);
    read_common(table, defconfig);
    table.reject_unknown();
}

void read_platform_tables(const TomlNode& root, PlatformFile& file, Diagnostics& diagnostics) {
    TableReader table(root, "", diagnostics);
    if (const auto value = table.require("arch", "arch = \"riscv64\""))
        if (const auto arch = read_choice(*value, arches, diagnostics)) file.config.arch = static_cast<config::Arch>(*arch);
    table.required_text("platform", "a name, platform = \"riscv64-qemu-virt\"", file.config.platform);
    read_common(table, file.config);
    read_table(table.require("plat", "the table [plat]"), file.config.plat, diagnostics, &read_plat);
    read_table(table.require("devices", "the table [devices]"), file.config.devices, diagnostics, &read_devices);
    file.sim.has_cpus = file.config.smp.has_value();
    file.sim.cpus = file.config.smp.value_or(1);
    file.sim.ticks_per_sec = file.config.ticks_per_sec.value_or(1000);
    file.sim.memory_base = file.config.plat.phys_memory_base;
    file.sim.memory_bytes = file.config.plat.phys_memory_size;
    read_table(table.find("sim"), file.sim, diagnostics, &read_sim);
    table.reject_unknown();
    if (!diagnostics.has_errors()) check_memory(root, file, diagnostics);
}

}  // namespace ax::sim
