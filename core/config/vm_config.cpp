#include "core/config/vm_config.hpp"

#include <algorithm>

namespace ax::config {

namespace {

std::optional<Gpa> to_gpa(std::optional<u64> address) {
    if (!address) return std::nullopt;
    return Gpa{*address};
}

}  // namespace

AxVMConfig::AxVMConfig(const AxVMCrateConfig& crate)
    : id_(crate.base.id),
      name_(crate.base.name),
      vm_type_(vm_type_from(crate.base.vm_type)),
      cpu_num_(crate.base.cpu_num),
      phys_cpu_ids_(crate.base.phys_cpu_ids),
      phys_cpu_sets_(crate.base.phys_cpu_sets),
      cpu_config_{Gpa{crate.kernel.entry_point}, Gpa{crate.kernel.entry_point}},
      image_config_{Gpa{crate.kernel.kernel_load_addr}, to_gpa(crate.kernel.bios_load_addr), to_gpa(crate.kernel.dtb_load_addr),
                    to_gpa(crate.kernel.ramdisk_load_addr)},
      memory_regions_(crate.kernel.memory_regions),
      emu_devices_(crate.devices.emu_devices),
      pass_through_devices_(crate.devices.passthrough_devices),
      pass_through_addresses_(crate.devices.passthrough_addresses),
      interrupt_mode_(crate.devices.interrupt_mode),
      address_space_policy_(crate.devices.address_space_policy),
      lapic_timer_(crate.devices.lapic_timer),
      lapic_mode_(crate.devices.lapic_mode),
      memory_population_(crate.kernel.memory_population),
      frame_size_(crate.kernel.frame_size) {}

FixedVector<VcpuAffinity, max_vcpus> AxVMConfig::get_vcpu_affinities_pcpu_ids() const {
    FixedVector<VcpuAffinity, max_vcpus> affinities;
    static_cast<void>(affinities.resize(std::min<u64>(cpu_num_, max_vcpus)));
    for (std::size_t i = 0; i < affinities.size(); ++i) {
        affinities[i] = {VcpuId{static_cast<u32>(i)}, std::nullopt, i};
        if (phys_cpu_sets_ && i < phys_cpu_sets_->size()) affinities[i].pcpu_mask = (*phys_cpu_sets_)[i];
        if (phys_cpu_ids_ && i < phys_cpu_ids_->size()) affinities[i].phys_id = (*phys_cpu_ids_)[i];
    }
    return affinities;
}

bool AxVMConfig::contains_memory_range(const GpaRange& range) const {
    return std::ranges::any_of(memory_regions_, [&](const VmMemConfig& region) {
        return !region.range().wraps() && region.range().contains(range.start, range.size);
    });
}

bool AxVMConfig::add_pass_through_spi(u32 spi) {
    if (std::ranges::find(spi_list_, spi) != spi_list_.end()) return true;
    return spi_list_.push_back(spi);
}

bool AxVMConfig::remove_pass_through_device(std::string_view name) {
    bool found = false;
    for (std::size_t i = pass_through_devices_.size(); i > 0; --i) {
        if (pass_through_devices_[i - 1].name != name) continue;
        pass_through_devices_.erase(i - 1);
        found = true;
    }
    return found;
}

}  // namespace ax::config
