// Registers, addresses and instruction pointer of a guest that stopped.
#pragma once

#include "core/arch/x86/trap.hpp"

namespace ax::x86 {

[[nodiscard]] CodeSize code_size(const Vmcs& vmcs);
/// Current privilege level: SS.DPL ("Guest Register State").
[[nodiscard]] unsigned privilege(const Vmcs& vmcs);

/// All 64 bits of a general register.
[[nodiscard]] u64 read_gpr(const Guest& guest, Gpr reg);
void write_gpr(Guest& guest, Gpr reg, u64 value);
/// The operand, zero-extended.
[[nodiscard]] u64 read_operand(const Guest& guest, const RegisterOperand& operand, unsigned size);
/// Vol. 1, "General-Purpose Registers in 64-Bit Mode": 4 bytes clear the upper half, fewer leave the rest.
void write_operand(Guest& guest, const RegisterOperand& operand, unsigned size, u64 value);

/// The offset of the memory operand in its segment. Vol. 1, "Specifying an Offset"; of bit strings the operand that has the
/// bit (vol. 2, BT).
[[nodiscard]] u64 effective_address(const Guest& guest, const Insn& insn);
/// Segment base and offset: vol. 3, "Logical Address Translation", and "Segmentation in IA-32e Mode".
[[nodiscard]] Gva linear_address(const Vmcs& vmcs, SegmentReg segment, u64 offset);
/// True when hardware would not fault for the segment's limit, for a null segment, or for an address that is not canonical.
[[nodiscard]] bool is_accessible(const Vmcs& vmcs, SegmentReg segment, u64 offset, unsigned size);

/// Goes on behind an instruction that was completed: RF and the shadow of STI and MOV SS end, TF is a pending single step.
void step_over(Vmcs& vmcs, unsigned length);

/// The code at the guest's instruction pointer.
[[nodiscard]] std::expected<Insn, InsnError> fetch_insn(Guest& guest);

}  // namespace ax::x86
