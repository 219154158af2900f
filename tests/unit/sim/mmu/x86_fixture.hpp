// Small tables for the tests of the simulated x86 MMU.
#pragma once

#include <gtest/gtest.h>

#include "sim/mmu/x86_walk.hpp"

namespace ax::sim::x86::test {

inline constexpr u64 ram = 0x4000'0000;
inline constexpr u64 p = bit(0), rw = bit(1), us = bit(2), a = bit(5), d = bit(6), ps = bit(7), g = bit(8), xd = bit(63);
inline constexpr u64 er = bit(0), ew = bit(1), ex = bit(2), erwx = er | ew | ex, wb = u64{6} << 3, leaf = bit(7);
inline constexpr u64 wp = bit(16), pe_pg = bit(31) | bit(0), pse = bit(4), pae = bit(5), pge = bit(7), smep = bit(20),
                     smap = bit(21);
inline constexpr u64 lma = bit(10) | bit(8), nxe = bit(11);

/// 4-level tables at pages 1, 2, 3, 4 of guest-physical RAM, index 0 of each level leading on. EPT at pages 16, 17, 18,
/// 19 maps RAM to itself.
struct Tables {
    PhysMemory memory = std::move(*PhysMemory::create(Hpa{ram}, 64 * page_size));
    PagingContext context;

    Tables() {
        context.cr0 = pe_pg | wp;
        context.cr3 = frame(1);
        context.cr4 = pae | pge;
        context.efer = lma | nxe;
        context.eptp = frame(16) | 6 | (3 << 3);
        for (const unsigned n : {1U, 2U, 3U}) set(n, 0, frame(n + 1) | p | rw | us);
        set(16, 0, frame(17) | erwx);
        set(17, ram >> 30, frame(18) | erwx);
        set(18, 0, frame(19) | erwx);
        for (u64 n = 0; n < 64; ++n) set(19, n, frame(n) | erwx | wb);
    }
    static constexpr u64 frame(u64 n) { return ram + n * page_size; }
    void set(u64 n, u64 entry, u64 value) {
        EXPECT_TRUE(memory.write(Hpa{frame(n) + 8 * entry}, std::as_bytes(std::span(&value, 1))));
    }
    void set32(u64 n, u64 entry, u32 value) {
        EXPECT_TRUE(memory.write(Hpa{frame(n) + 4 * entry}, std::as_bytes(std::span(&value, 1))));
    }
    u64 get(u64 n, u64 entry) {
        u64 value = 0;
        EXPECT_TRUE(memory.read(Hpa{frame(n) + 8 * entry}, std::as_writable_bytes(std::span(&value, 1))));
        return value;
    }
    /// 32-bit paging: directory at page 8, table at page 9, and entry 0 leading there.
    void use_32_bit() {
        context.cr4 = pse | pge;
        context.efer = 0;
        context.cr3 = frame(8);
        set32(8, 0, static_cast<u32>(frame(9) | p | rw | us));
    }
    /// PAE paging: PDPTE 1 leads to a directory at page 10, whose entry 0 leads to a table at page 11.
    void use_pae() {
        context.efer = nxe;
        context.pdptes[1] = frame(10) | p;
        set(10, 0, frame(11) | p | rw | us);
    }
    auto at(u64 va, Access access = Access::Read) { return walk(memory, Gva{va}, {.access = access}, context); }
    auto at(u64 va, WalkAccess how) { return walk(memory, Gva{va}, how, context); }
};

}  // namespace ax::sim::x86::test
