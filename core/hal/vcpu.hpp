// The HAL line for one vCPU: run to the next decoded exit, and answer it.
#pragma once

#include <optional>

#include "core/base/fields.hpp"
#include "core/exit/vm_exit.hpp"

namespace ax::hal {

/// Why `Vcpu::run` came back, and how far it got.
struct RunStop {
    VmExit exit;
    /// Guest instructions retired by this run, those that were emulated included.
    u64 instructions = 0;
};

class Vcpu {
public:
    /// Runs until an exit, or until about `budget` instructions are retired (`BudgetEnd`). The stop is
    /// at the first point at or past the budget where an interrupt could be taken.
    virtual RunStop run(u64 budget) = 0;
    /// Gives the exit that `run` returned its answer. Once per exit, before the next `run`.
    virtual void finish(const Answer& answer) = 0;
    /// Raises or lowers an interrupt input.
    virtual void inject(Event event) = 0;
    /// True when an interrupt is pending that the guest has enabled, so that a wait ends.
    [[nodiscard]] virtual bool has_wake_event() = 0;
    /// Architectural reset, then `boot`. Interrupt inputs keep their levels: they are driven from outside,
    /// and one of them may be what ended a suspension.
    virtual void reset(const BootState& boot) = 0;
    /// Drops cached translations (or instructions) of this vCPU before it next runs.
    virtual void flush(bool instruction) = 0;
    /// Guest time, in ticks, at which a timer of the vCPU itself will want attention that only the hypervisor can
    /// give: timers that it emulates, and while the vCPU waits those of the hardware too. None: the vCPU has
    /// no such timers and arms what it needs by `SetTimer`; `timer::never`: it has, and nothing is due.
    [[nodiscard]] virtual std::optional<u64> alarm_ticks(bool /*is_waiting*/) { return std::nullopt; }
    /// Address of the next instruction, for messages and traces.
    [[nodiscard]] virtual Gva pc() = 0;
    /// All architectural state, for hash, save, restore and dump.
    virtual void fields(FieldVisitor& v) = 0;

protected:
    ~Vcpu() = default;
};

}  // namespace ax::hal
