#include "sim/hal/kvm/exits.hpp"

#include <linux/kvm.h>

#include <cstring>
#include <span>

#include "core/arch/x86/vmx_regs.hpp"

namespace ax::sim::kvm {

namespace {

using ax::x86::ExitReason;

/// Where the data of an element lie.
std::size_t element_offset(const kvm_run& run, u32 element) { return run.io.data_offset + std::size_t{element} * run.io.size; }

u64 load(const std::byte* from, std::size_t size) {
    u64 value = 0;
    std::memcpy(&value, from, size);
    return value;
}

VmExit system_event(const kvm_run& run) {
    PowerCall call;
    call.op = run.system_event.type == KVM_SYSTEM_EVENT_RESET ? PowerOp::SystemReset : PowerOp::SystemOff;
    if (call.op == PowerOp::SystemReset || run.system_event.type == KVM_SYSTEM_EVENT_SHUTDOWN) return call;
    return Unhandled{kvm_cause | KVM_EXIT_SYSTEM_EVENT, run.system_event.type};
}

}  // namespace

Question question_of(const kvm_run& run) {
    switch (run.exit_reason) {
        case KVM_EXIT_IO: return Question::Port;
        case KVM_EXIT_MMIO: return Question::Memory;
        case KVM_EXIT_X86_RDMSR:
        case KVM_EXIT_X86_WRMSR: return Question::Served;
        default: return Question::None;
    }
}

u32 port_elements(const kvm_run& run) { return run.io.count; }

VmExit port_exit(const kvm_run& run, u32 element) {
    if (run.io.direction == KVM_EXIT_IO_IN) return PortRead{run.io.port, run.io.size};
    const auto* shared = reinterpret_cast<const std::byte*>(&run);
    return PortWrite{run.io.port, run.io.size, load(shared + element_offset(run, element), run.io.size)};
}

void answer_port(kvm_run& run, u32 element, u64 value) {
    if (run.io.direction != KVM_EXIT_IO_IN) return;
    std::memcpy(reinterpret_cast<std::byte*>(&run) + element_offset(run, element), &value, run.io.size);
}

VmExit memory_exit(const kvm_run& run) {
    const Gpa gpa{run.mmio.phys_addr};
    const auto size = static_cast<u8>(run.mmio.len);
    const bool is_write = run.mmio.is_write != 0;
    if (size != 1 && size != 2 && size != 4 && size != 8) return Stage2Fault{gpa, is_write ? Access::Write : Access::Read};
    if (!is_write) return MmioRead{gpa, size};
    return MmioWrite{gpa, size, load(std::as_bytes(std::span(run.mmio.data)).data(), size)};
}

void answer_memory(kvm_run& run, u64 value) {
    if (run.mmio.is_write == 0) std::memcpy(run.mmio.data, &value, sizeof run.mmio.data);
}

VmExit other_exit(const kvm_run& run) {
    switch (run.exit_reason) {
        case KVM_EXIT_HLT: return WaitForInterrupt{};
        case KVM_EXIT_IRQ_WINDOW_OPEN: return Handled{index(ExitReason::InterruptWindow), 0};
        case KVM_EXIT_SET_TPR: return Handled{index(ExitReason::CrAccess), run.cr8};
        case KVM_EXIT_X86_RDMSR: return Handled{index(ExitReason::Rdmsr), run.msr.index};
        case KVM_EXIT_X86_WRMSR: return Handled{index(ExitReason::Wrmsr), run.msr.index};
        case KVM_EXIT_SHUTDOWN: return CpuShutdown{run.s.regs.sregs.cr2};
        case KVM_EXIT_SYSTEM_EVENT: return system_event(run);
        case KVM_EXIT_FAIL_ENTRY: return EntryFailure{run.fail_entry.hardware_entry_failure_reason};
        case KVM_EXIT_INTERNAL_ERROR: return Unhandled{kvm_cause | KVM_EXIT_INTERNAL_ERROR, run.internal.suberror};
        default: return Unhandled{kvm_cause | run.exit_reason, run.hw.hardware_exit_reason};
    }
}

}  // namespace ax::sim::kvm
