// One VM of a simulated machine: the core's Vm and everything that it is built from.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "core/backend/riscv/vcpu.hpp"
#include "core/backend/riscv/vm.hpp"
#include "core/vm/vmm.hpp"
#include "devices/irqchip/vplic.hpp"
#include "devices/rtc/goldfish.hpp"
#include "devices/uart/ns16550.hpp"
#include "sim/base/error.hpp"
#include "sim/config/guest.hpp"
#include "sim/machine/board.hpp"
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
    [[nodiscard]] RiscvCpu& cpu(std::size_t vcpu) { return *cpus_[vcpu]; }
    [[nodiscard]] bus::MmioBus& bus() { return bus_; }
    /// Bytes of guest memory as the guest's own instruction fetch would see them; for disassembly.
    [[nodiscard]] std::optional<u32> code_at(VcpuId vcpu, Gva pc);

    /// Stops the VM when one of its vCPUs does nothing but take traps; true when it did.
    bool find_stuck();
    void add_hashes(std::vector<ComponentHash>& hashes);
    void move_to(RiscvEngine& engine);

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
    std::expected<void, Error> add_vcpus(const PlatformFile& platform, const std::function<hal::Vcpu&(hal::Vcpu&)>& decorate);
    std::expected<void, Error> add_devices(vm::Vmm& vmm, const PlatformFile& platform);
    std::expected<void, Error> add_device(const config::EmulatedDeviceConfig& config, vm::Vmm& vmm, const PlatformFile& platform);
    std::expected<void, Error> load_images();
    [[nodiscard]] Error error(std::string what, std::string why, std::string hint = "") const;

    Board& board_;
    Guest guest_;
    mm::TableMemory tables_;
    std::vector<std::unique_ptr<RiscvCpu>> cpus_;  ///< outlive the tables, whose changes fence them
    std::optional<ax::riscv::Vm> stage2_;
    std::optional<mm::AddressSpace> memory_;
    bus::MmioBus bus_;
    std::vector<std::unique_ptr<ax::riscv::Vcpu>> vcpus_;
    std::unique_ptr<vm::Vm> vm_;
    std::optional<SerialEnd> serial_;
    std::unique_ptr<dev::Vplic> plic_;
    std::unique_ptr<dev::Ns16550> uart_;
    std::unique_ptr<dev::Goldfish> rtc_;
};

}  // namespace ax::sim
