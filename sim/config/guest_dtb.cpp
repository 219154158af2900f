#include "sim/config/guest_dtb.hpp"

extern "C" {
#include <libfdt.h>
}

namespace ax::sim {

namespace {

constexpr u32 phandle_plic = 1;
/// vCPU i's own interrupt controller is phandle_hart + i.
constexpr u32 phandle_hart = 2;
/// RISC-V Privileged, Supervisor Cause Register: supervisor external interrupt.
constexpr u32 supervisor_external = 9;
/// The largest tree that Linux takes (Documentation, "Booting").
constexpr std::size_t max_tree_bytes = 2 << 20;
/// A context that is there but connected to nothing.
constexpr u32 unconnected = 0xffff'ffff;

std::string console_path(const GuestDtbInput& input) {
    if (!input.uart) return {};
    return "/soc/" + unit_name("serial", input.uart->range.start.value()) + ":115200n8";
}

void write_cpus(FdtWriter& fdt, const GuestDtbInput& input) {
    fdt.begin("cpus");
    fdt.cell("#address-cells", 1);
    fdt.cell("#size-cells", 0);
    fdt.cell("timebase-frequency", static_cast<u32>(input.timebase_frequency));
    for (std::size_t i = 0; i < input.hart_ids.size(); ++i) {
        fdt.begin(unit_name("cpu", input.hart_ids[i]));
        fdt.text("device_type", "cpu");
        fdt.cell("reg", static_cast<u32>(input.hart_ids[i]));
        fdt.text("status", "okay");
        fdt.text("compatible", "riscv");
        fdt.text("riscv,isa", input.isa.isa);
        fdt.text("riscv,isa-base", input.isa.base);
        fdt.texts("riscv,isa-extensions", input.isa.extensions);
        fdt.text("mmu-type", input.isa.mmu_type);
        fdt.begin("interrupt-controller");
        fdt.cell("#interrupt-cells", 1);
        fdt.flag("interrupt-controller");
        fdt.text("compatible", "riscv,cpu-intc");
        fdt.cell("phandle", phandle_hart + static_cast<u32>(i));
        fdt.end();
        fdt.end();
    }
    fdt.end();
}

void write_plic(FdtWriter& fdt, const GuestDtbInput& input) {
    fdt.begin(unit_name("plic", input.plic->start.value()));
    const std::vector<std::string> compatible = {"sifive,plic-1.0.0", "riscv,plic0"};
    fdt.texts("compatible", compatible);
    fdt.wide("reg", {input.plic->start.value(), input.plic->size});
    fdt.cell("#interrupt-cells", 1);
    fdt.cell("#address-cells", 0);
    fdt.flag("interrupt-controller");
    std::vector<u32> contexts;
    for (u32 i = 0; i < input.hart_ids.size(); ++i)
        contexts.insert(contexts.end(), {phandle_hart + i, unconnected, phandle_hart + i, supervisor_external});
    fdt.cells("interrupts-extended", contexts);
    fdt.cell("riscv,ndev", input.plic_sources);
    fdt.cell("phandle", phandle_plic);
    fdt.end();
}

/// The properties that every device with registers has.
void begin_device(FdtWriter& fdt, const char* name, const char* compatible, const DtbDevice& device, bool has_plic) {
    fdt.begin(unit_name(name, device.range.start.value()));
    fdt.text("compatible", compatible);
    fdt.wide("reg", {device.range.start.value(), device.range.size});
    if (device.irq == 0 || !has_plic) return;
    fdt.cell("interrupts", device.irq);
    fdt.cell("interrupt-parent", phandle_plic);
}

void write_soc(FdtWriter& fdt, const GuestDtbInput& input) {
    fdt.begin("soc");
    fdt.cell("#address-cells", 2);
    fdt.cell("#size-cells", 2);
    fdt.text("compatible", "simple-bus");
    fdt.flag("ranges");
    if (input.plic) write_plic(fdt, input);
    if (input.uart) {
        begin_device(fdt, "serial", "ns16550a", *input.uart, input.plic.has_value());
        fdt.cell("clock-frequency", input.uart_clock_hz);
        fdt.end();
    }
    if (input.rtc) {
        begin_device(fdt, "rtc", "google,goldfish-rtc", *input.rtc, input.plic.has_value());
        fdt.end();
    }
    fdt.end();
}

/// Room for a changed `/chosen`: names, lengths and the values themselves.
std::size_t room_for(const DtbPatch& patch) { return patch.bootargs.size() + 256; }

int apply(void* tree, const DtbPatch& patch) {
    int chosen = fdt_path_offset(tree, "/chosen");
    if (chosen == -FDT_ERR_NOTFOUND) chosen = fdt_add_subnode(tree, 0, "chosen");
    if (chosen < 0) return chosen;
    int result = 0;
    if (!patch.bootargs.empty())
        result = fdt_setprop(tree, chosen, "bootargs", patch.bootargs.c_str(), static_cast<int>(patch.bootargs.size() + 1));
    if (result == 0 && patch.initrd) {
        result = fdt_setprop_u64(tree, chosen, "linux,initrd-start", patch.initrd->start.value());
        if (result == 0) result = fdt_setprop_u64(tree, chosen, "linux,initrd-end", patch.initrd->end().value());
    }
    return result;
}

}  // namespace

void write_chosen(FdtWriter& fdt, const std::string& bootargs, const std::string& console, const std::optional<GpaRange>& initrd) {
    fdt.begin("chosen");
    if (!bootargs.empty()) fdt.text("bootargs", bootargs);
    if (!console.empty()) fdt.text("stdout-path", console);
    if (initrd) {
        fdt.wide("linux,initrd-start", {initrd->start.value()});
        fdt.wide("linux,initrd-end", {initrd->end().value()});
    }
    fdt.end();
}

void write_memory(FdtWriter& fdt, std::span<const GpaRange> memory) {
    for (const GpaRange& range : memory) {
        fdt.begin(unit_name("memory", range.start.value()));
        fdt.text("device_type", "memory");
        fdt.wide("reg", {range.start.value(), range.size});
        fdt.end();
    }
}

std::expected<std::vector<std::byte>, std::string> make_guest_dtb(const GuestDtbInput& input) {
    if (input.timebase_frequency > ~u32{0}) return std::unexpected("a timer frequency of more than 32 bits has no place in it");
    for (const u64 id : input.hart_ids)
        if (id > ~u32{0}) return std::unexpected("a hart id of more than 32 bits has no place in it");
    FdtWriter fdt;
    fdt.begin("");
    fdt.cell("#address-cells", 2);
    fdt.cell("#size-cells", 2);
    fdt.text("compatible", "riscv-virtio");
    fdt.text("model", input.model);
    write_chosen(fdt, input.bootargs, console_path(input), input.initrd);
    write_memory(fdt, input.memory);
    write_cpus(fdt, input);
    write_soc(fdt, input);
    fdt.end();
    return fdt.finish();
}

std::expected<std::vector<std::byte>, std::string> patch_guest_dtb(std::span<const std::byte> tree, const DtbPatch& patch) {
    // fdt_check_full reads the header before it looks at the size.
    if (tree.size() < sizeof(fdt_header)) return std::unexpected("it is too short for a device tree");
    if (fdt_magic(tree.data()) != FDT_MAGIC) return std::unexpected("it does not begin with a device tree's magic number");
    if (fdt_totalsize(tree.data()) > tree.size())
        return std::unexpected("its header names " + std::to_string(fdt_totalsize(tree.data())) + " bytes, but the file has " +
                               std::to_string(tree.size()));
    if (tree.size() > max_tree_bytes) return std::unexpected("it is larger than 2 MiB");
    if (const int bad = fdt_check_full(tree.data(), tree.size()); bad != 0)
        return std::unexpected(std::string("libfdt says ") + fdt_strerror(bad));
    if (patch.bootargs.empty() && !patch.initrd) return std::vector<std::byte>(tree.begin(), tree.end());

    std::vector<std::byte> copy(tree.size() + room_for(patch));
    int result = fdt_open_into(tree.data(), copy.data(), static_cast<int>(copy.size()));
    if (result == 0) result = apply(copy.data(), patch);
    if (result == 0) result = fdt_pack(copy.data());
    if (result != 0) return std::unexpected(std::string("cannot change it: ") + fdt_strerror(result));
    copy.resize(fdt_totalsize(copy.data()));
    return copy;
}

}  // namespace ax::sim
