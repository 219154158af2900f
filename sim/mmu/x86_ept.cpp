#include "sim/mmu/x86_ept.hpp"

#include <array>
#include <cstring>

namespace ax::sim::x86 {

namespace {

using paging::EptEntry;
using paging::Eptp;
using Qualification = paging::EptQualification;

constexpr int levels = 4;
constexpr unsigned bits_per_level = 9;

/// log2 of what an entry covers; level 1 is the page table.
constexpr unsigned shift_at(int level) {
    return static_cast<unsigned>(page_shift) + bits_per_level * static_cast<unsigned>(level - 1);
}

bool is_leaf(u64 entry, int level) { return level == 1 || ((level == 2 || level == 3) && EptEntry::Leaf::test(entry)); }

/// "EPT Misconfigurations", for an entry that is present.
bool is_misconfigured(u64 entry, int level, const MmuFeatures& features) {
    if (EptEntry::W::test(entry) && !EptEntry::R::test(entry)) return true;
    if (EptEntry::RWX::get(entry) == EptEntry::X::mask && !features.ept_execute_only) return true;
    const u64 beyond = EptEntry::Address::mask & ~(bit(features.physical_bits) - 1);
    if ((entry & beyond) != 0) return true;
    if (!is_leaf(entry, level)) return (level == levels && EptEntry::Leaf::test(entry)) || EptEntry::TableReserved::test(entry);
    if (level == 3 && !features.ept_1g_pages) return true;
    const u64 below = EptEntry::Address::mask & (bit(shift_at(level)) - 1);
    const u64 type = EptEntry::MemoryType::get(entry);
    return (entry & below) != 0 || type == 2 || type == 3 || type == 7;
}

/// `counts_as_write`: the flags of EPT are on and the access is one to a guest table.
u64 qualification(EptAccess access, bool counts_as_write, u64 rights) {
    u64 word = Qualification::LinearValid::of(access.has_linear) |
               Qualification::IsFinalAccess::of(access.has_linear && !access.is_guest_table);
    // Where A and D of EPT turn accesses to guest tables into writes, they count as both.
    const bool reads = access.access == Access::Read || counts_as_write;
    if (access.access == Access::Execute)
        word |= Qualification::Fetch::mask;
    else
        word |=
            Qualification::DataRead::of(reads) | Qualification::DataWrite::of(counts_as_write || access.access == Access::Write);
    word |= Qualification::Readable::of(EptEntry::R::get(rights)) | Qualification::Writable::of(EptEntry::W::get(rights)) |
            Qualification::Executable::of(EptEntry::X::get(rights));
    return word;
}

struct Step {
    Hpa place;
    u64 entry = 0;
};

/// Sets A on the way and D at its end; true when the end's D is set then.
bool update_flags(PhysMemory& memory, const std::array<Step, levels>& steps, int used, bool writes) {
    for (int n = 0; n < used; ++n) {
        const Step& step = steps[static_cast<std::size_t>(n)];
        const bool sets_dirty = writes && n == used - 1;
        const u64 wanted = step.entry | EptEntry::A::mask | (sets_dirty ? EptEntry::D::mask : 0);
        if (wanted != step.entry) store_entry(memory, step.place, wanted, 8);
    }
    return writes || EptEntry::D::test(steps[static_cast<std::size_t>(used - 1)].entry);
}

}  // namespace

u64 load_entry(const PhysMemory& memory, Hpa at, unsigned bytes) {
    u64 word = 0;
    if (!memory.contains(at, bytes)) return zero_extend(~u64{0}, bytes);
    std::memcpy(&word, memory.pointer(at), bytes);
    return word;
}

void store_entry(PhysMemory& memory, Hpa at, u64 value, unsigned bytes) {
    if (!memory.contains(at, bytes)) return;
    memory.mark_dirty(at);
    std::memcpy(memory.pointer(at), &value, bytes);
}

std::expected<EptTranslation, WalkFault> translate_ept(PhysMemory& memory, Gpa gpa, EptAccess access,
                                                       const PagingContext& context) {
    if (!context.has_ept) return EptTranslation{.hpa = Hpa{gpa.value()}};
    const bool has_flags = Eptp::AD::test(context.eptp);
    const bool counts_as_write = access.is_guest_table && has_flags;
    const bool writes = access.access == Access::Write || counts_as_write;
    u64 rights = EptEntry::RWX::mask;
    const auto violation = [&] {
        return std::unexpected(WalkFault{WalkFaultKind::EptViolation, qualification(access, counts_as_write, rights), gpa});
    };
    // Four levels resolve 48 bits; what lies above has no translation.
    if ((gpa.value() >> (shift_at(levels) + bits_per_level)) != 0) {
        rights = 0;
        return violation();
    }
    std::array<Step, levels> steps{};
    Hpa table{context.eptp & Eptp::Pml4::mask};
    for (int level = levels; level >= 1; --level) {
        const u64 number = (gpa.value() >> shift_at(level)) & (bit(bits_per_level) - 1);
        Step& step = steps[static_cast<std::size_t>(levels - level)];
        step.place = table + 8 * number;
        step.entry = load_entry(memory, step.place, 8);
        rights &= step.entry;
        if (EptEntry::RWX::get(step.entry) == 0) return violation();
        if (is_misconfigured(step.entry, level, context.features))
            return std::unexpected(WalkFault{WalkFaultKind::EptMisconfigured, 0, gpa});
        const u64 address = step.entry & EptEntry::Address::mask;
        if (!is_leaf(step.entry, level)) {
            table = Hpa{address};
            continue;
        }
        EptTranslation result;
        result.rights = {EptEntry::R::test(rights), EptEntry::W::test(rights), EptEntry::X::test(rights)};
        if (!result.rights.allow(access.access) || (writes && !result.rights.write)) return violation();
        result.hpa = Hpa{address | (gpa.value() & (bit(shift_at(level)) - 1))};
        if (has_flags) result.is_dirty = update_flags(memory, steps, levels - level + 1, writes);
        return result;
    }
    return violation();
}

}  // namespace ax::sim::x86
