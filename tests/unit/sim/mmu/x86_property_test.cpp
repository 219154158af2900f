// Random tables, registers and addresses: the walker and the naive reference must agree on every word of the result and
// on every byte of memory afterwards.
#include <gtest/gtest.h>

#include <cstring>
#include <map>
#include <tuple>
#include <vector>

#include "sim/mmu/x86_walk.hpp"
#include "tests/unit/core/mm/random.hpp"
#include "tests/unit/sim/mmu/x86_reference.hpp"

namespace ax::sim::x86 {
namespace {

using mm::test::Random;

constexpr u64 ram = 0x4000'0000;
constexpr u64 pages = 48;
constexpr u64 guest_pages = 24;  ///< the rest holds EPT
constexpr u64 ram_size = pages * page_size;

u64 guest_page(Random& random) { return ram + random.below(guest_pages) * page_size; }
u64 ept_page(Random& random) { return ram + (guest_pages + random.below(pages - guest_pages)) * page_size; }
u64 stray_bit(Random& random, unsigned from, unsigned to) { return bit(from + static_cast<unsigned>(random.below(to - from))); }

/// Any guest page may be a table of any level: every `rarity`-th draw of a field is a value that matters.
u64 random_entry(Random& random, u64 rarity) {
    u64 e = random.next() & 0xf78;  // D, PAT or PS below, G, what is ignored
    e &= ~bit(7);
    if (!random.one_in(rarity)) e |= 1;
    if (!random.one_in(rarity / 4 + 2)) e |= 2;
    if (!random.one_in(rarity / 4 + 2)) e |= 4;
    if (random.one_in(2)) e |= 0x20;
    if (random.one_in(8)) e |= bit(7);
    if (random.one_in(rarity / 2 + 2)) e |= bit(63);
    if (random.one_in(2 * rarity)) e |= stray_bit(random, 36, 63);
    if ((e & 0x80) != 0 && !random.one_in(8)) return e | ram;  // a large page that begins where RAM does
    return e | guest_page(random);
}

u64 random_ept_entry(Random& random, u64 rarity) {
    u64 e = random.next() & (random.one_in(2) ? 0xfff0'0000'0000'0f00 : 0);
    if (!random.one_in(rarity)) e |= 1;
    if (!random.one_in(rarity)) e |= 2;
    if (!random.one_in(rarity)) e |= 4;
    if (random.one_in(2 * rarity)) e |= stray_bit(random, 36, 52);
    if (random.one_in(2 * rarity)) e |= stray_bit(random, 3, 7);
    if (random.one_in(10)) return e | ram | bit(7) | (random.one_in(rarity) ? random.next() & 0x38 : 0x30);
    return e | ept_page(random);
}
/// The pages of EPT that map to guest RAM come from the lowest level, which is entered by chance like any other; so half
/// of all tables are of leaves.
u64 random_ept_leaf(Random& random, u64 rarity) {
    constexpr u64 types[] = {0, 1, 4, 5, 6, 6, 6, 6};
    u64 e = random_ept_entry(random, rarity) & ~(bit(52) - 1 - 7);
    e |= (random.one_in(rarity) ? random.below(8) : types[random.below(8)]) << 3;
    if (random.one_in(2 * rarity)) return e | 0x1000;
    return e | (random.one_in(40) ? ept_page(random) : guest_page(random));
}

/// EPT pages are of levels 4 and 3, 2, 1 by their number modulo 4, and lead to the next kind.
std::vector<u8> random_memory(Random& random, u64 rarity, bool is_32_bit) {
    std::vector<u8> bytes(ram_size);
    const auto put = [&](u64 page, u64 n, u64 entry) { std::memcpy(&bytes[page * page_size + 8 * n], &entry, 8); };
    for (u64 page = 0; page < pages; ++page) {
        for (u64 n = 0; n < 512; ++n) {
            if (page < guest_pages) {
                u64 e = random_entry(random, rarity);
                if (is_32_bit) e = (e & 0xffff'ffff) | (random_entry(random, rarity) << 32);
                put(page, n, e);
                continue;
            }
            const u64 level = 4 - page % 4;
            u64 e = level == 1 ? random_ept_leaf(random, rarity) : random_ept_entry(random, rarity);
            if (level > 1 && (e & 0x80) == 0) {
                const u64 next = guest_pages + random.below((pages - guest_pages) / 4) * 4 + (4 - level + 1) % 4;
                e = (e & ~(u64{0xff} << 12)) | ((next * page_size) & (u64{0xff} << 12)) | ram;
            }
            put(page, n, e);
        }
    }
    return bytes;
}

PagingContext random_context(Random& random, PagingMode mode) {
    PagingContext c;
    c.cr0 = (mode == PagingMode::Off ? 1 : bit(31) | 1) | (random.next() & bit(16));
    c.cr4 = random.next() & (bit(7) | bit(20) | bit(21) | bit(4));
    if (mode == PagingMode::Pae || mode == PagingMode::FourLevel) c.cr4 |= bit(5);
    c.efer = (random.one_in(3) ? 0 : bit(11)) | (mode == PagingMode::FourLevel ? bit(10) : 0);
    c.cr3 = guest_page(random) | (random.next() & 0xfff);
    for (u64& pdpte : c.pdptes) pdpte = guest_page(random) | (random.one_in(6) ? 0 : 1);
    c.has_ept = !random.one_in(4);
    const u64 root = guest_pages + 4 * random.below((pages - guest_pages) / 4);
    c.eptp = (ram + root * page_size) | 0x1e | (random.one_in(3) ? 0x40 : 0);
    constexpr unsigned widths[] = {36, 39, 40, 46, 52};
    c.features = {widths[random.below(5)], !random.one_in(3), !random.one_in(3), !random.one_in(3)};
    return c;
}

u64 random_va(Random& random, PagingMode mode) {
    if (mode == PagingMode::Off) return random.one_in(6) ? random.next() : ram + random.below(guest_pages * page_size);
    if (random.one_in(30)) return random.next();
    // Large pages begin where RAM does, so that small offsets are worth more.
    u64 va = random.next() & (random.one_in(2) ? 0x0000'ffff'ffff'ffff : 0x0000'ffff'c001'7fff);
    return static_cast<u64>(static_cast<i64>(va << 16) >> 16);
}

WalkAccess random_access(Random& random) {
    return {static_cast<Access>(random.below(3)), random.one_in(2), random.one_in(6), random.one_in(2)};
}

struct Tally {
    u64 hits = 0, dirty_stores = 0;
    std::map<std::pair<WalkFaultKind, u64>, u64> faults;
    std::map<int, u64> shifts;
};

void compare(Random& random, PagingMode mode, u64 rarity, Tally& tally) {
    PhysMemory memory = std::move(*PhysMemory::create(Hpa{ram}, ram_size));
    std::vector<u8> copy = random_memory(random, rarity, mode == PagingMode::Bits32);
    ASSERT_TRUE(memory.write(Hpa{ram}, std::as_bytes(std::span(copy))));
    PagingContext c;
    for (int n = 0; n < 600; ++n) {
        if (n % 20 == 0) c = random_context(random, mode);
        const u64 va = random_va(random, mode);
        const WalkAccess how = random_access(random);
        const u64 before = memory.hash();
        const auto expected = test::X86Reference(copy, ram, c).walk(va, how);
        const auto found = walk(memory, Gva{va}, how, c);
        ASSERT_EQ(found.has_value(), expected.has_value()) << std::hex << va << " cr4 " << c.cr4 << " eptp " << c.eptp;
        ASSERT_EQ(std::memcmp(memory.pointer(Hpa{ram}), copy.data(), ram_size), 0) << std::hex << va;
        tally.dirty_stores += memory.hash() != before ? 1 : 0;
        if (!found) {
            const WalkFault &f = found.error(), &e = expected.error();
            ASSERT_EQ(f, e) << std::hex << va << " kind " << int{index(f.kind)} << int{index(e.kind)} << " code " << f.code << ' '
                            << e.code << " gpa " << f.gpa.value() << ' ' << e.gpa.value();
            ++tally.faults[{f.kind, f.kind == WalkFaultKind::PageFault ? f.code & 9 : f.code & 0x180}];
            continue;
        }
        ASSERT_EQ(*found, *expected) << std::hex << va;
        ASSERT_TRUE(allows(*found, how, c));
        ++tally.hits;
        ++tally.shifts[found->shift];
        if (!random.one_in(4)) continue;
        // Every other access is allowed when a new walk would allow it and has no D left to set.
        const WalkAccess other = random_access(random);
        std::vector<u8> scratch = copy;
        const auto again = test::X86Reference(scratch, ram, c).walk(va, other);
        const bool lacks_dirty = other.access == Access::Write && !found->is_dirty;
        ASSERT_EQ(allows(*found, other, c), again.has_value() && !lacks_dirty) << std::hex << va;
    }
}

TEST(X86WalkProperty, agrees_with_a_naive_reference) {
    Random random(5);
    for (const PagingMode mode : {PagingMode::Off, PagingMode::Bits32, PagingMode::Pae, PagingMode::FourLevel}) {
        Tally tally;
        for (const u64 rarity : {u64{400}, u64{150}, u64{60}, u64{15}})
            for (int n = 0; n < 6; ++n) {
                compare(random, mode, rarity, tally);
                if (HasFatalFailure()) return;
            }
        const auto faults = [&](WalkFaultKind kind, u64 code) { return tally.faults[{kind, code}]; };
        EXPECT_GT(tally.hits, 2000U);
        EXPECT_GT(faults(WalkFaultKind::EptViolation, 0x180), 20U);
        EXPECT_GT(faults(WalkFaultKind::EptMisconfigured, 0), 50U);
        if (mode == PagingMode::Off) continue;
        EXPECT_GT(tally.dirty_stores, 500U);
        EXPECT_GT(faults(WalkFaultKind::EptViolation, 0x80), 50U);
        for (const u64 code : {0U, 1U, 9U}) EXPECT_GT(faults(WalkFaultKind::PageFault, code), 10U) << code;
        const int large = mode == PagingMode::Bits32 ? 22 : 21;
        EXPECT_GT(tally.shifts[12], 500U);
        EXPECT_GT(tally.shifts[large], 100U);
        if (mode == PagingMode::FourLevel) {
            EXPECT_GT(tally.shifts[30], 50U);
            EXPECT_GT(faults(WalkFaultKind::NonCanonical, 0), 50U);
        }
    }
}

}  // namespace
}  // namespace ax::sim::x86
