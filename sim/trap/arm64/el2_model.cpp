#include "sim/trap/arm64/el2_model.hpp"

#include <algorithm>

#include "core/arch/arm64/regs.hpp"

namespace ax::sim::arm64 {

using namespace ax::arm64;

namespace {

/// PSTATE of a guest: AArch64, EL0t, EL1t or EL1h. EL2 itself, EL3 and AArch32 are illegal returns here.
bool is_guest_state(u64 spsr) {
    if (Spsr::nRW::test(spsr)) return false;
    const u64 mode = Spsr::M::get(spsr);
    return mode == Spsr::el0t || mode == Spsr::el1t || mode == Spsr::el1h;
}

/// No EL2 host mode, and EL1 is AArch64.
bool is_possible_hcr(u64 hcr) { return Hcr::RW::test(hcr) && !Hcr::TGE::test(hcr) && !Hcr::E2H::test(hcr); }

/// Granule 4 KiB; the start level and the size must fit each other: "Concatenated translation tables".
bool is_possible_vtcr(u64 vtcr) {
    const u64 bits = 64 - Vtcr::T0SZ::get(vtcr);
    const u64 start = Vtcr::SL0::get(vtcr);
    if (Vtcr::TG0::get(vtcr) != 0 || Vtcr::PS::get(vtcr) > 5 || bits < 25 || bits > 48 || start > 2) return false;
    // What the tables from the start level resolve without concatenation: levels 2, 1, 0.
    const u64 resolved = start == 0 ? 30 : start == 1 ? 39 : 48;
    const u64 least = start == 2 ? 40 : resolved - 8;
    return bits >= least && bits <= std::min<u64>(resolved + 4, 48);
}

/// "BADDR": aligned to all concatenated tables together.
bool is_possible_vttbr(u64 vttbr, u64 vtcr) {
    const u64 bits = 64 - Vtcr::T0SZ::get(vtcr);
    const u64 start = Vtcr::SL0::get(vtcr);
    const u64 resolved = start == 0 ? 30 : start == 1 ? 39 : 48;
    const u64 tables = bits > resolved ? u64{1} << (bits - resolved) : 1;
    return (Vttbr::BADDR::mask & vttbr & (tables * 4096 - 1)) == 0;
}

}  // namespace

const char* refused_register(const El2Regs& el2, unsigned list_registers) {
    if (!is_possible_hcr(el2.HCR_EL2)) return "HCR_EL2";
    const bool has_stage2 = Hcr::VM::test(el2.HCR_EL2) || Hcr::DC::test(el2.HCR_EL2);
    if (has_stage2 && !is_possible_vtcr(el2.VTCR_EL2)) return "VTCR_EL2";
    if (has_stage2 && !is_possible_vttbr(el2.VTTBR_EL2, el2.VTCR_EL2)) return "VTTBR_EL2";
    if (!is_guest_state(el2.SPSR_EL2)) return "SPSR_EL2";
    for (std::size_t n = list_registers; n < el2.ICH_LR_EL2.size(); ++n)
        if (el2.ICH_LR_EL2[n] != 0) return "ICH_LR<n>_EL2 beyond ICH_VTR_EL2.ListRegs";
    return nullptr;
}

}  // namespace ax::sim::arm64
