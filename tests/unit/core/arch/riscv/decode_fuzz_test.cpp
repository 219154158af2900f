// Traps made of random bytes: decoding and completing them never crashes and stays within bounds.
#include <gtest/gtest.h>

#include "core/arch/riscv/decode.hpp"
#include "tests/unit/core/arch/riscv/fake_guest.hpp"
#include "tests/unit/core/arch/riscv/random.hpp"
#include "tests/unit/core/arch/riscv/show.hpp"

namespace ax::riscv::testing {
namespace {

/// A guest whose registers and code are random, and now and then unreadable.
class RandomGuest final : public GuestView {
public:
    explicit RandomGuest(Random& random) : random_(random) {}
    u64 gpr(unsigned n) override {
        EXPECT_LT(n, 32u);
        return registers_[n % 32];
    }
    std::optional<u16> fetch(Gva) override {
        if (random_.below(16) == 0) return std::nullopt;
        return static_cast<u16>(code_[fetches_++ % code_.size()]);
    }
    void shuffle() {
        for (u64& r : registers_) r = random_.next() >> random_.below(64);
        for (u16& c : code_) c = static_cast<u16>(random_.next());
        fetches_ = 0;
    }
    /// Makes the code a load or store and tells the address it accesses.
    u64 put_access() {
        const bool is_load = random_.below(2) == 0;
        code_[0] = static_cast<u16>((code_[0] & 0x7f80u) | (is_load ? 0x03u : 0x23u));
        const u32 bits = u32{code_[1]} << 16 | code_[0];
        const auto immediate =
            is_load ? static_cast<i32>(bits) >> 20 : (static_cast<i32>(bits) >> 25) * 32 + static_cast<i32>(bits >> 7 & 31);
        const unsigned base = bits >> 15 & 31;
        return (base == 0 ? 0 : registers_[base]) + static_cast<u64>(i64{immediate});
    }

private:
    Random& random_;
    std::array<u64, 32> registers_{};
    std::array<u16, 2> code_{};
    std::size_t fetches_ = 0;
};

u64 random_cause(Random& random) {
    if (random.below(8) == 0) return random.next();
    if (random.below(8) == 0) return (u64{1} << 63) | random.below(16);
    if (random.below(2) == 0) return random.below(2) == 0 ? 21 : 23;
    return random.below(25);
}

u64 random_htinst(Random& random) {
    const u64 length_bits = random.below(2) == 0 ? 0x1 : 0x3;
    const u64 fields = random.below(2) == 0 ? 0x01f0'7f80 : 0x01ff'ff80;
    switch (random.below(4)) {
        case 0: return 0;
        case 1: return random.next();
        case 2: return (random.next() & fields & 0x000f'ff80) | length_bits;
        default: return (random.next() & fields & 0x01ff'f000) | 0x20 | length_bits;
    }
}

Trap random_trap(Random& random, RandomGuest& guest) {
    guest.shuffle();
    Trap trap;
    trap.scause = random_cause(random);
    trap.stval = random.below(4) == 0 ? 0 : random.next();
    trap.htval = random.next();
    trap.htinst = random_htinst(random);
    trap.hstatus = random.next();
    trap.sstatus = random.next();
    trap.sepc = random.next() & ~u64{1};
    if (random.below(3) == 0) trap.stval = guest.put_access() + random.below(10);
    return trap;
}

constexpr std::array answers = {
    Answer::of_value(0x8182'8384'8586'8788),
    Answer::of_call(CallStatus::Denied, 7),
    Answer::bus_fault(),
    Answer::undefined(),
    Answer::retry(),
    Answer::none(),
};

bool is_access_size(unsigned size) { return size == 1 || size == 2 || size == 4 || size == 8; }

/// Counts what came out, so that the test knows it saw more than refusals.
struct Tally {
    unsigned reads = 0;
    unsigned writes = 0;
    unsigned stage2 = 0;
    unsigned calls = 0;
    unsigned rerun = 0;
};

void check_exit(const Decoded& decoded, Tally& tally) {
    if (const auto* read = std::get_if<MmioRead>(&decoded.exit)) {
        ++tally.reads;
        ASSERT_TRUE(is_access_size(read->size));
        ASSERT_LE(read->gpa.page_offset() + read->size, page_size);
        ASSERT_EQ(decoded.completion.kind, CompletionKind::Load);
        ASSERT_EQ(decoded.completion.size, read->size);
    }
    if (const auto* write = std::get_if<MmioWrite>(&decoded.exit)) {
        ++tally.writes;
        ASSERT_TRUE(is_access_size(write->size));
        ASSERT_LE(write->gpa.page_offset() + write->size, page_size);
        ASSERT_EQ(write->value, zero_extend(write->value, write->size));
        ASSERT_EQ(decoded.completion.kind, CompletionKind::Store);
    }
    if (std::holds_alternative<Stage2Fault>(decoded.exit)) ++tally.stage2;
    if (decoded.completion.kind == CompletionKind::SbiCall) ++tally.calls;
    if (std::holds_alternative<Handled>(decoded.exit) && decoded.completion.kind == CompletionKind::None) ++tally.rerun;
    ASSERT_TRUE(decoded.completion.length == 2 || decoded.completion.length == 4);
}

void check_effects(const Effects& effects) {
    for (const auto& write : {effects.first, effects.second}) {
        if (!write) continue;
        ASSERT_NE(write->rd, 0);
        ASSERT_LT(write->rd, 32);
    }
    ASSERT_TRUE(effects.advance == 0 || effects.advance == 2 || effects.advance == 4);
    if (effects.exception) {
        ASSERT_EQ(effects.advance, 0u);
    }
}

TEST(RiscvDecodeFuzz, random_traps_decode_and_complete_within_bounds) {
    Random random(0x5eed);
    RandomGuest guest(random);
    Tally tally;
    for (unsigned i = 0; i < 250'000; ++i) {
        const Trap trap = random_trap(random, guest);
        const Decoded decoded = decode(trap, guest);
        check_exit(decoded, tally);
        for (const Answer& answer : answers) check_effects(complete(decoded.completion, answer));
        ASSERT_FALSE(HasFatalFailure()) << "trap " << i << ": " << hex(trap.scause) << " stval " << hex(trap.stval) << " htinst "
                                        << hex(trap.htinst) << " -> " << show(decoded);
    }
    EXPECT_GT(tally.reads, 1'000u);
    EXPECT_GT(tally.writes, 1'000u);
    EXPECT_GT(tally.stage2, 1'000u);
    EXPECT_GT(tally.calls, 1'000u);
    EXPECT_GT(tally.rerun, 1'000u);
}

TEST(RiscvDecodeFuzz, random_completions_from_a_damaged_state_stay_within_bounds) {
    Random random(0xdead);
    for (unsigned i = 0; i < 100'000; ++i) {
        Completion c;
        c.kind = static_cast<CompletionKind>(random.below(10));
        c.rd = static_cast<u8>(random.next());
        c.size = static_cast<u8>(random.next());
        c.is_signed = random.below(2) == 0;
        for (const Answer& answer : answers) {
            const Effects effects = complete(c, answer);
            check_effects(effects);
            ASSERT_FALSE(HasFatalFailure()) << i;
        }
    }
}

}  // namespace
}  // namespace ax::riscv::testing
