// MSRs that a guest reads and writes without an exit.
#include "sim/hal/unicorn/x86_cpu.hpp"

namespace ax::sim {

using namespace ax::x86;

namespace {

constexpr u64 efer_bits = Efer::SCE::mask | Efer::LME::mask | Efer::LMA::mask | Efer::NXE::mask;

bool is_canonical(u64 address) { return (((address >> 47) + 1) & 0x1ffff) <= 1; }

/// "PAT Entry Encodings": 2 and 3 are reserved.
bool is_valid_pat(u64 value) {
    for (unsigned n = 0; n < 8; ++n) {
        const u64 type = (value >> (8 * n)) & 0xff;
        if (type > 7 || type == 2 || type == 3) return false;
    }
    return true;
}

}  // namespace

bool X86Cpu::read_msr(u32 number) {
    u64 value = 0;
    switch (number) {
        case msr::IA32_TIME_STAMP_COUNTER: value = board_.ticks_after(retired_) + vmcs_.TSC_OFFSET; break;
        case msr::IA32_SYSENTER_CS: value = state_.sysenter_cs; break;
        case msr::IA32_SYSENTER_ESP: value = state_.sysenter_esp; break;
        case msr::IA32_SYSENTER_EIP: value = state_.sysenter_eip; break;
        case msr::IA32_PAT: value = state_.pat; break;
        case msr::IA32_EFER: value = state_.efer; break;
        case msr::IA32_STAR:
        case msr::IA32_LSTAR:
        case msr::IA32_CSTAR:
        case msr::IA32_FMASK:
        case msr::IA32_KERNEL_GS_BASE: value = engine().msr(number); break;
        case msr::IA32_FS_BASE: value = state_.fs.base; break;
        case msr::IA32_GS_BASE: value = state_.gs.base; break;
        case msr::IA32_TSC_AUX: value = regs_.IA32_TSC_AUX; break;
        default: return false;
    }
    state_.gprs[Gpr::RAX] = value & 0xffff'ffff;
    state_.gprs[Gpr::RDX] = value >> 32;
    return true;
}

/// False where the processor raises #GP. SDM vol. 4 at each register, vol. 3 "Enabling and Disabling IA-32e Mode".
bool X86Cpu::write_msr(u32 number, u64 value) {
    switch (number) {
        case msr::IA32_SYSENTER_CS: state_.sysenter_cs = value & 0xffff'ffff; return true;
        case msr::IA32_SYSENTER_ESP:
            if (!is_canonical(value)) return false;
            state_.sysenter_esp = value;
            return true;
        case msr::IA32_SYSENTER_EIP:
            if (!is_canonical(value)) return false;
            state_.sysenter_eip = value;
            return true;
        case msr::IA32_PAT:
            if (!is_valid_pat(value)) return false;
            state_.pat = value;
            return true;
        case msr::IA32_EFER: {
            if ((value & ~efer_bits) != 0) return false;
            const bool changes_lme = Efer::LME::test(value) != Efer::LME::test(state_.efer);
            if (changes_lme && Cr0::PG::test(state_.cr0)) return false;
            state_.efer = Efer::LMA::set(value, Efer::LMA::get(state_.efer));
            return true;
        }
        case msr::IA32_LSTAR:
        case msr::IA32_CSTAR:
        case msr::IA32_KERNEL_GS_BASE:
            if (!is_canonical(value)) return false;
            engine().set_msr(number, value);
            return true;
        case msr::IA32_STAR: engine().set_msr(number, value); return true;
        case msr::IA32_FMASK: engine().set_msr(number, value & 0xffff'ffff); return true;
        case msr::IA32_FS_BASE:
            if (!is_canonical(value)) return false;
            state_.fs.base = value;
            return true;
        case msr::IA32_GS_BASE:
            if (!is_canonical(value)) return false;
            state_.gs.base = value;
            return true;
        case msr::IA32_TSC_AUX:
            if ((value >> 32) != 0) return false;
            regs_.IA32_TSC_AUX = value;
            return true;
        default: return false;
    }
}

}  // namespace ax::sim
