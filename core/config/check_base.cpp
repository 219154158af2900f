// Rules over the `base` table.
#include "core/config/check.hpp"

namespace ax::config {

using namespace std::string_view_literals;

void check_vm(const AxVMCrateConfig& config, FindingSink& sink) {
    check_id(config.base, sink);
    check_vm_type(config.base, sink);
    check_cpu_num(config.base, sink);
    check_phys_cpu_ids(config.base, sink);
    check_phys_cpu_sets(config.base, sink);
    check_has_memory(config.kernel, sink);
    check_region_shape(config.kernel, sink);
    check_region_flags(config.kernel, sink);
    check_region_overlap(config.kernel, sink);
    check_entry_point(config.kernel, sink);
    check_load_addresses(config.kernel, sink);
    check_image_pairs(config.kernel, sink);
    check_boot_protocol(config.kernel, sink);
    check_device_shape(config.devices, sink);
    check_device_config(config, sink);
    check_ivc_regions(config.devices, sink);
    check_gic(config, sink);
    check_device_overlap(config, sink);
    check_device_memory_overlap(config, sink);
    check_device_interrupts(config.devices, sink);
    check_pass_through_interrupts(config.devices, sink);
    check_interrupt_controller(config.devices, sink);
    check_pass_through(config.devices, sink);
    check_pass_through_ports(config.devices, sink);
    check_excluded_devices(config.devices, sink);
}

void check_id(const BaseConfig& base, FindingSink& sink) {
    if (base.id <= ~u32{0}) return;
    sink.report({Severity::Error, "id-range", "base.id", join(Hex{base.id}, " is more than 32 bits"), "number VMs from 1"});
}

void check_vm_type(const BaseConfig& base, FindingSink& sink) {
    if (base.vm_type <= index(VMType::VMTLinux)) return;
    sink.report({Severity::Warning, "vm-type", "base.vm_type",
                 join(base.vm_type, " names no type of VM; it is taken for an RTOS"), "use 0 (host VM), 1 (RTOS) or 2 (Linux)"});
}

void check_cpu_num(const BaseConfig& base, FindingSink& sink) {
    if (base.cpu_num >= 1 && base.cpu_num <= max_vcpus) return;
    sink.report({Severity::Error, "cpu-num", "base.cpu_num", join("a VM cannot have ", base.cpu_num, " vCPUs"),
                 "use a number from 1 to 64"});
}

namespace {

void check_length(const std::optional<PerVcpu>& list, std::string_view key, u64 cpu_num, FindingSink& sink) {
    if (!list || list->size() == cpu_num) return;
    sink.report(
        {Severity::Error, "per-vcpu-length", key_path(key),
         join("has ", u64{list->size()}, list->size() == 1 ? " element, but the VM has "sv : " elements, but the VM has "sv,
              cpu_num, cpu_num == 1 ? " vCPU"sv : " vCPUs"sv),
         "give one element per vCPU, or leave the key out"});
}

}  // namespace

void check_phys_cpu_ids(const BaseConfig& base, FindingSink& sink) {
    check_length(base.phys_cpu_ids, "base.phys_cpu_ids"sv, base.cpu_num, sink);
    if (!base.phys_cpu_ids) return;
    const PerVcpu& ids = *base.phys_cpu_ids;
    for (std::size_t i = 0; i < ids.size(); ++i) {
        for (std::size_t j = 0; j < i; ++j) {
            if (ids[i] != ids[j]) continue;
            sink.report({Severity::Error, "duplicate-cpu-id", key_path("base.phys_cpu_ids[", u64{i}, "]"),
                         join(Hex{ids[i]}, " is the id of vCPU ", u64{j}, " already"), "give each vCPU its own id"});
            break;
        }
    }
}

void check_phys_cpu_sets(const BaseConfig& base, FindingSink& sink) {
    check_length(base.phys_cpu_sets, "base.phys_cpu_sets"sv, base.cpu_num, sink);
    if (!base.phys_cpu_sets) return;
    for (std::size_t i = 0; i < base.phys_cpu_sets->size(); ++i) {
        if ((*base.phys_cpu_sets)[i] != 0) continue;
        sink.report({Severity::Error, "empty-cpu-set", key_path("base.phys_cpu_sets[", u64{i}, "]"),
                     join("vCPU ", u64{i}, " may run on no pCPU"),
                     "set bit n to allow pCPU n, for example 0x3 for pCPUs 0 and 1"});
    }
}

}  // namespace ax::config
