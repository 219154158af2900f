#include "core/arch/riscv/inject.hpp"

#include <gtest/gtest.h>

namespace ax::riscv::testing {
namespace {

struct LineBit {
    EventLine line;
    u64 bit;
};
constexpr LineBit line_bits[] = {
    {EventLine::Software, 0x004},
    {EventLine::Timer, 0x040},
    {EventLine::External, 0x400},
};

TEST(RiscvApplyEvent, raising_sets_only_the_bit_of_its_line) {
    for (const LineBit& row : line_bits) {
        EXPECT_EQ(apply_event(0, {row.line, true}), row.bit);
        EXPECT_EQ(apply_event(~u64{0}, {row.line, true}), ~u64{0});
    }
}

TEST(RiscvApplyEvent, lowering_clears_only_the_bit_of_its_line) {
    for (const LineBit& row : line_bits) {
        EXPECT_EQ(apply_event(~u64{0}, {row.line, false}), ~row.bit);
        EXPECT_EQ(apply_event(0, {row.line, false}), 0u);
    }
}

constexpr u64 sie = 0x2;
constexpr u64 spie = 0x20;
constexpr u64 spp = 0x100;
constexpr u64 unrelated = 0x8000'0002'000c'6040;  // SD, UXL, SUM, MXR, FS, UBE

TEST(RiscvTakeException, status_remembers_privilege_and_interrupt_enable) {
    struct Row {
        u64 before;
        Privilege from;
        u64 after;
    };
    constexpr Row rows[] = {
        {0, Privilege::User, 0},
        {0, Privilege::Supervisor, spp},
        {sie, Privilege::User, spie},
        {sie, Privilege::Supervisor, spp | spie},
        {spie, Privilege::User, 0},
        {spp, Privilege::User, 0},
        {spp | spie | sie, Privilege::User, spie},
        {spp | spie | sie, Privilege::Supervisor, spp | spie},
        {unrelated, Privilege::User, unrelated},
        {unrelated | sie, Privilege::Supervisor, unrelated | spp | spie},
    };
    for (const Row& row : rows) {
        VsTrapState state;
        state.vsstatus = row.before;
        state.privilege = row.from;
        EXPECT_EQ(take_exception(state, {}).vsstatus, row.after) << std::hex << row.before;
    }
}

TEST(RiscvTakeException, records_cause_value_and_place) {
    VsTrapState state;
    state.pc = 0xffff'ffff'8000'1232;
    state.privilege = Privilege::User;
    state.vstvec = 0xffff'ffff'8000'0100;
    const VsTrapState after = take_exception(state, {Cause::LoadAccess, 0x1234'5678});
    EXPECT_EQ(after.vscause, 5u);
    EXPECT_EQ(after.vstval, 0x1234'5678u);
    EXPECT_EQ(after.vsepc, 0xffff'ffff'8000'1232u);
    EXPECT_EQ(after.pc, 0xffff'ffff'8000'0100u);
    EXPECT_EQ(after.vstvec, 0xffff'ffff'8000'0100u);
    EXPECT_EQ(after.privilege, Privilege::Supervisor);
}

TEST(RiscvTakeException, exceptions_go_to_the_base_in_vectored_mode) {
    VsTrapState state;
    for (u64 mode = 0; mode < 4; ++mode) {
        state.vstvec = 0x8020'0004 | mode;
        EXPECT_EQ(take_exception(state, {Cause::StoreAccess, 0}).pc, 0x8020'0004u) << mode;
    }
}

}  // namespace
}  // namespace ax::riscv::testing
