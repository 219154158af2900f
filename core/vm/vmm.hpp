// The hypervisor of one machine: its VMs, their scheduling, its timers. One call runs one pCPU to
// its next exit.
#pragma once

#include "core/timer/timer_queue.hpp"
#include "core/vm/scheduler.hpp"

namespace ax::vm {

/// What one step of a pCPU did.
struct StepResult {
    bool is_idle = false;    ///< nothing may run here; nothing was run
    bool ends_slice = false; ///< another pCPU should run before this one does again
    VmId vm{};
    VcpuId vcpu{};
    Gva pc{};                ///< of the exit
    VmExit exit{};
    Answer answer{};
    u64 instructions = 0;
};

class Vmm {
public:
    /// `tick_ns`: how long vCPUs that share a pCPU run in turn.
    Vmm(hal::Host& host, u64 tick_ns);

    /// False when the machine has its 16 VMs or no room for the vCPUs.
    [[nodiscard]] bool add(Vm& vm);
    [[nodiscard]] timer::TimerQueue& timers() { return timers_; }

    /// Runs the vCPU whose turn it is on `pcpu` until its next exit or for about `budget` instructions,
    /// and handles the exit.
    [[nodiscard]] StepResult step(PcpuId pcpu, u64 budget);
    [[nodiscard]] bool has_work(PcpuId pcpu) const { return scheduler_.has_work(pcpu); }
    /// The timer interrupt of the machine, taken outside a guest (an idle pCPU) or after a
    /// `HostInterrupt` exit: runs what is due and arms the next.
    void on_timer_interrupt();
    /// True when no VM runs any more.
    [[nodiscard]] bool is_finished() const;

    void fields(FieldVisitor& v);
    /// The part of `fields` that belongs to no VM.
    void scheduling_fields(FieldVisitor& v);

private:
    class Tick final : public timer::AlarmClient {
    public:
        explicit Tick(Vmm& vmm) : vmm_(vmm) {}
        void on_alarm() override { vmm_.on_tick(); }

    private:
        Vmm& vmm_;
    };

    void on_tick();
    void arm();

    hal::Host& host_;
    u64 tick_ns_;
    timer::TimerQueue timers_;
    Scheduler scheduler_;
    FixedVector<Vm*, max_vms> vms_;
    Tick tick_;
    bool tick_is_set_ = false;
    u64 armed_ns_ = timer::never;
};

}  // namespace ax::vm
