// The words of the simulated arm64 MMU: what translation depends on, what it yields, how it fails.
#pragma once

#include "core/exit/vm_exit.hpp"
#include "sim/mmu/vmsa_layout.hpp"

namespace ax::sim::arm64 {

/// The registers that EL1&0 translation depends on, as software wrote them.
struct VmsaContext {
    u64 sctlr = 0;                ///< SCTLR_EL1
    u64 tcr = 0;                  ///< TCR_EL1
    u64 ttbr0 = 0;                ///< TTBR0_EL1
    u64 ttbr1 = 0;                ///< TTBR1_EL1
    u64 mair = 0;                 ///< MAIR_EL1; only PAR_EL1 shows it
    u64 hcr = 0;                  ///< HCR_EL2
    u64 vtcr = 0;                 ///< VTCR_EL2
    u64 vttbr = 0;                ///< VTTBR_EL2
    bool has_pan = false;         ///< the CPU implements FEAT_PAN
    unsigned physical_bits = 48;  ///< ID_AA64MMFR0_EL1.PARange

    /// HCR_EL2.DC makes stage 1 behave as disabled and stage 2 as enabled.
    [[nodiscard]] constexpr bool stage1_on() const { return vmsa::Sctlr::M::test(sctlr) && !vmsa::Hcr::DC::test(hcr); }
    [[nodiscard]] constexpr bool stage2_on() const { return vmsa::Hcr::VM::test(hcr) || vmsa::Hcr::DC::test(hcr); }
    /// "TCR_EL1.A1" says which TTBR defines it, AS how wide it is.
    [[nodiscard]] constexpr u16 asid() const {
        const u64 ttbr = vmsa::Tcr::A1::test(tcr) ? ttbr1 : ttbr0;
        return static_cast<u16>(vmsa::Tcr::AS::test(tcr) ? vmsa::Ttbr::ASID::get(ttbr) : vmsa::Ttbr::ASID8::get(ttbr));
    }
    [[nodiscard]] constexpr u16 vmid() const {
        return static_cast<u16>(vmsa::Vtcr::VS::test(vtcr) ? vmsa::Vttbr::VMID::get(vttbr) : vmsa::Vttbr::VMID8::get(vttbr));
    }
};

struct WalkAccess {
    Access access = Access::Read;
    bool is_el0 = false;  ///< from EL0, or by LDTR or STTR, which have EL0's rights
    bool pan = false;     ///< PSTATE.PAN; looked at for data accesses of EL1
};

struct Rights {
    bool read = false, write = false, execute = false;

    [[nodiscard]] constexpr bool allow(Access access) const {
        return access == Access::Read ? read : access == Access::Write ? write : execute;
    }
    constexpr bool operator==(const Rights&) const = default;
};

/// One 4 KiB page's translation, whatever the size of the descriptors behind it, with the rights that
/// the tables and SCTLR_EL1.WXN state.
struct VmsaTranslation {
    Hpa page;
    Gpa ipa_page;
    Rights el1, el0;  ///< of stage 1
    Rights stage2;
    bool non_global = false;   ///< belongs to one ASID
    bool pan_applies = false;  ///< stage 1 lets EL0 read, so PSTATE.PAN keeps EL1 out
    u8 stage1_shift = 12;      ///< log2 of what the stage 1 descriptor covers, all of which TLBI by VA drops
    u8 stage1_level = 3;       ///< for permission faults; meaningless with stage 1 off
    u8 stage2_level = 3;
};

enum class VmsaFaultKind : u8 { AddressSize, Translation, AccessFlag, Permission, External };
/// Why there is no translation. A stage 2 fault goes to EL2, and so does an external abort on a stage 2 walk.
struct VmsaFault {
    u8 stage = 1;
    VmsaFaultKind kind = VmsaFaultKind::Translation;
    u8 level = 0;
    bool s1ptw = false;  ///< stage 2: it was the address of a stage 1 descriptor
    Gpa ipa;             ///< stage 2: the address that was being translated

    constexpr bool operator==(const VmsaFault&) const = default;
};

/// IFSC and DFSC, and FST of PAR_EL1: "ISS encoding for an exception from a Data Abort".
[[nodiscard]] constexpr u8 fault_status(const VmsaFault& fault) {
    constexpr u8 base[] = {0b00'0000, 0b00'0100, 0b00'1000, 0b00'1100, 0b01'0100};
    return static_cast<u8>(base[index(fault.kind)] | fault.level);
}
static_assert(fault_status({2, VmsaFaultKind::Permission, 3, false, {}}) == 0x0f);
static_assert(fault_status({1, VmsaFaultKind::External, 1, false, {}}) == 0x15);

}  // namespace ax::sim::arm64
