// Arm GIC Architecture Specification IHI 0069; each row names its page or section.
#include "sim/trap/arm64/icv.hpp"

#include <gtest/gtest.h>

#include <string_view>

#include "tests/unit/sim/trap/arm64/icv_model.hpp"

namespace ax::sim::arm64 {
namespace {

using namespace ax::arm64::sysreg;
using ax::arm64::El2Regs;
using ax::arm64::SysReg;
using test::IcvModel;

u64 read(El2Regs& el2, SysReg reg) {
    const IcvResult result = icv_read(el2, reg);
    EXPECT_EQ(result.outcome, IcvOutcome::Done);
    EXPECT_FALSE(result.deactivates.has_value());
    return result.value;
}
std::optional<u32> write(El2Regs& el2, SysReg reg, u64 value) {
    const IcvResult result = icv_write(el2, reg, value);
    EXPECT_EQ(result.outcome, IcvOutcome::Done);
    return result.deactivates;
}

TEST(Icv, interrupt_is_taken_acknowledged_and_ended) {
    El2Regs el2 = IcvModel{.lists = {{.intid = 27, .priority = 0xa0, .pending = true, .hw = true, .physical = 27}}}.registers();
    EXPECT_TRUE(irq_asserted(el2));
    EXPECT_FALSE(fiq_asserted(el2));
    EXPECT_TRUE(wakes(el2));
    EXPECT_EQ(read(el2, ICC_HPPIR1_EL1), 27U);
    EXPECT_EQ(read(el2, ICC_IAR0_EL1), 1023U);
    EXPECT_EQ(read(el2, ICC_IAR1_EL1), 27U);
    EXPECT_EQ(el2.ICH_LR_EL2[0], 0xb0a0'001b'0000'001b);
    EXPECT_EQ(el2.ICH_AP1R_EL2[0], u64{1} << (0xa0 / 8));
    EXPECT_EQ(read(el2, ICC_RPR_EL1), 0xa0U);
    EXPECT_FALSE(irq_asserted(el2));
    EXPECT_EQ(read(el2, ICC_IAR1_EL1), 1023U);
    EXPECT_EQ(write(el2, ICC_EOIR1_EL1, 27), std::optional<u32>(27));
    EXPECT_EQ(el2.ICH_LR_EL2[0], 0x30a0'001b'0000'001b);
    EXPECT_EQ(el2.ICH_AP1R_EL2[0], 0U);
    EXPECT_EQ(read(el2, ICC_RPR_EL1), 0xffU);
    EXPECT_EQ(ich_elrsr(el2), 0xfU);
}

TEST(Icv, eoi_mode_splits_priority_drop_from_deactivation) {
    El2Regs el2 =
        IcvModel{.lists = {{.intid = 40, .priority = 0x80, .pending = true, .tells_end = true}}, .split = true}.registers();
    EXPECT_EQ(read(el2, ICC_IAR1_EL1), 40U);
    EXPECT_EQ(write(el2, ICC_EOIR1_EL1, 40), std::nullopt);
    EXPECT_EQ(read(el2, ICC_RPR_EL1), 0xffU);
    EXPECT_EQ(el2.ICH_LR_EL2[0] >> 62, 0b10U);
    EXPECT_EQ(ich_eisr(el2), 0U);
    (void)write(el2, ICC_DIR_EL1, 40);
    EXPECT_EQ(el2.ICH_LR_EL2[0] >> 62, 0U);
    EXPECT_EQ(ich_eisr(el2), 1U);
    EXPECT_EQ(ich_elrsr(el2), 0xeU);
    EXPECT_EQ(ich_misr(el2), 1U);
    EXPECT_TRUE(maintenance_asserted(el2));
    el2.ICH_HCR_EL2 &= ~u64{1};
    EXPECT_FALSE(maintenance_asserted(el2)) << "ICH_HCR_EL2.En";
}

TEST(Icv, ends_of_interrupts_in_no_list_register_are_counted) {
    struct Case {
        const char* section;
        bool split;
        SysReg reg;
        u64 intid;
        bool has_running;
        u64 count;
    };
    const Case cases[] = {
        {"ICH_HCR_EL2.EOIcount, EOIR with EOI mode 0", false, ICC_EOIR1_EL1, 99, true, 1},
        {"EOIR with EOI mode 1 deactivates nothing", true, ICC_EOIR1_EL1, 99, true, 0},
        {"DIR with EOI mode 1", true, ICC_DIR_EL1, 99, true, 1},
        {"DIR with EOI mode 0 is ignored", false, ICC_DIR_EL1, 99, true, 0},
        {"not for LPIs", false, ICC_EOIR1_EL1, 8192, true, 0},
        {"DIR of an LPI is ignored", true, ICC_DIR_EL1, 8192, true, 0},
        {"Special INTIDs are ignored", false, ICC_EOIR1_EL1, 1023, true, 0},
        {"EOIR that clears no active priority: unchanged is permitted", false, ICC_EOIR1_EL1, 99, false, 0},
    };
    for (const Case& c : cases) {
        IcvModel model{.split = c.split};
        if (c.has_running) model.running.insert({0x80, true});
        El2Regs el2 = model.registers();
        (void)write(el2, c.reg, c.intid);
        EXPECT_EQ(el2.ICH_HCR_EL2 >> 27, c.count) << c.section;
    }
    El2Regs full = IcvModel{.split = true, .ends = 31}.registers();
    (void)write(full, ICC_DIR_EL1, 99);
    EXPECT_EQ(full.ICH_HCR_EL2, 1U) << "the field wraps and spills nowhere";
}

TEST(Icv, registers_show_and_change_ich_vmcr) {
    struct Case {
        const char* section;
        SysReg reg;
        u64 before, value, after, reads_as;  ///< ICH_VMCR_EL2
    };
    const Case cases[] = {
        {"ICV_PMR_EL1: unimplemented bits are RES0", ICC_PMR_EL1, 0, 0xff, 0xf800'0000, 0xf8},
        {"ICV_PMR_EL1: bits 63:8 are RES0", ICC_PMR_EL1, 0xff00'0000, 0xf00, 0, 0},
        {"ICV_IGRPEN0_EL1", ICC_IGRPEN0_EL1, 0, 1, 1, 1},
        {"ICV_IGRPEN0_EL1: bit 0 alone", ICC_IGRPEN0_EL1, 3, 2, 2, 0},
        {"ICV_IGRPEN1_EL1", ICC_IGRPEN1_EL1, 0, 1, 2, 1},
        {"ICV_BPR0_EL1", ICC_BPR0_EL1, 0, 5, 5 << 21, 5},
        {"ICV_BPR0_EL1: less than the minimum sets the minimum", ICC_BPR0_EL1, 0, 0, 2 << 21, 2},
        {"ICV_BPR1_EL1", ICC_BPR1_EL1, 0, 7, 7 << 18, 7},
        {"ICV_BPR1_EL1: its minimum is one more", ICC_BPR1_EL1, 0, 2, 3 << 18, 3},
        {"ICH_VMCR_EL2.VCBPR: writes of BPR1 are ignored", ICC_BPR1_EL1, (4 << 21) | 16, 7, (4 << 21) | 16, 5},
        {"ICH_VMCR_EL2.VCBPR: BPR1 saturates at 7", ICC_BPR1_EL1, (7 << 21) | 16, 0, (7 << 21) | 16, 7},
        {"ICV_CTLR_EL1: 5 bits of priority, 16 of INTID, A3V", ICC_CTLR_EL1, 0, 0, 0, 0x8400},
        {"ICV_CTLR_EL1.CBPR, EOImode", ICC_CTLR_EL1, 0, 0xffff'ffff, (1 << 4) | (1 << 9), 0x8403},
        {"ICV_CTLR_EL1: clears them again", ICC_CTLR_EL1, (1 << 4) | (1 << 9), 0, 0, 0x8400},
        {"ICC_SRE_EL1: SRE, DFB and DIB are RAO/WI", ICC_SRE_EL1, 0, 0, 0, 7},
    };
    for (const Case& c : cases) {
        El2Regs el2 = IcvModel{}.registers();
        el2.ICH_VMCR_EL2 = c.before;
        (void)write(el2, c.reg, c.value);
        EXPECT_EQ(el2.ICH_VMCR_EL2, c.after) << c.section;
        EXPECT_EQ(read(el2, c.reg), c.reads_as) << c.section;
    }
}

TEST(Icv, active_priorities_are_one_register_each) {
    El2Regs el2 = IcvModel{}.registers();
    (void)write(el2, ICC_AP0R0_EL1, 0x1'8000'0000);
    (void)write(el2, ICC_AP1R0_EL1, 0x10);
    EXPECT_EQ(el2.ICH_AP0R_EL2[0], 0x8000'0000U);
    EXPECT_EQ(el2.ICH_AP1R_EL2[0], 0x10U);
    EXPECT_EQ(read(el2, ICC_AP0R0_EL1), 0x8000'0000U);
    EXPECT_EQ(read(el2, ICC_AP1R0_EL1), 0x10U);
    EXPECT_EQ(read(el2, ICC_RPR_EL1), 0x20U);
    for (const SysReg reg : {ICC_AP0R1_EL1, ICC_AP0R2_EL1, ICC_AP0R3_EL1, ICC_AP1R1_EL1, ICC_AP1R2_EL1, ICC_AP1R3_EL1}) {
        EXPECT_EQ(icv_read(el2, reg).outcome, IcvOutcome::Undefined) << "fewer than 6 preemption bits";
        EXPECT_EQ(icv_write(el2, reg, 0).outcome, IcvOutcome::Undefined);
    }
}

constexpr u64 fmo = 1 << 3, imo = 1 << 4, tc = 1 << 10, tall0 = 1 << 11, tall1 = 1 << 12, tdir = 1 << 14;

TEST(Icv, traps_and_routing_follow_each_registers_accessibility) {
    enum Class { Group0, Group1, Common, Dir, Sgi, Sre };
    struct Case {
        SysReg reg;
        Class of;
        const char* directions;
    };
    const Case cases[] = {
        {ICC_IAR0_EL1, Group0, "r"},  {ICC_EOIR0_EL1, Group0, "w"},  {ICC_HPPIR0_EL1, Group0, "r"},
        {ICC_BPR0_EL1, Group0, "rw"}, {ICC_AP0R0_EL1, Group0, "rw"}, {ICC_IGRPEN0_EL1, Group0, "rw"},
        {ICC_IAR1_EL1, Group1, "r"},  {ICC_EOIR1_EL1, Group1, "w"},  {ICC_HPPIR1_EL1, Group1, "r"},
        {ICC_BPR1_EL1, Group1, "rw"}, {ICC_AP1R0_EL1, Group1, "rw"}, {ICC_IGRPEN1_EL1, Group1, "rw"},
        {ICC_PMR_EL1, Common, "rw"},  {ICC_RPR_EL1, Common, "r"},    {ICC_CTLR_EL1, Common, "rw"},
        {ICC_DIR_EL1, Dir, "w"},      {ICC_SGI0R_EL1, Sgi, "w"},     {ICC_SGI1R_EL1, Sgi, "w"},
        {ICC_ASGI1R_EL1, Sgi, "w"},   {ICC_SRE_EL1, Sre, "rw"},
    };
    u64 seen[4] = {};
    for (const Case& c : cases)
        for (const u64 traps : {u64{0}, tc, tall0, tall1, tdir, tc | tall0 | tall1 | tdir})
            for (const u64 hcr : {u64{0}, fmo, imo, fmo | imo})
                for (const char direction : {'r', 'w'}) {
                    El2Regs el2 = IcvModel{}.registers();
                    el2.HCR_EL2 = hcr;
                    el2.ICH_HCR_EL2 |= traps;
                    const auto result = direction == 'r' ? icv_read(el2, c.reg) : icv_write(el2, c.reg, 0);
                    constexpr u64 own_traps[] = {tall0, tall1, tc, tc | tdir, tc, 0};
                    constexpr u64 own_routes[] = {fmo, imo, fmo | imo, fmo | imo, 0, 0};
                    IcvOutcome want = (hcr & own_routes[c.of]) != 0 ? IcvOutcome::Done : IcvOutcome::Physical;
                    if ((traps & own_traps[c.of]) != 0 || (c.of == Sgi && hcr != 0)) want = IcvOutcome::TrapToEl2;
                    if (c.of == Sre) want = IcvOutcome::Done;
                    if (std::string_view(c.directions).find(direction) == std::string_view::npos) want = IcvOutcome::Undefined;
                    EXPECT_EQ(result.outcome, want)
                        << std::hex << c.reg.packed() << ' ' << direction << ' ' << traps << ' ' << hcr;
                    ++seen[index(want)];
                }
    for (const u64 count : seen) EXPECT_GT(count, 10U);
    El2Regs el2 = IcvModel{}.registers();
    EXPECT_EQ(icv_read(el2, SysReg{3, 0, 12, 10, 0}).outcome, IcvOutcome::Undefined) << "no register has this encoding";
}

TEST(Icv, group0_interrupts_are_fiqs) {
    El2Regs el2 = IcvModel{.lists = {{.intid = 5, .priority = 0x80, .group1 = false, .pending = true}}}.registers();
    EXPECT_TRUE(fiq_asserted(el2));
    EXPECT_FALSE(irq_asserted(el2));
    EXPECT_TRUE(wakes(el2));
    el2.HCR_EL2 &= ~fmo;
    EXPECT_FALSE(wakes(el2)) << "HCR_EL2.FMO enables virtual FIQs";
    el2.ICH_VMCR_EL2 &= ~u64{8};
    EXPECT_TRUE(fiq_asserted(el2)) << "VFIQEn is RES1 with system registers alone";
}

TEST(Icv, wfi_ends_for_what_hcr_pends) {
    struct Case {
        const char* why;
        u64 hcr;
        bool wakes;
    };
    const Case cases[] = {
        {"nothing", 0x38, false},
        {"VI", 0x38 | 0x80, true},
        {"VI without IMO", 0x28 | 0x80, false},
        {"VF", 0x38 | 0x40, true},
        {"VF without FMO", 0x30 | 0x40, false},
        {"VSE", 0x38 | 0x100, true},
        {"VSE without AMO", 0x18 | 0x100, false},
    };
    for (const Case& c : cases) {
        El2Regs el2 = IcvModel{}.registers();
        el2.HCR_EL2 = c.hcr;
        EXPECT_EQ(wakes(el2), c.wakes) << c.why;
    }
}

TEST(Icv, only_existing_list_registers_count) {
    IcvModel model;
    model.lists.resize(5);
    model.lists[4] = {.intid = 40, .priority = 0, .pending = true};
    El2Regs el2 = model.registers();
    EXPECT_FALSE(irq_asserted(el2));
    EXPECT_TRUE(irq_asserted(el2, 5));
    EXPECT_EQ(icv_read(el2, ICC_IAR1_EL1, 5).value, 40U);
    EXPECT_EQ(ich_vtr() & 0x1f, 3U);
    EXPECT_EQ(ich_vtr(), 0x9020'0003U);
    EXPECT_EQ(ich_vtr(16) & 0x1f, 15U);
}

}  // namespace
}  // namespace ax::sim::arm64
