// riscv::Vm: second-stage changes and the fences that every hart owes for them.
#include "core/backend/riscv/vm.hpp"

#include <gtest/gtest.h>

#include "tests/unit/core/backend/riscv/fake_cpu.hpp"
#include "tests/unit/core/mm/fake_frames.hpp"

namespace ax::riscv {
namespace {

using mm::MapError;
using mm::Permissions;
using testing::FakeCpu;

constexpr Gpa gpa{0x8000'0000};
constexpr Hpa hpa{0x1'4000'0000};
constexpr u64 size = 0x4000;

class RiscvVmTest : public ::testing::Test {
protected:
    void SetUp() override {
        EXPECT_TRUE(vm.add_cpu(first));
        EXPECT_TRUE(vm.add_cpu(second));
    }
    /// Fences since the last question; both harts must have had the same.
    int fences() {
        EXPECT_EQ(first.translation_fences, second.translation_fences);
        EXPECT_EQ(first.instruction_fences, 0);
        const int count = first.translation_fences;
        first.translation_fences = second.translation_fences = 0;
        return count;
    }

    mm::test::FakeFrames frames{Hpa{0x1'0000'0000}, 0x100'0000};
    mm::TableMemory tables{frames, 64};
    Vm vm = std::move(*Vm::create(tables));
    FakeCpu first, second;
};

TEST_F(RiscvVmTest, root_suits_hgatp) {
    EXPECT_TRUE(vm.root().is_aligned(0x4000));
    EXPECT_EQ(vm.gpa_bits(), 41U);
}

TEST_F(RiscvVmTest, no_memory_for_a_root_is_an_error) {
    mm::TableMemory none(frames, 3);
    const auto made = Vm::create(none);
    ASSERT_FALSE(made);
    EXPECT_EQ(made.error(), MapError::NoTableMemory);
}

TEST_F(RiscvVmTest, every_change_is_fenced_on_every_hart) {
    EXPECT_TRUE(vm.map(gpa, hpa, size, Permissions::rwx()));
    EXPECT_GE(fences(), 1);
    EXPECT_EQ(vm.translate(gpa + 0x1008)->hpa, hpa + 0x1008);
    EXPECT_TRUE(vm.protect(gpa, page_size, {true, false, false, false}));
    EXPECT_GE(fences(), 1);
    EXPECT_FALSE(vm.translate(gpa)->permissions.write);
    EXPECT_TRUE(vm.translate(gpa + page_size)->permissions.write);
    EXPECT_TRUE(vm.unmap(gpa, size));
    EXPECT_GE(fences(), 1);
    EXPECT_FALSE(vm.translate(gpa));
}

TEST_F(RiscvVmTest, change_without_effect_needs_no_fence) {
    ASSERT_TRUE(vm.map(gpa, hpa, size, Permissions::rwx()));
    static_cast<void>(fences());
    EXPECT_TRUE(vm.protect(gpa, size, Permissions::rwx()));
    EXPECT_EQ(fences(), 0);
}

TEST_F(RiscvVmTest, refused_change_needs_no_fence_and_keeps_the_old_state) {
    ASSERT_TRUE(vm.map(gpa, hpa, size, Permissions::rwx()));
    static_cast<void>(fences());
    EXPECT_EQ(vm.map(gpa + 0x3000, hpa, size, Permissions::rwx()).error(), MapError::AlreadyMapped);
    EXPECT_EQ(vm.map(gpa + 1, hpa, size, Permissions::rwx()).error(), MapError::Unaligned);
    EXPECT_EQ(vm.map(Gpa{u64{1} << 41}, hpa, size, Permissions::rwx()).error(), MapError::OutOfRange);
    EXPECT_EQ(vm.unmap(gpa, size + page_size).error(), MapError::NotMapped);
    EXPECT_EQ(vm.protect(gpa - page_size, size, Permissions::rwx()).error(), MapError::NotMapped);
    EXPECT_EQ(vm.protect(gpa, size, {false, true, false, false}).error(), MapError::Unencodable);
    EXPECT_EQ(fences(), 0);
    EXPECT_EQ(vm.translate(gpa)->permissions, Permissions::rwx());
}

TEST_F(RiscvVmTest, takes_64_harts) {
    std::array<FakeCpu, 63> more;
    for (std::size_t i = 0; i < 62; ++i) EXPECT_TRUE(vm.add_cpu(more[i]));
    EXPECT_FALSE(vm.add_cpu(more[62]));
}

}  // namespace
}  // namespace ax::riscv
