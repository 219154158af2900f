// AddressSpace: every kind of region, every refusal, and nothing taken that is not given back.
#include "core/mm/address_space.hpp"

#include <gtest/gtest.h>

#include "tests/unit/core/mm/stage2_mapper.hpp"

namespace ax::mm::test {
namespace {

constexpr u64 kib4 = 0x1000;
constexpr u64 mib2 = 0x20'0000;
constexpr u64 gib1 = 0x4000'0000;
constexpr u64 ram = 0x8000'0000;
constexpr u64 limit = u64{1} << 41;
constexpr Permissions rwx = Permissions::rwx();
constexpr Permissions device = Permissions::rw_device();
constexpr AllocOptions lazy{.population = Population::Lazy, .frame_size = FrameSize::Auto};

class AddressSpaceTest : public testing::Test {
protected:
    // Tables come from a RAM of their own, so that the frames of regions can be counted.
    FakeFrames table_frames{Hpa{0x1'0000'0000}, 64 * mib2};
    FakeFrames frames{Hpa{ram}, 2 * gib1};
    Stage2Mapper mapper{table_frames};
    AddressSpace space{mapper, frames};

    static GpaRange range(u64 start, u64 size) { return {Gpa{start}, size}; }
    u64 hpa_of(u64 gpa) {
        const auto found = space.translate(Gpa{gpa});
        return found ? found->hpa.value() : 0;
    }
    u64 leaf_size(u64 gpa) {
        const auto leaf = mapper.walk(Gpa{gpa});
        return leaf ? leaf->size : 0;
    }
    void TearDown() override {
        space.clear();
        EXPECT_EQ(frames.used, 0U) << "frames were not returned";
        EXPECT_EQ(mapper.table_pages(), 4U) << "something is still mapped";
    }
};

TEST_F(AddressSpaceTest, eager_region_is_backed_by_large_contiguous_pieces) {
    ASSERT_TRUE(space.add_alloc(range(gib1 - mib2 - kib4, gib1 + 2 * mib2 + kib4), rwx));
    EXPECT_EQ(frames.used, (gib1 + 2 * mib2 + kib4) / kib4);
    EXPECT_EQ(leaf_size(gib1 - mib2 - kib4), kib4);
    EXPECT_EQ(leaf_size(gib1 - mib2), mib2);
    EXPECT_EQ(leaf_size(gib1), gib1);
    EXPECT_EQ(leaf_size(2 * gib1), mib2);
    EXPECT_EQ(space.handle_fault(Gpa{gib1}, Access::Write), FaultResult::Mapped);
}

struct FrameSizeCase {
    FrameSize limit;
    u64 leaf;
};

TEST_F(AddressSpaceTest, frame_size_bounds_the_pieces) {
    for (const FrameSizeCase& c : {FrameSizeCase{FrameSize::Size4K, kib4}, {FrameSize::Size2M, mib2}, {FrameSize::Auto, mib2}}) {
        ASSERT_TRUE(space.add_alloc(range(gib1, 2 * mib2), rwx, {.frame_size = c.limit}));
        EXPECT_EQ(leaf_size(gib1), c.leaf);
        EXPECT_EQ(*std::max_element(frames.requests.begin(), frames.requests.end()), c.leaf / kib4);
        space.clear();
        frames.requests.clear();
    }
}

TEST_F(AddressSpaceTest, fragmented_host_memory_is_taken_in_smaller_pieces) {
    for (u64 at = ram; at < ram + 2 * gib1; at += mib2) ASSERT_TRUE(frames.allocate_at(Hpa{at + 4 * kib4}, 1));
    const u64 before = frames.used;
    ASSERT_TRUE(space.add_alloc(range(gib1, 2 * mib2), rwx));
    EXPECT_EQ(leaf_size(gib1), kib4);
    EXPECT_EQ(frames.used, before + 2 * mib2 / kib4);
    space.clear();
    EXPECT_EQ(frames.used, before);
    for (u64 at = ram; at < ram + 2 * gib1; at += mib2) frames.free(Hpa{at + 4 * kib4}, 1);
}

TEST_F(AddressSpaceTest, eager_region_without_enough_memory_returns_what_it_took) {
    const auto added = space.add_alloc(range(gib1, 3 * gib1), rwx);
    ASSERT_FALSE(added.has_value());
    EXPECT_EQ(added.error().problem, SpaceProblem::NoHostMemory);
    EXPECT_EQ(added.error().region, range(gib1, 3 * gib1));
    EXPECT_EQ(frames.used, 0U);
    EXPECT_TRUE(space.regions().empty());
    EXPECT_EQ(mapper.table_pages(), 4U);
}

TEST_F(AddressSpaceTest, eager_region_failing_at_any_allocation_leaves_nothing) {
    for (u64 allowed = 0; allowed < 9; ++allowed) {
        SCOPED_TRACE(allowed);
        frames.allocations_left = allowed;
        const auto added = space.add_alloc(range(gib1, 9 * kib4), rwx, {.frame_size = FrameSize::Size4K});
        ASSERT_FALSE(added.has_value());
        EXPECT_EQ(added.error().problem, SpaceProblem::NoHostMemory);
        EXPECT_EQ(frames.used, 0U);
    }
    frames.allocations_left = FakeFrames::unlimited;
}

TEST_F(AddressSpaceTest, region_without_table_memory_leaves_nothing) {
    Stage2Mapper small(table_frames, 4 + 2);
    AddressSpace other(small, frames);
    const auto added = other.add_alloc(range(mib2 - kib4, 2 * kib4), rwx);
    ASSERT_FALSE(added.has_value());
    EXPECT_EQ(added.error().problem, SpaceProblem::NotMappable);
    EXPECT_EQ(added.error().map_error, MapError::NoTableMemory);
    EXPECT_EQ(frames.used, 0U);
    EXPECT_EQ(small.table_pages(), 4U);
}

TEST_F(AddressSpaceTest, lazy_region_takes_one_frame_per_touched_page) {
    ASSERT_TRUE(space.add_alloc(range(gib1, gib1), rwx, lazy));
    EXPECT_EQ(frames.used, 0U);
    EXPECT_FALSE(space.translate(Gpa{gib1}).has_value());
    EXPECT_EQ(space.handle_fault(Gpa{gib1 + 0x123}, Access::Read), FaultResult::Mapped);
    EXPECT_EQ(space.handle_fault(Gpa{gib1 + 0xfff}, Access::Write), FaultResult::Mapped) << "another vCPU, same page";
    EXPECT_EQ(space.handle_fault(Gpa{2 * gib1 - 1}, Access::Execute), FaultResult::Mapped);
    EXPECT_EQ(frames.used, 2U);
    EXPECT_EQ(leaf_size(gib1), kib4);
    EXPECT_EQ(space.region_of(Gpa{gib1})->populated_frames, 2U);
    EXPECT_FALSE(space.translate(Gpa{gib1 + kib4}).has_value());
}

TEST_F(AddressSpaceTest, lazy_page_that_cannot_be_had_is_out_of_memory_and_can_be_tried_again) {
    Stage2Mapper small(table_frames, 4 + 2);
    AddressSpace other(small, frames);
    ASSERT_TRUE(other.add_alloc(range(0, gib1), rwx, lazy));
    frames.allocations_left = 0;
    EXPECT_EQ(other.handle_fault(Gpa{0}, Access::Read), FaultResult::OutOfMemory);
    frames.allocations_left = FakeFrames::unlimited;
    EXPECT_EQ(other.handle_fault(Gpa{0}, Access::Read), FaultResult::Mapped);
    EXPECT_EQ(other.handle_fault(Gpa{mib2}, Access::Read), FaultResult::OutOfMemory) << "the table pool is at its limit";
    EXPECT_EQ(frames.used, 1U);
}

TEST_F(AddressSpaceTest, fault_is_judged_by_the_region) {
    ASSERT_TRUE(space.add_alloc(range(gib1, mib2), {true, false, true, false}, lazy));
    ASSERT_TRUE(space.add_passthrough(range(0x1000'0000, kib4), Hpa{0x1000'0000}, device));
    EXPECT_EQ(space.handle_fault(Gpa{gib1}, Access::Write), FaultResult::NotAllowed);
    EXPECT_EQ(frames.used, 0U) << "a forbidden access populates nothing";
    EXPECT_EQ(space.handle_fault(Gpa{gib1}, Access::Execute), FaultResult::Mapped);
    EXPECT_EQ(space.handle_fault(Gpa{0x1000'0000}, Access::Execute), FaultResult::NotAllowed);
    EXPECT_EQ(space.handle_fault(Gpa{gib1 - 1}, Access::Read), FaultResult::NotBacked);
    EXPECT_EQ(space.handle_fault(Gpa{gib1 + mib2}, Access::Read), FaultResult::NotBacked);
    EXPECT_EQ(space.handle_fault(Gpa{~u64{0}}, Access::Read), FaultResult::NotBacked);
}

TEST_F(AddressSpaceTest, identical_region_owns_the_frames_at_its_address) {
    EXPECT_EQ(space.add_identical(range(ram + mib2, mib2), rwx).value_or(HostMemory::Borrowed), HostMemory::Owned);
    EXPECT_EQ(frames.used, mib2 / kib4);
    EXPECT_EQ(hpa_of(ram + mib2 + 7), ram + mib2 + 7);
}

TEST_F(AddressSpaceTest, identical_region_that_the_host_cannot_give_is_mapped_once_and_not_owned) {
    ASSERT_TRUE(frames.allocate_at(Hpa{ram}, 1));
    EXPECT_EQ(space.add_identical(range(ram, mib2), rwx).value_or(HostMemory::Owned), HostMemory::Borrowed);
    EXPECT_EQ(mapper.map_calls, 1U);
    EXPECT_EQ(hpa_of(ram + kib4), ram + kib4);
    EXPECT_EQ(space.add_identical(range(gib1, mib2), rwx).value_or(HostMemory::Owned), HostMemory::Borrowed) << "no RAM there";
    space.clear();
    EXPECT_EQ(frames.used, 1U) << "what is not owned is not freed";
    frames.free(Hpa{ram}, 1);
}

TEST_F(AddressSpaceTest, identical_region_that_cannot_be_mapped_returns_its_frames) {
    Stage2Mapper none(table_frames, 4);
    AddressSpace other(none, frames);
    const auto added = other.add_identical(range(ram, kib4), rwx);
    ASSERT_FALSE(added.has_value());
    EXPECT_EQ(added.error().problem, SpaceProblem::NotMappable);
    EXPECT_EQ(frames.used, 0U);
}

TEST_F(AddressSpaceTest, reserved_region_is_mapped_and_never_taken) {
    ASSERT_TRUE(space.add_reserved(range(ram, gib1), rwx));
    EXPECT_EQ(frames.used, 0U);
    EXPECT_EQ(hpa_of(ram + gib1 - 1), ram + gib1 - 1);
    EXPECT_EQ(leaf_size(ram), gib1);
}

struct PassthroughCase {
    const char* name;
    u64 gpa, hpa, size;
    u64 start, pages;  ///< what is mapped
};
constexpr PassthroughCase passthrough_cases[] = {
    {"whole pages, other host address", 0x1000'0000, 0x2000'0000, 2 * kib4, 0x1000'0000, 2},
    {"begins inside a page", 0x1000'0ff0, 0x2000'0ff0, 0x10, 0x1000'0000, 1},
    {"tail behind an unaligned base is kept", 0x1000'0800, 0x2000'0800, kib4, 0x1000'0000, 2},
    {"one byte", 0x1000'0000, 0x1000'0000, 1, 0x1000'0000, 1},
    {"last page of the space", limit - 1, 0x1fff, 1, limit - kib4, 1},
};

TEST_F(AddressSpaceTest, passthrough_maps_whole_pages_around_the_window) {
    for (const PassthroughCase& c : passthrough_cases) {
        SCOPED_TRACE(c.name);
        ASSERT_TRUE(space.add_passthrough(range(c.gpa, c.size), Hpa{c.hpa}, device));
        EXPECT_EQ(hpa_of(c.gpa), c.hpa);
        EXPECT_EQ(hpa_of(c.gpa + c.size - 1), c.hpa + c.size - 1);
        ASSERT_EQ(space.regions().size(), 1U);
        EXPECT_EQ(space.regions()[0].range, range(c.start, c.pages * kib4));
        EXPECT_FALSE(space.translate(Gpa{c.start + c.pages * kib4}).has_value());
        space.clear();
    }
    EXPECT_EQ(frames.used, 0U);
}

TEST_F(AddressSpaceTest, passthrough_windows_may_share_pages_that_they_map_alike) {
    ASSERT_TRUE(space.add_passthrough(range(0x1000'0000, 0x100), Hpa{0x2000'0000}, device));
    ASSERT_TRUE(space.add_passthrough(range(0x1000'0100, 0x100), Hpa{0x2000'0100}, device)) << "all within a shared page";
    ASSERT_TRUE(space.add_passthrough(range(0x1000'2000, kib4), Hpa{0x2000'2000}, device));
    ASSERT_TRUE(space.add_passthrough(range(0x1000'0800, 2 * kib4), Hpa{0x2000'0800}, device)) << "the gap between two";
    EXPECT_EQ(hpa_of(0x1000'1000), 0x2000'1000U);
    EXPECT_EQ(space.regions().size(), 3U);
    const auto other = space.add_passthrough(range(0x1000'0200, 4), Hpa{0x3000'0200}, device);
    ASSERT_FALSE(other.has_value());
    EXPECT_EQ(other.error().problem, SpaceProblem::Overlaps) << "the same page cannot go to two places";
    EXPECT_FALSE(space.add_passthrough(range(0x1000'0200, 4), Hpa{0x2000'0200}, rwx).has_value()) << "nor have two rights";
}

struct RefusalCase {
    const char* name;
    u64 start, size;
    SpaceProblem problem;
};
constexpr RefusalCase refusal_cases[] = {
    {"empty", gib1, 0, SpaceProblem::Empty},
    {"start inside a page", gib1 + 1, kib4, SpaceProblem::Unaligned},
    {"size of half a page", gib1, 0x800, SpaceProblem::Unaligned},
    {"wraps", ~u64{0} - kib4 + 1, 2 * kib4, SpaceProblem::OutOfRange},
    {"begins at the limit", limit, kib4, SpaceProblem::OutOfRange},
    {"passes the limit", limit - kib4, 2 * kib4, SpaceProblem::OutOfRange},
    {"same region", 4 * gib1, mib2, SpaceProblem::Overlaps},
    {"last page overlaps", 4 * gib1 - mib2, mib2 + kib4, SpaceProblem::Overlaps},
    {"first page overlaps", 4 * gib1 + mib2 - kib4, mib2, SpaceProblem::Overlaps},
    {"contains the other", 3 * gib1, 2 * gib1, SpaceProblem::Overlaps},
};

TEST_F(AddressSpaceTest, every_kind_refuses_a_bad_region_and_changes_nothing) {
    ASSERT_TRUE(space.add_alloc(range(4 * gib1, mib2), rwx, lazy));
    const u64 tables = mapper.table_pages();
    for (const RefusalCase& c : refusal_cases) {
        SCOPED_TRACE(c.name);
        const GpaRange r = range(c.start, c.size);
        const auto identical = space.add_identical(r, rwx);
        const std::expected<void, SpaceError> results[] = {
            space.add_alloc(r, rwx), space.add_alloc(r, rwx, lazy), space.add_reserved(r, rwx),
            identical ? std::expected<void, SpaceError>{} : std::unexpected(identical.error())};
        for (const auto& result : results) {
            ASSERT_FALSE(result.has_value());
            EXPECT_EQ(result.error().problem, c.problem) << to_text(result.error().problem);
            EXPECT_EQ(result.error().region, r);
            if (c.problem == SpaceProblem::Overlaps) {
                EXPECT_EQ(result.error().other, range(4 * gib1, mib2));
            }
        }
        EXPECT_EQ(frames.used, 0U);
        EXPECT_EQ(mapper.table_pages(), tables);
    }
}

TEST_F(AddressSpaceTest, passthrough_refuses_what_rounding_cannot_mend) {
    EXPECT_EQ(space.add_passthrough(range(kib4, 0), Hpa{0}, device).error().problem, SpaceProblem::Empty);
    EXPECT_EQ(space.add_passthrough(range(kib4 + 4, 4), Hpa{8}, device).error().problem, SpaceProblem::Unaligned);
    EXPECT_EQ(space.add_passthrough(range(~u64{0}, 1), Hpa{0xfff}, device).error().problem, SpaceProblem::OutOfRange);
    EXPECT_EQ(space.add_passthrough(range(kib4, ~u64{0}), Hpa{0}, device).error().problem, SpaceProblem::OutOfRange);
    EXPECT_EQ(space.add_passthrough(range(limit - 1, 2), Hpa{0xfff}, device).error().problem, SpaceProblem::OutOfRange);
    EXPECT_EQ(space.add_passthrough(range(kib4, kib4), Hpa{~u64{0} - 0xfff}, device).error().map_error, MapError::OutOfRange);
}

TEST_F(AddressSpaceTest, one_region_too_many_is_refused) {
    for (u64 i = 0; i < AddressSpace::max_regions; ++i) ASSERT_TRUE(space.add_alloc(range(i * mib2, kib4), rwx, lazy));
    const auto added = space.add_alloc(range(limit - kib4, kib4), rwx);
    ASSERT_FALSE(added.has_value());
    EXPECT_EQ(added.error().problem, SpaceProblem::TooManyRegions);
}

TEST_F(AddressSpaceTest, regions_are_kept_by_address_and_found) {
    for (const u64 start : {3 * gib1, gib1, 2 * gib1, u64{0}}) ASSERT_TRUE(space.add_alloc(range(start, kib4), rwx, lazy));
    for (u64 i = 0; i < 4; ++i) {
        EXPECT_EQ(space.regions()[i].range.start.value(), i * gib1);
        EXPECT_EQ(space.region_of(Gpa{i * gib1 + kib4 - 1}), &space.regions()[i]);
        EXPECT_EQ(space.region_of(Gpa{i * gib1 + kib4}), nullptr);
    }
}

TEST_F(AddressSpaceTest, adjacent_regions_may_be_released_and_added_again) {
    for (int round = 0; round < 3; ++round) {
        ASSERT_TRUE(space.add_alloc(range(gib1, mib2), rwx));
        ASSERT_TRUE(space.add_alloc(range(gib1 + mib2, mib2), rwx, lazy));
        ASSERT_TRUE(space.add_identical(range(ram + gib1, mib2), rwx));
        for (u64 at = 0; at < mib2; at += 7 * kib4) {
            ASSERT_EQ(space.handle_fault(Gpa{gib1 + mib2 + at}, Access::Write), FaultResult::Mapped);
        }
        space.clear();
        EXPECT_EQ(frames.used, 0U);
        EXPECT_EQ(mapper.table_pages(), 4U);
    }
}

}  // namespace
}  // namespace ax::mm::test
