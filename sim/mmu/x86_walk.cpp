#include "sim/mmu/x86_walk.hpp"

#include <optional>

#include "sim/mmu/x86_ept.hpp"

namespace ax::sim::x86 {

namespace {

using paging::Cr0;
using paging::Cr3;
using paging::Cr4;
using paging::Entry;
using Code = paging::PageFaultCode;

constexpr unsigned linear_bits = 48;

/// Shape of the tables that a mode walks. Levels are numbered from 1, the page table.
struct Tables {
    int top = 4;
    unsigned entry_bytes = 8;

    [[nodiscard]] unsigned index_bits() const { return entry_bytes == 8 ? 9 : 10; }
    [[nodiscard]] unsigned shift_at(int level) const {
        return static_cast<unsigned>(page_shift) + index_bits() * static_cast<unsigned>(level - 1);
    }
};

bool is_canonical(Gva va) {
    const u64 sign = static_cast<u64>(static_cast<i64>(va.value()) >> (linear_bits - 1));
    return sign == 0 || sign == ~u64{0};
}

/// "Determination of Access Rights".
bool guest_allows(const PageTranslation& page, WalkAccess how, const PagingContext& context) {
    if (context.mode() == PagingMode::Off) return true;
    const bool is_user = how.is_user && !how.is_implicit;
    const bool is_fetch = how.access == Access::Execute;
    if (is_user && !page.is_user) return false;
    if (!is_user && page.is_user) {
        if (is_fetch && Cr4::SMEP::test(context.cr4)) return false;
        const bool may_touch = how.ac && !how.is_implicit;
        if (!is_fetch && Cr4::SMAP::test(context.cr4) && !may_touch) return false;
    }
    if (is_fetch) return !(page.no_execute && context.has_xd());
    if (how.access == Access::Read) return true;
    return page.is_writable || (!is_user && !Cr0::WP::test(context.cr0));
}

class Walker {
public:
    Walker(PhysMemory& memory, const PagingContext& context, WalkAccess how) : memory_(memory), context_(context), how_(how) {}

    [[nodiscard]] std::expected<PageTranslation, WalkFault> translate(Gva va) {
        const PagingMode mode = context_.mode();
        PageTranslation result;
        if (mode == PagingMode::FourLevel) {
            if (!is_canonical(va)) return std::unexpected(WalkFault{WalkFaultKind::NonCanonical, 0, {}});
        } else {
            va = Gva{zero_extend(va.value(), 4)};
        }
        Gpa gpa{va.value()};
        if (mode == PagingMode::Off) {
            result.is_user = result.is_writable = result.is_dirty = true;
        } else {
            const auto found = translate_guest(va, mode, result);
            if (!found) return std::unexpected(found.error());
            gpa = *found;
        }
        const auto place = translate_ept(memory_, gpa, {.access = how_.access}, context_);
        if (!place) return std::unexpected(place.error());
        result.page = place->hpa.page_base();
        result.gpa_page = gpa.page_base();
        result.ept = place->rights;
        result.is_dirty = result.is_dirty && place->is_dirty;
        return result;
    }

private:
    [[nodiscard]] WalkFault page_fault(bool is_present, bool is_reserved) const {
        const bool is_fetch = how_.access == Access::Execute;
        const bool shows_fetch = Cr4::SMEP::test(context_.cr4) || context_.has_xd();
        return {WalkFaultKind::PageFault,
                Code::P::of(is_present) | Code::WR::of(how_.access == Access::Write) |
                    Code::US::of(how_.is_user && !how_.is_implicit) | Code::RSVD::of(is_reserved) |
                    Code::ID::of(is_fetch && shows_fetch),
                {}};
    }

    [[nodiscard]] std::expected<Gpa, WalkFault> translate_guest(Gva va, PagingMode mode, PageTranslation& result) {
        Tables tables;
        Gpa table;
        if (mode == PagingMode::FourLevel) {
            table = Gpa{context_.cr3 & Cr3::Pml4::mask};
        } else if (mode == PagingMode::Bits32) {
            tables = {.top = 2, .entry_bytes = 4};
            table = Gpa{context_.cr3 & Cr3::Directory32::mask};
        } else {
            tables.top = 2;
            const u64 pdpte = context_.pdptes[va.value() >> tables.shift_at(3)];
            if (!paging::Pdpte::P::test(pdpte)) return std::unexpected(page_fault(false, false));
            table = Gpa{pdpte & Entry::Address::mask};
        }
        result.is_user = result.is_writable = true;
        for (int level = tables.top;; --level) {
            const u64 number = (va.value() >> tables.shift_at(level)) & (bit(tables.index_bits()) - 1);
            const Gpa at = table + tables.entry_bytes * number;
            const auto place = translate_ept(memory_, at, {Access::Read, true, true}, context_);
            if (!place) return std::unexpected(place.error());
            u64 entry = load_entry(memory_, place->hpa, tables.entry_bytes);
            if (!Entry::P::test(entry)) return std::unexpected(page_fault(false, false));
            if (has_reserved(entry, level, mode, tables)) return std::unexpected(page_fault(true, true));
            result.is_user &= Entry::US::test(entry);
            result.is_writable &= Entry::RW::test(entry);
            result.no_execute |= tables.entry_bytes == 8 && Entry::XD::test(entry);
            const bool is_last = is_leaf(entry, level, mode);
            if (is_last && !guest_allows(result, how_, context_)) return std::unexpected(page_fault(true, false));
            if (auto fault = set_flags(entry, at, tables.entry_bytes, is_last)) return std::unexpected(*fault);
            if (is_last) return finish(entry, level, va, tables, result);
            table = Gpa{entry & Entry::Address::mask};
        }
    }

