// An x86 VM: CPUs with VMX, EPT tables, a PC's devices, a 16550 at a port.
#pragma once

#include "core/backend/x86/vcpu.hpp"
#include "core/backend/x86/vm.hpp"
#include "devices/uart/ns16550.hpp"
#include "sim/hal/unicorn/x86_cpu.hpp"
#include "sim/machine/pc.hpp"

namespace ax::sim {

class X86Vm final : public IsaVm, private irq::CpuSignals, private irq::VectorSource, private dev::PowerSwitch {
public:
    static std::expected<std::unique_ptr<IsaVm>, std::string> create(const IsaVmParts& parts);

    [[nodiscard]] hal::Vm& stage2() override { return stage2_; }
    [[nodiscard]] hal::Vcpu* add_vcpu(u64 cpu_number) override;
    [[nodiscard]] std::expected<std::vector<DeviceWindow>, std::string> add_board_devices(const DeviceSurroundings& around) override;
    [[nodiscard]] std::expected<std::vector<DeviceWindow>, std::string> add_device(const config::EmulatedDeviceConfig& config,
                                                                                   const DeviceSurroundings& around) override;
    void pump_console() override;
    [[nodiscard]] std::optional<u32> code_at(std::size_t vcpu, Gva pc) override;
    [[nodiscard]] std::optional<StuckVcpu> find_stuck(std::size_t vcpu) override;
    void move_to_new_engine() override;

private:
    X86Vm(const IsaVmParts& parts, ax::x86::Vm stage2, const ax::x86::Vmcs& controls);

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
    // PowerSwitch
    void reset() override;
    void power_off() override;

    IsaVmParts parts_;
    vm::Vm* vm_ = nullptr;
    std::vector<std::unique_ptr<X86Cpu>> cpus_;  ///< outlive the tables, whose changes fence them
    ax::x86::Vm stage2_;
    ax::x86::Vmcs controls_;
    std::unique_ptr<Pc> pc_;
    std::vector<std::unique_ptr<ax::x86::Vcpu>> vcpus_;
    std::unique_ptr<dev::Ns16550> uart_;
};

}  // namespace ax::sim
