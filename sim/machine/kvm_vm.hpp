// An x86 VM on the host's processor: vCPUs and memory slots of KVM, and what every PC has.
#pragma once

#include "sim/hal/kvm/vcpu.hpp"
#include "sim/machine/pc_vm.hpp"

namespace ax::sim {

class KvmVm final : public PcVm {
public:
    /// The error says what KVM refused.
    static std::expected<std::unique_ptr<IsaVm>, std::string> create(const IsaVmParts& parts);

    [[nodiscard]] hal::Vm& stage2() override { return space_; }
    [[nodiscard]] hal::Vcpu* add_vcpu(u64 cpu_number) override;
    [[nodiscard]] std::optional<u32> code_at(std::size_t vcpu, Gva pc) override;
    [[nodiscard]] std::optional<StuckVcpu> find_stuck(std::size_t /*vcpu*/) override { return std::nullopt; }
    void move_to_new_engine() override {}
    /// KVM cannot run an instruction again whose page has come meanwhile; the host's memory is lazy anyway.
    [[nodiscard]] bool can_populate_late() const override { return false; }

private:
    KvmVm(const IsaVmParts& parts, kvm::Space space) : PcVm(parts), space_(std::move(space)) {}

    [[nodiscard]] u32 vcpu_count() const override { return static_cast<u32>(vcpus_.size()); }
    void raise_nmi(VcpuId vcpu) override { vcpus_[index(vcpu)]->raise_nmi(); }
    void expect_startup(VcpuId vcpu) override { vcpus_[index(vcpu)]->start_by_startup(); }

    kvm::Space space_;
    std::vector<std::unique_ptr<kvm::Vcpu>> vcpus_;
    std::size_t added_ = 0;  ///< of `vcpus_`, by `add_vcpu`
};

}  // namespace ax::sim
