// Instructions of the SYSTEM opcode that the engine hands over: completed as hardware would, or
// turned into the exception that the programmed controls ask for.
#pragma once

#include <expected>

#include "core/arch/riscv/hs_csrs.hpp"
#include "sim/trap/riscv/hart_view.hpp"

namespace ax::sim::riscv {

/// Registers of the hart that the engine does not keep.
struct HartCsrs {
    u64 vsatp = 0;
};

/// What else a completed instruction did.
struct SystemEffect {
    bool flushes_translation = false;  ///< vsatp written, or SFENCE.VMA
    bool waits = false;                ///< WFI that hardware completes by itself
};

/// Executes `bits` for a guest at `time` ticks (htimedelta already added) with `retired` instructions.
/// The error is IllegalInstruction or VirtualInstruction ("Virtual Instruction Exception"); the caller
/// routes it. On success the pc has been stepped.
[[nodiscard]] std::expected<SystemEffect, ax::riscv::Cause> execute_system(u32 bits, const HartView& hart, HartCsrs& csrs,
                                                                           const ax::riscv::HsCsrs& hs, u64 time, u64 retired);

}  // namespace ax::sim::riscv
