// The memory type range registers as state of a vCPU.
#include "sim/state/reader.hpp"
#include "sim/state/writer.hpp"
#include "tests/unit/core/backend/x86/vcpu_fixture.hpp"

namespace ax::x86::testing {
namespace {

constexpr u32 mtrr_cap = 0xfe, mtrr_def_type = 0x2ff;
constexpr u64 off = 0, all_write_back = 0x806, another = 0xc05;

/// None after #GP(0).
std::optional<u64> read_msr(Rig& rig, u32 number) {
    rig.gpr(Gpr::RCX) = number;
    rig.cpu.v.VM_ENTRY_INTERRUPTION_INFO = 0;
    rig.cpu.exit(ExitReason::Rdmsr, [](Vmcs& v) { v.VM_EXIT_INSTRUCTION_LENGTH = 2; });
    EXPECT_TRUE(std::holds_alternative<Handled>(rig.run()));
    if (rig.cpu.v.VM_ENTRY_INTERRUPTION_INFO != 0) return std::nullopt;
    return rig.gpr(Gpr::RDX) << 32 | rig.gpr(Gpr::RAX);
}

bool write_msr(Rig& rig, u32 number, u64 value) {
    rig.gpr(Gpr::RCX) = number;
    rig.gpr(Gpr::RAX) = value & 0xffff'ffff;
    rig.gpr(Gpr::RDX) = value >> 32;
    rig.cpu.v.VM_ENTRY_INTERRUPTION_INFO = 0;
    rig.cpu.exit(ExitReason::Wrmsr, [](Vmcs& v) { v.VM_EXIT_INSTRUCTION_LENGTH = 2; });
    EXPECT_TRUE(std::holds_alternative<Handled>(rig.run()));
    return rig.cpu.v.VM_ENTRY_INTERRUPTION_INFO == 0;
}

VcpuSettings settings_of(StartKind start, bool has_firmware) {
    VcpuSettings settings = long_mode_settings();
    settings.start = start;
    settings.has_firmware = has_firmware;
    return settings;
}

constexpr StartKind starts[] = {StartKind::Startup, StartKind::RealMode, StartKind::Reset, StartKind::Protected, StartKind::Long};

// SDM vol. 3, "MTRR Initialization": off after a reset; a BIOS turns them on, on every CPU.
TEST(X86VcpuMtrrs, begin_off_for_firmware_and_as_a_bios_leaves_them_without) {
    for (const StartKind start : starts)
        for (const bool has_firmware : {false, true}) {
            Rig rig(settings_of(start, has_firmware));
            EXPECT_EQ(read_msr(rig, mtrr_def_type), has_firmware ? off : all_write_back) << index(start);
            EXPECT_EQ(read_msr(rig, mtrr_cap), 0x508U);
        }
}

// SDM vol. 3, "IA-32 and Intel 64 Processor States Following Power-up, Reset, or INIT": INIT leaves MTRRs alone.
TEST(X86VcpuMtrrs, outlive_a_startup_ipi_and_no_other_reset) {
    for (const StartKind start : starts) {
        Rig rig(settings_of(start, true));
        EXPECT_TRUE(write_msr(rig, mtrr_def_type, another));
        rig.vcpu.reset({Gpa{0x8000}, 2, 0});
        EXPECT_EQ(read_msr(rig, mtrr_def_type), start == StartKind::Startup ? another : off) << index(start);
        EXPECT_TRUE(write_msr(rig, mtrr_def_type, another));
        rig.vcpu.start_by_startup();
        rig.vcpu.reset({Gpa{0x8000}, 2, 0});
        EXPECT_EQ(read_msr(rig, mtrr_def_type), another) << index(start);
    }
}

// SDM vol. 3, "IA32_MTRR_DEF_TYPE MSR", "IA32_MTRRCAP Register".
TEST(X86VcpuMtrrs, reserved_values_are_protection_faults) {
    Rig rig;
    EXPECT_FALSE(write_msr(rig, mtrr_def_type, 0xc02));
    EXPECT_FALSE(write_msr(rig, mtrr_cap, 0x508));
    EXPECT_FALSE(read_msr(rig, 0x210));
    EXPECT_FALSE(write_msr(rig, 0x210, 0));
    EXPECT_EQ(read_msr(rig, mtrr_def_type), all_write_back);
}

TEST(X86VcpuMtrrs, are_saved_with_the_vcpu) {
    Rig first, second;
    ASSERT_TRUE(write_msr(first, 0x26f, 0x0606'0606'0606'0606) && write_msr(first, 0x20f, 0xff'f000'0800));
    ASSERT_TRUE(sim::restore(second.vcpu, sim::save(first.vcpu)));
    EXPECT_EQ(read_msr(second, 0x26f), 0x0606'0606'0606'0606U);
    EXPECT_EQ(read_msr(second, 0x20f), 0xff'f000'0800U);
}

}  // namespace
}  // namespace ax::x86::testing
