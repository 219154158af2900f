// A walker of Sv39x4 tables that shares nothing with core/mm but the memory.
#pragma once

#include <set>

#include "tests/unit/core/mm/fake_tables.hpp"

namespace ax::mm::test {

/// What an entry at the end of a walk says, and the tables on the way, root first.
struct RawWalk {
    bool is_mapped = false;
    u64 hpa = 0;  ///< of the address itself
    u64 leaf_size = 0;
    u64 flags = 0;  ///< bits 7:0 of the leaf
    std::vector<u64> tables;
};

/// RISC-V Privileged, "Virtual Address Translation Process", with the first step widened to 11 bits
/// as "Guest Physical Address Translation" says.
inline RawWalk raw_walk(FakeTables& memory, u64 root, u64 gpa) {
    RawWalk result;
    u64 table = root;
    for (int i = 2; i >= 0; --i) {
        result.tables.push_back(table);
        const u64 vpn = (gpa >> (12 + 9 * i)) & (i == 2 ? 0x7ff : 0x1ff);
        const u64 pte = memory.read(Hpa{table + vpn * 8});
        if ((pte & 1) == 0) return result;
        const u64 ppn = (pte >> 10) & 0xfff'ffff'ffff;
        if ((pte & 0xe) != 0) {
            const u64 offset_mask = (u64{1} << (12 + 9 * i)) - 1;
            result.is_mapped = (ppn << 12 & offset_mask) == 0;
            result.hpa = (ppn << 12) | (gpa & offset_mask);
            result.leaf_size = offset_mask + 1;
            result.flags = pte & 0xff;
            return result;
        }
        table = ppn << 12;
    }
    return result;
}

/// Pages of all tables that can be reached; a table without entries below the root is a failure.
inline u64 raw_table_pages(FakeTables& memory, u64 table, int level, u64 entries) {
    u64 pages = entries / 512;
    u64 valid = 0;
    for (u64 i = 0; i < entries; ++i) {
        const u64 pte = memory.read(Hpa{table + i * 8});
        if ((pte & 1) == 0) continue;
        ++valid;
        if ((pte & 0xe) == 0) pages += raw_table_pages(memory, ((pte >> 10) & 0xfff'ffff'ffff) << 12, level - 1, 512);
    }
    if (level != 2 && valid == 0) ADD_FAILURE() << "an empty table is still linked";
    return pages;
}

}  // namespace ax::mm::test
