// A VM configuration as the VM is built from it: AxVM's runtime type.
#pragma once

#include "core/config/crate_config.hpp"

namespace ax::config {

struct AxVCpuConfig {
    Gpa bsp_entry;  ///< where the first vCPU starts
    Gpa ap_entry;   ///< where the others start when nobody says otherwise
};

struct VMImageConfig {
    Gpa kernel_load_gpa;
    std::optional<Gpa> bios_load_gpa;
    std::optional<Gpa> dtb_load_gpa;
    std::optional<Gpa> ramdisk_load_gpa;
};

/// Where one vCPU may run and how the guest knows it.
struct VcpuAffinity {
    VcpuId vcpu_id{};
    /// Bit n: may run on pCPU n. None: on any.
    std::optional<u64> pcpu_mask;
    u64 phys_id = 0;
};

/// Made from an `AxVMCrateConfig`; paths and the command line stay there, for whoever loads images.
/// Large (tens of KiB): keep it in static or heap storage.
class AxVMConfig {
public:
    using MemoryRegions = FixedVector<VmMemConfig, max_memory_regions>;
    using EmuDevices = FixedVector<EmulatedDeviceConfig, max_emu_devices>;
    using PassThroughDevices = FixedVector<PassThroughDeviceConfig, max_pass_through_devices>;
    using PassThroughAddresses = FixedVector<PassThroughAddressConfig, max_pass_through_addresses>;
    using Spis = FixedVector<u32, max_spis>;

    AxVMConfig() = default;
    explicit AxVMConfig(const AxVMCrateConfig& crate);

    [[nodiscard]] u64 id() const { return id_; }
    [[nodiscard]] std::string_view name() const { return name_.view(); }
    [[nodiscard]] VMType vm_type() const { return vm_type_; }
    [[nodiscard]] u64 cpu_num() const { return cpu_num_; }
    [[nodiscard]] Gpa bsp_entry() const { return cpu_config_.bsp_entry; }
    [[nodiscard]] Gpa ap_entry() const { return cpu_config_.ap_entry; }
    [[nodiscard]] const VMImageConfig& image_config() const { return image_config_; }
    [[nodiscard]] const MemoryRegions& memory_regions() const { return memory_regions_; }
    [[nodiscard]] const EmuDevices& emu_devices() const { return emu_devices_; }
    [[nodiscard]] const PassThroughDevices& pass_through_devices() const { return pass_through_devices_; }
    [[nodiscard]] const PassThroughAddresses& pass_through_addresses() const { return pass_through_addresses_; }
    [[nodiscard]] const Spis& pass_through_spis() const { return spi_list_; }
    [[nodiscard]] VMInterruptMode interrupt_mode() const { return interrupt_mode_; }
    [[nodiscard]] AddressSpacePolicy address_space_policy() const { return address_space_policy_; }
    [[nodiscard]] LapicTimer lapic_timer() const { return lapic_timer_; }
    [[nodiscard]] LapicMode lapic_mode() const { return lapic_mode_; }
    [[nodiscard]] MemoryPopulation memory_population() const { return memory_population_; }
    [[nodiscard]] FrameSize frame_size() const { return frame_size_; }

    /// One entry per vCPU, in order. A list that is too short leaves the rest at their defaults, and
    /// what a list holds beyond the vCPUs is ignored (the family indexes out of bounds).
    [[nodiscard]] FixedVector<VcpuAffinity, max_vcpus> get_vcpu_affinities_pcpu_ids() const;
    /// True when one single region holds all of `range`.
    [[nodiscard]] bool contains_memory_range(const GpaRange& range) const;

    /// Once the image is known: where the vCPUs really start.
    void set_entry(Gpa entry) { cpu_config_ = {entry, entry}; }
    /// The three below: false, and nothing changes, when the list is full.
    [[nodiscard]] bool add_memory_region(const VmMemConfig& region) { return memory_regions_.push_back(region); }
    [[nodiscard]] bool add_pass_through_device(const PassThroughDeviceConfig& device) {
        return pass_through_devices_.push_back(device);
    }
    /// An interrupt that is there already is not added again.
    [[nodiscard]] bool add_pass_through_spi(u32 spi);
    /// Removes the devices of this name; false when there is none.
    bool remove_pass_through_device(std::string_view name);
    void clear_pass_through_devices() { pass_through_devices_.clear(); }

private:
    u64 id_ = 0;
    Name name_;
    VMType vm_type_ = VMType::VMTRTOS;
    u64 cpu_num_ = 0;
    std::optional<PerVcpu> phys_cpu_ids_;
    std::optional<PerVcpu> phys_cpu_sets_;
    AxVCpuConfig cpu_config_;
    VMImageConfig image_config_;
    MemoryRegions memory_regions_;
    EmuDevices emu_devices_;
    PassThroughDevices pass_through_devices_;
    PassThroughAddresses pass_through_addresses_;
    Spis spi_list_;
    VMInterruptMode interrupt_mode_ = VMInterruptMode::NoIrq;
    AddressSpacePolicy address_space_policy_ = AddressSpacePolicy::Virtualized;
    LapicTimer lapic_timer_ = LapicTimer::TscDeadline;
    LapicMode lapic_mode_ = LapicMode::Xapic;
    MemoryPopulation memory_population_ = MemoryPopulation::Eager;
    FrameSize frame_size_ = FrameSize::Auto;
};

}  // namespace ax::config
