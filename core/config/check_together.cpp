// Rules over VMs that share a machine: nothing that exists once is given to two of them.
#include "core/config/check_platform.hpp"

namespace ax::config {

using namespace std::string_view_literals;

namespace {

Message vm_text(const AxVMCrateConfig& vm) { return join("VM "sv, vm.base.id, " (\""sv, vm.base.name.view(), "\")"sv); }

/// Host addresses that a VM has to itself, and the key that says so.
struct Claim {
    HpaRange host;
    FixedString<95> key;
    bool is_memory = false;
};

template <class F>
void for_each_claim(const AxVMCrateConfig& vm, F take) {
    for (std::size_t i = 0; i < vm.kernel.memory_regions.size(); ++i) {
        const VmMemConfig& region = vm.kernel.memory_regions[i];
        if (region.map_type != VmMemMappingType::MapAlloc)
            take(Claim{{Hpa{region.gpa}, region.size}, key_path("kernel.memory_regions[", u64{i}, "]"), true});
    }
    for (std::size_t i = 0; i < vm.devices.passthrough_devices.size(); ++i) {
        const PassThroughDeviceConfig& device = vm.devices.passthrough_devices[i];
        take(Claim{{Hpa{device.base_hpa}, device.length}, key_path("devices.passthrough_devices[", u64{i}, "]")});
    }
    for (std::size_t i = 0; i < vm.devices.passthrough_addresses.size(); ++i) {
        const PassThroughAddressConfig& window = vm.devices.passthrough_addresses[i];
        take(Claim{{Hpa{window.base_gpa}, window.length}, key_path("devices.passthrough_addresses[", u64{i}, "]")});
    }
}

void check_ids(std::span<const AxVMCrateConfig* const> vms, std::size_t i, FindingSink& sink) {
    for (const AxVMCrateConfig* earlier : vms.first(i)) {
        if (vms[i]->base.id != earlier->base.id) continue;
        sink.report({Severity::Error, "duplicate-vm-id", "base.id",
                     join(vms[i]->base.id, " is the id of "sv, vm_text(*earlier).view(), " already"sv),
                     "ids name VMs in traces and hypercalls: give each its own"});
        return;
    }
}

void check_names(std::span<const AxVMCrateConfig* const> vms, std::size_t i, FindingSink& sink) {
    for (const AxVMCrateConfig* earlier : vms.first(i)) {
        if (vms[i]->base.name.view() != earlier->base.name.view()) continue;
        sink.report({Severity::Warning, "duplicate-vm-name", "base.name",
                     join("\""sv, vms[i]->base.name.view(), "\" is the name of VM "sv, earlier->base.id, " too"sv), "give each its own name"});
        return;
    }
}

void check_host_ranges(const AxVMCrateConfig& vm, const AxVMCrateConfig& earlier, FindingSink& sink) {
    for_each_claim(vm, [&](const Claim& mine) {
        if (mine.host.size == 0 || mine.host.wraps()) return;
        for_each_claim(earlier, [&](const Claim& theirs) {
            if (theirs.host.size == 0 || theirs.host.wraps() || !mine.host.overlaps(theirs.host)) return;
            const Message what = join(Hex{mine.host.start.value()}, "..", Hex{mine.host.end().value()}, " of the host belongs to ",
                                      vm_text(earlier).view(), " already, by ", theirs.key.view());
            if (mine.is_memory)
                sink.report({Severity::Error, "memory-shared", mine.key, what, "move one of them, or use map_type 0"});
            else
                sink.report({Severity::Error, "pass-through-shared", mine.key, what, "pass each device through to one VM"});
        });
    });
}

void check_ports(const AxVMCrateConfig& vm, const AxVMCrateConfig& earlier, FindingSink& sink) {
    for (std::size_t i = 0; i < vm.devices.passthrough_ports.size(); ++i) {
        const PassThroughPortConfig& mine = vm.devices.passthrough_ports[i];
        for (std::size_t j = 0; j < earlier.devices.passthrough_ports.size(); ++j) {
            const PassThroughPortConfig& theirs = earlier.devices.passthrough_ports[j];
            if (u32{mine.base} + mine.length <= theirs.base || u32{theirs.base} + theirs.length <= mine.base) continue;
            sink.report({Severity::Error, "pass-through-shared", key_path("devices.passthrough_ports[", u64{i}, "]"),
                         join("ports from ", Hex{mine.base}, " belong to ", vm_text(earlier).view(), " already, by passthrough_ports[",
                              u64{j}, "]"),
                         "pass each port through to one VM"});
        }
    }
}

void check_interrupts(const AxVMCrateConfig& vm, const AxVMCrateConfig& earlier, FindingSink& sink) {
    for (std::size_t i = 0; i < vm.devices.passthrough_devices.size(); ++i) {
        const u64 irq = vm.devices.passthrough_devices[i].irq_id;
        // The family's files write 1 where a device has no interrupt of its own.
        if (irq <= 1) continue;
        for (const PassThroughDeviceConfig& theirs : earlier.devices.passthrough_devices) {
            if (theirs.irq_id != irq) continue;
            sink.report({Severity::Error, "pass-through-shared", key_path("devices.passthrough_devices[", u64{i}, "].irq_id"),
                         join("interrupt ", irq, " belongs to ", vm_text(earlier).view(), " already"),
                         "pass each device through to one VM"});
            break;
        }
    }
}

bool is_excluded(std::string_view path, const DeviceConfig& devices) {
    for (const DeviceName& node : devices.excluded_devices)
        if (is_below_node(path, node.view())) return true;
    return false;
}

/// Devices named by their place in the board's device tree. Whole trees are the family's habit, so that giving one to two VMs is
/// only a warning.
void check_tree_paths(const AxVMCrateConfig& vm, const AxVMCrateConfig& earlier, FindingSink& sink) {
    for (std::size_t i = 0; i < vm.devices.passthrough_devices.size(); ++i) {
        const PassThroughDeviceConfig& mine = vm.devices.passthrough_devices[i];
        if (!mine.is_tree_path()) continue;
        for (std::size_t j = 0; j < earlier.devices.passthrough_devices.size(); ++j) {
            const PassThroughDeviceConfig& theirs = earlier.devices.passthrough_devices[j];
            if (!theirs.is_tree_path()) continue;
            const bool is_mine_lower = is_below_node(mine.name.view(), theirs.name.view());
            if (!is_mine_lower && !is_below_node(theirs.name.view(), mine.name.view())) continue;
            const std::string_view shared = is_mine_lower ? mine.name.view() : theirs.name.view();
            if (is_excluded(shared, vm.devices) || is_excluded(shared, earlier.devices)) continue;
            sink.report({shared == "/"sv ? Severity::Warning : Severity::Error, "pass-through-shared",
                         key_path("devices.passthrough_devices[", u64{i}, "]"),
                         join("\""sv, shared, "\" of the device tree belongs to "sv, vm_text(earlier).view(), " already, by passthrough_devices["sv, u64{j}, "]"sv),
                         "pass each device through to one VM; excluded_devices leaves out the other's"});
        }
    }
}

void check_total_memory(std::span<const AxVMCrateConfig* const> vms, const BoardFacts& board, std::span<FindingSink* const> sinks) {
    u64 left = board.ram.size;
    for (std::size_t i = 0; i < vms.size(); ++i) {
        const u64 need = eager_memory_of(*vms[i]);
        if (need <= left) {
            left -= need;
            continue;
        }
        // One that fits on no board is told so by the rule over it alone.
        if (need <= board.ram.size)
            sinks[i]->report({Severity::Error, "memory-together", "kernel.memory_regions",
                              join("needs ", Hex{need}, " bytes, but the VMs before it leave ", Hex{left}, " of the platform's ", Hex{board.ram.size}),
                              "make the VMs smaller, populate one lazily, or raise memory in [sim] of the platform file"});
    }
}

}  // namespace

void check_together(std::span<const AxVMCrateConfig* const> vms, const BoardFacts* board, std::span<FindingSink* const> sinks) {
    for (std::size_t i = 0; i < vms.size(); ++i) {
        check_ids(vms, i, *sinks[i]);
        check_names(vms, i, *sinks[i]);
        for (std::size_t j = 0; j < i; ++j) {
            check_host_ranges(*vms[i], *vms[j], *sinks[i]);
            check_ports(*vms[i], *vms[j], *sinks[i]);
            check_interrupts(*vms[i], *vms[j], *sinks[i]);
            check_tree_paths(*vms[i], *vms[j], *sinks[i]);
        }
    }
    if (board != nullptr) check_total_memory(vms, *board, sinks);
}

}  // namespace ax::config