    [[nodiscard]] bool is_leaf(u64 entry, int level, PagingMode mode) const {
        if (level == 1) return true;
        if (level == 4 || !Entry::PS::test(entry)) return false;
        return mode != PagingMode::Bits32 || Cr4::PSE::test(context_.cr4);
    }

    /// Footnotes and "Reserved" rows of the entry formats; large pages have reserved address bits below their size.
    [[nodiscard]] bool has_reserved(u64 entry, int level, PagingMode mode, const Tables& tables) const {
        const unsigned physical = context_.features.physical_bits;
        const bool is_large = level > 1 && is_leaf(entry, level, mode);
        if (mode == PagingMode::Bits32) {
            if (!is_large) return false;
            // Addresses of 4 MiB pages have at most 40 bits.
            return Entry::Reserved4M::test(entry) || (physical < 40 && (Entry::High4M::get(entry) >> (physical - 32)) != 0);
        }
        const u64 beyond = Entry::Address::mask & ~(bit(physical) - 1);
        if ((entry & beyond) != 0 || (Entry::XD::test(entry) && !context_.has_xd())) return true;
        if (mode == PagingMode::Pae && Entry::ReservedPae::test(entry)) return true;
        if (level == 4 && Entry::PS::test(entry)) return true;
        if (level == 3 && Entry::PS::test(entry) && !context_.features.has_1g_pages) return true;
        // Bit 12 of a large page is PAT.
        constexpr u64 pat = bit(12);
        return is_large && (entry & Entry::Address::mask & ~pat & (bit(tables.shift_at(level)) - 1)) != 0;
    }

    /// Sets A, and D for a write, of the entry at `at`.
    [[nodiscard]] std::optional<WalkFault> set_flags(u64& entry, Gpa at, unsigned bytes, bool is_last) {
        const bool sets_dirty = is_last && how_.access == Access::Write;
        const u64 wanted = entry | Entry::A::mask | (sets_dirty ? Entry::D::mask : 0);
        if (wanted == entry) return std::nullopt;
        const auto place = translate_ept(memory_, at, {Access::Write, true, true}, context_);
        if (!place) return place.error();
        entry = wanted;
        store_entry(memory_, place->hpa, entry, bytes);
        return std::nullopt;
    }

    [[nodiscard]] Gpa finish(u64 entry, int level, Gva va, const Tables& tables, PageTranslation& result) const {
        const u64 span = bit(tables.shift_at(level));
        result.is_dirty = Entry::D::test(entry);
        result.is_global = Entry::G::test(entry) && Cr4::PGE::test(context_.cr4);
        result.shift = static_cast<u8>(tables.shift_at(level));
        u64 base = align_down(entry & Entry::Address::mask, span);
        if (tables.entry_bytes == 4 && level == 2) base |= Entry::High4M::get(entry) << 32;
        return Gpa{base | (va.value() & (span - 1))};
    }

    PhysMemory& memory_;
    const PagingContext& context_;
    WalkAccess how_;
};

}  // namespace

std::expected<PageTranslation, WalkFault> walk(PhysMemory& memory, Gva va, WalkAccess access, const PagingContext& context) {
    return Walker(memory, context, access).translate(va);
}

bool allows(const PageTranslation& translation, WalkAccess access, const PagingContext& context) {
    if (access.access == Access::Write && !translation.is_dirty) return false;
    return guest_allows(translation, access, context) && translation.ept.allow(access.access);
}

bool is_valid_pdpte(u64 pdpte, const MmuFeatures& features) {
    using paging::Pdpte;
    if (!Pdpte::P::test(pdpte)) return true;
    return !Pdpte::Reserved::test(pdpte) && !Pdpte::Reserved2::test(pdpte) && (pdpte >> features.physical_bits) == 0;
}

std::expected<std::array<u64, 4>, WalkFault> load_pdptes(PhysMemory& memory, const PagingContext& context) {
    const Gpa table{context.cr3 & Cr3::Pdpt::mask};
    // The table is 32-byte aligned, so it lies in one page.
    const auto place = translate_ept(memory, table, {Access::Read, true, false}, context);
    if (!place) return std::unexpected(place.error());
    std::array<u64, 4> pdptes{};
    for (std::size_t n = 0; n < pdptes.size(); ++n) {
        pdptes[n] = load_entry(memory, place->hpa + 8 * n, 8);
        if (!is_valid_pdpte(pdptes[n], context.features)) return std::unexpected(WalkFault{});
    }
    return pdptes;
}

}  // namespace ax::sim::x86
