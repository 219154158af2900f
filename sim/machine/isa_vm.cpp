#include "sim/machine/isa_vm.hpp"

#include "sim/machine/arm_vm.hpp"
#include "sim/machine/riscv_vm.hpp"

namespace ax::sim {

std::expected<std::unique_ptr<IsaVm>, std::string> make_isa_vm(const IsaVmParts& parts) {
    switch (parts.platform.config.arch) {
        case config::Arch::Riscv64: return RiscvVm::create(parts);
        case config::Arch::Aarch64: return ArmVm::create(parts);
        case config::Arch::X86_64: break;
    }
    return std::unexpected("axsim does not simulate " + std::string(config::to_text(parts.platform.config.arch)) + " yet");
}

}  // namespace ax::sim
