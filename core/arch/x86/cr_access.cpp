// Control-register writes that the hypervisor completes.
#include "core/arch/x86/cr_access.hpp"

#include "core/arch/x86/cr_values.hpp"
#include "core/arch/x86/guest.hpp"

namespace ax::x86 {

namespace {

constexpr GuestException protection_fault = {Vector::GP, 0, std::nullopt};

bool has_pae_paging(const Vmcs& v) {
    return Cr0::PG::test(guest_cr0(v)) && Cr4::PAE::test(guest_cr4(v)) && !Efer::LMA::test(v.GUEST_IA32_EFER);
}

bool is_valid_cr0(const Vmcs& v, u64 value) {
    if ((value >> 32) != 0) return false;
    if (Cr0::PG::test(value) && !Cr0::PE::test(value)) return false;
    if (Cr0::NW::test(value) && !Cr0::CD::test(value)) return false;
    const bool is_turned_on = Cr0::PG::test(value) && !Cr0::PG::test(guest_cr0(v));
    const bool is_turned_off = !Cr0::PG::test(value) && Cr0::PG::test(guest_cr0(v));
    if (is_turned_on && Efer::LME::test(v.GUEST_IA32_EFER))
        return Cr4::PAE::test(guest_cr4(v)) && !AccessRights::L::test(v.GUEST_CS.access_rights);
    return !is_turned_off || code_size(v) != CodeSize::Code64;
}

/// LMA is LME and PG: "Extended Feature Enable Register".
void update_lma(Vmcs& v) {
    const bool is_long = Efer::LME::test(v.GUEST_IA32_EFER) && Cr0::PG::test(guest_cr0(v));
    set_guest_efer(v, Efer::LMA::set(v.GUEST_IA32_EFER, is_long));
}

}  // namespace

std::optional<GuestException> load_pdptes(Guest& g) {
    using P = Bits<0>;
    // "PDPTE Registers": reserved bits of an entry that is present.
    using Reserved1 = Bits<2, 1>;
    using Reserved2 = Bits<8, 5>;
    using Reserved3 = Bits<63, 52>;
    if (!has_pae_paging(g.vmcs)) return std::nullopt;
    std::array<u64, 4> entries{};
    for (std::size_t i = 0; i < entries.size(); ++i) {
        const u64 table = g.vmcs.GUEST_CR3 & Cr3::PDPT::mask;
        entries[i] = g.memory.load(Gpa{table + i * sizeof(u64)}, sizeof(u64)).value_or(~u64{0});
        if (!P::test(entries[i])) continue;
        if (Reserved1::test(entries[i]) || Reserved2::test(entries[i]) || Reserved3::test(entries[i])) return protection_fault;
    }
    g.vmcs.GUEST_PDPTE = entries;
    return std::nullopt;
}

std::optional<GuestException> write_cr0(Guest& g, u64 value) {
    if (!is_valid_cr0(g.vmcs, value)) return protection_fault;
    const Vmcs before = g.vmcs;
    const u64 changed = guest_cr0(g.vmcs) ^ value;
    set_guest_cr0(g.vmcs, value & Cr0::defined);
    update_lma(g.vmcs);
    constexpr u64 reloads = Cr0::PG::mask | Cr0::CD::mask | Cr0::NW::mask;
    if ((changed & reloads) == 0) return std::nullopt;
    const auto fault = load_pdptes(g);
    if (fault) g.vmcs = before;
    return fault;
}

std::optional<GuestException> write_cr4(Guest& g, u64 value, u64 allowed) {
    Vmcs& v = g.vmcs;
    if ((value & ~allowed) != 0) return protection_fault;
    if (Efer::LMA::test(v.GUEST_IA32_EFER) && !Cr4::PAE::test(value)) return protection_fault;
    const Vmcs before = v;
    const u64 changed = guest_cr4(v) ^ value;
    set_guest_cr4(v, value);
    constexpr u64 reloads = Cr4::PAE::mask | Cr4::PGE::mask | Cr4::PSE::mask | Cr4::SMEP::mask;
    if ((changed & reloads) == 0) return std::nullopt;
    const auto fault = load_pdptes(g);
    if (fault) v = before;
    return fault;
}

}  // namespace ax::x86
