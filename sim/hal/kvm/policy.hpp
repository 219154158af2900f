// The core's CPUID and MSR policies, given to KVM.
#pragma once

#include "core/arch/x86/cpuid.hpp"
#include "core/arch/x86/msrs.hpp"

namespace ax::sim::kvm {

/// What CPUID tells the guest of `vcpu`. False, with `errno`, when KVM refuses.
[[nodiscard]] bool set_cpuid(int vcpu, const ax::x86::CpuidPolicy& policy);

/// MSRs that a VM-exit bitmap would let through stay in KVM; all others come back as exits. False, with `errno`, when
/// KVM refuses.
[[nodiscard]] bool set_msr_filter(int vm, const ax::x86::MsrPolicy& policy);

/// A MSR of the vCPU; none, or false, where KVM has not got it.
[[nodiscard]] std::optional<u64> get_msr(int vcpu, u32 number);
[[nodiscard]] bool set_msr(int vcpu, u32 number, u64 value);

}  // namespace ax::sim::kvm
