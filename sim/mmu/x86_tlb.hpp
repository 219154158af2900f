// The architectural TLB of one x86 vCPU: what was translated stays translated until an instruction of the guest or the
// hypervisor says otherwise. Unicorn's own TLB is a cache of this one and may lose entries at any (host-dependent) moment
// without the guest being able to tell; it must never keep what this one has dropped.
#pragma once

#include <vector>

#include "core/base/fields.hpp"
#include "sim/mmu/x86_tlb_space.hpp"

namespace ax::sim::x86 {

/// What a change of registers leaves of a TLB.
enum class TlbLoss : u8 { Nothing, NonGlobal, Everything };

/// What writing control registers or IA32_EFER drops, CR3 by itself excepted: a MOV to CR3 with the old value is a
/// `NonGlobal` too. Source: Intel SDM vol. 3, "Operations that Invalidate TLBs and Paging-Structure Caches"; changes after
/// which an entry would mean something else (PSE, NXE) drop everything as well, which is always legal.
[[nodiscard]] TlbLoss tlb_loss(const PagingContext& before, const PagingContext& after);

/// Combined mappings ("Information That May Be Cached") of one EPTP and one VPID, PCID 0. Faults are not kept, nor are entries
/// of tables on the way.
class X86Tlb {
public:
    /// Entries after which everything is forgotten, as hardware may at any time.
    static constexpr std::size_t most_entries = 1 << 18;
    /// Regions of 1 GiB that entries may come from before the same happens.
    static constexpr std::size_t most_giants = 64;

    /// The entry for the page of `va`, or null. It may lack the right or the D bit that an access needs; then the access
    /// walks again.
    [[nodiscard]] const PageTranslation* find(Gva va) const {
        const PageTranslation* own = local_.find(va.page_number());
        return own != nullptr ? own : global_.find(va.page_number());
    }
    /// Replaces whatever `find` would have found. True when the TLB was full and has forgotten everything else; its
    /// caches must do the same.
    [[nodiscard]] bool insert(Gva va, const PageTranslation& translation);

    /// INVEPT, INVVPID of one or all contexts, a VM entry or exit without VPID.
    void drop_all();
    /// MOV to CR3, a task switch.
    void drop_non_global() { local_.clear(); }
    /// INVLPG: all of the page around `va`, whatever its size, global or not. True when more than that was dropped.
    bool drop_page(Gva va);
    /// A change of registers.
    void drop(TlbLoss loss);

    /// Walks so far: the same number in every run, whatever the host's Unicorn evicted.
    [[nodiscard]] u64 walks() const { return walks_; }
    [[nodiscard]] std::size_t entries() const { return local_.size() + global_.size(); }

    void fields(FieldVisitor& v) {
        field(v, "walks", walks_);
        u64 count = entries();
        field(v, "entries", count);
    }

private:
    TlbSpace local_, global_;
    std::vector<u64> giants_;  ///< numbers of the 1 GiB pages that entries came from
    u64 walks_ = 0;
};

}  // namespace ax::sim::x86
