// The table of instructions that may access devices. Source: Intel SDM vol. 2, appendix "Opcode Map".
#pragma once

#include "core/arch/x86/insn.hpp"

namespace ax::x86 {

/// Where the operands are.
enum class Form : u8 {
    MemReg,    ///< r/m, r
    RegMem,    ///< r, r/m
    MemImm,    ///< r/m, immediate of the operand's size, of 4 bytes at most
    MemImm8,   ///< r/m, sign-extended byte
    Mem,       ///< r/m
    AccMoffs,  ///< AL or rAX, memory at an immediate address
    MoffsAcc,
    String,
};

/// One opcode, or one with an opcode extension.
struct InsnRow {
    u16 opcode = 0;  ///< 0x0fxx: of two bytes
    i32 extension = -1;
    Operation operation = Operation::Mov;
    Form form = Form::MemReg;
    u8 memory_bytes = 0;  ///< 0: the operand size
    bool may_lock = false;
};

inline constexpr u16 two_byte = 0x0f00;

// clang-format off
inline constexpr auto insn_rows = std::to_array<InsnRow>({
    {0x63, -1, Operation::MovSx, Form::RegMem, 4},  // MOVSXD; in 64-bit code only
    {0x84, -1, Operation::Test, Form::MemReg, 1},
    {0x85, -1, Operation::Test, Form::MemReg},
    {0x86, -1, Operation::Xchg, Form::MemReg, 1, true},
    {0x87, -1, Operation::Xchg, Form::MemReg, 0, true},
    {0x88, -1, Operation::Mov, Form::MemReg, 1},
    {0x89, -1, Operation::Mov, Form::MemReg},
    {0x8a, -1, Operation::Mov, Form::RegMem, 1},
    {0x8b, -1, Operation::Mov, Form::RegMem},
    {0xa0, -1, Operation::Mov, Form::AccMoffs, 1},
    {0xa1, -1, Operation::Mov, Form::AccMoffs},
    {0xa2, -1, Operation::Mov, Form::MoffsAcc, 1},
    {0xa3, -1, Operation::Mov, Form::MoffsAcc},
    {0xa4, -1, Operation::Movs, Form::String, 1},
    {0xa5, -1, Operation::Movs, Form::String},
    {0xaa, -1, Operation::Stos, Form::String, 1},
    {0xab, -1, Operation::Stos, Form::String},
    {0xac, -1, Operation::Lods, Form::String, 1},
    {0xad, -1, Operation::Lods, Form::String},
    {0xc6, 0, Operation::Mov, Form::MemImm, 1},
    {0xc7, 0, Operation::Mov, Form::MemImm},
    {0xf6, 0, Operation::Test, Form::MemImm, 1},
    {0xf7, 0, Operation::Test, Form::MemImm},
    {0xf6, 1, Operation::Test, Form::MemImm, 1},
    {0xf7, 1, Operation::Test, Form::MemImm},
    {0xf6, 2, Operation::Not, Form::Mem, 1, true},
    {0xf7, 2, Operation::Not, Form::Mem, 0, true},
    {0xf6, 3, Operation::Neg, Form::Mem, 1, true},
    {0xf7, 3, Operation::Neg, Form::Mem, 0, true},
    {0xfe, 0, Operation::Inc, Form::Mem, 1, true},
    {0xff, 0, Operation::Inc, Form::Mem, 0, true},
    {0xfe, 1, Operation::Dec, Form::Mem, 1, true},
    {0xff, 1, Operation::Dec, Form::Mem, 0, true},
    {two_byte | 0xa3, -1, Operation::Bt, Form::MemReg},
    {two_byte | 0xab, -1, Operation::Bts, Form::MemReg, 0, true},
    {two_byte | 0xb3, -1, Operation::Btr, Form::MemReg, 0, true},
    {two_byte | 0xbb, -1, Operation::Btc, Form::MemReg, 0, true},
    {two_byte | 0xba, 4, Operation::Bt, Form::MemImm8},
    {two_byte | 0xba, 5, Operation::Bts, Form::MemImm8, 0, true},
    {two_byte | 0xba, 6, Operation::Btr, Form::MemImm8, 0, true},
    {two_byte | 0xba, 7, Operation::Btc, Form::MemImm8, 0, true},
    {two_byte | 0xb0, -1, Operation::CmpXchg, Form::MemReg, 1, true},
    {two_byte | 0xb1, -1, Operation::CmpXchg, Form::MemReg, 0, true},
    {two_byte | 0xb6, -1, Operation::MovZx, Form::RegMem, 1},
    {two_byte | 0xb7, -1, Operation::MovZx, Form::RegMem, 2},
    {two_byte | 0xbe, -1, Operation::MovSx, Form::RegMem, 1},
    {two_byte | 0xbf, -1, Operation::MovSx, Form::RegMem, 2},
    {two_byte | 0xc0, -1, Operation::XAdd, Form::MemReg, 1, true},
    {two_byte | 0xc1, -1, Operation::XAdd, Form::MemReg, 0, true},
});
// clang-format on

/// ADD to CMP share one shape: opcodes 8 * n + 0 to 3, and 80, 81, 83 with extension n.
[[nodiscard]] constexpr std::optional<InsnRow> find_arithmetic(u16 opcode, i32 extension) {
    using Kind = Bits<2, 0>;
    using Number = Bits<5, 3>;
    constexpr u16 first_immediate = 0x80, last_immediate = 0x83, same_as_first = 0x82, end_of_plain = 0x40;
    const bool is_immediate = opcode >= first_immediate && opcode <= last_immediate && opcode != same_as_first;
    const bool is_plain = opcode < end_of_plain && Kind::get(opcode) < 4;
    if (!is_immediate && !is_plain) return std::nullopt;

    InsnRow row;
    row.opcode = opcode;
    const bool is_byte = opcode == first_immediate || (is_plain && (opcode & 1) == 0);
    row.memory_bytes = is_byte ? 1 : 0;
    row.operation = static_cast<Operation>(is_immediate ? static_cast<u64>(extension) : Number::get(opcode));
    if (is_plain) row.form = Kind::get(opcode) < 2 ? Form::MemReg : Form::RegMem;
    if (is_immediate) row.form = opcode == last_immediate ? Form::MemImm8 : Form::MemImm;
    row.may_lock = row.operation != Operation::Cmp && row.form != Form::RegMem;
    return row;
}

/// The row of an opcode; `extension` is the reg field of its ModR/M byte.
[[nodiscard]] constexpr std::optional<InsnRow> find_insn(u16 opcode, i32 extension) {
    if (const auto row = find_arithmetic(opcode, extension)) return row;
    for (const InsnRow& row : insn_rows)
        if (row.opcode == opcode && (row.extension < 0 || row.extension == extension)) return row;
    return std::nullopt;
}
static_assert(find_insn(0x83, 7)->operation == Operation::Cmp && find_insn(0x21, 0)->operation == Operation::And);
static_assert(!find_insn(0x82, 0) && !find_insn(0x04, 0) && !find_insn(0xf7, 4));

/// True for opcodes without a ModR/M byte.
[[nodiscard]] constexpr bool has_modrm(Form form) {
    return form != Form::AccMoffs && form != Form::MoffsAcc && form != Form::String;
}

}  // namespace ax::x86
