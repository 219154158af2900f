#include "core/vm/vm.hpp"

#include "core/vm/exit_dispatch.hpp"
#include "core/vm/power.hpp"
#include "core/timer/ticks.hpp"

namespace ax::vm {

Vm::Vm(const VmParts& parts) : parts_(parts), console_(parts.host, parts.id) {}

bool Vm::add_vcpu(hal::Vcpu& hal, u64 cpu_number, u64 affinity) {
    if (count_ == max_vcpus) return false;
    tasks_[count_].attach(hal, VcpuId{static_cast<u32>(count_)}, cpu_number, affinity);
    ++count_;
    status_ = VmStatus::Loaded;
    return true;
}

void Vm::boot(Gpa entry, u64 argument) {
    expect(status_ == VmStatus::Loaded, "a VM is booted once, after it has a vCPU");
    status_ = VmStatus::Running;
    tasks_[0].start({entry, tasks_[0].cpu_number(), argument});
}

void Vm::stop(const VmStop& why) {
    if (status_ == VmStatus::Stopped) return;
    status_ = VmStatus::Stopped;
    stop_ = why;
    for (VcpuTask& task : vcpus()) {
        parts_.alarms.set_alarm(task, timer::never);
        task.stop();
    }
}

Dispatched Vm::dispatch(VcpuTask& task, const hal::RunStop& stop) { return ExitHandler(*this, task).handle(stop); }

void Vm::settle(VcpuTask& task, const VmExit& exit, const Dispatched& done) {
    if (status_ == VmStatus::Stopped || !done.is_blocked) return;
    if (const auto* call = std::get_if<PowerCall>(&exit)) {
        PowerHandler(*this, task).settle(*call);
    } else {
        task.wait();
    }
    follow_timers(task);
}

void Vm::follow_timers(VcpuTask& task) {
    if (task.power() == PowerState::Stopped) return;
    const auto ticks = task.hal().alarm_ticks(task.state() == VcpuState::Blocked);
    if (ticks && task.expect_alarm(*ticks)) parts_.alarms.set_alarm(task, timer::ticks_to_ns(*ticks, parts_.timer_frequency_hz));
}

void Vm::set_external(VcpuId vcpu, bool level) {
    if (index(vcpu) < count_) static_cast<void>(tasks_[index(vcpu)].inject({EventLine::External, level}));
}

void Vm::stop_vcpu(VcpuId vcpu) {
    if (index(vcpu) >= count_ || tasks_[index(vcpu)].power() == PowerState::Stopped) return;
    VcpuTask& task = tasks_[index(vcpu)];
    parts_.alarms.set_alarm(task, timer::never);
    task.stop();
}

void Vm::start_vcpu(VcpuId vcpu, Gpa entry) {
    if (index(vcpu) >= count_ || tasks_[index(vcpu)].power() != PowerState::Stopped) return;
    VcpuTask& task = tasks_[index(vcpu)];
    parts_.alarms.set_alarm(task, timer::never);
    task.start({entry, task.cpu_number(), 0});
}

void Vm::wake(VcpuId vcpu) {
    if (index(vcpu) < count_) static_cast<void>(tasks_[index(vcpu)].inject({EventLine::External, true}));
}

void Vm::fields(FieldVisitor& v) {
    field(v, "status", status_);
    field(v, "stop", stop_.reason);
    for (std::size_t i = 0; i < count_; ++i) {
        v.enter("vcpu", i);
        tasks_[i].fields(v);
        v.leave();
    }
    field(v, "console", console_);
    v.enter("bus", 0);
    parts_.bus.fields(v);
    v.leave();
    v.enter("ports", 0);
    parts_.ports.fields(v);
    v.leave();
}

}  // namespace ax::vm
