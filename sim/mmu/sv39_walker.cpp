#include "sim/mmu/sv39_walker.hpp"

#include <cstring>
#include <optional>

#include "core/arch/riscv/regs.hpp"

namespace ax::sim {

namespace {

using riscv::Hgatp;
using riscv::Pte;
using riscv::Satp;

constexpr int levels = 3;
constexpr unsigned bits_per_level = 9;

constexpr u64 level_size(int level) { return page_size << (bits_per_level * static_cast<unsigned>(level)); }

bool is_leaf(u64 pte) { return Pte::R::test(pte) || Pte::X::test(pte); }
bool is_malformed(u64 pte) {
    return !Pte::V::test(pte) || (!Pte::R::test(pte) && Pte::W::test(pte)) || Pte::Reserved::test(pte) || Pte::PBMT::test(pte) ||
           Pte::N::test(pte);
}
/// "If ... pte.ppn[i-1:0] != 0, this is a misaligned superpage".
bool is_misaligned(u64 pte, int level) { return (Pte::PPN::get(pte) & ((level_size(level) >> page_shift) - 1)) != 0; }
/// A, D and U are reserved in a pointer to the next table.
bool is_bad_pointer(u64 pte) { return Pte::A::test(pte) || Pte::D::test(pte) || Pte::U::test(pte); }

struct GStage {
    Hpa hpa;
    bool read = false, write = false, execute = false;
};

class Walker {
public:
    Walker(PhysMemory& memory, const TranslationContext& context) : memory_(memory), context_(context) {}

    /// Stage 2 for one guest physical address.
    [[nodiscard]] std::expected<GStage, FaultKind> translate_g(Gpa gpa, Access access) {
        if (Hgatp::MODE::get(context_.hgatp) == Hgatp::mode_bare) return GStage{Hpa{gpa.value()}, true, true, true};
        constexpr u64 gpa_bits = 41;
        if ((gpa.value() >> gpa_bits) != 0) return std::unexpected(FaultKind::GuestPage);
        Hpa table{Hgatp::PPN::get(context_.hgatp) << page_shift};
        for (int level = levels - 1; level >= 0; --level) {
            const u64 span = level_size(level);
            // The root has 2^11 entries; masking is not needed there because the address is in range.
            const u64 entry = level == levels - 1 ? gpa.value() / span : (gpa.value() / span) & 0x1ff;
            const auto pte = load(table + 8 * entry);
            if (!pte) return std::unexpected(FaultKind::Access);
            if (is_malformed(*pte)) return std::unexpected(FaultKind::GuestPage);
            if (!is_leaf(*pte)) {
                if (is_bad_pointer(*pte)) return std::unexpected(FaultKind::GuestPage);
                table = Hpa{Pte::PPN::get(*pte) << page_shift};
                continue;
            }
            return g_leaf(gpa, access, *pte, level);
        }
        return std::unexpected(FaultKind::GuestPage);
    }

    [[nodiscard]] std::expected<PageTranslation, WalkFault> translate(Gva va, WalkAccess access) {
        PageTranslation result;
        Gpa gpa{va.value()};
        if (Satp::MODE::get(context_.vsatp) == Satp::mode_bare) {
            result.vs_read = result.vs_write = result.vs_execute = result.vs_dirty = true;
            // In Bare mode there is no U bit to honour; both privileges may access.
            result.vs_user = access.is_user;
        } else {
            const auto stage1 = translate_vs(va, access, result);
            if (!stage1) return std::unexpected(stage1.error());
            gpa = *stage1;
        }
        const auto g = translate_g(gpa, access.access);
        if (!g) return std::unexpected(WalkFault{g.error(), gpa, false, false});
        result.page = g->hpa.page_base();
        result.g_read = g->read;
        result.g_write = g->write;
        result.g_execute = g->execute;
        return result;
    }

private:
    [[nodiscard]] std::expected<GStage, FaultKind> g_leaf(Gpa gpa, Access access, u64 pte, int level) const {
        // "all memory accesses are considered to be user-level accesses" for the G-stage.
        const bool readable = Pte::R::test(pte) || (context_.hs_mxr && Pte::X::test(pte));
        const bool writable = Pte::W::test(pte) && Pte::D::test(pte);
        const bool allowed = access == Access::Read    ? readable
                             : access == Access::Write ? writable
                                                       : Pte::X::test(pte);
        if (!Pte::U::test(pte) || is_misaligned(pte, level) || !Pte::A::test(pte) || !allowed)
            return std::unexpected(FaultKind::GuestPage);
        const u64 base = Pte::PPN::get(pte) << page_shift;
        return GStage{Hpa{base | (gpa.value() & (level_size(level) - 1))}, readable, writable, Pte::X::test(pte)};
    }

