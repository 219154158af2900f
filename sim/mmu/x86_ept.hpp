// The second stage of the simulated x86 MMU: 4-level EPT. Written from the manual on its own; it shares nothing with
// core/mm, so that a wrong bit on either side shows.
#pragma once

#include <expected>

#include "sim/mmu/x86_paging.hpp"
#include "sim/phys/memory.hpp"

namespace ax::sim::x86 {

/// What an access to a guest-physical address is for.
struct EptAccess {
    Access access = Access::Read;
    bool is_guest_table = false;  ///< to a guest paging-structure entry
    bool has_linear = true;       ///< by way of a linear address; loading PDPTEs has none
};

struct EptTranslation {
    Hpa hpa;
    Rights rights{true, true, true};
    bool is_dirty = true;  ///< D is set, or EPT has no D
};

/// Translates one guest-physical address and checks the access; the identity without EPT. Sets A and D of EPT entries
/// where EPTP bit 6 says so. Source: Intel SDM vol. 3, "EPT Translation Mechanism", "EPT Misconfigurations",
/// "EPT Violations", "Accessed and Dirty Flags for EPT".
[[nodiscard]] std::expected<EptTranslation, WalkFault> translate_ept(PhysMemory& memory, Gpa gpa, EptAccess access,
                                                                     const PagingContext& context);

/// A word of `bytes` (4 or 8) of a table; all ones where there is no RAM, as an unclaimed bus read gives.
[[nodiscard]] u64 load_entry(const PhysMemory& memory, Hpa at, unsigned bytes);
/// Nothing happens where there is no RAM.
void store_entry(PhysMemory& memory, Hpa at, u64 value, unsigned bytes);

}  // namespace ax::sim::x86
