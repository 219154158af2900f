// The H-extension controls that the core programs for a vCPU; hardware and simulator obey them.
#pragma once

#include "core/arch/riscv/regs.hpp"
#include "core/base/addr.hpp"

namespace ax::riscv {

/// What a VM's settings say about its vCPUs.
struct ControlSettings {
    Hpa stage2_root;
    u64 vmid = 0;
    bool trap_wait = true;  ///< WFI leaves the guest, so that another vCPU can run
};

/// Values for the control CSRs of one vCPU.
struct Controls {
    u64 hstatus = 0;
    u64 hedeleg = 0;
    u64 hideleg = 0;
    u64 hcounteren = 0;
    u64 henvcfg = 0;
    u64 hgatp = 0;
    u64 sstatus = 0;
    bool operator==(const Controls&) const = default;
};

[[nodiscard]] Controls controls_for(const ControlSettings& settings);

}  // namespace ax::riscv
