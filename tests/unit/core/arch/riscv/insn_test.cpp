#include "core/arch/riscv/insn.hpp"

#include <gtest/gtest.h>

#include "tests/unit/core/arch/riscv/known_insns.hpp"

namespace ax::riscv::testing {
namespace {

TEST(RiscvInsn, decodes_what_the_assembler_encodes) {
    for (const KnownInsn& known : known_insns) {
        const MemoryInsn insn = decode_memory(known.bits);
        EXPECT_EQ(insn.kind, known.insn.kind) << known.text;
        EXPECT_EQ(insn.size, known.insn.size) << known.text;
        EXPECT_EQ(insn.is_signed, known.insn.is_signed) << known.text;
        EXPECT_EQ(insn.data, known.insn.data) << known.text;
        EXPECT_EQ(insn.base, known.insn.base) << known.text;
        EXPECT_EQ(insn.offset, known.insn.offset) << known.text;
        EXPECT_EQ(insn.length, known.insn.length) << known.text;
    }
}

TEST(RiscvInsn, compressed_decoding_ignores_the_bytes_behind) {
    for (const KnownInsn& known : known_insns) {
        if (known.insn.length == 2) {
            EXPECT_EQ(decode_memory(known.bits | 0xabcd'0000), known.insn) << known.text;
        }
    }
}

TEST(RiscvInsn, reserved_encodings_are_possible_accesses) {
    struct Row {
        const char* what;
        u32 bits;
    };
    constexpr Row rows[] = {
        {"load with funct3 7", 0x0000'7003},
        {"store with funct3 4", 0x0000'4023},
        {"store with funct3 7", 0x0000'7023},
        {"c.lwsp to x0", 0x4002},
        {"c.ldsp to x0", 0x6002},
        {"quadrant 0, funct3 4 (Zcb)", 0x8000},
        {"custom-0", 0x0000'000b},
        {"custom-3", 0x0000'007b},
        {"vector load", 0x0205'0007},
        {"48-bit encoding", 0x0000'001f},
        {"64-bit encoding", 0x0000'003f},
    };
    for (const Row& row : rows) EXPECT_EQ(decode_memory(row.bits).kind, MemoryKind::Other) << row.what;
}

TEST(RiscvInsn, the_all_zero_illegal_instruction_makes_no_access) {
    EXPECT_EQ(decode_memory(0), (MemoryInsn{.kind = MemoryKind::None, .length = 2}));
}

TEST(RiscvInsn, every_compressed_encoding_has_a_legal_shape) {
    for (u32 bits = 0; bits < 0x1'0000; ++bits) {
        if ((bits & 3) == 3) continue;
        const MemoryInsn insn = decode_memory(bits);
        ASSERT_EQ(insn.length, 2) << std::hex << bits;
        if (insn.kind == MemoryKind::None || insn.kind == MemoryKind::Other) continue;
        ASSERT_TRUE(insn.size == 4 || insn.size == 8) << std::hex << bits;
        ASSERT_GE(insn.offset, 0) << std::hex << bits;
        ASSERT_EQ(insn.offset % insn.size, 0) << std::hex << bits;
        ASSERT_LT(insn.offset, insn.size * 64) << std::hex << bits;
    }
}

TEST(RiscvInsn, length_is_in_the_two_low_bits) {
    EXPECT_EQ(insn_length(0x0000), 2);
    EXPECT_EQ(insn_length(0x0001), 2);
    EXPECT_EQ(insn_length(0xfffe), 2);
    EXPECT_EQ(insn_length(0x0003), 4);
}

TEST(RiscvTransformedInsn, keeps_operands_and_tells_the_original_length) {
    const auto full = decode_transformed(0x0001'4503);  // lbu a0, at offset 2
    ASSERT_TRUE(full);
    EXPECT_EQ(full->insn, (MemoryInsn{MemoryKind::Load, 1, false, 10, 0, 0, 4}));
    EXPECT_EQ(full->address_offset, 2u);

    const auto compressed = decode_transformed(0x00a0'3021);  // c.sd a0, which is sd a0 with bit 1 clear
    ASSERT_TRUE(compressed);
    EXPECT_EQ(compressed->insn, (MemoryInsn{MemoryKind::Store, 8, false, 10, 0, 0, 2}));
    EXPECT_EQ(compressed->address_offset, 0u);
}

TEST(RiscvTransformedInsn, atomics_and_floating_point_are_other_accesses) {
    for (const u64 htinst : {u64{0x00c0'252f}, u64{0x1000'252f}, u64{0x0000'3507}, u64{0x00a0'3025}, u64{0x6a00'4073}}) {
        const auto t = decode_transformed(htinst);
        ASSERT_TRUE(t) << std::hex << htinst;
        EXPECT_EQ(t->insn.kind, MemoryKind::Other) << std::hex << htinst;
    }
}

TEST(RiscvTransformedInsn, what_no_transformation_makes_tells_nothing) {
    struct Row {
        const char* why;
        u64 htinst;
    };
    constexpr Row rows[] = {
        {"zero", 0},
        {"walk pseudoinstruction", 0x3000},
        {"bit 0 clear", 0x0000'2502},
        {"load with an immediate", 0x0010'2503},
        {"store with an immediate, high part", 0x02a0'2023},
        {"store with an immediate, low part", 0x00a0'20a3},
        {"no access: addi", 0x0000'0513},
        {"more than 32 bits", 0x1'0000'2503},
    };
    for (const Row& row : rows) EXPECT_FALSE(decode_transformed(row.htinst)) << row.why;
}

}  // namespace
}  // namespace ax::riscv::testing
