// An aarch64 VM: CPUs with EL2, VMSAv8 stage 2 tables, a GIC of either version, PL011, PL031.
#pragma once

#include "core/backend/arm64/vcpu.hpp"
#include "core/backend/arm64/vm.hpp"
#include "core/config/gic_layout.hpp"
#include "devices/irqchip/vgicv2.hpp"
#include "devices/irqchip/vgicv3.hpp"
#include "devices/rtc/pl031.hpp"
#include "devices/uart/pl011.hpp"
#include "sim/machine/isa_vm.hpp"

namespace ax::sim {

class ArmVm final : public IsaVm, private dev::HostDeactivate, private irq::PrivateInputs {
public:
    static std::expected<std::unique_ptr<IsaVm>, std::string> create(const IsaVmParts& parts);

    [[nodiscard]] hal::Vm& stage2() override { return stage2_; }
    [[nodiscard]] hal::Vcpu* add_vcpu(u64 cpu_number) override;
    [[nodiscard]] std::expected<std::vector<DeviceWindow>, std::string> add_device(const config::EmulatedDeviceConfig& config,
                                                                                   const DeviceSurroundings& around) override;
    void pump_console() override;
    [[nodiscard]] std::optional<u32> code_at(std::size_t vcpu, Gva pc) override { return cpus_[vcpu]->fetch(pc); }
    [[nodiscard]] std::optional<StuckVcpu> find_stuck(std::size_t vcpu) override;
    void move_to_new_engine() override;

private:
    using Windows = std::expected<std::vector<DeviceWindow>, std::string>;

    ArmVm(const IsaVmParts& parts, ax::arm64::Vm stage2);
    void deactivate(VcpuId vcpu, u32 host_number) override;
    void set_private(VcpuId vcpu, u32 number, bool level, std::optional<u32> host_number) override;
    Windows add_gic(const DeviceSurroundings& around);
    Windows add_gicv2(const config::GicLayout& layout, const DeviceSurroundings& around);
    Windows add_gicv3(const config::GicLayout& layout, const DeviceSurroundings& around);
    [[nodiscard]] irq::Line line(const config::EmulatedDeviceConfig& config) const;

    IsaVmParts parts_;
    std::optional<config::GicLayout> gic_;
    ArmPeers peers_;
    std::vector<std::unique_ptr<ArmCpu>> cpus_;  ///< outlive the tables, whose changes fence them
    ax::arm64::Vm stage2_;
    std::vector<std::unique_ptr<ax::arm64::Vcpu>> vcpus_;
    std::vector<u64> affinities_;
    irq::IrqChip* chip_ = nullptr;
    std::unique_ptr<dev::Vgicv2> gicv2_;
    std::unique_ptr<dev::Vgicv3> gicv3_;
    std::unique_ptr<dev::Pl011> uart_;
    std::unique_ptr<dev::Pl031> rtc_;
};

}  // namespace ax::sim
