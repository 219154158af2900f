// x86::Vcpu: starts, exits that it serves itself, policies, waiting, and stops.
#include "core/backend/x86/vcpu.hpp"

#include "core/arch/x86/cpuid.hpp"
#include "tests/unit/core/backend/x86/vcpu_fixture.hpp"

namespace ax::x86 {
namespace {

using namespace testing;

constexpr u32 gp = 0x8000'0b0d, ud = 0x8000'0306;

TEST_F(X86VcpuTest, reset_programs_the_controls_and_the_start) {
    cpu.v.PRIMARY_CONTROLS = 0;
    cpu.v.VM_ENTRY_INTERRUPTION_INFO = gp;
    cpu.r.gprs.values.fill(0xbad);
    cpu.r.CR2 = 1;
    vcpu.reset({Gpa{entry}, 2, 0x7000});
    EXPECT_EQ(cpu.resets, 2);
    EXPECT_EQ(cpu.v.PRIMARY_CONTROLS, long_mode_settings().controls.PRIMARY_CONTROLS);
    EXPECT_EQ(cpu.v.VM_ENTRY_INTERRUPTION_INFO, 0U);
    EXPECT_EQ(cpu.r.CR2, 0U);
    EXPECT_EQ(vcpu.pc(), Gva{entry});
    EXPECT_EQ(gpr(Gpr::RSI), 0x7000U);
    EXPECT_EQ(cpu.v.GUEST_CR3, 0x9000U);
    EXPECT_EQ(cpu.v.GUEST_GDTR, (VmcsTable{0x1f, 0x8000}));
    EXPECT_EQ(gpr(Gpr::RAX), 0U);
}

struct Start {
    StartKind kind;
    u64 entry;
    u64 pc;
    CodeSize code;
    u16 cs;
    Gpr argument_in;  ///< a register, with what it holds
    u64 argument;
};

/// "Processor State After Reset", "Typical AP Initialization Sequence"; PVH; Linux's 64-bit boot protocol.
TEST_F(X86VcpuTest, each_start_kind_begins_where_its_protocol_says) {
    const Start starts[] = {
        {StartKind::Startup, 0x9'9000, 0x9'9000, CodeSize::Code16, 0x9900, Gpr::RDX, processor_signature},
        {StartKind::RealMode, 0x1'7c00, 0x1'7c00, CodeSize::Code16, 0x1000, Gpr::RDX, 0},
        {StartKind::Reset, 0, 0xffff'fff0, CodeSize::Code16, 0xf000, Gpr::RDX, processor_signature},
        {StartKind::Protected, 0x20'0000, 0x20'0000, CodeSize::Code32, 0x08, Gpr::RBX, 0x7000},
        {StartKind::Long, 0x20'0000, 0x20'0000, CodeSize::Code64, 0x10, Gpr::RSI, 0x7000},
    };
    for (const Start& s : starts) {
        VcpuSettings settings = long_mode_settings();
        settings.start = s.kind;
        settings.eax = 0x2bad'b002;
        Rig other(settings);
        other.vcpu.reset({Gpa{s.entry}, 0, 0x7000});
        EXPECT_EQ(other.vcpu.pc(), Gva{s.pc}) << index(s.kind);
        EXPECT_EQ(code_size(other.cpu.v.GUEST_IA32_EFER, other.cpu.v.GUEST_CS.access_rights), s.code) << index(s.kind);
        EXPECT_EQ(other.cpu.v.GUEST_CS.selector, s.cs) << index(s.kind);
        EXPECT_EQ(other.gpr(s.argument_in), s.argument) << index(s.kind);
        EXPECT_EQ(other.gpr(Gpr::RAX), s.kind == StartKind::Protected ? 0x2bad'b002U : 0U) << index(s.kind);
    }
}

TEST_F(X86VcpuTest, after_a_startup_ipi_each_reset_is_by_one) {
    vcpu.start_by_startup();
    vcpu.reset({Gpa{0x8000}, 2, 0});
    EXPECT_EQ(vcpu.pc(), Gva{0x8000});
    EXPECT_EQ(cpu.v.GUEST_CS.selector, 0x800U);
}

/// "Processor State After Reset": RESET clears the time-stamp counter, INIT leaves it alone.
TEST_F(X86VcpuTest, the_time_stamp_survives_a_startup_ipi_and_no_reset) {
    cpu.v.TSC_OFFSET = 77;
    vcpu.reset({Gpa{entry}, 2, 0});
    EXPECT_EQ(cpu.v.TSC_OFFSET, 0U);
    EXPECT_EQ(vectors.tsc_offset, 0U);
    cpu.v.TSC_OFFSET = 77;
    vcpu.start_by_startup();
    vcpu.reset({Gpa{0x8000}, 2, 0});
    EXPECT_EQ(cpu.v.TSC_OFFSET, 77U);
    EXPECT_EQ(vectors.tsc_offset, 77U);
}

TEST_F(X86VcpuTest, budget_end_refusal_and_failed_entry_are_exits) {
    const hal::RunStop stop = vcpu.run(123);
    EXPECT_TRUE(std::holds_alternative<BudgetEnd>(stop.exit));
    EXPECT_EQ(stop.instructions, 123U);
    cpu.entries.emplace_back([](FakeCpu& c) {
        c.v.VM_INSTRUCTION_ERROR = 8;
        return EntryStop{EntryResult::Failed, 0};
    });
    const VmExit refused = run();
    ASSERT_TRUE(std::holds_alternative<EntryFailure>(refused));
    EXPECT_EQ(std::get<EntryFailure>(refused).reason, 8U);
    cpu.exit(ExitReason::EntryFailureGuestState, [](Vmcs& v) { v.EXIT_REASON |= 0x8000'0000; });
    const VmExit failed = run();
    ASSERT_TRUE(std::holds_alternative<EntryFailure>(failed));
    EXPECT_EQ(std::get<EntryFailure>(failed).reason, 0x8000'0021U);
}

/// The machine's timer has a vector of its own; NMIs and other vectors are other devices of the host.
TEST_F(X86VcpuTest, names_the_physical_interrupt) {
    struct Case {
        ExitReason reason;
        u32 word;
        HostInterruptKind kind;
    };
    for (const Case& c : {Case{ExitReason::ExternalInterrupt, 0x8000'00ef, HostInterruptKind::Timer},
                          Case{ExitReason::ExternalInterrupt, 0x8000'00ee, HostInterruptKind::External},
                          Case{ExitReason::ExternalInterrupt, 0x0000'00ef, HostInterruptKind::External},
                          Case{ExitReason::ExceptionOrNmi, 0x8000'0202, HostInterruptKind::External},
                          Case{ExitReason::PreemptionTimer, 0, HostInterruptKind::Timer}}) {
        cpu.exit(c.reason, [&](Vmcs& v) { v.VM_EXIT_INTERRUPTION_INFO = c.word; });
        const hal::RunStop stop = vcpu.run(100);
        EXPECT_EQ(stop.instructions, 7U);
        ASSERT_TRUE(std::holds_alternative<HostInterrupt>(stop.exit));
        EXPECT_EQ(std::get<HostInterrupt>(stop.exit).kind, c.kind) << c.word;
        vcpu.finish(Answer::none());
        EXPECT_EQ(vcpu.pc(), Gva{entry});
    }
}

TEST_F(X86VcpuTest, cpuid_is_the_policy_of_this_vcpu) {
    for (const u32 leaf : {0u, 1u, 7u, 0x4000'0000u, 0x8000'0001u, 0x8000'0008u, 0x1234'5678u}) {
        vcpu.reset({Gpa{entry}, 2, 0});
        gpr(Gpr::RAX) = leaf;
        gpr(Gpr::RCX) = 0;
        expect_handled(exit(ExitReason::Cpuid, 2), ExitReason::Cpuid);
        const CpuidResult wanted = cpuid({.apic_id = 2}, leaf, 0);
        EXPECT_EQ((CpuidResult{static_cast<u32>(gpr(Gpr::RAX)), static_cast<u32>(gpr(Gpr::RBX)), static_cast<u32>(gpr(Gpr::RCX)),
                               static_cast<u32>(gpr(Gpr::RDX))}),
                  wanted)
            << leaf;
        EXPECT_EQ(vcpu.pc(), Gva{entry + 2}) << "once, though the VM answers too";
    }
}

TEST_F(X86VcpuTest, the_cpu_below_says_which_flaws_it_has) {
    for (const u64 value : {u64{0}, msr::ArchCapabilities::no_flaw}) {
        VcpuSettings settings = long_mode_settings();
        settings.arch_capabilities = value;
        Rig other(settings);
        other.gpr(Gpr::RAX) = 7;
        other.gpr(Gpr::RCX) = 0;
        other.cpu.exit(ExitReason::Cpuid, [](Vmcs& v) { v.VM_EXIT_INSTRUCTION_LENGTH = 2; });
        static_cast<void>(other.run());
        EXPECT_EQ(other.gpr(Gpr::RDX), value == 0 ? 0 : 1U << 29);
        other.gpr(Gpr::RCX) = 0x10a;
        other.cpu.exit(ExitReason::Rdmsr);
        static_cast<void>(other.run());
        EXPECT_EQ(other.cpu.v.VM_ENTRY_INTERRUPTION_INFO, value == 0 ? gp : 0);
        if (value != 0) {
            EXPECT_EQ(other.gpr(Gpr::RDX) << 32 | other.gpr(Gpr::RAX), value);
        }
    }
}

TEST_F(X86VcpuTest, cpuid_and_msrs_hide_the_deadline_timer_where_the_vm_has_none) {
    VcpuSettings settings = long_mode_settings();
    settings.has_tsc_deadline = false;
    Rig other(settings);
    other.gpr(Gpr::RAX) = 1;
    other.cpu.exit(ExitReason::Cpuid, [](Vmcs& v) { v.VM_EXIT_INSTRUCTION_LENGTH = 2; });
    static_cast<void>(other.run());
    EXPECT_FALSE(CpuidFeatures::TSC_DEADLINE::test(other.gpr(Gpr::RCX)));
    other.gpr(Gpr::RCX) = 0x6e0;
    other.cpu.exit(ExitReason::Rdmsr);
    static_cast<void>(other.run());
    EXPECT_EQ(other.cpu.v.VM_ENTRY_INTERRUPTION_INFO, gp);
}

struct MsrCase {
    const char* what;
    u32 number;
    bool is_write;
    u64 value;  ///< read, or written
    bool is_taken;
};

TEST_F(X86VcpuTest, msrs_are_served_by_policy_and_unknown_ones_fault) {
    vectors.msrs[0x6e0] = 0x1234'5678'9abc'def0;
    cpu.counter = 1000;
    cpu.v.TSC_OFFSET = 5;
    const MsrCase cases[] = {
        {"the local APIC's base", 0x1b, false, 0xfee0'0900, true},
        {"the deadline", 0x6e0, false, 0x1234'5678'9abc'def0, true},
        {"the deadline is set", 0x6e0, true, 0x77, true},
        {"the time-stamp counter", 0x10, false, 1005, true},
        {"a fixed one", 0x1a0, false, 1, true},
        {"a fixed one takes what it holds", 0x3a, true, 1, true},
        {"a fixed one refuses the rest", 0x3a, true, 4, false},
        {"VMX has none", 0x480, false, 0, false},
        {"x2APIC without x2APIC", 0x802, false, 0, false},
        {"nothing", 0x1234'5678, false, 0, false},
        {"nothing is written", 0x1234'5678, true, 1, false},
        {"one that the bitmap passes never comes here", 0xc000'0080, false, 0, false},
    };
    for (const MsrCase& c : cases) {
        cpu.v.GUEST_RIP = entry;
        gpr(Gpr::RCX) = c.number;
        gpr(Gpr::RAX) = c.is_write ? c.value & 0xffff'ffff : ~u64{0};
        gpr(Gpr::RDX) = c.is_write ? c.value >> 32 : ~u64{0};
        const auto reason = c.is_write ? ExitReason::Wrmsr : ExitReason::Rdmsr;
        expect_handled(exit(reason, 2, Answer::of_value(0xdead)), reason);
        EXPECT_EQ(cpu.v.VM_ENTRY_INTERRUPTION_INFO, c.is_taken ? 0 : gp) << c.what;
        EXPECT_EQ(vcpu.pc(), Gva{c.is_taken ? entry + 2 : entry}) << c.what;
        if (c.is_taken && !c.is_write) {
            EXPECT_EQ(gpr(Gpr::RDX) << 32 | gpr(Gpr::RAX), c.value) << c.what;
        }
    }
    EXPECT_EQ(vectors.msrs[0x6e0], 0x77U);
}

/// "IA32_TIME_STAMP_COUNTER": the guest's counter goes on from what it wrote.
TEST_F(X86VcpuTest, writing_the_time_stamp_moves_its_offset) {
    cpu.counter = 1'000'000;
    gpr(Gpr::RCX) = 0x10;
    gpr(Gpr::RAX) = 10;
    gpr(Gpr::RDX) = 0;
    static_cast<void>(exit(ExitReason::Wrmsr, 2));
    EXPECT_EQ(cpu.v.TSC_OFFSET, u64{10} - 1'000'000);
    EXPECT_EQ(vectors.tsc_offset, u64{10} - 1'000'000) << "deadlines do not follow";
    cpu.counter += 5;
    static_cast<void>(exit(ExitReason::Rdtsc, 2));
    EXPECT_EQ(gpr(Gpr::RAX), 15U);
    EXPECT_EQ(gpr(Gpr::RDX), 0U);
    cpu.r.IA32_TSC_AUX = 0x55;
    cpu.counter = u64{1} << 40;
    static_cast<void>(exit(ExitReason::Rdtscp, 3));
    EXPECT_EQ(gpr(Gpr::RDX) << 32 | gpr(Gpr::RAX), (u64{1} << 40) + 10 - 1'000'000);
    EXPECT_EQ(gpr(Gpr::RCX), 0x55U);
    EXPECT_EQ(vcpu.pc(), Gva{entry + 7});
}

TEST_F(X86VcpuTest, cr8_is_the_local_apics_task_priority) {
    vectors.priority = 9;
    cpu.exit(ExitReason::CrAccess, [](Vmcs& v) {
        v.EXIT_QUALIFICATION = 0x318;  // MOV RBX, CR8
        v.VM_EXIT_INSTRUCTION_LENGTH = 4;
    });
    expect_handled(run(), ExitReason::CrAccess);
    EXPECT_EQ(gpr(Gpr::RBX), 9U);
    gpr(Gpr::RBX) = 0xd;
    cpu.exit(ExitReason::CrAccess, [](Vmcs& v) { v.EXIT_QUALIFICATION = 0x308; });
    expect_handled(run(), ExitReason::CrAccess);
    EXPECT_EQ(vectors.priority, 0xdU);
    EXPECT_EQ(vcpu.pc(), Gva{entry + 8});
}

TEST_F(X86VcpuTest, hlt_waits_until_an_interrupt_that_the_guest_takes) {
    EXPECT_TRUE(std::holds_alternative<WaitForInterrupt>(exit(ExitReason::Hlt, 1)));
    EXPECT_EQ(vcpu.pc(), Gva{entry + 1});
    EXPECT_FALSE(vcpu.has_wake_event());
    vectors.waiting.push_back(0x30);
    EXPECT_FALSE(vcpu.has_wake_event()) << "IF is clear";
    cpu.v.GUEST_RFLAGS |= Rflags::IF::mask;
    EXPECT_TRUE(vcpu.has_wake_event());
    vectors.waiting.clear();
    EXPECT_FALSE(vcpu.has_wake_event());
    cpu.v.GUEST_RFLAGS = Rflags::at_reset;
    vcpu.raise_nmi();
    EXPECT_TRUE(vcpu.has_wake_event()) << "whatever IF says";
    static_cast<void>(run());
    EXPECT_FALSE(vcpu.has_wake_event()) << "taken";
}

TEST_F(X86VcpuTest, spin_hint_and_hypercall_go_to_the_vm) {
    EXPECT_TRUE(std::holds_alternative<SpinHint>(exit(ExitReason::Pause, 2)));
    EXPECT_EQ(vcpu.pc(), Gva{entry + 2});
    gpr(Gpr::RAX) = 3;
    EXPECT_TRUE(std::holds_alternative<Hypercall>(exit(ExitReason::Vmcall, 3, Answer::of_value(~u64{0}))));
    EXPECT_EQ(gpr(Gpr::RAX), ~u64{0});
    EXPECT_EQ(vcpu.pc(), Gva{entry + 5});
}

TEST_F(X86VcpuTest, instructions_that_are_not_there_are_undefined) {
    EXPECT_TRUE(std::holds_alternative<UndefinedInstruction>(exit(ExitReason::Vmxon, 4, Answer::undefined())));
    EXPECT_EQ(cpu.v.VM_ENTRY_INTERRUPTION_INFO, ud);
    EXPECT_EQ(vcpu.pc(), Gva{entry});
}

TEST_F(X86VcpuTest, triple_fault_is_a_shutdown_with_the_last_address_that_faulted) {
    cpu.r.CR2 = 0x1234'5000;
    const VmExit stopped = exit(ExitReason::TripleFault, 0);
    ASSERT_TRUE(std::holds_alternative<CpuShutdown>(stopped));
    EXPECT_EQ(std::get<CpuShutdown>(stopped).address, 0x1234'5000U);
    EXPECT_EQ(vcpu.pc(), Gva{entry});
}

TEST_F(X86VcpuTest, startup_ipi_and_unknown_reasons_are_exits) {
    expect_handled(exit(ExitReason::StartupIpi, 0), ExitReason::StartupIpi);
    cpu.exit(ExitReason::TaskSwitch, [](Vmcs& v) { v.EXIT_QUALIFICATION = 0xc000'0028; });
    const VmExit stopped = run();
    ASSERT_TRUE(std::holds_alternative<Unhandled>(stopped));
    EXPECT_EQ(std::get<Unhandled>(stopped).cause, index(ExitReason::TaskSwitch));
    EXPECT_EQ(std::get<Unhandled>(stopped).detail, 0xc000'0028U);
}

TEST_F(X86VcpuTest, flush_is_the_fence_of_the_second_stage) {
    vcpu.flush(false);
    vcpu.flush(true);
    EXPECT_EQ(cpu.fences, 2);
}

}  // namespace
}  // namespace ax::x86