    [[nodiscard]] std::expected<Gpa, WalkFault> translate_vs(Gva va, WalkAccess access, PageTranslation& result) {
        const i64 high = static_cast<i64>(va.value()) >> 38;
        if (high != 0 && high != -1) return std::unexpected(WalkFault{});
        Gpa table{Satp::PPN::get(context_.vsatp) << page_shift};
        for (int level = levels - 1; level >= 0; --level) {
            const u64 span = level_size(level);
            const Gpa entry = table + 8 * ((va.value() / span) & 0x1ff);
            const auto place = translate_g(entry, Access::Read);
            if (!place) return std::unexpected(WalkFault{place.error(), entry, true, false});
            const auto pte = load(place->hpa);
            if (!pte) return std::unexpected(WalkFault{FaultKind::Access, entry, true, false});
            if (is_malformed(*pte)) return std::unexpected(WalkFault{});
            if (!is_leaf(*pte)) {
                if (is_bad_pointer(*pte)) return std::unexpected(WalkFault{});
                table = Gpa{Pte::PPN::get(*pte) << page_shift};
                continue;
            }
            if (auto fault = check_vs_leaf(*pte, level, access)) return std::unexpected(*fault);
            u64 leaf = *pte;
            if (auto fault = update_ad(leaf, place->hpa, entry, access.access)) return std::unexpected(*fault);
            result.vs_read = Pte::R::test(leaf);
            result.vs_write = Pte::W::test(leaf);
            result.vs_execute = Pte::X::test(leaf);
            result.vs_user = Pte::U::test(leaf);
            result.vs_dirty = Pte::D::test(leaf);
            return Gpa{(Pte::PPN::get(leaf) << page_shift) | (va.value() & (span - 1))};
        }
        return std::unexpected(WalkFault{});
    }

    [[nodiscard]] std::optional<WalkFault> check_vs_leaf(u64 pte, int level, WalkAccess access) const {
        PageTranslation rights;
        rights.vs_read = Pte::R::test(pte);
        rights.vs_write = Pte::W::test(pte);
        rights.vs_execute = Pte::X::test(pte);
        rights.vs_user = Pte::U::test(pte);
        rights.vs_dirty = rights.g_read = rights.g_write = rights.g_execute = true;
        if (!allows(rights, access, context_) || is_misaligned(pte, level)) return WalkFault{};
        return std::nullopt;
    }

    [[nodiscard]] std::optional<WalkFault> update_ad(u64& pte, Hpa place, Gpa entry, Access access) {
        const u64 wanted = pte | Pte::A::mask | (access == Access::Write ? Pte::D::mask : 0);
        if (wanted == pte) return std::nullopt;
        if (!context_.updates_ad) return WalkFault{};
        const auto writable = translate_g(entry, Access::Write);
        if (!writable) return WalkFault{writable.error(), entry, true, true};
        pte = wanted;
        memory_.mark_dirty(place);
        std::memcpy(memory_.pointer(place), &pte, sizeof pte);
        return std::nullopt;
    }

    [[nodiscard]] std::optional<u64> load(Hpa at) const {
        if (!memory_.contains(at, 8)) return std::nullopt;
        u64 word = 0;
        std::memcpy(&word, memory_.pointer(at), sizeof word);
        return word;
    }

    PhysMemory& memory_;
    const TranslationContext& context_;
};

}  // namespace

bool allows(const PageTranslation& page, WalkAccess access, const TranslationContext& context) {
    if (access.is_user != page.vs_user) {
        const bool supervisor_may = !access.is_user && page.vs_user && context.sum && access.access != Access::Execute;
        if (!supervisor_may) return false;
    }
    switch (access.access) {
        case Access::Read:
            return (page.vs_read || ((context.mxr || context.hs_mxr) && page.vs_execute)) && page.g_read;
        case Access::Write: return page.vs_write && page.vs_dirty && page.g_write;
        case Access::Execute: return page.vs_execute && page.g_execute;
    }
    return false;
}

std::expected<PageTranslation, WalkFault> walk(PhysMemory& memory, Gva va, WalkAccess access, const TranslationContext& context) {
    return Walker(memory, context).translate(va, access);
}

}  // namespace ax::sim
