// Supervisor Binary Interface towards the guest: registers in, neutral call out. Source: RISC-V SBI
// Specification 2.0.
#pragma once

#include "core/arch/riscv/trap.hpp"

namespace ax::riscv {

/// a0 to a7 at the ecall.
struct SbiRegisters {
    std::array<u64, 8> a{};
};

/// The exit that an ecall asks for. What needs nobody else (Base, unknown extensions and functions,
/// bad parameters) comes back as `Handled` with the answer beside it. `Handled::code` is EID << 32 |
/// FID, `Handled::value` the value told, or the error when there is one.
struct SbiDecoded {
    VmExit exit;
    CompletionKind completion = CompletionKind::SbiCall;
    /// For `Handled`: what a0 and a1 become; a legacy call gets `value` in a0 alone.
    i64 error = 0;
    u64 value = 0;
};

/// Decodes an ecall from VS-mode. A `CpuStatus` call is to be answered with the number of the HSM
/// state: 0 started, 1 stopped, 2 start pending, 3 stop pending, 4 suspended, 5 suspend pending, 6
/// resume pending. `SystemOff` and `SystemReset` carry the reset reason in `argument`.
[[nodiscard]] SbiDecoded decode_sbi(const SbiRegisters& registers);

/// SBI error code of a neutral status ("Standard SBI Errors").
[[nodiscard]] i64 sbi_error(CallStatus status);

}  // namespace ax::riscv
