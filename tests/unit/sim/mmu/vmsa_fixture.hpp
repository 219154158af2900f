// Small tables for the tests of the simulated arm64 MMU.
#pragma once

#include <gtest/gtest.h>

#include "sim/mmu/vmsa_walker.hpp"

namespace ax::sim::arm64::test {

inline constexpr u64 ram = 0x8000'0000;
inline constexpr u64 table = 3, page = 3, block = 1, af = bit(10);
inline constexpr u64 ap_el0 = bit(6), ap_ro = bit(7), ng = bit(11), pxn = bit(53), uxn = bit(54), xn2 = bit(54),
                     s2_rw = bit(6) | bit(7);

/// Four-level 4 KiB tables below TTBR0 at pages 1, 2, 3, 4 and below TTBR1 at pages 5, 6, 7, 8; both map index 0 of each
/// level. Stage 2, once used, maps RAM to itself: root (level 1, 40 bits) at pages 16 and 17, then 18 and 19.
struct Tables {
    PhysMemory memory = std::move(*PhysMemory::create(Hpa{ram}, 64 * page_size));
    VmsaContext context;

    Tables() {
        context.sctlr = 1;
        context.tcr = 16 | (16 << 16) | (u64{0b10} << 30) | (u64{0b101} << 32);
        context.ttbr0 = frame(1);
        context.ttbr1 = frame(5);
        for (const unsigned n : {1U, 2U, 3U, 5U, 6U, 7U}) set(n, 0, frame(n + 1) | table);
    }
    static u64 frame(u64 n) { return ram + n * page_size; }
    void set(u64 n, u64 entry, u64 descriptor) {
        EXPECT_TRUE(memory.write(Hpa{frame(n) + 8 * entry}, std::as_bytes(std::span(&descriptor, 1))));
    }
    void use_stage2() {
        context.hcr = 1;
        context.vtcr = 24 | (1 << 6) | (u64{0b010} << 16);
        context.vttbr = frame(16) | (u64{7} << 48);
        set(16, ram >> 30, frame(18) | table);
        set(18, 0, frame(19) | table);
        for (u64 n = 0; n < 64; ++n) set(19, n, frame(n) | page | af | s2_rw);
    }
    auto at(u64 va, Access access = Access::Read, bool is_el0 = false, bool pan = false) {
        return walk(memory, Gva{va}, {access, is_el0, pan}, context);
    }
};

}  // namespace ax::sim::arm64::test
