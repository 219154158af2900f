// Starting, stopping, suspending vCPUs and ending VMs, for every firmware interface at once.
#pragma once

#include "core/vm/vm.hpp"

namespace ax::vm {

class PowerHandler {
public:
    PowerHandler(Vm& vm, VcpuTask& task) : vm_(vm), task_(task) {}

    /// The answer to a call, before the caller itself changes state.
    [[nodiscard]] Dispatched handle(const PowerCall& call);
    /// The caller's own change of state, after its registers are completed.
    void settle(const PowerCall& call);

private:
    [[nodiscard]] VcpuTask* find(u64 cpu_number);
    [[nodiscard]] CallStatus start(const PowerCall& call);
    [[nodiscard]] bool is_executable(Gpa entry) const;

    Vm& vm_;
    VcpuTask& task_;
};

/// True when every CPU that the set names is a vCPU of the VM.
[[nodiscard]] bool names_only_vcpus(Vm& vm, const CpuSet& set);

}  // namespace ax::vm
