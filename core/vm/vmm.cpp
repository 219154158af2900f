#include "core/vm/vmm.hpp"

namespace ax::vm {

Vmm::Vmm(hal::Host& host, u64 tick_ns) : host_(host), tick_ns_(tick_ns), tick_(*this) {
    expect(timers_.attach(tick_), "an empty timer queue takes the scheduler's tick");
}

bool Vmm::add(Vm& vm) {
    if (vms_.is_full() || !scheduler_.add(vm)) return false;
    for (VcpuTask& task : vm.vcpus())
        if (!timers_.attach(task)) return false;
    return vms_.push_back(&vm);
}

StepResult Vmm::step(PcpuId pcpu, u64 budget) {
    const TaskRef next = scheduler_.pick(pcpu);
    StepResult result;
    result.is_idle = next.task == nullptr;
    if (result.is_idle) return result;
    VcpuTask& task = *next.task;
    Vm& vm = *next.vm;
    vm.follow_timers(task);
    // A device or an input may have made a vCPU ready since the last exit, and there may not be a next.
    arm();

    task.enter();
    const hal::RunStop stop = task.hal().run(budget);
    task.leave();

    result.vm = vm.id();
    result.vcpu = task.id();
    result.pc = task.hal().pc();
    result.exit = stop.exit;
    result.instructions = stop.instructions;
    const auto* interrupt = std::get_if<HostInterrupt>(&stop.exit);
    if (interrupt != nullptr && interrupt->kind == HostInterruptKind::Timer) on_timer_interrupt();

    const Dispatched done = vm.dispatch(task, stop);
    if (std::holds_alternative<BudgetEnd>(stop.exit)) return result;
    result.answer = done.answer;
    result.ends_slice = done.yields;
    if (vm.status() == VmStatus::Running) {
        task.hal().finish(done.answer);
        vm.settle(task, stop.exit, done);
        if (done.yields) scheduler_.rotate(pcpu);
    }
    arm();
    return result;
}

void Vmm::on_timer_interrupt() {
    armed_ns_ = timer::never;
    timers_.run_due(host_.now_ns());
    arm();
}

void Vmm::on_tick() {
    tick_is_set_ = false;
    scheduler_.rotate_all();
}

/// Keeps the hardware's one timer at the earliest deadline, and the tick running while vCPUs share.
void Vmm::arm() {
    if (!tick_is_set_ && scheduler_.has_waiting()) {
        tick_is_set_ = true;
        timers_.set_alarm(tick_, host_.now_ns() + tick_ns_);
    }
    if (timers_.next_deadline() == armed_ns_) return;
    armed_ns_ = timers_.next_deadline();
    host_.arm_timer(armed_ns_);
}

bool Vmm::is_finished() const {
    for (const Vm* vm : vms_)
        if (vm->status() != VmStatus::Stopped) return false;
    return true;
}

void Vmm::scheduling_fields(FieldVisitor& v) {
    field(v, "scheduler", scheduler_);
    field(v, "timers", timers_);
    field(v, "tick_is_set", tick_is_set_);
    field(v, "armed_ns", armed_ns_);
}

void Vmm::fields(FieldVisitor& v) {
    scheduling_fields(v);
    for (std::size_t i = 0; i < vms_.size(); ++i) {
        v.enter("vm", i);
        vms_[i]->fields(v);
        v.leave();
    }
}

}  // namespace ax::vm
