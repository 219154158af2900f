#include "sim/machine/arm_vm.hpp"

namespace ax::sim {

std::expected<std::unique_ptr<IsaVm>, std::string> ArmVm::create(const IsaVmParts& parts) {
    auto stage2 = ax::arm64::Vm::create(parts.tables);
    if (!stage2) return std::unexpected(std::string("the board has no memory left for its page tables"));
    return std::unique_ptr<IsaVm>(new ArmVm(parts, std::move(*stage2)));
}

ArmVm::ArmVm(const IsaVmParts& parts, ax::arm64::Vm stage2)
    : parts_(parts), gic_(config::gic_layout(parts.config)), stage2_(std::move(stage2)) {}

hal::Vcpu* ArmVm::add_vcpu(u64 cpu_number) {
    cpus_.push_back(std::make_unique<ArmCpu>(parts_.board.memory(), parts_.board.arm_engine(), parts_.board, peers_));
    peers_.push_back(cpus_.back().get());
    affinities_.push_back(cpu_number);
    const ax::arm64::ControlSettings settings{
        .stage2_root = stage2_.root(),
        .vmid = parts_.config.id(),
        .ipa_bits = stage2_.format().ipa_bits,
        .physical_bits = stage2_.format().physical_bits,
        .has_list_registers = gic_ && gic_->version == 3,
        .vcpu_count = parts_.config.cpu_num(),
        .affinity = cpu_number,
    };
    const VcpuId id{static_cast<u32>(vcpus_.size())};
    vcpus_.push_back(std::make_unique<ax::arm64::Vcpu>(*cpus_.back(), id, settings, static_cast<irq::PrivateInputs&>(*this)));
    return stage2_.add_cpu(*cpus_.back()) ? vcpus_.back().get() : nullptr;
}

irq::Line ArmVm::line(const config::EmulatedDeviceConfig& config) const {
    return chip_ != nullptr && config.irq_id != 0 ? irq::Line(*chip_, static_cast<u32>(config.irq_id)) : irq::Line();
}

ArmVm::Windows ArmVm::add_device(const config::EmulatedDeviceConfig& config, const DeviceSurroundings& around) {
    constexpr u64 ns_per_second = 1'000'000'000;
    switch (config.emu_type) {
        case config::EmulatedDeviceType::InterruptController: return add_gic(around);
        case config::EmulatedDeviceType::Console:
            uart_ = std::make_unique<dev::Pl011>(around.sink, line(config), &around.source);
            return std::vector<DeviceWindow>{{config.range(), uart_.get()}};
        case config::EmulatedDeviceType::Rtc:
            rtc_ = std::make_unique<dev::Pl031>(dev::Pl031::Config{parts_.platform.sim.epoch * ns_per_second}, parts_.board, around.timers, line(config));
            if (!around.timers.attach(*rtc_)) return std::unexpected(std::string("no timer is left"));
            return std::vector<DeviceWindow>{{config.range(), rtc_.get()}};
        case config::EmulatedDeviceType::Dummy:
        case config::EmulatedDeviceType::FwCfg:
        case config::EmulatedDeviceType::IVCChannel:
        case config::EmulatedDeviceType::GPPTRedistributor:
        case config::EmulatedDeviceType::GPPTDistributor:
        case config::EmulatedDeviceType::GPPTITS:
        case config::EmulatedDeviceType::X86IoApic:
        case config::EmulatedDeviceType::X86Pit:
        case config::EmulatedDeviceType::LoongArchPchPic:
        case config::EmulatedDeviceType::PPPTGlobal:
        case config::EmulatedDeviceType::VirtioBlk:
        case config::EmulatedDeviceType::VirtioNet:
        case config::EmulatedDeviceType::VirtioConsole: break;
    }
    return std::unexpected(std::string());
}

ArmVm::Windows ArmVm::add_gic(const DeviceSurroundings& around) {
    if (!gic_) return std::unexpected(std::string("its configuration describes no GIC"));
    return gic_->version == 2 ? add_gicv2(*gic_, around) : add_gicv3(*gic_, around);
}

ArmVm::Windows ArmVm::add_gicv2(const config::GicLayout& layout, const DeviceSurroundings& around) {
    auto gic = dev::Vgicv2::create({.vcpus = static_cast<u32>(vcpus_.size()), .initiator = &around.vm.bus().initiator(), .host = this}, around.vm);
    if (!gic) return std::unexpected(std::string("a GICv2 serves 1 to 8 vCPUs"));
    gicv2_ = std::make_unique<dev::Vgicv2>(std::move(*gic));
    chip_ = gicv2_.get();
    return std::vector<DeviceWindow>{{layout.gicd, &gicv2_->distributor()}, {layout.gicc, &gicv2_->cpu_interface()}};
}

ArmVm::Windows ArmVm::add_gicv3(const config::GicLayout& layout, const DeviceSurroundings& around) {
    dev::Vgicv3::Config shape;
    for (const u64 affinity : affinities_)
        if (!shape.affinities.push_back(affinity)) return std::unexpected(std::string("a GICv3 serves 1 to 64 vCPUs"));
    if (!dev::Vgicv3::check(shape)) return std::unexpected(std::string("two vCPUs have the same number"));
    gicv3_ = std::make_unique<dev::Vgicv3>(shape, around.vm);
    chip_ = gicv3_.get();
    around.vm.set_presenter(*gicv3_);
    for (auto& vcpu : vcpus_) vcpu->set_presenter(*gicv3_);
    std::vector<DeviceWindow> windows{{layout.gicd, &gicv3_->distributor()}};
    if (layout.gicr.size() != 1) return std::unexpected(std::string("its redistributors must be one range"));
    windows.push_back({layout.gicr[0].range(), &gicv3_->redistributors()});
    return windows;
}

void ArmVm::deactivate(VcpuId vcpu, u32 host_number) { cpus_[index(vcpu)]->deactivate(host_number); }

void ArmVm::set_private(VcpuId vcpu, u32 number, bool level, std::optional<u32> host_number) {
    if (gicv3_) gicv3_->set_private(vcpu, number, level, host_number);
    if (gicv2_) gicv2_->set_private(vcpu, number, level, host_number);
}

void ArmVm::pump_console() {
    if (uart_) uart_->pump();
}

std::optional<StuckVcpu> ArmVm::find_stuck(std::size_t vcpu) {
    ArmCpu& cpu = *cpus_[vcpu];
    if (!cpu.is_stuck()) return std::nullopt;
    return StuckVcpu{Gva{cpu.el2().ELR_EL2}, cpu.el1(ax::arm64::El1Reg::ESR_EL1), cpu.el1(ax::arm64::El1Reg::FAR_EL1)};
}

void ArmVm::move_to_new_engine() {
    for (auto& cpu : cpus_) cpu->move_to(parts_.board.arm_engine());
}

}  // namespace ax::sim
