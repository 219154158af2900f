// Devices of a VM as its configuration names them: emulated, passed through, left out.
#pragma once

#include "core/base/addr.hpp"
#include "core/config/device_type.hpp"
#include "core/config/limits.hpp"

namespace ax::config {

/// Inputs of a VM's PLIC, numbered from 1; as on QEMU's virt board.
inline constexpr u32 plic_sources = 95;

/// I/O ports of an x86 machine.
inline constexpr u64 port_count = 0x1'0000;

/// True when the device-tree path `path` is `node` or lies below it.
[[nodiscard]] constexpr bool is_below_node(std::string_view path, std::string_view node) {
    if (!path.starts_with(node)) return false;
    return node.ends_with('/') || path.size() == node.size() || path[node.size()] == '/';
}
static_assert(is_below_node("/soc/uart", "/soc") && is_below_node("/soc", "/") && !is_below_node("/socket", "/soc"));

/// One element of `devices.emu_devices`; positional form
/// `[name, base_gpa, length, irq_id, emu_type, cfg_list]`.
struct EmulatedDeviceConfig {
    DeviceName name;
    u64 base_gpa = 0;
    u64 length = 0;  ///< bytes
    u64 irq_id = 0;  ///< input of the VM's interrupt controller; 0 for none
    EmulatedDeviceType emu_type = EmulatedDeviceType::Dummy;
    FixedVector<u64, max_cfg_list> cfg_list;  ///< meaning depends on the type

    [[nodiscard]] constexpr GpaRange range() const { return {Gpa{base_gpa}, length}; }
    /// True when base and length are x86 I/O ports and no memory: the PIT's always, a console's where they can be.
    [[nodiscard]] constexpr bool has_ports() const {
        if (emu_type == EmulatedDeviceType::X86Pit) return true;
        return emu_type == EmulatedDeviceType::Console && base_gpa < port_count && length <= port_count - base_gpa;
    }
};

/// One element of `devices.passthrough_devices`; positional form
/// `[name, base_gpa, base_hpa, length, irq_id]`, where all but the name may be left out.
struct PassThroughDeviceConfig {
    DeviceName name;
    u64 base_gpa = 0;
    u64 base_hpa = 0;
    u64 length = 0;  ///< bytes; 0 when `name` is a device-tree path that tells the rest
    u64 irq_id = 0;

    [[nodiscard]] constexpr GpaRange range() const { return {Gpa{base_gpa}, length}; }
    [[nodiscard]] constexpr bool is_tree_path() const { return length == 0 && name.view().starts_with('/'); }
};

/// One element of `devices.passthrough_addresses`, `[base_gpa, length]`: a window mapped identically.
struct PassThroughAddressConfig {
    u64 base_gpa = 0;
    u64 length = 0;  ///< bytes

    [[nodiscard]] constexpr GpaRange range() const { return {Gpa{base_gpa}, length}; }
};

/// One element of `devices.passthrough_ports`, `[base, length]`: x86 I/O ports.
struct PassThroughPortConfig {
    u16 base = 0;
    u16 length = 0;
};

/// How interrupts reach the guest.
enum class VMInterruptMode : u8 { NoIrq, Emulated, Passthrough };

/// axsim's own: what the local APICs of an x86 VM have beside the xAPIC page and the one-shot and periodic timer.
enum class LapicTimer : u8 { TscDeadline, OneShot };
enum class LapicMode : u8 { Xapic, X2apic };

/// What guest physical space holds where the configuration names nothing.
enum class AddressSpacePolicy : u8 {
    Virtualized,  ///< nothing: an access there is an exit
    Passthrough,  ///< the host's own space
};

}  // namespace ax::config
