#include <gtest/gtest.h>

#include <vector>

#include "sim/report/disassembly.hpp"
#include "sim/report/riscv_disassembly.hpp"

namespace ax::sim {
namespace {

struct Case {
    u32 insn;
    const char* text;
};

std::vector<std::byte> bytes_of(u32 insn) {
    std::vector<std::byte> bytes;
    for (unsigned i = 0; i < 4; ++i) bytes.push_back(static_cast<std::byte>(insn >> (8 * i)));
    return bytes;
}

// The encodings are those of llvm-mc for the texts; with compressed ones, the upper half is not looked at.
constexpr Case cases[] = {
    {0xfff5'8503, "lb a0, -1(a1)"},
    {0x7ffd'd283, "lhu t0, 2047(s11)"},
    {0x0000'6f83, "lwu t6, 0(zero)"},
    {0x00f7'0023, "sb a5, 0(a4)"},
    {0x81f1'b023, "sd t6, -2048(gp)"},
    {0x0002'2fa3, "sw zero, 31(tp)"},
    {0x0284'9023, "sh s0, 32(s1)"},
    {0x0045'2087, "flw f1, 4(a0)"},
    {0xfff5'3c27, "fsd f31, -8(a0)"},
    {0x1005'a52f, "lr.w a0, (a1)"},
    {0x1ec5'b52f, "sc.d.aqrl a0, a2, (a1)"},
    {0x0463'a2af, "amoadd.w.aq t0, t1, (t2)"},
    {0xe0b6'352f, "amomaxu.d a0, a1, (a2)"},
    {0x0ab6'202f, "amoswap.w.rl zero, a1, (a2)"},
    {0xc015'9573, "csrrw a0, 0xc01, a1"},
    {0x1001'62f3, "csrrsi t0, 0x100, 2"},
    {0x180f'b073, "csrrc zero, 0x180, t6"},
    {0x0000'0073, "ecall"},
    {0x0010'0073, "ebreak"},
    {0x1020'0073, "sret"},
    {0x1050'0073, "wfi"},
    {0x1200'0073, "sfence.vma zero, zero"},
    {0x12b5'0073, "sfence.vma a0, a1"},
    {0x0000'100f, "fence.i"},
    {0x0015'0513, ".4byte 0x00150513"},
    {0x41c8, "c.lw a0, 4(a1)"},
    {0x5fe0, "c.lw s0, 124(a5)"},
    {0x7ce8, "c.ld a0, 248(s1)"},
    {0xc33c, "c.sw a5, 64(a4)"},
    {0xe504, "c.sd s1, 8(a0)"},
    {0x2900, "c.fld f8, 16(a0)"},
    {0xa1fc, "c.fsd f15, 192(a1)"},
    {0x50fe, "c.lwsp ra, 252(sp)"},
    {0x5512, "c.lwsp a0, 36(sp)"},
    {0x7ffe, "c.ldsp t6, 504(sp)"},
    {0xdf96, "c.swsp t0, 252(sp)"},
    {0xe7ee, "c.sdsp s11, 456(sp)"},
    {0x3482, "c.fldsp f9, 32(sp)"},
    {0xbffe, "c.fsdsp f31, 504(sp)"},
    {0x4505, ".2byte 0x4505"},
};

TEST(RiscvDisassembly, instructions_that_make_exits_are_named) {
    for (const Case& c : cases) EXPECT_EQ(disassemble_riscv(bytes_of(c.insn)), c.text);
}

TEST(RiscvDisassembly, every_halfword_and_many_words_give_some_text) {
    for (u32 half = 0; half <= 0xffff; ++half)
        for (const u32 upper : {0x0000U, 0x1234U, 0xffffU}) EXPECT_FALSE(disassemble_riscv(bytes_of(upper << 16 | half)).empty());
}

TEST(RiscvDisassembly, too_few_bytes_give_nothing) {
    const auto code = bytes_of(0x0000'0073);
    for (std::size_t size = 0; size < 4; ++size) EXPECT_EQ(disassemble_riscv(std::span(code).first(size)), "");
    EXPECT_EQ(disassemble_riscv(std::span(code).first(4)), "ecall");
}

TEST(Disassembly, each_isa_is_known) {
    EXPECT_EQ(disassemble(Isa::Riscv64, bytes_of(0x0000'0073), 0), "ecall");
    EXPECT_EQ(disassemble(Isa::Arm64, bytes_of(0xd503'207f), 0), "wfi");
    EXPECT_EQ(disassemble(Isa::X86_64, bytes_of(0xf4), 0), "hlt");
    EXPECT_EQ(disassemble(Isa::Arm64, {}, 0), "");
}

}  // namespace
}  // namespace ax::sim
