// Supervisor Binary Interface towards the guest: registers in, neutral call out. Source: RISC-V SBI
// Specification 2.0.
#pragma once

#include "core/arch/riscv/trap.hpp"

namespace ax::riscv {

/// a0 to a7 at the ecall.
struct SbiRegisters {
    std::array<u64, 8> a{};
};

/// The exit that an ecall asks for. Base and unknown extensions come back as `Handled` with the
/// answer in the completion's place: `Handled::code` is EID << 32 | FID and the error code and value
/// are already in `SbiDecoded`.
struct SbiDecoded {
    VmExit exit;
    CompletionKind completion = CompletionKind::SbiCall;
    /// For `Handled`: what a0 and a1 become.
    i64 error = 0;
    u64 value = 0;
};
[[nodiscard]] SbiDecoded decode_sbi(const SbiRegisters& registers);

/// SBI error code of a neutral status ("Standard SBI Errors").
[[nodiscard]] i64 sbi_error(CallStatus status);

}  // namespace ax::riscv
