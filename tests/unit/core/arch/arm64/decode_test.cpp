// Decoding beyond the vectors: accesses over two pages, AArch32, and parts one after the other.
#include "core/arch/arm64/decode.hpp"

#include <gtest/gtest.h>

#include "tests/unit/core/arch/arm64/fake_guest.hpp"
#include "tests/unit/core/arch/arm64/show.hpp"

namespace ax::arm64::testing {
namespace {

constexpr u64 elr = 0xffff'0000'0000'1000;
constexpr u64 page_end = FakeGuest::device_va + page_size;
constexpr u32 ldp_x3_x4_x1 = 0xa940'1023;
constexpr u32 stp_x3_x4_x1 = 0xa900'1023;
constexpr u32 ldr_q2_x1_post_16 = 0x3cc1'0422;
constexpr u32 ldp_q2_q3_x1 = 0xad40'0c22;
constexpr u64 translation = 0x07;

u64 data_abort(u64 iss) { return Esr::EC::of(index(ExceptionClass::DataAbortLower)) | Esr::IL::of(1) | iss; }

/// `word` faulted at x1, which is `address`.
Decoded fault_at(FakeGuest& guest, u32 word, u64 address, bool is_write) {
    guest.x[1] = address;
    guest.code[elr] = word;
    const Gpa gpa = *guest.translate(Gva{address}, Access::Read);
    return decode(
        {data_abort(translation | IssData::WnR::of(is_write)), address, Hpfar::FIPA::of(gpa.page_number()), elr, Spsr::el1h},
        guest);
}

TEST(Arm64Decode, pair_over_two_pages_asks_stage_1_for_the_second) {
    FakeGuest guest;
    EXPECT_EQ(show(fault_at(guest, ldp_x3_x4_x1, page_end - 8, false)),
              "mmio-read 0x9000ff8 size 8; load x3.0:8@0x9000ff8 x4.0:8@0xa000000 +4 read fault 0x10 at 0xffff000000003ff8");
    EXPECT_EQ(
        show(fault_at(guest, stp_x3_x4_x1, page_end - 8, true)),
        "mmio-write 0x9000ff8 size 8 value 0x8877665544332203; store x3.0:8@0x9000ff8 x4.0:8@0xa000000 +4 write fault 0x10 at "
        "0xffff000000003ff8");
}

TEST(Arm64Decode, quad_words_are_accessed_by_halves_over_two_pages) {
    FakeGuest guest;
    EXPECT_EQ(show(fault_at(guest, ldr_q2_x1_post_16, page_end - 8, false)),
              "mmio-read 0x9000ff8 size 8; load v2.0:8@0x9000ff8 v2.8:8@0xa000000 x1=0xffff000000004008 +4 read fault 0x10 at "
              "0xffff000000003ff8");
    EXPECT_EQ(show(fault_at(guest, ldp_q2_q3_x1, page_end - 16, false)),
              "mmio-read 0x9000ff0 size 8; load v2.0:8@0x9000ff0 v2.8:8@0x9000ff8 v3.0:8@0xa000000 v3.8:8@0xa000008 +4 read "
              "fault 0x10 at "
              "0xffff000000003ff0");
}

TEST(Arm64Decode, second_page_without_a_translation_is_no_guess) {
    FakeGuest guest;
    guest.pages.erase(page_end);
    EXPECT_EQ(show(fault_at(guest, ldp_x3_x4_x1, page_end - 8, false)),
              "stage2-fault 0x9000ff8 read; none read fault 0x10 at 0xffff000000003ff8");
}

TEST(Arm64Decode, part_that_itself_crosses_is_a_fault) {
    FakeGuest guest;
    EXPECT_EQ(show(fault_at(guest, ldp_x3_x4_x1, page_end - 4, false)),
              "stage2-fault 0x9000ffc read; none read fault 0x10 at 0xffff000000003ffc");
    EXPECT_EQ(show(fault_at(guest, stp_x3_x4_x1, page_end - 12, true)),
              "stage2-fault 0x9000ff4 write; none write fault 0x10 at 0xffff000000003ff4");
}

TEST(Arm64Decode, second_page_of_a_pair_is_a_fault_of_that_page) {
    FakeGuest guest;
    guest.x[1] = page_end - 8;
    guest.code[elr] = ldp_x3_x4_x1;
    const Trap trap{data_abort(translation), page_end, Hpfar::FIPA::of(Gpa{FakeGuest::next_gpa}.page_number()), elr, Spsr::el1h};
    EXPECT_EQ(show(decode(trap, guest)), "stage2-fault 0xa000000 read; none read fault 0x10 at 0xffff000000004000");
}

TEST(Arm64Decode, syndrome_needs_no_code) {
    FakeGuest guest;
    const u64 iss = IssData::ISV::of(1) | IssData::SAS::of(2) | IssData::SRT::of(3) | translation;
    static_cast<void>(decode({data_abort(iss), FakeGuest::x1, 0x9'0000, elr, Spsr::el1h}, guest));
    EXPECT_EQ(guest.fetches, 0U);
}

TEST(Arm64Decode, parts_follow_each_other_until_the_last) {
    FakeGuest guest;
    Decoded decoded = fault_at(guest, ldp_q2_q3_x1, FakeGuest::x1, false);
    std::string exits = show(decoded.exit);
    for (u64 value = 1; !complete(decoded.completion, Answer::of_value(value), guest); ++value) {
        const std::optional<VmExit> next = next_part(decoded.completion, guest);
        ASSERT_TRUE(next.has_value());
        exits += ", " + show(*next);
    }
    EXPECT_EQ(exits,
              "mmio-read 0x9000400 size 8, mmio-read 0x9000408 size 8, mmio-read 0x9000410 size 8, mmio-read 0x9000418 size 8");
    EXPECT_EQ(next_part(decoded.completion, guest), std::nullopt);
}

TEST(Arm64Decode, what_is_no_memory_access_has_no_parts) {
    FakeGuest guest;
    EXPECT_EQ(next_part(Completion{.kind = CompletionKind::Skip}, guest), std::nullopt);
    EXPECT_EQ(next_part(Completion{.kind = CompletionKind::Memory}, guest), std::nullopt);
}

/// AArch32 at EL0: hidden from guests, which may go there all the same.
constexpr u64 aarch32_user = Spsr::nRW::of(1);

TEST(Arm64Decode, aarch32_reaches_memory_but_no_device) {
    FakeGuest guest;
    const u64 iss = IssData::ISV::of(1) | IssData::SAS::of(2) | IssData::SRT::of(3) | translation;
    EXPECT_EQ(show(decode({data_abort(iss), 0x3400, 0x9'0000, 0x1000, aarch32_user}, guest)),
              "stage2-fault 0x9000400 read; none read fault 0x10 at 0x3400");
    EXPECT_EQ(guest.fetches, 0U);
}

TEST(Arm64Decode, short_aarch32_instruction_is_stepped_over_by_its_length) {
    FakeGuest guest;
    const u64 wfi = Esr::EC::of(index(ExceptionClass::WaitFor));
    EXPECT_EQ(show(decode({wfi, 0, 0, 0x1000, aarch32_user}, guest)), "wait; skip +2");
    EXPECT_EQ(show(decode({wfi | Esr::IL::of(1), 0, 0, 0x1000, aarch32_user}, guest)), "wait; skip +4");
    EXPECT_EQ(show(decode({wfi, 0, 0, 0x1000, Spsr::el1h}, guest)), "wait; skip +4");
}

TEST(Arm64Decode, aarch32_system_register_is_undefined_without_a_look_at_the_code) {
    FakeGuest guest;
    guest.code[0x1000] = 0x1234'5678;
    EXPECT_EQ(show(decode({Esr::EC::of(index(ExceptionClass::Cp15)), 0, 0, 0x1000, aarch32_user}, guest)),
              "undefined-insn 0x0; none");
}

}  // namespace
}  // namespace ax::arm64::testing
