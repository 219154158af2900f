// An arm64 vCPU at the HAL line: raw traps of a CPU decoded and completed by core/arch/arm64, its
// interrupts through list registers or HCR_EL2.VI, its timers. The same code stands over the simulated CPU and,
// on metal, over the real one.
#pragma once

#include "core/arch/arm64/controls.hpp"
#include "core/arch/arm64/decode.hpp"
#include "core/backend/arm64/cpu.hpp"
#include "core/backend/arm64/physical_timer.hpp"
#include "core/hal/vcpu.hpp"
#include "core/irq/deliveries.hpp"

namespace ax::arm64 {

class Vcpu final : public hal::Vcpu {
public:
    /// `inputs` are the private interrupt inputs of the VM's controller; all outlive the vCPU.
    Vcpu(Cpu& cpu, VcpuId id, const ControlSettings& settings, irq::PrivateInputs& inputs)
        : cpu_(cpu), id_(id), settings_(settings), inputs_(inputs) {}

    /// A controller that delivers through list registers; without one the external input is the guest's IRQ.
    void set_presenter(irq::Presenter& presenter) { presenter_ = &presenter; }

    hal::RunStop run(u64 budget) override;
    void finish(const Answer& answer) override;
    void inject(Event event) override;
    [[nodiscard]] bool has_wake_event() override;
    void reset(const BootState& boot) override;
    void flush(bool instruction) override;
    [[nodiscard]] std::optional<u64> alarm_ticks(bool is_waiting) override;
    [[nodiscard]] Gva pc() override { return Gva{cpu_.el2().ELR_EL2}; }
    void fields(FieldVisitor& v) override;

private:
    void load_interrupts();
    void fold_interrupts();
    void follow_timers();
    [[nodiscard]] bool virtual_timer_asserted();
    [[nodiscard]] VmExit take_interrupt();
    [[nodiscard]] VmExit take_trap();
    [[nodiscard]] VmExit serve(const SysregAccess& access);
    void take(const GuestException& exception);

    Cpu& cpu_;
    VcpuId id_;
    ControlSettings settings_;
    irq::PrivateInputs& inputs_;
    irq::Presenter* presenter_ = nullptr;
    irq::Deliveries slots_;  ///< filled only while the guest runs
    PhysicalTimer timer_;
    bool os_lock_ = false;
    bool external_ = false;  ///< the IRQ input of a controller without list registers
    Completion completion_;
    bool has_parts_ = false; ///< the instruction that exited has more parts to report
};

}  // namespace ax::arm64
