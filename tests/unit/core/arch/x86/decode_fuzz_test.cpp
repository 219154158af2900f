// Anything may be in the VMCS, in the registers, in the code and in the answers: no crash, no endless instruction.
#include <gtest/gtest.h>

#include "core/arch/x86/guest.hpp"
#include "tests/unit/core/arch/x86/fake_guest.hpp"
#include "tests/unit/core/arch/x86/random.hpp"
#include "tests/unit/core/arch/x86/show_insn.hpp"

namespace ax::x86::testing {
namespace {

TEST(X86Fuzz, random_bytes_are_an_instruction_of_at_most_fifteen_bytes_or_none) {
    Random random(11);
    u64 decoded = 0;
    for (int round = 0; round < 400'000; ++round) {
        std::array<u8, 20> bytes{};
        for (u8& byte : bytes) byte = static_cast<u8>(random.next());
        const auto code = static_cast<CodeSize>(random.below(3));
        const auto insn = decode_insn(bytes, code);
        if (!insn) continue;
        ++decoded;
        ASSERT_LE(insn->length, max_insn_bytes);
        ASSERT_GE(insn->length, 1);
        ASSERT_TRUE(reads_memory(*insn) || writes_memory(*insn));
        ASSERT_FALSE(show(*insn).empty());
        // The bytes behind it do not matter, each byte of it does.
        ASSERT_EQ(decode_insn(std::span<const u8>(bytes).first(insn->length), code), insn);
        ASSERT_FALSE(decode_insn(std::span<const u8>(bytes).first(insn->length - 1U), code));
    }
    EXPECT_GT(decoded, 40'000U);
}

TEST(X86Fuzz, every_exit_ends_whatever_it_says) {
    Random random(12);
    for (int round = 0; round < 60'000; ++round) {
        FakeGuest fake(static_cast<CodeSize>(random.below(3)));
        fake.vmcs.EXIT_REASON = static_cast<u32>(random.below(4) == 0 ? random.next() : random.below(66));
        fake.vmcs.EXIT_QUALIFICATION = random.below(2) == 0 ? random.next() : random.below(0x1000);
        fake.vmcs.VM_EXIT_INSTRUCTION_INFO = static_cast<u32>(random.next());
        fake.vmcs.VM_EXIT_INSTRUCTION_LENGTH = static_cast<u32>(random.below(16));
        fake.vmcs.VM_EXIT_INTERRUPTION_INFO = static_cast<u32>(random.next());
        fake.vmcs.IDT_VECTORING_INFO = static_cast<u32>(random.below(2) == 0 ? random.next() : 0);
        for (u64& value : fake.regs.gprs.values) value = random.interesting();
        if (random.below(2) == 0) fake.regs.gprs[Gpr::RDI] = FakeGuest::ram + random.below(2 * page_size);
        if (random.below(2) == 0) fake.regs.gprs[Gpr::RSI] = FakeGuest::ram + random.below(2 * page_size);
        fake.code.resize(max_insn_bytes);
        for (u8& byte : fake.code) byte = static_cast<u8>(random.next());
        fake.fetchable = random.below(max_insn_bytes + 1);
        Guest guest = fake.guest();
        Decoded decoded = decode(guest);
        unsigned questions = 0;
        std::optional<Question> next = decoded.question;
        while (next) {
            ASSERT_LE(++questions, 1100U) << "reason " << fake.vmcs.EXIT_REASON;
            next = complete(decoded.completion, {static_cast<AnswerKind>(random.below(6)), CallStatus::Success, random.next()},
                            guest);
        }
    }
}

TEST(X86Fuzz, every_device_instruction_ends_within_three_questions) {
    Random random(13);
    u64 asked = 0;
    for (int round = 0; round < 200'000; ++round) {
        FakeGuest fake;
        fake.device_bytes = page_size;
        fake.code.resize(max_insn_bytes);
        for (u8& byte : fake.code) byte = static_cast<u8>(random.next());
        const auto insn = decode_insn(fake.code, CodeSize::Code64);
        if (!insn || is_string(insn->operation)) continue;
        for (u64& value : fake.regs.gprs.values) value = random.interesting();
        Guest guest = fake.guest();
        const u64 gpa = FakeGuest::device + random.below(page_size - 8);
        fake.violate(0, writes_memory(*insn));
        fake.vmcs.GUEST_LINEAR_ADDRESS = linear_address(fake.vmcs, insn->memory.segment, effective_address(guest, *insn)).value();
        fake.vmcs.GUEST_PHYSICAL_ADDRESS = gpa;
        const u64 rip = fake.vmcs.GUEST_RIP;
        Decoded decoded = decode(guest);
        unsigned questions = 0;
        std::optional<Question> next = decoded.question;
        while (next) {
            ASSERT_LE(++questions, 3U) << show(*insn);
            next = complete(decoded.completion, Answer::of_value(random.next()), guest);
        }
        asked += questions;
        const bool is_done = decoded.completion.kind == CompletionKind::Transfer;
        ASSERT_EQ(fake.vmcs.GUEST_RIP, is_done ? rip + insn->length : rip) << show(*insn);
    }
    EXPECT_GT(asked, 20'000U);
}

}  // namespace
}  // namespace ax::x86::testing
