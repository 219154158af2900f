// What a generated VM has of each of the family's QEMU boards.
#pragma once

#include "core/config/crate_config.hpp"
#include "core/config/platform.hpp"

namespace ax::sim {

struct GuestBoard {
    std::string_view arch;     ///< as in --arch
    u64 memory_base = 0;       ///< first guest physical address that can be memory
    u64 memory_end = 0;        ///< first one behind it that cannot
    u64 kernel_load_addr = 0;  ///< the usual place of a kernel
    std::string_view cmdline;  ///< Linux's console, early too where that needs no address
    std::string_view comment;  ///< what the devices are, lines of a heading
    bool has_device_tree = false;
};

[[nodiscard]] const GuestBoard& guest_board(config::Arch arch);

/// The number by which a guest knows this vCPU unless it is told otherwise.
[[nodiscard]] u64 cpu_number(config::Arch arch, u64 vcpu);

/// Fills in the devices and the interrupt mode for `cpu_num` vCPUs.
void add_board_devices(config::Arch arch, u64 cpu_num, config::DeviceConfig& devices);

}  // namespace ax::sim
