// What the simulator writes to htinst, read by the core's own decoder: written apart, they must meet.
#include "sim/trap/riscv/instruction.hpp"

#include <gtest/gtest.h>

#include "core/arch/riscv/decode.hpp"
#include "tests/unit/core/arch/riscv/fake_guest.hpp"
#include "tests/unit/core/mm/random.hpp"

namespace ax::sim::riscv {
namespace {

using ax::riscv::testing::FakeGuest;
using mm::test::Random;

/// A random load or store that the core emulates: integer, 32-bit or compressed.
u32 random_access(Random& random) {
    const auto r = [&](u64 bound) { return static_cast<u32>(random.below(bound)); };
    switch (random.below(4)) {
        case 0: return r(1 << 12) << 20 | r(32) << 15 | r(7) << 12 | r(32) << 7 | 0x03;
        case 1: return r(128) << 25 | r(32) << 20 | r(32) << 15 | r(4) << 12 | r(32) << 7 | 0x23;
        case 2: {
            constexpr u32 funct3[] = {2, 3, 6, 7};
            return funct3[r(4)] << 13 | r(1 << 11) << 2;
        }
        default: {
            constexpr u32 funct3[] = {2, 3, 6, 7};
            const u32 f = funct3[r(4)];
            // C.LWSP and C.LDSP with rd = 0 are reserved.
            return f << 13 | r(2) << 12 | (1 + r(31)) << 7 | r(32) << 2 | 2;
        }
    }
}

TEST(SimInstruction, transformed_access_decodes_to_the_same_exit_as_the_code_itself) {
    Random random(5);
    for (int n = 0; n < 50'000; ++n) {
        const u32 bits = random_access(random);
        const auto decoded = decode_memory(bits);
        ASSERT_TRUE(decoded.has_value()) << std::hex << bits;
        FakeGuest guest;
        ax::riscv::Trap trap;
        trap.scause = decoded->op == MemoryOp::Load ? 21 : 23;
        trap.stval = (decoded->base == 0 ? 0 : guest.gpr(decoded->base)) + static_cast<u64>(decoded->offset);
        trap.htval = 0x1000'0000 >> 2;
        trap.hstatus = ax::riscv::Hstatus::SPV::mask | ax::riscv::Hstatus::SPVP::mask | ax::riscv::Hstatus::GVA::mask;
        trap.sepc = 0x4000;
        trap.htinst = transformed_htinst(*decoded, 0);
        const ax::riscv::Decoded with_htinst = ax::riscv::decode(trap, guest);
        EXPECT_EQ(guest.fetches, 0U);
        guest.put(trap.sepc, bits);
        trap.htinst = 0;
        const ax::riscv::Decoded fetched = ax::riscv::decode(trap, guest);
        ASSERT_EQ(with_htinst.exit.index(), fetched.exit.index()) << std::hex << bits;
        if (const auto* read = std::get_if<MmioRead>(&fetched.exit)) {
            ASSERT_EQ(std::get<MmioRead>(with_htinst.exit).gpa, read->gpa);
            ASSERT_EQ(std::get<MmioRead>(with_htinst.exit).size, read->size);
            ASSERT_EQ(read->size, decoded->size);
        } else if (const auto* write = std::get_if<MmioWrite>(&fetched.exit)) {
            ASSERT_EQ(std::get<MmioWrite>(with_htinst.exit).size, write->size);
            ASSERT_EQ(std::get<MmioWrite>(with_htinst.exit).value, write->value);
            ASSERT_EQ(write->size, decoded->size);
        } else {
            FAIL() << std::hex << bits << " is " << vm_exit_names[fetched.exit.index()];
        }
        ASSERT_EQ(with_htinst.completion.rd, fetched.completion.rd);
        ASSERT_EQ(with_htinst.completion.is_signed, fetched.completion.is_signed);
        ASSERT_EQ(with_htinst.completion.length, fetched.completion.length);
        ASSERT_EQ(decoded->length, fetched.completion.length);
    }
}

TEST(SimInstruction, knows_the_forms_that_access_memory) {
    struct Case {
        u32 bits;
        MemoryOp op;
        unsigned base;
        i64 offset;
        unsigned size;
    };
    const Case cases[] = {
        {0xff85'b507, MemoryOp::Load, 11, -8, 8},   // fld fa0, -8(a1)
        {0xfea5'ac27, MemoryOp::Store, 11, -8, 4},  // fsw fa0, -8(a1)
        {0x00b6'352f, MemoryOp::Amo, 12, 0, 8},     // amoadd.d a0, a1, (a2)
        {0x1006'252f, MemoryOp::Amo, 12, 0, 4},     // lr.w a0, (a2)
        {0x2000, MemoryOp::Load, 8, 0, 8},          // c.fld
        {0xa022, MemoryOp::Store, 2, 0, 8},         // c.fsdsp fs0, 0(sp)
        {0x45a2, MemoryOp::Load, 2, 8, 4},          // c.lwsp a1, 8(sp)
        {0xfc5c, MemoryOp::Store, 8, 184, 8},       // c.sd a5, 184(s0)
    };
    for (const Case& c : cases) {
        const auto m = decode_memory(c.bits);
        ASSERT_TRUE(m.has_value()) << std::hex << c.bits;
        EXPECT_EQ(m->op, c.op) << std::hex << c.bits;
        EXPECT_EQ(m->base, c.base) << std::hex << c.bits;
        EXPECT_EQ(m->offset, c.offset) << std::hex << c.bits;
        EXPECT_EQ(m->size, c.size) << std::hex << c.bits;
    }
    for (const u32 bits : {0x0000'0013U, 0x0000'0073U, 0x0001U, 0x8082U, 0x0000'100fU})
        EXPECT_FALSE(decode_memory(bits).has_value()) << std::hex << bits;
}

TEST(SimInstruction, address_offset_stands_in_rs1) {
    const auto m = decode_memory(0x0085'b503);  // ld a0, 8(a1)
    EXPECT_EQ(transformed_htinst(*m, 0), 0x3503U);
    EXPECT_EQ(transformed_htinst(*m, 5), 0x3503U | 5U << 15);
}

}  // namespace
}  // namespace ax::sim::riscv
