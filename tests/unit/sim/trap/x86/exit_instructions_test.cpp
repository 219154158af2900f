// Which instructions exit, fault first, or run. Sections are those of Intel SDM vol. 3, "VMX Non-Root Operation".
#include "sim/trap/x86/exit_instructions.hpp"

#include <gtest/gtest.h>

#include <string>

#include "sim/trap/x86/exit_ports.hpp"
#include "tests/unit/sim/trap/x86/delivery_fixture.hpp"
#include "tests/unit/sim/trap/x86/vmcs_samples.hpp"

namespace ax::sim::x86 {
namespace {

using namespace test;
using S = Sensitive;

/// "exit N", "fault N" or "run".
std::string told(const Decision& decision) {
    if (const auto* exit = std::get_if<Exit>(&decision)) return "exit " + std::to_string(index(exit->reason));
    if (const auto* event = std::get_if<Event>(&decision)) return "fault " + std::to_string(event->vector);
    return "run";
}

struct Setting {
    u32 primary = 0, secondary = 0;
    u64 cr4 = 0;
    u8 cpl = 0;
};
struct InstructionCase {
    const char* section;
    S opcode;
    Setting setting;
    const char* outcome;
};

constexpr u32 b(unsigned n) { return u32{1} << n; }
constexpr const char* always = "Instructions That Cause VM Exits Unconditionally";
constexpr const char* sometimes = "Instructions That Cause VM Exits Conditionally";
constexpr const char* priority = "Relative Priority of Faults and VM Exits";

constexpr InstructionCase cases[] = {
    {always, S::Cpuid, {}, "exit 10"},
    {always, S::Cpuid, {.cpl = 3}, "exit 10"},
    {always, S::Invd, {}, "exit 13"},
    {priority, S::Invd, {.cpl = 3}, "fault 13"},
    {always, S::Getsec, {.cr4 = bit(14)}, "exit 11"},
    {priority, S::Getsec, {}, "fault 6"},
    {always, S::Xsetbv, {.cr4 = bit(18)}, "exit 55"},
    {priority, S::Xsetbv, {}, "fault 6"},
    {priority, S::Xsetbv, {.cr4 = bit(18), .cpl = 3}, "fault 13"},
    {always, S::Vmcall, {}, "exit 18"},
    {always, S::Vmcall, {.cpl = 3}, "exit 18"},
    {always, S::Vmclear, {}, "exit 19"},
    {always, S::Vmlaunch, {}, "exit 20"},
    {always, S::Vmptrld, {}, "exit 21"},
    {always, S::Vmptrst, {}, "exit 22"},
    {always, S::Vmread, {}, "exit 23"},
    {always, S::Vmresume, {.cpl = 3}, "exit 24"},
    {always, S::Vmwrite, {}, "exit 25"},
    {always, S::Vmxoff, {}, "exit 26"},
    {always, S::Vmxon, {.cr4 = bit(13)}, "exit 27"},
    {priority, S::Vmxon, {}, "fault 6"},
    {always, S::Invept, {}, "exit 50"},
    {always, S::Invvpid, {}, "exit 53"},
    {sometimes, S::Hlt, {.primary = b(7)}, "exit 12"},
    {sometimes, S::Hlt, {}, "run"},
    {priority, S::Hlt, {.primary = b(7), .cpl = 3}, "fault 13"},
    {sometimes, S::Invlpg, {.primary = b(9)}, "exit 14"},
    {sometimes, S::Invlpg, {}, "run"},
    {sometimes, S::Invpcid, {.primary = b(9), .secondary = b(12)}, "exit 58"},
    {sometimes, S::Invpcid, {.secondary = b(12)}, "run"},
    {priority, S::Invpcid, {.primary = b(9)}, "fault 6"},
    {sometimes, S::Rdtsc, {.primary = b(12)}, "exit 16"},
    {sometimes, S::Rdtsc, {.cpl = 3}, "run"},
    {priority, S::Rdtsc, {.primary = b(12), .cr4 = bit(2), .cpl = 3}, "fault 13"},
    {sometimes, S::Rdtsc, {.primary = b(12), .cr4 = bit(2)}, "exit 16"},
    {sometimes, S::Rdtscp, {.primary = b(12), .secondary = b(3)}, "exit 51"},
    {sometimes, S::Rdtscp, {.secondary = b(3)}, "run"},
    {priority, S::Rdtscp, {.primary = b(12)}, "fault 6"},
    {sometimes, S::Rdpmc, {.primary = b(11)}, "exit 15"},
    {priority, S::Rdpmc, {.primary = b(11), .cpl = 3}, "fault 13"},
    {sometimes, S::Rdpmc, {.primary = b(11), .cr4 = bit(8), .cpl = 3}, "exit 15"},
    {sometimes, S::Pause, {.primary = b(30), .cpl = 3}, "exit 40"},
    {sometimes, S::Pause, {}, "run"},
    {sometimes, S::Monitor, {.primary = b(29)}, "exit 39"},
    {priority, S::Monitor, {.primary = b(29), .cpl = 3}, "fault 6"},
    {sometimes, S::Mwait, {.primary = b(10)}, "exit 36"},
    {sometimes, S::Mwait, {}, "run"},
    {sometimes, S::Rdrand, {.secondary = b(11)}, "exit 57"},
    {sometimes, S::Rdrand, {}, "run"},
    {sometimes, S::Rdseed, {.secondary = b(16)}, "exit 61"},
    {sometimes, S::Wbinvd, {.secondary = b(6)}, "exit 54"},
    {sometimes, S::Wbinvd, {}, "run"},
    {priority, S::Wbinvd, {.secondary = b(6), .cpl = 1}, "fault 13"},
    {always, S::Rsm, {}, "fault 6"},
    {sometimes, S::Sgdt, {.secondary = b(2), .cpl = 3}, "exit 46"},
    {priority, S::Sgdt, {.secondary = b(2), .cr4 = bit(11), .cpl = 3}, "fault 13"},
    {sometimes, S::Sidt, {}, "run"},
    {sometimes, S::Lgdt, {.secondary = b(2)}, "exit 46"},
    {sometimes, S::Lidt, {.secondary = b(2)}, "exit 46"},
    {priority, S::Lidt, {.secondary = b(2), .cpl = 3}, "fault 13"},
    {sometimes, S::Sldt, {.secondary = b(2)}, "exit 47"},
    {sometimes, S::Str, {.secondary = b(2)}, "exit 47"},
    {sometimes, S::Lldt, {.secondary = b(2)}, "exit 47"},
    {sometimes, S::Ltr, {.secondary = b(2)}, "exit 47"},
    {sometimes, S::Xsaves, {.secondary = b(20), .cr4 = bit(18)}, "exit 63"},
    {priority, S::Xsaves, {.cr4 = bit(18)}, "fault 6"},
    {sometimes, S::Xrstors, {.secondary = b(20), .cr4 = bit(18)}, "exit 64"},
    {always, S::Vmfunc, {}, "fault 6"},
    {always, S::Vmfunc, {.secondary = b(13)}, "exit 59"},
};

TEST(X86ExitInstructions, outcome_by_controls_and_privilege) {
    for (const InstructionCase& c : cases) {
        Vmcs v;
        v.PRIMARY_CONTROLS = c.setting.primary | b(31);
        v.SECONDARY_CONTROLS = c.setting.secondary;
        v.XSS_EXITING_BITMAP = 0x100;
        Long m;
        if (c.setting.cpl != 0) m.at_level_3();
        m.cpu.cr4 = c.setting.cr4;
        EXPECT_EQ(told(decide(v, m.cpu, {.opcode = c.opcode, .length = 3, .operand = 0x100})), c.outcome)
            << c.section << ' ' << int{index(c.opcode)} << " cpl " << int{c.setting.cpl};
    }
}

TEST(X86ExitInstructions, vmx_instructions_need_protected_mode) {
    const Vmcs v;
    Real real;
    EXPECT_EQ(told(decide(v, real.cpu, {.opcode = S::Vmclear})), "fault 6");
    EXPECT_EQ(told(decide(v, real.cpu, {.opcode = S::Vmcall})), "exit 18");
    EXPECT_EQ(told(decide(v, real.cpu, {.opcode = S::Sldt})), "fault 6");
    Long compatibility;
    compatibility.cpu.cs.access_rights = AccessRights::flat_code32;
    EXPECT_EQ(told(decide(v, compatibility.cpu, {.opcode = S::Vmread})), "fault 6");
}

TEST(X86ExitInstructions, words_of_the_exit) {
    Vmcs v;
    v.PRIMARY_CONTROLS = b(9) | b(23);
    Long m;
    const auto invlpg = std::get<Exit>(decide(v, m.cpu, {.opcode = S::Invlpg, .length = 4, .operand = 0x7777'8888'9999}));
    EXPECT_EQ(invlpg.qualification, 0x7777'8888'9999U);
    EXPECT_EQ(invlpg.instruction_length, 4);
    const auto cpuid = std::get<Exit>(decide(v, m.cpu, {.opcode = S::Cpuid, .length = 2, .operand = 9}));
    EXPECT_EQ(cpuid.qualification, 0U);
    // "Exit Qualification for MOV DR": the exit precedes the privilege check.
    m.at_level_3();
    const auto dr = std::get<Exit>(decide(v, m.cpu, {.number = 7, .is_read = true, .gpr = Gpr::R9, .length = 4}));
    EXPECT_EQ(dr.qualification, 0x917U);
    v.PRIMARY_CONTROLS = 0;
    EXPECT_EQ(told(decide(v, m.cpu, DrAccess{.number = 7})), "fault 13");
    m.cpu.cr4 = bit(3);
    EXPECT_EQ(told(decide(v, m.cpu, DrAccess{.number = 4})), "fault 6");
    Long kernel;
    EXPECT_EQ(told(decide(v, kernel.cpu, DrAccess{.number = 4})), "run");
    kernel.cpu.dr7 = Dr7::GD::mask;
    EXPECT_EQ(std::get<Event>(decide(v, kernel.cpu, DrAccess{.number = 0})), exception(Vector::DB, 0, bit(13)));
}

struct Bitmaps {
    PhysMemory memory = std::move(*PhysMemory::create(Hpa{0x1'0000}, 3 * page_size));
    Vmcs v;

    Bitmaps() {
        v.PRIMARY_CONTROLS = b(25) | b(28);
        v.IO_BITMAP_A = 0x1'0000;
        v.IO_BITMAP_B = 0x1'1000;
        v.MSR_BITMAPS = 0x1'2000;
    }
    void set(u64 map, u64 n) {
        std::byte byte{};
        ASSERT_TRUE(memory.read(Hpa{map + n / 8}, {&byte, 1}));
        byte |= static_cast<std::byte>(1U << (n % 8));
        ASSERT_TRUE(memory.write(Hpa{map + n / 8}, {&byte, 1}));
    }
};

TEST(X86ExitPorts, bitmaps_are_looked_at_for_every_byte) {
    Bitmaps m;
    Long guest;
    m.set(m.v.IO_BITMAP_A, 0x3fb);
    m.set(m.v.IO_BITMAP_B, 0xcfc - 0x8000 + 0x8000);
    const auto at = [&](u16 port, u8 size) {
        return told(decide(m.v, guest.cpu, m.memory, guest.memory, PortAccess{.port = port, .size = size}));
    };
    EXPECT_EQ(at(0x3fb, 1), "exit 30");
    EXPECT_EQ(at(0x3f8, 4), "exit 30");
    EXPECT_EQ(at(0x3f8, 2), "run");
    EXPECT_EQ(at(0x3fc, 4), "run");
    EXPECT_EQ(at(0x8cfc, 1), "exit 30") << "the second bitmap begins at 0x8000";
    EXPECT_EQ(at(0x0cfc, 1), "run");
    m.set(m.v.IO_BITMAP_B, 0);
    EXPECT_EQ(at(0x7fff, 2), "exit 30") << "an access may span both";
    EXPECT_EQ(at(0xffff, 1), "run");
    EXPECT_EQ(at(0xffff, 2), "exit 30") << "a wrap always exits";
    m.v.PRIMARY_CONTROLS = b(24);
    EXPECT_EQ(at(0xffff, 1), "exit 30");
    m.v.PRIMARY_CONTROLS = 0;
    EXPECT_EQ(at(0xffff, 2), "run");
}

/// "Exit Qualification for I/O Instructions"; "VM-Exit Instruction-Information Field as Used for INS and OUTS".
TEST(X86ExitPorts, words_of_the_exit) {
    Bitmaps m;
    m.v.PRIMARY_CONTROLS = b(24);
    Long guest;
    const auto out =
        std::get<Exit>(decide(m.v, guest.cpu, m.memory, guest.memory, PortAccess{.port = 0x3f8, .size = 1, .length = 1}));
    EXPECT_EQ(out.qualification, 0x03f8'0000U);
    EXPECT_EQ(out.instruction_length, 1);
    const auto in = std::get<Exit>(
        decide(m.v, guest.cpu, m.memory, guest.memory, PortAccess{.port = 0x60, .size = 4, .is_in = true, .is_immediate = true}));
    EXPECT_EQ(in.qualification, 0x0060'004bU);
    const PortAccess outs{
        .port = 0x1f0, .size = 2, .is_string = true, .is_repeated = true, .linear = 0x1234, .address_size = 1, .segment = 3};
    const auto string = std::get<Exit>(decide(m.v, guest.cpu, m.memory, guest.memory, outs));
    EXPECT_EQ(string.qualification, 0x01f0'0031U);
    EXPECT_EQ(string.guest_linear, 0x1234U);
    EXPECT_EQ(string.instruction_info, 0x1'8080U);
}

/// vol. 1, "I/O Permission Bit Map".
TEST(X86ExitPorts, the_tss_is_asked_first) {
    Bitmaps m;
    m.v.PRIMARY_CONTROLS = b(24);
    Long guest;
    guest.at_level_3();
    guest.cpu.tr.limit = 0x88;
    guest.memory.set(tss + 0x66, 0x68, 2);
    guest.memory.set(tss + 0x68 + 0xc, 0x100, 2);  // port 0x68
    const auto at = [&](u16 port, u8 size) {
        return told(decide(m.v, guest.cpu, m.memory, guest.memory, PortAccess{.port = port, .size = size}));
    };
    EXPECT_EQ(at(0x60, 1), "exit 30");
    EXPECT_EQ(at(0x68, 1), "fault 13");
    EXPECT_EQ(at(0x67, 2), "fault 13");
    EXPECT_EQ(at(0x67, 1), "exit 30");
    EXPECT_EQ(at(0x100, 1), "fault 13") << "beyond the limit";
    guest.cpu.rflags |= Rflags::IOPL::mask;
    EXPECT_EQ(at(0x68, 1), "exit 30");
    guest.cpu.rflags &= ~Rflags::IOPL::mask;
    guest.memory.holes[4] = {WalkFaultKind::PageFault, 0, {}};
    EXPECT_EQ(at(0x60, 1), "fault 14");
    guest.memory.holes[4] = {WalkFaultKind::EptViolation, 0x181, {}};
    EXPECT_EQ(at(0x60, 1), "exit 48");
    guest.cpu.tr.limit = 0x66;
    EXPECT_EQ(at(0x60, 1), "fault 13");
}

struct MsrCase {
    u32 msr;
    bool is_write;
    u64 bit;  ///< of the page
};
constexpr MsrCase msr_cases[] = {{0x1b, false, 0x1b},
                                 {0x1fff, false, 0x1fff},
                                 {0xc000'0080, false, 8192 + 0x80},
                                 {0x10, true, 16384 + 0x10},
                                 {0xc000'1fff, true, 24576 + 0x1fff}};

/// "MSR-Bitmap Address".
TEST(X86ExitPorts, msr_bitmaps) {
    Long guest;
    for (const MsrCase& c : msr_cases) {
        Bitmaps m;
        EXPECT_EQ(told(decide(m.v, guest.cpu, m.memory, MsrAccess{c.msr, c.is_write})), "run");
        m.set(m.v.MSR_BITMAPS, c.bit);
        EXPECT_EQ(told(decide(m.v, guest.cpu, m.memory, MsrAccess{c.msr, c.is_write})), c.is_write ? "exit 32" : "exit 31")
            << c.msr;
        EXPECT_EQ(told(decide(m.v, guest.cpu, m.memory, MsrAccess{c.msr, !c.is_write})), "run");
        m.v.PRIMARY_CONTROLS = 0;
        EXPECT_EQ(told(decide(m.v, guest.cpu, m.memory, MsrAccess{c.msr, !c.is_write})), c.is_write ? "exit 31" : "exit 32");
    }
    Bitmaps m;
    for (const u32 msr : {0x2000U, 0x4000'0000U, 0xbfff'ffffU, 0xc000'2000U, ~0U})
        EXPECT_EQ(told(decide(m.v, guest.cpu, m.memory, MsrAccess{msr, true})), "exit 32") << msr;
    guest.at_level_3();
    EXPECT_EQ(told(decide(m.v, guest.cpu, m.memory, MsrAccess{0x2000, true})), "fault 13");
}

TEST(X86ExitPorts, a_bitmap_outside_ram_has_all_bits_set) {
    Bitmaps m;
    Long guest;
    m.v.MSR_BITMAPS = 0x9'0000;
    EXPECT_EQ(told(decide(m.v, guest.cpu, m.memory, MsrAccess{0x10, false})), "exit 31");
}

}  // namespace
}  // namespace ax::sim::x86
