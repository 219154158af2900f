// GuestMemory: contents across pages and regions, rights, and all-or-nothing writes.
#include "core/mm/guest_memory.hpp"

#include <gtest/gtest.h>

#include <numeric>

#include "tests/unit/core/mm/stage2_mapper.hpp"

namespace ax::mm::test {
namespace {

constexpr u64 kib4 = 0x1000;
constexpr u64 ram = 0x8000'0000;
constexpr u64 rom = ram + 4 * kib4;  ///< read-only, directly behind the lazy region
constexpr u64 exec = 0x4000'0000;
constexpr u64 mmio = 0x1000'0000;
constexpr u64 no_ram = 0x2000'0000;

class GuestMemoryTest : public testing::Test {
protected:
    FakeFrames frames{Hpa{0x9000'0000}, 0x100'0000};
    Stage2Mapper mapper{frames};
    AddressSpace space{mapper, frames};
    GuestMemory memory{space, frames};

    void SetUp() override {
        const AllocOptions lazy{.population = Population::Lazy};
        ASSERT_TRUE(space.add_alloc({Gpa{ram}, 4 * kib4}, Permissions::rwx(), lazy));
        ASSERT_TRUE(space.add_alloc({Gpa{rom}, kib4}, {true, false, true, false}));
        ASSERT_TRUE(space.add_alloc({Gpa{exec}, kib4}, {false, false, true, false}));
        // RAM behind it, so that only the kind of mapping can make an access fail.
        ASSERT_TRUE(space.add_passthrough({Gpa{mmio}, kib4}, Hpa{0x90ff'f000}, Permissions::rw_device()));
        ASSERT_TRUE(space.add_reserved({Gpa{no_ram}, kib4}, Permissions::rwx()));
    }
    static std::vector<std::byte> pattern(std::size_t size) {
        std::vector<std::byte> bytes(size);
        for (std::size_t i = 0; i < size; ++i) bytes[i] = static_cast<std::byte>(i * 7 + 1);
        return bytes;
    }
    std::vector<std::byte> read(u64 gpa, std::size_t size) {
        std::vector<std::byte> bytes(size, std::byte{0xee});
        EXPECT_TRUE(memory.read(Gpa{gpa}, bytes).has_value());
        return bytes;
    }
};

TEST_F(GuestMemoryTest, write_across_lazy_pages_reads_back_and_populates_only_those) {
    const u64 before = frames.used - mapper.table_pages();
    const auto bytes = pattern(kib4 + 2);
    ASSERT_TRUE(memory.write(Gpa{ram + kib4 - 1}, bytes));
    EXPECT_EQ(read(ram + kib4 - 1, bytes.size()), bytes);
    EXPECT_EQ(frames.used - mapper.table_pages(), before + 3);
    EXPECT_EQ(read(ram + kib4 - 2, 1)[0], std::byte{0});
}

TEST_F(GuestMemoryTest, untouched_lazy_memory_reads_as_zero) { EXPECT_EQ(read(ram, 2 * kib4), std::vector<std::byte>(2 * kib4)); }

TEST_F(GuestMemoryTest, load_and_read_cross_from_one_region_into_the_next) {
    const auto bytes = pattern(64);
    ASSERT_TRUE(memory.load(Gpa{rom - 32}, bytes));
    EXPECT_EQ(read(rom - 32, 64), bytes);
}

struct GuestErrorCase {
    const char* name;
    enum Op : u8 { Read, Write, Load } op;
    u64 gpa, size;
    GuestMemoryError error;
};
constexpr GuestErrorCase guest_error_cases[] = {
    {"nothing there", GuestErrorCase::Read, 0, 8, {GuestMemoryProblem::Unmapped, Gpa{0}}},
    {"ends in a hole", GuestErrorCase::Read, rom + kib4 - 4, 8, {GuestMemoryProblem::Unmapped, Gpa{rom + kib4}}},
    {"begins in a hole", GuestErrorCase::Read, ram - 4, 8, {GuestMemoryProblem::Unmapped, Gpa{ram - 4}}},
    {"wraps", GuestErrorCase::Read, ~u64{0} - 3, 8, {GuestMemoryProblem::Unmapped, Gpa{~u64{0} - 3}}},
    {"write into read-only", GuestErrorCase::Write, rom, 1, {GuestMemoryProblem::NotWritable, Gpa{rom}}},
    {"write runs into read-only", GuestErrorCase::Write, rom - 4, 8, {GuestMemoryProblem::NotWritable, Gpa{rom}}},
    {"read execute-only", GuestErrorCase::Read, exec, 4, {GuestMemoryProblem::NotReadable, Gpa{exec}}},
    {"device registers are no memory", GuestErrorCase::Read, mmio, 4, {GuestMemoryProblem::Unmapped, Gpa{mmio}}},
    {"not even for the loader", GuestErrorCase::Load, mmio, 4, {GuestMemoryProblem::Unmapped, Gpa{mmio}}},
    {"reserved but no RAM", GuestErrorCase::Read, no_ram + 8, 4, {GuestMemoryProblem::Unmapped, Gpa{no_ram + 8}}},
    {"loader passes the end", GuestErrorCase::Load, rom, 2 * kib4, {GuestMemoryProblem::Unmapped, Gpa{rom + kib4}}},
};

TEST_F(GuestMemoryTest, error_names_the_first_address_that_does_not_work) {
    for (const GuestErrorCase& c : guest_error_cases) {
        SCOPED_TRACE(c.name);
        auto bytes = pattern(c.size);
        std::expected<void, GuestMemoryError> result;
        switch (c.op) {
            case GuestErrorCase::Read: result = memory.read(Gpa{c.gpa}, bytes); break;
            case GuestErrorCase::Write: result = memory.write(Gpa{c.gpa}, bytes); break;
            case GuestErrorCase::Load: result = memory.load(Gpa{c.gpa}, bytes); break;
        }
        ASSERT_FALSE(result.has_value());
        EXPECT_EQ(result.error(), c.error);
    }
}

TEST_F(GuestMemoryTest, failed_write_and_read_copy_nothing) {
    ASSERT_FALSE(memory.write(Gpa{rom - 4}, pattern(8)).has_value());
    EXPECT_EQ(read(rom - 4, 4), std::vector<std::byte>(4));
    std::vector<std::byte> untouched(8, std::byte{0xee});
    ASSERT_FALSE(memory.read(Gpa{rom + kib4 - 4}, untouched).has_value());
    EXPECT_EQ(untouched, std::vector<std::byte>(8, std::byte{0xee}));
}

TEST_F(GuestMemoryTest, execute_only_memory_can_be_loaded) {
    ASSERT_TRUE(memory.load(Gpa{exec}, pattern(16)));
    std::vector<std::byte> bytes(16);
    ASSERT_TRUE(frames.read(space.translate(Gpa{exec})->hpa, bytes));
    EXPECT_EQ(bytes, pattern(16));
}

TEST_F(GuestMemoryTest, lazy_page_without_host_memory_is_an_error) {
    frames.allocations_left = 0;
    EXPECT_EQ(memory.write(Gpa{ram + 8}, pattern(1)).error(), (GuestMemoryError{GuestMemoryProblem::OutOfMemory, Gpa{ram + 8}}));
}

TEST_F(GuestMemoryTest, empty_range_always_works) {
    EXPECT_TRUE(memory.read(Gpa{0}, {}));
    EXPECT_TRUE(memory.write(Gpa{~u64{0}}, {}));
}

TEST_F(GuestMemoryTest, objects_cross_pages) {
    struct Descriptor {
        u64 address;
        u32 length;
        u32 flags;
        bool operator==(const Descriptor&) const = default;
    };
    const Descriptor sent{0x1122'3344'5566'7788, 0x99aa'bbcc, 0xddee'ff01};
    ASSERT_TRUE(memory.write_object(Gpa{ram + kib4 - 6}, sent));
    EXPECT_EQ(memory.read_object<Descriptor>(Gpa{ram + kib4 - 6}), sent);
    EXPECT_EQ(memory.read_object<u16>(Gpa{ram + kib4 - 6}), 0x7788);
    EXPECT_EQ(memory.read_object<u64>(Gpa{0}).error().gpa, Gpa{0});
    EXPECT_EQ(memory.write_object<u64>(Gpa{rom}, 1).error().problem, GuestMemoryProblem::NotWritable);
}

}  // namespace
}  // namespace ax::mm::test
