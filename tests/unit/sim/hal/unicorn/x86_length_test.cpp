// Lengths and kinds of x86 instructions, as blocks of code are counted: rows from the opcode map, and Capstone on random code.
#include <capstone/capstone.h>
#include <gtest/gtest.h>

#include "sim/hal/unicorn/x86_blocks.hpp"

namespace ax {
namespace {

using sim::X86Class;
using sim::X86Mode;

struct Row {
    X86Mode mode;
    std::vector<u8> code;
    X86Class kind = X86Class::Plain;
};

/// SDM vol. 2, appendix A, "Opcode Map", and "Instruction Format"; each row is one whole instruction.
const Row rows[] = {
    {X86Mode::Code64, {0x90}},
    {X86Mode::Code64, {0x48, 0xb8, 1, 2, 3, 4, 5, 6, 7, 8}},            // MOV RAX, imm64
    {X86Mode::Code32, {0xb8, 1, 2, 3, 4}},                              // MOV EAX, imm32
    {X86Mode::Code32, {0x66, 0xb8, 1, 2}},                              // MOV AX, imm16
    {X86Mode::Code16, {0x66, 0xb8, 1, 2, 3, 4}},                        // MOV EAX, imm32
    {X86Mode::Code64, {0xa1, 1, 2, 3, 4, 5, 6, 7, 8}},                  // MOV EAX, moffs64
    {X86Mode::Code64, {0x67, 0xa1, 1, 2, 3, 4}},                        // MOV EAX, moffs32
    {X86Mode::Code16, {0xa1, 1, 2}},                                    // MOV AX, moffs16
    {X86Mode::Code16, {0x8b, 0x46, 1}},                                 // MOV AX, [BP+disp8]
    {X86Mode::Code16, {0x8b, 0x06, 1, 2}},                              // MOV AX, [disp16]
    {X86Mode::Code64, {0x8b, 0x84, 0x25, 1, 2, 3, 4}},                  // MOV EAX, [RBP+disp32] by SIB
    {X86Mode::Code64, {0x8b, 0x05, 1, 2, 3, 4}},                        // MOV EAX, [RIP+disp32]
    {X86Mode::Code64, {0xf7, 0x00, 1, 2, 3, 4}},                        // TEST m32, imm32
    {X86Mode::Code64, {0xf7, 0x10}},                                    // NOT m32
    {X86Mode::Code64, {0xf6, 0x00, 1}},                                 // TEST m8, imm8
    {X86Mode::Code64, {0xc8, 1, 2, 3}},                                 // ENTER
    {X86Mode::Code64, {0x0f, 0x20, 0x00}},                              // MOV RAX, CR0, whatever the mode bits
    {X86Mode::Code64, {0x66, 0x0f, 0x3a, 0x0f, 0x05, 1, 2, 3, 4, 5}},   // PALIGNR
    {X86Mode::Code32, {0xc5, 0x06}},                                    // LDS EAX, [ESI]
    {X86Mode::Code64, {0xec}, X86Class::Site},                          // IN AL, DX
    {X86Mode::Code64, {0xf3, 0x6c}, X86Class::Site},                    // REP INSB
    {X86Mode::Code64, {0x0f, 0x01, 0xd1}, X86Class::Site},              // XSETBV
    {X86Mode::Code64, {0x0f, 0xc7, 0xf0}, X86Class::Site},              // RDRAND EAX
    {X86Mode::Code64, {0x48, 0xcf}, X86Class::Far},                     // IRETQ
    {X86Mode::Code32, {0xea, 1, 2, 3, 4, 5, 6}, X86Class::Far},         // JMP ptr16:32
    {X86Mode::Code64, {0x48, 0xff, 0x28}, X86Class::Far},               // JMP m16:64
    {X86Mode::Code64, {0x48, 0x0f, 0x07}, X86Class::Far},               // SYSRETQ
};

TEST(X86Length, rows_of_the_opcode_map) {
    for (const Row& row : rows) {
        SCOPED_TRACE(testing::PrintToString(row.code));
        const sim::X86Length length = sim::x86_length(row.code, row.mode);
        EXPECT_EQ(length.bytes, row.code.size());
        EXPECT_EQ(static_cast<int>(length.kind), static_cast<int>(row.kind));
        // Cut by one byte it has no length.
        EXPECT_EQ(sim::x86_length(std::span(row.code).first(row.code.size() - 1), row.mode).bytes, 0u);
    }
}

TEST(X86Length, a_vex_prefix_is_a_site_where_it_is_one) {
    const std::vector<u8> vzeroupper{0xc5, 0xf8, 0x77};
    EXPECT_EQ(static_cast<int>(sim::x86_length(vzeroupper, X86Mode::Code64).kind), static_cast<int>(X86Class::Site));
    EXPECT_EQ(static_cast<int>(sim::x86_length(vzeroupper, X86Mode::Code32).kind), static_cast<int>(X86Class::Site));
}

TEST(X86Length, agrees_with_capstone_on_plain_code) {
    csh handle = 0;
    ASSERT_EQ(cs_open(CS_ARCH_X86, CS_MODE_64, &handle), CS_ERR_OK);
    cs_insn* insn = cs_malloc(handle);
    u64 state = 1;
    const auto random = [&] { return static_cast<u8>((state = state * 6364136223846793005u + 1442695040888963407u) >> 56); };
    unsigned compared = 0;
    for (unsigned round = 0; round < 100'000; ++round) {
        std::vector<u8> code(15);
        for (u8& byte : code) byte = random();
        // Prefixes are in the rows; where they are out of place Capstone has its own mind.
        if (code[0] == 0x66 || code[0] == 0x67 || code[0] == 0xf0 || code[0] == 0xf2 || code[0] == 0xf3) continue;
        // XOP is AMD's, POP's opcode to others; UD0 has a ModRM byte in the SDM and none to Capstone.
        if ((code[0] == 0x8f && (code[1] & 0x38) != 0) || (code[0] == 0x0f && code[1] == 0xff)) continue;
        const u8* bytes = code.data();
        std::size_t left = code.size();
        u64 address = 0;
        const sim::X86Length length = sim::x86_length(code, X86Mode::Code64);
        if (length.kind == X86Class::Site || !cs_disasm_iter(handle, &bytes, &left, &address, insn)) continue;
        EXPECT_EQ(length.bytes, insn->size) << testing::PrintToString(code) << insn->mnemonic << " " << insn->op_str;
        ++compared;
    }
    cs_free(insn, 1);
    cs_close(&handle);
    EXPECT_GT(compared, 40'000u);
}

TEST(X86Blocks, instructions_are_counted_up_to_the_site) {
    const std::vector<u8> code{0x90, 0x48, 0x89, 0xc3, 0xec, 0x90};  // NOP; MOV RBX, RAX; IN AL, DX; NOP
    const sim::X86Block block = sim::scan_block(code, X86Mode::Code64);
    EXPECT_EQ(block.count, 3u);
    EXPECT_EQ(block.site, 4u);
    EXPECT_EQ(sim::count_before(code, X86Mode::Code64, 4), 2u);
    EXPECT_EQ(sim::last_instruction(code, X86Mode::Code64), 5u);
}

}  // namespace
}  // namespace ax
