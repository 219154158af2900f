// What answers do to registers, from the trapped instruction on.
#include <gtest/gtest.h>

#include "core/arch/arm64/decode.hpp"
#include "core/arch/arm64/psci.hpp"
#include "tests/unit/core/arch/arm64/fake_guest.hpp"
#include "tests/unit/core/arch/arm64/show.hpp"

namespace ax::arm64::testing {
namespace {

constexpr u64 elr = 0xffff'0000'0000'1000;
constexpr u64 v = 0x8182'8384'8586'8788;
constexpr Answer value = Answer::of_value(v);

u64 esr(ExceptionClass ec, u64 iss) { return Esr::EC::of(index(ec)) | Esr::IL::of(1) | iss; }

/// An instruction that faulted at its first byte, its answers, and what the last one does.
struct AccessRow {
    const char* what;
    u32 word;
    std::vector<Answer> answers;
    const char* expected;
};

std::string outcome(const AccessRow& row, u64 far) {
    FakeGuest guest;
    guest.code[elr] = row.word;
    const bool is_store = (row.word & 0x0040'0000) == 0 && (row.word & 0x0080'0000) == 0;
    const Trap trap{esr(ExceptionClass::DataAbortLower, IssData::WnR::of(is_store) | 0x07), far, 0x9'0000, elr, Spsr::el1h};
    Decoded decoded = decode(trap, guest);
    std::string text;
    for (const Answer& answer : row.answers)
        text += (text.empty() ? "" : ", ") + show(complete(decoded.completion, answer, guest));
    return text;
}

constexpr u64 x1 = FakeGuest::x1;
const AccessRow access_rows[] = {
    {"ldrb w3, [x1], #1", 0x3840'1423, {value}, "x1=0xffff000000003401 x3=0x88 +4"},
    {"ldrsb w3, [x1, #0]!", 0x38c0'0c23, {value}, "x1=0xffff000000003400 x3=0xffffff88 +4"},
    {"ldrsb x3, [x1], #4", 0x3880'4423, {value}, "x1=0xffff000000003404 x3=0xffffffffffffff88 +4"},
    {"ldrsh w3, [x1], #2", 0x78c0'2423, {value}, "x1=0xffff000000003402 x3=0xffff8788 +4"},
    {"ldrsw x3, [x1], #4", 0xb880'4423, {value}, "x1=0xffff000000003404 x3=0xffffffff85868788 +4"},
    {"ldr w3, [x1], #4", 0xb840'4423, {value}, "x1=0xffff000000003404 x3=0x85868788 +4"},
    {"ldr x3, [x1], #8", 0xf840'8423, {value}, "x1=0xffff000000003408 x3=0x8182838485868788 +4"},
    {"ldr xzr, [x1], #8", 0xf840'843f, {value}, "x1=0xffff000000003408 +4"},
    {"str x3, [x1], #8", 0xf800'8423, {value}, "x1=0xffff000000003408 +4"},
    {"ldr x1, [x1], #8: the load wins", 0xf840'8421, {value}, "x1=0xffff000000003408 x1=0x8182838485868788 +4"},
    {"ldp w3, w4, [x1]", 0x2940'1023, {value, Answer::of_value(7)}, "more, x3=0x85868788 x4=0x7 +4"},
    {"ldp x3, x4, [x1], #16",
     0xa8c1'1023,
     {value, Answer::of_value(7)},
     "more, x1=0xffff000000003410 x3=0x8182838485868788 x4=0x7 +4"},
    {"ldpsw x3, x4, [x1]", 0x6940'1023, {value, Answer::of_value(7)}, "more, x3=0xffffffff85868788 x4=0x7 +4"},
    {"stp x3, xzr, [x1]", 0xa900'7c23, {value, value}, "more, +4"},
    {"ldr b2, [x1]", 0x3d40'0022, {value}, "v2=0x0'0x88 +4"},
    {"ldr s2, [x1]", 0xbd40'0022, {value}, "v2=0x0'0x85868788 +4"},
    {"ldr q2, [x1], #16", 0x3cc1'0422, {value, Answer::of_value(7)}, "more, x1=0xffff000000003410 v2=0x7'0x8182838485868788 +4"},
    {"ldp q2, q3, [x1]",
     0xad40'0c22,
     {Answer::of_value(1), Answer::of_value(2), Answer::of_value(3), Answer::of_value(4)},
     "more, more, more, v2=0x2'0x1 v3=0x4'0x3 +4"},
    {"ldp d2, d3, [x1]", 0x6d40'0c22, {Answer::of_value(1), Answer::of_value(2)}, "more, v2=0x0'0x1 v3=0x0'0x2 +4"},
    {"retry runs the same instruction again", 0xf840'8423, {Answer::retry()}, "nothing"},
    {"no answer, no step", 0xf840'8423, {Answer::none()}, "nothing"},
    {"bus fault: no register, no write-back", 0xf840'8423, {Answer::bus_fault()}, "exception 0x92000010 far 0xffff000000003400"},
    {"bus fault of a store", 0xf800'8423, {Answer::bus_fault()}, "exception 0x92000050 far 0xffff000000003400"},
    {"bus fault of the second part",
     0xa8c1'1023,
     {value, Answer::bus_fault()},
     "more, exception 0x92000010 far 0xffff000000003408"},
    {"bus fault of the last of four",
     0xad40'0c22,
     {value, value, value, Answer::bus_fault()},
     "more, more, more, exception 0x92000010 far 0xffff000000003418"},
    {"second part is memory: no device sees the first twice",
     0xa8c1'1023,
     {value, Answer::retry()},
     "more, exception 0x92000010 far 0xffff000000003408"},
    {"a device's refusal by undefined", 0xf840'8423, {Answer::undefined()}, "exception 0x2000000"},
};

TEST(Arm64Complete, accesses_without_a_syndrome) {
    for (const AccessRow& row : access_rows) EXPECT_EQ(outcome(row, x1), row.expected) << row.what;
}

/// Loads by syndrome: every width, sign, register width.
TEST(Arm64Complete, loads_have_width_sign_and_zero_the_upper_half) {
    struct Row {
        u64 sas;
        bool sse, sf;
        const char* expected;
    };
    constexpr Row rows[] = {
        {0, false, false, "x3=0x88 +4"},
        {1, false, false, "x3=0x8788 +4"},
        {2, false, false, "x3=0x85868788 +4"},
        {3, false, true, "x3=0x8182838485868788 +4"},
        {0, true, false, "x3=0xffffff88 +4"},
        {0, true, true, "x3=0xffffffffffffff88 +4"},
        {1, true, false, "x3=0xffff8788 +4"},
        {1, true, true, "x3=0xffffffffffff8788 +4"},
        {2, true, true, "x3=0xffffffff85868788 +4"},
    };
    for (const Row& row : rows) {
        for (const u64 srt : {u64{3}, u64{31}}) {
            FakeGuest guest;
            const u64 iss = IssData::ISV::of(1) | IssData::SAS::of(row.sas) | IssData::SSE::of(row.sse) |
                            IssData::SF::of(row.sf) | IssData::SRT::of(srt) | 0x07;
            Decoded decoded = decode({esr(ExceptionClass::DataAbortLower, iss), x1, 0x9'0000, elr, Spsr::el1h}, guest);
            EXPECT_EQ(show(complete(decoded.completion, value, guest)), srt == 31 ? "+4" : row.expected) << iss;
        }
    }
}

/// Traps that are no loads and stores, the answer, and what it does.
struct TrapRow {
    const char* what;
    u64 esr;
    u64 x0;
    Answer answer;
    const char* expected;
};
constexpr u64 x5_from(SysReg reg) { return IssSys::of(reg, 5, true); }

const TrapRow trap_rows[] = {
    {"wfi", esr(ExceptionClass::WaitFor, 0), 0, Answer::of_value(0), "+4"},
    {"hypercall", esr(ExceptionClass::Hvc, 0), 3, Answer::of_value(7), "x0=0x7"},
    {"hypercall that failed", esr(ExceptionClass::Hvc, 0), 3, Answer::of_call(CallStatus::Denied, 7), "x0=0xffffffffffffffff"},
    {"version by hvc", esr(ExceptionClass::Hvc, 0), 0x8400'0000, Answer::none(), "x0=0x10001"},
    {"version by smc", esr(ExceptionClass::Smc, 0), 0x8400'0000, Answer::none(), "x0=0x10001 +4"},
    {"unknown function", esr(ExceptionClass::Smc, 0), 0x8400'0014, Answer::none(), "x0=0xffffffffffffffff +4"},
    {"cpu on", esr(ExceptionClass::Hvc, 0), 0xc400'0003, Answer::of_call(CallStatus::Success), "x0=0x0"},
    {"cpu on, already on", esr(ExceptionClass::Hvc, 0), 0xc400'0003, Answer::of_call(CallStatus::AlreadyAvailable),
     "x0=0xfffffffffffffffc"},
    {"cpu on, on pending", esr(ExceptionClass::Smc, 0), 0xc400'0003, Answer::of_call(CallStatus::StartPending),
     "x0=0xfffffffffffffffb +4"},
    {"cpu off does not return", esr(ExceptionClass::Smc, 0), 0x8400'0002, Answer::none(), "nothing"},
    {"cpu off refused", esr(ExceptionClass::Smc, 0), 0x8400'0002, Answer::of_call(CallStatus::Denied),
     "x0=0xfffffffffffffffd +4"},
    {"system off does not return", esr(ExceptionClass::Hvc, 0), 0x8400'0008, Answer::none(), "nothing"},
    {"suspend returns", esr(ExceptionClass::Hvc, 0), 0x8400'0001, Answer::of_call(CallStatus::Success), "x0=0x0"},
    {"affinity info: off", esr(ExceptionClass::Hvc, 0), 0xc400'0004, Answer::of_call(CallStatus::Success, 1), "x0=0x1"},
    {"affinity info: nobody", esr(ExceptionClass::Hvc, 0), 0xc400'0004, Answer::of_call(CallStatus::InvalidParameter),
     "x0=0xfffffffffffffffe"},
    {"sgi", esr(ExceptionClass::SystemRegister, IssSys::of(sysreg::ICC_SGI1R_EL1, 5, false)), 0, Answer::of_value(0), "+4"},
    {"register served", esr(ExceptionClass::SystemRegister, x5_from(sysreg::CNTP_CTL_EL0)), 0, Answer::none(), "x5=0x0 +4"},
    {"register to xzr", esr(ExceptionClass::SystemRegister, IssSys::of(sysreg::CNTP_CTL_EL0, 31, true)), 0, Answer::none(), "+4"},
    {"undefined", esr(ExceptionClass::FpAccess, 0), 0, Answer::undefined(), "exception 0x2000000"},
    {"walk", esr(ExceptionClass::DataAbortLower, 0x86), 0, Answer::bus_fault(), "exception 0x92000016 far 0x1234"},
    {"walk repaired", esr(ExceptionClass::DataAbortLower, 0x86), 0, Answer::retry(), "nothing"},
    {"fetch", esr(ExceptionClass::InstructionAbortLower, 6), 0, Answer::bus_fault(), "exception 0x82000010 far 0x1234"},
    {"fetch of a walk", esr(ExceptionClass::InstructionAbortLower, 0x87), 0, Answer::bus_fault(),
     "exception 0x82000017 far 0x1234"},
    {"the guest's own abort", esr(ExceptionClass::DataAbortLower, 0x250), 0, Answer::none(), "exception 0x92000050 far 0x1234"},
    {"the guest's own abort, no address", esr(ExceptionClass::DataAbortLower, 0x410), 0, Answer::none(), "exception 0x92000410"},
    {"code that is gone", esr(ExceptionClass::DataAbortLower, 6), 0, Answer::none(), "nothing"},
    {"cache maintenance is done", esr(ExceptionClass::DataAbortLower, 0x147), 0, Answer::none(), "+4"},
    {"unhandled", esr(ExceptionClass::Brk, 0), 0, Answer::none(), "nothing"},
};

TEST(Arm64Complete, other_traps) {
    for (const TrapRow& row : trap_rows) {
        FakeGuest guest;
        guest.x[0] = row.x0;
        for (unsigned n = 1; n <= 3; ++n) guest.x[n] = 0;
        Decoded decoded = decode({row.esr, 0x1234, 0x9'0000, elr, Spsr::el1h}, guest);
        EXPECT_EQ(show(complete(decoded.completion, row.answer, guest)), row.expected) << row.what;
    }
}

TEST(Arm64Complete, value_of_a_served_register_reaches_rt) {
    FakeGuest guest;
    Decoded decoded = decode({esr(ExceptionClass::SystemRegister, x5_from(sysreg::CNTP_CVAL_EL0)), 0, 0, elr, Spsr::el1h}, guest);
    decoded.completion.value = 42;
    EXPECT_EQ(show(complete(decoded.completion, Answer::none(), guest)), "x5=0x2a +4");
}

TEST(Arm64Complete, damaged_completion_changes_nothing) {
    FakeGuest guest;
    Completion damaged{.kind = CompletionKind::Memory, .next = 9, .is_load = true};
    EXPECT_EQ(show(complete(damaged, value, guest)), "nothing");
}

TEST(Arm64Psci, every_status_has_its_code) {
    struct Row {
        CallStatus status;
        i64 code;
    };
    constexpr Row rows[] = {
        {CallStatus::Success, 0},         {CallStatus::NotSupported, -1},   {CallStatus::InvalidParameter, -2},
        {CallStatus::Denied, -3},         {CallStatus::AlreadyStopped, -3}, {CallStatus::AlreadyAvailable, -4},
        {CallStatus::AlreadyStarted, -4}, {CallStatus::StartPending, -5},   {CallStatus::Failed, -6},
        {CallStatus::InvalidAddress, -9},
    };
    for (const Row& row : rows) EXPECT_EQ(static_cast<i64>(psci_result(row.status)), row.code);
}

TEST(Arm64Psci, affinity_info_knows_on_off_and_pending) {
    constexpr u64 on = 0, off = 1, pending = 2;
    constexpr u64 expected[] = {on, off, pending, on, on};  // by the number of the power state
    for (u64 state = 0; state < 5; ++state) EXPECT_EQ(affinity_info(CallStatus::Success, state), expected[state]) << state;
}

}  // namespace
}  // namespace ax::arm64::testing
