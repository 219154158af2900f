// One VM of a simulated machine: the core's Vm and everything that it is built from.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "core/vm/vmm.hpp"
#include "sim/base/error.hpp"
#include "sim/config/guest.hpp"
#include "sim/machine/isa_vm.hpp"
#include "sim/state/component_hash.hpp"

namespace ax::sim {

class VmInstance {
public:
    /// Builds memory, devices and vCPUs as the configuration says, loads the images, and adds the VM to
    /// the hypervisor. Board and hypervisor outlive it.
    static std::expected<std::unique_ptr<VmInstance>, Error> create(Board& board, vm::Vmm& vmm, const PlatformFile& platform, Guest guest,
                                                                     const std::function<hal::Vcpu&(hal::Vcpu&)>& decorate);

    /// Starts the first vCPU.
    void boot();
    /// Queues console input; the caller has seen that there is room.
    void console_input(std::string_view bytes);

    [[nodiscard]] vm::Vm& vm() { return *vm_; }
    [[nodiscard]] const Guest& guest() const { return guest_; }
    [[nodiscard]] std::string_view name() const { return guest_.config->name(); }
    [[nodiscard]] bus::MmioBus& bus() { return bus_; }
    /// I/O ports.
    [[nodiscard]] bus::MmioBus& ports() { return ports_; }
    /// Bytes of guest memory as the guest's own instruction fetch would see them; for disassembly.
    [[nodiscard]] std::optional<u32> code_at(VcpuId vcpu, Gva pc) { return isa_->code_at(index(vcpu), pc); }

    /// What the CPU found wrong with the last entry; empty when it was not refused, or does not say.
    [[nodiscard]] std::string why_refused(VcpuId vcpu) { return isa_->why_refused(index(vcpu)); }

    /// Stops the VM when one of its vCPUs does nothing but take traps; true when it did.
    bool find_stuck();
    void add_hashes(std::vector<ComponentHash>& hashes);
    /// The board has another engine.
    void move_to_new_engine() { isa_->move_to_new_engine(); }

private:
    /// The serial port's two ends: the VM's console.
    class SerialEnd final : public dev::ByteSink, public dev::ByteSource {
    public:
        explicit SerialEnd(vm::Console& console) : console_(console) {}
        void put(u8 byte) override { console_.put(byte); }
        [[nodiscard]] bool take(u8& byte) override { return console_.take(byte); }

    private:
        vm::Console& console_;
    };

    VmInstance(Board& board, Guest guest);
    std::expected<void, Error> build(vm::Vmm& vmm, const PlatformFile& platform,
                                     const std::function<hal::Vcpu&(hal::Vcpu&)>& decorate);
    std::expected<void, Error> add_memory();
    std::expected<void, Error> add_vcpus(const std::function<hal::Vcpu&(hal::Vcpu&)>& decorate);
    std::expected<void, Error> add_devices(vm::Vmm& vmm, const PlatformFile& platform);
    std::expected<void, Error> add_device(const config::EmulatedDeviceConfig& config, vm::Vmm& vmm, const PlatformFile& platform);
    std::expected<void, Error> attach(const std::string& label, const std::vector<DeviceWindow>& windows);
    std::expected<void, Error> load_images();
    [[nodiscard]] Error error(std::string what, std::string why, std::string hint = "") const;

    Board& board_;
    Guest guest_;
    mm::TableMemory tables_;
    std::unique_ptr<IsaVm> isa_;
    std::optional<mm::AddressSpace> memory_;
    bus::MmioBus bus_;
    bus::MmioBus ports_;
    std::unique_ptr<vm::Vm> vm_;
    std::optional<SerialEnd> serial_;
};

}  // namespace ax::sim
