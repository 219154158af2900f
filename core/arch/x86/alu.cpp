// Arithmetic of the device instructions.
#include "core/arch/x86/alu.hpp"

namespace ax::x86 {

namespace {

/// A result with its flags; `changed` says which flags are replaced.
struct Result {
    u64 value = 0;
    u64 flags = 0;
    u64 changed = Rflags::status;
};

constexpr u64 sign_of(u64 value, unsigned size) { return (value >> (8 * size - 1)) & 1; }

/// SF, ZF and PF follow from the result alone; PF from its low byte.
u64 result_flags(u64 value, unsigned size) {
    u64 parity = value;
    for (const unsigned half : {4u, 2u, 1u}) parity ^= parity >> half;
    const bool is_even = (parity & 1) == 0;
    return Rflags::SF::of(sign_of(value, size)) | Rflags::ZF::of(value == 0) | Rflags::PF::of(is_even);
}

/// The carry out of each bit of `a + b + carry` is where two of three are set; a borrow likewise with `a` inverted.
Result with_carries(u64 value, u64 carries, u64 operands_overflow, unsigned size) {
    using Nibble = Bits<3>;
    return {value, result_flags(value, size) | Rflags::CF::of(sign_of(carries, size)) | Rflags::AF::of(Nibble::get(carries)) |
                       Rflags::OF::of(sign_of(operands_overflow, size))};
}

Result add(u64 a, u64 b, u64 carry, unsigned size) {
    const u64 sum = zero_extend(a + b + carry, size);
    const u64 carries = (a & b) | ((a | b) & ~sum);
    return with_carries(sum, carries, (a ^ sum) & (b ^ sum), size);
}

Result subtract(u64 a, u64 b, u64 borrow, unsigned size) {
    const u64 difference = zero_extend(a - b - borrow, size);
    const u64 borrows = (~a & b) | ((~a | b) & difference);
    return with_carries(difference, borrows, (a ^ b) & (a ^ difference), size);
}

Result logic(u64 value, unsigned size) { return {value, result_flags(value, size)}; }

/// INC and DEC leave CF.
Result keep_carry(Result result) {
    result.changed &= ~Rflags::CF::mask;
    return result;
}

Result bit_operation(Operation op, u64 a, u64 number, unsigned size) {
    const u64 selected = bit(static_cast<unsigned>(number % (8 * size)));
    Result result{a, Rflags::CF::of((a & selected) != 0), Rflags::CF::mask};
    if (op == Operation::Bts) result.value |= selected;
    if (op == Operation::Btr) result.value &= ~selected;
    if (op == Operation::Btc) result.value ^= selected;
    return result;
}

/// Operations of two values, and of one with `b` ignored. Moves give `b`.
Result compute(Operation op, u64 a, u64 b, u64 rflags, unsigned size) {
    const u64 carry = Rflags::CF::get(rflags);
    switch (op) {
        case Operation::Add:
        case Operation::XAdd: return add(a, b, 0, size);
        case Operation::Adc: return add(a, b, carry, size);
        case Operation::Sub:
        case Operation::Cmp: return subtract(a, b, 0, size);
        case Operation::Sbb: return subtract(a, b, carry, size);
        case Operation::And:
        case Operation::Test: return logic(a & b, size);
        case Operation::Or: return logic(a | b, size);
        case Operation::Xor: return logic(a ^ b, size);
        case Operation::Inc: return keep_carry(add(a, 1, 0, size));
        case Operation::Dec: return keep_carry(subtract(a, 1, 0, size));
        case Operation::Neg: return subtract(0, a, 0, size);
        case Operation::Not: return {zero_extend(~a, size), 0, 0};
        case Operation::Bt:
        case Operation::Bts:
        case Operation::Btr:
        case Operation::Btc: return bit_operation(op, a, b, size);
        case Operation::CmpXchg:
        case Operation::Mov:
        case Operation::MovZx:
        case Operation::MovSx:
        case Operation::Movs:
        case Operation::Stos:
        case Operation::Lods:
        case Operation::Xchg: break;
    }
    return {b, 0, 0};
}

u64 merged(u64 rflags, const Result& result) { return (rflags & ~result.changed) | (result.flags & result.changed); }

Outcome execute_cmpxchg(const Insn& insn, u64 memory, u64 replacement, const Operands& o) {
    const u64 expected = zero_extend(o.accumulator, insn.size);
    Outcome outcome;
    outcome.rflags = merged(o.rflags, subtract(expected, memory, 0, insn.size));
    const bool is_equal = expected == memory;
    outcome.memory = is_equal ? replacement : memory;  // the bus sees a write in both cases
    if (!is_equal) outcome.accumulator = memory;
    return outcome;
}

/// MOV, MOVZX, MOVSX and LODS into a register.
Outcome execute_load(const Insn& insn, u64 memory, u64 rflags) {
    Outcome outcome;
    outcome.rflags = rflags;
    outcome.reg = insn.operation == Operation::MovSx ? zero_extend(sign_extend(memory, insn.size), insn.register_size) : memory;
    return outcome;
}

bool is_plain_load(const Insn& insn) {
    return insn.operation == Operation::MovZx || insn.operation == Operation::MovSx || insn.operation == Operation::Lods ||
           (insn.operation == Operation::Mov && insn.is_load);
}

}  // namespace

Outcome execute(const Insn& insn, const Operands& o) {
    const u64 memory = zero_extend(o.memory, insn.size);
    const u64 other = zero_extend(o.other, insn.size);
    if (is_plain_load(insn)) return execute_load(insn, memory, o.rflags);
    if (insn.operation == Operation::CmpXchg) return execute_cmpxchg(insn, memory, other, o);
    if (insn.operation == Operation::Movs) return {.memory = memory, .rflags = o.rflags};

    const Result result = insn.is_load ? compute(insn.operation, other, memory, o.rflags, insn.size)
                                       : compute(insn.operation, memory, other, o.rflags, insn.size);
    Outcome outcome;
    outcome.rflags = merged(o.rflags, result);
    if (writes_memory(insn)) outcome.memory = result.value;
    if (insn.is_load && insn.operation != Operation::Cmp) outcome.reg = result.value;
    if (insn.operation == Operation::Xchg || insn.operation == Operation::XAdd) outcome.reg = memory;
    return outcome;
}

}  // namespace ax::x86
