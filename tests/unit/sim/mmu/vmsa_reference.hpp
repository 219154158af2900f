// The EL1&0 translation once more, naively: the manual's tables of start levels and address bits typed in, each
// register field cut out where it is used. Slow and shaped unlike sim/mmu on purpose; only the result words are shared.
#pragma once

#include <expected>
#include <optional>

#include "sim/mmu/vmsa.hpp"
#include "sim/phys/memory.hpp"

namespace ax::sim::arm64::test {

class VmsaReference {
public:
    VmsaReference(const PhysMemory& memory, const VmsaContext& context) : memory_(memory), c_(context) {}

    using Fault = std::unexpected<VmsaFault>;
    enum Kind { size = 0, translation = 1, flag = 2, permission = 3, external = 4 };

    std::expected<VmsaTranslation, VmsaFault> walk(u64 va, WalkAccess how) const {
        VmsaTranslation t;
        u64 ipa = 0;
        if (auto f = first_stage(va, how, t, ipa)) return Fault(*f);
        Second second;
        if (auto f = second_stage(ipa, second)) return Fault(*f);
        const bool ok = how.access == Access::Read ? second.r : how.access == Access::Write ? second.w : second.x;
        if (!ok) return Fault(s2(permission, second.level, ipa));
        t.page = Hpa{second.pa & ~u64{0xfff}};
        t.ipa_page = Gpa{ipa & ~u64{0xfff}};
        t.stage2 = {second.r, second.w, second.x};
        t.stage2_level = static_cast<u8>(second.level);
        return t;
    }

private:
    using MaybeFault = std::optional<VmsaFault>;
    struct Second {
        u64 pa = 0;
        bool r = true, w = true, x = true;
        int level = 3;
    };

    static u64 cut(u64 word, int high, int low) { return (word >> low) & ((u64{2} << (high - low)) - 1); }
    static VmsaFault s1(Kind kind, int level) { return {1, static_cast<VmsaFaultKind>(kind), static_cast<u8>(level), false, {}}; }
    static VmsaFault s2(Kind kind, int level, u64 ipa) {
        return {2, static_cast<VmsaFaultKind>(kind), static_cast<u8>(level), false, Gpa{ipa}};
    }
    /// "Translation table lookup": the lowest input bit that a level resolves; -1 where the granule has no such level.
    static int low_bit(int granule, int level) {
        static constexpr int bits[3][4] = {{39, 30, 21, 12}, {47, 36, 25, 14}, {-1, 42, 29, 16}};
        return bits[granule][level];
    }
    /// "Input address size and initial lookup level", stage 1.
    static int stage1_start(int granule, int tsz) {
        if (granule == 0) return tsz <= 24 ? 0 : tsz <= 33 ? 1 : 2;
        if (granule == 1) return tsz <= 16 ? 0 : tsz <= 27 ? 1 : tsz <= 38 ? 2 : 3;
        return tsz <= 21 ? 1 : tsz <= 34 ? 2 : 3;
    }
    /// The same for stage 2: which sizes SL0 may be used with, concatenation included.
    static int stage2_start(int granule, int sl0, int bits, int pa_max) {
        struct Row {
            int granule, sl0, level, least, most, more_than_pa;
        };
        static constexpr Row rows[] = {{0, 0, 2, 25, 34, 0}, {0, 1, 1, 31, 43, 0}, {0, 2, 0, 40, 48, 42},
                                       {1, 0, 3, 25, 28, 0}, {1, 1, 2, 26, 40, 0}, {1, 2, 1, 37, 48, 40},
                                       {2, 0, 3, 25, 33, 0}, {2, 1, 2, 30, 46, 0}, {2, 2, 1, 43, 48, 42}};
        for (const Row& row : rows)
            if (row.granule == granule && row.sl0 == sl0 && bits >= row.least && bits <= row.most && bits <= pa_max &&
                pa_max > row.more_than_pa)
                return row.level;
        return -1;
    }
    int output_bits(u64 encoded) const {
        static constexpr int sizes[] = {32, 36, 40, 42, 44, 48, 48, 48};
        const int bits = sizes[encoded];
        return bits < static_cast<int>(c_.physical_bits) ? bits : static_cast<int>(c_.physical_bits);
    }

