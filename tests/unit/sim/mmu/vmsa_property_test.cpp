// Random tables, registers and addresses: the walker and the naive reference must agree on every word of the result.
#include <gtest/gtest.h>

#include <map>
#include <tuple>
#include <vector>

#include "sim/mmu/vmsa_walker.hpp"
#include "tests/unit/core/mm/random.hpp"
#include "tests/unit/sim/mmu/vmsa_reference.hpp"

namespace ax::sim::arm64 {
namespace {

using mm::test::Random;

constexpr u64 ram = 0x8000'0000;
constexpr u64 ram_size = u64{4} << 20;

/// Any page may serve as a table of any level of any stage, so descriptors are good for all of them: every `rarity`-th
/// draw of each field is a value that faults.
u64 random_descriptor(Random& random, u64 rarity) {
    u64 d = random.next() & 0x07c0'0000'0000'0b3c;  // what is ignored or harmless: nG, SH, AttrIndx, bits 58:55 and XN
    if (!random.one_in(3)) d &= ~bit(54);
    if (random.one_in(4)) d |= bit(53);
    if (!random.one_in(rarity)) d |= 1;
    if (!random.one_in(10)) d |= 2;
    if (!random.one_in(rarity)) d |= bit(10);
    if (!random.one_in(2 * rarity)) d |= bit(6);
    if (random.one_in(2)) d |= bit(7);
    for (const unsigned n : {59U, 60U, 61U, 62U})
        if (random.one_in(4 * rarity)) d |= bit(n);
    d |= ram + (random.below(ram_size) & ~u64{0xfff});
    if (random.one_in(2 * rarity)) d |= bit(32 + static_cast<unsigned>(random.below(16)));
    return d;
}

void fill(PhysMemory& memory, Random& random, u64 rarity, bool is_big_endian) {
    std::vector<u64> words(ram_size / 8);
    for (u64& word : words) {
        word = random_descriptor(random, rarity);
        // Stage 2 stays little-endian: mixed byte orders still reach some leaf often enough.
        if (is_big_endian && random.one_in(2)) word = __builtin_bswap64(word);
    }
    ASSERT_TRUE(memory.write(Hpa{ram}, std::as_bytes(std::span(words))));
}

u64 random_root(Random& random) {
    u64 root = ram + (random.below(ram_size) & ~u64{0xfff});
    if (random.one_in(40)) root |= bit(32 + static_cast<unsigned>(random.below(16)));
    if (random.one_in(40)) root &= 0xffff;
    return root | (random.next() & 0xffff'0000'0000'0001);  // ASID or VMID, CnP
}

VmsaContext random_context(Random& random, bool is_4k, bool is_big_endian) {
    VmsaContext c;
    c.sctlr = (random.one_in(20) ? 0 : 1) | (random.one_in(3) ? bit(19) : 0) | (is_big_endian ? bit(25) : 0);
    const auto tsz = [&] { return random.one_in(12) ? random.below(64) : 16 + random.below(24); };
    const u64 granule0 = is_4k ? 0 : random.below(4), granule1 = is_4k ? 2 : random.below(4);
    constexpr u64 sizes[] = {2, 5, 5, 5, 0, 1, 3, 7};
    c.tcr = tsz() | (tsz() << 16) | (granule0 << 14) | (granule1 << 30) | (sizes[random.below(8)] << 32);
    c.tcr |= (random.next() & (bit(22) | bit(36) | bit(37) | bit(38)));
    if (random.one_in(12)) c.tcr |= bit(7);
    if (random.one_in(12)) c.tcr |= bit(23);
    c.ttbr0 = random_root(random);
    c.ttbr1 = random_root(random);
    c.mair = random.next();
    c.hcr = (random.one_in(3) ? 0 : 1) | (random.one_in(20) ? bit(12) : 0);
    struct Shape {
        u64 tsz, sl0;
    };
    constexpr Shape good[] = {{25, 1}, {24, 1}, {21, 1}, {16, 2}, {24, 2}, {30, 0}, {31, 0}};
    const Shape shape = random.one_in(10) ? Shape{random.below(64), random.below(4)} : good[random.below(7)];
    c.vtcr = shape.tsz | (shape.sl0 << 6) | ((is_4k ? 0 : random.below(4)) << 14) | (sizes[random.below(8)] << 16);
    c.vttbr = random_root(random);
    c.has_pan = random.one_in(2);
    constexpr unsigned physical[] = {48, 48, 44, 42, 40, 36};
    c.physical_bits = physical[random.below(6)];
    return c;
}

u64 random_va(Random& random, const VmsaContext& c) {
    if (random.one_in(16)) return random.next();
    const bool is_upper = random.one_in(2);
    if (!vmsa::Sctlr::M::test(c.sctlr)) return random.next() >> (28 + random.below(8));
    const u64 size = is_upper ? (c.tcr >> 16) & 0x3f : c.tcr & 0x3f;
    const u64 bits = size < 16 ? 48 : size > 39 ? 25 : 64 - size;
    u64 va = random.next() & (bit(static_cast<unsigned>(bits)) - 1);
    if (is_upper) va |= ~u64{0} << bits;
    if (random.one_in(3)) va ^= random.next() & 0xff00'0000'0000'0000;
    if (random.one_in(30)) va ^= bit(static_cast<unsigned>(random.below(64)));
    return va;
}

bool equal(const VmsaTranslation& a, const VmsaTranslation& b) {
    const auto words = [](const VmsaTranslation& t) {
        return std::tuple(t.page, t.ipa_page, t.non_global, t.pan_applies, t.stage1_shift, t.stage1_level, t.stage2_level);
    };
    return words(a) == words(b) && a.el1 == b.el1 && a.el0 == b.el0 && a.stage2 == b.stage2;
}

struct Tally {
    u64 hits = 0;
    std::map<std::tuple<int, int, bool>, u64> faults;  ///< stage, kind, s1ptw
    std::map<int, u64> levels;                         ///< of hits, stage 1
};

void compare(const PhysMemory& memory, Random& random, bool is_4k, bool is_big_endian, Tally& tally) {
    for (int n = 0; n < 150; ++n) {
        const VmsaContext c = random_context(random, is_4k, is_big_endian);
        const test::VmsaReference reference(memory, c);
        for (int m = 0; m < 60; ++m) {
            const u64 va = random_va(random, c);
            const WalkAccess how{static_cast<Access>(random.below(3)), random.one_in(2), random.one_in(3)};
            const auto expected = reference.walk(va, how);
            const auto found = walk(memory, Gva{va}, how, c);
            ASSERT_EQ(found.has_value(), expected.has_value())
                << std::hex << va << " tcr " << c.tcr << " vtcr " << c.vtcr << " hcr " << c.hcr << " sctlr " << c.sctlr;
            if (found) {
                ASSERT_TRUE(equal(*found, *expected)) << std::hex << va << " tcr " << c.tcr;
                ASSERT_TRUE(allows(*found, how, c));
                ++tally.hits;
                ++tally.levels[found->stage1_level];
                // Every other access is allowed exactly when a new walk would allow it.
                const WalkAccess other{static_cast<Access>(random.below(3)), random.one_in(2), random.one_in(3)};
                ASSERT_EQ(allows(*found, other, c), reference.walk(va, other).has_value());
            } else {
                const VmsaFault& f = found.error();
                ASSERT_EQ(f, expected.error())
                    << std::hex << va << " tcr " << c.tcr << " vtcr " << c.vtcr << " found " << int{f.stage} << int{index(f.kind)}
                    << int{f.level} << " expected " << int{expected.error().stage} << int{index(expected.error().kind)}
                    << int{expected.error().level};
                ++tally.faults[{f.stage, index(f.kind), f.s1ptw}];
            }
        }
    }
}

TEST(VmsaWalkerProperty, agrees_with_a_naive_reference) {
    PhysMemory memory = std::move(*PhysMemory::create(Hpa{ram}, ram_size));
    Random random(4);
    for (const bool is_4k : {true, false}) {
        Tally tally;
        for (const u64 rarity : {u64{200}, u64{60}, u64{12}, u64{100}}) {
            const bool is_big_endian = rarity == 100;
            fill(memory, random, rarity, is_big_endian);
            compare(memory, random, is_4k, is_big_endian, tally);
            if (HasFatalFailure()) return;
        }
        EXPECT_GT(tally.hits, 3000U);
        for (const int level : {1, 2, 3}) EXPECT_GT(tally.levels[level], 20U) << level;
        for (const int stage : {1, 2})
            for (int kind = 0; kind < 5; ++kind)
                for (const bool s1ptw : {false, true}) {
                    if (stage == 1 && s1ptw) continue;
                    EXPECT_GT((tally.faults[{stage, kind, s1ptw}]), 10U) << stage << ' ' << kind << ' ' << s1ptw;
                }
    }
}

}  // namespace
}  // namespace ax::sim::arm64
