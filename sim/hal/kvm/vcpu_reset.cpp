// The states that a vCPU begins in.
#include <linux/kvm.h>
#include <sys/ioctl.h>

#include <cerrno>

#include "core/arch/x86/start.hpp"
#include "sim/hal/kvm/policy.hpp"
#include "sim/hal/kvm/state.hpp"
#include "sim/hal/kvm/vcpu.hpp"

namespace ax::sim::kvm {

namespace {

namespace msr = ax::x86::msr;
using ax::x86::StartKind;

/// Elements of a string instruction that a reset lets end; one that has more goes on with its count cleared.
constexpr unsigned most_elements = 4096;

ax::x86::Gprs start(ax::x86::Vmcs& vmcs, const ax::x86::VcpuSettings& s, const BootState& boot) {
    switch (s.start) {
        case StartKind::Startup: return start_at_sipi(vmcs, static_cast<u8>(boot.entry.page_number()), s.processor_signature);
        case StartKind::RealMode: return start_in_real_mode(vmcs, boot.entry);
        case StartKind::Reset: return start_at_reset(vmcs, s.processor_signature);
        case StartKind::Protected: return start_in_protected_mode(vmcs, boot.entry, s.eax, static_cast<u32>(boot.argument));
        case StartKind::Long: return start_in_long_mode(vmcs, {boot.entry, s.page_tables, s.gdt, s.gdt_limit, boot.argument});
    }
    return {};
}

}  // namespace

void Vcpu::reset(const BootState& boot) {
    // KVM would complete an instruction of the old life after the new registers are set.
    for (unsigned n = 0; !is_complete_ && n < most_elements; ++n) static_cast<void>(complete_instruction());
    failed_reset_ = set_registers(boot) && clear_registers() ? 0 : errno;
    question_ = Question::None;
    is_complete_ = true;
    // A start-up IPI follows an INIT, which leaves them alone.
    if (settings_.start != StartKind::Startup) reset_mtrrs();
    nmi_ = false;
    tsc_deadline_ = 0;
    run_->if_flag = 0;
    run_->ready_for_interrupt_injection = 0;
}

void Vcpu::reset_mtrrs() {
    if (settings_.has_firmware)
        mtrrs_.reset();
    else
        mtrrs_.set_by_firmware();
}

bool Vcpu::set_registers(const BootState& boot) {
    ax::x86::Vmcs vmcs;
    const ax::x86::Gprs gprs = start(vmcs, settings_, boot);
    const u64 apic_base = around_.vectors.read_msr(id_, msr::IA32_APIC_BASE).value_or(0);
    kvm_vcpu_events events{};
    kvm_regs regs = regs_of(vmcs, gprs);
    kvm_sregs sregs = sregs_of(vmcs, apic_base);
    if (ioctl(fd_.get(), KVM_SET_VCPU_EVENTS, &events) != 0 || ioctl(fd_.get(), KVM_SET_SREGS, &sregs) != 0) return false;
    run_->apic_base = apic_base;
    run_->s.regs.regs = regs;
    run_->s.regs.sregs = sregs;
    return ioctl(fd_.get(), KVM_SET_REGS, &regs) == 0;
}

/// Everything else that a reset clears: "Processor State After Reset".
bool Vcpu::clear_registers() {
    constexpr u16 fcw_after_fninit = 0x37f;  // as firmware leaves it, and the simulated CPU begins
    constexpr u32 mxcsr_at_reset = 0x1f80;
    kvm_fpu fpu{};
    fpu.fcw = fcw_after_fninit;
    fpu.mxcsr = mxcsr_at_reset;
    kvm_debugregs debug{};
    debug.dr6 = ax::x86::Dr6::at_reset;
    debug.dr7 = ax::x86::Dr7::at_reset;
    if (ioctl(fd_.get(), KVM_SET_FPU, &fpu) != 0 || ioctl(fd_.get(), KVM_SET_DEBUGREGS, &debug) != 0) return false;
    for (const u32 number : {msr::IA32_SYSENTER_CS, msr::IA32_SYSENTER_ESP, msr::IA32_SYSENTER_EIP, msr::IA32_STAR, msr::IA32_LSTAR,
                             msr::IA32_CSTAR, msr::IA32_FMASK, msr::IA32_KERNEL_GS_BASE, msr::IA32_TSC_AUX})
        if (!set_msr(fd_.get(), number, 0)) return false;
    return set_msr(fd_.get(), msr::IA32_PAT, msr::pat_at_reset);
}

}  // namespace ax::sim::kvm
