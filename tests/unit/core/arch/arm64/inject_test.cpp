// Exception entry of EL1.
#include "core/arch/arm64/inject.hpp"

#include <gtest/gtest.h>

namespace ax::arm64::testing {
namespace {

constexpr u64 vbar = 0xffff'8000'0801'0800;
constexpr u64 data_esr = 0x9200'0050;   // external data abort of a store, from a lower level
constexpr u64 fetch_esr = 0x8200'0010;  // external instruction abort, from a lower level
constexpr u64 undefined_esr = 0x0200'0000;
constexpr u64 flags = Spsr::N::mask | Spsr::C::mask;

El1State state_at(u64 pstate) {
    El1State state;
    state.pc = 0x40'1000;
    state.pstate = pstate;
    state.VBAR_EL1 = vbar;
    state.SCTLR_EL1 = Sctlr::res1;
    state.FAR_EL1 = 0x7777;
    state.ELR_EL1 = 0x1111;
    state.SPSR_EL1 = 0x2222;
    state.ESR_EL1 = 0x3333;
    return state;
}

struct EntryRow {
    const char* what;
    u64 pstate;
    u64 esr;
    u64 pc;
    u64 ESR_EL1;
};

// "AArch64.TakeException"; "Exception vectors"; "ESR_EL1, EC" (an abort's class says whether the level changed).
constexpr EntryRow entries[] = {
    {"data abort of EL0", Spsr::el0t, data_esr, vbar + 0x400, 0x9200'0050},
    {"data abort of EL1 on SP_EL0", Spsr::el1t, data_esr, vbar, 0x9600'0050},
    {"data abort of EL1 on SP_EL1", Spsr::el1h, data_esr, vbar + 0x200, 0x9600'0050},
    {"data abort of AArch32 EL0", Spsr::nRW::mask, data_esr, vbar + 0x600, 0x9200'0050},
    {"data abort of AArch32, whatever its mode says", Spsr::nRW::mask | Spsr::el1h, data_esr, vbar + 0x600, 0x9200'0050},
    {"fetch of EL0", Spsr::el0t, fetch_esr, vbar + 0x400, 0x8200'0010},
    {"fetch of EL1", Spsr::el1h, fetch_esr, vbar + 0x200, 0x8600'0010},
    {"undefined at EL0", Spsr::el0t, undefined_esr, vbar + 0x400, undefined_esr},
    {"undefined at EL1", Spsr::el1h, undefined_esr, vbar + 0x200, undefined_esr},
    {"undefined at EL1 on SP_EL0", Spsr::el1t, undefined_esr, vbar, undefined_esr},
};

TEST(Arm64Inject, exception_goes_to_the_vector_of_its_level_and_stack) {
    for (const EntryRow& row : entries) {
        const El1State state = take_exception(state_at(row.pstate | flags), {row.esr, Gva{0x5000}});
        EXPECT_EQ(state.pc, row.pc) << row.what;
        EXPECT_EQ(state.ESR_EL1, row.ESR_EL1) << row.what;
        EXPECT_EQ(state.ELR_EL1, 0x40'1000U) << row.what;
        EXPECT_EQ(state.SPSR_EL1, row.pstate | flags) << row.what;
        EXPECT_EQ(state.FAR_EL1, 0x5000U) << row.what;
        EXPECT_EQ(state.pstate, flags | 0x3c5) << row.what;
    }
}

TEST(Arm64Inject, exception_without_an_address_leaves_far) {
    EXPECT_EQ(take_exception(state_at(Spsr::el1h), {undefined_esr, std::nullopt}).FAR_EL1, 0x7777U);
}

TEST(Arm64Inject, low_bits_of_vbar_are_ignored) {
    El1State state = state_at(Spsr::el1h);
    state.VBAR_EL1 = vbar | 0x7ff;
    EXPECT_EQ(take_exception(state, {undefined_esr, std::nullopt}).pc, vbar + 0x200);
}

TEST(Arm64Inject, step_illegal_state_branch_type_and_uao_end) {
    const u64 pstate =
        Spsr::el1h | Spsr::SS::mask | Spsr::IL::mask | Spsr::BTYPE::mask | Spsr::UAO::mask | Spsr::DIT::mask | Spsr::V::mask;
    const El1State state = take_exception(state_at(pstate), {undefined_esr, std::nullopt});
    EXPECT_EQ(state.pstate, 0x3c5 | Spsr::DIT::mask | Spsr::V::mask);
    EXPECT_EQ(state.SPSR_EL1, pstate);
}

struct PanRow {
    bool has_pan;
    bool span;
    bool was_set;
    bool is_set;
};
constexpr PanRow pan_rows[] = {
    {false, false, false, false}, {false, true, false, false}, {true, true, false, false},
    {true, true, true, true},     {true, false, false, true},  {true, false, true, true},
};

TEST(Arm64Inject, pan_is_set_unless_span_is) {
    for (const PanRow& row : pan_rows) {
        El1State state = state_at(Spsr::el0t | Spsr::PAN::of(row.was_set));
        state.has_pan = row.has_pan;
        state.SCTLR_EL1 = Sctlr::SPAN::set(state.SCTLR_EL1, row.span);
        EXPECT_EQ(Spsr::PAN::test(take_exception(state, {undefined_esr, std::nullopt}).pstate), row.is_set);
    }
}

TEST(Arm64Inject, masked_interrupts_are_masked_from_every_state) {
    for (u64 daif = 0; daif < 16; ++daif) {
        using Daif = Bits<9, 6>;
        const El1State state = take_exception(state_at(Spsr::el0t | Daif::of(daif)), {undefined_esr, std::nullopt});
        EXPECT_EQ(Daif::get(state.pstate), 15U);
        EXPECT_EQ(Daif::get(state.SPSR_EL1), daif);
    }
}

/// Two aborts, one inside the other's handler: what a hypervisor must not lose.
TEST(Arm64Inject, abort_in_the_handler_of_an_abort_returns_into_the_handler) {
    El1State state = take_exception(state_at(Spsr::el0t), {data_esr, Gva{0x5000}});
    state.pc += 8;
    state = take_exception(state, {data_esr, Gva{0x6000}});
    EXPECT_EQ(state.pc, vbar + 0x200);
    EXPECT_EQ(state.ELR_EL1, vbar + 0x408);
    EXPECT_EQ(state.SPSR_EL1, 0x3c5U);
    EXPECT_EQ(state.FAR_EL1, 0x6000U);
    EXPECT_EQ(state.ESR_EL1, 0x9600'0050U);
}

}  // namespace
}  // namespace ax::arm64::testing
