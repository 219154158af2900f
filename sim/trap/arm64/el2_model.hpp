// What this CPU takes for EL2's control registers, and what it refuses as an illegal return or as values
// that the architecture reserves.
#pragma once

#include "core/arch/arm64/el2_regs.hpp"

namespace ax::sim::arm64 {

/// The first register whose value this CPU does not take, in the order of the list; null when an ERET to the
/// guest goes well. Source: Arm ARM DDI 0487, "Illegal return events from AArch64 state", and the registers' pages.
[[nodiscard]] const char* refused_register(const ax::arm64::El2Regs& el2, unsigned list_registers);

}  // namespace ax::sim::arm64
