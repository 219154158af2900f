// The states that a vCPU begins in.
#include <linux/kvm.h>
#include <sys/ioctl.h>

#include <cerrno>

#include "sim/hal/kvm/policy.hpp"
#include "sim/hal/kvm/state.hpp"
#include "sim/hal/kvm/vcpu.hpp"

namespace ax::sim::kvm {

namespace {

namespace msr = ax::x86::msr;
using ax::x86::StartKind;

/// Elements of a string instruction that a reset lets end; one that has more goes on with its count cleared.
constexpr unsigned most_elements = 4096;

}  // namespace

void Vcpu::reset(const BootState& boot) {
    // KVM would complete an instruction of the old life after the new registers are set.
    for (unsigned n = 0; !is_complete_ && n < most_elements; ++n) static_cast<void>(complete_instruction());
    failed_reset_ = set_registers(boot) && clear_registers() ? 0 : errno;
    question_ = Question::None;
    is_complete_ = true;
    // A start-up IPI follows an INIT, which leaves them alone.
    if (settings_.start != StartKind::Startup) mtrrs_.begin(settings_.has_firmware);
    nmi_ = false;
    tsc_deadline_ = 0;
    run_->if_flag = 0;
    run_->ready_for_interrupt_injection = 0;
}

bool Vcpu::set_registers(const BootState& boot) {
    ax::x86::Vmcs vmcs;
    const ax::x86::Gprs gprs = settings_.start_at(vmcs, boot);
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
