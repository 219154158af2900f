// Exits of events: which interrupts and exceptions leave the guest, windows, signals, and what stops a delivery.
#pragma once

#include "sim/trap/x86/delivery.hpp"
#include "sim/trap/x86/exit.hpp"

namespace ax::sim::x86 {

/// The exit that an event causes by itself: exceptions by the bitmap and, for #PF, mask and match; NMIs and external
/// interrupts by the pin-based controls. INT n never does. Source: Intel SDM vol. 3, "Other Causes of VM Exits".
[[nodiscard]] std::optional<Exit> event_exit(const ax::x86::Vmcs& vmcs, const Event& event);

/// Brings an event to its end: the exit that it causes by itself, its delivery, or the exit that stops its delivery, with
/// what was being delivered. Exceptions on the way combine; a triple fault is an exit.
[[nodiscard]] std::optional<Exit> raise(CpuState& cpu, SystemMemory& memory, const ax::x86::Vmcs& vmcs, const Event& event);
/// The same for an event that the VM entry injects, which causes no exit by itself: "Event Injection".
[[nodiscard]] std::optional<Exit> inject(CpuState& cpu, SystemMemory& memory, const ax::x86::Vmcs& vmcs, const Event& event);

/// The exit before the next instruction that a window control asks for: "NMI-window exiting" before "interrupt-window
/// exiting".
[[nodiscard]] std::optional<Exit> window_exit(const ax::x86::Vmcs& vmcs, const CpuState& cpu);
/// The guest would take an external interrupt, or an NMI, before its next instruction.
[[nodiscard]] bool may_take_interrupt(const CpuState& cpu);
[[nodiscard]] bool may_take_nmi(const CpuState& cpu);

/// INIT leaves every activity state but wait-for-SIPI, in which it is held back.
[[nodiscard]] std::optional<Exit> init_exit(const CpuState& cpu);
/// A start-up IPI exits in wait-for-SIPI, with its vector, and is lost elsewhere.
[[nodiscard]] std::optional<Exit> startup_exit(const CpuState& cpu, u8 vector);

/// The exit of an access that EPT refused.
[[nodiscard]] Exit ept_exit(const MemoryFault& fault);
/// "Exit Qualification for Task Switches": where the switch comes from.
enum class TaskSwitchSource : u8 { Call = 0, Iret = 1, Jmp = 2, Gate = 3 };
[[nodiscard]] Exit task_switch_exit(u16 selector, TaskSwitchSource source, u8 instruction_length);

}  // namespace ax::sim::x86
