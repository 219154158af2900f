#include "sim/machine/x86_vm.hpp"

#include "core/arch/x86/controls.hpp"
#include "core/arch/x86/cpuid.hpp"
#include "core/arch/x86/msrs.hpp"
#include "sim/config/linux_x86.hpp"

namespace ax::sim {

namespace {

/// What the simulated CPU reports, as the core reads it.
ax::x86::VmxCapabilities capabilities() {
    const x86::VmxCpu cpu;
    ax::x86::VmxCapabilities reported = ax::x86::typical_capabilities;
    reported.pin = cpu.pin;
    reported.primary = cpu.primary;
    reported.secondary = cpu.secondary;
    reported.exit = cpu.exit;
    reported.entry = cpu.entry;
    reported.cr0_fixed0 = cpu.cr0_fixed0;
    reported.cr0_fixed1 = cpu.cr0_fixed1;
    reported.cr4_fixed0 = cpu.cr4_fixed0;
    reported.cr4_fixed1 = cpu.cr4_fixed1;
    return reported;
}

ax::x86::StartKind start_kind(PcStart start) {
    switch (start) {
        case PcStart::Long: return ax::x86::StartKind::Long;
        case PcStart::Protected: return ax::x86::StartKind::Protected;
        case PcStart::Real: return ax::x86::StartKind::RealMode;
        case PcStart::Reset: return ax::x86::StartKind::Reset;
    }
    return ax::x86::StartKind::Long;
}

/// The page that says which MSRs exit.
std::expected<Hpa, std::string> make_msr_bitmap(Board& board) {
    Hpa page{};
    if (!board.allocate(1, 1, page)) return std::unexpected(std::string("the board has no memory left for the MSR bitmap"));
    std::array<u8, ax::x86::msr_bitmap_bytes> bits{};
    ax::x86::fill_msr_bitmap({}, bits);
    if (!board.write(page, std::as_bytes(std::span(bits)))) return std::unexpected(std::string("the MSR bitmap lies outside the board's memory"));
    return page;
}

}  // namespace

std::expected<std::unique_ptr<IsaVm>, std::string> X86Vm::create(const IsaVmParts& parts) {
    auto stage2 = ax::x86::Vm::create(parts.tables);
    if (!stage2) return std::unexpected(std::string("the board has no memory left for its page tables"));
    const auto bitmap = make_msr_bitmap(parts.board);
    if (!bitmap) return std::unexpected(bitmap.error());
    const auto controls = ax::x86::controls_for({.ept_root = stage2->root(),
                                                 .vpid = static_cast<u16>(parts.config.id() + 1),
                                                 .msr_bitmap = *bitmap,
                                                 .exits_on_pause = parts.config.cpu_num() > 1,
                                                 .guest_cr4 = ax::x86::cr4_bits()},
                                                capabilities());
    if (!controls) return std::unexpected(std::string("the CPU lacks controls that the hypervisor needs"));
    return std::unique_ptr<IsaVm>(new X86Vm(parts, std::move(*stage2), *controls));
}

X86Vm::X86Vm(const IsaVmParts& parts, ax::x86::Vm stage2, const ax::x86::Vmcs& controls)
    : parts_(parts), stage2_(std::move(stage2)), controls_(controls) {}

hal::Vcpu* X86Vm::add_vcpu(u64 /*cpu_number*/) {
    const bool is_first = vcpus_.empty();
    cpus_.push_back(std::make_unique<X86Cpu>(parts_.board.memory(), parts_.board.x86_engine(), parts_.board));
    const VcpuId id{static_cast<u32>(vcpus_.size())};
    ax::x86::VcpuSettings settings;
    settings.controls = controls_;
    settings.start = is_first ? start_kind(parts_.guest.pc_start) : ax::x86::StartKind::Startup;
    settings.eax = parts_.guest.pc_eax;
    settings.page_tables = linux_boot::page_tables;
    settings.gdt = linux_boot::gdt;
    settings.gdt_limit = linux_boot::gdt_limit;
    vcpus_.push_back(std::make_unique<ax::x86::Vcpu>(*cpus_.back(), id, settings, static_cast<irq::VectorSource&>(*this)));
    return stage2_.add_cpu(*cpus_.back()) ? vcpus_.back().get() : nullptr;
}

std::expected<std::vector<DeviceWindow>, std::string> X86Vm::add_board_devices(const DeviceSurroundings& around) {
    constexpr u64 ns_per_second = 1'000'000'000;
    vm_ = &around.vm;
    const auto& regions = parts_.config.memory_regions();
    pc_ = std::make_unique<Pc>(Pc::Config{.vcpus = static_cast<u32>(vcpus_.size()),
                                          .has_firmware = parts_.guest.pc_start == PcStart::Reset,
                                          .epoch_ns = parts_.platform.sim.epoch * ns_per_second,
                                          .memory_below_4g = memory_below_4g({regions.begin(), regions.end()})},
                               Pc::Parts{*this, *this, around.vm.bus().initiator(), parts_.board, around.timers});
    return pc_->attach(around.timers);
}

std::expected<std::vector<DeviceWindow>, std::string> X86Vm::add_device(const config::EmulatedDeviceConfig& config,
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
        case config::EmulatedDeviceType::X86Pit: return std::vector<DeviceWindow>{};
        case config::EmulatedDeviceType::Dummy:
        case config::EmulatedDeviceType::FwCfg:
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

void X86Vm::set_external(VcpuId vcpu, bool level) { vm_->set_external(vcpu, level); }

void X86Vm::nmi(VcpuId vcpu) {
    vcpus_[index(vcpu)]->raise_nmi();
    vm_->wake(vcpu);
}

/// The CPU stops until a start-up message; its local APIC has reset itself.
void X86Vm::init(VcpuId vcpu) { vm_->stop_vcpu(vcpu); }

void X86Vm::startup(VcpuId vcpu, u8 page) {
    vcpus_[index(vcpu)]->start_by_startup();
    vm_->start_vcpu(vcpu, Gpa{u64{page} << page_shift});
}

void X86Vm::reset() { vm_->stop({vm::StopReason::ResetRequested, VcpuId{}, Gva{}, "", 0, 0}); }

void X86Vm::power_off() { vm_->stop({vm::StopReason::PoweredOff, VcpuId{}, Gva{}, "", 0, 0}); }

void X86Vm::pump_console() {
    if (uart_) uart_->pump();
}

std::optional<u32> X86Vm::code_at(std::size_t vcpu, Gva pc) {
    std::array<u8, 4> bytes{};
    if (cpus_[vcpu]->fetch(pc, bytes) != bytes.size()) return std::nullopt;
    return static_cast<u32>(bytes[0]) | static_cast<u32>(bytes[1]) << 8 | static_cast<u32>(bytes[2]) << 16 | static_cast<u32>(bytes[3]) << 24;
}

std::optional<StuckVcpu> X86Vm::find_stuck(std::size_t vcpu) {
    X86Cpu& cpu = *cpus_[vcpu];
    if (!cpu.is_stuck()) return std::nullopt;
    return StuckVcpu{vcpus_[vcpu]->pc(), cpu.vmcs().VM_ENTRY_INTERRUPTION_INFO, cpu.regs().CR2};
}

void X86Vm::move_to_new_engine() {
    for (auto& cpu : cpus_) cpu->move_to(parts_.board.x86_engine());
}

}  // namespace ax::sim
