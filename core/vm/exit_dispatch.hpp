// From a decoded exit to its answer: one function per kind of exit.
#pragma once

#include "core/vm/vm.hpp"

namespace ax::vm {

/// Handles one exit of one vCPU. Whatever a guest does ends in an answer, an injected fault or the
/// stop of its VM with a reason.
class ExitHandler {
public:
    ExitHandler(Vm& vm, VcpuTask& task) : vm_(vm), task_(task) {}

    [[nodiscard]] Dispatched handle(const hal::RunStop& stop);

private:
    Dispatched on(const BudgetEnd& exit);
    Dispatched on(const MmioRead& exit);
    Dispatched on(const MmioWrite& exit);
    Dispatched on(const Stage2Fault& exit);
    Dispatched on(const Hypercall& exit);
    Dispatched on(const PowerCall& exit);
    Dispatched on(const SetTimer& exit);
    Dispatched on(const SendIpi& exit);
    Dispatched on(const RemoteFence& exit);
    Dispatched on(const ConsoleCall& exit);
    Dispatched on(const WaitForInterrupt& exit);
    Dispatched on(const SpinHint& exit);
    Dispatched on(const Handled& exit);
    Dispatched on(const UndefinedInstruction& exit);
    Dispatched on(const HostInterrupt& exit);
    Dispatched on(const Unhandled& exit);
    Dispatched on(const EntryFailure& exit);
    Dispatched on(const PortRead& exit);
    Dispatched on(const PortWrite& exit);
    Dispatched on(const CpuShutdown& exit);

    /// The VM stops: `what` for the user, the two numbers of the exit behind it.
    Dispatched fail(const char* what, u64 cause, u64 detail);
    Dispatched populate(Gpa gpa, Access access);
    /// Nothing answers at `gpa`: a fault for the guest, or the end of a VM that only faults.
    Dispatched bus_fault(Gpa gpa);
    [[nodiscard]] Answer console_write(const ConsoleCall& call);
    [[nodiscard]] Answer console_read(const ConsoleCall& call);

    Vm& vm_;
    VcpuTask& task_;
};

}  // namespace ax::vm
