// Traps made of random bytes: decoding and completing them never crashes and stays within bounds.
#include <gtest/gtest.h>

#include "core/arch/arm64/decode.hpp"
#include "core/arch/arm64/insn.hpp"
#include "tests/unit/core/arch/riscv/random.hpp"

namespace ax::arm64::testing {
namespace {

using riscv::testing::Random;

/// A guest whose registers, code and translations are random, and now and then not there.
class RandomGuest final : public GuestView {
public:
    explicit RandomGuest(Random& random) : random_(random) {}
    u64 gpr(unsigned n) override {
        EXPECT_LE(n, 31U);
        return n == 31 ? 0 : registers_[n % 31];
    }
    u64 sp() override { return stack_; }
    std::array<u64, 2> vector(unsigned n) override {
        EXPECT_LT(n, 32U);
        return {registers_[n % 31], ~registers_[n % 31]};
    }
    std::optional<u32> fetch(Gva) override {
        if (!is_readable_) return std::nullopt;
        return code;
    }
    std::optional<Gpa> translate(Gva va, Access) override {
        if (!is_mapped_) return std::nullopt;
        return Gpa{va.value() ^ 0x7000'0000'0000};
    }
    void shuffle() {
        for (u64& r : registers_) r = random_.next() >> random_.below(64);
        stack_ = random_.next();
        code = static_cast<u32>(random_.next());
        if (random_.below(4) != 0) code = (code & ~0x0a00'0000U) | 0x0800'0000U;  // "Loads and Stores"
        is_readable_ = random_.below(16) != 0;
        is_mapped_ = random_.below(4) != 0;
    }

    u32 code = 0;

private:
    Random& random_;
    std::array<u64, 31> registers_{};
    u64 stack_ = 0;
    bool is_readable_ = true;
    bool is_mapped_ = true;
};

Trap random_trap(Random& random, RandomGuest& guest) {
    guest.shuffle();
    Trap trap{random.next(), random.next(), random.next(), random.next() & ~u64{3}, random.next()};
    if (random.below(4) != 0) trap.spsr = Spsr::nRW::set(trap.spsr, 0);
    if (random.below(2) == 0) return trap;
    // A data abort that stage 2 made, mostly where the instruction says.
    trap.esr = Esr::EC::set(trap.esr, index(ExceptionClass::DataAbortLower));
    trap.esr = IssData::DFSC::set(trap.esr, 4 + random.below(12));
    for (const u64 rare : {IssData::ISV::mask, IssData::CM::mask, IssData::S1PTW::mask})
        if (random.below(4) != 0) trap.esr &= ~rare;
    if (const auto insn = decode_insn(guest.code, trap.elr, guest)) {
        trap.far = insn->start.value() + (random.below(4) == 0 ? random.below(40) : 0);
        if (random.below(8) != 0) trap.esr = IssData::WnR::set(trap.esr, !insn->is_load);
    }
    return trap;
}

bool is_access_size(unsigned size) { return size == 1 || size == 2 || size == 4 || size == 8; }

/// Counts what came out, so that the test knows it saw more than refusals.
struct Tally {
    unsigned accesses = 0;
    unsigned pairs = 0;
    unsigned faults = 0;
    unsigned walks = 0;
    unsigned aborts = 0;
    unsigned registers = 0;
    unsigned calls = 0;
    unsigned rerun = 0;
};

void check_parts(const Completion& c) {
    ASSERT_GE(c.parts.size(), 1U);
    for (std::size_t i = 0; i < c.parts.size(); ++i) {
        const Part& part = c.parts[i];
        ASSERT_TRUE(is_access_size(part.size));
        ASSERT_LE(part.gpa.page_offset() + part.size, page_size);
        ASSERT_LT(part.reg, 32);
        ASSERT_LE(part.offset + part.size, part.is_vector ? 16 : 8);
        ASSERT_TRUE(part.offset == 0 || (i > 0 && c.parts[i - 1].offset == 0 && c.parts[i - 1].reg == part.reg))
            << "upper half alone";
    }
}

void check(const Decoded& decoded, Tally& tally) {
    const Completion& c = decoded.completion;
    tally.accesses += c.kind == CompletionKind::Memory;
    tally.pairs += c.parts.size() > 1;
    tally.aborts += c.kind == CompletionKind::Abort;
    tally.registers += decoded.sysreg.has_value();
    tally.calls += c.kind == CompletionKind::Call || c.kind == CompletionKind::Hypercall;
    const auto* fault = std::get_if<Stage2Fault>(&decoded.exit);
    tally.faults += fault != nullptr;
    tally.walks += fault != nullptr && fault->by_walk;
    tally.rerun += std::holds_alternative<Handled>(decoded.exit) && c.kind == CompletionKind::None;
    ASSERT_TRUE(c.length == 0 || c.length == 2 || c.length == 4);
    const bool is_access = std::holds_alternative<MmioRead>(decoded.exit) || std::holds_alternative<MmioWrite>(decoded.exit);
    ASSERT_EQ(is_access, c.kind == CompletionKind::Memory);
    if (is_access) check_parts(c);
}

void check(const Effects& effects) {
    for (const GprWrite& write : effects.gprs) ASSERT_LT(write.rd, 32);
    for (const VectorWrite& write : effects.vectors) ASSERT_LT(write.rd, 32);
    ASSERT_TRUE(effects.advance == 0 || effects.advance == 2 || effects.advance == 4);
    if (effects.exception) {
        ASSERT_EQ(effects.advance, 0U);
        ASSERT_TRUE(effects.gprs.empty() && effects.vectors.empty());
    }
}

constexpr std::array answers = {
    Answer::of_value(0x8182'8384'8586'8788),
    Answer::of_call(CallStatus::Denied, 7),
    Answer::bus_fault(),
    Answer::undefined(),
    Answer::retry(),
    Answer::none(),
};

/// Every part but the last answered by a value, the last by `last`; the exits between are as many as there are parts.
void answer_all(Decoded decoded, const Answer& last, GuestView& guest) {
    Completion& c = decoded.completion;
    for (std::size_t i = 1; i < c.parts.size(); ++i) {
        ASSERT_FALSE(complete(c, Answer::of_value(i), guest).has_value());
        const auto exit = next_part(c, guest);
        ASSERT_TRUE(exit.has_value());
        const auto* write = std::get_if<MmioWrite>(&*exit);
        if (write != nullptr) {
            ASSERT_EQ(write->value, zero_extend(write->value, write->size));
        }
        ASSERT_EQ(write == nullptr, c.is_load);
    }
    const auto effects = complete(c, last, guest);
    ASSERT_TRUE(effects.has_value());
    check(*effects);
}

TEST(Arm64DecodeFuzz, random_traps_decode_and_complete_within_bounds) {
    Random random(0x5eed);
    RandomGuest guest(random);
    Tally tally;
    for (unsigned i = 0; i < 250'000; ++i) {
        const Trap trap = random_trap(random, guest);
        const Decoded decoded = decode(trap, guest);
        check(decoded, tally);
        for (const Answer& answer : answers) answer_all(decoded, answer, guest);
        ASSERT_FALSE(HasFailure()) << "trap " << i << std::hex << " esr " << trap.esr << " code " << guest.code;
    }
    for (const unsigned seen :
         {tally.accesses, tally.pairs, tally.faults, tally.walks, tally.aborts, tally.registers, tally.calls, tally.rerun})
        EXPECT_GE(seen, 1000U);
}

}  // namespace
}  // namespace ax::arm64::testing
