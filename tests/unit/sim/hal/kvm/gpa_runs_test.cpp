#include "sim/hal/kvm/gpa_runs.hpp"

#include <gtest/gtest.h>

#include <array>
#include <map>
#include <random>

namespace ax::sim::kvm {
namespace {

using mm::MapError;
using mm::Permissions;

constexpr unsigned bits = 40;
constexpr Permissions read_only{true, false, true, false};

TEST(KvmGpaRuns, neighbours_that_continue_each_other_are_one_run) {
    GpaRuns runs(bits);
    for (const u64 page : std::array<u64, 4>{2, 0, 3, 1})
        ASSERT_TRUE(runs.map(Gpa{page * page_size}, Hpa{0x8000'0000 + page * page_size}, page_size, Permissions::rwx()));
    ASSERT_EQ(runs.all().size(), 1U);
    EXPECT_EQ(runs.all()[0], (GpaRun{{Gpa{0}, 4 * page_size}, Hpa{0x8000'0000}, Permissions::rwx()}));
}

TEST(KvmGpaRuns, neighbours_with_other_rights_or_other_memory_stay_apart) {
    GpaRuns runs(bits);
    ASSERT_TRUE(runs.map(Gpa{0}, Hpa{0x8000'0000}, page_size, Permissions::rwx()));
    ASSERT_TRUE(runs.map(Gpa{0x1000}, Hpa{0x8000'1000}, page_size, read_only));
    ASSERT_TRUE(runs.map(Gpa{0x2000}, Hpa{0x8000'3000}, page_size, read_only));
    EXPECT_EQ(runs.all().size(), 3U);
}

TEST(KvmGpaRuns, refuses_what_a_mapper_refuses) {
    struct Case {
        u64 gpa, hpa, size;
        MapError error;
    };
    const Case cases[] = {
        {0x800, 0x8000'0000, page_size, MapError::Unaligned},
        {0, 0x8000'0800, page_size, MapError::Unaligned},
        {0, 0x8000'0000, 100, MapError::Unaligned},
        {0, 0x8000'0000, 0, MapError::Unaligned},
        {u64{1} << bits, 0x8000'0000, page_size, MapError::OutOfRange},
        {(u64{1} << bits) - page_size, 0x8000'0000, 2 * page_size, MapError::OutOfRange},
        {0x4000, 0x8000'0000, 2 * page_size, MapError::AlreadyMapped},
        {0x3000, 0x8000'0000, 2 * page_size, MapError::AlreadyMapped},
    };
    for (const Case& c : cases) {
        GpaRuns runs(bits);
        ASSERT_TRUE(runs.map(Gpa{0x4000}, Hpa{0x9000'0000}, page_size, Permissions::rwx()));
        const auto done = runs.map(Gpa{c.gpa}, Hpa{c.hpa}, c.size, Permissions::rwx());
        ASSERT_FALSE(done) << c.gpa;
        EXPECT_EQ(done.error(), c.error) << c.gpa;
        EXPECT_EQ(runs.all().size(), 1U);
    }
}

TEST(KvmGpaRuns, a_range_with_a_hole_is_neither_unmapped_nor_protected) {
    GpaRuns runs(bits);
    ASSERT_TRUE(runs.map(Gpa{0}, Hpa{0x8000'0000}, page_size, Permissions::rwx()));
    ASSERT_TRUE(runs.map(Gpa{0x2000}, Hpa{0x8000'2000}, page_size, Permissions::rwx()));
    EXPECT_EQ(runs.unmap(Gpa{0}, 3 * page_size).error(), MapError::NotMapped);
    EXPECT_EQ(runs.protect(Gpa{0}, 3 * page_size, read_only).error(), MapError::NotMapped);
    EXPECT_EQ(runs.all().size(), 2U);
}

/// Against a page table that is a map, over random operations.
TEST(KvmGpaRuns, agrees_with_a_map_of_pages) {
    std::mt19937_64 random(7);
    std::map<u64, std::pair<u64, bool>> pages;
    GpaRuns runs(bits);
    for (unsigned n = 0; n < 20'000; ++n) {
        const u64 first = random() % 24, count = 1 + random() % 6, operation = random() % 3;
        const u64 host = 0x8'0000 + (random() % 2 == 0 ? first : random() % 64);
        const bool writes = random() % 2 == 0;
        const Permissions rights = writes ? Permissions::rwx() : read_only;
        u64 mapped = 0;
        for (u64 p = first; p < first + count; ++p) mapped += pages.contains(p) ? 1 : 0;
        const Gpa gpa{first * page_size};
        const u64 size = count * page_size;
        if (operation == 0) {
            ASSERT_EQ(runs.map(gpa, Hpa{host * page_size}, size, rights).has_value(), mapped == 0);
            if (mapped == 0)
                for (u64 i = 0; i < count; ++i) pages[first + i] = {host + i, writes};
        } else if (operation == 1) {
            ASSERT_EQ(runs.unmap(gpa, size).has_value(), mapped == count);
            if (mapped == count)
                for (u64 i = 0; i < count; ++i) pages.erase(first + i);
        } else {
            ASSERT_EQ(runs.protect(gpa, size, rights).has_value(), mapped == count);
            if (mapped == count)
                for (u64 i = 0; i < count; ++i) pages[first + i].second = writes;
        }
        for (u64 p = 0; p < 32; ++p) {
            const auto at = runs.translate(Gpa{p * page_size + 8});
            ASSERT_EQ(at.has_value(), pages.contains(p)) << n;
            if (!at) continue;
            ASSERT_EQ(at->hpa, Hpa{pages[p].first * page_size + 8});
            ASSERT_EQ(at->permissions.write, pages[p].second);
            ASSERT_EQ(at->size % page_size, page_size - 8);
        }
        for (std::size_t i = 1; i < runs.all().size(); ++i) {
            const GpaRun &a = runs.all()[i - 1], &b = runs.all()[i];
            ASSERT_LE(a.range.end(), b.range.start);
            ASSERT_FALSE(a.range.end() == b.range.start && a.hpa + a.range.size == b.hpa && a.permissions == b.permissions) << "not merged";
        }
    }
}

}  // namespace
}  // namespace ax::sim::kvm
