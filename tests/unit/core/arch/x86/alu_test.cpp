// Results and flags of the device instructions, against an adder that works bit by bit.
#include "core/arch/x86/alu.hpp"

#include <gtest/gtest.h>

#include "tests/unit/core/arch/x86/random.hpp"

namespace ax::x86 {
namespace {

constexpr u64 CF = 0x1, PF = 0x4, AF = 0x10, ZF = 0x40, SF = 0x80, OF = 0x800;
constexpr unsigned sizes[] = {1, 2, 4, 8};

struct Expected {
    u64 value = 0;
    u64 flags = 0;
};

/// A ripple-carry adder; `invert` subtracts: a + ~b + !borrow, with the carries read as borrows.
/// SDM vol. 1, "EFLAGS Register": CF out of the top bit, AF out of bit 3, OF where the carries into and out of the top bit
/// differ.
Expected ripple(u64 a, u64 b, bool carry_in, bool invert, unsigned size) {
    Expected e;
    bool carry = invert ? !carry_in : carry_in;
    bool into_top = false;
    unsigned ones = 0;
    for (unsigned n = 0; n < 8 * size; ++n) {
        const bool x = (a >> n) & 1;
        const bool y = (((b >> n) & 1) != 0) != invert;
        if (n == 8 * size - 1) into_top = carry;
        const bool sum = x != y ? !carry : carry;
        carry = (x && y) || (carry && (x || y));
        if (n == 3 && carry != invert) e.flags |= AF;
        if (sum) e.value |= u64{1} << n;
        if (sum && n < 8) ++ones;
    }
    if (carry != invert) e.flags |= CF;
    if (carry != into_top) e.flags |= OF;
    if (ones % 2 == 0) e.flags |= PF;
    if (e.value == 0) e.flags |= ZF;
    if ((e.value >> (8 * size - 1)) & 1) e.flags |= SF;
    return e;
}

Expected logic(u64 value, unsigned size) {
    Expected e = ripple(value, 0, false, false, size);
    e.flags &= ~(CF | OF | AF);
    return e;
}

Insn insn_of(Operation op, unsigned size, bool is_load = false) {
    Insn insn;
    insn.operation = op;
    insn.size = insn.register_size = static_cast<u8>(size);
    insn.is_load = is_load;
    return insn;
}

struct TwoOperand {
    Operation op;
    Expected (*model)(u64 a, u64 b, bool carry, unsigned size);
};
constexpr TwoOperand two_operand[] = {
    {Operation::Add, [](u64 a, u64 b, bool, unsigned size) { return ripple(a, b, false, false, size); }},
    {Operation::Adc, [](u64 a, u64 b, bool carry, unsigned size) { return ripple(a, b, carry, false, size); }},
    {Operation::Sub, [](u64 a, u64 b, bool, unsigned size) { return ripple(a, b, false, true, size); }},
    {Operation::Sbb, [](u64 a, u64 b, bool carry, unsigned size) { return ripple(a, b, carry, true, size); }},
    {Operation::Cmp, [](u64 a, u64 b, bool, unsigned size) { return ripple(a, b, false, true, size); }},
    {Operation::And, [](u64 a, u64 b, bool, unsigned size) { return logic(a & b, size); }},
    {Operation::Or, [](u64 a, u64 b, bool, unsigned size) { return logic(a | b, size); }},
    {Operation::Xor, [](u64 a, u64 b, bool, unsigned size) { return logic(a ^ b, size); }},
    {Operation::Test, [](u64 a, u64 b, bool, unsigned size) { return logic(a & b, size); }},
};

void check_two_operand(const TwoOperand& t, u64 a, u64 b, bool carry, unsigned size) {
    const u64 before = 0x202 | (carry ? CF : 0);
    const Expected e = t.model(a, b, carry, size);
    const bool only_flags = t.op == Operation::Cmp || t.op == Operation::Test;
    // Memory is the first operand, then the second.
    const Outcome to_memory = execute(insn_of(t.op, size), {a, b, 0, before});
    ASSERT_EQ(to_memory.rflags, 0x202 | e.flags) << index(t.op) << " " << a << " " << b << " size " << size;
    const std::optional<u64> result = only_flags ? std::nullopt : std::optional(e.value);
    ASSERT_EQ(to_memory.memory, result);
    ASSERT_FALSE(to_memory.reg);
    if (t.op == Operation::Test) return;
    const Outcome to_register = execute(insn_of(t.op, size, true), {b, a, 0, before});
    ASSERT_EQ(to_register.rflags, 0x202 | e.flags);
    ASSERT_EQ(to_register.reg, result);
    ASSERT_FALSE(to_register.memory);
}

TEST(X86Alu, bytes_are_right_exhaustively) {
    for (const TwoOperand& t : two_operand)
        for (unsigned a = 0; a < 256; ++a)
            for (unsigned b = 0; b < 256; ++b)
                for (const bool carry : {false, true}) ASSERT_NO_FATAL_FAILURE(check_two_operand(t, a, b, carry, 1));
}

TEST(X86Alu, wider_operands_agree_with_the_adder) {
    testing::Random random(1);
    for (int round = 0; round < 4000; ++round)
        for (const unsigned size : sizes)
            for (const TwoOperand& t : two_operand) {
                const u64 a = zero_extend(random.interesting(), size);
                const u64 b = zero_extend(random.interesting(), size);
                ASSERT_NO_FATAL_FAILURE(check_two_operand(t, a, b, random.below(2) != 0, size));
            }
}

TEST(X86Alu, inc_and_dec_keep_carry_and_neg_borrows_from_zero) {
    testing::Random random(2);
    for (int round = 0; round < 4000; ++round)
        for (const unsigned size : sizes) {
            const u64 a = zero_extend(random.interesting(), size);
            const bool carry = random.below(2) != 0;
            const u64 before = 0x202 | (carry ? CF : 0);
            const u64 kept = carry ? CF : 0;
            const Expected inc = ripple(a, 1, false, false, size);
            const Expected dec = ripple(a, 1, false, true, size);
            const Expected neg = ripple(0, a, false, true, size);
            const Outcome i = execute(insn_of(Operation::Inc, size), {a, ~u64{0}, 0, before});
            const Outcome d = execute(insn_of(Operation::Dec, size), {a, ~u64{0}, 0, before});
            const Outcome n = execute(insn_of(Operation::Neg, size), {a, ~u64{0}, 0, before});
            ASSERT_EQ(i.memory, inc.value);
            ASSERT_EQ(i.rflags, 0x202 | kept | (inc.flags & ~CF));
            ASSERT_EQ(d.memory, dec.value);
            ASSERT_EQ(d.rflags, 0x202 | kept | (dec.flags & ~CF));
            ASSERT_EQ(n.memory, neg.value);
            ASSERT_EQ(n.rflags, 0x202 | neg.flags);
            ASSERT_EQ(Rflags::CF::get(n.rflags), a != 0);  // SDM vol. 2, NEG: CF is 0 for zero, else 1
            const Outcome inverted = execute(insn_of(Operation::Not, size), {a, 0, 0, before | ZF | OF});
            ASSERT_EQ(inverted.memory, zero_extend(~a, size));
            ASSERT_EQ(inverted.rflags, before | ZF | OF);
        }
}

TEST(X86Alu, bit_operations_change_carry_alone) {
    constexpr u64 others = 0x202 | ZF | OF | SF | AF | PF;
    for (const unsigned size : {2u, 4u, 8u})
        for (u64 n = 0; n < 3 * 8 * size; ++n)
            for (const u64 value : {u64{0}, zero_extend(~u64{0}, size), zero_extend(0x5555'5555'5555'5555, size)}) {
                const u64 selected = u64{1} << (n % (8 * size));
                const u64 carry = (value & selected) != 0 ? CF : 0;
                const auto run = [&](Operation op) { return execute(insn_of(op, size), {value, n, 0, others | (carry ^ CF)}); };
                const Outcome bt = run(Operation::Bt), bts = run(Operation::Bts), btr = run(Operation::Btr),
                              btc = run(Operation::Btc);
                EXPECT_FALSE(bt.memory);
                EXPECT_EQ(bts.memory, value | selected);
                EXPECT_EQ(btr.memory, value & ~selected);
                EXPECT_EQ(btc.memory, value ^ selected);
                for (const Outcome* o : {&bt, &bts, &btr, &btc}) EXPECT_EQ(o->rflags, others | carry);
            }
}

TEST(X86Alu, cmpxchg_writes_memory_either_way) {
    testing::Random random(3);
    for (int round = 0; round < 4000; ++round)
        for (const unsigned size : sizes) {
            const u64 memory = zero_extend(random.interesting(), size);
            const u64 accumulator = random.below(2) != 0 ? memory | ~zero_extend(~u64{0}, size) : random.interesting();
            const u64 reg = random.interesting();
            const Expected compared = ripple(zero_extend(accumulator, size), memory, false, true, size);
            const Outcome o = execute(insn_of(Operation::CmpXchg, size), {memory, reg, accumulator, 0x203});
            ASSERT_EQ(o.rflags, 0x202 | compared.flags);
            const bool is_equal = zero_extend(accumulator, size) == memory;
            ASSERT_EQ(o.memory, is_equal ? zero_extend(reg, size) : memory);
            ASSERT_EQ(o.accumulator, is_equal ? std::nullopt : std::optional(memory));
        }
}

TEST(X86Alu, moves_and_exchanges_leave_flags) {
    constexpr u64 flags = 0xad7;
    for (const unsigned size : sizes) {
        const u64 memory = zero_extend(0x8182'8384'8586'8788, size);
        const u64 reg = 0x1112'1314'1516'1718;
        const Outcome load = execute(insn_of(Operation::Mov, size, true), {memory, reg, 0, flags});
        EXPECT_EQ(load.reg, memory);
        EXPECT_FALSE(load.memory);
        const Outcome store = execute(insn_of(Operation::Mov, size), {memory, reg, 0, flags});
        EXPECT_EQ(store.memory, zero_extend(reg, size));
        EXPECT_FALSE(store.reg);
        const Outcome exchange = execute(insn_of(Operation::Xchg, size), {memory, reg, 0, flags});
        EXPECT_EQ(exchange.memory, zero_extend(reg, size));
        EXPECT_EQ(exchange.reg, memory);
        const Outcome copy = execute(insn_of(Operation::Movs, size), {memory, reg, 0, flags});
        EXPECT_EQ(copy.memory, memory);
        const Outcome fill = execute(insn_of(Operation::Stos, size), {0, reg, 0, flags});
        EXPECT_EQ(fill.memory, zero_extend(reg, size));
        const Outcome fetch = execute(insn_of(Operation::Lods, size, true), {memory, reg, 0, flags});
        EXPECT_EQ(fetch.reg, memory);
        for (const Outcome* o : {&load, &store, &exchange, &copy, &fill, &fetch}) EXPECT_EQ(o->rflags, flags);
        const Outcome xadd = execute(insn_of(Operation::XAdd, size), {memory, reg, 0, 0x202});
        EXPECT_EQ(xadd.memory, zero_extend(memory + reg, size));
        EXPECT_EQ(xadd.reg, memory);
        EXPECT_EQ(xadd.rflags, 0x202 | ripple(memory, zero_extend(reg, size), false, false, size).flags);
    }
}

TEST(X86Alu, widening_moves_fill_the_register) {
    struct Widening {
        Operation op;
        unsigned from, to;
        u64 memory, reg;
    };
    for (const Widening& w :
         {Widening{Operation::MovZx, 1, 4, 0x80, 0x80}, Widening{Operation::MovZx, 2, 8, 0xffff, 0xffff},
          Widening{Operation::MovSx, 1, 2, 0x80, 0xff80}, Widening{Operation::MovSx, 1, 4, 0x80, 0xffff'ff80},
          Widening{Operation::MovSx, 1, 8, 0x7f, 0x7f}, Widening{Operation::MovSx, 2, 8, 0x8000, 0xffff'ffff'ffff'8000},
          Widening{Operation::MovSx, 4, 8, 0x8000'0000, 0xffff'ffff'8000'0000}}) {
        Insn insn = insn_of(w.op, w.from, true);
        insn.register_size = static_cast<u8>(w.to);
        EXPECT_EQ(execute(insn, {w.memory, 0, 0, 0x202}).reg, w.reg);
    }
}

}  // namespace
}  // namespace ax::x86
