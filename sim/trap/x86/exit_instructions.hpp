// "Would this instruction exit?" for instructions whose answer depends on controls alone.
// Source: Intel SDM vol. 3, "Instructions That Cause VM Exits"; faults that come first: vol. 2, the instruction's page.
#pragma once

#include "sim/trap/x86/exit.hpp"

namespace ax::sim::x86 {

enum class Sensitive : u8 {
    Cpuid,
    Getsec,
    Invd,
    Xsetbv,
    Hlt,
    Invlpg,
    Invpcid,
    Rdtsc,
    Rdtscp,
    Rdpmc,
    Pause,
    Monitor,
    Mwait,
    Rdrand,
    Rdseed,
    Wbinvd,
    Rsm,
    Sgdt,
    Sidt,
    Lgdt,
    Lidt,
    Sldt,
    Str,
    Lldt,
    Ltr,
    Xsaves,
    Xrstors,
    Vmcall,
    Vmclear,
    Vmlaunch,
    Vmptrld,
    Vmptrst,
    Vmread,
    Vmresume,
    Vmwrite,
    Vmxoff,
    Vmxon,
    Invept,
    Invvpid,
    Vmfunc,
};

struct SensitiveInstruction {
    Sensitive opcode = Sensitive::Cpuid;
    u8 length = 0;
    u64 operand = 0;  ///< INVLPG: the linear address; MWAIT: 1 when the monitor is armed; XSAVES, XRSTORS: EDX:EAX; memory
                      ///< operands of VMX and descriptor-table instructions: the displacement
    u32 info = 0;     ///< "VM-Exit Instruction-Information Field", for those that have one
};

[[nodiscard]] Decision decide(const ax::x86::Vmcs& vmcs, const CpuState& cpu, const SensitiveInstruction& instruction);

/// MOV to or from a debug register. The exit comes before the faults of CPL and of DR4 and DR5; then #DB for DR7.GD.
struct DrAccess {
    u8 number = 0;
    bool is_read = false;
    ax::x86::Gpr gpr = ax::x86::Gpr::RAX;
    u8 length = 0;
};
[[nodiscard]] Decision decide(const ax::x86::Vmcs& vmcs, const CpuState& cpu, const DrAccess& access);

}  // namespace ax::sim::x86
