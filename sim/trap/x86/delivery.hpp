// Event delivery in software: through the vector table of real mode, the IDT of protected mode, and that of IA-32e mode
// with its stack tables. Not here: CET, FRED, and the interrupt redirection of virtual-8086 mode extensions.
#pragma once

#include <variant>

#include "sim/trap/x86/event.hpp"
#include "sim/trap/x86/system_memory.hpp"

namespace ax::sim::x86 {

/// The gate is a task gate: in VMX non-root operation the task switch is an exit.
struct TaskGate {
    u16 selector = 0;

    constexpr bool operator==(const TaskGate&) const = default;
};
/// Why an event was not delivered: an exception of the delivery itself, with its error code; an access that EPT refused; a
/// task gate.
using DeliveryStop = std::variant<Event, MemoryFault, TaskGate>;

/// Delivers one event. Registers change only when that goes to its end; the stack may have been written. The caller has
/// applied the payload. Afterwards the CPU is active, nothing of an STI or MOV SS shadow is left, and NMIs are blocked
/// after an NMI. Source: Intel SDM vol. 3, "Interrupt and Exception Handling", vol. 2, "INT n/INTO/INT3/INT1".
[[nodiscard]] std::expected<void, DeliveryStop> deliver(CpuState& cpu, SystemMemory& memory, const Event& event);

}  // namespace ax::sim::x86
