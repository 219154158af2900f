#include "sim/config/guest_dtb_arm64.hpp"

#include <algorithm>

namespace ax::sim {

namespace {

constexpr u32 phandle_gic = 1;
constexpr u32 phandle_clock = 2;
/// interrupt-controller/arm,gic: first cell of an interrupt, and trigger types of its last.
constexpr u32 gic_spi = 0;
constexpr u32 gic_ppi = 1;
constexpr u32 level_high = 4;
/// The PrimeCell parts' clock; QEMU's virt board has the same.
constexpr u32 clock_hz = 24'000'000;
/// Base System Architecture, "PPI assignments", as PPI numbers: secure, non-secure physical, virtual, hypervisor timer.
constexpr std::initializer_list<u32> timer_ppis = {13, 14, 11, 10};
/// MPIDR_EL1.Aff3 and Aff2 to Aff0.
constexpr u64 affinity_mask = 0xff'00ff'ffff;

bool has_wide_ids(const Arm64DtbInput& input) {
    return std::ranges::any_of(input.cpu_ids, [](u64 id) { return id > ~u32{0}; });
}

void write_cpus(FdtWriter& fdt, const Arm64DtbInput& input) {
    const bool is_wide = has_wide_ids(input);
    fdt.begin("cpus");
    fdt.cell("#address-cells", is_wide ? 2 : 1);
    fdt.cell("#size-cells", 0);
    for (const u64 id : input.cpu_ids) {
        fdt.begin(unit_name("cpu", id));
        fdt.text("device_type", "cpu");
        fdt.text("compatible", input.cpu_compatible);
        if (is_wide)
            fdt.wide("reg", {id});
        else
            fdt.cell("reg", static_cast<u32>(id));
        fdt.text("enable-method", "psci");
        fdt.end();
    }
    fdt.end();
}

void write_psci(FdtWriter& fdt, const Arm64DtbInput& input) {
    fdt.begin("psci");
    const std::vector<std::string> compatible = {"arm,psci-1.0", "arm,psci-0.2"};
    fdt.texts("compatible", compatible);
    fdt.text("method", input.psci_method);
    fdt.end();
}

/// A GICv2 tells in bits 15:8 of each private interrupt which CPUs have it.
u32 private_flags(const Arm64DtbInput& input) {
    if (input.gic->version != 2) return level_high;
    return level_high | (((u32{1} << input.cpu_ids.size()) - 1) << 8);
}

void write_gic(FdtWriter& fdt, const Arm64DtbInput& input) {
    const config::GicLayout& gic = *input.gic;
    fdt.begin(unit_name("intc", gic.gicd.start.value()));
    fdt.text("compatible", gic.version == 2 ? "arm,cortex-a15-gic" : "arm,gic-v3");
    fdt.cell("#interrupt-cells", 3);
    fdt.cell("#address-cells", 2);
    fdt.cell("#size-cells", 2);
    fdt.flag("ranges");
    fdt.flag("interrupt-controller");
    std::vector<u64> reg = {gic.gicd.start.value(), gic.gicd.size};
    if (gic.version == 2) reg.insert(reg.end(), {gic.gicc.start.value(), gic.gicc.size});
    for (const config::GicRedistributors& row : gic.gicr) reg.insert(reg.end(), {row.range().start.value(), row.range().size});
    fdt.wide("reg", reg);
    if (gic.version == 3) {
        fdt.cell("#redistributor-regions", static_cast<u32>(gic.gicr.size()));
        if (!gic.gicr.empty() && gic.gicr[0].stride != config::gicr_stride) fdt.wide("redistributor-stride", {gic.gicr[0].stride});
    }
    fdt.cell("phandle", phandle_gic);
    if (gic.gits) {
        fdt.begin(unit_name("msi-controller", gic.gits->range.start.value()));
        fdt.text("compatible", "arm,gic-v3-its");
        fdt.flag("msi-controller");
        fdt.cell("#msi-cells", 1);
        fdt.wide("reg", {gic.gits->range.start.value(), gic.gits->range.size});
        fdt.end();
    }
    fdt.end();
}

void write_timer(FdtWriter& fdt, const Arm64DtbInput& input) {
    fdt.begin("timer");
    const std::vector<std::string> compatible = {"arm,armv8-timer", "arm,armv7-timer"};
    fdt.texts("compatible", compatible);
    fdt.flag("always-on");
    std::vector<u32> interrupts;
    for (const u32 ppi : timer_ppis) interrupts.insert(interrupts.end(), {gic_ppi, ppi, private_flags(input)});
    fdt.cells("interrupts", interrupts);
    fdt.end();
}

void write_clock(FdtWriter& fdt) {
    fdt.begin("apb-pclk");
    fdt.text("compatible", "fixed-clock");
    fdt.cell("#clock-cells", 0);
    fdt.cell("clock-frequency", clock_hz);
    fdt.text("clock-output-names", "clk24mhz");
    fdt.cell("phandle", phandle_clock);
    fdt.end();
}

/// A PrimeCell part; its own clock, when it has a name for one, comes before that of its bus.
void write_primecell(FdtWriter& fdt, const std::string& node, const char* compatible, const DtbDevice& device, bool has_gic,
                     const std::vector<std::string>& clock_names) {
    fdt.begin(node);
    const std::vector<std::string> both = {compatible, "arm,primecell"};
    fdt.texts("compatible", both);
    fdt.wide("reg", {device.range.start.value(), device.range.size});
    if (has_gic && device.irq >= config::first_spi)
        fdt.cells("interrupts", {gic_spi, device.irq - static_cast<u32>(config::first_spi), level_high});
    fdt.cells("clocks", std::vector<u32>(clock_names.size(), phandle_clock));
    fdt.texts("clock-names", clock_names);
    fdt.end();
}

std::string uart_node(const DtbDevice& uart) { return unit_name("serial", uart.range.start.value()); }
std::string rtc_node(const DtbDevice& rtc) { return unit_name("rtc", rtc.range.start.value()); }

void write_aliases(FdtWriter& fdt, const Arm64DtbInput& input) {
    fdt.begin("aliases");
    if (input.uart) fdt.text("serial0", "/" + uart_node(*input.uart));
    if (input.rtc) fdt.text("rtc0", "/" + rtc_node(*input.rtc));
    fdt.end();
}

std::optional<std::string> refusal(const Arm64DtbInput& input) {
    for (const u64 id : input.cpu_ids)
        if ((id & ~affinity_mask) != 0) return "a vCPU's number that is no MPIDR affinity has no place in it";
    if (input.psci_method != "hvc" && input.psci_method != "smc") return "psci-method is neither \"hvc\" nor \"smc\"";
    if (input.gic && input.gic->version == 2 && input.cpu_ids.size() > config::max_gicv2_vcpus) return "a GICv2 serves 8 vCPUs at most";
    return std::nullopt;
}

}  // namespace

std::expected<std::vector<std::byte>, std::string> make_arm64_dtb(const Arm64DtbInput& input) {
    if (auto refused = refusal(input)) return std::unexpected(*std::move(refused));
    FdtWriter fdt;
    fdt.begin("");
    fdt.cell("#address-cells", 2);
    fdt.cell("#size-cells", 2);
    fdt.text("compatible", "linux,dummy-virt");
    fdt.text("model", input.model);
    if (input.gic) fdt.cell("interrupt-parent", phandle_gic);
    write_chosen(fdt, input.bootargs, input.uart ? "/" + uart_node(*input.uart) + ":115200n8" : std::string(), input.initrd);
    write_aliases(fdt, input);
    write_memory(fdt, input.memory);
    write_cpus(fdt, input);
    write_psci(fdt, input);
    if (input.gic) {
        write_gic(fdt, input);
        write_timer(fdt, input);
    }
    write_clock(fdt);
    if (input.uart) write_primecell(fdt, uart_node(*input.uart), "arm,pl011", *input.uart, input.gic.has_value(), {"uartclk", "apb_pclk"});
    if (input.rtc) write_primecell(fdt, rtc_node(*input.rtc), "arm,pl031", *input.rtc, input.gic.has_value(), {"apb_pclk"});
    fdt.end();
    return fdt.finish();
}

}  // namespace ax::sim
