// Instructions that Unicorn would run by itself, wrongly: counters and compressed FP with FS off.
#include "sim/hal/unicorn/handed_over.hpp"

#include "tests/unit/sim/hal/unicorn/hart_fixture.hpp"

namespace ax::sim::harttest {
namespace {

constexpr u64 base = ram_start.value();
constexpr u32 csr_sstatus = 0x100;
constexpr u32 a0 = 10, a1 = 11, a2 = 12, s0 = 8, s1 = 9;

TEST(HandedOverCounter, reads_retired_instructions_wherever_it_stands_in_its_block) {
    for (const u32 csr : {CsrNumber::cycle, CsrNumber::instret}) {
        for (u64 before = 0; before < 4; ++before) {
            Board board;
            u64 at = base;
            for (u64 n = 0; n < before; ++n, at += 4) board.put(at, {Asm::addi(a1, a1, 1)});
            board.put(at, {Asm::csrrs(a0, csr, 0), Asm::addi(a2, 0, 1), Asm::ecall});
            auto cpu = board.hart();
            const EntryStop stop = cpu->enter(~u64{0});
            EXPECT_EQ(stop.result, EntryResult::Trapped);
            EXPECT_EQ(stop.instructions, before + 2);
            EXPECT_EQ(cpu->gpr(a0), before) << std::hex << csr;
            EXPECT_EQ(cpu->gpr(a1), before);
            EXPECT_EQ(cpu->hs().sepc, at + 8);
        }
    }
}

// "Virtual Instruction Exception": a counter whose hcounteren bit is 0.
TEST(HandedOverCounter, traps_before_it_when_hcounteren_refuses) {
    for (const u32 csr : {CsrNumber::cycle, CsrNumber::instret, u32{0xc03}, u32{0xc1f}}) {
        Board board;
        const u32 bits = Asm::csrrs(a0, csr, 0);
        board.put(base, {Asm::li(a0, 77), bits, Asm::ecall});
        auto cpu = board.hart();
        cpu->hs().hcounteren = 2;
        const EntryStop stop = cpu->enter(~u64{0});
        EXPECT_EQ(stop.instructions, 1U);
        EXPECT_EQ(cpu->hs().scause, index(Cause::VirtualInstruction));
        EXPECT_EQ(cpu->hs().stval, bits);
        EXPECT_EQ(cpu->hs().sepc, base + 4);
        EXPECT_EQ(cpu->gpr(a0), 77U);
    }
}

TEST(HandedOverCounter, crosses_a_page) {
    Board board;
    const u64 at = base + page_size - 2;
    board.put16(at - 2, {0x0585});  // c.addi a1, 1
    board.put(at, {Asm::csrrs(a0, CsrNumber::cycle, 0), Asm::ecall});
    auto cpu = board.hart();
    cpu->hs().sepc = at - 2;
    EXPECT_EQ(cpu->enter(~u64{0}).instructions, 2U);
    EXPECT_EQ(cpu->gpr(a0), 1U);
    EXPECT_EQ(cpu->hs().sepc, at + 4);
}

TEST(HandedOverCounter, a_lookalike_in_two_halves_runs_on) {
    // The upper half of one instruction and a compressed one before a jump: 0x2573 0xc000 backwards.
    Board board;
    board.put(base, {0x2573'0537});   // lui a0, 0x25730: its upper half looks like the start of rdcycle
    board.put16(base + 4, {0xc000});  // c.sw s0, 0(s0): the rest of the lookalike
    board.put(base + 6, {Asm::ecall});
    auto cpu = board.hart();
    cpu->set_gpr(s0, base + 0x1000);
    EXPECT_EQ(cpu->enter(~u64{0}).instructions, 2U);
    EXPECT_EQ(cpu->hs().scause, index(Cause::EcallFromVs));
    EXPECT_EQ(cpu->gpr(a0), 0x2573'0000U);
}

/// c.fld fs0, 0(s0); c.fsd fs0, 0(s0); c.fldsp fs0, 0(sp); c.fsdsp fs0, 0(sp)
constexpr u16 compressed_fp[] = {0x2000, 0xa000, 0x2402, 0xa022};

TEST(HandedOverFp, is_illegal_with_fs_off_and_runs_with_fs_on) {
    for (const u16 bits : compressed_fp) {
        for (u64 before = 0; before < 3; ++before) {
            for (const bool is_on : {false, true}) {
                Board board;
                u64 at = base;
                for (u64 n = 0; n < before; ++n, at += 2) board.put16(at, {0x0585});
                board.put16(at, {bits});
                board.put(at + 2, {Asm::ecall});
                auto cpu = board.hart();
                cpu->set_gpr(s0, base + 0x1000);
                cpu->set_gpr(2, base + 0x1000);
                cpu->set_vs_csr(VsCsr::vsstatus, Sstatus::FS::of(is_on ? 1 : 0));
                const EntryStop stop = cpu->enter(~u64{0});
                EXPECT_EQ(stop.instructions, before + (is_on ? 1 : 0)) << std::hex << bits;
                EXPECT_EQ(cpu->hs().scause, index(is_on ? Cause::EcallFromVs : Cause::IllegalInstruction));
                EXPECT_EQ(cpu->hs().sepc, is_on ? at + 2 : at);
                EXPECT_EQ(cpu->gpr(a1), before);
                if (!is_on) {
                    EXPECT_EQ(cpu->hs().stval, bits);
                }
            }
        }
    }
}

TEST(HandedOverFp, follows_fs_as_the_guest_switches_it) {
    Board board;
    board.put(base, {Asm::csrrs(0, csr_sstatus, a1)});
    board.put16(base + 4, {0x2000});  // runs
    board.put(base + 6, {Asm::csrrc(0, csr_sstatus, a1)});
    board.put16(base + 10, {0x2000});  // does not
    auto cpu = board.hart();
    cpu->set_gpr(s0, base + 0x1000);
    cpu->set_gpr(a1, Sstatus::FS::mask);
    EXPECT_EQ(cpu->enter(~u64{0}).instructions, 3U);
    EXPECT_EQ(cpu->hs().scause, index(Cause::IllegalInstruction));
    EXPECT_EQ(cpu->hs().sepc, base + 10);
}

/// Counts, reads the cycle counter, and every round stores a word into its own code through `fence.i`:
/// a nop and rdcycle take turns.
void put_changing_loop(Board& board) {
    const u32 patched = Asm::csrrs(a2, CsrNumber::cycle, 0);
    board.put(base, {
                        Asm::addi(s1, s1, 1),                                 // 0: loop
                        Asm::csrrs(a0, CsrNumber::cycle, 0),                  // 4
                        Asm::nop,                                             // 8: patched
                        Asm::i(0x03, 2, a1, s0, 0),                           // 12: lw a1, 0(s0)
                        Asm::i(0x03, 2, 13, s0, 4),                           // 16: lw a3, 4(s0)
                        Asm::s(0x23, 2, s0, 13, 0),                           // 20: sw a3, 0(s0)
                        Asm::s(0x23, 2, s0, a1, 4),                           // 24: sw a1, 4(s0)
                        Asm::s(0x23, 2, 14, a1, 8),                           // 28: sw a1, 8(a4)
                        0x0000'100f,                                          // 32: fence.i
                        (0U << 25) | a2 << 20 | 15U << 15 | 15U << 7 | 0x33,  // 36: add a5, a5, a2
                        Asm::bne(s1, 16, -40),                                // 40
                        Asm::ecall,                                           // 44
                    });
    board.put(base + 0x1000, {patched, Asm::nop});
}

std::unique_ptr<RiscvCpu> changing_hart(Board& board) {
    put_changing_loop(board);
    auto cpu = board.hart();
    cpu->set_gpr(s0, base + 0x1000);
    cpu->set_gpr(14, base);
    cpu->set_gpr(16, 300);
    return cpu;
}

TEST(HandedOverCounter, results_do_not_depend_on_what_is_translated_when) {
    u64 expected = 0;
    u64 sum = 0;
    {
        Board board;
        auto cpu = changing_hart(board);
        EXPECT_EQ(cpu->enter(~u64{0}).instructions, 300U * 11);
        sum = cpu->gpr(15);
        expected = state_hash(*cpu, board.memory);
        EXPECT_EQ(cpu->gpr(a0), 299U * 11 + 1);
    }
    for (const u64 chunk : {u64{1}, u64{2}, u64{7}, u64{100}}) {
        for (const int disturbance : {0, 1, 2, 3}) {
            Board board;
            auto cpu = changing_hart(board);
            std::unique_ptr<RiscvEngine> other;
            u64 chunks = 0;
            while (cpu->enter(chunk).result == EntryResult::BudgetEnd) {
                ++chunks;
                if (disturbance == 1) board.engine->flush_code();
                if (disturbance == 2) board.engine->flush_translation();
                if (disturbance == 3 && chunks % 16 == 5) {
                    other = board.open();
                    cpu->move_to(*other);
                    board.engine.swap(other);
                }
            }
            EXPECT_EQ(cpu->gpr(15), sum);
            EXPECT_EQ(state_hash(*cpu, board.memory), expected) << chunk << ' ' << disturbance;
        }
    }
}

TEST(HandedOverScan, finds_the_first_one) {
    struct Case {
        std::initializer_list<u16> code;
        bool is_fp_off;
        std::optional<u64> at;
    };
    const Case cases[] = {
        {{0x2573, 0xc000}, false, 0},
        {{0x0585, 0x2573, 0xc020}, false, 2},
        {{0x2573, 0xc010}, false, {}},
        {{0x0585, 0x2000}, true, 2},
        {{0x0585, 0x2000}, false, {}},
        {{0x0537, 0x2000}, true, {}},
        {{0x2000, 0x2573, 0xc000}, false, 2},
        {{0x2000, 0x2573, 0xc000}, true, 0},
        {{0x0537, 0x2573, 0xc000}, true, {}},
        {{0x2073, 0xb000}, false, {}},
        {{0x2573}, false, {}},
        {{0x4073, 0xc000}, false, {}},
    };
    for (const Case& c : cases) {
        const std::vector<u16> code(c.code);
        EXPECT_EQ(find_handed_over(std::as_bytes(std::span(code)), c.is_fp_off), c.at) << &c - cases;
    }
}

}  // namespace
}  // namespace ax::sim::harttest
