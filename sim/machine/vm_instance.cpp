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
    auto isa = make_isa_vm({board_, platform, tables_, *guest_.config, guest_});
    if (!isa) return std::unexpected(error("cannot create the VM", isa.error()));
    isa_ = std::move(*isa);
    memory_.emplace(isa_->stage2(), board_);
    const VmId id{static_cast<u32>(guest_.config->id())};
    vm_ = std::make_unique<vm::Vm>(vm::VmParts{id, board_, vmm.timers(), *memory_, bus_, ports_, platform.timer_frequency()});
    if (auto done = add_memory(); !done) return done;
    if (auto done = add_vcpus(decorate); !done) return done;
    if (auto done = add_devices(vmm, platform); !done) return done;
    if (auto done = load_images(); !done) return done;
    if (!vmm.add(*vm_))
        return std::unexpected(error("cannot add the VM", "the machine has " + std::to_string(vm::max_vms) + " VMs or too many vCPUs"));
    return {};
}

std::expected<void, Error> VmInstance::add_memory() {
    const bool is_lazy = guest_.config->memory_population() == config::MemoryPopulation::Lazy && isa_->can_populate_late();
    const auto population = is_lazy ? mm::Population::Lazy : mm::Population::Eager;
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

std::expected<void, Error> VmInstance::add_vcpus(const std::function<hal::Vcpu&(hal::Vcpu&)>& decorate) {
    for (const config::VcpuAffinity& affinity : guest_.config->get_vcpu_affinities_pcpu_ids()) {
        hal::Vcpu* vcpu = isa_->add_vcpu(affinity.phys_id);
        if (vcpu == nullptr || !vm_->add_vcpu(decorate ? decorate(*vcpu) : *vcpu, affinity.phys_id, affinity.pcpu_mask.value_or(~u64{0})))
            return std::unexpected(error("cannot add a vCPU", "a VM has at most 64"));
    }
    return {};
}

std::expected<void, Error> VmInstance::add_devices(vm::Vmm& vmm, const PlatformFile& platform) {
    serial_.emplace(vm_->console());
    const auto board = isa_->add_board_devices({*vm_, vmm.timers(), *serial_, *serial_});
    if (!board) return std::unexpected(error("cannot build the board's devices", board.error()));
    if (auto done = attach("a device of the board", *board); !done) return done;
    // The interrupt controller first: the others are wired to it.
    for (const bool controllers : {true, false})
        for (const config::EmulatedDeviceConfig& device : guest_.config->emu_devices())
            if (config::is_interrupt_controller(device.emu_type) == controllers)
                if (auto done = add_device(device, vmm, platform); !done) return done;
    return {};
}

std::expected<void, Error> VmInstance::add_device(const config::EmulatedDeviceConfig& config, vm::Vmm& vmm, const PlatformFile& platform) {
    const std::string label = "emulated device " + std::string(config.name.view());
    const auto windows = isa_->add_device(config, {*vm_, vmm.timers(), *serial_, *serial_});
    if (!windows && windows.error().empty())
        return std::unexpected(error("cannot build " + label,
                                     "axsim does not emulate a " + std::string(config::to_text(config.emu_type)) + " for " +
                                         std::string(config::to_text(platform.config.arch)),
                                     "remove it from devices.emu_devices"));
    if (!windows) return std::unexpected(error("cannot build " + label, windows.error()));
    return attach(label, *windows);
}

std::expected<void, Error> VmInstance::attach(const std::string& label, const std::vector<DeviceWindow>& windows) {
    for (const DeviceWindow& window : windows)
        if (const auto attached = (window.is_port ? ports_ : bus_).attach(window.range, *window.device); !attached)
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
    isa_->pump_console();
}

bool VmInstance::find_stuck() {
    if (vm_->status() != vm::VmStatus::Running) return false;
    for (vm::VcpuTask& task : vm_->vcpus()) {
        const auto stuck = isa_->find_stuck(index(task.id()));
        if (!stuck) continue;
        vm_->stop({vm::StopReason::Failed, task.id(), stuck->pc, "the guest faults in its own trap handler for ever", stuck->cause, stuck->detail});
        return true;
    }
    return false;
}

void VmInstance::add_hashes(std::vector<ComponentHash>& hashes) {
    const std::string prefix = "vm" + std::to_string(guest_.config->id()) + "/";
    for (vm::VcpuTask& task : vm_->vcpus()) hashes.push_back({prefix + "vcpu" + std::to_string(index(task.id())), hash_of(task)});
    for (const bus::MmioBus* bus : {&bus_, &ports_})
        for (const auto& attachment : bus->attachments())
            hashes.push_back({prefix + std::string(attachment.device->name()), hash_of(*attachment.device)});
    hashes.push_back({prefix + "console", hash_of(vm_->console())});
}

}  // namespace ax::sim
