// Instructions that move data between registers, memory, devices and ports, one access after the other.
#pragma once

#include "core/arch/x86/trap.hpp"

namespace ax::x86 {

/// A port string gives the guest back its interrupts after so many elements.
inline constexpr u16 max_port_elements = 256;

/// Prepares an instruction that accessed memory that stage 2 refuses (GUEST_PHYSICAL_ADDRESS, GUEST_LINEAR_ADDRESS), and asks its
/// first question. None when the code does not make such an access any more: it must run again.
[[nodiscard]] std::optional<Question> begin_memory(Completion& completion, const Insn& insn, Guest& guest);

/// The same for IN, OUT, INS, OUTS from the exit's qualification. None for a string of no elements.
[[nodiscard]] std::optional<Question> begin_port(Completion& completion, Guest& guest);

/// False for a transfer that no decoding makes: of a saved state that somebody damaged.
[[nodiscard]] bool can_advance(const Completion& completion);

/// Goes on until a device must be asked, or the instruction is done: registers, flags and RIP then are what they must be, or
/// an exception waits. None when done.
[[nodiscard]] std::optional<Question> advance(Completion& completion, Guest& guest);

/// Gives the pending access its data and goes on. A read that nothing answers gives ones; a write that nobody takes is lost.
[[nodiscard]] std::optional<Question> advance_with(Completion& completion, u64 value, Guest& guest);

/// The pending access may find memory now. None, with nothing done, when the guest shall run the instruction again.
[[nodiscard]] std::optional<Question> advance_again(Completion& completion, Guest& guest);

}  // namespace ax::x86
