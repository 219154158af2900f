#include "sim/machine/isa_vm.hpp"

#include "sim/machine/arm_vm.hpp"
#include "sim/machine/kvm_vm.hpp"
#include "sim/machine/riscv_vm.hpp"
#include "sim/machine/x86_vm.hpp"

namespace ax::sim {

std::expected<std::unique_ptr<IsaVm>, std::string> make_isa_vm(const IsaVmParts& parts) {
    if (parts.board.backend() == Backend::Kvm) return KvmVm::create(parts);
    switch (parts.platform.config.arch) {
        case config::Arch::Riscv64: return RiscvVm::create(parts);
        case config::Arch::Aarch64: return ArmVm::create(parts);
        case config::Arch::X86_64: return X86Vm::create(parts);
    }
    return std::unexpected(std::string("axsim does not simulate this architecture"));
}

}  // namespace ax::sim
