#include "sim/machine/kvm_vm.hpp"

#include <bit>

namespace ax::sim {

std::expected<std::unique_ptr<IsaVm>, std::string> KvmVm::create(const IsaVmParts& parts) {
    kvm::Engine& engine = parts.board.kvm_engine();
    auto space = kvm::Space::create(engine.system, parts.board.memory());
    if (!space) return std::unexpected(space.error());
    std::unique_ptr<KvmVm> vm(new KvmVm(parts, std::move(*space)));
    for (u32 i = 0; i < parts.config.cpu_num(); ++i) {
        auto vcpu = kvm::Vcpu::create({engine, vm->space_, parts.board, *vm, parts.platform.timer_frequency()}, VcpuId{i}, vm->vcpu_settings(i == 0));
        if (!vcpu) return std::unexpected(vcpu.error());
        vm->vcpus_.push_back(std::move(*vcpu));
    }
    return vm;
}

hal::Vcpu* KvmVm::add_vcpu(u64 /*cpu_number*/) { return added_ < vcpus_.size() ? vcpus_[added_++].get() : nullptr; }

std::optional<u32> KvmVm::code_at(std::size_t vcpu, Gva pc) {
    std::array<std::byte, sizeof(u32)> bytes{};
    if (!vcpus_[vcpu]->read_code(pc, bytes)) return std::nullopt;
    return std::bit_cast<u32>(bytes);
}

}  // namespace ax::sim
