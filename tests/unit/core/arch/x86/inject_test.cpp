// Event injection: words, windows, exceptions on top of exceptions.
#include "core/arch/x86/inject.hpp"

#include <gtest/gtest.h>

#include "tests/unit/core/arch/x86/fake_guest.hpp"
#include "tests/unit/core/arch/x86/show.hpp"

namespace ax::x86::testing {
namespace {

// SDM vol. 3, "Interrupt 8 - Double Fault Exception (#DF)", tables of classes and of conditions, written out once more.
enum class Kind { Benign, Contributory, Page };
Kind kind_of(unsigned vector) {
    if (vector == 0 || (vector >= 10 && vector <= 13) || vector == 21) return Kind::Contributory;
    return vector == 14 || vector == 20 ? Kind::Page : Kind::Benign;
}

TEST(X86Inject, every_pair_of_exceptions_is_combined_as_the_table_says) {
    for (unsigned first = 0; first < 22; ++first)
        for (unsigned second = 0; second < 22; ++second) {
            if (first == 2 || second == 2 || first == 9 || second == 9 || first == 15 || second == 15) continue;
            FakeGuest fake;
            Guest guest = fake.guest();
            fake.vmcs.VM_ENTRY_INTERRUPTION_INFO = event_word(EventType::HardwareException, static_cast<u8>(first));
            const Injection injection = inject_exception(guest, {static_cast<Vector>(second), std::nullopt, std::nullopt});
            const Kind a = kind_of(first), b = kind_of(second);
            const bool is_triple = first == 8 && (b != Kind::Benign || second == 8);
            const bool is_double =
                !is_triple && ((a == Kind::Contributory && b == Kind::Contributory) || (a == Kind::Page && b != Kind::Benign));
            EXPECT_EQ(injection == Injection::TripleFault, is_triple) << first << " " << second;
            if (is_triple) continue;
            EXPECT_EQ(show_event(fake.vmcs), is_double ? "#8 code 0x0" : "#" + std::to_string(second)) << first << " " << second;
        }
}

TEST(X86Inject, other_events_do_not_combine) {
    for (const u32 word : {event_word(EventType::ExternalInterrupt, 14), event_word(EventType::Nmi, 2),
                           event_word(EventType::SoftwareInterrupt, 13), event_word(EventType::SoftwareException, 3)}) {
        FakeGuest fake;
        Guest guest = fake.guest();
        fake.vmcs.VM_ENTRY_INTERRUPTION_INFO = word;
        EXPECT_EQ(inject_exception(guest, {Vector::GP, 0x18, std::nullopt}), Injection::Delivered);
        EXPECT_EQ(show_event(fake.vmcs), "#13 code 0x18");
    }
}

TEST(X86Inject, real_mode_has_no_error_codes) {
    FakeGuest fake(CodeSize::Code16);
    Guest guest = fake.guest();
    EXPECT_EQ(inject_exception(guest, {Vector::GP, 0, std::nullopt}), Injection::Delivered);
    EXPECT_EQ(show_event(fake.vmcs), "#13");
}

TEST(X86Inject, page_fault_gives_cr2) {
    FakeGuest fake;
    Guest guest = fake.guest();
    EXPECT_EQ(inject_exception(guest, {Vector::PF, 2, 0xffff'8000'1234'5678}), Injection::Delivered);
    EXPECT_EQ(fake.regs.CR2, 0xffff'8000'1234'5678U);
}

struct Taking {
    const char* what;
    u64 rflags;
    u32 interruptibility;
    ActivityState activity;
    bool interrupt, nmi;
};
// SDM vol. 3, "Guest Non-Register State", interruptibility and activity.
constexpr Taking takings[] = {
    {"open", 0x202, 0, ActivityState::Active, true, true},
    {"IF is clear", 0x2, 0, ActivityState::Active, false, true},
    {"behind STI", 0x202, 1, ActivityState::Active, false, false},
    {"behind MOV SS", 0x202, 2, ActivityState::Active, false, false},
    {"in an NMI handler", 0x202, 8, ActivityState::Active, true, false},
    {"halted", 0x202, 0, ActivityState::Hlt, true, true},
    {"in shutdown", 0x202, 0, ActivityState::Shutdown, false, false},
    {"waiting for its start", 0x202, 0, ActivityState::WaitForSipi, false, false},
};

TEST(X86Inject, interrupts_and_nmis_wait_for_their_windows) {
    for (const Taking& t : takings) {
        Vmcs vmcs;
        vmcs.GUEST_RFLAGS = t.rflags;
        vmcs.GUEST_INTERRUPTIBILITY_STATE = t.interruptibility;
        vmcs.GUEST_ACTIVITY_STATE = index(t.activity);
        EXPECT_EQ(can_take_interrupt(vmcs), t.interrupt) << t.what;
        EXPECT_EQ(can_take_nmi(vmcs), t.nmi) << t.what;
        inject_interrupt(vmcs, 0x30);
        EXPECT_FALSE(can_take_interrupt(vmcs)) << t.what;
        EXPECT_FALSE(can_take_nmi(vmcs)) << t.what;
    }
}

TEST(X86Inject, windows_are_their_control_bits) {
    Vmcs vmcs;
    set_interrupt_window(vmcs, true);
    EXPECT_EQ(vmcs.PRIMARY_CONTROLS, 1U << 2);
    set_nmi_window(vmcs, true);
    EXPECT_EQ(vmcs.PRIMARY_CONTROLS, (1U << 2) | (1U << 22));
    set_interrupt_window(vmcs, false);
    set_nmi_window(vmcs, false);
    EXPECT_EQ(vmcs.PRIMARY_CONTROLS, 0U);
    inject_nmi(vmcs);
    EXPECT_EQ(vmcs.VM_ENTRY_INTERRUPTION_INFO, 0x8000'0202U);
}

// SDM vol. 3, "IA32_DEBUGCTL MSR": the processor clears LBR and BTF when it generates a debug exception.
TEST(X86Inject, debug_exception_that_is_reflected_changes_dr6_and_dr7) {
    FakeGuest fake;
    Guest guest = fake.guest();
    fake.regs.DR6 = 0xffff'0ff2;
    fake.vmcs.GUEST_DR7 = 0x2400;
    fake.vmcs.GUEST_IA32_DEBUGCTL = 3;
    fake.vmcs.EXIT_QUALIFICATION = 0x4001;
    fake.vmcs.VM_EXIT_INTERRUPTION_INFO = 0x8000'0301;
    EXPECT_EQ(reflect_exception(guest), Injection::Delivered);
    EXPECT_EQ(fake.regs.DR6, 0xffff'4ff1U);
    EXPECT_EQ(fake.vmcs.GUEST_DR7, 0x400U);
    EXPECT_EQ(fake.vmcs.GUEST_IA32_DEBUGCTL, 0U);
    EXPECT_EQ(show_event(fake.vmcs), "#1");
}

// SDM vol. 3, "Resuming Guest Software after Handling an Exception".
TEST(X86Inject, nmi_blocking_that_iret_ended_comes_back) {
    Vmcs vmcs;
    vmcs.EXIT_REASON = 48;
    vmcs.EXIT_QUALIFICATION = 0x1181;
    requeue_event(vmcs);
    EXPECT_EQ(vmcs.GUEST_INTERRUPTIBILITY_STATE, 8U);
    vmcs = {};
    vmcs.EXIT_REASON = 0;
    vmcs.VM_EXIT_INTERRUPTION_INFO = 0x8000'1b0e;
    requeue_event(vmcs);
    EXPECT_EQ(vmcs.GUEST_INTERRUPTIBILITY_STATE, 8U);
    vmcs = {};
    vmcs.VM_EXIT_INTERRUPTION_INFO = 0x8000'1b08;  // undefined for a double fault
    requeue_event(vmcs);
    EXPECT_EQ(vmcs.GUEST_INTERRUPTIBILITY_STATE, 0U);
    vmcs = {};
    vmcs.GUEST_INTERRUPTIBILITY_STATE = 8;
    vmcs.IDT_VECTORING_INFO = 0x8000'0202;
    requeue_event(vmcs);
    EXPECT_EQ(vmcs.GUEST_INTERRUPTIBILITY_STATE, 0U);
}

}  // namespace
}  // namespace ax::x86::testing
