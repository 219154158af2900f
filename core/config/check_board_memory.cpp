// Rules over the addresses of a VM and those of its board.
#include "core/config/check_platform.hpp"

namespace ax::config {

using namespace std::string_view_literals;

namespace {

Message range_text(Hpa start, Hpa end) { return join(Hex{start.value()}, "..", Hex{end.value()}); }

FixedString<95> region_key(std::size_t i) { return key_path("kernel.memory_regions[", u64{i}, "]"); }

/// Grows `at` over the regions of `list` that continue it.
template <class List>
bool grow(const List& list, Hpa& at) {
    bool grew = false;
    for (const HpaRange& range : list) {
        if (range.size == 0 || range.wraps() || !range.contains(at, 1)) continue;
        at = range.end();
        grew = true;
    }
    return grew;
}

/// True when the board's lists together name every byte of the window.
bool is_on_board(const PlatDevices& devices, const HpaRange& window) {
    Hpa at = window.start;
    while (at < window.end())
        if (!grow(devices.mmio_regions, at) && !grow(devices.virtio_mmio_regions, at) && !grow(devices.pci_ranges, at)) return false;
    return true;
}

void check_window(const HpaRange& window, const FixedString<95>& key, const BoardFacts& board, FindingSink& sink) {
    if (window.size == 0 || window.wraps()) return;
    if (window.overlaps(board.ram))
        sink.report({Severity::Error, "pass-through-memory", key,
                     join(range_text(window.start, window.end()).view(), " is memory of the board, which is no device"),
                     "give memory in kernel.memory_regions"});
    else if (!is_on_board(board.platform.devices, window))
        sink.report({Severity::Warning, "pass-through-platform", key,
                     join(range_text(window.start, window.end()).view(), " is not all within the device regions that the platform names"),
                     "check the address, or add it to mmio-regions of the platform file"});
}

}  // namespace

u64 eager_memory_of(const AxVMCrateConfig& vm) {
    if (vm.kernel.memory_population == MemoryPopulation::Lazy) return 0;
    u64 sum = 0;
    for (const VmMemConfig& region : vm.kernel.memory_regions)
        if (region.map_type == VmMemMappingType::MapAlloc) sum = region.size > ~u64{0} - sum ? ~u64{0} : sum + region.size;
    return sum;
}

void check_identical_memory(const AxVMCrateConfig& vm, const BoardFacts& board, FindingSink& sink) {
    const Message ram = range_text(board.ram.start, board.ram.end());
    const Hpa hypervisor{board.platform.plat.kernel_base_paddr};
    for (std::size_t i = 0; i < vm.kernel.memory_regions.size(); ++i) {
        const VmMemConfig& region = vm.kernel.memory_regions[i];
        const HpaRange host{Hpa{region.gpa}, region.size};
        if (region.map_type != VmMemMappingType::MapIdentical || host.wraps()) continue;
        if (!board.ram.contains(host.start, host.size))
            sink.report({Severity::Error, "identical-memory", region_key(i),
                         join("is mapped identically, but lies outside the platform's memory, ", ram.view()),
                         "move it there, or use map_type 0"});
        else if (host.contains(hypervisor, 1))
            sink.report({Severity::Error, "identical-hypervisor", region_key(i),
                         join("is mapped identically over the hypervisor itself, which starts at ", Hex{hypervisor.value()}),
                         "move it, or use map_type 0"});
    }
}

void check_memory_fits(const AxVMCrateConfig& vm, const BoardFacts& board, FindingSink& sink) {
    u64 left = board.ram.size;
    for (std::size_t i = 0; i < vm.kernel.memory_regions.size(); ++i) {
        const VmMemConfig& region = vm.kernel.memory_regions[i];
        if (region.map_type != VmMemMappingType::MapAlloc || vm.kernel.memory_population == MemoryPopulation::Lazy) continue;
        if (region.size > left) {
            sink.report({Severity::Error, "memory-platform", key_path("kernel.memory_regions[", u64{i}, "].size"),
                         join("the VM needs more memory than the platform has, ", Hex{board.ram.size}, " bytes"),
                         "make it smaller, or raise memory in [sim] of the platform file"});
            return;
        }
        left -= region.size;
    }
}

void check_pass_through_on_board(const AxVMCrateConfig& vm, const BoardFacts& board, FindingSink& sink) {
    for (std::size_t i = 0; i < vm.devices.passthrough_devices.size(); ++i) {
        const PassThroughDeviceConfig& device = vm.devices.passthrough_devices[i];
        check_window({Hpa{device.base_hpa}, device.length}, key_path("devices.passthrough_devices[", u64{i}, "]"), board, sink);
    }
    for (std::size_t i = 0; i < vm.devices.passthrough_addresses.size(); ++i) {
        const PassThroughAddressConfig& window = vm.devices.passthrough_addresses[i];
        check_window({Hpa{window.base_gpa}, window.length}, key_path("devices.passthrough_addresses[", u64{i}, "]"), board, sink);
    }
}

}  // namespace ax::config
