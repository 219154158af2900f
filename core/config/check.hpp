// The rules that a VM configuration must keep, beyond its syntax. One function per rule; each reports
// everything that it finds, and none depends on another having passed.
#pragma once

#include "core/config/crate_config.hpp"
#include "core/config/finding.hpp"

namespace ax::config {

/// All the rules below.
void check_vm(const AxVMCrateConfig& config, FindingSink& sink);

/// Rules over `base` (check_base.cpp).
void check_id(const BaseConfig& base, FindingSink& sink);
void check_vm_type(const BaseConfig& base, FindingSink& sink);
void check_cpu_num(const BaseConfig& base, FindingSink& sink);
void check_phys_cpu_ids(const BaseConfig& base, FindingSink& sink);
void check_phys_cpu_sets(const BaseConfig& base, FindingSink& sink);

/// Rules over `kernel` (check_memory.cpp).
void check_has_memory(const KernelConfig& kernel, FindingSink& sink);
void check_region_shape(const KernelConfig& kernel, FindingSink& sink);
void check_region_flags(const KernelConfig& kernel, FindingSink& sink);
void check_region_overlap(const KernelConfig& kernel, FindingSink& sink);
void check_entry_point(const KernelConfig& kernel, FindingSink& sink);
void check_load_addresses(const KernelConfig& kernel, FindingSink& sink);
void check_image_pairs(const KernelConfig& kernel, FindingSink& sink);

/// How the guest is started: what `boot_protocol` says or, without it, `enable_bios`.
[[nodiscard]] BootProtocol boot_protocol_of(const KernelConfig& kernel);

/// Rules over the start (check_boot.cpp).
void check_boot_protocol(const KernelConfig& kernel, FindingSink& sink);
void check_excluded_devices(const DeviceConfig& devices, FindingSink& sink);

/// Rules over `devices` (check_devices.cpp).
void check_device_shape(const DeviceConfig& devices, FindingSink& sink);
void check_device_overlap(const AxVMCrateConfig& config, FindingSink& sink);
void check_device_memory_overlap(const AxVMCrateConfig& config, FindingSink& sink);
void check_device_interrupts(const DeviceConfig& devices, FindingSink& sink);
void check_pass_through_interrupts(const DeviceConfig& devices, FindingSink& sink);
void check_interrupt_controller(const DeviceConfig& devices, FindingSink& sink);
void check_pass_through(const DeviceConfig& devices, FindingSink& sink);
void check_pass_through_ports(const DeviceConfig& devices, FindingSink& sink);

/// Rules over single types of device (check_device_types.cpp).
void check_device_config(const AxVMCrateConfig& config, FindingSink& sink);
void check_ivc_regions(const DeviceConfig& devices, FindingSink& sink);

/// Rules over an Arm GIC (check_gic.cpp).
void check_gic(const AxVMCrateConfig& config, FindingSink& sink);

}  // namespace ax::config
