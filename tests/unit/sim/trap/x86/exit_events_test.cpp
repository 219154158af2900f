// Exits of events, and what they leave in the VMCS. Sections are those of Intel SDM vol. 3.
#include "sim/trap/x86/exit_events.hpp"

#include <gtest/gtest.h>

#include "tests/unit/sim/trap/x86/delivery_fixture.hpp"
#include "tests/unit/sim/trap/x86/vmcs_samples.hpp"

namespace ax::sim::x86 {
namespace {

using namespace test;

struct EventCase {
    const char* section;
    u32 bitmap, mask, match;
    Event event;
    bool exits;
};

const EventCase event_cases[] = {
    {"Exception Bitmap: bit set", 1U << 13, 0, 0, exception(Vector::GP), true},
    {"Exception Bitmap: bit clear", ~(1U << 13), 0, 0, exception(Vector::GP), false},
    {"Exception Bitmap: #BP by INT3", 1U << 3, 0, 0, {.type = EventType::SoftwareException, .vector = 3}, true},
    {"Exception Bitmap: INT 3 as INT n", ~0U, 0, 0, {.type = EventType::SoftwareInterrupt, .vector = 3}, false},
    {"Exception Bitmap: INT1", 1U << 1, 0, 0, {.type = EventType::PrivilegedSoftwareException, .vector = 1}, true},
    {"Page-fault mask and match: equal, bit set", 1U << 14, 1, 1, exception(Vector::PF, 3), true},
    {"Page-fault mask and match: not equal, bit set", 1U << 14, 1, 1, exception(Vector::PF, 2), false},
    {"Page-fault mask and match: equal, bit clear", 0, 1, 1, exception(Vector::PF, 3), false},
    {"Page-fault mask and match: not equal, bit clear", 0, 1, 1, exception(Vector::PF, 2), true},
    {"Page-fault mask and match: all zero, bit clear", 0, 0, 0, exception(Vector::PF, 7), false},
    {"Page-fault mask and match: never equal, bit set", 1U << 14, 0, 1, exception(Vector::PF, 7), false},
};

TEST(X86ExitEvents, exception_bitmap) {
    for (const EventCase& c : event_cases) {
        Vmcs v = long_mode();
        v.EXCEPTION_BITMAP = c.bitmap;
        v.PAGE_FAULT_ERROR_CODE_MASK = c.mask;
        v.PAGE_FAULT_ERROR_CODE_MATCH = c.match;
        EXPECT_EQ(event_exit(v, c.event).has_value(), c.exits) << c.section;
    }
}

TEST(X86ExitEvents, interrupts_exit_as_the_pin_controls_say) {
    Vmcs v = long_mode();
    EXPECT_EQ(event_exit(v, {.type = EventType::Nmi, .vector = 2})->reason, ExitReason::ExceptionOrNmi);
    const auto acknowledged = event_exit(v, external(0x30));
    EXPECT_EQ(acknowledged->reason, ExitReason::ExternalInterrupt);
    EXPECT_EQ(acknowledged->event->vector, 0x30);
    v.VM_EXIT_CONTROLS &= ~static_cast<u32>(ExitControls::AcknowledgeInterrupt::mask);
    EXPECT_FALSE(event_exit(v, external(0x30))->event);
    v.PIN_BASED_CONTROLS = 0x16;
    EXPECT_FALSE(event_exit(v, external(0x30)));
    EXPECT_FALSE(event_exit(v, {.type = EventType::Nmi, .vector = 2}));
}

TEST(X86ExitEvents, page_faults_and_debug_exceptions_have_a_qualification) {
    Vmcs v = long_mode();
    v.EXCEPTION_BITMAP = ~0U;
    Long m;
    m.cpu.cr2 = 1;
    const auto exit = raise(m.cpu, m.memory, v, exception(Vector::PF, 2, 0x1234'5000));
    ASSERT_TRUE(exit);
    EXPECT_EQ(exit->qualification, 0x1234'5000U);
    EXPECT_EQ(m.cpu.cr2, 1U) << "an exit leaves CR2 alone";
    EXPECT_EQ(raise(m.cpu, m.memory, v, exception(Vector::DB, 0, Dr6::BS::mask))->qualification, Dr6::BS::mask);
    EXPECT_EQ(m.cpu.dr6, Dr6::at_reset);
}

/// "Information for VM Exits That Occur During Event Delivery".
TEST(X86ExitEvents, exits_during_delivery_name_the_event) {
    Vmcs v = long_mode();
    v.PIN_BASED_CONTROLS = 0x16;
    v.EXCEPTION_BITMAP = 1U << 14;
    Long m;
    m.memory.holes[7] = {WalkFaultKind::PageFault, 2, {}};
    const auto fault = raise(m.cpu, m.memory, v, external(0x20));
    ASSERT_TRUE(fault);
    EXPECT_EQ(fault->event->vector, 14);
    EXPECT_EQ(fault->delivery, external(0x20));
    record(v, *fault);
    EXPECT_EQ(v.VM_EXIT_INTERRUPTION_INFO, 0x8000'0b0eU);
    EXPECT_EQ(v.VM_EXIT_INTERRUPTION_ERROR_CODE, 2U);
    EXPECT_EQ(v.IDT_VECTORING_INFO, 0x8000'0020U);

    m.memory.holes[7] = {WalkFaultKind::EptViolation, 0x182, Gpa{0x77'7000}};
    const auto ept = raise(m.cpu, m.memory, v, {.type = EventType::SoftwareInterrupt, .vector = 0x80, .instruction_length = 2});
    ASSERT_TRUE(ept);
    EXPECT_EQ(ept->reason, ExitReason::EptViolation);
    EXPECT_EQ(ept->qualification, 0x182U);
    EXPECT_EQ(ept->guest_physical, Gpa{0x77'7000});
    EXPECT_EQ(ept->guest_linear, stack0 - 0x118);
    EXPECT_EQ(ept->delivery->vector, 0x80);
    EXPECT_EQ(ept->instruction_length, 2);
    record(v, *ept);
    EXPECT_EQ(v.EXIT_REASON, 48U);
    EXPECT_EQ(v.IDT_VECTORING_INFO, 0x8000'0480U);
    EXPECT_EQ(v.VM_EXIT_INTERRUPTION_INFO, 0U);
}

TEST(X86ExitEvents, faults_in_a_row_become_double_and_triple_faults) {
    Vmcs v = long_mode();
    Long m;
    m.set_idt(13, gate(14, code0, 0, 0, 0, false), 0);  // #GP meets #NP: contributory twice
    const CpuState before = m.cpu;
    ASSERT_FALSE(raise(m.cpu, m.memory, v, exception(Vector::GP, 0x10)));
    EXPECT_EQ(m.cpu.rip, 0xffff'8000'0000'0008U) << "#DF's handler";
    EXPECT_EQ(m.pushed(0), 0U);

    m.cpu = before;
    v.EXCEPTION_BITMAP = 1U << 8;
    const auto exit = raise(m.cpu, m.memory, v, exception(Vector::GP, 0x10));
    ASSERT_TRUE(exit);
    EXPECT_EQ(exit->event->vector, 8);
    EXPECT_FALSE(exit->delivery) << "a double fault ends the delivery";

    v.EXCEPTION_BITMAP = 0;
    m.set_idt(8, gate(14, code0, 0, 0, 0, false), 0);
    const auto triple = raise(m.cpu, m.memory, v, exception(Vector::GP, 0x10));
    ASSERT_TRUE(triple);
    EXPECT_EQ(triple->reason, ExitReason::TripleFault);
    EXPECT_FALSE(triple->delivery || triple->event);
}

TEST(X86ExitEvents, an_empty_idt_is_a_triple_fault_in_every_mode) {
    const Vmcs v = long_mode();
    Long a;
    Protected b;
    Real c;
    for (Machine* m : {static_cast<Machine*>(&a), static_cast<Machine*>(&b), static_cast<Machine*>(&c)}) {
        m->cpu.idtr.limit = 0;
        EXPECT_EQ(raise(m->cpu, m->memory, v, exception(Vector::UD))->reason, ExitReason::TripleFault);
    }
}

TEST(X86ExitEvents, an_exception_on_the_way_is_delivered_instead) {
    Vmcs v = long_mode();
    v.PIN_BASED_CONTROLS = 0x16;
    Long m;
    m.set_idt(0x20, gate(14, code0, 0, 0, 0, false), 0);
    ASSERT_FALSE(raise(m.cpu, m.memory, v, external(0x20)));
    EXPECT_EQ(m.cpu.rip, 0xffff'8000'0000'000bU);
    EXPECT_EQ(m.pushed(0), 0x103U);
}

/// "Vectored-Event Injection": the event itself causes no exit, what it meets may.
TEST(X86ExitEvents, injected_events_exit_only_by_what_they_meet) {
    Vmcs v = long_mode();
    v.EXCEPTION_BITMAP = ~0U;
    Long m;
    ASSERT_FALSE(inject(m.cpu, m.memory, v, exception(Vector::GP, 0)));
    Long other;
    other.set_idt(13, gate(14, code0, 0, 0, 0, false), 0);
    EXPECT_EQ(inject(other.cpu, other.memory, v, exception(Vector::GP, 0))->event->vector, 8);
}

/// "Vectored-Event Injection": what an exception leaves in CR2 and DR6 is the hypervisor's affair.
TEST(X86ExitEvents, injected_events_leave_cr2_and_dr6_alone) {
    const Vmcs v = long_mode();
    Long m;
    m.cpu.cr2 = 0x1234;
    m.cpu.dr6 = Dr6::at_reset | Dr6::BS::mask;
    ASSERT_FALSE(inject(m.cpu, m.memory, v, exception(Vector::PF, 2)));
    ASSERT_FALSE(inject(m.cpu, m.memory, v, exception(Vector::DB)));
    EXPECT_EQ(m.cpu.cr2, 0x1234U);
    EXPECT_EQ(m.cpu.dr6, Dr6::at_reset | Dr6::BS::mask);
    ASSERT_FALSE(raise(m.cpu, m.memory, v, exception(Vector::PF, 2, 0x5678)));
    EXPECT_EQ(m.cpu.cr2, 0x5678U);
}

TEST(X86ExitEvents, task_gates_exit) {
    Vmcs v = protected_mode();
    Protected m;
    m.set_idt(0x20, gate(5, 0x58, 0, 3));
    const auto exit = raise(m.cpu, m.memory, v, int_n(0x20));
    ASSERT_TRUE(exit);
    EXPECT_EQ(exit->reason, ExitReason::TaskSwitch);
    EXPECT_EQ(exit->qualification, 0xc000'0058U);
    EXPECT_EQ(exit->delivery, int_n(0x20));
    EXPECT_EQ(exit->instruction_length, 2);
}

TEST(X86ExitEvents, an_nmi_that_was_not_delivered_blocks_all_the_same) {
    Vmcs v = long_mode();
    v.PIN_BASED_CONTROLS = 0x16;
    Long m;
    m.memory.holes[7] = {WalkFaultKind::EptViolation, 0x182, {}};
    ASSERT_TRUE(raise(m.cpu, m.memory, v, {.type = EventType::Nmi, .vector = 2}));
    EXPECT_EQ(m.cpu.interruptibility, Interruptibility::BlockingByNmi::mask);
}

struct WindowCase {
    const char* section;
    u64 rflags;
    u32 interruptibility;
    ActivityState activity;
    bool nmi, interrupt;
};
constexpr WindowCase window_cases[] = {
    {"Interrupt-Window Exiting: open", 0x202, 0, ActivityState::Active, true, true},
    {"Interrupt-Window Exiting: IF clear", 2, 0, ActivityState::Active, true, false},
    {"Interrupt-Window Exiting: blocking by STI", 0x202, 1, ActivityState::Active, false, false},
    {"Interrupt-Window Exiting: blocking by MOV SS", 0x202, 2, ActivityState::Active, false, false},
    {"NMI-Window Exiting: blocking by NMI", 0x202, 8, ActivityState::Active, false, true},
    {"Interrupt-Window Exiting: HLT", 0x202, 0, ActivityState::Hlt, true, true},
    {"Interrupt-Window Exiting: shutdown", 0x202, 0, ActivityState::Shutdown, true, false},
    {"wait-for-SIPI", 0x202, 0, ActivityState::WaitForSipi, false, false},
};

TEST(X86ExitEvents, windows) {
    for (const WindowCase& c : window_cases) {
        CpuState cpu;
        cpu.rflags = c.rflags;
        cpu.interruptibility = c.interruptibility;
        cpu.activity = c.activity;
        Vmcs v = long_mode();
        EXPECT_FALSE(window_exit(v, cpu));
        const auto reason = [&] {
            const auto exit = window_exit(v, cpu);
            return exit ? static_cast<int>(exit->reason) : -1;
        };
        v.PRIMARY_CONTROLS |= static_cast<u32>(PrimaryControls::InterruptWindowExiting::mask);
        EXPECT_EQ(reason(), c.interrupt ? 7 : -1) << c.section;
        v.PRIMARY_CONTROLS |= static_cast<u32>(PrimaryControls::NmiWindowExiting::mask);
        EXPECT_EQ(reason(), c.nmi ? 8 : c.interrupt ? 7 : -1) << c.section;
    }
}

TEST(X86ExitEvents, init_and_startup) {
    CpuState cpu;
    EXPECT_EQ(init_exit(cpu)->reason, ExitReason::InitSignal);
    EXPECT_FALSE(startup_exit(cpu, 0x99));
    cpu.activity = ActivityState::WaitForSipi;
    EXPECT_FALSE(init_exit(cpu));
    EXPECT_EQ(startup_exit(cpu, 0x99)->qualification, 0x99U);
}

/// "Saving Guest State" after "Loading Guest State" gives the same, apart from RF.
TEST(X86Exit, guest_state_survives_entry_and_exit) {
    for (const auto sample : {long_mode, protected_mode, real_mode, virtual_8086}) {
        Vmcs v = sample();
        v.GUEST_IA32_SYSENTER_CS = 0x10;
        v.GUEST_IA32_SYSENTER_ESP = 0x1111;
        v.GUEST_IA32_SYSENTER_EIP = 0x2222;
        v.GUEST_RSP = 0x3333;
        v.GUEST_GDTR = {0x7f, 0x4444};
        v.GUEST_IDTR = {0xfff, 0x5555};
        v.GUEST_PDPTE = {1, 0x1001, 0x2001, 0x3001};
        v.GUEST_INTERRUPTIBILITY_STATE = 8;
        CpuState cpu;
        load_guest(cpu, v);
        Vmcs after = v;
        const Exit hlt{.reason = ExitReason::Hlt, .instruction_length = 1};
        save_guest(after, cpu, hlt);
        EXPECT_EQ(after, v);
        record(after, hlt);
        EXPECT_EQ(after.EXIT_REASON, 12U);
        EXPECT_EQ(cpu.is_long(), EntryControls::Ia32eModeGuest::test(v.VM_ENTRY_CONTROLS));
    }
}

TEST(X86Exit, faults_save_rf) {
    Vmcs v = long_mode();
    CpuState cpu;
    load_guest(cpu, v);
    const auto saved = [&](const Exit& exit) {
        save_guest(v, cpu, exit);
        return Rflags::RF::test(v.GUEST_RFLAGS);
    };
    EXPECT_TRUE(saved({.reason = ExitReason::ExceptionOrNmi, .event = exception(Vector::PF)}));
    EXPECT_FALSE(saved({.reason = ExitReason::ExceptionOrNmi, .event = exception(Vector::DB)}));
    EXPECT_FALSE(saved({.reason = ExitReason::ExceptionOrNmi, .event = Event{.type = EventType::Nmi, .vector = 2}}));
    EXPECT_TRUE(saved({.reason = ExitReason::EptViolation}));
    EXPECT_FALSE(saved({.reason = ExitReason::EptViolation, .delivery = external(0x20)}));
    EXPECT_FALSE(saved({.reason = ExitReason::Cpuid}));
}

TEST(X86Exit, controls_say_what_is_saved_and_loaded) {
    Vmcs v = long_mode();
    v.VM_EXIT_CONTROLS &= ~static_cast<u32>(ExitControls::SaveDebugControls::mask | ExitControls::SaveEfer::mask);
    v.VM_ENTRY_CONTROLS &= ~static_cast<u32>(EntryControls::LoadDebugControls::mask | EntryControls::LoadEfer::mask);
    v.GUEST_DR7 = 0x401;
    CpuState cpu;
    cpu.efer = Efer::NXE::mask;
    cpu.cr0 = Cr0::CD::mask;
    load_guest(cpu, v);
    EXPECT_EQ(cpu.dr7, 0x400U);
    EXPECT_EQ(cpu.efer, 0xd00U) << "LMA and LME follow the IA-32e mode guest control";
    EXPECT_TRUE(Cr0::CD::test(cpu.cr0)) << "not loaded";
    cpu.efer = 0;
    cpu.dr7 = 0x4ff;
    save_guest(v, cpu, {});
    EXPECT_EQ(v.GUEST_DR7, 0x401U);
    EXPECT_EQ(v.GUEST_IA32_EFER, 0xd01U);
    EXPECT_FALSE(EntryControls::Ia32eModeGuest::test(v.VM_ENTRY_CONTROLS));
}

TEST(X86Exit, an_exit_takes_the_injection_back) {
    Vmcs v = long_mode();
    v.VM_ENTRY_INTERRUPTION_INFO = event(EventType::Nmi, 2);
    Vmcs failed = v;
    record(v, {.reason = ExitReason::Hlt});
    EXPECT_EQ(v.VM_ENTRY_INTERRUPTION_INFO, 0x202U);
    record_entry_failure(failed, 0x8000'0021, 4);
    EXPECT_EQ(failed.VM_ENTRY_INTERRUPTION_INFO, 0x8000'0202U);
    EXPECT_EQ(failed.EXIT_REASON, 0x8000'0021U);
    EXPECT_EQ(failed.EXIT_QUALIFICATION, 4U);
}

}  // namespace
}  // namespace ax::sim::x86
