#include "core/arch/riscv/controls.hpp"

#include <gtest/gtest.h>

namespace ax::riscv::testing {
namespace {

Controls controls(u64 root = 0x8040'4000, u64 vmid = 0, bool trap_wait = true) {
    return controls_for({Hpa{root}, vmid, trap_wait});
}

TEST(RiscvControls, hstatus_returns_to_vs_mode_of_64_bits) {
    EXPECT_EQ(controls(0, 0, false).hstatus, 0x2'0000'0180u);  // VSXL = 2, SPVP, SPV
}

TEST(RiscvControls, wait_traps_only_when_asked_for) {
    EXPECT_EQ(controls(0, 0, true).hstatus, 0x2'0020'0180u);
    EXPECT_EQ(controls(0, 0, false).hstatus & 0x20'0000, 0u);
}

TEST(RiscvControls, hedeleg_holds_no_bit_that_hardware_keeps_zero) {
    constexpr u64 read_only_zero = u64{1} << 9 | u64{1} << 10 | u64{1} << 11 | u64{1} << 14 | u64{0xf} << 20;
    EXPECT_EQ(controls().hedeleg & read_only_zero, 0u);
    EXPECT_EQ(controls().hedeleg >> 24, 0u);
}

TEST(RiscvControls, every_exception_of_the_guests_own_is_delegated) {
    for (const unsigned cause : {0u, 1u, 2u, 3u, 4u, 5u, 6u, 7u, 8u, 12u, 13u, 15u})
        EXPECT_EQ(controls().hedeleg >> cause & 1, 1u) << cause;
    EXPECT_EQ(__builtin_popcountll(controls().hedeleg), 12);
}

TEST(RiscvControls, hideleg_gives_the_three_virtual_interrupts) { EXPECT_EQ(controls().hideleg, 0x444u); }

TEST(RiscvControls, the_guest_reads_time_but_no_counter_of_the_host) { EXPECT_EQ(controls().hcounteren, 0x2u); }

TEST(RiscvControls, hardware_updates_accessed_and_dirty_and_no_timer_compare_is_given) {
    EXPECT_EQ(controls().henvcfg, u64{1} << 61);
}

TEST(RiscvControls, hgatp_names_mode_vmid_and_root) {
    struct Row {
        u64 root;
        u64 vmid;
        u64 hgatp;
    };
    constexpr Row rows[] = {
        {0x0000'0000, 0, 0x8000'0000'0000'0000},      {0x8040'4000, 0, 0x8000'0000'0008'0404},
        {0x8040'4000, 1, 0x8000'1000'0008'0404},      {0x8040'4000, 0x3fff, 0x83ff'f000'0008'0404},
        {0x8040'4000, 0x4001, 0x8000'1000'0008'0404}, {0x00ff'ffff'ffff'c000, 2, 0x8000'2fff'ffff'fffc},
    };
    for (const Row& row : rows) EXPECT_EQ(controls(row.root, row.vmid).hgatp, row.hgatp) << std::hex << row.root;
}

TEST(RiscvControls, sstatus_returns_to_supervisor_with_floating_point_on) {
    EXPECT_EQ(controls().sstatus, 0x2'0000'6100u);  // UXL = 2, FS dirty, SPP
}

}  // namespace
}  // namespace ax::riscv::testing
