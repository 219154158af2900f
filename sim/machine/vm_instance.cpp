#include "sim/machine/vm_instance.hpp"

#include "sim/base/text.hpp"

namespace ax::sim {

namespace {

/// Pages of second-stage tables that one VM may use: enough for 2 GiB in 4 KiB pages.
constexpr u64 max_table_pages = 2048;

std::string to_text(const GpaRange& range) { return "[" + hex(range.start.value()) + ", " + hex(range.end().value()) + ")"; }

}  // namespace

std::expected<std::unique_ptr<VmInstance>, Error> VmInstance::create(Board& board, vm::Vmm& vmm, const PlatformFile& platform,
                                                                     Guest guest,
                                                                     const std::function<hal::Vcpu&(hal::Vcpu&)>& decorate) {
    std::unique_ptr<VmInstance> instance(new VmInstance(board, std::move(guest)));
    if (auto built = instance->build(vmm, platform, decorate); !built) return std::unexpected(built.error());
    return instance;
}

VmInstance::VmInstance(Board& board, Guest guest) : board_(board), guest_(std::move(guest)), tables_(board, max_table_pages) {}

Error VmInstance::error(std::string what, std::string why, std::string hint) const {
    return {std::move(what), "VM " + std::string(name()), std::move(why), std::move(hint)};
}

std::expected<void, Error> VmInstance::build(vm::Vmm& vmm, const PlatformFile& platform,
                                             const std::function<hal::Vcpu&(hal::Vcpu&)>& decorate) {
    auto stage2 = ax::riscv::Vm::create(tables_);
    if (!stage2) return std::unexpected(error("cannot create the VM", "the board has no memory left for its page tables"));
    stage2_.emplace(std::move(*stage2));
    memory_.emplace(*stage2_, board_);
    const VmId id{static_cast<u32>(guest_.config->id())};
    vm_ = std::make_unique<vm::Vm>(vm::VmParts{id, board_, vmm.timers(), *memory_, bus_, platform.timer_frequency()});
    if (auto done = add_memory(); !done) return done;
    if (auto done = add_vcpus(platform, decorate); !done) return done;
    if (auto done = add_devices(vmm, platform); !done) return done;
    if (auto done = load_images(); !done) return done;
    if (!vmm.add(*vm_))
        return std::unexpected(error("cannot add the VM", "the machine has " + std::to_string(vm::max_vms) + " VMs or too many vCPUs"));
    return {};
}

std::expected<void, Error> VmInstance::add_memory() {
    const auto population = guest_.config->memory_population() == config::MemoryPopulation::Lazy ? mm::Population::Lazy : mm::Population::Eager;
    const auto frame_size = static_cast<mm::FrameSize>(guest_.config->frame_size());
    for (const config::VmMemConfig& region : guest_.config->memory_regions()) {
        std::expected<void, mm::SpaceError> added;
        switch (region.map_type) {
            case config::VmMemMappingType::MapAlloc:
                added = memory_->add_alloc(region.range(), region.permissions(), {population, frame_size});
                break;
            case config::VmMemMappingType::MapIdentical: {
                const auto owned = memory_->add_identical(region.range(), region.permissions());
                if (!owned) added = std::unexpected(owned.error());
                break;
            }
            case config::VmMemMappingType::MapReserved: added = memory_->add_reserved(region.range(), region.permissions()); break;
        }
        if (added) continue;
        return std::unexpected(error("cannot add memory region " + to_text(region.range()), mm::to_text(added.error().problem),
                                     "make the region smaller or the platform's memory larger"));
    }
    return {};
}

std::expected<void, Error> VmInstance::add_vcpus(const PlatformFile& platform,
                                                 const std::function<hal::Vcpu&(hal::Vcpu&)>& decorate) {
    const ax::riscv::Controls controls =
        ax::riscv::controls_for({.stage2_root = stage2_->root(), .vmid = guest_.config->id() & ax::riscv::Hgatp::VMID::max});
    const HartOptions options{.gives_htinst = platform.sim.htinst == HtinstStyle::Transformed};
    for (const config::VcpuAffinity& affinity : guest_.config->get_vcpu_affinities_pcpu_ids()) {
        cpus_.push_back(std::make_unique<RiscvCpu>(board_.memory(), board_.engine(), board_, options));
        vcpus_.push_back(std::make_unique<ax::riscv::Vcpu>(*cpus_.back(), controls));
        hal::Vcpu& vcpu = decorate ? decorate(*vcpus_.back()) : *vcpus_.back();
        if (!stage2_->add_cpu(*cpus_.back()) || !vm_->add_vcpu(vcpu, affinity.phys_id, affinity.pcpu_mask.value_or(~u64{0})))
            return std::unexpected(error("cannot add a vCPU", "a VM has at most 64"));
    }
    return {};
}

std::expected<void, Error> VmInstance::add_devices(vm::Vmm& vmm, const PlatformFile& platform) {
    serial_.emplace(vm_->console());
    // The interrupt controller first: the others are wired to it.
    for (const bool controllers : {true, false})
        for (const config::EmulatedDeviceConfig& device : guest_.config->emu_devices())
            if (config::is_interrupt_controller(device.emu_type) == controllers)
                if (auto done = add_device(device, vmm, platform); !done) return done;
    return {};
}

std::expected<void, Error> VmInstance::add_device(const config::EmulatedDeviceConfig& config, vm::Vmm& vmm, const PlatformFile& platform) {
    const std::string label = "emulated device " + std::string(config.name.view());
    const irq::Line line = plic_ && config.irq_id != 0 ? irq::Line(*plic_, static_cast<u32>(config.irq_id)) : irq::Line();
    bus::Device* device = nullptr;
    switch (config.emu_type) {
        case config::EmulatedDeviceType::PPPTGlobal: {
            dev::Vplic::Config shape;
            for (std::size_t i = 0; i < vcpus_.size(); ++i) {
                // As on QEMU's virt board: machine-mode context, then supervisor context of each hart.
                if (!shape.contexts.push_back(std::nullopt) || !shape.contexts.push_back(VcpuId{static_cast<u32>(i)}))
                    return std::unexpected(error("cannot build " + label, "a PLIC has at most 128 contexts"));
            }
            auto plic = dev::Vplic::create(shape, *vm_);
            if (!plic) return std::unexpected(error("cannot build " + label, "its shape is not one that a PLIC can have"));
            plic_ = std::make_unique<dev::Vplic>(std::move(*plic));
            device = plic_.get();
            break;
        }
        case config::EmulatedDeviceType::Console:
            uart_ = std::make_unique<dev::Ns16550>(*serial_, line, &*serial_);
            device = uart_.get();
            break;
        case config::EmulatedDeviceType::Rtc: {
            constexpr u64 ns_per_second = 1'000'000'000;
            rtc_ = std::make_unique<dev::Goldfish>(dev::Goldfish::Config{platform.sim.epoch * ns_per_second}, board_, vmm.timers(), line);
            if (!vmm.timers().attach(*rtc_)) return std::unexpected(error("cannot build " + label, "no timer is left"));
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
        case config::EmulatedDeviceType::VirtioConsole:
            return std::unexpected(error("cannot build " + label, "axsim does not emulate a " + std::string(config::to_text(config.emu_type)) + " for riscv64",
                                         "remove it from devices.emu_devices"));
    }
    if (const auto attached = bus_.attach(config.range(), *device); !attached)
        return std::unexpected(error("cannot attach " + label, bus::to_text(attached.error().problem)));
    return {};
}

std::expected<void, Error> VmInstance::load_images() {
    mm::GuestMemory memory(*memory_, board_);
    for (const Segment& segment : guest_.segments) {
        if (memory.load(segment.gpa, segment.bytes)) continue;
        return std::unexpected(error("cannot load the " + segment.name, "no memory at " + to_text(segment.range())));
    }
    return {};
}

void VmInstance::boot() { vm_->boot(guest_.config->bsp_entry(), guest_.device_tree.value()); }

void VmInstance::console_input(std::string_view bytes) {
    for (const char c : bytes) static_cast<void>(vm_->console().queue(static_cast<u8>(c)));
    if (uart_) uart_->pump();
}

std::optional<u32> VmInstance::code_at(VcpuId vcpu, Gva pc) {
    RiscvCpu& cpu = *cpus_[index(vcpu)];
    const auto low = cpu.fetch(pc);
    if (!low) return std::nullopt;
    if (riscv::instruction_length(*low) == 2) return *low;
    const auto high = cpu.fetch(pc + 2);
    if (!high) return std::nullopt;
    return static_cast<u32>(*low) | static_cast<u32>(*high) << 16;
}

bool VmInstance::find_stuck() {
    for (std::size_t i = 0; i < cpus_.size(); ++i) {
        if (!cpus_[i]->is_stuck() || vm_->status() != vm::VmStatus::Running) continue;
        const auto& cpu = cpus_[i];
        vm_->stop({vm::StopReason::Failed, VcpuId{static_cast<u32>(i)}, Gva{cpu->hs().sepc},
                   "the guest faults in its own trap handler for ever", cpu->vs_csr(ax::riscv::VsCsr::vscause),
                   cpu->vs_csr(ax::riscv::VsCsr::vstval)});
        return true;
    }
    return false;
}

void VmInstance::add_hashes(std::vector<ComponentHash>& hashes) {
    const std::string prefix = "vm" + std::to_string(guest_.config->id()) + "/";
    for (vm::VcpuTask& task : vm_->vcpus()) hashes.push_back({prefix + "vcpu" + std::to_string(index(task.id())), hash_of(task)});
    for (const auto& attachment : bus_.attachments())
        hashes.push_back({prefix + std::string(attachment.device->name()), hash_of(*attachment.device)});
    hashes.push_back({prefix + "console", hash_of(vm_->console())});
}

void VmInstance::move_to(RiscvEngine& engine) {
    for (auto& cpu : cpus_) cpu->move_to(engine);
}

}  // namespace ax::sim
