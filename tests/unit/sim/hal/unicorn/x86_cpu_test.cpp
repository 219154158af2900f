// The simulated x86 CPU from the hypervisor's side: a VMCS goes in, real code runs under EPT, exits come out.
#include "sim/hal/unicorn/x86_cpu.hpp"

#include <gtest/gtest.h>

#include <cstring>
#include <vector>

#include "core/arch/x86/controls.hpp"
#include "core/arch/x86/start.hpp"
#include "sim/state/hasher.hpp"

namespace ax::sim {
namespace {

using namespace ax::x86;

constexpr u64 base = 0x4000'0000, bytes = 32 << 20;
constexpr u64 tables = base + (30 << 20), msr_bitmap = base + (29 << 20);
constexpr u64 guest_megabytes = 28;
constexpr Gpa code{0x8000};

struct TestBoard final : X86Board {
    u64 ticks = 0;
    bool is_due = false;
    u64 ticks_after(u64 retired) override { return ticks + retired; }
    void retire(u64 instructions) override { ticks += instructions; }
    bool timer_is_due() override { return is_due; }
    bool take_timer() override { return std::exchange(is_due, false); }
};

class X86CpuTest : public testing::Test {
protected:
    void SetUp() override {
        auto created = X86Engine::create(memory);
        ASSERT_TRUE(created) << created.error();
        engine = std::move(*created);
        cpu = std::make_unique<X86Cpu>(memory, *engine, board);
        // EPT: 2 MiB leaves, read, write, execute, write-back.
        put(tables, (tables + 0x1000) | 7);
        put(tables + 0x1000, (tables + 0x2000) | 7);
        for (u64 n = 0; n < guest_megabytes / 2; ++n) put(tables + 0x2000 + 8 * n, (base + (n << 21)) | 0xb7);
        const auto controls = controls_for({.ept_root = Hpa{tables}, .msr_bitmap = Hpa{msr_bitmap}}, capabilities());
        ASSERT_TRUE(controls);
        cpu->vmcs() = *controls;
        cpu->regs().gprs = start_in_real_mode(cpu->vmcs(), code);
        cpu->vmcs().GUEST_RSP = 0x7000;
    }
    static VmxCapabilities capabilities() {
        const x86::VmxCpu model;
        VmxCapabilities c = typical_capabilities;
        c.pin = model.pin;
        c.primary = model.primary;
        c.secondary = model.secondary;
        c.exit = model.exit;
        c.entry = model.entry;
        c.cr0_fixed0 = model.cr0_fixed0;
        c.cr0_fixed1 = model.cr0_fixed1;
        c.cr4_fixed0 = model.cr4_fixed0;
        c.cr4_fixed1 = model.cr4_fixed1;
        return c;
    }
    void put(u64 at, u64 value) {
        memory.mark_dirty(Hpa{at});
        std::memcpy(memory.pointer(Hpa{at}), &value, sizeof value);
    }
    void load(u64 gpa, const std::vector<u8>& instructions) {
        memory.mark_dirty(Hpa{base + gpa});
        std::memcpy(memory.pointer(Hpa{base + gpa}), instructions.data(), instructions.size());
        engine->forget_code(Hpa{base + gpa}, instructions.size());
    }
    EntryStop enter(u64 budget = 1000) { return cpu->enter(budget); }
    ExitReason reason() { return ExitReason{static_cast<u16>(cpu->vmcs().EXIT_REASON)}; }
    void skip() { cpu->vmcs().GUEST_RIP += cpu->vmcs().VM_EXIT_INSTRUCTION_LENGTH; }

