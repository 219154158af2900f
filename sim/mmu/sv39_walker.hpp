// Two-stage address translation of the simulated hart: Sv39 under Sv39x4. Written from the manual on
// its own; it shares nothing with core/mm, so that a wrong bit on either side shows.
#pragma once

#include <expected>

#include "core/exit/vm_exit.hpp"
#include "sim/phys/memory.hpp"

namespace ax::sim {

/// The CSR fields that translation depends on. Source: RISC-V Privileged, "Two-Stage Address
/// Translation" and "Sv39".
struct TranslationContext {
    u64 vsatp = 0;
    u64 hgatp = 0;
    bool sum = false;         ///< vsstatus.SUM
    bool mxr = false;         ///< vsstatus.MXR
    bool hs_mxr = false;      ///< sstatus.MXR, which applies to both stages
    bool updates_ad = false;  ///< henvcfg.ADUE
};

/// One page's translation with the rights of both stages as the page tables state them.
struct PageTranslation {
    Hpa page;
    bool vs_read = false, vs_write = false, vs_execute = false;
    bool vs_user = false;
    bool vs_dirty = false;
    bool g_read = false, g_write = false, g_execute = false;
};

enum class FaultKind : u8 { VsPage, GuestPage, Access };
struct WalkFault {
    FaultKind kind = FaultKind::VsPage;
    Gpa gpa;                    ///< GuestPage: the address that stage 2 refused
    bool by_walk = false;       ///< GuestPage: refused for a page-table access, not for the access itself
    bool walk_writes = false;   ///< and that was the update of A or D
};

struct WalkAccess {
    Access access = Access::Read;
    bool is_user = false;  ///< VU-mode
};

/// True when the translation in hand allows the access; stale rights mean a new walk, not a fault.
[[nodiscard]] bool allows(const PageTranslation& page, WalkAccess access, const TranslationContext& context);

/// Walks both stages for one access at `va`, updating A and D bits where the context says hardware does.
[[nodiscard]] std::expected<PageTranslation, WalkFault> walk(PhysMemory& memory, Gva va, WalkAccess access,
                                                             const TranslationContext& context);

}  // namespace ax::sim
