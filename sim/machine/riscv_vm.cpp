#include "sim/machine/riscv_vm.hpp"

namespace ax::sim {

std::expected<std::unique_ptr<IsaVm>, std::string> RiscvVm::create(const IsaVmParts& parts) {
    auto stage2 = ax::riscv::Vm::create(parts.tables);
    if (!stage2) return std::unexpected(std::string("the board has no memory left for its page tables"));
    return std::unique_ptr<IsaVm>(new RiscvVm(parts, std::move(*stage2)));
}

RiscvVm::RiscvVm(const IsaVmParts& parts, ax::riscv::Vm stage2)
    : parts_(parts),
      stage2_(std::move(stage2)),
      controls_(ax::riscv::controls_for({.stage2_root = stage2_.root(), .vmid = parts.config.id() & ax::riscv::Hgatp::VMID::max})) {}

hal::Vcpu* RiscvVm::add_vcpu(u64 /*cpu_number*/) {
    const HartOptions options{.gives_htinst = parts_.platform.sim.htinst == HtinstStyle::Transformed};
    cpus_.push_back(std::make_unique<RiscvCpu>(parts_.board.memory(), parts_.board.riscv_engine(), parts_.board, options));
    vcpus_.push_back(std::make_unique<ax::riscv::Vcpu>(*cpus_.back(), controls_));
    return stage2_.add_cpu(*cpus_.back()) ? vcpus_.back().get() : nullptr;
}

std::expected<std::vector<DeviceWindow>, std::string> RiscvVm::add_device(const config::EmulatedDeviceConfig& config,
                                                                          const DeviceSurroundings& around) {
    const irq::Line line = plic_ && config.irq_id != 0 ? irq::Line(*plic_, static_cast<u32>(config.irq_id)) : irq::Line();
    bus::Device* device = nullptr;
    switch (config.emu_type) {
        case config::EmulatedDeviceType::PPPTGlobal: {
            dev::Vplic::Config shape;
            for (std::size_t i = 0; i < vcpus_.size(); ++i) {
                // As on QEMU's virt board: machine-mode context, then supervisor context of each hart.
                if (!shape.contexts.push_back(std::nullopt) || !shape.contexts.push_back(VcpuId{static_cast<u32>(i)}))
                    return std::unexpected(std::string("a PLIC has at most 128 contexts"));
            }
            auto plic = dev::Vplic::create(shape, around.vm);
            if (!plic) return std::unexpected(std::string("its shape is not one that a PLIC can have"));
            plic_ = std::make_unique<dev::Vplic>(std::move(*plic));
            device = plic_.get();
            break;
        }
        case config::EmulatedDeviceType::Console:
            uart_ = std::make_unique<dev::Ns16550>(around.sink, line, &around.source);
            device = uart_.get();
            break;
        case config::EmulatedDeviceType::Rtc: {
            constexpr u64 ns_per_second = 1'000'000'000;
            rtc_ = std::make_unique<dev::Goldfish>(dev::Goldfish::Config{parts_.platform.sim.epoch * ns_per_second}, parts_.board, around.timers, line);
            if (!around.timers.attach(*rtc_)) return std::unexpected(std::string("no timer is left"));
            device = rtc_.get();
            break;
        }
        case config::EmulatedDeviceType::Dummy:
        case config::EmulatedDeviceType::InterruptController:
        case config::EmulatedDeviceType::FwCfg:
        case config::EmulatedDeviceType::IVCChannel:
        case config::EmulatedDeviceType::GPPTRedistributor:
        case config::EmulatedDeviceType::GPPTDistributor:
        case config::EmulatedDeviceType::GPPTITS:
        case config::EmulatedDeviceType::X86IoApic:
        case config::EmulatedDeviceType::X86Pit:
        case config::EmulatedDeviceType::LoongArchPchPic:
        case config::EmulatedDeviceType::VirtioBlk:
        case config::EmulatedDeviceType::VirtioNet:
        case config::EmulatedDeviceType::VirtioConsole: return std::unexpected(std::string());
    }
    return std::vector<DeviceWindow>{{config.range(), device}};
}

void RiscvVm::pump_console() {
    if (uart_) uart_->pump();
}

std::optional<u32> RiscvVm::code_at(std::size_t vcpu, Gva pc) {
    RiscvCpu& cpu = *cpus_[vcpu];
    const auto low = cpu.fetch(pc);
    if (!low) return std::nullopt;
    if (riscv::instruction_length(*low) == 2) return *low;
    const auto high = cpu.fetch(pc + 2);
    if (!high) return std::nullopt;
    return static_cast<u32>(*low) | static_cast<u32>(*high) << 16;
}

std::optional<StuckVcpu> RiscvVm::find_stuck(std::size_t vcpu) {
    RiscvCpu& cpu = *cpus_[vcpu];
    if (!cpu.is_stuck()) return std::nullopt;
    return StuckVcpu{Gva{cpu.hs().sepc}, cpu.vs_csr(ax::riscv::VsCsr::vscause), cpu.vs_csr(ax::riscv::VsCsr::vstval)};
}

void RiscvVm::move_to_new_engine() {
    for (auto& cpu : cpus_) cpu->move_to(parts_.board.riscv_engine());
}

}  // namespace ax::sim
