// The guest's registers between the core's words and KVM's.
#pragma once

#include "core/arch/x86/vmcs.hpp"

struct kvm_regs;
struct kvm_sregs;

namespace ax::sim::kvm {

/// KVM's registers for a guest state as `core/arch/x86/start.hpp` makes it. RSP, RIP and RFLAGS are the VMCS's.
[[nodiscard]] kvm_regs regs_of(const ax::x86::Vmcs& vmcs, const ax::x86::Gprs& gprs);
/// `apic_base` is IA32_APIC_BASE; its enable bit is the guest's CPUID feature.
[[nodiscard]] kvm_sregs sregs_of(const ax::x86::Vmcs& vmcs, u64 apic_base);
/// The linear address of the next instruction: vol. 3, "Logical Address Translation", and "Segmentation in IA-32e Mode".
[[nodiscard]] Gva pc_of(const kvm_regs& regs, const kvm_sregs& sregs);

/// For dumps. What KVM has is shown; a visitor's replacements go nowhere.
void show(FieldVisitor& v, kvm_regs regs, kvm_sregs sregs);

}  // namespace ax::sim::kvm
