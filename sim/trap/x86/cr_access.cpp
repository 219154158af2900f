#include "sim/trap/x86/cr_access.hpp"

#include "sim/trap/x86/entry_rule.hpp"

namespace ax::sim::x86 {

using namespace ax::x86;

namespace {

using P = PrimaryControls;

/// "Guest/Host Masks": a set bit of the mask belongs to the host.
struct Owned {
    u64 real = 0, mask = 0, shadow = 0;

    [[nodiscard]] u64 read() const { return (real & ~mask) | (shadow & mask); }
    [[nodiscard]] bool differs(u64 value) const { return ((value ^ shadow) & mask) != 0; }
    [[nodiscard]] u64 written(u64 value) const { return (real & mask) | (value & ~mask); }
};

Exit cr_exit(const CrAccess& access, CrAccessType type) {
    using C = CrAccessQualification;
    Exit exit{.reason = ExitReason::CrAccess, .instruction_length = access.length};
    exit.qualification = C::Number::of(access.number) | C::Type::of(index(type));
    const bool is_mov = type == CrAccessType::MovToCr || type == CrAccessType::MovFromCr;
    if (is_mov) exit.qualification |= C::Register::of(index(access.gpr));
    if (type == CrAccessType::Lmsw) {
        exit.qualification |= C::LmswMemory::of(access.is_memory) | C::LmswSource::of(access.value);
        if (access.is_memory) exit.guest_linear = access.linear;
    }
    return exit;
}

/// Values that the CPU does not take: "Control Registers", and what is fixed in VMX operation.
bool is_bad_cr0(const Vmcs& vmcs, const CpuState& cpu, const VmxCpu& vmx, u64 value) {
    constexpr u64 free = Cr0::PE::mask | Cr0::PG::mask;
    const u64 must = is_unrestricted(vmcs) ? vmx.cr0_fixed0 & ~free : vmx.cr0_fixed0;
    if ((must & ~value) != 0 || (value & ~vmx.cr0_fixed1) != 0) return true;
    if (Cr0::PG::test(value) && !Cr0::PE::test(value)) return true;
    if (Cr0::NW::test(value) && !Cr0::CD::test(value)) return true;
    const bool was_on = Cr0::PG::test(cpu.cr0), is_on = Cr0::PG::test(value);
    const bool has_long_code = AccessRights::L::test(cpu.cs.access_rights);
    if (!was_on && is_on && Efer::LME::test(cpu.efer)) return !Cr4::PAE::test(cpu.cr4) || has_long_code;
    if (was_on && !is_on) return (cpu.is_long() && has_long_code) || Cr4::PCIDE::test(cpu.cr4);
    return false;
}
bool is_bad_cr4(const CpuState& cpu, const VmxCpu& vmx, u64 value) {
    if ((vmx.cr4_fixed0 & ~value) != 0 || (value & ~vmx.cr4_fixed1) != 0) return true;
    return cpu.is_long() && !Cr4::PAE::test(value);
}

CrDecision gp() { return exception(Vector::GP); }

CrDecision move_to_cr(const Vmcs& vmcs, const CpuState& cpu, const VmxCpu& vmx, const CrAccess& access) {
    const u64 value = cpu.code_size() == CodeSize::Code64 ? access.value : zero_extend(access.value, 4);
    const Owned cr0{cpu.cr0, vmcs.CR0_GUEST_HOST_MASK, vmcs.CR0_READ_SHADOW};
    const Owned cr4{cpu.cr4, vmcs.CR4_GUEST_HOST_MASK, vmcs.CR4_READ_SHADOW};
    constexpr u64 tpr_bits = 0xf;
    switch (access.number) {
        case 0: {
            if (cr0.differs(value)) return cr_exit(access, CrAccessType::MovToCr);
            const u64 next = cr0.written(value) | Cr0::ET::mask;
            return is_bad_cr0(vmcs, cpu, vmx, next) ? gp() : CrResult{next};
        }
        case 2: return CrResult{value};
        case 3: {
            bool is_target = false;
            for (u32 n = 0; n < vmcs.CR3_TARGET_COUNT && n < vmcs.CR3_TARGET_VALUE.size(); ++n)
                is_target |= vmcs.CR3_TARGET_VALUE[n] == value;
            if (P::Cr3LoadExiting::test(vmcs.PRIMARY_CONTROLS) && !is_target) return cr_exit(access, CrAccessType::MovToCr);
            return cpu.is_long() && !is_physical(value, vmx) ? gp() : CrResult{value};
        }
        case 4: {
            if (cr4.differs(value)) return cr_exit(access, CrAccessType::MovToCr);
            const u64 next = cr4.written(value);
            return is_bad_cr4(cpu, vmx, next) ? gp() : CrResult{next};
        }
        case 8:
            if (P::Cr8LoadExiting::test(vmcs.PRIMARY_CONTROLS)) return cr_exit(access, CrAccessType::MovToCr);
            return value > tpr_bits ? gp() : CrResult{value};
        default: return exception(Vector::UD);
    }
}

CrDecision move_from_cr(const Vmcs& vmcs, const CpuState& cpu, const CrAccess& access, u64 cr8) {
    switch (access.number) {
        case 0: return CrResult{Owned{cpu.cr0, vmcs.CR0_GUEST_HOST_MASK, vmcs.CR0_READ_SHADOW}.read()};
        case 2: return CrResult{cpu.cr2};
        case 3:
            if (P::Cr3StoreExiting::test(vmcs.PRIMARY_CONTROLS)) return cr_exit(access, CrAccessType::MovFromCr);
            return CrResult{cpu.cr3};
        case 4: return CrResult{Owned{cpu.cr4, vmcs.CR4_GUEST_HOST_MASK, vmcs.CR4_READ_SHADOW}.read()};
        case 8:
            if (P::Cr8StoreExiting::test(vmcs.PRIMARY_CONTROLS)) return cr_exit(access, CrAccessType::MovFromCr);
            return CrResult{cr8};
        default: return exception(Vector::UD);
    }
}

/// TS stays where the host owns it and shows it clear.
CrDecision clear_task_switched(const Vmcs& vmcs, const CpuState& cpu, const CrAccess& access) {
    const bool is_owned = Cr0::TS::test(vmcs.CR0_GUEST_HOST_MASK);
    if (!is_owned) return CrResult{cpu.cr0 & ~Cr0::TS::mask};
    if (Cr0::TS::test(vmcs.CR0_READ_SHADOW)) return cr_exit(access, CrAccessType::Clts);
    return CrResult{cpu.cr0};
}

/// LMSW sets PE but does not clear it, and changes MP, EM and TS.
CrDecision load_machine_status(const Vmcs& vmcs, const CpuState& cpu, const CrAccess& access) {
    constexpr u64 upper = Cr0::MP::mask | Cr0::EM::mask | Cr0::TS::mask;
    const Owned cr0{cpu.cr0, vmcs.CR0_GUEST_HOST_MASK, vmcs.CR0_READ_SHADOW};
    const bool sets_owned_pe = Cr0::PE::test(access.value) && Cr0::PE::test(cr0.mask) && !Cr0::PE::test(cr0.shadow);
    if (sets_owned_pe || ((access.value ^ cr0.shadow) & cr0.mask & upper) != 0) return cr_exit(access, CrAccessType::Lmsw);
    const u64 changed = (upper | (Cr0::PE::mask & access.value)) & ~cr0.mask;
    return CrResult{(cpu.cr0 & ~changed) | (access.value & changed)};
}

}  // namespace

CrDecision decide(const Vmcs& vmcs, const CpuState& cpu, const VmxCpu& vmx, const CrAccess& access, u64 cr8) {
    const bool is_smsw = access.instruction == CrInstruction::Smsw;
    // The upper half of the list has no register; that is #UD before anything else.
    const bool is_known = access.number == 0 || (access.number >= 2 && access.number <= 4) || access.number == 8;
    if (!is_known) return exception(Vector::UD);
    if (cpu.cpl() != 0 && (!is_smsw || Cr4::UMIP::test(cpu.cr4))) return gp();
    switch (access.instruction) {
        case CrInstruction::MovToCr: return move_to_cr(vmcs, cpu, vmx, access);
        case CrInstruction::MovFromCr: return move_from_cr(vmcs, cpu, access, cr8);
        case CrInstruction::Clts: return clear_task_switched(vmcs, cpu, access);
        case CrInstruction::Lmsw: return load_machine_status(vmcs, cpu, access);
        case CrInstruction::Smsw: return CrResult{Owned{cpu.cr0, vmcs.CR0_GUEST_HOST_MASK, vmcs.CR0_READ_SHADOW}.read()};
    }
    return CrResult{};
}

void write_cr(CpuState& cpu, u8 number, u64 value) {
    if (number == 2) cpu.cr2 = value;
    if (number == 3) cpu.cr3 = value;
    if (number == 4) cpu.cr4 = value;
    if (number != 0) return;
    cpu.cr0 = value;
    cpu.efer = Efer::LMA::set(cpu.efer, Cr0::PG::test(value) && Efer::LME::test(cpu.efer));
}

bool loads_pdptes(const CpuState& before, const CpuState& after, bool writes_cr3) {
    if (after.paging(0, {}).mode() != PagingMode::Pae) return false;
    constexpr u64 cr0_bits = Cr0::CD::mask | Cr0::NW::mask | Cr0::PG::mask;
    constexpr u64 cr4_bits = Cr4::PAE::mask | Cr4::PGE::mask | Cr4::PSE::mask | Cr4::SMEP::mask;
    return writes_cr3 || ((before.cr0 ^ after.cr0) & cr0_bits) != 0 || ((before.cr4 ^ after.cr4) & cr4_bits) != 0;
}

}  // namespace ax::sim::x86
