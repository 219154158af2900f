#include "core/vm/power.hpp"

namespace ax::vm {

VcpuTask* PowerHandler::find(u64 cpu_number) {
    for (VcpuTask& task : vm_.vcpus())
        if (task.cpu_number() == cpu_number) return &task;
    return nullptr;
}

bool PowerHandler::is_executable(Gpa entry) const {
    const mm::Region* region = vm_.memory().region_of(entry);
    return region != nullptr && region->permissions.execute;
}

CallStatus PowerHandler::start(const PowerCall& call) {
    VcpuTask* target = find(call.target);
    if (target == nullptr) return CallStatus::InvalidParameter;
    if (target->power() == PowerState::StartPending) return CallStatus::StartPending;
    if (target->power() != PowerState::Stopped) return CallStatus::AlreadyAvailable;
    if (!is_executable(call.entry)) return CallStatus::InvalidAddress;
    vm_.parts_.alarms.set_alarm(*target, timer::never);
    target->start({call.entry, target->cpu_number(), call.argument});
    return CallStatus::Success;
}

Dispatched PowerHandler::handle(const PowerCall& call) {
    switch (call.op) {
        case PowerOp::CpuOn: return {Answer::of_call(start(call)), true};
        case PowerOp::CpuOff: return {Answer::none(), true, true};
        case PowerOp::CpuStatus: {
            const VcpuTask* target = find(call.target);
            if (target == nullptr) return {Answer::of_call(CallStatus::InvalidParameter)};
            return {Answer::of_call(CallStatus::Success, index(target->power()))};
        }
        case PowerOp::CpuSuspend:
            if (call.loses_state && !is_executable(call.entry)) return {Answer::of_call(CallStatus::InvalidAddress)};
            return {Answer::of_call(CallStatus::Success), true, true};
        case PowerOp::SystemOff:
            vm_.stop({StopReason::PoweredOff, task_.id(), task_.hal().pc(), "", call.argument, 0});
            return {Answer::none(), true};
        case PowerOp::SystemReset:
            vm_.stop({StopReason::ResetRequested, task_.id(), task_.hal().pc(), "", call.argument, 0});
            return {Answer::none(), true};
    }
    return {Answer::of_call(CallStatus::NotSupported)};
}

void PowerHandler::settle(const PowerCall& call) {
    if (call.op == PowerOp::CpuOff) {
        vm_.parts_.alarms.set_alarm(task_, timer::never);
        task_.stop();
    }
    if (call.op == PowerOp::CpuSuspend) {
        const BootState resume{call.entry, task_.cpu_number(), call.argument};
        task_.suspend(call.loses_state ? &resume : nullptr);
    }
}

bool names_only_vcpus(Vm& vm, const CpuSet& set) {
    if (set.all) return true;
    u64 known = 0;
    for (VcpuTask& task : vm.vcpus())
        if (set.contains(task.cpu_number())) known |= u64{1} << (task.cpu_number() - set.base);
    return (set.mask & ~known) == 0;
}

}  // namespace ax::vm
