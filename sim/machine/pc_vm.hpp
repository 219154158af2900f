// An x86 VM without its CPUs and memory: a PC's devices, a 16550 at a port, and how they and the CPUs reach each other. The
// simulated CPU and the host's differ below this.
#pragma once

#include "core/backend/x86/vcpu.hpp"
#include "devices/uart/ns16550.hpp"
#include "sim/machine/pc.hpp"

namespace ax::sim {

class PcVm : public IsaVm, protected irq::VectorSource, private irq::CpuSignals, private dev::PowerSwitch {
public:
    [[nodiscard]] std::expected<std::vector<DeviceWindow>, std::string> add_board_devices(const DeviceSurroundings& around) override;
    [[nodiscard]] std::expected<std::vector<DeviceWindow>, std::string> add_device(const config::EmulatedDeviceConfig& config,
                                                                                   const DeviceSurroundings& around) override;
    void pump_console() override;

protected:
    explicit PcVm(const IsaVmParts& parts) : parts_(parts) {}

    /// How a vCPU begins; the controls are left out.
    [[nodiscard]] ax::x86::VcpuSettings vcpu_settings(bool is_first) const;
    [[nodiscard]] const IsaVmParts& parts() const { return parts_; }

    [[nodiscard]] virtual u32 vcpu_count() const = 0;
    virtual void raise_nmi(VcpuId vcpu) = 0;
    /// The vCPU's next reset is by a start-up IPI.
    virtual void expect_startup(VcpuId vcpu) = 0;

private:
    [[nodiscard]] bool has_tsc_deadline() const { return parts_.config.lapic_timer() == config::LapicTimer::TscDeadline; }
    [[nodiscard]] bool has_x2apic() const { return parts_.config.lapic_mode() == config::LapicMode::X2apic; }
    // CpuSignals
    void set_external(VcpuId vcpu, bool level) override;
    void nmi(VcpuId vcpu) override;
    void init(VcpuId vcpu) override;
    void startup(VcpuId vcpu, u8 page) override;
    // VectorSource
    [[nodiscard]] std::optional<u8> pending(VcpuId vcpu) const override { return pc_->lapics().pending(vcpu); }
    u8 acknowledge(VcpuId vcpu) override { return pc_->lapics().acknowledge(vcpu); }
    [[nodiscard]] u8 task_priority(VcpuId vcpu) const override { return pc_->lapics().task_priority(vcpu); }
    void set_task_priority(VcpuId vcpu, u8 cr8) override { pc_->lapics().set_task_priority(vcpu, cr8); }
    [[nodiscard]] std::optional<u64> read_msr(VcpuId vcpu, u32 msr) override { return pc_->lapics().read_msr(vcpu, msr); }
    [[nodiscard]] bool write_msr(VcpuId vcpu, u32 msr, u64 value) override { return pc_->lapics().write_msr(vcpu, msr, value); }
    void set_tsc_offset(VcpuId vcpu, u64 offset) override { pc_->lapics().set_tsc_offset(vcpu, offset); }
    // PowerSwitch
    void reset() override;
    void power_off() override;

    IsaVmParts parts_;
    vm::Vm* vm_ = nullptr;
    std::optional<mm::GuestMemory> memory_;
    std::unique_ptr<Pc> pc_;
    std::unique_ptr<dev::Ns16550> uart_;
};

}  // namespace ax::sim
