// Small machine-code guests on one simulated hart.
#include "tests/unit/sim/hal/unicorn/hart_fixture.hpp"

namespace ax::sim::harttest {
namespace {

constexpr u64 base = ram_start.value();
constexpr u64 outside = 0x1000'0000;
constexpr u32 a0 = 10, a1 = 11, a2 = 12, s0 = 8, sp = 2;
constexpr u64 V = 1, R = 2, W = 4, X = 8, U = 16, AD = 0xc0;
constexpr u64 mode_39 = u64{8} << 60;

/// VS-stage tables: code at 0x10000 (supervisor) and 0x11000 (user), both backed by `base`; data at
/// 0x20000; nothing at 0x21000.
std::unique_ptr<RiscvCpu> paged_hart(Board& board) {
    const u64 root = base + 0x10'0000;
    board.map(root, 0x1'0000, base, V | R | X | AD);
    board.map(root, 0x1'1000, base, V | R | X | U | AD);
    board.map(root, 0x1'2000, base, V | R | W | AD);
    board.map(root, 0x2'0000, base + 0x4000, V | R | W | AD);
    auto cpu = board.hart();
    cpu->set_vs_csr(VsCsr::vsatp, mode_39 | (root >> 12));
    cpu->set_vs_csr(VsCsr::vsstatus, Sstatus::FS::of(1));
    cpu->hs().sepc = 0x1'0000;
    return cpu;
}

TEST(SimRiscvCpu, budget_ends_at_the_first_block_start_at_or_past_it) {
    for (u64 budget = 1; budget <= 10; ++budget) {
        Board board;
        board.put(base, {Asm::addi(a0, a0, 1), Asm::addi(a1, a1, 1), Asm::bne(a0, 0, -8)});
        auto cpu = board.hart();
        const EntryStop stop = cpu->enter(budget);
        EXPECT_EQ(stop.result, EntryResult::BudgetEnd);
        EXPECT_EQ(stop.instructions, (budget + 2) / 3 * 3);
        EXPECT_EQ(cpu->gpr(a0) * 3, stop.instructions);
        EXPECT_EQ(cpu->hs().sepc, base);
    }
}

struct AccessForm {
    const char* name;
    u32 bits;
    bool is_store;
    u64 offset;
};
constexpr AccessForm access_forms[] = {
    {"lb", Asm::i(0x03, 0, a0, s0, 5), false, 5},
    {"lwu", Asm::i(0x03, 6, a0, s0, 8), false, 8},
    {"ld", Asm::ld(a0, s0, 8), false, 8},
    {"sb", Asm::s(0x23, 0, s0, a1, 5), true, 5},
    {"sd", Asm::sd(a1, s0, 8), true, 8},
    {"flw", Asm::i(0x07, 2, a0, s0, 4), false, 4},
    {"fld", Asm::i(0x07, 3, a0, s0, 8), false, 8},
    {"fsd", Asm::s(0x27, 3, s0, a1, 8), true, 8},
    {"c.lw", 0x4048, false, 4},  // c.lw a0, 4(s0)
    {"c.ld", 0x6408, false, 8},  // c.ld a0, 8(s0)
    {"c.sw", 0xc04c, true, 4},   // c.sw a1, 4(s0)
    {"c.sd", 0xe40c, true, 8},   // c.sd a1, 8(s0)
    {"c.fld", 0x2408, false, 8},
    {"c.fsd", 0xa40c, true, 8},
    {"c.ldsp", 0x6522, false, 8},  // c.ldsp a0, 8(sp)
    {"c.sdsp", 0xe42e, true, 8},   // c.sdsp a1, 8(sp)
    {"amoadd.d", 0x00b4'352f, true, 0},
    {"lr.d", 0x1004'352f, false, 0},
    {"sc.d", 0x18b4'352f, true, 0},
};

TEST(SimRiscvCpu, a_refused_access_is_precise_for_every_form) {
    for (const AccessForm& form : access_forms) {
        // sc.d without a reservation fails before it touches memory.
        if (std::string_view(form.name) == "sc.d") continue;
        Board board;
        board.put16(base, {0x0585});  // c.addi a1, 1
        board.put(base + 2, {form.bits, Asm::addi(a2, 0, 1), Asm::ecall});
        auto cpu = board.hart();
        cpu->set_vs_csr(VsCsr::vsstatus, Sstatus::FS::of(1));
        cpu->set_gpr(s0, outside);
        cpu->set_gpr(sp, outside);
        cpu->set_gpr(a0, 99);
        const EntryStop stop = cpu->enter(~u64{0});
        EXPECT_EQ(stop.instructions, 1U) << form.name;
        EXPECT_EQ(cpu->hs().sepc, base + 2) << form.name;
        EXPECT_EQ(cpu->hs().scause, index(form.is_store ? Cause::StoreAccess : Cause::LoadAccess)) << form.name;
        EXPECT_EQ(cpu->hs().stval, outside + form.offset) << form.name;
        EXPECT_EQ(cpu->gpr(a0), 99U) << form.name;
        EXPECT_EQ(cpu->gpr(a1), 1U) << form.name;
        EXPECT_EQ(cpu->gpr(a2), 0U) << form.name;
    }
}

TEST(SimRiscvCpu, a_store_over_two_pages_writes_nothing_when_the_second_is_refused) {
    Board board;
    board.put(base, {Asm::sd(a1, s0, -4), Asm::ecall});
    auto cpu = paged_hart(board);
    cpu->set_gpr(s0, 0x2'1000);
    cpu->set_gpr(a1, ~u64{0});
    EXPECT_EQ(cpu->enter(~u64{0}).instructions, 0U);
    EXPECT_EQ(cpu->hs().scause, index(Cause::StorePageFault));
    EXPECT_EQ(cpu->hs().stval, 0x2'1000U);
    EXPECT_EQ(board.read<u64>(base + 0x4ff8), 0U);
}

TEST(SimRiscvCpu, a_fetch_over_two_pages_faults_at_its_own_instruction) {
    Board board;
    const u64 at = 0x1'2ffe;
    auto cpu = paged_hart(board);
    board.map(base + 0x10'0000, 0x1'2000, base + 0x6000, V | R | X | AD);
    board.put(base + 0x6ffa, {Asm::addi(a1, a1, 1)});
    board.put16(base + 0x6ffe, {0x0513});  // the low half of addi a0, zero, ...
    cpu->hs().sepc = at - 4;
    EXPECT_EQ(cpu->enter(~u64{0}).instructions, 1U);
    EXPECT_EQ(cpu->gpr(a1), 1U);
    EXPECT_EQ(cpu->hs().sepc, at);
    EXPECT_EQ(cpu->hs().scause, index(Cause::InstructionPageFault));
    EXPECT_EQ(cpu->hs().stval, at + 2);
}

TEST(SimRiscvCpu, a_store_through_an_alias_changes_code_that_has_run) {
    Board board;
    board.put(base, {Asm::li(a0, 1), Asm::s(0x23, 2, s0, a1, 0), 0x0000'100f, Asm::bne(a0, a2, -12), Asm::ecall});
    auto cpu = paged_hart(board);
    cpu->set_gpr(s0, 0x1'2000);
    cpu->set_gpr(a1, Asm::li(a0, 2));
    cpu->set_gpr(a2, 2);
    const EntryStop stop = cpu->enter(100);
    EXPECT_EQ(stop.result, EntryResult::Trapped);
    EXPECT_EQ(stop.instructions, 8U);
    EXPECT_EQ(cpu->gpr(a0), 2U);
}

TEST(SimRiscvCpu, code_that_the_host_wrote_runs_once_it_was_forgotten) {
    Board board;
    board.put(base, {Asm::li(a0, 1), Asm::ecall});
    auto cpu = board.hart();
    for (const i32 value : {1, 2, 3}) {
        board.put(base, {Asm::li(a0, value)});
        board.engine->forget_code(ram_start, 4);
        cpu->hs().sepc = base;
        (void)cpu->enter(~u64{0});
        EXPECT_EQ(cpu->gpr(a0), static_cast<u64>(value));
    }
}

TEST(SimRiscvCpu, traps_follow_privilege_and_controls) {
    struct Case {
        const char* what;
        u32 bits;
        bool is_user;
        u64 hstatus;
        Cause cause;
    };
    const Case cases[] = {
        {"ecall VS", Asm::ecall, false, 0, Cause::EcallFromVs},
        {"ecall VU", Asm::ecall, true, 0, Cause::EcallFromU},
        {"ebreak", Asm::ebreak, false, 0, Cause::Breakpoint},
        {"wfi, VTW", Asm::wfi, false, Hstatus::VTW::mask, Cause::VirtualInstruction},
        {"wfi VU", Asm::wfi, true, 0, Cause::VirtualInstruction},
        {"sret, VTSR", Asm::sret, false, Hstatus::VTSR::mask, Cause::VirtualInstruction},
        {"sret VU", Asm::sret, true, 0, Cause::VirtualInstruction},
        {"satp, VTVM", Asm::csrrw(a0, 0x180, a1), false, Hstatus::VTVM::mask, Cause::VirtualInstruction},
        {"sfence, VTVM", Asm::sfence_vma, false, Hstatus::VTVM::mask, Cause::VirtualInstruction},
        {"hstatus", Asm::csrrs(a0, 0x600, 0), false, 0, Cause::VirtualInstruction},
        {"mstatus", Asm::csrrs(a0, 0x300, 0), false, 0, Cause::IllegalInstruction},
        {"zero", 0, false, 0, Cause::IllegalInstruction},
    };
    for (const Case& c : cases) {
        Board board;
        board.put(base, {c.bits});
        auto cpu = paged_hart(board);
        cpu->hs().hstatus = Hstatus::VSXL::of(2) | Hstatus::SPV::of(1) | c.hstatus;
        if (c.is_user) {
            cpu->hs().sstatus = Sstatus::SPP::set(cpu->hs().sstatus, 0);
            cpu->hs().sepc = 0x1'1000;
        }
        const u64 pc = cpu->hs().sepc;
        EXPECT_EQ(cpu->enter(~u64{0}).instructions, 0U) << c.what;
        EXPECT_EQ(cpu->hs().scause, index(c.cause)) << c.what;
        EXPECT_EQ(cpu->hs().sepc, pc) << c.what;
        EXPECT_EQ(Hstatus::SPVP::get(cpu->hs().hstatus), c.is_user ? 0U : 1U) << c.what;
    }
}

// Unicorn looks at both neighbours of an EBREAK for a semihosting call, also on pages that are not there.
TEST(SimRiscvCpu, ebreak_is_a_breakpoint_wherever_it_stands) {
    for (const u64 offset : {u64{0}, u64{2}, page_size - 4, page_size - 8}) {
        for (const u64 before : {u64{0}, u64{1}}) {
            Board board;
            auto cpu = paged_hart(board);
            board.map(base + 0x10'0000, 0x4'0000, base + 0x8000, V | R | X | AD);
            if (before != 0 && offset < 4 * before) continue;
            if (before != 0) board.put(base + 0x8000 + offset - 4, {Asm::addi(a1, a1, 1)});
            board.put(base + 0x8000 + offset, {Asm::ebreak});
            cpu->hs().sepc = 0x4'0000 + offset - 4 * before;
            EXPECT_EQ(cpu->enter(~u64{0}).instructions, before) << offset;
            EXPECT_EQ(cpu->hs().scause, index(Cause::Breakpoint)) << offset;
            EXPECT_EQ(cpu->hs().sepc, 0x4'0000 + offset);
        }
    }
    Board board;
    board.put(base, {0x01f0'1013, Asm::ebreak, 0x4070'5013});  // the sequence that marks a semihosting call
    auto cpu = board.hart();
    EXPECT_EQ(cpu->enter(~u64{0}).instructions, 1U);
    EXPECT_EQ(cpu->hs().scause, index(Cause::Breakpoint));
    EXPECT_EQ(cpu->hs().sepc, base + 4);
}

TEST(SimRiscvCpu, rdtime_is_the_board_plus_htimedelta) {
    Board board;
    board.put(base, {Asm::nop, Asm::csrrs(a0, 0xc01, 0), Asm::ecall});
    auto cpu = board.hart();
    board.clock.ticks = 1000;
    cpu->hs().htimedelta = 500;
    EXPECT_EQ(cpu->enter(~u64{0}).instructions, 2U);
    EXPECT_EQ(cpu->gpr(a0), 1501U);
    EXPECT_EQ(board.clock.ticks, 1002U);
}

TEST(SimRiscvCpu, a_delegated_fault_goes_to_the_guests_own_handler_and_sret_comes_back) {
    Board board;
    // User code at 0: faulting load, then ecall; handler at 0x100 steps over it and returns.
    board.put(base, {Asm::ld(a0, s0, 8), Asm::ecall});
    board.put(base + 0x100, {Asm::csrrs(a1, 0x143, 0), Asm::csrrs(a2, 0x142, 0), Asm::csrrs(a0, 0x141, 0), Asm::addi(a0, a0, 4),
                             Asm::csrrw(0, 0x141, a0), Asm::sret});
    auto cpu = paged_hart(board);
    cpu->hs().hedeleg = mask_of(Cause::LoadPageFault);
    cpu->set_vs_csr(VsCsr::vstvec, 0x1'0100);
    cpu->hs().sstatus = Sstatus::SPP::set(cpu->hs().sstatus, 0);
    cpu->hs().sepc = 0x1'1000;
    cpu->set_gpr(s0, 0x2'1000);
    EXPECT_EQ(cpu->enter(~u64{0}).instructions, 6U);
    EXPECT_EQ(cpu->hs().scause, index(Cause::EcallFromU));
    EXPECT_EQ(cpu->gpr(a1), 0x2'1008U);
    EXPECT_EQ(cpu->gpr(a2), index(Cause::LoadPageFault));
    EXPECT_EQ(cpu->hs().sepc, 0x1'1004U);
}

TEST(SimRiscvCpu, lr_and_sc_hold_within_a_hart_and_fail_without_a_reservation) {
    Board board;
    board.put(base, {0x1004'352f /* lr.d a0, (s0) */, 0x18b4'362f /* sc.d a2, a1, (s0) */, 0x18b4'36af /* sc.d a3, a1, (s0) */,
                     Asm::ecall});
    auto cpu = board.hart();
    board.write<u64>(base + 0x4000, 41);
    cpu->set_gpr(s0, base + 0x4000);
    cpu->set_gpr(a1, 42);
    EXPECT_EQ(cpu->enter(~u64{0}).instructions, 3U);
    EXPECT_EQ(cpu->gpr(a0), 41U);
    EXPECT_EQ(cpu->gpr(a2), 0U);
    EXPECT_NE(cpu->gpr(13), 0U);
    EXPECT_EQ(board.read<u64>(base + 0x4000), 42U);
}

TEST(SimRiscvCpu, fflags_stay_with_their_hart) {
    Board board;
    board.put(base, {Asm::csrrw(0, 0x001, a1), Asm::ecall, Asm::csrrs(a0, 0x001, 0), Asm::ecall});
    auto first = board.hart();
    auto second = board.hart();
    u64 flags = 1;
    for (RiscvCpu* cpu : {first.get(), second.get()}) {
        cpu->set_vs_csr(VsCsr::vsstatus, Sstatus::FS::of(1));
        cpu->set_gpr(a1, flags);
        flags = 16;
        (void)cpu->enter(~u64{0});
        cpu->hs().sepc += 4;
    }
    (void)first->enter(~u64{0});
    (void)second->enter(~u64{0});
    EXPECT_EQ(first->gpr(a0), 1U);
    EXPECT_EQ(second->gpr(a0), 16U);
}

TEST(SimRiscvCpu, a_value_that_hardware_would_not_take_is_refused) {
    Board board;
    auto cpu = board.hart();
    cpu->hs().sstatus &= ~Sstatus::FS::mask;
    EXPECT_EQ(cpu->enter(1).result, EntryResult::Refused);
}

}  // namespace
}  // namespace ax::sim::harttest
