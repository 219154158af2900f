// Arm ARM DDI 0487, PAR_EL1, Physical Address Register, and "Address translation instructions".
#include "sim/mmu/vmsa_par.hpp"

#include <gtest/gtest.h>

#include "tests/unit/sim/mmu/vmsa_fixture.hpp"

namespace ax::sim::arm64 {
namespace {

using namespace test;
using Kind = VmsaFaultKind;

TEST(VmsaPar, at_instructions_leave_address_or_fault) {
    struct Case {
        const char* section;
        u64 leaf;
        Access access;
        bool is_el0;
        u64 par;
    };
    const u64 at = Tables::frame(20), res1 = bit(11);
    const u64 permission = res1 | 1 | (0x0f << 1);
    const Case cases[] = {
        {"PAR_EL1: Normal memory, inner shareable", page | af | (3 << 8), Access::Read, false,
         (u64{0xff} << 56) | at | res1 | (3 << 7)},
        {"PAR_EL1.SH: Device is outer shareable", page | af | (1 << 2), Access::Read, false,
         (u64{0x04} << 56) | at | res1 | (2 << 7)},
        {"PAR_EL1.SH: so is Non-cacheable", page | af | (2 << 2), Access::Write, false, (u64{0x44} << 56) | at | res1 | (2 << 7)},
        {"PAR_EL1.FST: permission", page | af | ap_ro, Access::Write, false, permission},
        {"AT S1E0R", page | af, Access::Read, true, permission},
        {"PAR_EL1.FST: Access flag", page, Access::Read, false, res1 | 1 | (0x0b << 1)},
        {"PAR_EL1.FST: translation", 0, Access::Read, false, res1 | 1 | (0x07 << 1)},
    };
    for (const Case& c : cases) {
        Tables t;
        t.use_stage2();
        t.set(19, 20, 0);  // AT S1 asks stage 2 only about the tables
        t.context.mair = 0x44'04ff;
        t.context.has_pan = true;
        t.set(4, 5, at | c.leaf);
        const auto par = address_translate(t.memory, Gva{0x5678}, {c.access, c.is_el0, true}, t.context);
        ASSERT_TRUE(par.has_value()) << c.section;
        EXPECT_EQ(*par, c.par) << c.section << std::hex << ' ' << *par;
    }
}

TEST(VmsaPar, faults_of_the_walk_itself_are_exceptions) {
    Tables t;
    t.use_stage2();
    t.set(19, 4, 0);
    auto par = address_translate(t.memory, Gva{0x5678}, {}, t.context);
    ASSERT_FALSE(par.has_value());
    EXPECT_EQ(par.error(), (VmsaFault{2, Kind::Translation, 3, true, Gpa{t.frame(4) + 8 * 5}}));
    EXPECT_EQ(par_value(par.error()), bit(11) | bit(9) | bit(8) | (0x07 << 1) | 1);
    Tables outside;
    outside.set(3, 0, 0x1000 | table);
    par = address_translate(outside.memory, Gva{0x5678}, {}, outside.context);
    ASSERT_FALSE(par.has_value());
    EXPECT_EQ(fault_status(par.error()), 0x17);
}

TEST(VmsaPar, stage1_off_shows_device_memory_or_the_default_cacheable) {
    Tables t;
    t.context.sctlr = 0;
    EXPECT_EQ(address_translate(t.memory, Gva{0x5678}, {}, t.context).value_or(0), 0x5000 | bit(11) | (2 << 7));
    t.context.hcr = bit(12);
    EXPECT_EQ(address_translate(t.memory, Gva{0x5678}, {}, t.context).value_or(0), (u64{0xff} << 56) | 0x5000 | bit(11));
}

}  // namespace
}  // namespace ax::sim::arm64
