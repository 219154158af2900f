// The kinds of emulated device and their numbers in `devices.emu_devices`.
#pragma once

#include <optional>
#include <string_view>

#include "core/base/types.hpp"

namespace ax::config {

/// Numbers are AxVisor's (axvmconfig), whose scheme is 0x00-0x1F abstract, 0x20-0x7F concrete, 0xE0-0xEF
/// virtio, the rest reserved. 0x40 is axsim's own: the family has no number for a clock.
enum class EmulatedDeviceType : u8 {
    Dummy = 0x00,
    InterruptController = 0x01,
    Console = 0x02,
    FwCfg = 0x03,
    IVCChannel = 0x0a,
    GPPTRedistributor = 0x20,
    GPPTDistributor = 0x21,
    GPPTITS = 0x22,
    X86IoApic = 0x23,
    X86Pit = 0x24,
    LoongArchPchPic = 0x25,
    PPPTGlobal = 0x30,
    Rtc = 0x40,
    VirtioBlk = 0xe1,
    VirtioNet = 0xe2,
    VirtioConsole = 0xe3,
};

/// The type with this number; none for a number without a meaning.
[[nodiscard]] std::optional<EmulatedDeviceType> emulated_device_type_from(u64 number);

/// The family's display text, for example "plic partial passthrough global".
[[nodiscard]] std::string_view to_text(EmulatedDeviceType type);

/// True for a device that a running VM can lose; the family's table.
[[nodiscard]] bool removable(EmulatedDeviceType type);

/// True for a type that is a VM's whole interrupt controller.
[[nodiscard]] bool is_interrupt_controller(EmulatedDeviceType type);

}  // namespace ax::config
