#include "sim/trap/arm64/el2_model.hpp"

#include <gtest/gtest.h>

#include "core/arch/arm64/regs.hpp"

namespace {

using namespace ax;
using namespace ax::arm64;
using sim::arm64::refused_register;

constexpr unsigned list_registers = 4;

/// A stage 2 of 40 bits from level 1, two concatenated tables, and a guest at EL1h.
El2Regs good() {
    El2Regs el2;
    el2.HCR_EL2 = Hcr::RW::of(1) | Hcr::VM::of(1);
    el2.VTCR_EL2 = Vtcr::T0SZ::of(24) | Vtcr::SL0::of(1) | Vtcr::PS::of(2);
    el2.VTTBR_EL2 = 0x4000'2000;
    el2.SPSR_EL2 = Spsr::masked | Spsr::el1h;
    return el2;
}

struct Case {
    const char* name;
    void (*change)(El2Regs&);
    const char* refused;
};

const Case cases[] = {
    // "Illegal return events from AArch64 state".
    {"EL2 itself", [](El2Regs& r) { r.SPSR_EL2 = Spsr::masked | 0b1001; }, "SPSR_EL2"},
    {"EL3", [](El2Regs& r) { r.SPSR_EL2 = Spsr::masked | 0b1101; }, "SPSR_EL2"},
    {"AArch32 while EL1 is AArch64", [](El2Regs& r) { r.SPSR_EL2 = Spsr::nRW::of(1); }, "SPSR_EL2"},
    {"EL0 with SP_ELx", [](El2Regs& r) { r.SPSR_EL2 = 0b0001; }, "SPSR_EL2"},
    {"EL0", [](El2Regs& r) { r.SPSR_EL2 = Spsr::el0t; }, nullptr},
    {"EL1 on SP_EL0", [](El2Regs& r) { r.SPSR_EL2 = Spsr::el1t; }, nullptr},
    {"a guest in illegal state", [](El2Regs& r) { r.SPSR_EL2 |= Spsr::IL::of(1); }, nullptr},
    // "HCR_EL2": what this CPU has not.
    {"EL1 is AArch32", [](El2Regs& r) { r.HCR_EL2 = Hcr::VM::of(1); }, "HCR_EL2"},
    {"a host at EL2", [](El2Regs& r) { r.HCR_EL2 |= Hcr::E2H::of(1); }, "HCR_EL2"},
    {"exceptions of EL0 to EL2", [](El2Regs& r) { r.HCR_EL2 |= Hcr::TGE::of(1); }, "HCR_EL2"},
    // "VTCR_EL2", "Concatenated translation tables".
    {"40 bits from level 2", [](El2Regs& r) { r.VTCR_EL2 = Vtcr::SL0::set(r.VTCR_EL2, 0); }, "VTCR_EL2"},
    {"a reserved start level", [](El2Regs& r) { r.VTCR_EL2 = Vtcr::SL0::set(r.VTCR_EL2, 3); }, "VTCR_EL2"},
    {"44 bits from level 1", [](El2Regs& r) { r.VTCR_EL2 = Vtcr::T0SZ::set(r.VTCR_EL2, 20); }, "VTCR_EL2"},
    {"a granule of 64 KiB", [](El2Regs& r) { r.VTCR_EL2 = Vtcr::TG0::set(r.VTCR_EL2, 1); }, "VTCR_EL2"},
    {"no stage 2, so any VTCR", [](El2Regs& r) { r.HCR_EL2 = Hcr::RW::of(1), r.VTCR_EL2 = ~u64{0}; }, nullptr},
    {"tables that are not aligned together", [](El2Regs& r) { r.VTTBR_EL2 = 0x4000'1000; }, "VTTBR_EL2"},
    {"39 bits need one table", [](El2Regs& r) { r.VTCR_EL2 = Vtcr::T0SZ::set(r.VTCR_EL2, 25), r.VTTBR_EL2 = 0x4000'1000; }, nullptr},
    {"a list register that is not there", [](El2Regs& r) { r.ICH_LR_EL2[4] = 1; }, "ICH_LR<n>_EL2 beyond ICH_VTR_EL2.ListRegs"},
};

TEST(Arm64El2Model, what_hardware_would_not_take_is_refused_by_name) {
    EXPECT_EQ(refused_register(good(), list_registers), nullptr);
    for (const Case& c : cases) {
        El2Regs el2 = good();
        c.change(el2);
        EXPECT_STREQ(refused_register(el2, list_registers), c.refused) << c.name;
    }
}

}  // namespace
