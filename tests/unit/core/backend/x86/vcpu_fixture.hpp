// An x86 vCPU in 64-bit code over a CPU that does what it is told.
#pragma once

#include <gtest/gtest.h>

#include "core/arch/x86/controls.hpp"
#include "core/backend/x86/vcpu.hpp"
#include "tests/unit/core/backend/x86/fake_cpu.hpp"

namespace ax::x86::testing {

inline constexpr u64 entry = 0x10'0000;
inline constexpr Gpa device{0xfee0'0000};

inline VcpuSettings long_mode_settings() {
    return {.controls = *controls_for({.msr_bitmap = Hpa{0x9000}, .guest_cr4 = 0x7b4}, typical_capabilities),
            .start = StartKind::Long,
            .page_tables = Gpa{0x9000},
            .gdt = Gpa{0x8000},
            .gdt_limit = 0x1f};
}

/// A vCPU with what stands around it.
struct Rig {
    explicit Rig(const VcpuSettings& settings = long_mode_settings()) : vcpu(cpu, VcpuId{2}, settings, vectors) {
        vcpu.reset({Gpa{entry}, 2, 0x7000});
    }
    VmExit run() { return vcpu.run(1000).exit; }
    u64& gpr(Gpr reg) { return cpu.r.gprs[reg]; }

    FakeCpu cpu;
    FakeVectors vectors;
    Vcpu vcpu;
};

class X86VcpuTest : public ::testing::Test {
protected:
    VmExit run() { return rig.run(); }
    u64& gpr(Gpr reg) { return rig.gpr(reg); }
    /// Runs to an exit of `reason` and lets the vCPU see `answer`, as the VM does.
    VmExit exit(ExitReason reason, u32 length, const Answer& answer = Answer::none()) {
        cpu.exit(reason, [=](Vmcs& v) { v.VM_EXIT_INSTRUCTION_LENGTH = length; });
        const VmExit result = run();
        vcpu.finish(answer);
        return result;
    }
    void expect_handled(const VmExit& result, ExitReason reason) {
        ASSERT_TRUE(std::holds_alternative<Handled>(result)) << vm_exit_names[result.index()];
        EXPECT_EQ(std::get<Handled>(result).code, index(reason));
    }

    Rig rig;
    FakeCpu& cpu = rig.cpu;
    FakeVectors& vectors = rig.vectors;
    Vcpu& vcpu = rig.vcpu;
};

}  // namespace ax::x86::testing
