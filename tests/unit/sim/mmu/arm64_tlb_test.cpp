// Arm ARM DDI 0487, "TLB maintenance instructions" and "TLB maintenance requirements".
#include "sim/mmu/arm64_tlb.hpp"

#include <gtest/gtest.h>

#include <map>
#include <tuple>

#include "tests/unit/core/mm/random.hpp"

namespace ax::sim::arm64 {
namespace {

using mm::test::Random;

constexpr u64 upper = 0xffff'0000'0000'0000;

VmsaTranslation page_at(u64 hpa, bool non_global = true, u8 shift = 12) {
    VmsaTranslation t;
    t.page = Hpa{hpa};
    t.non_global = non_global;
    t.stage1_shift = shift;
    return t;
}

struct Fixture {
    Arm64Tlb tlb;

    bool has(u64 va, TlbTag tag) const { return tlb.find(Gva{va}, tag) != nullptr; }
    void add(u64 va, TlbTag tag, const VmsaTranslation& t) { EXPECT_FALSE(tlb.insert(Gva{va}, tag, t)); }
};

TEST(Arm64Tlb, entries_belong_to_an_asid_or_to_all_of_a_vmid) {
    Fixture f;
    f.add(0x1000, {.vmid = 1, .asid = 5}, page_at(0x8000));
    f.add(0x2000, {.vmid = 1, .asid = 5}, page_at(0x9000, false));
    EXPECT_TRUE(f.has(0x1abc, {.vmid = 1, .asid = 5}));
    EXPECT_FALSE(f.has(0x1abc, {.vmid = 1, .asid = 6}));
    EXPECT_FALSE(f.has(0x1abc, {.vmid = 2, .asid = 5}));
    EXPECT_TRUE(f.has(0x2000, {.vmid = 1, .asid = 6}));
    EXPECT_FALSE(f.has(0x2000, {.vmid = 2, .asid = 6}));
    EXPECT_FALSE(f.has(0x2000, {.vmid = 1, .asid = 6, .stage1_on = false}));
    EXPECT_EQ(f.tlb.walks(), 2U);
}

TEST(Arm64Tlb, translations_with_stage1_off_are_apart) {
    Fixture f;
    f.add(0x1000, {.stage1_on = false}, page_at(0x1000, false));
    EXPECT_FALSE(f.has(0x1000, {}));
    EXPECT_TRUE(f.has(0x1000, {.asid = 9, .stage1_on = false}));
    f.tlb.drop_va(0, 3, Gva{0x1000});
    EXPECT_FALSE(f.has(0x1000, {.stage1_on = false}));
}

TEST(Arm64Tlb, tags_in_addresses_count_only_where_they_are_allowed) {
    Fixture f;
    const TlbTag low{.tbi0 = true};
    f.add(0x4200'0000'0000'1000, low, page_at(0x8000));
    f.add(upper | 0x1000, low, page_at(0x9000));
    EXPECT_TRUE(f.has(0x1000, low));
    EXPECT_TRUE(f.has(0x1000, {}));
    EXPECT_TRUE(f.has(0x9900'0000'0000'1000, low));
    EXPECT_FALSE(f.has(0x9900'0000'0000'1000, {})) << "that address is out of range and must fault";
    EXPECT_FALSE(f.has(0x42ff'0000'0000'1000, low));
    EXPECT_TRUE(f.has(0x42ff'0000'0000'1000, {.tbi1 = true}));
    f.tlb.drop_va(0, 0, Gva{0x00ff'0000'0000'1000});
    EXPECT_FALSE(f.has(upper | 0x1000, low)) << "TLBI VAE1 names bits 55:12";
}

TEST(Arm64Tlb, an_insertion_replaces_what_was_found_before) {
    Fixture f;
    const TlbTag tag{.asid = 5}, other{.asid = 6};
    f.add(0x1000, tag, page_at(0x8000));
    f.add(0x1000, tag, page_at(0x9000, false));
    EXPECT_EQ(f.tlb.find(Gva{0x1000}, tag)->page, Hpa{0x9000});
    f.add(0x1000, other, page_at(0xa000));
    EXPECT_FALSE(f.has(0x1000, tag));
    EXPECT_EQ(f.tlb.entries(), 1U);
}

TEST(Arm64Tlb, tlbi_drops_what_the_manual_names) {
    enum class Entry { Own, OtherAsid, Global, OtherPage, OtherVmid };
    struct Case {
        const char* instruction;
        void (*run)(Arm64Tlb&);
        std::array<bool, 5> stays;  ///< by Entry
    };
    const Case cases[] = {
        {"ALLE1", [](Arm64Tlb& t) { t.drop_all(); }, {false, false, false, false, false}},
        {"VMALLE1", [](Arm64Tlb& t) { t.drop_vmid(1); }, {false, false, false, false, true}},
        {"IPAS2E1", [](Arm64Tlb& t) { t.drop_ipa(1, Gpa{0}); }, {false, false, false, false, true}},
        {"ASIDE1", [](Arm64Tlb& t) { t.drop_asid(1, 5); }, {false, true, true, true, true}},
        {"ASIDE1 of an ASID that has nothing", [](Arm64Tlb& t) { t.drop_asid(1, 0xffff); }, {true, true, true, true, true}},
        {"VAE1", [](Arm64Tlb& t) { t.drop_va(1, 5, Gva{0x1000}); }, {false, true, true, true, true}},
        {"VAE1 of a global page", [](Arm64Tlb& t) { t.drop_va(1, 5, Gva{0x2000}); }, {true, true, false, true, true}},
        {"VAAE1", [](Arm64Tlb& t) { t.drop_va_all_asids(1, Gva{0x1000}); }, {false, false, true, true, true}},
        {"VAAE1 of a global page", [](Arm64Tlb& t) { t.drop_va_all_asids(1, Gva{0x2000}); }, {true, true, false, true, true}},
        {"of a VMID that has nothing", [](Arm64Tlb& t) { t.drop_va(7, 5, Gva{0x1000}); }, {true, true, true, true, true}},
    };
    for (const Case& c : cases) {
        Fixture f;
        const TlbTag own{.vmid = 1, .asid = 5}, other{.vmid = 1, .asid = 6}, vmid{.vmid = 2, .asid = 5};
        f.add(0x1000, own, page_at(0x8000));
        f.add(0x1000, other, page_at(0x9000));
        f.add(0x2000, own, page_at(0xa000, false));
        f.add(0x3000, other, page_at(0xb000));
        f.add(0x1000, vmid, page_at(0xc000));
        c.run(f.tlb);
        const bool found[] = {f.has(0x1000, own), f.has(0x1000, other), f.has(0x2000, other), f.has(0x3000, other),
                              f.has(0x1000, vmid)};
        for (std::size_t n = 0; n < 5; ++n) EXPECT_EQ(found[n], c.stays[n]) << c.instruction << ' ' << n;
    }
}

TEST(Arm64Tlb, tlbi_by_address_drops_all_pages_of_a_block) {
    for (const u8 shift : {u8{16}, u8{21}, u8{30}}) {
        Fixture f;
        const u64 base = 3 * bit(shift), last = base + bit(shift) - page_size;
        for (const bool non_global : {true, false}) {
            for (const u64 va : {base, base + 0x5000, last}) f.add(va, {.asid = 5}, page_at(0, non_global, shift));
            f.add(base - page_size, {.asid = 5}, page_at(0, non_global, shift));
            f.tlb.drop_va(0, 5, Gva{base + 0x3000});
            for (const u64 va : {base, base + 0x5000, last}) EXPECT_FALSE(f.has(va, {.asid = 5})) << int{shift};
            EXPECT_TRUE(f.has(base - page_size, {.asid = 5}));
        }
    }
}

TEST(Arm64Tlb, forgets_everything_when_it_is_full_and_says_so) {
    Arm64Tlb tlb;
    for (u64 n = 0; n < Arm64Tlb::most_entries; ++n)
        ASSERT_FALSE(tlb.insert(Gva{n << page_shift}, {.asid = static_cast<u16>(n)}, page_at(n << page_shift)));
    EXPECT_EQ(tlb.entries(), Arm64Tlb::most_entries);
    EXPECT_NE(tlb.find(Gva{0}, {}), nullptr);
    EXPECT_TRUE(tlb.insert(Gva{bit(40)}, {}, page_at(0x1000)));
    EXPECT_EQ(tlb.entries(), 1U);
    EXPECT_EQ(tlb.find(Gva{0}, {}), nullptr);
    EXPECT_NE(tlb.find(Gva{bit(40)}, {}), nullptr);
}

/// The same promises over a map: (VMID, owner, page); owner -1 is global, -2 made with stage 1 off.
class Model {
public:
    using Key = std::tuple<u16, int, u64>;

    const VmsaTranslation* find(u64 page, TlbTag tag) const {
        auto at = entries.find({tag.vmid, tag.stage1_on ? int{tag.asid} : -2, page});
        if (at == entries.end() && tag.stage1_on) at = entries.find({tag.vmid, -1, page});
        return at == entries.end() ? nullptr : &at->second;
    }
    void insert(u64 page, TlbTag tag, const VmsaTranslation& t) {
        entries.erase({tag.vmid, tag.stage1_on ? int{tag.asid} : -2, page});
        if (tag.stage1_on) entries.erase({tag.vmid, -1, page});
        entries[{tag.vmid, !tag.stage1_on ? -2 : t.non_global ? int{tag.asid} : -1, page}] = t;
    }
    template <class Predicate>
    void drop(Predicate doomed) {
        std::erase_if(entries, [&](const auto& e) {
            return doomed(std::get<0>(e.first), std::get<1>(e.first), std::get<2>(e.first), e.second);
        });
    }
    void drop_va(u16 vmid, u64 page, int asid, bool all) {
        drop([&](u16 v, int owner, u64 p, const VmsaTranslation& t) {
            const u64 shift = t.stage1_shift - page_shift;
            return v == vmid && (p >> shift) == (page >> shift) && (all || owner < 0 || owner == asid);
        });
    }

    std::map<Key, VmsaTranslation> entries;
};

TEST(Arm64TlbProperty, behaves_like_a_map) {
    Random random(12);
    Arm64Tlb tlb;
    Model model;
    u64 hits = 0;
    for (int step = 0; step < 200'000; ++step) {
        const u64 page = random.one_in(2) ? random.below(40) : random.below(3000);
        const Gva va{page << page_shift};
        const TlbTag tag{.vmid = static_cast<u16>(random.below(3)),
                         .asid = static_cast<u16>(random.below(5) * 977),
                         .stage1_on = !random.one_in(8)};
        const u64 operation = random.below(1000);
        if (operation < 450) {
            constexpr u8 shifts[] = {12, 12, 14, 16, 21};
            auto t = page_at(random.next() & ~u64{0xfff}, random.one_in(2), shifts[random.below(5)]);
            ASSERT_FALSE(tlb.insert(va, tag, t));
            model.insert(page, tag, t);
        } else if (operation < 500) {
            tlb.drop_va(tag.vmid, tag.asid, va);
            model.drop_va(tag.vmid, page, tag.asid, false);
        } else if (operation < 520) {
            tlb.drop_va_all_asids(tag.vmid, va);
            model.drop_va(tag.vmid, page, 0, true);
        } else if (operation < 523) {
            tlb.drop_asid(tag.vmid, tag.asid);
            model.drop([&](u16 v, int owner, u64, const VmsaTranslation&) { return v == tag.vmid && owner == tag.asid; });
        } else if (operation == 523 && random.one_in(4)) {
            tlb.drop_vmid(tag.vmid);
            model.drop([&](u16 v, int, u64, const VmsaTranslation&) { return v == tag.vmid; });
        } else if (operation == 524 && random.one_in(8)) {
            tlb.drop_all();
            model.entries.clear();
        } else {
            const VmsaTranslation* found = tlb.find(va, tag);
            const VmsaTranslation* expected = model.find(page, tag);
            ASSERT_EQ(found != nullptr, expected != nullptr) << step;
            if (found == nullptr) continue;
            ASSERT_EQ(found->page, expected->page) << step;
            ++hits;
        }
        ASSERT_EQ(tlb.entries(), model.entries.size()) << step;
    }
    EXPECT_GT(hits, 10'000U);
}

}  // namespace
}  // namespace ax::sim::arm64
