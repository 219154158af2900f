// Rules over a VM together with the platform that it shall run on.
#include "sim/config/guest.hpp"

namespace ax::sim {

namespace {

using config::Hex;
using config::VmMemMappingType;

template <class... Parts>
std::string text(const Parts&... parts) {
    return std::string(config::join(parts...).view());
}

void check_masks(const VmFile& vm, const PlatformFile& platform, std::vector<Diagnostic>& found) {
    const auto& sets = vm.config.base.phys_cpu_sets;
    if (!sets) return;
    const u64 known = platform.sim.cpus >= 64 ? ~u64{0} : (u64{1} << platform.sim.cpus) - 1;
    for (std::size_t i = 0; i < sets->size(); ++i) {
        if (((*sets)[i] & known) != 0) continue;
        found.push_back(diagnose(vm, {"base.phys_cpu_sets[" + std::to_string(i) + "]", "cpu-set-platform",
                                      text(Hex{(*sets)[i]}, " names no pCPU that the platform has; it has ", platform.sim.cpus),
                                      "use a mask within " + text(Hex{known})}));
    }
}

void check_memory(const VmFile& vm, const PlatformFile& platform, std::vector<Diagnostic>& found) {
    const auto& regions = vm.config.kernel.memory_regions;
    u64 left = platform.memory().size;
    for (std::size_t i = 0; i < regions.size(); ++i) {
        const config::VmMemConfig& region = regions[i];
        const std::string key = "kernel.memory_regions[" + std::to_string(i) + "]";
        const std::string board =
            text("the platform's memory, ", Hex{platform.memory().start.value()}, "..", Hex{platform.memory().end().value()});
        if (region.map_type == VmMemMappingType::MapIdentical && !platform.memory().contains(Hpa{region.gpa}, region.size))
            found.push_back(diagnose(vm, {key, "identical-memory", "is mapped identically, but lies outside " + board,
                                          "move it there, or use map_type 0"}));
        if (region.map_type != VmMemMappingType::MapAlloc || vm.config.kernel.memory_population == config::MemoryPopulation::Lazy)
            continue;
        if (region.size > left) {
            found.push_back(diagnose(vm, {key + ".size", "memory-platform", "the VM needs more memory than the platform has",
                                          "make it smaller, or raise memory in [sim] of the platform file"}));
            return;
        }
        left -= region.size;
    }
}

}  // namespace

std::vector<Diagnostic> check_on_platform(const VmFile& vm, const PlatformFile& platform) {
    std::vector<Diagnostic> found;
    check_masks(vm, platform, found);
    check_memory(vm, platform, found);
    return found;
}

}  // namespace ax::sim
