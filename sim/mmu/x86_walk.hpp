// Address translation of the simulated x86 CPU in VMX non-root operation: no paging, 32-bit, PAE and 4-level paging
// under EPT. No PCIDs, protection keys or 5-level paging.
#pragma once

#include <expected>

#include "sim/mmu/x86_paging.hpp"
#include "sim/phys/memory.hpp"

namespace ax::sim::x86 {

/// Walks for one access at `va`, which counts modulo 2^32 unless paging has 4 levels. A of each table entry is set when
/// the walk passes it, A and D of the last one once the access is allowed; those stores go through EPT as well.
/// Source: Intel SDM vol. 3, "Hierarchical Paging Structures: an Overview" to "Accessed and Dirty Flags".
[[nodiscard]] std::expected<PageTranslation, WalkFault> walk(PhysMemory& memory, Gva va, WalkAccess access,
                                                             const PagingContext& context);

/// True when the translation in hand allows the access; stale rights mean a new walk, not a fault.
[[nodiscard]] bool allows(const PageTranslation& translation, WalkAccess access, const PagingContext& context);

/// The four PDPTEs that CR3 names. A PageFault with code 0 says that one has reserved bits set, for which a MOV to a
/// control register raises #GP(0). EPT faults have no linear address. Source: "Use of CR3 with PAE Paging".
[[nodiscard]] std::expected<std::array<u64, 4>, WalkFault> load_pdptes(PhysMemory& memory, const PagingContext& context);
/// A present PDPTE has no reserved bits set; also one of the checks of a VM entry.
[[nodiscard]] bool is_valid_pdpte(u64 pdpte, const MmuFeatures& features);

}  // namespace ax::sim::x86
