// Event delivery, mode by mode. Sections are those of Intel SDM vol. 3, unless vol. 2 is named.
#include "sim/trap/x86/delivery.hpp"

#include <gtest/gtest.h>

#include "tests/unit/sim/trap/x86/delivery_fixture.hpp"

namespace ax::sim::x86 {
namespace {

using namespace test;

/// "Real-Address Mode Interrupt and Exception Handling".
TEST(X86Delivery, real_mode_pushes_three_words) {
    Real m;
    ASSERT_TRUE(m.give(int_n(0x10)));
    EXPECT_EQ(m.cpu.cs.selector, 0xf000);
    EXPECT_EQ(m.cpu.cs.base, 0xf'0000U);
    EXPECT_EQ(m.cpu.rip, 0x10U);
    EXPECT_EQ(m.cpu.rsp(), 0xabcd'00faU);
    EXPECT_EQ(m.memory.get(0x30fa, 2), 0x22U) << "behind the instruction";
    EXPECT_EQ(m.memory.get(0x30fc, 2), 0x200U);
    EXPECT_EQ(m.memory.get(0x30fe, 2), 0x302U);
    EXPECT_EQ(m.cpu.rflags, 0x2U) << "IF, TF, AC and RF are clear";
}

TEST(X86Delivery, real_mode_stack_wraps_and_ends) {
    Real m;
    m.cpu.rsp() = 2;
    ASSERT_TRUE(m.give(external(8)));
    EXPECT_EQ(m.cpu.rsp(), 0xfffcU);
    EXPECT_EQ(m.memory.get(0x3000, 2), 0x302U);
    EXPECT_EQ(m.memory.get(0x3000 + 0xfffe, 2), 0x200U);
    Real odd;
    odd.cpu.rsp() = 1;
    EXPECT_EQ(odd.raised(external(8))->vector, index(Vector::SS));
    Real table;
    table.cpu.idtr.limit = 0x22;
    EXPECT_EQ(table.raised(external(8))->vector, index(Vector::GP));
    EXPECT_FALSE(table.raised(external(8))->has_error_code);
    EXPECT_TRUE(table.give(external(7)));
}

/// vol. 2, INT n, INTRA-PRIVILEGE-LEVEL-INTERRUPT.
TEST(X86Delivery, protected_mode_same_level) {
    Protected m;
    ASSERT_TRUE(m.give(exception(Vector::GP, 0x1234)));
    EXPECT_EQ(m.cpu.rsp(), stack0 - 0x110);
    EXPECT_EQ(m.pushed(0), 0x1234U);
    EXPECT_EQ(m.pushed(1), 0x1234U);
    EXPECT_EQ(m.pushed(2), code0);
    EXPECT_EQ(m.pushed(3), 0x1'0202U) << "RF is set for faults";
    EXPECT_EQ(m.cpu.rip, 0x10'000dU);
    EXPECT_EQ(m.cpu.rflags, 2U);
    EXPECT_EQ(m.memory.get(gdt + code0 + 5, 1), 0x9bU) << "accessed";
}

TEST(X86Delivery, trap_gates_leave_if_alone) {
    Protected m;
    m.set_idt(0x80, gate(15, code0, 0x10'0000, 3));
    m.at_level_3();
    m.cpu.rflags |= Rflags::NT::mask | Rflags::TF::mask;
    ASSERT_TRUE(m.give(int_n(0x80)));
    EXPECT_EQ(m.cpu.rflags, 0x202U);
}

/// vol. 2, INT n, INTER-PRIVILEGE-LEVEL-INTERRUPT; "Stack Switching".
TEST(X86Delivery, protected_mode_inner_level_takes_the_stack_of_the_tss) {
    Protected m;
    m.at_level_3();
    ASSERT_TRUE(m.give(external(0x20)));
    EXPECT_EQ(m.cpu.rsp(), stack0 - 20);
    const u64 expected[] = {0x1234, code3, 0x202, stack3, data3};
    for (u64 n = 0; n < 5; ++n) EXPECT_EQ(m.pushed(n), expected[n]) << n;
    EXPECT_EQ(m.cpu.cpl(), 0);
    EXPECT_EQ(m.cpu.ss.selector, data0);
    EXPECT_EQ(m.cpu.cs.selector, code0);
    EXPECT_FALSE(m.memory.last_write.is_user) << "pushed at the new level";
}

TEST(X86Delivery, gates_of_16_bits_push_words) {
    Protected m;
    m.at_level_3();
    m.set_idt(0x21, gate(6, code0, 0x4444'5555));
    ASSERT_TRUE(m.give(external(0x21)));
    EXPECT_EQ(m.cpu.rip, 0x5555U);
    EXPECT_EQ(m.cpu.rsp(), stack0 - 10);
    EXPECT_EQ(m.memory.get(stack0 - 2, 2), data3);
}

/// A 16-bit TSS has 16-bit stacks: "16-Bit Task-State Segment (TSS)".
TEST(X86Delivery, stack_of_a_16_bit_tss) {
    Protected m;
    m.at_level_3();
    m.cpu.tr.access_rights = 0x83;
    m.memory.set(tss + 2, 0x7000, 2);
    m.memory.set(tss + 4, data0, 2);
    ASSERT_TRUE(m.give(external(0x20)));
    EXPECT_EQ(m.cpu.rsp(), 0x7000U - 20);
}

/// vol. 2, INT n, INTERRUPT-FROM-VIRTUAL-8086-MODE.
TEST(X86Delivery, virtual_8086_mode_is_left_with_its_segments_on_the_stack) {
    Protected m;
    m.at_v8086();
    ASSERT_TRUE(m.give(external(0x20)));
    const u64 expected[] = {0x55, 0x100, 0x2'3202, 0x80, 0x100, 0x101, 0x102, 0x103, 0x104};
    for (u64 n = 0; n < 9; ++n) EXPECT_EQ(m.pushed(n), expected[n]) << n;
    for (const VmcsSegment* s : {&m.cpu.ds, &m.cpu.es, &m.cpu.fs, &m.cpu.gs}) EXPECT_EQ(s->access_rights, AccessRights::null);
    EXPECT_FALSE(m.cpu.is_v8086());
    Protected low;
    low.at_v8086();
    low.cpu.rflags &= ~Rflags::IOPL::mask;
    EXPECT_EQ(low.raised(int_n(0x20)), exception(Vector::GP, 0));
    Protected wrong;
    wrong.at_v8086();
    wrong.set_idt(0x20, gate(14, conforming, 0));
    EXPECT_EQ(wrong.raised(external(0x20)), exception(Vector::GP, conforming + 1));
}

struct FaultCase {
    const char* section;
    void (*prepare)(Protected&);
    Event event;
    Event raised;
};

const FaultCase protected_faults[] = {
    {"IDT: vector beyond the limit", [](Protected& m) { m.cpu.idtr.limit = 0x106; }, external(0x20),
     exception(Vector::GP, 0x103)},
    {"IDT: not a gate", [](Protected& m) { m.set_idt(0x20, gate(12, code0, 0)); }, external(0x20), exception(Vector::GP, 0x103)},
    {"IDT: a gate with S", [](Protected& m) { m.set_idt(0x20, gate(30, code0, 0)); }, external(0x20),
     exception(Vector::GP, 0x103)},
    {"IDT: EXT is clear for INT n", [](Protected& m) { m.set_idt(0x20, gate(12, code0, 0)); }, int_n(0x20),
     exception(Vector::GP, 0x102)},
    {"IDT: INT n from level 3 needs DPL 3", [](Protected& m) { m.at_level_3(); }, int_n(0x20), exception(Vector::GP, 0x102)},
    {"IDT: not present", [](Protected& m) { m.set_idt(0x20, gate(14, code0, 0, 0, 0, false)); }, external(0x20),
     exception(Vector::NP, 0x103)},
    {"IDT: null selector", [](Protected& m) { m.set_idt(0x20, gate(14, 3, 0)); }, external(0x20), exception(Vector::GP, 1)},
    {"IDT: selector beyond the GDT", [](Protected& m) { m.set_idt(0x20, gate(14, 0x63, 0)); }, external(0x20),
     exception(Vector::GP, 0x61)},
    {"IDT: selector in no LDT", [](Protected& m) { m.set_idt(0x20, gate(14, 0x0c, 0)); }, external(0x20),
     exception(Vector::GP, 0x0d)},
    {"IDT: data segment", [](Protected& m) { m.set_idt(0x20, gate(14, data0, 0)); }, external(0x20), exception(Vector::GP, 0x11)},
    {"IDT: outer level", [](Protected& m) { m.set_idt(0x20, gate(14, code3, 0)); }, external(0x20), exception(Vector::GP, 0x19)},
    {"IDT: code not present", [](Protected& m) { m.set_idt(0x20, gate(14, absent, 0)); }, external(0x20),
     exception(Vector::NP, 0x39)},
    {"IDT: offset beyond the code's limit", [](Protected& m) { m.set_idt(0x20, gate(14, code16, 0x1'0000)); }, external(0x20),
     exception(Vector::GP, 1)},
    {"TSS: too short",
     [](Protected& m) {
         m.at_level_3();
         m.cpu.tr.limit = 8;
     },
     external(0x20), exception(Vector::TS, 0x51)},
    {"TSS: null SS0",
     [](Protected& m) {
         m.at_level_3();
         m.memory.set(tss + 8, 0, 2);
     },
     external(0x20), exception(Vector::TS, 1)},
    {"TSS: SS0 beyond the GDT",
     [](Protected& m) {
         m.at_level_3();
         m.memory.set(tss + 8, 0x60, 2);
     },
     external(0x20), exception(Vector::TS, 0x61)},
    {"TSS: RPL of SS0",
     [](Protected& m) {
         m.at_level_3();
         m.memory.set(tss + 8, data0 | 1, 2);
     },
     external(0x20), exception(Vector::TS, 0x11)},
    {"TSS: SS0 is code",
     [](Protected& m) {
         m.at_level_3();
         m.memory.set(tss + 8, code0, 2);
     },
     external(0x20), exception(Vector::TS, 0x09)},
    {"TSS: SS0 not present",
     [](Protected& m) {
         m.at_level_3();
         m.set_gdt(data0, 0x00cf'1200'0000'ffff);
     },
     external(0x20), exception(Vector::SS, 0x11)},
    {"stack: no room on the new one",
     [](Protected& m) {
         m.at_level_3();
         m.set_gdt(data0, 0x0040'9200'0000'0fff);
     },
     external(0x20), exception(Vector::SS, 0x11)},
    {"stack: no room on the old one", [](Protected& m) { m.cpu.ss.limit = 0x10; }, external(0x20), exception(Vector::SS, 1)},
    {"stack: below an expand-down segment",
     [](Protected& m) {
         m.cpu.ss.access_rights |= 4;
         m.cpu.ss.limit = 0xffff;
     },
     external(0x20), exception(Vector::SS, 1)},
    {"page of the IDT",
     [](Protected& m) {
         m.memory.holes[1] = {WalkFaultKind::PageFault, 0, {}};
     },
     external(0x20), exception(Vector::PF, 0, idt + 0x100)},
    {"page of the stack",
     [](Protected& m) {
         m.memory.holes[7] = {WalkFaultKind::PageFault, 2, {}};
     },
     external(0x20), exception(Vector::PF, 2, stack0 - 0x104)},
};

TEST(X86Delivery, faults_of_protected_mode) {
    for (const FaultCase& c : protected_faults) {
        Protected m;
        c.prepare(m);
        const auto raised = m.raised(c.event);
        ASSERT_TRUE(raised) << c.section;
        EXPECT_EQ(*raised, c.raised) << c.section << ": vector " << int{raised->vector} << " code " << std::hex
                                     << raised->error_code;
    }
}

TEST(X86Delivery, int1_is_no_software_interrupt_to_a_gate) {
    Protected m;
    m.at_level_3();
    EXPECT_TRUE(m.give({.type = EventType::PrivilegedSoftwareException, .vector = 1, .instruction_length = 1}));
}

TEST(X86Delivery, expand_down_stacks_reach_above_their_limit) {
    Protected m;
    m.cpu.ss.access_rights |= 4;
    m.cpu.ss.limit = 0x6fff;
    EXPECT_TRUE(m.give(external(0x20)));
}

/// "Stack Segments": without B, SP moves and wraps, and the upper half of ESP stays.
TEST(X86Delivery, stacks_of_16_bits_move_sp_alone) {
    Protected m;
    m.cpu.ss = {data0, 0xffff, AccessRights::real_mode_data, 0};
    m.cpu.rsp() = 0x5555'0004;
    ASSERT_TRUE(m.give(external(0x20)));
    EXPECT_EQ(m.cpu.rsp(), 0x5555'fff8U);
    EXPECT_EQ(m.memory.get(0, 4), 0x202U);
    EXPECT_EQ(m.memory.get(0xfff8, 4), 0x1234U);
}

TEST(X86Delivery, conforming_handlers_keep_the_level) {
    Protected m;
    m.at_level_3();
    m.set_idt(0x20, gate(14, conforming, 0x77));
    ASSERT_TRUE(m.give(external(0x20)));
    EXPECT_EQ(m.cpu.cs.selector, conforming | 3);
    EXPECT_EQ(m.cpu.rsp(), stack3 - 12);
    EXPECT_TRUE(m.memory.last_write.is_user);
}

TEST(X86Delivery, selectors_may_be_local) {
    Protected m;
    m.cpu.ldtr = {0x58, 0xf, 0x82, ldt};
    m.memory.set(ldt + 8, 0x00cf'9a00'0000'ffff);
    m.set_idt(0x20, gate(14, 0x0c, 0x77));
    ASSERT_TRUE(m.give(external(0x20)));
    EXPECT_EQ(m.cpu.cs.selector, 0x0c);
}

TEST(X86Delivery, task_gates_and_ept_are_for_the_hypervisor) {
    Protected m;
    m.set_idt(8, gate(5, 0x58, 0));
    const auto task = m.give(exception(Vector::DF));
    ASSERT_FALSE(task);
    EXPECT_EQ(std::get<TaskGate>(task.error()), TaskGate{0x58});
    m.memory.holes[1] = {WalkFaultKind::EptViolation, 0x181, Gpa{idt}};
    const auto ept = m.give(external(3));
    ASSERT_FALSE(ept);
    EXPECT_EQ(std::get<MemoryFault>(ept.error()).fault.code, 0x181U);
}

/// "64-Bit Mode Stack Frame".
TEST(X86Delivery, long_mode_aligns_and_always_pushes_the_stack) {
    Long m;
    ASSERT_TRUE(m.give(exception(Vector::PF, 2, 0x777)));
    EXPECT_EQ(m.cpu.rsp(), stack0 - 0x110 - 48);
    const u64 expected[] = {2, 0xffff'8000'0000'1234, code0, 0x1'0202, stack0 - 0x104, data0};
    for (u64 n = 0; n < 6; ++n) EXPECT_EQ(m.pushed(n), expected[n]) << n;
    EXPECT_EQ(m.cpu.rip, 0xffff'8000'0000'000eU);
    EXPECT_EQ(m.cpu.ss.selector, data0) << "unchanged without a change of level";
}

TEST(X86Delivery, long_mode_inner_level_has_a_null_ss) {
    Long m;
    m.at_level_3();
    ASSERT_TRUE(m.give(external(0x20)));
    EXPECT_EQ(m.cpu.rsp(), stack0 - 40);
    EXPECT_EQ(m.pushed(4), data3);
    EXPECT_EQ(m.cpu.ss.selector, 0);
    EXPECT_EQ(m.cpu.ss.access_rights, AccessRights::null);
    EXPECT_EQ(m.cpu.cpl(), 0);
}

/// "Interrupt Stack Table".
TEST(X86Delivery, long_mode_interrupt_stack_table) {
    for (const bool is_user : {false, true}) {
        Long m;
        if (is_user) m.at_level_3();
        m.set_idt(2, gate(14, code0, 0x10, 0, 1), 0);
        ASSERT_TRUE(m.give({.type = EventType::Nmi, .vector = 2}));
        EXPECT_EQ(m.cpu.rsp(), ist_stack - 40);
        EXPECT_EQ(m.cpu.ss.selector, is_user ? 0 : data0);
        EXPECT_EQ(m.cpu.interruptibility, Interruptibility::BlockingByNmi::mask);
    }
}

struct LongFaultCase {
    const char* section;
    void (*prepare)(Long&);
    Event raised;
};

const LongFaultCase long_faults[] = {
    {"IDT: vector beyond the limit", [](Long& m) { m.cpu.idtr.limit = 0x20e; }, exception(Vector::GP, 0x103)},
    {"64-bit IDT: task gates do not exist", [](Long& m) { m.set_idt(0x20, gate(5, code0, 0), 0); }, exception(Vector::GP, 0x103)},
    {"64-bit IDT: gates of 16 bits do not exist", [](Long& m) { m.set_idt(0x20, gate(6, code0, 0), 0); },
     exception(Vector::GP, 0x103)},
    {"64-bit IDT: not present", [](Long& m) { m.set_idt(0x20, gate(14, code0, 0, 0, 0, false), 0); },
     exception(Vector::NP, 0x103)},
    {"64-bit IDT: handler is no 64-bit code", [](Long& m) { m.set_idt(0x20, gate(14, code32, 0), 0); },
     exception(Vector::GP, 0x41)},
    {"64-bit IDT: handler not present", [](Long& m) { m.set_idt(0x20, gate(14, absent, 0), 0); }, exception(Vector::NP, 0x39)},
    {"64-bit IDT: null selector", [](Long& m) { m.set_idt(0x20, gate(14, 0, 0), 0); }, exception(Vector::GP, 1)},
    {"64-bit IDT: offset is not canonical", [](Long& m) { m.set_idt(0x20, gate(14, code0, 0), 0x1'0000); },
     exception(Vector::GP, 1)},
    {"64-bit TSS: RSP0 beyond the limit",
     [](Long& m) {
         m.at_level_3();
         m.cpu.tr.limit = 10;
     },
     exception(Vector::TS, 0x51)},
    {"64-bit TSS: RSP0 is not canonical",
     [](Long& m) {
         m.at_level_3();
         m.memory.set(tss + 4, bit(47));
     },
     exception(Vector::SS, 1)},
    {"64-bit TSS: IST beyond the limit",
     [](Long& m) {
         m.set_idt(0x20, gate(14, code0, 0, 0, 7), 0);
         m.cpu.tr.limit = 90;
     },
     exception(Vector::TS, 0x51)},
    {"64-bit stack: address is not canonical", [](Long& m) { m.cpu.rsp() = FlatMemory::size + 0x100; }, exception(Vector::SS, 1)},
    {"64-bit stack: page",
     [](Long& m) {
         m.memory.holes[7] = {WalkFaultKind::PageFault, 2, {}};
     },
     exception(Vector::PF, 2, stack0 - 0x118)},
};

TEST(X86Delivery, faults_of_long_mode) {
    for (const LongFaultCase& c : long_faults) {
        Long m;
        c.prepare(m);
        const auto raised = m.raised(external(0x20));
        ASSERT_TRUE(raised) << c.section;
        EXPECT_EQ(*raised, c.raised) << c.section << ": vector " << int{raised->vector} << " code " << std::hex
                                     << raised->error_code << ' ' << raised->payload;
    }
}

TEST(X86Delivery, wakes_the_cpu_and_ends_shadows) {
    Long m;
    m.cpu.activity = ActivityState::Hlt;
    m.cpu.interruptibility = 1;
    ASSERT_TRUE(m.give(external(0x20)));
    EXPECT_EQ(m.cpu.activity, ActivityState::Active);
    EXPECT_EQ(m.cpu.interruptibility, 0U);
}

TEST(X86Delivery, injected_faults_keep_rf) {
    Long m;
    Event event = exception(Vector::GP, 0);
    event.keeps_rf = true;
    ASSERT_TRUE(m.give(event));
    EXPECT_EQ(m.pushed(3), 0x202U);
}

}  // namespace
}  // namespace ax::sim::x86
