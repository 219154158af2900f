#include "sim/trap/riscv/h_model.hpp"

#include <gtest/gtest.h>

#include <functional>

#include "core/arch/riscv/controls.hpp"
#include "tests/unit/sim/trap/riscv/fake_hart.hpp"

namespace ax::sim::riscv {
namespace {

using namespace ax::riscv;
using testing::FakeHart;

HsCsrs good_csrs() {
    const Controls c = controls_for({.stage2_root = Hpa{0x8000'4000}});
    HsCsrs hs;
    hs.hstatus = c.hstatus;
    hs.hedeleg = c.hedeleg;
    hs.hideleg = c.hideleg;
    hs.hcounteren = c.hcounteren;
    hs.henvcfg = c.henvcfg;
    hs.hgatp = c.hgatp;
    hs.sstatus = c.sstatus;
    return hs;
}

TEST(SimHModel, takes_what_the_core_programs) { EXPECT_EQ(refused_csr(good_csrs()), nullptr); }

TEST(SimHModel, refuses_values_that_hardware_would_not_take) {
    struct Case {
        const char* name;
        std::function<void(HsCsrs&)> change;
        bool refused = true;
    };
    const Case cases[] = {
        {"hedeleg", [](HsCsrs& h) { h.hedeleg |= mask_of(Cause::EcallFromVs); }},
        {"hedeleg", [](HsCsrs& h) { h.hedeleg |= mask_of(Cause::EcallFromHs); }},
        {"hedeleg", [](HsCsrs& h) { h.hedeleg |= mask_of(Cause::InstructionGuestPageFault); }},
        {"hedeleg", [](HsCsrs& h) { h.hedeleg |= mask_of(Cause::LoadGuestPageFault); }},
        {"hedeleg", [](HsCsrs& h) { h.hedeleg |= mask_of(Cause::VirtualInstruction); }},
        {"hedeleg", [](HsCsrs& h) { h.hedeleg |= mask_of(Cause::StoreGuestPageFault); }},
        {"hedeleg", [](HsCsrs& h) { h.hedeleg |= u64{1} << 24; }},
        {"hedeleg", [](HsCsrs& h) { h.hedeleg = mask_of(Cause::EcallFromU); }, false},
        {"hideleg", [](HsCsrs& h) { h.hideleg |= mask_of(Interrupt::SupervisorTimer); }},
        {"hideleg", [](HsCsrs& h) { h.hideleg = 0; }, false},
        {"hvip", [](HsCsrs& h) { h.hvip = 1 << 5; }},
        {"hvip", [](HsCsrs& h) { h.hvip = 0x444; }, false},
        {"hstatus", [](HsCsrs& h) { h.hstatus = Hstatus::VSXL::set(h.hstatus, 1); }},
        {"hstatus", [](HsCsrs& h) { h.hstatus |= Hstatus::VSBE::mask; }},
        {"hstatus", [](HsCsrs& h) { h.hstatus |= Hstatus::VTVM::mask | Hstatus::VTSR::mask; }, false},
        {"henvcfg", [](HsCsrs& h) { h.henvcfg |= Henvcfg::STCE::mask; }},
        {"henvcfg", [](HsCsrs& h) { h.henvcfg = Henvcfg::FIOM::mask; }, false},
        {"hgatp", [](HsCsrs& h) { h.hgatp = Hgatp::MODE::set(h.hgatp, 9); }},
        {"hgatp", [](HsCsrs& h) { h.hgatp |= 1; }},
        {"hgatp", [](HsCsrs& h) { h.hgatp = 0; }, false},
        {"sstatus", [](HsCsrs& h) { h.sstatus &= ~Sstatus::FS::mask; }},
        {"sstatus", [](HsCsrs& h) { h.sstatus = Sstatus::FS::set(h.sstatus, 1); }, false},
    };
    for (const Case& c : cases) {
        HsCsrs hs = good_csrs();
        c.change(hs);
        const char* refused = refused_csr(hs);
        if (c.refused) {
            ASSERT_NE(refused, nullptr) << c.name;
            EXPECT_STREQ(refused, c.name);
        } else {
            EXPECT_EQ(refused, nullptr) << c.name;
        }
    }
}

// "Trap Entry" with V=1 and a delegated cause.
TEST(SimHModel, a_trap_to_vs_stacks_privilege_and_interrupts) {
    for (const u64 privilege : {u64{0}, u64{1}}) {
        for (const bool sie : {false, true}) {
            FakeHart hart;
            hart.privilege = privilege;
            hart.mstatus = Sstatus::SIE::of(sie ? 1 : 0) | Sstatus::SUM::mask;
            hart.stvec = 0x9001;  // vectored: exceptions still go to the base
            trap_to_vs(hart.view(), Cause::LoadPageFault, 0xbad);
            EXPECT_EQ(hart.pc, 0x9000U);
            EXPECT_EQ(hart.sepc, 0x1000U);
            EXPECT_EQ(hart.scause, 13U);
            EXPECT_EQ(hart.stval, 0xbadU);
            EXPECT_EQ(hart.privilege, 1U);
            EXPECT_EQ(hart.mstatus, Sstatus::SPP::of(privilege) | Sstatus::SPIE::of(sie ? 1 : 0) | Sstatus::SUM::mask);
        }
    }
}

TEST(SimHModel, a_trap_to_hs_leaves_all_that_the_manual_says) {
    FakeHart hart;
    hart.privilege = 0;
    HsCsrs hs = good_csrs();
    hs.sstatus |= Sstatus::SIE::mask | Sstatus::SPP::mask;
    const FakeHart before = hart;
    trap_to_hs(hs, hart.view(), {Cause::LoadGuestPageFault, 0x1'2345, true, Gpa{0x1000'0004}, 0x77});
    EXPECT_EQ(hs.sepc, 0x1000U);
    EXPECT_EQ(hs.scause, 21U);
    EXPECT_EQ(hs.stval, 0x1'2345U);
    EXPECT_EQ(hs.htval, 0x400'0001U);
    EXPECT_EQ(hs.htinst, 0x77U);
    EXPECT_TRUE(Hstatus::GVA::test(hs.hstatus));
    EXPECT_TRUE(Hstatus::SPV::test(hs.hstatus));
    EXPECT_FALSE(Hstatus::SPVP::test(hs.hstatus));
    EXPECT_FALSE(Sstatus::SPP::test(hs.sstatus));
    EXPECT_FALSE(Sstatus::SIE::test(hs.sstatus));
    EXPECT_TRUE(Sstatus::SPIE::test(hs.sstatus));
    EXPECT_EQ(hart.mstatus, before.mstatus);
    EXPECT_EQ(hart.scause, before.scause);
}

TEST(SimHModel, an_interrupt_to_hs_clears_the_values_of_a_fault) {
    FakeHart hart;
    HsCsrs hs = good_csrs();
    hs.stval = hs.htval = hs.htinst = 9;
    hs.hstatus |= Hstatus::GVA::mask;
    interrupt_to_hs(hs, hart.view(), Interrupt::SupervisorTimer);
    EXPECT_EQ(hs.scause, 0x8000'0000'0000'0005U);
    EXPECT_EQ(hs.stval | hs.htval | hs.htinst, 0U);
    EXPECT_FALSE(Hstatus::GVA::test(hs.hstatus));
    EXPECT_TRUE(Hstatus::SPVP::test(hs.hstatus));
}

TEST(SimHModel, only_delegated_interrupts_reach_the_guest) {
    HsCsrs hs;
    hs.hvip = 0x444;
    hs.hideleg = 0x440;
    EXPECT_EQ(guest_interrupts(hs), 0x220U);
    EXPECT_EQ(guest_interrupt_mask(hs), 0x220U);
}

}  // namespace
}  // namespace ax::sim::riscv
