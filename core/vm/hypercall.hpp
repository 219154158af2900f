// AxVisor's hypercalls.
#pragma once

#include "core/vm/vm.hpp"

namespace ax::vm {

/// Numbers of the family (axhvc, HyperCallCode).
enum class HypercallCode : u64 {
    HypervisorDisable = 0,
    HyperVisorPrepareDisable = 1,
    HyperVisorDebug = 2,
    HIVCPublishChannel = 3,
    HIVCSubscribChannel = 4,
    HIVCUnPublishChannel = 5,
    HIVCUnSubscribChannel = 6,
};

/// What the family returns for a call that failed or that it does not know.
inline constexpr u64 hypercall_failed = ~u64{0};

/// Every number is answered; those without a service behind them yet fail, as in the family.
[[nodiscard]] Answer hypercall(Vm& vm, const Hypercall& call);

}  // namespace ax::vm
