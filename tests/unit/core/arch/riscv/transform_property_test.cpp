// htinst and the code at sepc are two accounts of one access; decoding either gives the same exit.
#include <gtest/gtest.h>

#include "core/arch/riscv/decode.hpp"
#include "core/arch/riscv/insn.hpp"
#include "tests/unit/core/arch/riscv/fake_guest.hpp"
#include "tests/unit/core/arch/riscv/random.hpp"
#include "tests/unit/core/arch/riscv/show.hpp"

namespace ax::riscv::testing {
namespace {

constexpr u64 pc = 0xffff'ffff'8000'1000;

/// What hardware puts into htinst for a 4-byte load or store: no immediate, `offset` in place of rs1.
u64 transform(u32 bits, u64 offset) {
    const u32 kept = (bits & 0x7f) == 0x03 ? 0x0000'7fff : 0x01f0'707f;
    return (bits & kept) | offset << 15;
}

/// The same for a compressed instruction, from its operands.
u64 transform_compressed(const MemoryInsn& insn, u64 offset) {
    const u64 funct3 = insn.size == 8 ? 3 : 2;
    const u64 operands = insn.kind == MemoryKind::Load ? 0x01 | u64{insn.data} << 7 : u64{0x21} | u64{insn.data} << 20;
    return operands | funct3 << 12 | offset << 15;
}

/// Compares both accounts for one access; `gpa` is where its first faulting byte lies.
::testing::AssertionResult agrees(u32 bits, u64 htinst, u64 offset, FakeGuest& guest, u64 gpa) {
    const MemoryInsn insn = decode_memory(bits);
    const u64 base = insn.base == 0 ? 0 : guest.x[insn.base];
    Trap trap;
    trap.scause = insn.kind == MemoryKind::Load ? 21 : 23;
    trap.stval = base + static_cast<u64>(insn.offset) + offset;
    gpa = (gpa & ~u64{0xfff}) | (trap.stval & 0xfff);
    trap.htval = gpa >> 2;
    trap.sepc = pc;

    guest.code.clear();
    guest.put(pc, bits);
    const Decoded fetched = decode(trap, guest);

    guest.code.clear();
    trap.htinst = htinst;
    const Decoded given = decode(trap, guest);

    if (show(fetched) != show(given)) {
        return ::testing::AssertionFailure() << hex(bits) << " offset " << offset << "\n  fetched: " << show(fetched)
                                             << "\n  htinst " << hex(htinst) << ": " << show(given);
    }
    if (std::holds_alternative<Handled>(given.exit)) return ::testing::AssertionFailure() << hex(bits) << " was not decoded";
    return ::testing::AssertionSuccess();
}

void randomise(FakeGuest& guest, Random& random) {
    for (u64& x : guest.x) x = random.next();
}

/// A random load or store of 4 bytes.
u32 random_full(Random& random) {
    const bool is_load = random.below(2) == 0;
    const u64 funct3 = random.below(is_load ? 7 : 4);
    const u64 rest = random.next() & 0xffff'8f80;
    return static_cast<u32>(rest | funct3 << 12 | (is_load ? 0x03u : 0x23u));
}

TEST(RiscvTransformProperty, full_length_instructions_decode_alike_from_htinst_and_from_code) {
    Random random(1);
    FakeGuest guest;
    for (unsigned i = 0; i < 50'000; ++i) {
        randomise(guest, random);
        const u32 bits = random_full(random);
        const u64 offset = random.below(decode_memory(bits).size);
        ASSERT_TRUE(agrees(bits, transform(bits, offset), offset, guest, random.below(u64{1} << 41)));
    }
}

TEST(RiscvTransformProperty, every_compressed_instruction_decodes_alike_from_htinst_and_from_code) {
    Random random(2);
    FakeGuest guest;
    unsigned seen = 0;
    for (u32 bits = 0; bits < 0x1'0000; ++bits) {
        if ((bits & 3) == 3) continue;
        const MemoryInsn insn = decode_memory(bits);
        if (insn.kind != MemoryKind::Load && insn.kind != MemoryKind::Store) continue;
        randomise(guest, random);
        const u64 offset = random.below(4) == 0 ? random.below(insn.size) : 0;
        ASSERT_TRUE(agrees(bits, transform_compressed(insn, offset), offset, guest, random.below(u64{1} << 41)));
        ++seen;
    }
    // Four forms of 11 free bits, four of 11 with the loads lacking x0.
    EXPECT_EQ(seen, 4u * 2048 + 2u * 2048 + 2u * 31 * 64);
}

}  // namespace
}  // namespace ax::riscv::testing
