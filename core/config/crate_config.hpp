// A VM configuration as its file writes it: the three tables `base`, `kernel` and `devices`.
#pragma once

#include <optional>

#include "core/config/devices.hpp"
#include "core/config/limits.hpp"
#include "core/config/memory.hpp"

namespace ax::config {

/// What kind of guest a VM is for. The family stores it and never uses it, and so does axsim.
enum class VMType : u8 { VMTHostVM = 0, VMTRTOS = 1, VMTLinux = 2 };

/// The type with this number; any number without a meaning is an RTOS, as in the family.
[[nodiscard]] constexpr VMType vm_type_from(u64 number) {
    return number <= index(VMType::VMTLinux) ? static_cast<VMType>(number) : VMType::VMTRTOS;
}

struct BaseConfig {
    u64 id = 0;
    Name name;
    u64 vm_type = index(VMType::VMTRTOS);  ///< as written; see `vm_type_from`
    u64 cpu_num = 1;
    /// The number by which the guest knows each vCPU (hart id, MPIDR affinity); its index when absent.
    std::optional<PerVcpu> phys_cpu_ids;
    /// Bit n of element i: vCPU i may run on pCPU n. Any pCPU when absent.
    std::optional<PerVcpu> phys_cpu_sets;
};

/// Where the images named in the configuration are.
enum class ImageLocation : u8 { Fs, Memory };

enum class BootProtocol : u8 { Direct, Multiboot, Uefi };

/// Paths are empty when the file names none.
struct KernelConfig {
    /// Where every vCPU starts. 0: where the kernel image says, see sim/config/kernel.hpp.
    u64 entry_point = 0;
    Path kernel_path;
    u64 kernel_load_addr = 0;
    Path bios_path;
    std::optional<u64> bios_load_addr;
    Path dtb_path;
    std::optional<u64> dtb_load_addr;
    Path ramdisk_path;
    std::optional<u64> ramdisk_load_addr;
    ImageLocation image_location = ImageLocation::Fs;
    Cmdline cmdline;
    Path disk_path;
    bool enable_bios = false;
    std::optional<BootProtocol> boot_protocol;
    Path uefi_firmware_path;
    Path option_rom_path;
    FixedVector<VmMemConfig, max_memory_regions> memory_regions;
    MemoryPopulation memory_population = MemoryPopulation::Eager;
    FrameSize frame_size = FrameSize::Auto;
};

struct DeviceConfig {
    FixedVector<EmulatedDeviceConfig, max_emu_devices> emu_devices;
    FixedVector<PassThroughDeviceConfig, max_pass_through_devices> passthrough_devices;
    VMInterruptMode interrupt_mode = VMInterruptMode::NoIrq;
    /// Device-tree paths, the nested lists of the file joined into one.
    FixedVector<DeviceName, max_excluded_devices> excluded_devices;
    FixedVector<PassThroughAddressConfig, max_pass_through_addresses> passthrough_addresses;
    FixedVector<PassThroughPortConfig, max_pass_through_ports> passthrough_ports;
    AddressSpacePolicy address_space_policy = AddressSpacePolicy::Virtualized;
    LapicTimer lapic_timer = LapicTimer::TscDeadline;
    LapicMode lapic_mode = LapicMode::Xapic;
};

/// Everything that a VM's file says. Large (tens of KiB): keep it in static or heap storage.
struct AxVMCrateConfig {
    BaseConfig base;
    KernelConfig kernel;
    DeviceConfig devices;
};

/// The region that holds all of `[gpa, gpa + size)`, or null. Two adjacent regions do not combine.
[[nodiscard]] constexpr const VmMemConfig* region_of(const KernelConfig& kernel, Gpa gpa, u64 size) {
    for (const VmMemConfig& region : kernel.memory_regions)
        if (!region.range().wraps() && region.range().contains(gpa, size)) return &region;
    return nullptr;
}

}  // namespace ax::config
