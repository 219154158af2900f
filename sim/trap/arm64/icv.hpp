// The GICv3 virtual CPU interface of a simulated CPU: what ICC_* mean to a guest at EL1 whose interrupts the core
// keeps in list registers. Written from the manual on its own; it shares only register layouts with the core.
#pragma once

#include <optional>

#include "core/arch/arm64/el2_regs.hpp"
#include "core/arch/arm64/regs.hpp"

namespace ax::sim::arm64 {

/// List registers of this CPU; the others in El2Regs do not exist.
inline constexpr unsigned list_register_count = 4;

enum class IcvOutcome : u8 {
    Done,       ///< `value` is what a read yields
    Undefined,  ///< no such register, or not in this direction
    TrapToEl2,  ///< exception class 0x18
    Physical,   ///< HCR_EL2.{IMO, FMO} leave it to the physical interface, which is not here
};
struct IcvResult {
    IcvOutcome outcome = IcvOutcome::Done;
    u64 value = 0;
    /// Physical interrupt that the access deactivates, of a list register with HW.
    std::optional<u32> deactivates;
};

/// An access at EL1 (at EL0 all of these are UNDEFINED). Reading an IAR acknowledges.
/// Source: IHI 0069, "Virtual interrupt handling and prioritization", and the page of each ICV register.
[[nodiscard]] IcvResult icv_read(ax::arm64::El2Regs& el2, ax::arm64::SysReg reg, unsigned list_registers = list_register_count);
[[nodiscard]] IcvResult icv_write(ax::arm64::El2Regs& el2, ax::arm64::SysReg reg, u64 value,
                                  unsigned list_registers = list_register_count);

/// The virtual IRQ and FIQ outputs of the interface: a Group 1 or Group 0 interrupt in a list register can be taken.
/// HCR_EL2.VI and VF are not part of them, nor is IMO and FMO.
[[nodiscard]] bool irq_asserted(const ax::arm64::El2Regs& el2, unsigned list_registers = list_register_count);
[[nodiscard]] bool fiq_asserted(const ax::arm64::El2Regs& el2, unsigned list_registers = list_register_count);
/// True when a virtual interrupt or SError ends WFI, PSTATE's masks aside: "WFI wake-up events".
[[nodiscard]] bool wakes(const ax::arm64::El2Regs& el2, unsigned list_registers = list_register_count);

/// What EL2 reads of the list registers: ICH_MISR_EL2, ICH_EISR_EL2, ICH_ELRSR_EL2, ICH_VTR_EL2.
[[nodiscard]] u64 ich_misr(const ax::arm64::El2Regs& el2, unsigned list_registers = list_register_count);
[[nodiscard]] u64 ich_eisr(const ax::arm64::El2Regs& el2, unsigned list_registers = list_register_count);
[[nodiscard]] u64 ich_elrsr(const ax::arm64::El2Regs& el2, unsigned list_registers = list_register_count);
[[nodiscard]] u64 ich_vtr(unsigned list_registers = list_register_count);
/// The maintenance interrupt's level.
[[nodiscard]] bool maintenance_asserted(const ax::arm64::El2Regs& el2, unsigned list_registers = list_register_count);

}  // namespace ax::sim::arm64
