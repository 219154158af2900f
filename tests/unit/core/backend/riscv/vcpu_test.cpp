// riscv::Vcpu over a hart that traps on demand: reset, exits and their completion, interrupts.
#include "core/backend/riscv/vcpu.hpp"

#include <gtest/gtest.h>

#include "tests/unit/core/backend/riscv/fake_cpu.hpp"

namespace ax::riscv {
namespace {

using testing::FakeCpu;

constexpr u64 entry = 0x8020'0000;
constexpr Gpa uart{0x1000'0000};
constexpr u64 uart_va = 0xffff'ffc0'0000'0000;
constexpr unsigned t0 = 5;

class RiscvVcpuTest : public ::testing::Test {
protected:
    void SetUp() override { vcpu.reset({Gpa{entry}, 7, 0x8800'0000}); }

    /// A guest-page fault of the data access `htinst` at the UART.
    void trap_at_uart(Cause cause, u64 htinst) { cpu.trap(index(cause), uart_va, uart.value() >> 2, htinst); }
    VmExit run() { return vcpu.run(1000).exit; }

    FakeCpu cpu;
    Controls controls = controls_for({.stage2_root = Hpa{0x1'0000'4000}, .vmid = 3});
    Vcpu vcpu{cpu, controls};
};

TEST_F(RiscvVcpuTest, reset_programs_every_control_and_the_start) {
    cpu.csrs = {.hstatus = 1, .hedeleg = 2, .hcounteren = ~u64{0}, .htimedelta = 9, .sstatus = ~u64{0}, .sepc = 1, .scause = 2};
    cpu.x.fill(0xbad);
    cpu.vs.fill(0xbad);
    vcpu.reset({Gpa{entry}, 7, 0x8800'0000});
    EXPECT_EQ(cpu.resets, 2);
    EXPECT_EQ(cpu.csrs.hstatus, controls.hstatus);
    EXPECT_EQ(cpu.csrs.hedeleg, controls.hedeleg);
    EXPECT_EQ(cpu.csrs.hideleg, controls.hideleg);
    EXPECT_EQ(cpu.csrs.hcounteren, controls.hcounteren);
    EXPECT_EQ(cpu.csrs.henvcfg, controls.henvcfg);
    EXPECT_EQ(cpu.csrs.hgatp, controls.hgatp);
    EXPECT_EQ(cpu.csrs.htimedelta, 0U);
    EXPECT_EQ(cpu.csrs.scause, 0U);
    EXPECT_EQ(Sstatus::SPP::get(cpu.csrs.sstatus), index(Privilege::Supervisor));
    EXPECT_EQ(Sstatus::SIE::get(cpu.csrs.sstatus), 0U);
    EXPECT_NE(Hstatus::SPV::get(cpu.csrs.hstatus), 0U);
    EXPECT_EQ(vcpu.pc(), Gva{entry});
    EXPECT_EQ(cpu.x[Abi::a0], 7U);
    EXPECT_EQ(cpu.x[Abi::a1], 0x8800'0000U);
    for (unsigned n = 0; n < 32; ++n) EXPECT_TRUE(n == Abi::a0 || n == Abi::a1 || cpu.x[n] == 0) << n;
    EXPECT_EQ(cpu.vs_csr(VsCsr::vsatp), 0U);
    EXPECT_EQ(Sstatus::SIE::get(cpu.vs_csr(VsCsr::vsstatus)), 0U);
}

/// The wake-up event of a non-retentive suspension must still be there for the guest to take.
TEST_F(RiscvVcpuTest, reset_leaves_interrupt_inputs_as_they_are) {
    vcpu.inject({EventLine::Timer, true});
    vcpu.inject({EventLine::External, true});
    vcpu.reset({Gpa{entry}, 7, 0});
    EXPECT_EQ(cpu.csrs.hvip, mask_of(Interrupt::VirtualSupervisorTimer) | mask_of(Interrupt::VirtualSupervisorExternal));
}

/// "Supervisor Exception Program Counter": "The low bit of sepc is always zero."
TEST_F(RiscvVcpuTest, reset_to_an_odd_entry_clears_its_low_bit) {
    vcpu.reset({Gpa{entry + 1}, 0, 0});
    EXPECT_EQ(vcpu.pc(), Gva{entry});
}

TEST_F(RiscvVcpuTest, budget_end_and_refusal_are_exits) {
    const hal::RunStop stop = vcpu.run(123);
    EXPECT_TRUE(std::holds_alternative<BudgetEnd>(stop.exit));
    EXPECT_EQ(stop.instructions, 123U);
    cpu.entries.emplace_back([](HsCsrs& hs) {
        hs.scause = 0x55;
        return EntryStop{EntryResult::Refused, 0};
    });
    const VmExit exit = run();
    ASSERT_TRUE(std::holds_alternative<EntryFailure>(exit));
    EXPECT_EQ(std::get<EntryFailure>(exit).reason, 0x55U);
}

struct LoadCase {
    const char* name;
    u64 htinst;  ///< transformed: rs1 and offset are zero
    u8 size;
    u64 answer;
    u64 loaded;
    u64 length;
};
// rd is t0; bit 1 of htinst is 0 for a compressed instruction.
constexpr LoadCase load_cases[] = {
    {"lb", 0x0000'0283, 1, 0x80, 0xffff'ffff'ffff'ff80, 4},
    {"lbu", 0x0000'4283, 1, 0x80, 0x80, 4},
    {"lh", 0x0000'1283, 2, 0x8001, 0xffff'ffff'ffff'8001, 4},
    {"lhu", 0x0000'5283, 2, 0x8001, 0x8001, 4},
    {"lw", 0x0000'2283, 4, 0x8000'0002, 0xffff'ffff'8000'0002, 4},
    {"lwu", 0x0000'6283, 4, 0x8000'0002, 0x8000'0002, 4},
    {"ld", 0x0000'3283, 8, 0x8000'0000'0000'0003, 0x8000'0000'0000'0003, 4},
    {"c.lw", 0x0000'2281, 4, 0x8000'0002, 0xffff'ffff'8000'0002, 2},
};

TEST_F(RiscvVcpuTest, load_is_completed_with_width_and_sign) {
    for (const LoadCase& c : load_cases) {
        vcpu.reset({Gpa{entry}, 0, 0});
        trap_at_uart(Cause::LoadGuestPageFault, c.htinst);
        const VmExit exit = run();
        const auto* read = std::get_if<MmioRead>(&exit);
        ASSERT_NE(read, nullptr) << c.name;
        EXPECT_EQ(read->gpa, uart) << c.name;
        EXPECT_EQ(read->size, c.size) << c.name;
        EXPECT_EQ(vcpu.pc(), Gva{entry}) << c.name;
        vcpu.finish(Answer::of_value(c.answer));
        EXPECT_EQ(cpu.x[t0], c.loaded) << c.name;
        EXPECT_EQ(vcpu.pc(), Gva{entry + c.length}) << c.name;
    }
}

TEST_F(RiscvVcpuTest, load_without_htinst_is_read_from_the_code) {
    cpu.x[Abi::a2] = uart_va;
    cpu.code[entry] = 0x2283;  // lw t0, 0(a2)
    cpu.code[entry + 2] = 0x0006;
    trap_at_uart(Cause::LoadGuestPageFault, 0);
    const VmExit exit = run();
    ASSERT_TRUE(std::holds_alternative<MmioRead>(exit));
    vcpu.finish(Answer::of_value(5));
    EXPECT_EQ(cpu.x[t0], 5U);
}

TEST_F(RiscvVcpuTest, store_is_stepped_over) {
    cpu.x[t0] = 0x1'0000'0041;
    trap_at_uart(Cause::StoreGuestPageFault, 0x0050'2023);  // sw t0
    const VmExit exit = run();
    const auto* write = std::get_if<MmioWrite>(&exit);
    ASSERT_NE(write, nullptr);
    EXPECT_EQ(write->value, 0x41U);
    const int writes = cpu.gpr_writes;
    vcpu.finish(Answer::of_value(0));
    EXPECT_EQ(vcpu.pc(), Gva{entry + 4});
    EXPECT_EQ(cpu.gpr_writes, writes);
}

TEST_F(RiscvVcpuTest, retry_leaves_everything_as_it_was) {
    trap_at_uart(Cause::LoadGuestPageFault, 0x0000'2283);
    static_cast<void>(run());
    const int writes = cpu.gpr_writes;
    vcpu.finish(Answer::retry());
    EXPECT_EQ(vcpu.pc(), Gva{entry});
    EXPECT_EQ(cpu.gpr_writes, writes);
}

TEST_F(RiscvVcpuTest, an_exit_is_completed_once) {
    trap_at_uart(Cause::LoadGuestPageFault, 0x0000'2283);
    static_cast<void>(run());
    vcpu.finish(Answer::of_value(1));
    vcpu.finish(Answer::of_value(2));
    EXPECT_EQ(cpu.x[t0], 1U);
    EXPECT_EQ(vcpu.pc(), Gva{entry + 4});
}

TEST_F(RiscvVcpuTest, call_gets_error_and_value) {
    cpu.x[Abi::a7] = 0x48'534d;  // HSM
    cpu.x[Abi::a6] = 2;          // sbi_hart_get_status
    cpu.x[Abi::a0] = 1;
    cpu.trap(index(Cause::EcallFromVs), 0, 0, 0);
    const VmExit exit = run();
    ASSERT_TRUE(std::holds_alternative<PowerCall>(exit));
    EXPECT_EQ(std::get<PowerCall>(exit).op, PowerOp::CpuStatus);
    vcpu.finish(Answer::of_call(CallStatus::InvalidParameter, 9));
    EXPECT_EQ(cpu.x[Abi::a0], ~u64{0} - 2);
    EXPECT_EQ(vcpu.pc(), Gva{entry + 4});
}

struct PrivilegeCase {
    Privilege privilege;
    u64 sie;
};

TEST_F(RiscvVcpuTest, bus_fault_is_taken_in_the_guest_as_an_access_fault) {
    for (const PrivilegeCase c : {PrivilegeCase{Privilege::User, 1}, {Privilege::Supervisor, 1}, {Privilege::Supervisor, 0}}) {
        vcpu.reset({Gpa{entry}, 0, 0});
        cpu.set_vs_csr(VsCsr::vstvec, 0xffff'ffff'8000'1001);
        cpu.set_vs_csr(VsCsr::vsstatus, Sstatus::SIE::of(c.sie) | Sstatus::SUM::of(1));
        cpu.csrs.sstatus = Sstatus::SPP::set(cpu.csrs.sstatus, index(c.privilege));
        trap_at_uart(Cause::LoadGuestPageFault, 0x0000'2283);
        static_cast<void>(run());
        vcpu.finish(Answer::bus_fault());
        EXPECT_EQ(cpu.vs_csr(VsCsr::vscause), index(Cause::LoadAccess));
        EXPECT_EQ(cpu.vs_csr(VsCsr::vsepc), entry);
        EXPECT_EQ(cpu.vs_csr(VsCsr::vstval), uart_va);
        const u64 status = cpu.vs_csr(VsCsr::vsstatus);
        EXPECT_EQ(Sstatus::SPP::get(status), index(c.privilege));
        EXPECT_EQ(Sstatus::SPIE::get(status), c.sie);
        EXPECT_EQ(Sstatus::SIE::get(status), 0U);
        EXPECT_EQ(Sstatus::SUM::get(status), 1U);
        EXPECT_EQ(Sstatus::SPP::get(cpu.csrs.sstatus), index(Privilege::Supervisor));
        EXPECT_EQ(vcpu.pc(), Gva{0xffff'ffff'8000'1000});
        EXPECT_EQ(cpu.x[t0], 0U);
    }
}

TEST_F(RiscvVcpuTest, undefined_instruction_carries_its_bits) {
    cpu.set_vs_csr(VsCsr::vstvec, 0x4000);
    cpu.trap(index(Cause::VirtualInstruction), 0x1800'2573, 0, 0);  // csrr a0, satp
    const VmExit exit = run();
    ASSERT_TRUE(std::holds_alternative<UndefinedInstruction>(exit));
    vcpu.finish(Answer::undefined());
    EXPECT_EQ(cpu.vs_csr(VsCsr::vscause), index(Cause::IllegalInstruction));
    EXPECT_EQ(cpu.vs_csr(VsCsr::vstval), 0x1800'2573U);
    EXPECT_EQ(vcpu.pc(), Gva{0x4000});
}

TEST_F(RiscvVcpuTest, wait_is_stepped_over) {
    cpu.trap(index(Cause::VirtualInstruction), 0x1050'0073, 0, 0);
    EXPECT_TRUE(std::holds_alternative<WaitForInterrupt>(run()));
    vcpu.finish(Answer::of_value(0));
    EXPECT_EQ(vcpu.pc(), Gva{entry + 4});
}

TEST_F(RiscvVcpuTest, host_interrupt_changes_nothing_in_the_guest) {
    cpu.trap(interrupt_cause(Interrupt::SupervisorTimer), 0, 0, 0, 55);
    const hal::RunStop stop = vcpu.run(1000);
    EXPECT_TRUE(std::holds_alternative<HostInterrupt>(stop.exit));
    EXPECT_EQ(stop.instructions, 55U);
    const int writes = cpu.gpr_writes;
    vcpu.finish(Answer::none());
    EXPECT_EQ(vcpu.pc(), Gva{entry});
    EXPECT_EQ(cpu.gpr_writes, writes);
}

struct LineCase {
    EventLine line;
    u64 hvip;
    u64 vsie;
};
constexpr LineCase line_cases[] = {
    {EventLine::Software, 1U << 2, 1U << 1},
    {EventLine::Timer, 1U << 6, 1U << 5},
    {EventLine::External, 1U << 10, 1U << 9},
};

TEST_F(RiscvVcpuTest, input_is_a_bit_of_hvip) {
    for (const LineCase& c : line_cases) {
        vcpu.inject({c.line, true});
        EXPECT_EQ(cpu.csrs.hvip, c.hvip);
        vcpu.inject({c.line, true});
        EXPECT_EQ(cpu.csrs.hvip, c.hvip);
        vcpu.inject({c.line, false});
        EXPECT_EQ(cpu.csrs.hvip, 0U);
    }
}

TEST_F(RiscvVcpuTest, wait_ends_for_inputs_that_are_enabled_one_by_one) {
    for (const LineCase& raised : line_cases) {
        vcpu.inject({raised.line, true});
        for (const LineCase& enabled : line_cases) {
            cpu.set_vs_csr(VsCsr::vsie, enabled.vsie);
            EXPECT_EQ(vcpu.has_wake_event(), raised.line == enabled.line);
        }
        cpu.set_vs_csr(VsCsr::vsie, 0);
        EXPECT_FALSE(vcpu.has_wake_event());
        // Whatever the global enable says.
        cpu.set_vs_csr(VsCsr::vsie, raised.vsie);
        cpu.set_vs_csr(VsCsr::vsstatus, Sstatus::SIE::of(0));
        EXPECT_TRUE(vcpu.has_wake_event());
        vcpu.inject({raised.line, false});
        EXPECT_FALSE(vcpu.has_wake_event());
    }
}

TEST_F(RiscvVcpuTest, input_that_is_not_delegated_wakes_nobody) {
    cpu.csrs.hideleg = 0;
    cpu.set_vs_csr(VsCsr::vsie, ~u64{0});
    vcpu.inject({EventLine::External, true});
    EXPECT_FALSE(vcpu.has_wake_event());
}

TEST_F(RiscvVcpuTest, flush_is_the_fence_of_its_kind) {
    vcpu.flush(false);
    EXPECT_EQ(cpu.translation_fences, 1);
    EXPECT_EQ(cpu.instruction_fences, 0);
    vcpu.flush(true);
    EXPECT_EQ(cpu.translation_fences, 1);
    EXPECT_EQ(cpu.instruction_fences, 1);
}

}  // namespace
}  // namespace ax::riscv
