// What the simulated hart needs to know of an instruction that faulted: its address operand and its
// transformed form. Written apart from the decoder in core/arch, which reads what this leaves.
#pragma once

#include <optional>

#include "core/base/addr.hpp"
#include "sim/trap/riscv/hart_view.hpp"

namespace ax::sim::riscv {

enum class MemoryOp : u8 { Load, Store, Amo };

struct MemoryInstruction {
    MemoryOp op = MemoryOp::Load;
    bool is_load_reserved = false;
    unsigned base = 0;   ///< rs1
    i64 offset = 0;
    unsigned size = 0;   ///< bytes accessed
    unsigned length = 4; ///< bytes of the encoding
    /// The 32-bit form with rs1 and immediate cleared, as htinst holds it before "Addr. Offset" and bit 1
    /// are filled in; 0 where the manual defines no transformation.
    u32 transformed = 0;
};

/// `bits`: the instruction, its low half alone when compressed. Nothing for one that accesses no memory.
[[nodiscard]] std::optional<MemoryInstruction> decode_memory(u32 bits);

/// Bytes of the instruction that starts with this parcel (2 or 4).
[[nodiscard]] constexpr unsigned instruction_length(u64 first_parcel) { return (first_parcel & 3) == 3 ? 4 : 2; }

/// htinst for an explicit access of `instruction` whose fault is reported `address_offset` bytes
/// behind its first byte ("Transformed Instruction or Pseudoinstruction for mtinst or htinst").
[[nodiscard]] u64 transformed_htinst(const MemoryInstruction& instruction, u64 address_offset);

}  // namespace ax::sim::riscv
