// Raw trap in, neutral exit and its completion out.
#pragma once

#include "core/arch/riscv/trap.hpp"

namespace ax::riscv {

/// Decodes what a trap from VS- or VU-mode asks for. Never fails: what has no rule is `Unhandled`,
/// and what cannot be read (the guest changed the code meanwhile) is answered by running again.
[[nodiscard]] Decoded decode(const Trap& trap, GuestView& guest);

/// What the answer to a decoded exit changes. Source: RISC-V Privileged, "Hypervisor Trap
/// Instruction Register"; SBI 2.0, chapter "Binary Encoding".
[[nodiscard]] Effects complete(const Completion& completion, const Answer& answer);

}  // namespace ax::riscv
