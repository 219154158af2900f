// Guest states at the start of a vCPU.
#include "core/arch/x86/start.hpp"

#include "core/arch/x86/cr_values.hpp"
#include "core/arch/x86/msr_regs.hpp"

namespace ax::x86 {

namespace {

constexpr u32 limit_64k = 0xffff;
constexpr u32 limit_4g = 0xffff'ffff;
constexpr unsigned paragraph_shift = 4;

constexpr VmcsSegment real_mode_data = {0, limit_64k, AccessRights::real_mode_data, 0};

void set_data_segments(Vmcs& vmcs, const VmcsSegment& segment) {
    for (const SegmentReg reg : {SegmentReg::ES, SegmentReg::SS, SegmentReg::DS, SegmentReg::FS, SegmentReg::GS})
        vmcs.segment(reg) = segment;
}

/// What every start has in common: no paging, no tables, no events, interrupts off.
void set_common(Vmcs& vmcs) {
    set_guest_cr0(vmcs, Cr0::ET::mask);
    set_guest_cr4(vmcs, 0);
    set_guest_efer(vmcs, 0);
    vmcs.GUEST_CR3 = 0;
    vmcs.GUEST_PDPTE = {};
    vmcs.GUEST_DR7 = Dr7::at_reset;
    vmcs.GUEST_IA32_DEBUGCTL = 0;
    vmcs.GUEST_IA32_PAT = msr::pat_at_reset;
    vmcs.GUEST_RFLAGS = Rflags::at_reset;
    vmcs.GUEST_RSP = 0;
    vmcs.GUEST_RIP = 0;
    vmcs.GUEST_GDTR = vmcs.GUEST_IDTR = {limit_64k, 0};
    vmcs.GUEST_LDTR = {0, limit_64k, static_cast<u32>(AccessRights::P::mask | AccessRights::ldt), 0};
    // VM entry wants a busy TSS also where the guest has loaded none.
    vmcs.GUEST_TR = {0, limit_64k, static_cast<u32>(AccessRights::P::mask | AccessRights::tss_busy), 0};
    vmcs.GUEST_IA32_SYSENTER_CS = 0;
    vmcs.GUEST_IA32_SYSENTER_ESP = vmcs.GUEST_IA32_SYSENTER_EIP = 0;
    vmcs.GUEST_INTERRUPTIBILITY_STATE = 0;
    vmcs.GUEST_ACTIVITY_STATE = index(ActivityState::Active);
    vmcs.GUEST_PENDING_DEBUG_EXCEPTIONS = 0;
    vmcs.VM_ENTRY_INTERRUPTION_INFO = 0;
    vmcs.VMCS_LINK_POINTER = ~u64{0};
}

void set_real_mode(Vmcs& vmcs, u16 code_selector, u64 code_base, u64 ip) {
    set_data_segments(vmcs, real_mode_data);
    vmcs.GUEST_CS = {code_selector, limit_64k, AccessRights::real_mode_code, code_base};
    vmcs.GUEST_RIP = ip;
}

Gprs reset_registers(u32 processor_signature) {
    Gprs gprs;
    gprs[Gpr::RDX] = processor_signature;
    return gprs;
}

}  // namespace

Gprs start_at_reset(Vmcs& vmcs, u32 processor_signature) {
    constexpr u16 selector = 0xf000;
    constexpr u64 base = 0xffff'0000;
    constexpr u64 ip = 0xfff0;
    set_common(vmcs);
    set_guest_cr0(vmcs, Cr0::CD::mask | Cr0::NW::mask | Cr0::ET::mask);
    set_real_mode(vmcs, selector, base, ip);
    return reset_registers(processor_signature);
}

Gprs start_waiting(Vmcs& vmcs, u32 processor_signature) {
    const Gprs gprs = start_at_reset(vmcs, processor_signature);
    vmcs.GUEST_ACTIVITY_STATE = index(ActivityState::WaitForSipi);
    return gprs;
}

Gprs start_at_sipi(Vmcs& vmcs, u8 vector, u32 processor_signature) {
    const Gprs gprs = start_at_reset(vmcs, processor_signature);
    const u64 base = u64{vector} << page_shift;
    set_real_mode(vmcs, static_cast<u16>(base >> paragraph_shift), base, 0);
    return gprs;
}

Gprs start_in_real_mode(Vmcs& vmcs, Gpa entry) {
    using Segment64k = Bits<19, 16>;
    using Offset = Bits<15, 0>;
    set_common(vmcs);
    const u64 base = entry.value() & Segment64k::mask;
    set_real_mode(vmcs, static_cast<u16>(base >> paragraph_shift), base, Offset::get(entry.value()));
    return {};
}

Gprs start_in_protected_mode(Vmcs& vmcs, Gpa entry, u32 eax, u32 ebx) {
    constexpr u16 code = 0x08;
    constexpr u16 data = 0x10;
    set_common(vmcs);
    set_guest_cr0(vmcs, Cr0::PE::mask | Cr0::ET::mask);
    set_data_segments(vmcs, {data, limit_4g, AccessRights::flat_data, 0});
    vmcs.GUEST_CS = {code, limit_4g, AccessRights::flat_code32, 0};
    vmcs.GUEST_RIP = entry.value();
    Gprs gprs;
    gprs[Gpr::RAX] = eax;
    gprs[Gpr::RBX] = ebx;
    return gprs;
}

Gprs start_in_long_mode(Vmcs& vmcs, const LongModeStart& start) {
    constexpr u16 code = 0x10;
    constexpr u16 data = 0x18;
    set_common(vmcs);
    set_guest_cr0(vmcs, Cr0::PE::mask | Cr0::PG::mask | Cr0::ET::mask);
    set_guest_cr4(vmcs, Cr4::PAE::mask);
    set_guest_efer(vmcs, Efer::LME::mask | Efer::LMA::mask);
    vmcs.GUEST_CR3 = start.page_tables.value();
    set_data_segments(vmcs, {data, limit_4g, AccessRights::flat_data, 0});
    vmcs.GUEST_CS = {code, limit_4g, AccessRights::flat_code64, 0};
    vmcs.GUEST_GDTR = {start.gdt_limit, start.gdt.value()};
    vmcs.GUEST_RIP = start.entry.value();
    Gprs gprs;
    gprs[Gpr::RSI] = start.rsi;
    return gprs;
}

}  // namespace ax::x86
