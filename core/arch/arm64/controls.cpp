// EL2 control values of a guest. Source of each bit: Arm ARM DDI 0487, the register's page.
#include "core/arch/arm64/controls.hpp"

#include <iterator>

#include "core/arch/arm64/regs.hpp"

namespace ax::arm64 {

namespace {

u64 hcr_for(const ControlSettings& s) {
    // Physical interrupts are the hypervisor's, virtual ones the guest's.
    constexpr u64 routing = Hcr::FMO::mask | Hcr::IMO::mask | Hcr::AMO::mask;
    // Implementation-defined registers are not for guests.
    constexpr u64 implementation_traps = Hcr::TIDCP::mask | Hcr::TACR::mask;
    return routing | implementation_traps | Hcr::VM::of(1)  // stage 2 is on
           | Hcr::RW::of(1)                                 // EL1 is AArch64
           | Hcr::SWIO::of(1)                               // invalidation by set and way never throws away another VM's data
           | Hcr::FB::of(1)                                 // maintenance reaches every pCPU that the vCPU may have run on
           | Hcr::BSU::of(1)                                // and so do barriers
           | Hcr::TSC::of(1)                                // SMC is PSCI, not the real firmware
           | Hcr::TID3::of(1)                               // the guest sees the policy's ID registers
           | Hcr::TWI::of(1)                                // a waiting vCPU gives its pCPU away
           | Hcr::TWE::of(s.vcpu_count > 1);                // and so does one that waits for another vCPU
}

/// ID_AA64MMFR0_EL1.PARange and VTCR_EL2.PS: the smallest size that is enough.
u64 size_code(unsigned address_bits) {
    constexpr unsigned sizes[] = {32, 36, 40, 42, 44, 48};
    u64 code = 0;
    while (code + 1 < std::size(sizes) && sizes[code] < address_bits) ++code;
    return code;
}

/// "Concatenated translation tables": the start level that core/mm/vmsav8_s2.hpp builds for this size.
u64 vtcr_for(const ControlSettings& s) {
    constexpr unsigned most_bits_from_level_1 = 43;
    constexpr u64 from_level_1 = 1, from_level_0 = 2, write_back = 1, inner_shareable = 3;
    return Vtcr::T0SZ::of(64 - s.ipa_bits) | Vtcr::SL0::of(s.ipa_bits > most_bits_from_level_1 ? from_level_0 : from_level_1) |
           Vtcr::IRGN0::of(write_back) | Vtcr::ORGN0::of(write_back) | Vtcr::SH0::of(inner_shareable) |
           Vtcr::PS::of(size_code(s.physical_bits)) | Vtcr::Res1::of(1);
}

}  // namespace

El2Regs controls_for(const ControlSettings& s) {
    using Vmid8 = Bits<7, 0>;  // VTCR_EL2.VS is 0
    El2Regs el2;
    el2.HCR_EL2 = hcr_for(s);
    el2.VTCR_EL2 = vtcr_for(s);
    el2.VTTBR_EL2 = Vttbr::VMID::of(Vmid8::get(s.vmid)) | s.stage2_root.value();
    el2.CPTR_EL2 = Cptr::res1 | Cptr::TZ::of(1);  // floating point is the guest's, SVE is not there
    // Debug and performance registers trap: the guest has none of the real ones. TDE stays clear, its BRK is its own.
    el2.MDCR_EL2 = Mdcr::TDRA::of(1) | Mdcr::TDOSA::of(1) | Mdcr::TDA::of(1) | Mdcr::TPM::of(1) | Mdcr::TPMCR::of(1);
    el2.CNTHCTL_EL2 = Cnthctl::EL1PCTEN::of(1);  // the physical counter may be read, the physical timer is emulated
    el2.VPIDR_EL2 = s.midr;
    el2.VMPIDR_EL2 = Mpidr::Res1::of(1) | (s.affinity & Mpidr::affinity);
    if (s.has_list_registers) el2.ICH_HCR_EL2 = IchHcr::En::of(1);
    el2.SPSR_EL2 = Spsr::masked | Spsr::el1h;
    return el2;
}

}  // namespace ax::arm64
