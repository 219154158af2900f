// A guest partition: its vCPUs, memory, devices and console, and what becomes of their exits.
#pragma once

#include <array>
#include <span>

#include "core/bus/mmio_bus.hpp"
#include "core/hal/vm.hpp"
#include "core/irq/deliveries.hpp"
#include "core/irq/irq_chip.hpp"
#include "core/mm/address_space.hpp"
#include "core/mm/guest_memory.hpp"
#include "core/vm/console.hpp"
#include "core/vm/vcpu_task.hpp"

namespace ax::vm {

inline constexpr std::size_t max_vcpus = 64;

enum class VmStatus : u8 { Loading, Loaded, Running, Stopped };

enum class StopReason : u8 { None, PoweredOff, ResetRequested, Failed };

/// Why a VM no longer runs.
struct VmStop {
    StopReason reason = StopReason::None;
    VcpuId vcpu{};
    Gva pc;
    const char* what = "";  ///< Failed: one sentence for the user
    u64 cause = 0;          ///< Failed: the numbers of the exit
    u64 detail = 0;
};

/// What a VM is made of; everything outlives it.
struct VmParts {
    VmId id{};
    hal::Host& host;
    timer::Alarms& alarms;
    mm::AddressSpace& memory;
    bus::MmioBus& bus;
    bus::MmioBus& ports;  ///< I/O port space: addresses are port numbers
    u64 timer_frequency_hz = 0;
};

/// What an exit asks of the scheduler besides its answer.
struct Dispatched {
    Answer answer;
    bool yields = false;      ///< the pCPU's slice ends: the vCPU waits, hints that it spins, or sent an IPI
    bool is_blocked = false;  ///< the vCPU waits or is off once the answer is given
};

class Vm final : public irq::CpuLines {
public:
    explicit Vm(const VmParts& parts);

    /// Adds the next vCPU; false when there are 64.
    [[nodiscard]] bool add_vcpu(hal::Vcpu& hal, u64 cpu_number, u64 affinity);
    /// Starts vCPU 0: `entry`, and the device tree's address in its argument register.
    void boot(Gpa entry, u64 argument);

    [[nodiscard]] VmId id() const { return parts_.id; }
    [[nodiscard]] VmStatus status() const { return status_; }
    [[nodiscard]] const VmStop& stop_state() const { return stop_; }
    [[nodiscard]] std::span<VcpuTask> vcpus() { return std::span(tasks_).first(count_); }
    [[nodiscard]] Console& console() { return console_; }
    [[nodiscard]] bus::MmioBus& bus() { return parts_.bus; }
    [[nodiscard]] bus::MmioBus& ports() { return parts_.ports; }
    [[nodiscard]] mm::AddressSpace& memory() { return parts_.memory; }

    /// Handles what `stop` of `task` asks for. The caller gives the answer to the HAL, then calls `settle`.
    [[nodiscard]] Dispatched dispatch(VcpuTask& task, const hal::RunStop& stop);
    /// What follows the answer: the vCPU blocks, stops or suspends.
    void settle(VcpuTask& task, const VmExit& exit, const Dispatched& done);
    /// Sets the alarm that the vCPU's own timers need, before it runs or while it waits.
    void follow_timers(VcpuTask& task);
    /// The interrupt controller that interrupts between vCPUs go through; without one they raise their input.
    void set_presenter(irq::Presenter& presenter) { presenter_ = &presenter; }
    // What local APICs do to other vCPUs of the VM.
    /// Off, whatever it does; nothing for one that is off.
    void stop_vcpu(VcpuId vcpu);
    /// Starts at `entry` one that is off; nothing for others.
    void start_vcpu(VcpuId vcpu, Gpa entry);
    /// Something came up that may end its wait.
    void wake(VcpuId vcpu);
    /// Ends the VM; its vCPUs do not run again.
    void stop(const VmStop& why);

    void set_external(VcpuId vcpu, bool level) override;

    void fields(FieldVisitor& v);

private:
    friend class ExitHandler;
    friend class PowerHandler;

    VmParts parts_;
    std::array<VcpuTask, max_vcpus> tasks_{};
    std::size_t count_ = 0;
    Console console_;
    VmStatus status_ = VmStatus::Loading;
    VmStop stop_;
    irq::Presenter* presenter_ = nullptr;
};

}  // namespace ax::vm
