// PSCI 1.1 and SMCCC 1.1 through HVC and SMC, and AxVisor's hypercalls through HVC.
// Source: Arm PSCI DEN 0022, Arm SMCCC DEN 0028.
#pragma once

#include "core/arch/arm64/trap.hpp"

namespace ax::arm64 {

struct CallSite {
    bool is_hvc = true;
    u64 immediate = 0;
};

/// The call that the guest's registers describe. Function identifiers of firmware are answered on both conduits;
/// other numbers are AxVisor's hypercalls on HVC (X0 the number, X1 to X6 the arguments) and unknown on SMC.
[[nodiscard]] Decoded decode_call(GuestView& guest, const CallSite& site);

/// X0 for a call with this outcome.
[[nodiscard]] u64 psci_result(CallStatus status);
/// X0 of AFFINITY_INFO for the power state that `PowerOp::CpuStatus` answers.
[[nodiscard]] u64 affinity_info(CallStatus status, u64 power_state);

}  // namespace ax::arm64
