// An x86 VM on simulated CPUs: VMX, EPT tables, and what every PC has.
#pragma once

#include "core/backend/x86/vm.hpp"
#include "sim/hal/unicorn/x86_cpu.hpp"
#include "sim/machine/pc_vm.hpp"

namespace ax::sim {

class X86Vm final : public PcVm {
public:
    static std::expected<std::unique_ptr<IsaVm>, std::string> create(const IsaVmParts& parts);

    [[nodiscard]] hal::Vm& stage2() override { return stage2_; }
    [[nodiscard]] hal::Vcpu* add_vcpu(u64 cpu_number) override;
    [[nodiscard]] std::optional<u32> code_at(std::size_t vcpu, Gva pc) override;
    [[nodiscard]] std::optional<StuckVcpu> find_stuck(std::size_t vcpu) override;
    [[nodiscard]] std::string why_refused(std::size_t vcpu) override;
    void move_to_new_engine() override;

private:
    X86Vm(const IsaVmParts& parts, ax::x86::Vm stage2, const ax::x86::Vmcs& controls);

    [[nodiscard]] u32 vcpu_count() const override { return static_cast<u32>(vcpus_.size()); }
    void raise_nmi(VcpuId vcpu) override { vcpus_[index(vcpu)]->raise_nmi(); }
    void expect_startup(VcpuId vcpu) override { vcpus_[index(vcpu)]->start_by_startup(); }

    std::vector<std::unique_ptr<X86Cpu>> cpus_;  ///< outlive the tables, whose changes fence them
    ax::x86::Vm stage2_;
    ax::x86::Vmcs controls_;
    std::vector<std::unique_ptr<ax::x86::Vcpu>> vcpus_;
};

}  // namespace ax::sim
