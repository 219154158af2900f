// The architectural TLB of an arm64 CPU: what was translated stays translated until a TLBI says
// otherwise. Unicorn's own TLB is a cache of this one and may lose entries at any (host-dependent) moment without the
// guest being able to tell; it must never keep what this one has dropped.
#pragma once

#include <vector>

#include "core/base/fields.hpp"
#include "sim/mmu/arm64_tlb_space.hpp"

namespace ax::sim::arm64 {

/// What a lookup sees of the current registers.
struct TlbTag {
    u16 vmid = 0;
    u16 asid = 0;
    bool stage1_on = true;
    bool tbi0 = false, tbi1 = false;  ///< the top byte of an address is ignored, by half

    [[nodiscard]] static constexpr TlbTag of(const VmsaContext& context) {
        return {context.vmid(), context.asid(), context.stage1_on(), vmsa::Tcr::TBI0::test(context.tcr),
                vmsa::Tcr::TBI1::test(context.tcr)};
    }
};

/// Faults are not kept: "TLB maintenance requirements" has no entry for what gave one. Translations with stage 1 off
/// are apart from those with it on, and those of VMIDs and ASIDs from each other.
class Arm64Tlb {
public:
    /// Entries after which everything is forgotten, as hardware may at any time: a guest that forks for
    /// hours never drops the ASIDs of its dead.
    static constexpr std::size_t most_entries = 1 << 18;

    /// The entry for the page of `va`, or null: of the ASID, else global.
    [[nodiscard]] const VmsaTranslation* find(Gva va, TlbTag tag) const;
    /// Replaces whatever `find` would have found. True when the TLB was full and has forgotten everything else;
    /// its caches must do the same.
    [[nodiscard]] bool insert(Gva va, TlbTag tag, const VmsaTranslation& translation);

    /// TLBI ALLE1.
    void drop_all();
    /// TLBI VMALLE1, VMALLS12E1.
    void drop_vmid(u16 vmid);
    /// TLBI IPAS2E1, IPAS2LE1: drops all of the VMID. More than asked is legal, and cores follow these with VMALLE1.
    void drop_ipa(u16 vmid, Gpa) { drop_vmid(vmid); }
    /// TLBI ASIDE1: global entries stay.
    void drop_asid(u16 vmid, u16 asid);
    /// TLBI VAE1, VALE1: the ASID's and global entries of the whole block or page around `va`, whose top byte
    /// counts for nothing.
    void drop_va(u16 vmid, u16 asid, Gva va);
    /// TLBI VAAE1, VAALE1.
    void drop_va_all_asids(u16 vmid, Gva va);

    /// Walks so far: the same number in every run, whatever the host's Unicorn evicted.
    [[nodiscard]] u64 walks() const { return walks_; }
    [[nodiscard]] std::size_t entries() const;

    void fields(FieldVisitor& v) {
        field(v, "walks", walks_);
        u64 count = entries();
        field(v, "entries", count);
    }

private:
    struct Vmid {
        u16 vmid = 0;
        TlbSpace space;
    };

    [[nodiscard]] const TlbSpace* space_of(u16 vmid) const;
    [[nodiscard]] TlbSpace* space_of(u16 vmid);

    std::vector<Vmid> vmids_;  ///< those ever seen; few
    u64 walks_ = 0;
};

}  // namespace ax::sim::arm64
