// A riscv64 VM: harts with the H extension, Sv39x4 tables, PLIC, NS16550, Goldfish clock.
#pragma once

#include "core/backend/riscv/vcpu.hpp"
#include "core/backend/riscv/vm.hpp"
#include "devices/irqchip/vplic.hpp"
#include "devices/rtc/goldfish.hpp"
#include "devices/uart/ns16550.hpp"
#include "sim/machine/isa_vm.hpp"

namespace ax::sim {

class RiscvVm final : public IsaVm {
public:
    static std::expected<std::unique_ptr<IsaVm>, std::string> create(const IsaVmParts& parts);

    [[nodiscard]] hal::Vm& stage2() override { return stage2_; }
    [[nodiscard]] hal::Vcpu* add_vcpu(u64 cpu_number) override;
    [[nodiscard]] std::expected<std::vector<DeviceWindow>, std::string> add_device(const config::EmulatedDeviceConfig& config,
                                                                                   const DeviceSurroundings& around) override;
    void pump_console() override;
    [[nodiscard]] std::optional<u32> code_at(std::size_t vcpu, Gva pc) override;
    [[nodiscard]] std::optional<StuckVcpu> find_stuck(std::size_t vcpu) override;
    void move_to_new_engine() override;

private:
    RiscvVm(const IsaVmParts& parts, ax::riscv::Vm stage2);

    IsaVmParts parts_;
    std::vector<std::unique_ptr<RiscvCpu>> cpus_;  ///< outlive the tables, whose changes fence them
    ax::riscv::Vm stage2_;
    ax::riscv::Controls controls_;
    std::vector<std::unique_ptr<ax::riscv::Vcpu>> vcpus_;
    std::unique_ptr<dev::Vplic> plic_;
    std::unique_ptr<dev::Ns16550> uart_;
    std::unique_ptr<dev::Goldfish> rtc_;
};

}  // namespace ax::sim