    PhysMemory memory = std::move(*PhysMemory::create(Hpa{base}, bytes));
    TestBoard board;
    std::unique_ptr<X86Engine> engine;
    std::unique_ptr<X86Cpu> cpu;
};

/// SDM vol. 3, "Exit Qualification for I/O Instructions"; the instruction that is stepped over counts with the next entry.
TEST_F(X86CpuTest, real_mode_code_exits_at_ports_cpuid_and_hlt) {
    load(0x8000, {0xb0, 'A', 0xba, 0xf8, 0x03, 0xee, 0x0f, 0xa2, 0xf4});  // mov al,'A'; mov dx,0x3f8; out dx,al; cpuid; hlt
    EntryStop stop = enter();
    EXPECT_EQ(stop.result, EntryResult::Exit);
    EXPECT_EQ(stop.instructions, 2u);
    EXPECT_EQ(reason(), ExitReason::IoInstruction);
    EXPECT_EQ(cpu->vmcs().EXIT_QUALIFICATION, 0x3f8'0000u);
    EXPECT_EQ(cpu->vmcs().VM_EXIT_INSTRUCTION_LENGTH, 1u);
    EXPECT_EQ(cpu->regs().gprs[Gpr::RAX] & 0xff, u64{'A'});
    skip();
    stop = enter();
    EXPECT_EQ(reason(), ExitReason::Cpuid);
    EXPECT_EQ(stop.instructions, 1u);
    skip();
    stop = enter();
    EXPECT_EQ(reason(), ExitReason::Hlt);
    EXPECT_EQ(board.ticks, 4u);
}

/// The address is exact to the byte, and nothing of the instruction has happened.
TEST_F(X86CpuTest, access_outside_ept_is_a_violation) {
    load(0x8000, {0x67, 0x66, 0xa1, 0x34, 0x12, 0x00, 0x10});  // mov eax, [0x10001234]
    static_cast<void>(enter());
    EXPECT_EQ(reason(), ExitReason::EptViolation);
    EXPECT_EQ(cpu->vmcs().GUEST_PHYSICAL_ADDRESS, 0x1000'1234u);
    EXPECT_EQ(cpu->vmcs().GUEST_LINEAR_ADDRESS, 0x1000'1234u);
    EXPECT_EQ(cpu->vmcs().GUEST_RIP, 0x8000u);
    EXPECT_TRUE(EptViolationQualification::Read::test(cpu->vmcs().EXIT_QUALIFICATION));
}

/// INT n and a fault go through the real-mode vector table; IRET comes back by itself.
TEST_F(X86CpuTest, interrupts_and_faults_are_delivered_in_the_guest) {
    put(base + 0x10 * 4, 0x9000);
    put(base + 0x06 * 4, 0x9010);
    load(0x8000, {0xcd, 0x10, 0x0f, 0x0b, 0xf4});        // int 0x10; ud2; hlt
    load(0x9000, {0xb0, 0x77, 0xcf});                    // mov al,0x77; iret
    load(0x9010, {0xb4, 0x66, 0x83, 0x46, 0x00, 0x02});  // mov ah,0x66; add word [bp],2
    load(0x9016, {0xcf});                                // iret
    cpu->regs().gprs[Gpr::RBP] = 0x7000 - 6;
    const EntryStop stop = enter();
    EXPECT_EQ(reason(), ExitReason::Hlt);
    EXPECT_EQ(cpu->regs().gprs[Gpr::RAX] & 0xffff, 0x6677u);
    EXPECT_EQ(cpu->vmcs().GUEST_RIP, 0x8004u);
    EXPECT_EQ(cpu->vmcs().GUEST_RSP, 0x7000u);
    EXPECT_EQ(stop.instructions, 6u);  // int, mov, iret, mov, add, iret; ud2 never retires
}

/// "Instructions That Cause VM Exits Unconditionally" and "Conditionally": also where Unicorn knows no such instruction.
TEST_F(X86CpuTest, instructions_that_the_engine_lacks_exit) {
    cpu->regs().gprs = start_in_protected_mode(cpu->vmcs(), code, 0, 0);
    struct Case {
        std::vector<u8> insn;
        ExitReason reason;
    };
    const Case cases[] = {{{0x0f, 0x01, 0xc1}, ExitReason::Vmcall},   {{0x0f, 0x01, 0xc2}, ExitReason::Vmlaunch},
                          {{0x0f, 0x01, 0xc4}, ExitReason::Vmxoff},   {{0x0f, 0x01, 0xc8}, ExitReason::Monitor},
                          {{0x0f, 0x01, 0xc9}, ExitReason::Mwait},    {{0x66, 0x0f, 0xc7, 0x33}, ExitReason::Vmclear},
                          {{0x0f, 0x78, 0xc8}, ExitReason::Vmread},   {{0x66, 0x0f, 0x38, 0x80, 0x08}, ExitReason::Invept}};
    for (const Case& c : cases) {
        cpu->vmcs().GUEST_RIP = code.value();
        load(0x8000, c.insn);
        EXPECT_EQ(enter().result, EntryResult::Exit);
        EXPECT_EQ(reason(), c.reason) << index(c.reason);
        EXPECT_EQ(cpu->vmcs().VM_EXIT_INSTRUCTION_LENGTH, c.insn.size()) << index(c.reason);
        EXPECT_EQ(cpu->vmcs().GUEST_RIP, code.value()) << index(c.reason);
    }
    // Without their feature these are undefined for VMX too.
    cpu->vmcs().EXCEPTION_BITMAP |= 1u << index(Vector::UD);
    for (const std::vector<u8>& insn : {std::vector<u8>{0x0f, 0x01, 0xd1}, {0x0f, 0x37}, {0x0f, 0x0b}}) {  // xsetbv; getsec; ud2
        cpu->vmcs().GUEST_RIP = code.value();
        load(0x8000, insn);
        static_cast<void>(enter());
        EXPECT_EQ(reason(), ExitReason::ExceptionOrNmi);
        EXPECT_EQ(cpu->vmcs().VM_EXIT_INTERRUPTION_INFO & 0xff, index(Vector::UD));
    }
}

TEST_F(X86CpuTest, exceptions_of_the_bitmap_exit) {
    load(0x8000, {0x90, 0x0f, 0x0b});
    cpu->vmcs().EXCEPTION_BITMAP |= 1u << index(Vector::UD);
    static_cast<void>(enter());
    EXPECT_EQ(reason(), ExitReason::ExceptionOrNmi);
    EXPECT_EQ(cpu->vmcs().VM_EXIT_INTERRUPTION_INFO & 0xff, index(Vector::UD));
    EXPECT_EQ(cpu->vmcs().GUEST_RIP, 0x8001u);
}

TEST_F(X86CpuTest, injected_interrupt_runs_its_handler) {
    put(base + 0x30 * 4, 0x9000);
    load(0x8000, {0xf4});
    load(0x9000, {0xb0, 0x55, 0xf4});
    cpu->vmcs().GUEST_RFLAGS |= Rflags::IF::mask;  // or the entry is refused
    cpu->vmcs().VM_ENTRY_INTERRUPTION_INFO = 0x8000'0030;
    static_cast<void>(enter());
    EXPECT_EQ(reason(), ExitReason::Hlt);
    EXPECT_EQ(cpu->vmcs().GUEST_RIP, 0x9002u);
    EXPECT_EQ(cpu->regs().gprs[Gpr::RAX] & 0xff, 0x55u);
    EXPECT_EQ(cpu->vmcs().VM_ENTRY_INTERRUPTION_INFO >> 31, 0u);
}

/// "Virtual NMIs", "NMI-window exiting": the window opens when IRET has returned, not before it.
TEST_F(X86CpuTest, iret_opens_the_nmi_window_behind_itself) {
    load(0x8000, {0x90, 0x90, 0xf4});  // nop; nop; hlt
    load(0x9000, {0x90, 0xcf});        // nop; iret
    put(base + 2 * 4, 0x9000);
    cpu->vmcs().VM_ENTRY_INTERRUPTION_INFO = 0x8000'0202;
    cpu->vmcs().PRIMARY_CONTROLS |= static_cast<u32>(PrimaryControls::NmiWindowExiting::mask);
    EntryStop stop = enter();
    EXPECT_EQ(reason(), ExitReason::NmiWindow);
    EXPECT_EQ(cpu->vmcs().GUEST_RIP, 0x8000u);
    EXPECT_EQ(cpu->vmcs().GUEST_CS.selector, code.value() >> 4 & 0xf000);
    EXPECT_EQ(stop.instructions, 2u);
    cpu->vmcs().PRIMARY_CONTROLS &= ~static_cast<u32>(PrimaryControls::NmiWindowExiting::mask);
    stop = enter();
    EXPECT_EQ(reason(), ExitReason::Hlt);
    EXPECT_EQ(stop.instructions, 2u);
}

TEST_F(X86CpuTest, the_hosts_timer_takes_the_cpu_and_a_budget_ends_a_run) {
    load(0x8000, {0x40, 0xeb, 0xfd});  // inc ax; jmp
    EXPECT_EQ(enter(500).result, EntryResult::BudgetEnd);
    EXPECT_EQ(board.ticks, 500u);
    board.is_due = true;
    EXPECT_EQ(enter(500).result, EntryResult::Exit);
    EXPECT_EQ(reason(), ExitReason::ExternalInterrupt);
    EXPECT_EQ(board.ticks, 500u);
}

/// "VM-Entry Failures": controls are an instruction error, guest state an exit with bit 31.
TEST_F(X86CpuTest, entries_that_hardware_refuses_fail) {
    const Vmcs good = cpu->vmcs();
    cpu->vmcs().PIN_BASED_CONTROLS = 0;
    EXPECT_EQ(enter().result, EntryResult::Failed);
    EXPECT_EQ(cpu->vmcs().VM_INSTRUCTION_ERROR, index(VmInstructionError::InvalidControls));
    ASSERT_NE(cpu->refused_by(), nullptr);
    EXPECT_NE(std::string_view(cpu->refused_by()->name).find("pin-based"), std::string_view::npos) << cpu->refused_by()->name;
    cpu->vmcs() = good;
    cpu->vmcs().GUEST_RFLAGS = 0;  // bit 1 is always one
    EXPECT_EQ(enter().result, EntryResult::Exit);
    EXPECT_EQ(cpu->vmcs().EXIT_REASON, 0x8000'0000u | index(ExitReason::EntryFailureGuestState));
    ASSERT_NE(cpu->refused_by(), nullptr);
    EXPECT_NE(std::string_view(cpu->refused_by()->name).find("RFLAGS"), std::string_view::npos) << cpu->refused_by()->name;
    cpu->vmcs() = good;
    load(0x8000, {0xf4});  // hlt
    static_cast<void>(enter());
    EXPECT_EQ(cpu->refused_by(), nullptr);
}

/// A store to the very next instruction is seen, and counts are those of the program.
TEST_F(X86CpuTest, code_that_changes_itself_is_executed_as_changed) {
    load(0x8000, {0xc6, 0x06, 0x06, 0x80, 0x42, 0xb0, 0x11, 0xf4});  // mov byte [0x8006],0x42; mov al,0x11; hlt
    const EntryStop stop = enter();
    EXPECT_EQ(cpu->regs().gprs[Gpr::RAX] & 0xff, 0x42u);
    EXPECT_EQ(stop.instructions, 2u);
}

/// However a run is cut, and in which engine it goes on, the state is the same.
TEST_F(X86CpuTest, budgets_and_fresh_engines_change_nothing) {
    const auto prepare = [&] {
        load(0x8000, {0x40, 0x89, 0xc3, 0x01, 0xd9, 0xd1, 0xc1, 0xeb, 0xf7});  // inc ax; mov bx,ax; add cx,bx; rol cx,1; jmp
        cpu->regs() = {};
        cpu->regs().gprs = start_in_real_mode(cpu->vmcs(), code);
    };
    const auto run = [&](u64 total, u64 chunk, bool moves) {
        prepare();
        std::vector<std::unique_ptr<X86Engine>> old;
        for (u64 done = 0; done < total;) {
            done += enter(std::min(chunk, total - done)).instructions;
            if (!moves) continue;
            auto fresh = X86Engine::create(memory);
            EXPECT_TRUE(fresh);
            cpu->move_to(**fresh);
            old.push_back(std::exchange(engine, std::move(*fresh)));
        }
        return std::pair(hash_of(cpu->vmcs()), hash_of(cpu->regs()));
    };
    const auto whole = run(5000, 5000, false);
    EXPECT_EQ(run(5000, 5, false), whole);
    EXPECT_EQ(run(5000, 1000, true), whole);
}

}  // namespace
}  // namespace ax::sim
