// What a guest reads of the registers that describe its CPU, and of others that only exist to be read.
#pragma once

#include <optional>

#include "core/arch/arm64/sys_regs.hpp"

namespace ax::arm64 {

struct IdPolicy {
    bool has_gicv3 = true;  ///< the CPU interface is in system registers
};

/// What a guest sees of `value`, which the CPU itself has in an ID register: features that work in a guest stay, those
/// that the hypervisor does not offer read as absent. Hidden are AArch32, EL2 and EL3, SVE and SME, pointer
/// authentication (its keys would be the hypervisor's to switch), random numbers (a run must repeat), performance
/// monitors, tracing, RAS, activity monitors, mixed endianness (an emulated access would have to swap), hardware
/// management of the Access flag (so that stage 2 sees only reads from walks), PAN and SSBS (they add to exception
/// entry). A reserved register, or one of AArch32, reads as zero. The result is at most what `value` says, but for the GIC, which
/// is the VM's.
[[nodiscard]] u64 visible_id(SysReg reg, u64 value, const IdPolicy& policy);

/// The value that a Cortex-A72 r0p3 has in an ID register of group 3.
[[nodiscard]] u64 cortex_a72_id(SysReg reg);

/// What a guest on that CPU reads from an ID register of group 3 (HCR_EL2.TID3). None for other registers.
[[nodiscard]] std::optional<u64> id_register(SysReg reg, const IdPolicy& policy);

/// Debug registers that a guest without debug hardware may read and write to no effect: value to read.
/// None for a register that such a guest does not have.
[[nodiscard]] std::optional<u64> debug_register(SysReg reg);

}  // namespace ax::arm64
