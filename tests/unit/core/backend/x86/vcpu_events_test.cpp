// x86::Vcpu: NMIs before interrupts, windows, what an exit interrupted.
#include "tests/unit/core/backend/x86/vcpu_fixture.hpp"

namespace ax::x86 {
namespace {

using namespace testing;

constexpr u32 nmi = 0x8000'0202;
constexpr u64 interrupts_on = Rflags::at_reset | Rflags::IF::mask;
constexpr u32 sti = 1, mov_ss = 2, blocked = 8;

struct Offered {
    const char* what;
    bool nmi;
    bool interrupt;
    u64 rflags;
    u32 interruptibility;
    u32 injected;  ///< 0: none
    bool nmi_window;
    bool interrupt_window;
};

/// "Event Delivery", "Virtual-Machine Control Structures": the window exits come when what waits can be taken.
TEST_F(X86VcpuTest, what_waits_is_injected_or_has_a_window) {
    const Offered cases[] = {
        {"nothing", false, false, interrupts_on, 0, 0, false, false},
        {"an interrupt", false, true, interrupts_on, 0, 0x8000'0031, false, false},
        {"an interrupt with IF clear", false, true, Rflags::at_reset, 0, 0, false, true},
        {"an interrupt after STI", false, true, interrupts_on, sti, 0, false, true},
        {"an interrupt after MOV SS", false, true, interrupts_on, mov_ss, 0, false, true},
        {"an NMI with IF clear", true, false, Rflags::at_reset, 0, nmi, false, false},
        {"an NMI that is blocked", true, false, interrupts_on, blocked, 0, true, false},
        {"an NMI after MOV SS", true, false, Rflags::at_reset, mov_ss, 0, true, false},
        {"an NMI after STI waits for the shadow's end", true, false, interrupts_on, sti, 0, false, true},
        {"the NMI comes first", true, true, interrupts_on, 0, nmi, false, true},
        {"an interrupt while NMIs are blocked", true, true, interrupts_on, blocked, 0x8000'0031, true, false},
        {"both after STI", true, true, interrupts_on, sti, 0, false, true},
    };
    for (const Offered& c : cases) {
        Rig r;
        if (c.nmi) r.vcpu.raise_nmi();
        if (c.interrupt) r.vectors.waiting.push_back(0x31);
        r.cpu.v.GUEST_RFLAGS = c.rflags;
        r.cpu.v.GUEST_INTERRUPTIBILITY_STATE = c.interruptibility;
        static_cast<void>(r.run());
        const Vmcs& v = r.cpu.entered.back();
        EXPECT_EQ(v.VM_ENTRY_INTERRUPTION_INFO, c.injected) << c.what;
        EXPECT_EQ(PrimaryControls::NmiWindowExiting::test(v.PRIMARY_CONTROLS), c.nmi_window) << c.what;
        EXPECT_EQ(PrimaryControls::InterruptWindowExiting::test(v.PRIMARY_CONTROLS), c.interrupt_window) << c.what;
        EXPECT_EQ(r.vectors.waiting.empty(), !c.interrupt || c.injected == 0x8000'0031) << c.what;
    }
}

TEST_F(X86VcpuTest, open_windows_close_and_let_in_what_waited) {
    vectors.waiting.push_back(0x41);
    vcpu.raise_nmi();
    cpu.v.GUEST_INTERRUPTIBILITY_STATE = blocked;
    cpu.exit(ExitReason::NmiWindow, [](Vmcs& v) { v.GUEST_INTERRUPTIBILITY_STATE = 0; });
    expect_handled(run(), ExitReason::NmiWindow);
    vcpu.finish(Answer::none());
    cpu.exit(ExitReason::InterruptWindow, [](Vmcs& v) { v.GUEST_RFLAGS |= Rflags::IF::mask; });
    expect_handled(run(), ExitReason::InterruptWindow);
    vcpu.finish(Answer::none());
    EXPECT_EQ(cpu.entered.back().VM_ENTRY_INTERRUPTION_INFO, nmi);
    EXPECT_FALSE(PrimaryControls::NmiWindowExiting::test(cpu.entered.back().PRIMARY_CONTROLS));
    EXPECT_TRUE(PrimaryControls::InterruptWindowExiting::test(cpu.entered.back().PRIMARY_CONTROLS));
    static_cast<void>(run());
    EXPECT_EQ(cpu.entered.back().VM_ENTRY_INTERRUPTION_INFO, 0x8000'0041U);
    EXPECT_FALSE(PrimaryControls::InterruptWindowExiting::test(cpu.entered.back().PRIMARY_CONTROLS));
}

/// An NMI that comes while another waits is the same one: there is one latch.
TEST_F(X86VcpuTest, two_nmis_before_an_entry_are_one) {
    vcpu.raise_nmi();
    vcpu.raise_nmi();
    cpu.exit(ExitReason::Hlt);
    static_cast<void>(run());
    static_cast<void>(run());
    EXPECT_EQ(cpu.entered[0].VM_ENTRY_INTERRUPTION_INFO, nmi);
    EXPECT_NE(cpu.entered[1].VM_ENTRY_INTERRUPTION_INFO, nmi);
}

/// What an exit interrupted goes first, and nothing else goes with it.
TEST_F(X86VcpuTest, an_interrupted_event_is_delivered_before_what_waits) {
    cpu.v.GUEST_RFLAGS = interrupts_on;
    cpu.exit(ExitReason::ExternalInterrupt, [](Vmcs& v) {
        v.IDT_VECTORING_INFO = 0x8000'0b0e;
        v.IDT_VECTORING_ERROR_CODE = 6;
    });
    static_cast<void>(run());
    vcpu.finish(Answer::none());
    vectors.waiting.push_back(0x50);
    vcpu.raise_nmi();
    cpu.exit(ExitReason::ExternalInterrupt);
    static_cast<void>(run());
    vcpu.finish(Answer::none());
    EXPECT_EQ(cpu.entered[1].VM_ENTRY_INTERRUPTION_INFO, 0x8000'0b0eU);
    EXPECT_EQ(cpu.entered[1].VM_ENTRY_EXCEPTION_ERROR_CODE, 6U);
    EXPECT_TRUE(PrimaryControls::NmiWindowExiting::test(cpu.entered[1].PRIMARY_CONTROLS));
    EXPECT_TRUE(PrimaryControls::InterruptWindowExiting::test(cpu.entered[1].PRIMARY_CONTROLS));
    static_cast<void>(run());
    EXPECT_EQ(cpu.entered[2].VM_ENTRY_INTERRUPTION_INFO, nmi);
}

TEST_F(X86VcpuTest, an_nmi_that_was_interrupted_is_not_blocked_by_itself) {
    cpu.exit(ExitReason::ExternalInterrupt, [](Vmcs& v) {
        v.IDT_VECTORING_INFO = nmi;
        v.GUEST_INTERRUPTIBILITY_STATE = blocked;
    });
    static_cast<void>(run());
    vcpu.finish(Answer::none());
    static_cast<void>(run());
    EXPECT_EQ(cpu.entered.back().VM_ENTRY_INTERRUPTION_INFO, nmi);
    EXPECT_EQ(cpu.entered.back().GUEST_INTERRUPTIBILITY_STATE & blocked, 0U);
}

TEST_F(X86VcpuTest, reset_drops_an_nmi) {
    vcpu.raise_nmi();
    vcpu.reset({Gpa{entry}, 2, 0});
    static_cast<void>(run());
    EXPECT_EQ(cpu.entered.back().VM_ENTRY_INTERRUPTION_INFO, 0U);
}

/// The line of the controllers only ends a wait: they are asked before each entry.
TEST_F(X86VcpuTest, the_line_itself_injects_nothing) {
    cpu.v.GUEST_RFLAGS = interrupts_on;
    vcpu.inject({EventLine::External, true});
    static_cast<void>(run());
    EXPECT_EQ(cpu.entered.back().VM_ENTRY_INTERRUPTION_INFO, 0U);
}

}  // namespace
}  // namespace ax::x86
