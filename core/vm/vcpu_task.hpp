// One vCPU as the hypervisor schedules it: its HAL vCPU, its state, its power state, its timer.
#pragma once

#include "core/hal/vcpu.hpp"
#include "core/timer/clock.hpp"

namespace ax::vm {

/// AxVCpu's states, with `Blocked` in real use: waiting for an interrupt.
enum class VcpuState : u8 {
    Invalid = 0,
    Created = 1,
    Free = 2,     ///< set up, powered off
    Ready = 3,    ///< may run
    Running = 4,  ///< is some pCPU's current vCPU and in the guest
    Blocked = 5,  ///< waits for an interrupt
};

constexpr const char* to_text(VcpuState s) {
    constexpr const char* names[] = {"invalid", "created", "free", "ready", "running", "blocked"};
    return names[index(s)];
}

/// Power state as the guest may ask for it; the numbers are SBI HSM's ("HSM Hart States").
enum class PowerState : u8 { Started = 0, Stopped = 1, StartPending = 2, StopPending = 3, Suspended = 4 };

class VcpuTask final : public timer::AlarmClient {
public:
    VcpuTask() = default;
    /// Ties the task to its HAL vCPU. `cpu_number` is what the guest calls it.
    void attach(hal::Vcpu& hal, VcpuId id, u64 cpu_number, u64 affinity);

    [[nodiscard]] hal::Vcpu& hal() { return *hal_; }
    [[nodiscard]] VcpuId id() const { return id_; }
    [[nodiscard]] u64 cpu_number() const { return cpu_number_; }
    [[nodiscard]] bool may_run_on(PcpuId pcpu) const { return ((affinity_ >> index(pcpu)) & 1) != 0; }
    [[nodiscard]] VcpuState state() const { return state_; }
    [[nodiscard]] PowerState power() const { return power_; }
    [[nodiscard]] bool is_runnable() const { return state_ == VcpuState::Ready || state_ == VcpuState::Running; }

    /// Free to Ready, at `boot`. The caller has checked that the task is off. Start pending until it first runs.
    void start(const BootState& boot);
    /// To Free. The timer and the interrupt inputs stay as they are; `start` lowers those that are not
    /// the interrupt controller's.
    void stop();
    /// Ready or Running to Blocked, unless something to wake for is pending already.
    void wait();
    /// The same for a CpuSuspend; `resume`, if not null, is where it starts again.
    void suspend(const BootState* resume);
    /// Ready to Running and back, around a run of the guest.
    void enter() {
        state_ = VcpuState::Running;
        power_ = PowerState::Started;
    }
    void leave() {
        if (state_ == VcpuState::Running) state_ = VcpuState::Ready;
    }

    /// Raises or lowers an interrupt input, and ends a wait that it ends. True when the task became ready.
    bool inject(Event event);
    /// The timer: pending at once, ends a wait.
    void on_alarm() override;
    /// Notes the time of the alarm that the vCPU's own timers need; true when that is another one than before.
    [[nodiscard]] bool expect_alarm(u64 ticks);
    /// True once after an alarm or an injection made a blocked task ready.
    [[nodiscard]] bool take_woken();

    /// Consecutive exits that could only be answered with a fault, without an instruction retired.
    [[nodiscard]] u32& fault_streak() { return fault_streak_; }

    void fields(FieldVisitor& v);

private:
    void wake();

    hal::Vcpu* hal_ = nullptr;
    VcpuId id_{};
    u64 cpu_number_ = 0;
    u64 affinity_ = ~u64{0};
    VcpuState state_ = VcpuState::Invalid;
    PowerState power_ = PowerState::Stopped;
    bool resumes_elsewhere_ = false;
    Gpa resume_entry_;
    u64 resume_argument_ = 0;
    bool woken_ = false;
    u32 fault_streak_ = 0;
    u64 alarm_ticks_ = timer::never;
};

}  // namespace ax::vm
