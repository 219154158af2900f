// Control registers under masks and shadows. Intel SDM vol. 3, "Changes to Instruction Behavior in VMX Non-Root Operation".
#include "sim/trap/x86/cr_access.hpp"

#include <gtest/gtest.h>

#include "tests/unit/sim/trap/x86/vmcs_samples.hpp"

namespace ax::sim::x86 {
namespace {

using namespace test;
using I = CrInstruction;

struct Fixture {
    Vmcs v = long_mode();
    CpuState cpu;
    VmxCpu vmx;

    Fixture() { load_guest(cpu, v); }
    CrDecision move_to(u8 number, u64 value) {
        return decide(v, cpu, vmx, {.number = number, .gpr = Gpr::RBX, .value = value, .length = 3}, 5);
    }
    CrDecision move_from(u8 number) {
        return decide(v, cpu, vmx, {.instruction = I::MovFromCr, .number = number, .gpr = Gpr::RBX}, 5);
    }
    CrDecision other(I instruction, u64 value = 0) {
        return decide(v, cpu, vmx, {.instruction = instruction, .value = value}, 5);
    }
};

u64 result(const CrDecision& decision) { return std::get<CrResult>(decision).value; }
bool exits(const CrDecision& decision) { return std::holds_alternative<Exit>(decision); }
bool faults(const CrDecision& decision) { return decision == CrDecision{exception(Vector::GP)}; }

TEST(X86CrAccess, reads_mix_shadow_and_register) {
    Fixture f;
    f.v.CR0_GUEST_HOST_MASK = Cr0::NE::mask | Cr0::TS::mask;
    f.v.CR0_READ_SHADOW = Cr0::TS::mask | Cr0::MP::mask;
    EXPECT_EQ(result(f.move_from(0)), 0x8000'0033U - 0x20 + 8);
    EXPECT_EQ(result(f.other(I::Smsw)), 0x8000'001bU);
    f.v.CR4_GUEST_HOST_MASK = Cr4::VMXE::mask;
    EXPECT_EQ(result(f.move_from(4)), 0x20U);
}

TEST(X86CrAccess, writes_exit_where_an_owned_bit_differs_from_its_shadow) {
    Fixture f;
    f.v.CR0_GUEST_HOST_MASK = Cr0::NE::mask;
    EXPECT_EQ(result(f.move_to(0, 0x8001'0011)), 0x8001'0031U) << "NE is the host's and stays set";
    const CrDecision decision = f.move_to(0, 0x8001'0031);
    ASSERT_TRUE(exits(decision));
    EXPECT_EQ(std::get<Exit>(decision).qualification, 0x300U);
    EXPECT_EQ(std::get<Exit>(decision).instruction_length, 3);
    f.v.CR4_GUEST_HOST_MASK = Cr4::VMXE::mask;
    EXPECT_EQ(result(f.move_to(4, 0xa0)), 0x20a0U);
    ASSERT_TRUE(exits(f.move_to(4, 0x20a0)));
    EXPECT_EQ(std::get<Exit>(f.move_to(4, 0x20a0)).qualification, 0x304U);
}

struct BadValue {
    const char* section;
    u8 number;
    u64 value;
    void (*prepare)(Fixture&);
};
const BadValue bad_values[] = {
    {"Control Registers, CR0: upper half", 0, bit(32) | 0x8000'0033, [](Fixture&) {}},
    {"Control Registers, CR0: NW without CD", 0, 0xa000'0033, [](Fixture&) {}},
    {"Control Registers, CR0: PG without PE", 0, 0x8000'0032, [](Fixture&) {}},
    {"Restrictions on VMX Operation: NE", 0, 0x8000'0013, [](Fixture&) {}},
    {"MOV to CR0: paging off in 64-bit code", 0, 0x33, [](Fixture&) {}},
    {"MOV to CR0: long mode without PAE", 0, 0x8000'0033,
     [](Fixture& f) {
         f.cpu.cr0 = 0x33;
         f.cpu.cr4 = 0x2000;
         f.cpu.efer = 0x100;
         f.cpu.cs.access_rights = AccessRights::flat_code32;
     }},
    {"MOV to CR0: long mode with CS.L", 0, 0x8000'0033,
     [](Fixture& f) {
         f.cpu.cr0 = 0x33;
         f.cpu.efer = 0x100;
     }},
    {"MOV to CR0: PE is fixed without an unrestricted guest", 0, 0x30,
     [](Fixture& f) {
         f.v.SECONDARY_CONTROLS = 2;
         f.cpu.cs.access_rights = AccessRights::flat_code32;
         f.cpu.efer = 0;
     }},
    {"MOV to CR3: beyond MAXPHYADDR", 3, bit(40), [](Fixture&) {}},
    {"MOV to CR4: reserved bit", 4, bit(31) | 0x2020, [](Fixture&) {}},
    {"MOV to CR4: PAE off in long mode", 4, 0x2000, [](Fixture&) {}},
    {"MOV to CR4: VMXE is fixed", 4, 0x20, [](Fixture&) {}},
    {"MOV to CR8: four bits", 8, 16, [](Fixture&) {}},
};

TEST(X86CrAccess, values_that_the_cpu_does_not_take) {
    for (const BadValue& c : bad_values) {
        Fixture f;
        c.prepare(f);
        EXPECT_TRUE(faults(f.move_to(c.number, c.value))) << c.section;
    }
    Fixture f;
    f.cpu.ss.access_rights |= 0x60;
    EXPECT_TRUE(faults(f.move_to(3, 0)));
    EXPECT_TRUE(faults(f.move_from(0)));
    EXPECT_TRUE(faults(f.other(I::Clts)));
    EXPECT_FALSE(faults(f.other(I::Smsw)));
    f.cpu.cr4 |= Cr4::UMIP::mask;
    EXPECT_TRUE(faults(f.other(I::Smsw)));
    EXPECT_EQ(f.move_to(1, 0), CrDecision{exception(Vector::UD)});
}

TEST(X86CrAccess, exits_come_before_faults_of_the_value) {
    Fixture f;
    f.v.CR0_GUEST_HOST_MASK = Cr0::NE::mask;
    EXPECT_TRUE(exits(f.move_to(0, bit(40) | 0x20)));
}

TEST(X86CrAccess, cr3_targets_and_cr8) {
    Fixture f;
    EXPECT_EQ(result(f.move_to(3, 0x7000)), 0x7000U);
    f.v.PRIMARY_CONTROLS |= static_cast<u32>(bit(15) | bit(16));
    EXPECT_EQ(std::get<Exit>(f.move_to(3, 0x7000)).qualification, 0x303U);
    EXPECT_EQ(std::get<Exit>(f.move_from(3)).qualification, 0x313U);
    f.v.CR3_TARGET_COUNT = 2;
    f.v.CR3_TARGET_VALUE = {0x1000, 0x7000, 0x8000, 0};
    EXPECT_EQ(result(f.move_to(3, 0x7000)), 0x7000U);
    EXPECT_TRUE(exits(f.move_to(3, 0x8000))) << "only the first two count";
    EXPECT_EQ(result(f.move_from(8)), 5U);
    EXPECT_EQ(result(f.move_to(8, 15)), 15U);
    f.v.PRIMARY_CONTROLS |= static_cast<u32>(bit(19) | bit(20));
    EXPECT_TRUE(exits(f.move_to(8, 15)) && exits(f.move_from(8)));
}

TEST(X86CrAccess, clts) {
    Fixture f;
    f.cpu.cr0 |= Cr0::TS::mask;
    EXPECT_EQ(result(f.other(I::Clts)), 0x8000'0033U);
    f.v.CR0_GUEST_HOST_MASK = Cr0::TS::mask;
    EXPECT_EQ(result(f.other(I::Clts)), 0x8000'003bU) << "owned and shown clear: nothing happens";
    f.v.CR0_READ_SHADOW = Cr0::TS::mask;
    EXPECT_EQ(std::get<Exit>(f.other(I::Clts)).qualification, 0x20U);
}

TEST(X86CrAccess, lmsw) {
    Fixture f;
    EXPECT_EQ(result(f.other(I::Lmsw, 0xfff8)), 0x8000'0039U) << "PE stays set, ET and NE are not touched";
    f.v.CR0_GUEST_HOST_MASK = Cr0::PE::mask;
    EXPECT_TRUE(exits(f.other(I::Lmsw, 1))) << "sets an owned PE that shows clear";
    EXPECT_FALSE(exits(f.other(I::Lmsw, 0)));
    f.v.CR0_READ_SHADOW = Cr0::PE::mask;
    EXPECT_FALSE(exits(f.other(I::Lmsw, 0))) << "LMSW cannot clear PE";
    f.v.CR0_GUEST_HOST_MASK = Cr0::TS::mask;
    const auto exit = std::get<Exit>(f.other(I::Lmsw, 0x1238));
    EXPECT_EQ(exit.qualification, 0x1238'0030U);
}

TEST(X86CrAccess, outside_64_bit_code_values_have_32_bits) {
    Fixture f;
    f.cpu.cs.access_rights = AccessRights::flat_code32;
    EXPECT_EQ(result(f.move_to(3, 0xffff'ffff'0000'7000)), 0x7000U);
}

TEST(X86CrAccess, paging_takes_long_mode_along) {
    CpuState cpu;
    cpu.efer = Efer::LME::mask;
    write_cr(cpu, 0, 0x8000'0001);
    EXPECT_EQ(cpu.efer, 0x500U);
    write_cr(cpu, 0, 1);
    EXPECT_EQ(cpu.efer, 0x100U);
    write_cr(cpu, 3, 0x3000);
    write_cr(cpu, 4, 0x20);
    EXPECT_EQ(cpu.cr3, 0x3000U);
    EXPECT_EQ(cpu.cr4, 0x20U);
}

/// "PDPTE Registers": which writes load them.
TEST(X86CrAccess, pdptes) {
    CpuState before;
    before.cr0 = 0x8000'0001;
    before.cr4 = 0x20;
    EXPECT_TRUE(loads_pdptes(before, before, true));
    EXPECT_FALSE(loads_pdptes(before, before, false));
    for (const u64 flipped : {bit(4), bit(7), bit(20)}) {
        CpuState after = before;
        after.cr4 ^= flipped;
        EXPECT_TRUE(loads_pdptes(before, after, false)) << flipped;
    }
    CpuState after = before;
    after.cr4 ^= bit(2);
    EXPECT_FALSE(loads_pdptes(before, after, false));
    after.cr0 ^= bit(30);
    EXPECT_TRUE(loads_pdptes(before, after, false));
    after.efer = Efer::LMA::mask;
    EXPECT_FALSE(loads_pdptes(before, after, true)) << "4-level paging has none";
}

}  // namespace
}  // namespace ax::sim::x86
