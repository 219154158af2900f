#include "sim/trap/x86/exit_instructions.hpp"

#include "sim/trap/x86/entry_rule.hpp"

namespace ax::sim::x86 {

using namespace ax::x86;

namespace {

using S = Sensitive;
using P = PrimaryControls;
using Q = SecondaryControls;

/// What VMX says of an instruction: the exit, and which control asks for it. No control: it always exits.
struct Row {
    S opcode;
    ExitReason reason;
    u32 primary = 0;
    u32 secondary = 0;
    bool is_privileged = false;  ///< #GP(0) outside level 0 comes first
};

constexpr u32 mask(u64 field) { return static_cast<u32>(field); }

constexpr Row rows[] = {
    {S::Cpuid, ExitReason::Cpuid},
    {S::Getsec, ExitReason::Getsec},
    {S::Invd, ExitReason::Invd, 0, 0, true},
    {S::Xsetbv, ExitReason::Xsetbv, 0, 0, true},
    {S::Hlt, ExitReason::Hlt, mask(P::HltExiting::mask), 0, true},
    {S::Invlpg, ExitReason::Invlpg, mask(P::InvlpgExiting::mask), 0, true},
    {S::Invpcid, ExitReason::Invpcid, mask(P::InvlpgExiting::mask), 0, true},
    {S::Rdtsc, ExitReason::Rdtsc, mask(P::RdtscExiting::mask)},
    {S::Rdtscp, ExitReason::Rdtscp, mask(P::RdtscExiting::mask)},
    {S::Rdpmc, ExitReason::Rdpmc, mask(P::RdpmcExiting::mask)},
    {S::Pause, ExitReason::Pause, mask(P::PauseExiting::mask)},
    {S::Monitor, ExitReason::Monitor, mask(P::MonitorExiting::mask)},
    {S::Mwait, ExitReason::Mwait, mask(P::MwaitExiting::mask)},
    {S::Rdrand, ExitReason::Rdrand, 0, mask(Q::RdrandExiting::mask)},
    {S::Rdseed, ExitReason::Rdseed, 0, mask(Q::RdseedExiting::mask)},
    {S::Wbinvd, ExitReason::Wbinvd, 0, mask(Q::WbinvdExiting::mask), true},
    {S::Rsm, ExitReason::Rsm},
    {S::Sgdt, ExitReason::GdtrIdtrAccess, 0, mask(Q::DescriptorTableExiting::mask)},
    {S::Sidt, ExitReason::GdtrIdtrAccess, 0, mask(Q::DescriptorTableExiting::mask)},
    {S::Lgdt, ExitReason::GdtrIdtrAccess, 0, mask(Q::DescriptorTableExiting::mask), true},
    {S::Lidt, ExitReason::GdtrIdtrAccess, 0, mask(Q::DescriptorTableExiting::mask), true},
    {S::Sldt, ExitReason::LdtrTrAccess, 0, mask(Q::DescriptorTableExiting::mask)},
    {S::Str, ExitReason::LdtrTrAccess, 0, mask(Q::DescriptorTableExiting::mask)},
    {S::Lldt, ExitReason::LdtrTrAccess, 0, mask(Q::DescriptorTableExiting::mask), true},
    {S::Ltr, ExitReason::LdtrTrAccess, 0, mask(Q::DescriptorTableExiting::mask), true},
    {S::Xsaves, ExitReason::Xsaves, 0, 0, true},
    {S::Xrstors, ExitReason::Xrstors, 0, 0, true},
    {S::Vmcall, ExitReason::Vmcall},
    {S::Vmclear, ExitReason::Vmclear},
    {S::Vmlaunch, ExitReason::Vmlaunch},
    {S::Vmptrld, ExitReason::Vmptrld},
    {S::Vmptrst, ExitReason::Vmptrst},
    {S::Vmread, ExitReason::Vmread},
    {S::Vmresume, ExitReason::Vmresume},
    {S::Vmwrite, ExitReason::Vmwrite},
    {S::Vmxoff, ExitReason::Vmxoff},
    {S::Vmxon, ExitReason::Vmxon},
    {S::Invept, ExitReason::Invept},
    {S::Invvpid, ExitReason::Invvpid},
    {S::Vmfunc, ExitReason::Vmfunc},
};
constexpr bool rows_are_in_order() {
    for (std::size_t n = 0; n < std::size(rows); ++n)
        if (index(rows[n].opcode) != n) return false;
    return std::size(rows) == std::size_t{index(S::Vmfunc)} + 1;
}
static_assert(rows_are_in_order());

bool is_vmx(S opcode) { return opcode >= S::Vmclear && opcode <= S::Invvpid; }
bool is_system_task(S opcode) { return opcode >= S::Sldt && opcode <= S::Ltr; }
bool stores_table(S opcode) { return opcode == S::Sgdt || opcode == S::Sidt || opcode == S::Sldt || opcode == S::Str; }

/// The instruction does not exist here: #UD.
bool is_undefined(const Vmcs& vmcs, const CpuState& cpu, S opcode) {
    const u32 secondary = secondary_of(vmcs);
    if (is_vmx(opcode)) {
        const bool is_compatibility = cpu.is_long() && cpu.code_size() != CodeSize::Code64;
        return !cpu.is_protected() || cpu.is_v8086() || is_compatibility || (opcode == S::Vmxon && !Cr4::VMXE::test(cpu.cr4));
    }
    if (is_system_task(opcode)) return !cpu.is_protected() || cpu.is_v8086();
    if (opcode == S::Xsaves || opcode == S::Xrstors) return !Q::EnableXsaves::test(secondary) || !Cr4::OSXSAVE::test(cpu.cr4);
    if (opcode == S::Getsec) return !Cr4::SMXE::test(cpu.cr4);
    if (opcode == S::Xsetbv) return !Cr4::OSXSAVE::test(cpu.cr4);
    if (opcode == S::Invpcid) return !Q::EnableInvpcid::test(secondary);
    if (opcode == S::Rdtscp) return !Q::EnableRdtscp::test(secondary);
    if (opcode == S::Vmfunc) return !Q::EnableVmFunctions::test(secondary);
    if (opcode == S::Monitor || opcode == S::Mwait) return cpu.cpl() != 0;
    // There is no SMM to resume from.
    return opcode == S::Rsm;
}

/// #GP(0) by privilege.
bool is_forbidden(const CpuState& cpu, const Row& row) {
    if (cpu.cpl() == 0) return false;
    if (row.is_privileged) return true;
    if (row.opcode == S::Rdtsc || row.opcode == S::Rdtscp) return Cr4::TSD::test(cpu.cr4);
    if (row.opcode == S::Rdpmc) return !Cr4::PCE::test(cpu.cr4);
    return stores_table(row.opcode) && Cr4::UMIP::test(cpu.cr4);
}

bool exits(const Vmcs& vmcs, const Row& row, u64 operand) {
    if (row.opcode == S::Xsaves || row.opcode == S::Xrstors) return (vmcs.XSS_EXITING_BITMAP & operand) != 0;
    if (row.primary != 0) return (vmcs.PRIMARY_CONTROLS & row.primary) != 0;
    return row.secondary == 0 || (secondary_of(vmcs) & row.secondary) != 0;
}

/// Which exits show the operand: "Exit Qualification", table of basic exit reasons.
bool shows_operand(S opcode) {
    const bool is_memory_vmx = is_vmx(opcode) && opcode != S::Vmlaunch && opcode != S::Vmresume && opcode != S::Vmxoff;
    return is_memory_vmx || stores_table(opcode) || opcode == S::Lgdt || opcode == S::Lidt || opcode == S::Lldt ||
           opcode == S::Ltr || opcode == S::Invlpg || opcode == S::Invpcid || opcode == S::Mwait;
}

}  // namespace

Decision decide(const Vmcs& vmcs, const CpuState& cpu, const SensitiveInstruction& instruction) {
    const Row& row = rows[index(instruction.opcode)];
    if (is_undefined(vmcs, cpu, row.opcode)) return exception(Vector::UD);
    if (is_forbidden(cpu, row)) return exception(Vector::GP);
    if (!exits(vmcs, row, instruction.operand)) return NoExit{};
    return Exit{.reason = row.reason,
                .qualification = shows_operand(row.opcode) ? instruction.operand : 0,
                .instruction_length = instruction.length,
                .instruction_info = instruction.info};
}

Decision decide(const Vmcs& vmcs, const CpuState& cpu, const DrAccess& access) {
    if (P::MovDrExiting::test(vmcs.PRIMARY_CONTROLS)) {
        const u64 qualification = DrAccessQualification::Number::of(access.number) |
                                  DrAccessQualification::FromDr::of(access.is_read) |
                                  DrAccessQualification::Register::of(index(access.gpr));
        return Exit{.reason = ExitReason::MovDr, .qualification = qualification, .instruction_length = access.length};
    }
    const bool is_alias = access.number == 4 || access.number == 5;
    if (is_alias && Cr4::DE::test(cpu.cr4)) return exception(Vector::UD);
    if (cpu.cpl() != 0) return exception(Vector::GP);
    if (Dr7::GD::test(cpu.dr7)) return exception(Vector::DB, 0, Dr6::BD::mask);
    return NoExit{};
}

}  // namespace ax::sim::x86
