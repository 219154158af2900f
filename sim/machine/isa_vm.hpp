// The half of a VM that depends on its instruction set: vCPUs, second-stage tables, and the devices
// that a board of that instruction set has. One class per instruction set behind this face.
#pragma once

#include <expected>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/config/check_platform.hpp"
#include "core/config/vm_config.hpp"
#include "core/hal/vm.hpp"
#include "core/mm/table_pool.hpp"
#include "core/vm/vmm.hpp"
#include "devices/uart/byte_stream.hpp"
#include "sim/config/guest.hpp"
#include "sim/machine/board.hpp"

namespace ax::sim {

/// What a VM's instruction-set half is built from; everything outlives it.
struct IsaVmParts {
    Board& board;
    const PlatformFile& platform;
    mm::TableMemory& tables;
    const config::AxVMConfig& config;
    const Guest& guest;  ///< x86: how the images ask to be started
};

/// What an emulated device is connected to.
struct DeviceSurroundings {
    vm::Vm& vm;
    timer::TimerQueue& timers;
    dev::ByteSink& sink;
    dev::ByteSource& source;
};

/// A built device's place on the bus.
struct DeviceWindow {
    GpaRange range;  ///< port numbers when it is a port
    bus::Device* device = nullptr;
    bool is_port = false;
};

/// A vCPU that will never make progress again.
struct StuckVcpu {
    Gva pc;
    u64 cause = 0;
    u64 detail = 0;
};

class IsaVm {
public:
    virtual ~IsaVm() = default;

    [[nodiscard]] virtual hal::Vm& stage2() = 0;
    /// Adds the next vCPU, which its guest knows as `cpu_number`; null when there are 64.
    [[nodiscard]] virtual hal::Vcpu* add_vcpu(u64 cpu_number) = 0;
    /// What every VM of the instruction set has, whatever its configuration lists. After all vCPUs.
    [[nodiscard]] virtual std::expected<std::vector<DeviceWindow>, std::string> add_board_devices(const DeviceSurroundings& /*around*/) {
        return std::vector<DeviceWindow>{};
    }
    /// Builds one emulated device of the configuration. Interrupt controllers come first, and after all
    /// vCPUs. The error says why not; an empty one is for a type that this instruction set has not.
    [[nodiscard]] virtual std::expected<std::vector<DeviceWindow>, std::string> add_device(const config::EmulatedDeviceConfig& config,
                                                                                           const DeviceSurroundings& around) = 0;
    /// Console input waits.
    virtual void pump_console() = 0;
    /// Bytes of guest memory as the guest's own instruction fetch would see them; for disassembly.
    [[nodiscard]] virtual std::optional<u32> code_at(std::size_t vcpu, Gva pc) = 0;
    [[nodiscard]] virtual std::optional<StuckVcpu> find_stuck(std::size_t vcpu) = 0;
    /// What the CPU found wrong with the last entry, in words with the manual's section; empty when it was not refused, or does not say.
    [[nodiscard]] virtual std::string why_refused(std::size_t /*vcpu*/) { return {}; }
    /// False when all memory must be mapped before a vCPU first runs.
    [[nodiscard]] virtual bool can_populate_late() const { return true; }
    /// The board has another engine.
    virtual void move_to_new_engine() = 0;
};

/// The half for the platform's architecture; the error says what is missing.
[[nodiscard]] std::expected<std::unique_ptr<IsaVm>, std::string> make_isa_vm(const IsaVmParts& parts);

}  // namespace ax::sim
