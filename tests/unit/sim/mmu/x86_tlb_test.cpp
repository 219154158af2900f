// What the x86 TLB keeps and drops: Intel SDM vol. 3, "Invalidation of TLBs and Paging-Structure Caches".
#include "sim/mmu/x86_tlb.hpp"

#include <gtest/gtest.h>

#include <map>

#include "tests/unit/core/mm/random.hpp"

namespace ax::sim::x86 {
namespace {

using mm::test::Random;

PageTranslation page_at(u64 hpa, bool is_global = false, u8 shift = 12) {
    PageTranslation t;
    t.page = Hpa{hpa};
    t.is_global = is_global;
    t.shift = shift;
    return t;
}

struct LossCase {
    const char* what;
    PagingContext before, after;
    TlbLoss loss;
};

PagingContext paging(u64 cr0, u64 cr3, u64 cr4, u64 efer) {
    PagingContext c;
    c.cr0 = cr0;
    c.cr3 = cr3;
    c.cr4 = cr4;
    c.efer = efer;
    return c;
}

TEST(X86Tlb, registers_that_invalidate) {
    const PagingContext base = paging(bit(31) | 1, 0x1000, bit(5) | bit(7), bit(10));
    const LossCase cases[] = {
        {"nothing changes", base, base, TlbLoss::Nothing},
        {"CR0.PG", base, paging(1, 0x1000, bit(5) | bit(7), 0), TlbLoss::Everything},
        {"CR0.WP is looked at with each access", base, paging(bit(31) | bit(16) | 1, 0x1000, bit(5) | bit(7), bit(10)),
         TlbLoss::Nothing},
        {"CR0.TS", base, paging(bit(31) | bit(3) | 1, 0x1000, bit(5) | bit(7), bit(10)), TlbLoss::Nothing},
        {"CR3", base, paging(bit(31) | 1, 0x2000, bit(5) | bit(7), bit(10)), TlbLoss::NonGlobal},
        {"CR4.PGE", base, paging(bit(31) | 1, 0x1000, bit(5), bit(10)), TlbLoss::Everything},
        {"CR4.SMEP", base, paging(bit(31) | 1, 0x1000, bit(5) | bit(7) | bit(20), bit(10)), TlbLoss::Everything},
        {"CR4.PSE", base, paging(bit(31) | 1, 0x1000, bit(5) | bit(7) | bit(4), bit(10)), TlbLoss::Everything},
        {"CR4.PAE", base, paging(bit(31) | 1, 0x1000, bit(7), bit(10)), TlbLoss::Everything},
        {"CR4.PCE", base, paging(bit(31) | 1, 0x1000, bit(5) | bit(7) | bit(8), bit(10)), TlbLoss::Nothing},
        {"IA32_EFER.NXE", base, paging(bit(31) | 1, 0x1000, bit(5) | bit(7), bit(10) | bit(11)), TlbLoss::Everything},
        {"IA32_EFER.SCE", base, paging(bit(31) | 1, 0x1000, bit(5) | bit(7), bit(10) | 1), TlbLoss::Nothing},
    };
    for (const LossCase& c : cases) {
        EXPECT_EQ(tlb_loss(c.before, c.after), c.loss) << c.what;
        EXPECT_EQ(tlb_loss(c.after, c.before), c.loss) << c.what;
    }
}

TEST(X86Tlb, mov_to_cr3_keeps_global_entries) {
    X86Tlb tlb;
    EXPECT_FALSE(tlb.insert(Gva{0x1000}, page_at(0xa000)));
    EXPECT_FALSE(tlb.insert(Gva{0x2000}, page_at(0xb000, true)));
    tlb.drop(TlbLoss::NonGlobal);
    EXPECT_EQ(tlb.find(Gva{0x1000}), nullptr);
    ASSERT_NE(tlb.find(Gva{0x2abc}), nullptr);
    tlb.drop(TlbLoss::Nothing);
    EXPECT_NE(tlb.find(Gva{0x2000}), nullptr);
    tlb.drop(TlbLoss::Everything);
    EXPECT_EQ(tlb.find(Gva{0x2000}), nullptr);
}

TEST(X86Tlb, a_page_has_one_entry_global_or_not) {
    X86Tlb tlb;
    for (const bool is_global : {false, true, false}) {
        EXPECT_FALSE(tlb.insert(Gva{0x1000}, page_at(is_global ? 0xb000 : 0xa000, is_global)));
        EXPECT_EQ(tlb.find(Gva{0x1000})->page, Hpa{is_global ? u64{0xb000} : u64{0xa000}});
        EXPECT_EQ(tlb.entries(), 1U);
    }
    EXPECT_EQ(tlb.walks(), 3U);
}

TEST(X86Tlb, invlpg_drops_all_pages_of_a_large_page) {
    for (const u8 shift : {u8{21}, u8{22}, u8{30}})
        for (const bool is_global : {false, true}) {
            X86Tlb tlb;
            const u64 base = 0xffff'8000'0000'0000 + 3 * bit(shift), last = base + bit(shift) - page_size;
            for (const u64 va : {base, base + 0x5000, last}) EXPECT_FALSE(tlb.insert(Gva{va}, page_at(0, is_global, shift)));
            EXPECT_FALSE(tlb.insert(Gva{base - page_size}, page_at(0, is_global, shift)));
            EXPECT_FALSE(tlb.insert(Gva{base + 0x6000}, page_at(0)));
            const bool is_more = tlb.drop_page(Gva{base + 0x3000});
            for (const u64 va : {base, base + 0x5000, last}) EXPECT_EQ(tlb.find(Gva{va}), nullptr) << int{shift};
            EXPECT_EQ(is_more, shift == 30);
            EXPECT_EQ(tlb.find(Gva{base - page_size}) == nullptr, is_more);
            EXPECT_EQ(tlb.find(Gva{base + 0x6000}) == nullptr, is_more) << "a small page of its own stays";
        }
}

TEST(X86Tlb, forgets_everything_when_it_is_full_and_says_so) {
    X86Tlb tlb;
    for (u64 n = 0; n < X86Tlb::most_entries; ++n)
        ASSERT_FALSE(tlb.insert(Gva{n << page_shift}, page_at(n << page_shift, n % 2 == 0)));
    EXPECT_EQ(tlb.entries(), X86Tlb::most_entries);
    EXPECT_TRUE(tlb.insert(Gva{bit(40)}, page_at(0x1000)));
    EXPECT_EQ(tlb.entries(), 1U);
    EXPECT_EQ(tlb.find(Gva{0}), nullptr);
    EXPECT_NE(tlb.find(Gva{bit(40)}), nullptr);
    for (u64 n = 0; n < X86Tlb::most_giants; ++n) ASSERT_FALSE(tlb.insert(Gva{n << 30}, page_at(0, false, 30)));
    EXPECT_TRUE(tlb.insert(Gva{X86Tlb::most_giants << 30}, page_at(0, false, 30)));
    EXPECT_EQ(tlb.entries(), 1U);
}

TEST(X86TlbProperty, behaves_like_a_map) {
    Random random(21);
    X86Tlb tlb;
    std::map<u64, PageTranslation> model;
    u64 hits = 0;
    for (int step = 0; step < 300'000; ++step) {
        const u64 page = random.one_in(2) ? random.below(40) : random.below(3000);
        const Gva va{page << page_shift};
        const u64 operation = random.below(2000);
        if (operation < 900) {
            constexpr u8 shifts[] = {12, 12, 12, 21, 22};
            const auto t = page_at(random.next() & ~u64{0xfff}, random.one_in(2), shifts[random.below(5)]);
            ASSERT_FALSE(tlb.insert(va, t));
            model[page] = t;
        } else if (operation < 960) {
            ASSERT_FALSE(tlb.drop_page(va));
            std::erase_if(model, [&](const auto& e) {
                const u64 shift = e.second.shift - page_shift;
                return (e.first >> shift) == (page >> shift);
            });
        } else if (operation == 960) {
            tlb.drop_non_global();
            std::erase_if(model, [](const auto& e) { return !e.second.is_global; });
        } else if (operation == 961 && random.one_in(8)) {
            tlb.drop_all();
            model.clear();
        } else {
            const PageTranslation* found = tlb.find(va);
            const auto expected = model.find(page);
            ASSERT_EQ(found != nullptr, expected != model.end()) << step;
            if (found == nullptr) continue;
            ASSERT_EQ(*found, expected->second) << step;
            ++hits;
        }
        ASSERT_EQ(tlb.entries(), model.size()) << step;
    }
    EXPECT_GT(hits, 10'000U);
}

}  // namespace
}  // namespace ax::sim::x86
