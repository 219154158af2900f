// Raw trap in, neutral exit and its completion out.
#pragma once

#include "core/arch/riscv/trap.hpp"

namespace ax::riscv {

/// Decodes what a trap from VS- or VU-mode asks for ("Traps", chapter "Hypervisor Extension"). Never
/// fails:
/// - Code that must be read but cannot be, or that does not explain the fault, was changed by another
///   vCPU meanwhile: `Handled{scause, sepc}` with nothing to complete, so that it runs again.
/// - An access that is no plain load or store, that crosses a page, or that faulted behind its first
///   byte is a `Stage2Fault`: removable by mapping memory and `Retry`, else a `BusFault`.
/// - `MmioRead` and `MmioWrite` say only that stage 2 refused. Whether memory belongs there (lazily
///   populated, read-only) is for the caller to know before it asks a device.
/// - What has no rule is `Unhandled`.
[[nodiscard]] Decoded decode(const Trap& trap, GuestView& guest);

/// What the answer to a decoded exit changes. Source: RISC-V Privileged, "Hypervisor Trap
/// Instruction Register"; SBI 2.0, chapter "Binary Encoding". By kind of answer:
/// - `Value`, `Call`: the completion's registers are written and the instruction stepped over. A value
///   is a call that succeeded. Writes to x0 are dropped.
/// - `None`: calls and waits are stepped over; an SBI call gets `call_error` and `call_value`, a legacy
///   one `call_value`, a hypercall nothing. Loads and stores stay where they are.
/// - `BusFault`, `Undefined`: the exception to take. `Retry`: nothing.
[[nodiscard]] Effects complete(const Completion& completion, const Answer& answer);

}  // namespace ax::riscv
