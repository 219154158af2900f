// What the core programs at EL2 for a vCPU, from the VM's settings.
#pragma once

#include "core/arch/arm64/el2_regs.hpp"
#include "core/base/addr.hpp"

namespace ax::arm64 {

struct ControlSettings {
    Hpa stage2_root{};
    u64 vmid = 0;            ///< the low 8 bits count
    unsigned ipa_bits = 40;  ///< 39 to 48, as the stage 2 tables have them
    unsigned physical_bits = 40;
    bool has_list_registers = true;  ///< a GICv3: interrupts come through ICH_LR<n>_EL2; else through HCR_EL2.VI
    u64 vcpu_count = 1;
    u64 affinity = 0;        ///< MPIDR affinity of this vCPU
    u64 midr = 0x410f'd083;  ///< MIDR_EL1: Cortex-A72 r0p3, which id_regs.hpp describes
};

/// Control registers of the vCPU; everything else is zero. The guest starts at EL1h with all masked. CNTVOFF_EL2 is 0: the
/// guest's clock is the machine's.
[[nodiscard]] El2Regs controls_for(const ControlSettings& settings);

}  // namespace ax::arm64
