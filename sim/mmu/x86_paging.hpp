// The words of the simulated x86 MMU: what translation depends on, what it yields, how it fails.
#pragma once

#include <array>

#include "core/exit/vm_exit.hpp"
#include "sim/mmu/x86_layout.hpp"

namespace ax::sim::x86 {

/// "Paging Modes and Control Bits"; 5-level paging does not exist on this CPU.
enum class PagingMode : u8 { Off, Bits32, Pae, FourLevel };

/// What this CPU implements, as CPUID and IA32_VMX_EPT_VPID_CAP say.
struct MmuFeatures {
    unsigned physical_bits = 40;  ///< MAXPHYADDR, 36 to 52
    bool has_1g_pages = true;
    bool ept_execute_only = true;
    bool ept_1g_pages = true;

    constexpr bool operator==(const MmuFeatures&) const = default;
};

/// The registers that the translation of a guest's addresses depends on.
struct PagingContext {
    u64 cr0 = 0, cr3 = 0, cr4 = 0, efer = 0;
    std::array<u64, 4> pdptes{};  ///< PAE paging: loaded with CR3, not read again
    bool has_ept = true;          ///< "enable EPT"; without it a guest physical address is the host's
    u64 eptp = 0;
    MmuFeatures features;

    [[nodiscard]] constexpr PagingMode mode() const {
        if (!paging::Cr0::PG::test(cr0)) return PagingMode::Off;
        if (!paging::Cr4::PAE::test(cr4)) return PagingMode::Bits32;
        return paging::Efer::LMA::test(efer) ? PagingMode::FourLevel : PagingMode::Pae;
    }
    /// XD means something; 32-bit entries have none.
    [[nodiscard]] constexpr bool has_xd() const { return paging::Cr4::PAE::test(cr4) && paging::Efer::NXE::test(efer); }
};

/// "Access Rights": every access is a user-mode or a supervisor-mode one, and the latter explicit or implicit.
struct WalkAccess {
    Access access = Access::Read;
    bool is_user = false;      ///< CPL 3, unless the access is implicit
    bool is_implicit = false;  ///< to descriptor tables, the TSS: supervisor-mode at any CPL; RFLAGS.AC does not help
    bool ac = false;           ///< RFLAGS.AC
};

struct Rights {
    bool read = false, write = false, execute = false;

    [[nodiscard]] constexpr bool allow(Access access) const {
        return access == Access::Read ? read : access == Access::Write ? write : execute;
    }
    constexpr bool operator==(const Rights&) const = default;
};

/// One 4 KiB page's translation, whatever the size of the entries behind it, as a TLB keeps it: "Caching Translations
/// in TLBs" and, with EPT, a combined mapping.
struct PageTranslation {
    Hpa page;
    Gpa gpa_page;
    bool is_user = false;      ///< U/S of all guest entries
    bool is_writable = false;  ///< R/W of all guest entries
    bool no_execute = false;   ///< XD of any guest entry
    bool is_dirty = false;     ///< no D, of the guest or of EPT, is left for a write to set
    bool is_global = false;
    u8 shift = 12;  ///< log2 of the guest's page, all of which INVLPG drops
    Rights ept{true, true, true};

    constexpr bool operator==(const PageTranslation&) const = default;
};

enum class WalkFaultKind : u8 {
    NonCanonical,      ///< #GP(0) or #SS(0), by the segment; it precedes the walk
    PageFault,         ///< `code` is the error code; CR2 is the address
    EptViolation,      ///< `code` is the exit qualification
    EptMisconfigured,  ///< it has no qualification
};
struct WalkFault {
    WalkFaultKind kind = WalkFaultKind::PageFault;
    u64 code = 0;
    Gpa gpa;  ///< EPT: the guest-physical address that was being translated

    constexpr bool operator==(const WalkFault&) const = default;
};

}  // namespace ax::sim::x86
