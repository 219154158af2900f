// RISC-V Privileged, "Virtual Address Translation Process" and "Two-Stage Address Translation".
#include "sim/mmu/sv39_walker.hpp"

#include <gtest/gtest.h>

#include "core/arch/riscv/regs.hpp"
#include "core/mm/stage2.hpp"
#include "core/mm/sv39x4.hpp"
#include "sim/mmu/tlb.hpp"
#include "sim/phys/frame_allocator.hpp"
#include "tests/unit/core/mm/random.hpp"

namespace ax::sim {
namespace {

using ax::riscv::Pte;
using mm::test::Random;

constexpr u64 ram = 0x8000'0000;
constexpr u64 V = 1, R = 2, W = 4, X = 8, U = 16, A = 64, D = 128;
constexpr u64 leaf_bits = V | R | W | X | A | D;
constexpr u64 mode_39 = u64{8} << 60;

/// VS root at page 1, its level-1 table at page 2, level 0 at page 3; G root at page 8, then 12 and 13.
struct Tables {
    PhysMemory memory = std::move(*PhysMemory::create(Hpa{ram}, 64 * page_size));
    TranslationContext context;

    Tables() {
        context.vsatp = mode_39 | ((ram + page_size) >> 12);
        set(1, 0, pointer(2));
        set(2, 0, pointer(3));
    }
    static u64 frame(u64 page) { return ram + page * page_size; }
    static u64 pointer(u64 page) { return (frame(page) >> 2) | V; }
    void set(u64 page, u64 entry, u64 pte) {
        EXPECT_TRUE(memory.write(Hpa{frame(page) + 8 * entry}, std::as_bytes(std::span(&pte, 1))));
    }
    u64 get(u64 page, u64 entry) {
        u64 pte = 0;
        EXPECT_TRUE(memory.read(Hpa{frame(page) + 8 * entry}, std::as_writable_bytes(std::span(&pte, 1))));
        return pte;
    }
    /// A second stage that maps RAM to itself: one level-0 table for its first 2 MiB.
    void use_stage2() {
        context.hgatp = mode_39 | (frame(8) >> 12);
        set(8, ram >> 30, pointer(12));
        set(12, 0, pointer(13));
        for (u64 page = 0; page < 64; ++page) set(13, page, (frame(page) >> 2) | leaf_bits | U);
    }
    auto walk_at(u64 va, Access access = Access::Read, bool is_user = false) {
        return walk(memory, Gva{va}, {access, is_user}, context);
    }
};

TEST(SimWalker, leaf_bits_decide) {
    struct Case {
        const char* why;
        u64 bits;
        Access access;
        bool is_user;
        bool allowed;
        bool sum = false, mxr = false, hs_mxr = false;
    };
    const Case cases[] = {
        {"invalid", leaf_bits & ~V, Access::Read, false, false},
        {"W without R is reserved", leaf_bits & ~R, Access::Read, false, false},
        {"read", V | R | A, Access::Read, false, true},
        {"read only", V | R | A | D, Access::Write, false, false},
        {"write", V | R | W | A | D, Access::Write, false, true},
        {"no execute", V | R | W | A | D, Access::Execute, false, false},
        {"execute", V | X | A, Access::Execute, false, true},
        {"execute only is not readable", V | X | A, Access::Read, false, false},
        {"but with MXR", V | X | A, Access::Read, false, true, false, true},
        {"or with MXR of HS-mode", V | X | A, Access::Read, false, true, false, false, true},
        {"MXR does not make writable", V | X | A | D, Access::Write, false, false, false, true},
        {"user page, supervisor", leaf_bits | U, Access::Read, false, false},
        {"with SUM", leaf_bits | U, Access::Read, false, true, true},
        {"with SUM", leaf_bits | U, Access::Write, false, true, true},
        {"SUM is not for fetches", leaf_bits | U, Access::Execute, false, false, true},
        {"user page, user", leaf_bits | U, Access::Execute, true, true},
        {"supervisor page, user", leaf_bits, Access::Read, true, false},
        {"supervisor page, user, SUM", leaf_bits, Access::Read, true, false, true},
        {"A clear", leaf_bits & ~A, Access::Read, false, false},
        {"D clear, read", leaf_bits & ~D, Access::Read, false, true},
        {"D clear, write", leaf_bits & ~D, Access::Write, false, false},
        {"reserved bit 54", leaf_bits | u64{1} << 54, Access::Read, false, false},
        {"PBMT", leaf_bits | u64{1} << 61, Access::Read, false, false},
        {"N", leaf_bits | u64{1} << 63, Access::Read, false, false},
        {"RSW is software's", leaf_bits | u64{3} << 8, Access::Read, false, true},
        {"a pointer at the last level", V, Access::Read, false, false},
    };
    for (const Case& c : cases) {
        Tables t;
        t.context.sum = c.sum;
        t.context.mxr = c.mxr;
        t.context.hs_mxr = c.hs_mxr;
        t.set(3, 5, (t.frame(20) >> 2) | c.bits);
        const auto found = t.walk_at(0x5678, c.access, c.is_user);
        ASSERT_EQ(found.has_value(), c.allowed) << c.why;
        if (found) {
            EXPECT_EQ(found->page, Hpa{t.frame(20)}) << c.why;
        }
        if (!found) {
            EXPECT_EQ(found.error().kind, FaultKind::VsPage) << c.why;
        }
    }
}

TEST(SimWalker, superpages_must_be_aligned) {
    for (const int level : {1, 2}) {
        for (const bool aligned : {true, false}) {
            Tables t;
            const u64 span = u64{1} << (12 + 9 * level);
            t.set(level == 2 ? 1 : 2, level == 2 ? 3 : 7, ((ram + (aligned ? 0 : page_size)) >> 2) | leaf_bits);
            const auto found = t.walk_at((level == 2 ? 3 : 7) * span + 0x3123);
            ASSERT_EQ(found.has_value(), aligned) << level;
            if (found) {
                EXPECT_EQ(found->page, Hpa{t.frame(3)});
            }
        }
    }
}

TEST(SimWalker, addresses_must_be_sign_extended) {
    Tables t;
    t.set(1, 0, (ram >> 2) | leaf_bits);
    t.set(1, 511, (ram >> 2) | leaf_bits);
    const std::pair<u64, bool> cases[] = {{0, true},       {u64{1} << 39, false},   {u64{1} << 38, false},
                                          {~u64{0}, true}, {0x7f'ffff'ffff, false}, {u64{1} << 63, false}};
    for (const auto& [va, ok] : cases) EXPECT_EQ(t.walk_at(va).has_value(), ok) << std::hex << va;
}

TEST(SimWalker, pointers_with_leaf_bits_are_reserved) {
    for (const u64 bits : {A, D, U}) {
        Tables t;
        t.set(3, 5, (t.frame(20) >> 2) | leaf_bits);
        t.set(2, 0, t.pointer(3) | bits);
        EXPECT_FALSE(t.walk_at(0x5000).has_value()) << bits;
    }
}

TEST(SimWalker, adue_updates_a_and_d) {
    for (const Access access : {Access::Read, Access::Write, Access::Execute}) {
        Tables t;
        t.context.updates_ad = true;
        const u64 pte = (t.frame(20) >> 2) | V | R | W | X;
        t.set(3, 5, pte);
        (void)t.memory.hash();
        ASSERT_TRUE(t.walk_at(0x5000, access).has_value());
        EXPECT_EQ(t.get(3, 5), pte | A | (access == Access::Write ? D : 0));
        EXPECT_EQ(t.memory.dirty_pages(), 1U);
    }
    // A refused access marks nothing.
    Tables t;
    t.context.updates_ad = true;
    t.set(3, 5, (t.frame(20) >> 2) | V | R);
    EXPECT_FALSE(t.walk_at(0x5000, Access::Write).has_value());
    EXPECT_EQ(t.get(3, 5) & (A | D), 0U);
}

TEST(SimWalker, tables_outside_ram_are_access_faults) {
    Tables t;
    t.set(2, 0, (0x1000 >> 2) | V);
    const auto found = t.walk_at(0x5000);
    ASSERT_FALSE(found.has_value());
    EXPECT_EQ(found.error().kind, FaultKind::Access);
}

TEST(SimWalker, bare_modes_pass_the_address_on) {
    Tables t;
    t.context.vsatp = 0;
    for (const bool is_user : {false, true}) {
        const auto found = t.walk_at(ram + 0x4567, Access::Write, is_user);
        ASSERT_TRUE(found.has_value());
        EXPECT_EQ(found->page, Hpa{ram + 0x4000});
    }
    t.use_stage2();
    EXPECT_TRUE(t.walk_at(ram + 0x4567).has_value());
    const auto beyond = t.walk_at(u64{1} << 41);
    ASSERT_FALSE(beyond.has_value());
    EXPECT_EQ(beyond.error().kind, FaultKind::GuestPage);
}

TEST(SimWalker, second_stage_faults_name_the_guest_physical_address) {
    struct Case {
        const char* why;
        u64 page;  ///< whose second-stage leaf is changed
        u64 bits;
        Access access;
        bool updates_ad;
        bool faults, by_walk, writes;
        u64 gpa;
    };
    const u64 data = Tables::frame(20) + 0x678, entry = Tables::frame(3) + 8 * 5;
    const Case cases[] = {
        {"all is well", 20, leaf_bits | U, Access::Write, false, false, false, false, 0},
        {"absent", 20, 0, Access::Read, false, true, false, false, data},
        {"every access is a user access", 20, leaf_bits, Access::Read, false, true, false, false, data},
        {"A", 20, (leaf_bits | U) & ~A, Access::Read, false, true, false, false, data},
        {"D", 20, (leaf_bits | U) & ~D, Access::Write, false, true, false, false, data},
        {"D for a read", 20, (leaf_bits | U) & ~D, Access::Read, false, false, false, false, 0},
        {"read only", 20, V | R | A | U, Access::Write, false, true, false, false, data},
        {"no execute", 20, V | R | A | U, Access::Execute, false, true, false, false, data},
        {"table absent", 3, 0, Access::Write, false, true, true, false, entry},
        {"table execute only", 3, V | X | A | U, Access::Read, false, true, true, false, entry},
        {"table read only, no update", 3, V | R | A | U, Access::Read, false, false, false, false, 0},
        {"table read only, update", 3, V | R | A | U, Access::Write, true, true, true, true, entry},
    };
    for (const Case& c : cases) {
        Tables t;
        t.use_stage2();
        t.context.updates_ad = c.updates_ad;
        t.set(3, 5, (t.frame(20) >> 2) | (c.updates_ad ? leaf_bits & ~D : leaf_bits));
        t.set(13, c.page, (t.frame(c.page) >> 2) | c.bits);
        const auto found = t.walk_at(0x5678, c.access);
        ASSERT_EQ(!found.has_value(), c.faults) << c.why;
        if (found) continue;
        EXPECT_EQ(found.error().kind, FaultKind::GuestPage) << c.why;
        EXPECT_EQ(found.error().gpa, Gpa{c.gpa}) << c.why;
        EXPECT_EQ(found.error().by_walk, c.by_walk) << c.why;
        EXPECT_EQ(found.error().walk_writes, c.writes) << c.why;
    }
}

class SimulatedFrames final : public mm::Frames {
public:
    explicit SimulatedFrames(PhysMemory& memory) : memory_(memory), frames_(memory) {}
    bool allocate(u64 count, u64 alignment, Hpa& at) override { return frames_.allocate(count, alignment, at); }
    bool allocate_at(Hpa start, u64 count) override { return frames_.allocate_at(start, count); }
    void free(Hpa start, u64 count) override { frames_.free(start, count); }
    bool read(Hpa from, std::span<std::byte> to) override { return memory_.read(from, to); }
    bool write(Hpa to, std::span<const std::byte> from) override { return memory_.write(to, from); }

private:
    PhysMemory& memory_;
    FrameAllocator frames_;
};

// Written apart from the walker: what the core maps, the simulated hardware must find.
TEST(SimWalker, agrees_with_the_tables_that_the_core_builds) {
    PhysMemory memory = std::move(*PhysMemory::create(Hpa{ram}, 1024 * page_size));
    SimulatedFrames frames(memory);
    mm::TableMemory tables(frames, 512);
    auto space = mm::Stage2<mm::Sv39x4, mm::TableMemory>::create(tables);
    ASSERT_TRUE(space.has_value());
    TranslationContext context;
    context.hgatp = mode_39 | space->root().page_number();
    Random random(11);
    constexpr mm::Permissions rights[] = {
        {true, true, true, false}, {true, false, false, false}, {false, false, true, false}, {true, true, false, true}};
    const u64 unit[] = {page_size, u64{2} << 20, u64{1} << 30};
    u64 hits = 0;
    for (int round = 0; round < 600; ++round) {
        const u64 size = unit[random.below(3)] * (1 + random.below(3));
        const u64 place = unit[random.below(3)];
        const Gpa gpa{random.below((u64{4} << 30) / place) * place + (random.one_in(4) ? (u64{1} << 40) : 0)};
        const Hpa hpa{random.below(1 << 10) * place};
        switch (random.below(4)) {
            case 0: (void)space->unmap(gpa, size); break;
            case 1: (void)space->protect(gpa, size, rights[random.below(4)]); break;
            default: (void)space->map(gpa, hpa, size, rights[random.below(4)]); break;
        }
        for (const u64 offset : {u64{0}, size / 2, size - 1, size, random.below(u64{1} << 32)}) {
            const Gpa at = gpa + offset;
            const auto expected = space->translate(at);
            for (const Access access : {Access::Read, Access::Write, Access::Execute}) {
                const auto found = walk(memory, Gva{at.value()}, {access, false}, context);
                const bool allowed = expected && (access == Access::Read    ? expected->permissions.read
                                                  : access == Access::Write ? expected->permissions.write
                                                                            : expected->permissions.execute);
                ASSERT_EQ(found.has_value(), allowed) << std::hex << at.value();
                if (found) {
                    ASSERT_EQ(found->page, expected->hpa.page_base());
                }
                hits += found ? 1 : 0;
            }
        }
    }
    EXPECT_GT(hits, 500U);
}

TEST(SimTlb, keeps_everything_until_it_is_cleared) {
    Tlb tlb;
    constexpr u64 count = 50'000;
    const auto va = [](u64 n) { return Gva{(n * 0x1'0003) << page_shift}; };
    for (u64 n = 0; n < count; ++n) tlb.insert(va(n), {.page = Hpa{n << page_shift}});
    for (u64 n = 0; n < count; ++n) {
        const PageTranslation* found = tlb.find(va(n) + 0xabc);
        ASSERT_NE(found, nullptr) << n;
        ASSERT_EQ(found->page, Hpa{n << page_shift});
    }
    EXPECT_EQ(tlb.find(Gva{0x7'7777'7000}), nullptr);
    tlb.insert(va(3), {.page = Hpa{0x5000}});
    EXPECT_EQ(tlb.find(va(3))->page, Hpa{0x5000});
    EXPECT_EQ(tlb.walks(), count + 1);
    tlb.clear();
    for (u64 n = 0; n < count; ++n) ASSERT_EQ(tlb.find(va(n)), nullptr);
    tlb.insert(va(9), {.page = Hpa{0x9000}});
    EXPECT_EQ(tlb.find(va(9))->page, Hpa{0x9000});
}

}  // namespace
}  // namespace ax::sim
