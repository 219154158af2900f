// Names of aarch64 registers at Unicorn's interface, and the list of those that make up a CPU at EL1
// and EL0.
#pragma once

#include <unicorn/unicorn.h>

#include <array>

#include "core/arch/arm64/sys_regs.hpp"

namespace ax::sim {

/// Unicorn's number of Xn, n from 0 to 30.
[[nodiscard]] constexpr int uc_x(unsigned n) {
    return n == 29 ? UC_ARM64_REG_X29 : n == 30 ? UC_ARM64_REG_X30 : UC_ARM64_REG_X0 + static_cast<int>(n);
}
[[nodiscard]] constexpr int uc_q(unsigned n) { return UC_ARM64_REG_Q0 + static_cast<int>(n); }

/// Registers of EL2 and EL3 that only the simulator names: Arm ARM DDI 0487, "The A64 System register encoding space".
namespace el2_reg {
using ax::arm64::SysReg;
inline constexpr SysReg VPIDR_EL2{3, 4, 0, 0, 0}, VMPIDR_EL2{3, 4, 0, 0, 5}, HCR_EL2{3, 4, 1, 1, 0}, MDCR_EL2{3, 4, 1, 1, 1};
inline constexpr SysReg CPTR_EL2{3, 4, 1, 1, 2}, HSTR_EL2{3, 4, 1, 1, 3}, CNTHCTL_EL2{3, 4, 14, 1, 0}, SCR_EL3{3, 6, 1, 1, 0};
}  // namespace el2_reg

struct NamedSysReg {
    const char* name;
    ax::arm64::SysReg reg;
};

/// The system registers of a guest's CPU that Unicorn keeps, beside those with numbers of their own. Reading others by
/// encoding can end the process (engine facts, 7.3).
inline constexpr auto arm_state_registers = [] {
    using namespace ax::arm64::sysreg;
    using ax::arm64::SysReg;
    return std::array{
        NamedSysReg{"SCTLR_EL1", SCTLR_EL1},
        NamedSysReg{"ACTLR_EL1", ACTLR_EL1},
        NamedSysReg{"CPACR_EL1", CPACR_EL1},
        NamedSysReg{"TTBR0_EL1", TTBR0_EL1},
        NamedSysReg{"TTBR1_EL1", TTBR1_EL1},
        NamedSysReg{"TCR_EL1", TCR_EL1},
        NamedSysReg{"SPSR_EL1", SysReg{3, 0, 4, 0, 0}},
        NamedSysReg{"AFSR0_EL1", SysReg{3, 0, 5, 1, 0}},
        NamedSysReg{"AFSR1_EL1", SysReg{3, 0, 5, 1, 1}},
        NamedSysReg{"ESR_EL1", SysReg{3, 0, 5, 2, 0}},
        NamedSysReg{"FAR_EL1", SysReg{3, 0, 6, 0, 0}},
        NamedSysReg{"PAR_EL1", SysReg{3, 0, 7, 4, 0}},
        NamedSysReg{"MAIR_EL1", SysReg{3, 0, 10, 2, 0}},
        NamedSysReg{"AMAIR_EL1", SysReg{3, 0, 10, 3, 0}},
        NamedSysReg{"VBAR_EL1", SysReg{3, 0, 12, 0, 0}},
        NamedSysReg{"CONTEXTIDR_EL1", SysReg{3, 0, 13, 0, 1}},
        NamedSysReg{"TPIDR_EL0", SysReg{3, 3, 13, 0, 2}},
        NamedSysReg{"TPIDRRO_EL0", SysReg{3, 3, 13, 0, 3}},
        NamedSysReg{"TPIDR_EL1", SysReg{3, 0, 13, 0, 4}},
        NamedSysReg{"CNTKCTL_EL1", SysReg{3, 0, 14, 1, 0}},
        NamedSysReg{"MDSCR_EL1", SysReg{2, 0, 0, 2, 2}},
        NamedSysReg{"CSSELR_EL1", SysReg{3, 2, 0, 0, 0}},
    };
}();

/// Those of the CPU with numbers of their own.
inline constexpr std::array<std::pair<const char*, int>, 8> arm_numbered_registers = {{
    {"SP", UC_ARM64_REG_SP},
    {"PC", UC_ARM64_REG_PC},
    {"PSTATE", UC_ARM64_REG_PSTATE},
    {"SP_EL0", UC_ARM64_REG_SP_EL0},
    {"SP_EL1", UC_ARM64_REG_SP_EL1},
    {"ELR_EL1", UC_ARM64_REG_ELR_EL1},
    {"FPCR", UC_ARM64_REG_FPCR},
    {"FPSR", UC_ARM64_REG_FPSR},
}};

}  // namespace ax::sim
