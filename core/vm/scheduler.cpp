#include "core/vm/scheduler.hpp"

namespace ax::vm {

bool Scheduler::add(Vm& vm) {
    if (vm.vcpus().size() > tasks_.capacity() - tasks_.size()) return false;
    for (VcpuTask& task : vm.vcpus()) static_cast<void>(tasks_.push_back({&vm, &task}));
    return true;
}

/// Makes `task` (or none) the current one of `pcpu`.
void Scheduler::assign(std::size_t pcpu, u32 task) {
    Pcpu& p = pcpus_[pcpu];
    if (p.current != none) owner_[p.current] = 0;
    p.current = task;
    if (task == none) return;
    p.last = task;
    owner_[task] = static_cast<u32>(pcpu) + 1;
}

bool Scheduler::may_run(u32 task, std::size_t pcpu) const {
    const VcpuTask& t = *tasks_[task].task;
    return t.is_runnable() && t.may_run_on(PcpuId{static_cast<u32>(pcpu)}) && (owner_[task] == 0 || owner_[task] == pcpu + 1);
}

TaskRef Scheduler::pick(PcpuId id) {
    const std::size_t pcpu = index(id);
    Pcpu& p = pcpus_[pcpu];
    if (p.current != none) {
        if (!tasks_[p.current].task->is_runnable()) {
            assign(pcpu, none);
        } else if (!p.rotates) {
            return tasks_[p.current];
        }
    }
    p.rotates = false;
    const auto count = static_cast<u32>(tasks_.size());
    // From the one behind the last, so that everyone's turn comes; the last one itself comes last.
    for (u32 step = 1; step <= count; ++step) {
        const u32 task = (p.last + step) % count;
        if (!may_run(task, pcpu)) continue;
        assign(pcpu, task);
        return tasks_[task];
    }
    assign(pcpu, none);
    return {};
}

bool Scheduler::has_work(PcpuId id) const {
    const std::size_t pcpu = index(id);
    for (u32 task = 0; task < tasks_.size(); ++task)
        if (may_run(task, pcpu)) return true;
    return false;
}

void Scheduler::rotate_all() {
    for (Pcpu& p : pcpus_) p.rotates = true;
}

bool Scheduler::has_waiting() const {
    for (u32 task = 0; task < tasks_.size(); ++task)
        if (owner_[task] == 0 && tasks_[task].task->is_runnable()) return true;
    return false;
}

void Scheduler::Pcpu::fields(FieldVisitor& v) {
    field(v, "current", current);
    field(v, "last", last);
    field(v, "rotates", rotates);
}

void Scheduler::fields(FieldVisitor& v) {
    field(v, "pcpus", pcpus_);
    field(v, "owner", owner_);
}

}  // namespace ax::vm
