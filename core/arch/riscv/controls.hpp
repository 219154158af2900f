// The H-extension controls that the core programs for a vCPU; hardware and simulator obey them.
#pragma once

#include "core/arch/riscv/regs.hpp"
#include "core/base/addr.hpp"

namespace ax::riscv {

/// What a VM's settings say about its vCPUs.
struct ControlSettings {
    Hpa stage2_root;        ///< 16 KiB aligned, as Sv39x4 asks
    u64 vmid = 0;           ///< its low 14 bits are used
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

/// Values that every implementation of the H extension accepts, but for WARL bits of what it lacks
/// (ADUE without Svadu); the guest starts in VS-mode. Source: "Hypervisor and Virtual Supervisor CSRs".
[[nodiscard]] Controls controls_for(const ControlSettings& settings);

}  // namespace ax::riscv
