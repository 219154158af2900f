// The x86 translation once more, naively, over a copy of RAM: bit numbers typed in, one list of steps instead of a loop
// per table. Shaped unlike sim/mmu on purpose; only the result words are shared.
#pragma once

#include <cstring>
#include <expected>
#include <optional>
#include <vector>

#include "sim/mmu/x86_paging.hpp"

namespace ax::sim::x86::test {

class X86Reference {
public:
    X86Reference(std::vector<u8>& bytes, u64 base, const PagingContext& context) : bytes_(bytes), base_(base), c_(context) {}

    std::expected<PageTranslation, WalkFault> walk(u64 va, WalkAccess how) {
        PageTranslation t;
        const bool paging = on(c_.cr0, 31), pae = on(c_.cr4, 5), wide = paging && pae && on(c_.efer, 10);
        if (!wide) va &= 0xffff'ffff;
        if (wide && (va >> 47) != 0 && (va >> 47) != 0x1'ffff)
            return std::unexpected(WalkFault{WalkFaultKind::NonCanonical, 0, {}});
        u64 gpa = va;
        if (paging) {
            const auto guest = wide ? four_level(va, how, t) : pae ? three_level(va, how, t) : two_level(va, how, t);
            if (!guest) return std::unexpected(guest.error());
            gpa = *guest;
        } else {
            t.is_user = t.is_writable = t.is_dirty = true;
        }
        bool dirty = true;
        const auto hpa = second(gpa, index(how.access), false, t.ept, dirty);
        if (!hpa) return std::unexpected(hpa.error());
        t.page = Hpa{*hpa & ~u64{0xfff}};
        t.gpa_page = Gpa{gpa & ~u64{0xfff}};
        t.is_dirty = t.is_dirty && dirty;
        return t;
    }

private:
    using Result = std::expected<u64, WalkFault>;
    static bool on(u64 word, int n) { return ((word >> n) & 1) != 0; }
    static u64 cut(u64 word, int high, int low) { return (word >> low) & ((u64{2} << (high - low)) - 1); }

    u64 read(u64 at, unsigned size) const {
        u64 word = 0;
        if (at < base_ || at + size > base_ + bytes_.size()) return size == 8 ? ~u64{0} : 0xffff'ffff;
        std::memcpy(&word, bytes_.data() + (at - base_), size);
        return word;
    }
    void write(u64 at, u64 word, unsigned size) {
        if (at < base_ || at + size > base_ + bytes_.size()) return;
        std::memcpy(bytes_.data() + (at - base_), &word, size);
    }

    /// `kind`: 0 read, 1 write, 2 fetch.
    Result second(u64 gpa, int kind, bool table, Rights& rights, bool& dirty) {
        rights = {true, true, true};
        if (!c_.has_ept) return gpa;
        const bool flags = on(c_.eptp, 6);
        const bool writes = kind == 1 || (table && flags);
        u64 all = 7;
        const auto violation = [&]() -> Result {
            u64 q = 0x80;
            if (!table) q += 0x100;
            if (kind == 0 || (table && flags)) q |= 1;
            if (writes) q |= 2;
            if (kind == 2) q |= 4;
            q += (all & 7) * 8;
            return std::unexpected(WalkFault{WalkFaultKind::EptViolation, q, Gpa{gpa}});
        };
        if ((gpa >> 48) != 0) {
            all = 0;
            return violation();
        }
        struct Seen {
            u64 at, entry;
        };
        std::vector<Seen> seen;
        u64 at = (c_.eptp & 0xf'ffff'ffff'f000) + cut(gpa, 47, 39) * 8;
        for (const int low : {39, 30, 21, 12}) {
            const u64 entry = read(at, 8);
            seen.push_back({at, entry});
            all &= entry;
            if ((entry & 7) == 0) return violation();
            bool bad = (entry & 7) == 2 || (entry & 7) == 6 || ((entry & 7) == 4 && !c_.features.ept_execute_only);
            for (int n = static_cast<int>(c_.features.physical_bits); n < 52; ++n) bad |= on(entry, n);
            const bool end = low == 12 || (low != 39 && on(entry, 7));
            if (end) {
                const u64 type = cut(entry, 5, 3);
                bad |= type == 2 || type == 3 || type == 7 || (low == 30 && !c_.features.ept_1g_pages);
                for (int n = 12; n < low; ++n) bad |= on(entry, n);
            } else {
                bad |= cut(entry, 6, 3) != 0 || (low == 39 && on(entry, 7));
            }
            if (bad) return std::unexpected(WalkFault{WalkFaultKind::EptMisconfigured, 0, Gpa{gpa}});
            if (end) {
                rights = {on(all, 0), on(all, 1), on(all, 2)};
                if (kind == 0 && !rights.read) return violation();
                if (kind == 2 && !rights.execute) return violation();
                if (writes && !rights.write) return violation();
                if (flags) {
                    for (const Seen& s : seen) write(s.at, s.entry | 0x100, 8);
                    if (writes) write(seen.back().at, entry | 0x300, 8);
                    dirty = writes || on(entry, 9);
                }
                return (entry & 0xf'ffff'ffff'f000) + (gpa & ((u64{1} << low) - 1));
            }
            at = (entry & 0xf'ffff'ffff'f000) + cut(gpa, low - 1, low - 9) * 8;
        }
        return violation();
    }

    WalkFault fault(WalkAccess how, bool present, bool reserved) const {
        u64 code = (present ? 1 : 0) + (reserved ? 8 : 0);
        if (how.access == Access::Write) code += 2;
        if (how.is_user && !how.is_implicit) code += 4;
        if (how.access == Access::Execute && (on(c_.cr4, 20) || (on(c_.cr4, 5) && on(c_.efer, 11)))) code += 16;
        return {WalkFaultKind::PageFault, code, {}};
    }
    bool permitted(WalkAccess how, bool user_page, bool writable, bool no_execute) const {
        const bool smep = on(c_.cr4, 20), smap = on(c_.cr4, 21), wp = on(c_.cr0, 16);
        if (how.is_user && !how.is_implicit) {
            if (!user_page) return false;
            return how.access == Access::Read ? true : how.access == Access::Write ? writable : !no_execute;
        }
        if (how.access == Access::Execute) return !no_execute && !(smep && user_page);
        if (user_page && smap && (how.is_implicit || !how.ac)) return false;
        return how.access == Access::Read || writable || !wp;
    }

    /// One level: the entry at `at`, which ends the walk when it says so. `low`: lowest address bit that it resolves.
    struct Level {
        bool ends = false;
        u64 entry = 0;
    };
    std::expected<Level, WalkFault> level(u64 at, unsigned size, int low, bool may_end, u64 reserved, u64 reserved_at_end,
                                          WalkAccess how, PageTranslation& t) {
        Rights unused;
        bool dirty = false;
        const auto place = second(at, 0, true, unused, dirty);
        if (!place) return std::unexpected(place.error());
        Level step{low == 12 || (may_end && on(read(*place, size), 7)), read(*place, size)};
        if (!on(step.entry, 0)) return std::unexpected(fault(how, false, false));
        if ((step.entry & (reserved | (step.ends ? reserved_at_end : 0))) != 0) return std::unexpected(fault(how, true, true));
        t.is_writable = t.is_writable && on(step.entry, 1);
        t.is_user = t.is_user && on(step.entry, 2);
        t.no_execute = t.no_execute || (size == 8 && on(step.entry, 63));
        if (step.ends && !permitted(how, t.is_user, t.is_writable, t.no_execute)) return std::unexpected(fault(how, true, false));
        u64 wanted = step.entry | 0x20;
        if (step.ends && how.access == Access::Write) wanted |= 0x40;
        if (wanted != step.entry) {
            const auto again = second(at, 1, true, unused, dirty);
            if (!again) return std::unexpected(again.error());
            write(*again, wanted, size);
            step.entry = wanted;
        }
        if (step.ends) {
            t.is_dirty = on(step.entry, 6);
            t.is_global = on(step.entry, 8) && on(c_.cr4, 7);
            t.shift = static_cast<u8>(low);
        }
        return step;
    }
    u64 high() const {
        u64 mask = on(c_.efer, 11) ? 0 : u64{1} << 63;
        for (unsigned n = c_.features.physical_bits; n < 52; ++n) mask |= u64{1} << n;
        return mask;
    }

    Result four_level(u64 va, WalkAccess how, PageTranslation& t) {
        t.is_user = t.is_writable = true;
        u64 at = (c_.cr3 & 0xf'ffff'ffff'f000) + cut(va, 47, 39) * 8;
        struct Row {
            int low;
            bool may_end;
            u64 reserved, at_end;
        };
        const Row rows[] = {{39, false, 0x80, 0},
                            {30, c_.features.has_1g_pages, c_.features.has_1g_pages ? u64{0} : u64{0x80}, 0x3fff'e000},
                            {21, true, 0, 0x1f'e000},
                            {12, true, 0, 0}};
        for (const Row& row : rows) {
            const auto step = level(at, 8, row.low, row.may_end, row.reserved | high(), row.at_end, how, t);
            if (!step) return std::unexpected(step.error());
            const u64 span = u64{1} << row.low;
            const u64 address = step->entry & 0xf'ffff'ffff'f000;
            if (step->ends) return address / span * span + va % span;
            at = address + cut(va, row.low - 1, row.low - 9) * 8;
        }
        return 0;
    }
    Result three_level(u64 va, WalkAccess how, PageTranslation& t) {
        t.is_user = t.is_writable = true;
        const u64 pdpte = c_.pdptes[cut(va, 31, 30)];
        if (!on(pdpte, 0)) return std::unexpected(fault(how, false, false));
        const u64 reserved = high() | 0x7ff0'0000'0000'0000;
        const auto pde = level((pdpte & 0xf'ffff'ffff'f000) + cut(va, 29, 21) * 8, 8, 21, true, reserved, 0x1f'e000, how, t);
        if (!pde) return std::unexpected(pde.error());
        if (pde->ends) return (pde->entry & 0xf'ffff'ffe0'0000) + cut(va, 20, 0);
        const auto pte = level((pde->entry & 0xf'ffff'ffff'f000) + cut(va, 20, 12) * 8, 8, 12, true, reserved, 0, how, t);
        if (!pte) return std::unexpected(pte.error());
        return (pte->entry & 0xf'ffff'ffff'f000) + cut(va, 11, 0);
    }
    Result two_level(u64 va, WalkAccess how, PageTranslation& t) {
        t.is_user = t.is_writable = true;
        u64 at_end = u64{1} << 21;
        for (unsigned n = c_.features.physical_bits; n < 40; ++n) at_end |= u64{1} << (n - 32 + 13);
        const auto pde = level((c_.cr3 & 0xffff'f000) + cut(va, 31, 22) * 4, 4, 22, on(c_.cr4, 4), 0, at_end, how, t);
        if (!pde) return std::unexpected(pde.error());
        if (pde->ends) return (cut(pde->entry, 20, 13) << 32) + (pde->entry & 0xffc0'0000) + cut(va, 21, 0);
        const auto pte = level((pde->entry & 0xffff'f000) + cut(va, 21, 12) * 4, 4, 12, true, 0, 0, how, t);
        if (!pte) return std::unexpected(pte.error());
        return (pte->entry & 0xffff'f000) + cut(va, 11, 0);
    }

    std::vector<u8>& bytes_;
    u64 base_;
    const PagingContext& c_;
};

}  // namespace ax::sim::x86::test
