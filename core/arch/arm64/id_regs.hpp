// What a guest reads of the registers that describe its CPU, and of others that only exist to be read.
#pragma once

#include <optional>

#include "core/arch/arm64/sys_regs.hpp"

namespace ax::arm64 {

struct IdPolicy {
    bool has_gicv3 = true;  ///< the CPU interface is in system registers
};

/// The value of an ID register of group 3 (HCR_EL2.TID3); reserved ones read as zero. None for other registers.
/// What it describes is a Cortex-A72 without AArch32, EL2, EL3 and performance monitors.
[[nodiscard]] std::optional<u64> id_register(SysReg reg, const IdPolicy& policy);

/// Debug registers that a guest without debug hardware may read and write to no effect: value to read.
/// None for a register that such a guest does not have.
[[nodiscard]] std::optional<u64> debug_register(SysReg reg);

}  // namespace ax::arm64
