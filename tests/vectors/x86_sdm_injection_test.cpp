// When a guest takes an interrupt or an NMI, and the words that give it one, from the SDM's tables. Written from the manual.
#include <gtest/gtest.h>

#include "core/arch/x86/inject.hpp"

namespace ax::x86 {
namespace {

// "Guest Non-Register State", table "Format of Interruptibility State": 0 STI, 1 MOV SS, 3 NMI. Activity: 0 active, 1 HLT,
// 2 shutdown, 3 wait-for-SIPI.
struct Taken {
    const char* what;
    u64 rflags;
    u32 interruptibility;
    u32 activity;
    u32 waiting;  ///< VM_ENTRY_INTERRUPTION_INFO
    bool interrupt;
    bool nmi;
};

// clang-format off
const Taken taken[] = {
    {"IF clear masks interrupts, not NMIs", 0x002, 0, 0, 0, false, true},
    {"IF set", 0x202, 0, 0, 0, true, true},
    {"blocking by STI: an NMI may be refused there by the entry", 0x202, 1, 0, 0, false, false},
    {"blocking by MOV SS", 0x202, 2, 0, 0, false, false},
    {"blocking by MOV SS with IF clear", 0x002, 2, 0, 0, false, false},
    {"blocking by NMI is the NMIs'", 0x202, 8, 0, 0, true, false},
    {"blocking by NMI with IF clear", 0x002, 8, 0, 0, false, false},
    {"STI inside an NMI handler", 0x202, 9, 0, 0, false, false},
    {"HLT ends for both", 0x202, 0, 1, 0, true, true},
    {"HLT with IF clear", 0x002, 0, 1, 0, false, true},
    // "Checks on Guest Non-Register State": what may be injected into which activity.
    {"wait-for-SIPI takes neither", 0x202, 0, 3, 0, false, false},
    {"shutdown takes no interrupt, and ends by a reset", 0x202, 0, 2, 0, false, false},
    {"an exception waits already", 0x202, 0, 0, 0x8000'0306, false, false},
    {"an interrupt waits already", 0x202, 0, 0, 0x8000'0030, false, false},
    {"a word that is not valid", 0x202, 0, 0, 0x0000'0030, true, true},
    {"other flags do not matter", 0x3'7fd7 | 0x200, 0, 0, 0, true, true},
};
// clang-format on

TEST(X86SdmVectors, when_events_are_taken) {
    for (const Taken& t : taken) {
        Vmcs v;
        v.GUEST_RFLAGS = t.rflags;
        v.GUEST_INTERRUPTIBILITY_STATE = t.interruptibility;
        v.GUEST_ACTIVITY_STATE = t.activity;
        v.VM_ENTRY_INTERRUPTION_INFO = t.waiting;
        EXPECT_EQ(can_take_interrupt(v), t.interrupt) << t.what;
        EXPECT_EQ(can_take_nmi(v), t.nmi) << t.what;
    }
}

/// "VM-Entry Controls for Event Injection", table "Format of the VM-Entry Interruption-Information Field".
TEST(X86SdmVectors, words_of_injected_events) {
    for (unsigned vector = 0; vector < 256; ++vector) {
        Vmcs v;
        inject_interrupt(v, static_cast<u8>(vector));
        EXPECT_EQ(v.VM_ENTRY_INTERRUPTION_INFO, 0x8000'0000U | vector);
    }
    Vmcs v;
    inject_nmi(v);
    EXPECT_EQ(v.VM_ENTRY_INTERRUPTION_INFO, 0x8000'0202U);
}

/// "Interrupt-window exiting" is bit 2 and "NMI-window exiting" bit 22 of the primary controls.
TEST(X86SdmVectors, bits_of_the_windows) {
    Vmcs v;
    v.PRIMARY_CONTROLS = 0x8400'6172;
    set_interrupt_window(v, true);
    EXPECT_EQ(v.PRIMARY_CONTROLS, 0x8400'6176U);
    set_nmi_window(v, true);
    EXPECT_EQ(v.PRIMARY_CONTROLS, 0x8440'6176U);
    set_interrupt_window(v, false);
    EXPECT_EQ(v.PRIMARY_CONTROLS, 0x8440'6172U);
    set_nmi_window(v, false);
    EXPECT_EQ(v.PRIMARY_CONTROLS, 0x8400'6172U);
}

}  // namespace
}  // namespace ax::x86
