#include <gtest/gtest.h>

#include "core/arch/riscv/decode.hpp"
#include "core/arch/riscv/sbi.hpp"
#include "tests/unit/core/arch/riscv/show.hpp"

namespace ax::riscv::testing {
namespace {

Completion load(u8 rd, u8 size, bool is_signed, u8 length = 4) {
    Completion c;
    c.kind = CompletionKind::Load;
    c.rd = rd;
    c.size = size;
    c.is_signed = is_signed;
    c.length = length;
    return c;
}

Completion of_kind(CompletionKind kind) {
    Completion c;
    c.kind = kind;
    return c;
}

TEST(RiscvComplete, load_extends_the_low_bytes_of_the_value) {
    struct Row {
        u8 size;
        bool is_signed;
        u64 value;
        u64 expected;
    };
    constexpr Row rows[] = {
        {1, true, 0x7f, 0x7f},
        {1, true, 0x80, 0xffff'ffff'ffff'ff80},
        {1, true, 0xffff'ff01, 0x01},
        {1, false, 0x80, 0x80},
        {1, false, 0x1ff, 0xff},
        {2, true, 0x7fff, 0x7fff},
        {2, true, 0x8000, 0xffff'ffff'ffff'8000},
        {2, true, 0xabcd'0001, 0x0001},
        {2, false, 0x8000, 0x8000},
        {2, false, 0x1'ffff, 0xffff},
        {4, true, 0x7fff'ffff, 0x7fff'ffff},
        {4, true, 0x8000'0000, 0xffff'ffff'8000'0000},
        {4, true, 0xabcd'0000'0002, 0x0002},
        {4, false, 0x8000'0000, 0x8000'0000},
        {4, false, 0x1'ffff'ffff, 0xffff'ffff},
        {8, true, 0x8000'0000'0000'0001, 0x8000'0000'0000'0001},
        {8, false, 0x8000'0000'0000'0001, 0x8000'0000'0000'0001},
    };
    for (const Row& row : rows) {
        const Effects e = complete(load(10, row.size, row.is_signed), Answer::of_value(row.value));
        EXPECT_EQ(show(e), "x10=" + hex(row.expected) + " +4") << unsigned{row.size} << (row.is_signed ? " signed" : " unsigned");
    }
}

TEST(RiscvComplete, load_to_x0_discards_the_value_and_steps_over) {
    EXPECT_EQ(show(complete(load(0, 4, true), Answer::of_value(0x1234))), "+4");
}

TEST(RiscvComplete, compressed_load_steps_over_two_bytes) {
    EXPECT_EQ(show(complete(load(9, 8, true, 2), Answer::of_value(5))), "x9=0x5 +2");
}

TEST(RiscvComplete, every_register_can_be_loaded) {
    for (unsigned rd = 1; rd < 32; ++rd)
        EXPECT_EQ(show(complete(load(static_cast<u8>(rd), 8, false), Answer::of_value(rd))),
                  "x" + std::to_string(rd) + "=" + hex(rd) + " +4");
}

struct AnswerRow {
    CompletionKind kind;
    Answer answer;
    const char* expected;
};

constexpr u64 v = 0x55;
constexpr AnswerRow answer_rows[] = {
    {CompletionKind::Store, Answer::of_value(v), "+4"},
    {CompletionKind::Store, Answer::of_call(CallStatus::Success, v), "+4"},
    {CompletionKind::Skip, Answer::of_value(v), "+4"},
    {CompletionKind::Skip, Answer::of_call(CallStatus::Success, v), "+4"},
    {CompletionKind::SbiCall, Answer::of_value(v), "x10=0x0 x11=0x55 +4"},
    {CompletionKind::SbiCall, Answer::of_call(CallStatus::Success, v), "x10=0x0 x11=0x55 +4"},
    {CompletionKind::SbiCall, Answer::of_call(CallStatus::InvalidParameter, v), "x10=0xfffffffffffffffd x11=0x55 +4"},
    {CompletionKind::LegacyCall, Answer::of_value(v), "x10=0x55 +4"},
    {CompletionKind::LegacyCall, Answer::of_call(CallStatus::Success, v), "x10=0x55 +4"},
    {CompletionKind::LegacyCall, Answer::of_call(CallStatus::Failed, v), "x10=0xffffffffffffffff +4"},
    {CompletionKind::LegacyCall, Answer::of_call(CallStatus::NotSupported, v), "x10=0xfffffffffffffffe +4"},
    {CompletionKind::VendorCall, Answer::of_value(v), "x10=0x55 +4"},
    {CompletionKind::VendorCall, Answer::of_call(CallStatus::Success, v), "x10=0x55 +4"},
    {CompletionKind::VendorCall, Answer::of_call(CallStatus::InvalidParameter, v), "x10=0xffffffffffffffff +4"},
    {CompletionKind::None, Answer::of_value(v), "nothing"},
    {CompletionKind::None, Answer::of_call(CallStatus::Success, v), "nothing"},
    {CompletionKind::None, Answer::none(), "nothing"},
    {CompletionKind::Store, Answer::none(), "nothing"},
    {CompletionKind::Skip, Answer::none(), "+4"},
    {CompletionKind::VendorCall, Answer::none(), "+4"},
};

TEST(RiscvComplete, each_kind_writes_back_its_own_way) {
    for (const AnswerRow& row : answer_rows)
        EXPECT_EQ(show(complete(of_kind(row.kind), row.answer)), row.expected)
            << "kind " << unsigned{index(row.kind)} << " answer " << unsigned{index(row.answer.kind)};
}

constexpr CompletionKind all_kinds[] = {CompletionKind::None,    CompletionKind::Load,       CompletionKind::Store,
                                        CompletionKind::SbiCall, CompletionKind::LegacyCall, CompletionKind::VendorCall,
                                        CompletionKind::Skip};

TEST(RiscvComplete, bus_fault_raises_the_access_fault_and_stays_at_the_instruction) {
    for (const CompletionKind kind : all_kinds) {
        for (const Cause fault : {Cause::InstructionAccess, Cause::LoadAccess, Cause::StoreAccess}) {
            Completion c = of_kind(kind);
            c.size = 4;
            c.fault = fault;
            c.fault_value = 0xffff'1234;
            EXPECT_EQ(show(complete(c, Answer::bus_fault())), "exception " + std::to_string(index(fault)) + " 0xffff1234");
        }
    }
}

TEST(RiscvComplete, undefined_raises_illegal_instruction_with_the_encoding) {
    for (const CompletionKind kind : all_kinds) {
        Completion c = of_kind(kind);
        c.size = 4;
        c.bits = 0x1050'0073;
        EXPECT_EQ(show(complete(c, Answer::undefined())), "exception 2 0x10500073");
    }
}

TEST(RiscvComplete, retry_changes_nothing) {
    for (const CompletionKind kind : all_kinds) {
        Completion c = of_kind(kind);
        c.size = 4;
        EXPECT_EQ(show(complete(c, Answer::retry())), "nothing");
    }
}

TEST(RiscvComplete, a_call_answered_below_the_line_gets_its_own_answer) {
    Completion c = of_kind(CompletionKind::SbiCall);
    c.call_error = -2;
    c.call_value = 9;
    EXPECT_EQ(show(complete(c, Answer::none())), "x10=0xfffffffffffffffe x11=0x9 +4");
    c.kind = CompletionKind::LegacyCall;
    c.call_value = static_cast<u64>(i64{-2});
    EXPECT_EQ(show(complete(c, Answer::none())), "x10=0xfffffffffffffffe +4");
}

TEST(RiscvComplete, a_load_of_impossible_shape_changes_nothing) {
    for (const auto& [rd, size] : {std::pair{10, 0}, {10, 9}, {10, 255}, {32, 4}, {255, 8}}) {
        const Completion c = load(static_cast<u8>(rd), static_cast<u8>(size), true);
        EXPECT_EQ(show(complete(c, Answer::of_value(1))), "nothing") << rd << " " << size;
    }
}

TEST(RiscvComplete, every_status_has_its_sbi_error) {
    struct Row {
        CallStatus status;
        i64 error;
    };
    constexpr Row rows[] = {
        {CallStatus::Success, 0},           {CallStatus::Failed, -1},         {CallStatus::NotSupported, -2},
        {CallStatus::InvalidParameter, -3}, {CallStatus::Denied, -4},         {CallStatus::InvalidAddress, -5},
        {CallStatus::AlreadyAvailable, -6}, {CallStatus::AlreadyStarted, -7}, {CallStatus::AlreadyStopped, -8},
        {CallStatus::StartPending, -6},
    };
    for (const Row& row : rows) EXPECT_EQ(sbi_error(row.status), row.error);
}

}  // namespace
}  // namespace ax::riscv::testing
