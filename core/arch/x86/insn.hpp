// Instructions that access devices in memory: a table, and the parser of prefixes, ModR/M, SIB, displacement, immediate.
// Source: Intel SDM vol. 2, "Instruction Format", and the instruction's page.
#pragma once

#include <expected>
#include <optional>
#include <span>

#include "core/arch/x86/regs.hpp"
#include "core/base/optional_field.hpp"

namespace ax::x86 {

enum class Operation : u8 {
    Add,  // the first eight in the order of their encoding
    Or,
    Adc,
    Sbb,
    And,
    Sub,
    Xor,
    Cmp,
    Mov,
    MovZx,
    MovSx,
    Movs,
    Stos,
    Lods,
    Test,
    Xchg,
    CmpXchg,
    XAdd,
    Inc,
    Dec,
    Not,
    Neg,
    Bt,
    Bts,
    Btr,
    Btc,
};

/// The address of a memory operand as the instruction encodes it.
struct MemoryOperand {
    SegmentReg segment = SegmentReg::DS;
    std::optional<Gpr> base{};
    std::optional<Gpr> index{};
    u8 scale = 0;  ///< the index is shifted left by it
    bool is_rip_relative = false;
    u64 displacement = 0;  ///< sign-extended

    constexpr bool operator==(const MemoryOperand&) const = default;
    void fields(FieldVisitor& v) {
        field(v, "segment", segment);
        field(v, "base", base);
        field(v, "index", index);
        field(v, "scale", scale);
        field(v, "is_rip_relative", is_rip_relative);
        field(v, "displacement", displacement);
    }
};

/// A general register as an operand: AH, CH, DH, BH are bits 15:8 of the first four.
struct RegisterOperand {
    Gpr reg = Gpr::RAX;
    bool is_high_byte = false;

    constexpr bool operator==(const RegisterOperand&) const = default;
    void fields(FieldVisitor& v) {
        field(v, "reg", reg);
        field(v, "is_high_byte", is_high_byte);
    }
};

/// One instruction with a memory operand. The other operand is a register, an immediate, or implied by the operation.
struct Insn {
    Operation operation = Operation::Mov;
    u8 length = 0;         ///< bytes, 1 to 15
    u8 size = 4;           ///< bytes of the memory operand
    u8 register_size = 4;  ///< bytes of the register operand; differs for MOVZX and MOVSX
    u8 address_size = 8;   ///< 2, 4, 8
    bool is_load = false;  ///< the register is the destination
    bool is_repeated = false;
    bool is_locked = false;
    std::optional<RegisterOperand> reg{};
    std::optional<u64> immediate{};  ///< sign-extended
    MemoryOperand memory{};          ///< MOVS: the source; the destination of MOVS and STOS is ES:rDI

    constexpr bool operator==(const Insn&) const = default;
    void fields(FieldVisitor& v) {
        field(v, "operation", operation);
        field(v, "length", length);
        field(v, "size", size);
        field(v, "register_size", register_size);
        field(v, "address_size", address_size);
        field(v, "is_load", is_load);
        field(v, "is_repeated", is_repeated);
        field(v, "is_locked", is_locked);
        field(v, "reg", reg);
        field(v, "immediate", immediate);
        field(v, "memory", memory);
    }
};

enum class InsnError : u8 {
    Truncated,    ///< more bytes are needed
    TooLong,      ///< beyond 15 bytes: #GP on hardware
    Unsupported,  ///< not in the table, or no memory operand
    Undefined,    ///< LOCK where it may not be: #UD on hardware
};

inline constexpr std::size_t max_insn_bytes = 15;

/// Parses the instruction at the start of `bytes`, of which at most 15 are looked at.
[[nodiscard]] std::expected<Insn, InsnError> decode_insn(std::span<const u8> bytes, CodeSize code);

/// True for string instructions, whose addresses are in rSI and rDI.
[[nodiscard]] constexpr bool is_string(Operation op) {
    return op == Operation::Movs || op == Operation::Stos || op == Operation::Lods;
}
/// True when the operation reads its memory operand (the source of MOVS).
[[nodiscard]] bool reads_memory(const Insn& insn);
/// True when it writes memory, for some values at least.
[[nodiscard]] bool writes_memory(const Insn& insn);

}  // namespace ax::x86