    MaybeFault first_stage(u64 va, WalkAccess how, VmsaTranslation& t, u64& ipa) const {
        const bool high_half = cut(va, 55, 55) == 1;
        const bool tbi = cut(c_.tcr, high_half ? 38 : 37, high_half ? 38 : 37) == 1;
        // With the tag replaced by copies of bit 55, range checks need not know about it.
        const u64 plain = !tbi ? va : high_half ? va | 0xff00'0000'0000'0000 : va & 0x00ff'ffff'ffff'ffff;
        const bool off = cut(c_.sctlr, 0, 0) == 0 || cut(c_.hcr, 12, 12) == 1;
        if (off) {
            const u64 address = tbi ? va & 0x00ff'ffff'ffff'ffff : va;
            if (address >= (u64{1} << c_.physical_bits)) return s1(size, 0);
            t.el1 = t.el0 = {true, true, true};
            ipa = address;
            return std::nullopt;
        }
        const bool upper = cut(plain, 63, 63) == 1;
        int tsz = static_cast<int>(upper ? cut(c_.tcr, 21, 16) : cut(c_.tcr, 5, 0));
        tsz = tsz < 16 ? 16 : tsz > 39 ? 39 : tsz;
        const u64 tg = upper ? cut(c_.tcr, 31, 30) : cut(c_.tcr, 15, 14);
        const int granule = upper ? (tg == 1 ? 1 : tg == 3 ? 2 : 0) : (tg == 2 ? 1 : tg == 1 ? 2 : 0);
        for (int n = 63; n >= 64 - tsz; --n)
            if (cut(plain, n, n) != (upper ? 1U : 0U)) return s1(translation, 0);
        if (cut(c_.tcr, upper ? 23 : 7, upper ? 23 : 7) == 1) return s1(translation, 0);

        const int out = output_bits(cut(c_.tcr, 34, 32));
        u64 table = cut(upper ? c_.ttbr1 : c_.ttbr0, 47, 0);
        if (table >= (u64{1} << out)) return s1(size, 0);
        int top = 63 - tsz;
        const int start = stage1_start(granule, tsz);
        const int root_low = low_bit(granule, start);
        table = table / (u64{8} << (top - root_low + 1)) * (u64{8} << (top - root_low + 1));
        u64 forbidden = 0;  // bits 62:59 of all table descriptors
        for (int level = start; level <= 3; ++level) {
            const int low = low_bit(granule, level);
            u64 d = 0;
            if (auto f = fetch_for_stage1(table + 8 * cut(plain, top, low), level, d)) return f;
            const u64 type = d & 3;
            if (type == 0 || type == 2) return s1(translation, level);
            if (level == 3 && type == 1) return s1(translation, level);
            if (level != 3 && type == 3) {
                table = cut(d, 47, low_bit(granule, 3)) << low_bit(granule, 3);
                if (table >= (u64{1} << out)) return s1(size, level);
                forbidden |= cut(d, 62, 59);
                top = low - 1;
                continue;
            }
            if (level == 0 || (level == 1 && granule != 0)) return s1(translation, level);
            return first_stage_leaf(d, low, level, out, forbidden, plain, how, t, ipa);
        }
        return s1(translation, 3);
    }

    MaybeFault first_stage_leaf(u64 d, int low, int level, int out, u64 forbidden, u64 va, WalkAccess how, VmsaTranslation& t,
                                u64& ipa) const {
        ipa = (cut(d, 47, low) << low) + cut(va, low - 1, 0);
        if (ipa >= (u64{1} << out)) return s1(size, level);
        if (cut(d, 10, 10) == 0) return s1(flag, level);
        u64 ap = cut(d, 7, 6);              // "Data access permissions"
        if ((forbidden & 8) != 0) ap |= 2;  // APTable[1]
        if ((forbidden & 4) != 0) ap &= 2;  // APTable[0]
        bool uxn = cut(d, 54, 54) == 1 || (forbidden & 2) != 0;
        bool pxn = cut(d, 53, 53) == 1 || (forbidden & 1) != 0;
        const bool wxn = cut(c_.sctlr, 19, 19) == 1;
        switch (ap) {  // EL1 / EL0
            case 0: t.el1.read = t.el1.write = true; break;
            case 1: t.el1.read = t.el1.write = t.el0.read = t.el0.write = pxn = true; break;
            case 2: t.el1.read = true; break;
            default: t.el1.read = t.el0.read = true; break;
        }
        if (wxn && t.el1.write) pxn = true;
        if (wxn && t.el0.write) uxn = true;
        t.el1.execute = !pxn;
        t.el0.execute = !uxn;
        t.non_global = cut(d, 11, 11) == 1;
        t.pan_applies = t.el0.read;
        t.stage1_shift = static_cast<u8>(low);
        t.stage1_level = static_cast<u8>(level);
        const Rights& rights = how.is_el0 ? t.el0 : t.el1;
        if (how.access == Access::Execute) return rights.execute ? MaybeFault{} : s1(permission, level);
        if (!how.is_el0 && how.pan && c_.has_pan && t.el0.read) return s1(permission, level);
        const bool ok = how.access == Access::Read ? rights.read : rights.write;
        return ok ? MaybeFault{} : s1(permission, level);
    }

