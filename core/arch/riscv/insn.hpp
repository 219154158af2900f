// Which bytes of memory an instruction reads or writes: the part of the instruction set that
// completing a trapped access needs.
#pragma once

#include <optional>

#include "core/base/types.hpp"

namespace ax::riscv {

enum class MemoryKind : u8 {
    None,   ///< a known instruction that makes no data access
    Load,   ///< LB to LD and LBU to LWU, compressed forms included; to an integer register
    Store,  ///< SB to SD, compressed forms included; from an integer register
    Other,  ///< makes or may make a data access that is not completed by emulation: LR, SC, AMO, floating point,
            ///< HLV, HSV, CBO, reserved and custom encodings
};

/// A load or store as far as its encoding tells. For `None` and `Other` only `length` is meaningful.
struct MemoryInsn {
    MemoryKind kind = MemoryKind::None;
    u8 size = 0;             ///< bytes accessed: 1, 2, 4 or 8
    bool is_signed = false;  ///< Load: sign-extended to 64 bits
    u8 data = 0;             ///< rd of a load, rs2 of a store
    u8 base = 0;             ///< rs1
    i64 offset = 0;          ///< added to rs1
    u8 length = 4;           ///< bytes of the instruction: 2 or 4
    bool operator==(const MemoryInsn&) const = default;
};

/// Decodes RV64IC ("RV32I, Load and Store Instructions"; "C, Load and Store Instructions"). Of a
/// compressed instruction only the low 16 bits count.
[[nodiscard]] MemoryInsn decode_memory(u32 bits);

/// A load or store as htinst describes it.
struct TransformedInsn {
    MemoryInsn insn;         ///< `base` and `offset` are zero: the transformation drops them
    u64 address_offset = 0;  ///< faulting address minus the address of the access; nonzero only when misaligned
};

/// Decodes a nonzero htinst by "Transformed Instruction or Pseudoinstruction for mtinst or htinst".
/// Nothing when it is a pseudoinstruction or no standard transformation, hence tells nothing.
[[nodiscard]] std::optional<TransformedInsn> decode_transformed(u64 htinst);

/// Bytes of the instruction whose low 16 bits are `low`: 2 or 4 ("Expanded Instruction-Length Encoding").
[[nodiscard]] u8 insn_length(u16 low);

}  // namespace ax::riscv
