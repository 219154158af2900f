#include "core/vm/vcpu_task.hpp"

#include "core/base/expect.hpp"

namespace ax::vm {

void VcpuTask::attach(hal::Vcpu& hal, VcpuId id, u64 cpu_number, u64 affinity) {
    hal_ = &hal;
    id_ = id;
    cpu_number_ = cpu_number;
    affinity_ = affinity;
    state_ = VcpuState::Free;
}

void VcpuTask::start(const BootState& boot) {
    expect(state_ == VcpuState::Free, "a vCPU is started only when it is off");
    hal_->reset(boot);
    // IPIs and the timer of an earlier life end with it; the external input is the controller's.
    hal_->inject({EventLine::Software, false});
    hal_->inject({EventLine::Timer, false});
    state_ = VcpuState::Ready;
    power_ = PowerState::StartPending;
    alarm_ticks_ = timer::never;
    fault_streak_ = 0;
    woken_ = true;
}

void VcpuTask::stop() {
    state_ = VcpuState::Free;
    power_ = PowerState::Stopped;
}

void VcpuTask::wait() {
    if (!hal_->has_wake_event()) state_ = VcpuState::Blocked;
}

void VcpuTask::suspend(const BootState* resume) {
    power_ = PowerState::Suspended;
    resumes_elsewhere_ = resume != nullptr;
    if (resume != nullptr) {
        resume_entry_ = resume->entry;
        resume_argument_ = resume->argument;
    }
    state_ = VcpuState::Blocked;
    if (hal_->has_wake_event()) wake();
}

void VcpuTask::wake() {
    if (power_ == PowerState::Suspended) {
        power_ = PowerState::Started;
        if (resumes_elsewhere_) hal_->reset({resume_entry_, cpu_number_, resume_argument_});
        resumes_elsewhere_ = false;
    }
    state_ = VcpuState::Ready;
    woken_ = true;
}

bool VcpuTask::inject(Event event) {
    if (state_ == VcpuState::Invalid) return false;
    hal_->inject(event);
    if (state_ != VcpuState::Blocked || !event.level || !hal_->has_wake_event()) return false;
    wake();
    return true;
}

bool VcpuTask::expect_alarm(u64 ticks) {
    const bool is_new = ticks != alarm_ticks_;
    alarm_ticks_ = ticks;
    return is_new;
}

void VcpuTask::on_alarm() {
    alarm_ticks_ = timer::never;
    static_cast<void>(inject({EventLine::Timer, true}));
}

bool VcpuTask::take_woken() {
    const bool was_woken = woken_;
    woken_ = false;
    return was_woken;
}

void VcpuTask::fields(FieldVisitor& v) {
    field(v, "state", state_);
    field(v, "power", power_);
    field(v, "resumes_elsewhere", resumes_elsewhere_);
    field(v, "resume_entry", resume_entry_);
    field(v, "resume_argument", resume_argument_);
    field(v, "woken", woken_);
    field(v, "fault_streak", fault_streak_);
    field(v, "alarm_ticks", alarm_ticks_);
    if (hal_ != nullptr) {
        v.enter("cpu", 0);
        hal_->fields(v);
        v.leave();
    }
}

}  // namespace ax::vm
