#include "sim/machine/pc_vm.hpp"

#include "sim/config/linux_x86.hpp"

namespace ax::sim {

namespace {

ax::x86::StartKind start_kind(PcStart start) {
    switch (start) {
        case PcStart::Long: return ax::x86::StartKind::Long;
        case PcStart::Protected: return ax::x86::StartKind::Protected;
        case PcStart::Real: return ax::x86::StartKind::RealMode;
        case PcStart::Reset: return ax::x86::StartKind::Reset;
    }
    return ax::x86::StartKind::Long;
}

}  // namespace

ax::x86::VcpuSettings PcVm::vcpu_settings(bool is_first) const {
    ax::x86::VcpuSettings settings;
    settings.start = is_first ? start_kind(parts_.guest.pc_start) : ax::x86::StartKind::Startup;
    settings.eax = parts_.guest.pc_eax;
    settings.page_tables = linux_boot::page_tables;
    settings.gdt = linux_boot::gdt;
    settings.gdt_limit = linux_boot::gdt_limit;
    settings.has_firmware = parts_.guest.pc_start == PcStart::Reset;
    settings.has_tsc_deadline = has_tsc_deadline();
    settings.has_x2apic = has_x2apic();
    return settings;
}

std::expected<std::vector<DeviceWindow>, std::string> PcVm::add_board_devices(const DeviceSurroundings& around) {
    constexpr u64 ns_per_second = 1'000'000'000;
    vm_ = &around.vm;
    memory_.emplace(around.vm.memory(), parts_.board);
    const auto& regions = parts_.config.memory_regions();
    pc_ = std::make_unique<Pc>(Pc::Config{.vcpus = vcpu_count(),
                                          .firmware = parts_.guest.firmware.get(),
                                          .epoch_ns = parts_.platform.sim.epoch * ns_per_second,
                                          .memory_below_4g = memory_below_4g({regions.begin(), regions.end()}),
                                          .has_tsc_deadline = has_tsc_deadline(),
                                          .tsc_hz = parts_.platform.timer_frequency(),
                                          .has_x2apic = has_x2apic()},
                               Pc::Parts{*this, *this, around.vm.bus().initiator(), parts_.board, around.timers, &*memory_});
    return pc_->attach(around.timers);
}

std::expected<std::vector<DeviceWindow>, std::string> PcVm::add_device(const config::EmulatedDeviceConfig& config,
                                                                        const DeviceSurroundings& around) {
    constexpr u64 ports = 0x1'0000;
    switch (config.emu_type) {
        case config::EmulatedDeviceType::Console:
            if (config.range().end().value() > ports) return std::unexpected(std::string("a serial port of a PC is at an I/O port, such as 0x3f8"));
            uart_ = std::make_unique<dev::Ns16550>(around.sink, pc_->isa(static_cast<u32>(config.irq_id)), &around.source);
            return std::vector<DeviceWindow>{{GpaRange{config.range().start, dev::Ns16550::window_bytes}, uart_.get(), true}};
        // Every PC has them, where they always are.
        case config::EmulatedDeviceType::InterruptController:
        case config::EmulatedDeviceType::Rtc:
        case config::EmulatedDeviceType::X86IoApic:
        case config::EmulatedDeviceType::X86Pit:
        // For the firmware, where there is one.
        case config::EmulatedDeviceType::FwCfg: return std::vector<DeviceWindow>{};
        case config::EmulatedDeviceType::Dummy:
        case config::EmulatedDeviceType::IVCChannel:
        case config::EmulatedDeviceType::GPPTRedistributor:
        case config::EmulatedDeviceType::GPPTDistributor:
        case config::EmulatedDeviceType::GPPTITS:
        case config::EmulatedDeviceType::LoongArchPchPic:
        case config::EmulatedDeviceType::PPPTGlobal:
        case config::EmulatedDeviceType::VirtioBlk:
        case config::EmulatedDeviceType::VirtioNet:
        case config::EmulatedDeviceType::VirtioConsole: break;
    }
    return std::unexpected(std::string());
}

void PcVm::set_external(VcpuId vcpu, bool level) { vm_->set_external(vcpu, level); }

void PcVm::nmi(VcpuId vcpu) {
    raise_nmi(vcpu);
    vm_->wake(vcpu);
}

/// The CPU stops until a start-up message; its local APIC has reset itself.
void PcVm::init(VcpuId vcpu) { vm_->stop_vcpu(vcpu); }

void PcVm::startup(VcpuId vcpu, u8 page) {
    expect_startup(vcpu);
    vm_->start_vcpu(vcpu, Gpa{u64{page} << page_shift});
}

void PcVm::reset() { vm_->stop({vm::StopReason::ResetRequested, VcpuId{}, Gva{}, "", 0, 0}); }

void PcVm::power_off() { vm_->stop({vm::StopReason::PoweredOff, VcpuId{}, Gva{}, "", 0, 0}); }

void PcVm::pump_console() {
    if (uart_) uart_->pump();
}

}  // namespace ax::sim
