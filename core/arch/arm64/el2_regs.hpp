// The EL2 registers around a guest: the layout that core, simulator and metal share.
#pragma once

#include "core/base/fields.hpp"

namespace ax::arm64 {

/// Registers of EL2 for the vCPU that is loaded: what the core programs, and what a trap leaves.
struct El2Regs {
    u64 HCR_EL2 = 0;
    u64 VTCR_EL2 = 0;
    u64 VTTBR_EL2 = 0;
    u64 CPTR_EL2 = 0;
    u64 MDCR_EL2 = 0;
    u64 CNTHCTL_EL2 = 0;
    u64 CNTVOFF_EL2 = 0;
    u64 HSTR_EL2 = 0;
    u64 VPIDR_EL2 = 0;   ///< what the guest reads as MIDR_EL1
    u64 VMPIDR_EL2 = 0;  ///< what the guest reads as MPIDR_EL1
    u64 ESR_EL2 = 0;
    u64 FAR_EL2 = 0;
    u64 HPFAR_EL2 = 0;
    u64 ELR_EL2 = 0;   ///< the guest's pc while it is not running
    u64 SPSR_EL2 = 0;  ///< its PSTATE
    u64 ICH_HCR_EL2 = 0;
    u64 ICH_VMCR_EL2 = 0;
    u64 ICH_MISR_EL2 = 0;
    std::array<u64, 4> ICH_AP0R_EL2{};
    std::array<u64, 4> ICH_AP1R_EL2{};
    std::array<u64, 16> ICH_LR_EL2{};

    void fields(FieldVisitor& v) {
        field(v, "HCR_EL2", HCR_EL2);
        field(v, "VTCR_EL2", VTCR_EL2);
        field(v, "VTTBR_EL2", VTTBR_EL2);
        field(v, "CPTR_EL2", CPTR_EL2);
        field(v, "MDCR_EL2", MDCR_EL2);
        field(v, "CNTHCTL_EL2", CNTHCTL_EL2);
        field(v, "CNTVOFF_EL2", CNTVOFF_EL2);
        field(v, "HSTR_EL2", HSTR_EL2);
        field(v, "VPIDR_EL2", VPIDR_EL2);
        field(v, "VMPIDR_EL2", VMPIDR_EL2);
        field(v, "ESR_EL2", ESR_EL2);
        field(v, "FAR_EL2", FAR_EL2);
        field(v, "HPFAR_EL2", HPFAR_EL2);
        field(v, "ELR_EL2", ELR_EL2);
        field(v, "SPSR_EL2", SPSR_EL2);
        field(v, "ICH_HCR_EL2", ICH_HCR_EL2);
        field(v, "ICH_VMCR_EL2", ICH_VMCR_EL2);
        field(v, "ICH_MISR_EL2", ICH_MISR_EL2);
        field(v, "ICH_AP0R_EL2", ICH_AP0R_EL2);
        field(v, "ICH_AP1R_EL2", ICH_AP1R_EL2);
        field(v, "ICH_LR_EL2", ICH_LR_EL2);
    }
};

}  // namespace ax::arm64
