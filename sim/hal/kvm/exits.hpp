// What a vCPU's shared memory says of an exit, in the neutral words of the HAL line, and the answers put back into it.
#pragma once

#include "core/exit/vm_exit.hpp"

struct kvm_run;

namespace ax::sim::kvm {

/// What the next entry must find answered in the shared memory.
enum class Question : u8 {
    None,
    Port,    ///< one element after the other
    Memory,
    Served,  ///< answered already, but the instruction is not complete before the next entry
    Code,    ///< an instruction was fetched where nothing is
};

[[nodiscard]] Question question_of(const kvm_run& run);

/// Accesses that one port exit stands for: more than one for a string instruction that KVM has read ahead.
[[nodiscard]] u32 port_elements(const kvm_run& run);
[[nodiscard]] VmExit port_exit(const kvm_run& run, u32 element);
void answer_port(kvm_run& run, u32 element, u64 value);

/// An access of a size that no device has (KVM splits by 8 bytes and by pages only) is a `Stage2Fault`.
[[nodiscard]] VmExit memory_exit(const kvm_run& run);
void answer_memory(kvm_run& run, u64 value);

/// Exits that ask nothing. `rip` is the guest's. Causes that VMX has a number for carry it; those of KVM alone are
/// `kvm_cause` and KVM's number.
inline constexpr u64 kvm_cause = 0x4b56'4d00;
[[nodiscard]] VmExit other_exit(const kvm_run& run);

}  // namespace ax::sim::kvm