    MaybeFault fetch_for_stage1(u64 ipa, int level, u64& descriptor) const {
        Second place;
        auto fault = second_stage(ipa, place);
        if (!fault && !place.r) fault = s2(permission, place.level, ipa);
        if (fault) {
            fault->s1ptw = true;
            return fault;
        }
        if (!fetch(place.pa, descriptor)) return s1(external, level);
        if (cut(c_.sctlr, 25, 25) == 1) {
            u64 swapped = 0;
            for (int n = 0; n < 8; ++n) swapped |= cut(descriptor, 8 * n + 7, 8 * n) << (56 - 8 * n);
            descriptor = swapped;
        }
        return std::nullopt;
    }

    MaybeFault second_stage(u64 ipa, Second& result) const {
        result.pa = ipa;
        if (cut(c_.hcr, 0, 0) == 0 && cut(c_.hcr, 12, 12) == 0) return std::nullopt;
        const int bits = 64 - static_cast<int>(cut(c_.vtcr, 5, 0));
        const u64 tg = cut(c_.vtcr, 15, 14);
        const int granule = tg == 1 ? 2 : tg == 2 ? 1 : 0;
        const int start = stage2_start(granule, static_cast<int>(cut(c_.vtcr, 7, 6)), bits, static_cast<int>(c_.physical_bits));
        if (start < 0 || ipa >= (u64{1} << bits)) return s2(translation, 0, ipa);
        const int out = output_bits(cut(c_.vtcr, 18, 16));
        u64 table = cut(c_.vttbr, 47, 0);
        if (table >= (u64{1} << out)) return s2(size, 0, ipa);
        const u64 root_bytes = u64{8} << (bits - low_bit(granule, start));
        table = table / root_bytes * root_bytes;
        int top = bits - 1;
        for (int level = start; level <= 3; ++level) {
            const int low = low_bit(granule, level);
            u64 d = 0;
            if (!fetch(table + 8 * cut(ipa, top, low), d)) return s2(external, level, ipa);
            const u64 type = d & 3;
            if (type == 3 && level < 3) {
                table = cut(d, 47, low_bit(granule, 3)) << low_bit(granule, 3);
                if (table >= (u64{1} << out)) return s2(size, level, ipa);
                top = low - 1;
                continue;
            }
            const bool is_page = type == 3 && level == 3;
            const bool is_block = type == 1 && (level == 2 || (level == 1 && granule == 0));
            if (!is_page && !is_block) return s2(translation, level, ipa);
            result.pa = (cut(d, 47, low) << low) + cut(ipa, low - 1, 0);
            if (result.pa >= (u64{1} << out)) return s2(size, level, ipa);
            if (cut(d, 10, 10) == 0) return s2(flag, level, ipa);
            result.r = cut(d, 6, 6) == 1;
            result.w = cut(d, 7, 7) == 1;
            result.x = cut(d, 54, 54) == 0;
            result.level = level;
            return std::nullopt;
        }
        return s2(translation, 3, ipa);
    }

    bool fetch(u64 pa, u64& word) const { return memory_.read(Hpa{pa}, std::as_writable_bytes(std::span(&word, 1))); }

    const PhysMemory& memory_;
    const VmsaContext& c_;
};

}  // namespace ax::sim::arm64::test
