// The host's KVM, where there is one: a few instructions of real guests. Without it the tests skip and say why.
#include "sim/hal/kvm/vcpu.hpp"

#include <cpuid.h>
#include <gtest/gtest.h>

#include <chrono>
#include <cstring>

#include "core/arch/x86/cpuid.hpp"

namespace ax::sim::kvm {
namespace {

constexpr Hpa ram{0x1000'0000};
constexpr u64 ram_bytes = 8 << 20;
constexpr u64 code_at = 0x1000, tables_at = 0x8000, gdt_at = 0x7000, idt_at = 0x6000, handler_at = 0x5000;
constexpr u64 tsc_hz = 1'000'000'000;
constexpr u64 long_time = 10'000'000'000;

class FakeBoard final : public Board {
public:
    u64 now_ns() override {
        return static_cast<u64>(std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::steady_clock::now() - start_).count());
    }
    void retire(u64 ns) override { retired += ns; }
    bool take_timer() override { return std::exchange(timer_is_due, false); }

    u64 retired = 0;
    bool timer_is_due = false;

private:
    std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

class FakeVectors final : public irq::VectorSource {
public:
    std::optional<u8> pending(VcpuId) const override { return waiting; }
    u8 acknowledge(VcpuId) override {
        const u8 vector = *waiting;
        waiting.reset();
        return vector;
    }
    u8 task_priority(VcpuId) const override { return priority; }
    void set_task_priority(VcpuId, u8 cr8) override { priority = cr8; }
    std::optional<u64> read_msr(VcpuId, u32 msr) override {
        if (msr == 0x1b) return 0xfee0'0900;
        if (msr == 0x6e0) return deadline;
        return std::nullopt;
    }
    bool write_msr(VcpuId, u32 msr, u64 value) override {
        if (msr == 0x6e0) deadline = value;
        return msr == 0x6e0;
    }
    void set_tsc_offset(VcpuId, u64) override { FAIL() << "KVM's TSC is not the board's clock"; }

    std::optional<u8> waiting;
    u8 priority = 0;
    u64 deadline = 0;
};

class KvmVcpu : public testing::Test {
protected:
    void SetUp() override {
        auto engine = Engine::create();
        if (!engine) GTEST_SKIP() << "no usable /dev/kvm: " << engine.error();
        engine_ = std::move(*engine);
        space_.emplace(std::move(*Space::create(engine_->system, memory_)));
        ASSERT_TRUE(space_->map(Gpa{0}, ram, ram_bytes, mm::Permissions::rwx()));
    }

    template <class T>
    void put(u64 at, const T& value) {
        ASSERT_TRUE(memory_.write(ram + at, std::as_bytes(std::span(&value, 1))));
    }
    template <class T>
    T get(u64 at) {
        T value{};
        EXPECT_TRUE(memory_.read(ram + at, std::as_writable_bytes(std::span(&value, 1))));
        return value;
    }
    void put_code(std::initializer_list<u8> code, u64 at = code_at) {
        ASSERT_TRUE(memory_.write(ram + at, std::as_bytes(std::span(code.begin(), code.size()))));
    }

    /// Identity tables of 2 MiB pages for 4 GiB, a GDT, and an IDT whose gates all lead to `handler_at`.
    void put_tables() {
        put(tables_at, u64{tables_at + 0x1000 + 7});
        for (u64 i = 0; i < 4; ++i) {
            put(tables_at + 0x1000 + 8 * i, u64{tables_at + 0x2000 + i * 0x1000 + 7});
            for (u64 j = 0; j < 512; ++j) put(tables_at + 0x2000 + i * 0x1000 + 8 * j, u64{(i << 30) + (j << 21) + 0x87});
        }
        for (const auto& [at, entry] : {std::pair{gdt_at + 0x10, u64{0x00af'9b00'0000'ffff}}, {gdt_at + 0x18, u64{0x00cf'9300'0000'ffff}}}) put(at, entry);
        for (u64 vector = 0; vector < 256; ++vector) put(idt_at + 16 * vector, std::array<u64, 2>{0x0000'8e00'0010'0000 | handler_at, 0});
    }

    void start(ax::x86::StartKind kind, std::initializer_list<u8> code) {
        ax::x86::VcpuSettings settings;
        settings.start = kind;
        settings.page_tables = Gpa{tables_at};
        settings.gdt = Gpa{gdt_at};
        settings.gdt_limit = 0x1f;
        put_tables();
        put_code(code);
        auto vcpu = Vcpu::create({*engine_, *space_, board_, vectors_, tsc_hz}, VcpuId{0}, settings);
        ASSERT_TRUE(vcpu) << vcpu.error();
        vcpu_ = std::move(*vcpu);
        vcpu_->reset({Gpa{code_at}, 0, 0});
    }

    VmExit next(u64 budget = long_time) {
        const hal::RunStop stop = vcpu_->run(budget);
        return stop.exit;
    }
    template <class Exit>
    Exit next_is(u64 budget = long_time) {
        const VmExit exit = next(budget);
        EXPECT_TRUE(std::holds_alternative<Exit>(exit)) << vm_exit_names[exit.index()];
        const Exit* found = std::get_if<Exit>(&exit);
        return found != nullptr ? *found : Exit{};
    }
    void answer(u64 value) { vcpu_->finish(Answer::of_value(value)); }
    void halts() {
        next_is<WaitForInterrupt>();
        answer(0);
    }

    PhysMemory memory_ = std::move(*PhysMemory::create(ram, ram_bytes));
    FakeBoard board_;
    FakeVectors vectors_;
    std::unique_ptr<Engine> engine_;
    std::optional<Space> space_;
    std::unique_ptr<Vcpu> vcpu_;
};

TEST_F(KvmVcpu, ports_and_halt_in_every_mode) {
    using enum ax::x86::StartKind;
    for (const auto kind : {RealMode, Protected, Long}) {
        // mov al, 'H'; mov dx, 0x3f8; out dx, al; in al, dx; out dx, al; hlt. The operand size of `mov dx` follows the mode.
        if (kind == RealMode)
            start(kind, {0xb0, 'H', 0xba, 0xf8, 0x03, 0xee, 0xec, 0xee, 0xf4});
        else
            start(kind, {0xb0, 'H', 0x66, 0xba, 0xf8, 0x03, 0xee, 0xec, 0xee, 0xf4});
        const auto out = next_is<PortWrite>();
        EXPECT_EQ(out.port, 0x3f8);
        EXPECT_EQ(out.size, 1);
        EXPECT_EQ(out.value, u64{'H'});
        answer(0);
        next_is<PortRead>();
        answer(0x5a);
        EXPECT_EQ(next_is<PortWrite>().value, 0x5aU);
        answer(0);
        halts();
        vcpu_.reset();
        space_.emplace(std::move(*Space::create(engine_->system, memory_)));
        ASSERT_TRUE(space_->map(Gpa{0}, ram, ram_bytes, mm::Permissions::rwx()));
    }
}

TEST_F(KvmVcpu, memory_without_a_slot_is_a_device) {
    // mov eax, [0x7e000000]; mov [0x7e000008], rax; hlt
    start(ax::x86::StartKind::Long, {0x8b, 0x04, 0x25, 0, 0, 0, 0x7e, 0x48, 0x89, 0x04, 0x25, 8, 0, 0, 0x7e, 0xf4});
    const auto read = next_is<MmioRead>();
    EXPECT_EQ(read.gpa, Gpa{0x7e00'0000});
    EXPECT_EQ(read.size, 4);
    answer(0x1122'3344);
    const auto write = next_is<MmioWrite>();
    EXPECT_EQ(write.gpa, Gpa{0x7e00'0008});
    EXPECT_EQ(write.size, 8);
    EXPECT_EQ(write.value, 0x1122'3344U);
    answer(0);
    halts();
}

TEST_F(KvmVcpu, nothing_that_answers_reads_as_ones) {
    // mov eax, [0x7e000000]; mov [0x3000], eax; hlt
    start(ax::x86::StartKind::Long, {0x8b, 0x04, 0x25, 0, 0, 0, 0x7e, 0x89, 0x04, 0x25, 0, 0x30, 0, 0, 0xf4});
    next_is<MmioRead>();
    vcpu_->finish(Answer::bus_fault());
    halts();
    EXPECT_EQ(get<u32>(0x3000), 0xffff'ffffU);
}

TEST_F(KvmVcpu, string_instructions_are_single_accesses) {
    // mov dx, 0x3f8; mov esi, 0x1000; mov ecx, 3; rep outsb; mov edi, 0x3000; mov ecx, 5; rep insb; hlt
    start(ax::x86::StartKind::Long, {0x66, 0xba, 0xf8, 3,    0xbe, 0,    0x10, 0, 0, 0xb9, 3, 0,    0,    0,   0xf3, 0x6e,
                                     0xbf, 0,    0x30, 0,    0,    0xb9, 5,    0, 0, 0,    0xf3, 0x6c, 0xf4});
    for (const u8 byte : {u8{0x66}, u8{0xba}, u8{0xf8}}) {
        EXPECT_EQ(next_is<PortWrite>().value, byte);
        answer(0);
    }
    for (const u64 byte : std::array<u64, 5>{1, 2, 3, 4, 5}) {
        EXPECT_EQ(next_is<PortRead>().size, 1);
        answer(byte);
    }
    halts();
    EXPECT_EQ(get<u64>(0x3000), 0x05'0403'0201U);
}

TEST_F(KvmVcpu, stores_to_read_only_memory_exit) {
    start(ax::x86::StartKind::Long, {0xc7, 0x04, 0x25, 0, 0, 0x50, 0, 1, 2, 3, 4, 0xf4});  // mov dword [0x500000], 0x04030201; hlt
    ASSERT_TRUE(space_->protect(Gpa{0x50'0000}, page_size, {true, false, true, false}));
    EXPECT_EQ(next_is<MmioWrite>().gpa, Gpa{0x50'0000});
    vcpu_->finish(Answer::bus_fault());
    halts();
    EXPECT_EQ(get<u32>(0x50'0000), 0U);
    EXPECT_EQ(space_->slot_count(), 3U);
}

TEST_F(KvmVcpu, memory_can_go_and_come_between_entries) {
    // mov eax, [0x500000]; hlt; mov eax, [0x500000]; hlt; mov [0x3000], eax; hlt
    start(ax::x86::StartKind::Long, {0x8b, 0x04, 0x25, 0, 0, 0x50, 0, 0xf4, 0x8b, 0x04, 0x25, 0, 0, 0x50, 0, 0xf4, 0x89, 0x04, 0x25, 0, 0x30, 0, 0, 0xf4});
    put(0x50'0000, u32{0x7777});
    halts();
    ASSERT_TRUE(space_->unmap(Gpa{0x50'0000}, page_size));
    next_is<MmioRead>();
    answer(0x99);
    halts();
    ASSERT_TRUE(space_->map(Gpa{0x50'0000}, ram + 0x50'0000, page_size, mm::Permissions::rwx()));
    halts();
    EXPECT_EQ(space_->slot_count(), 1U);
    EXPECT_EQ(get<u32>(0x3000), 0x99U);
}

/// lidt [rip + descriptor at 0x4000]; sti; then `rest`.
constexpr std::initializer_list<u8> sti_hlt = {0x0f, 0x01, 0x1c, 0x25, 0, 0x40, 0, 0, 0xbc, 0, 0, 0x20, 0, 0xfb, 0xf4, 0xeb, 0xfd};

TEST_F(KvmVcpu, interrupts_are_injected_when_the_guest_takes_them) {
    put(0x4000, std::array<u16, 5>{0xfff, idt_at, 0, 0, 0});
    put_code({0xb0, 0x21, 0xe6, 0x80, 0x48, 0xcf}, handler_at);  // mov al, 0x21; out 0x80, al; iretq
    start(ax::x86::StartKind::Long, sti_hlt);
    vectors_.waiting = 0x30;
    EXPECT_FALSE(vcpu_->has_wake_event()) << "IF is clear";
    // The window opens after STI; KVM may tell so first.
    VmExit exit = next();
    for (int n = 0; n < 3 && std::holds_alternative<Handled>(exit); ++n) {
        vcpu_->finish(Answer::none());
        exit = next();
    }
    if (std::holds_alternative<WaitForInterrupt>(exit)) {
        EXPECT_TRUE(vcpu_->has_wake_event());
        answer(0);
        exit = next();
    }
    ASSERT_TRUE(std::holds_alternative<PortWrite>(exit)) << vm_exit_names[exit.index()];
    EXPECT_EQ(std::get<PortWrite>(exit).value, 0x21U);
    answer(0);
    EXPECT_FALSE(vectors_.waiting) << "not acknowledged";
    halts();
    EXPECT_FALSE(vcpu_->has_wake_event());
    vectors_.waiting = 0x31;
    EXPECT_TRUE(vcpu_->has_wake_event());
    next_is<PortWrite>();
    answer(0);
    halts();
}

TEST_F(KvmVcpu, a_read_is_complete_before_an_interrupt_is_injected) {
    put(0x4000, std::array<u16, 5>{0xfff, idt_at, 0, 0, 0});
    // mov [0x3000], al; iretq
    put_code({0x88, 0x04, 0x25, 0, 0x30, 0, 0, 0x48, 0xcf}, handler_at);
    // lidt; mov esp; sti; nop; in al, 0x80; hlt
    start(ax::x86::StartKind::Long, {0x0f, 0x01, 0x1c, 0x25, 0, 0x40, 0, 0, 0xbc, 0, 0, 0x20, 0, 0xfb, 0x90, 0xe4, 0x80, 0xf4});
    next_is<PortRead>();
    answer(0x77);
    vectors_.waiting = 0x30;
    halts();
    EXPECT_EQ(get<u8>(0x3000), 0x77U);
}

TEST_F(KvmVcpu, an_nmi_needs_no_open_window) {
    put(0x4000, std::array<u16, 5>{0xfff, idt_at, 0, 0, 0});
    put_code({0xe6, 0x80, 0x48, 0xcf}, handler_at);  // out 0x80, al; iretq
    start(ax::x86::StartKind::Long, {0x0f, 0x01, 0x1c, 0x25, 0, 0x40, 0, 0, 0xbc, 0, 0, 0x20, 0, 0xf4, 0xf4});  // lidt; mov esp; hlt; hlt
    halts();
    vcpu_->raise_nmi();
    EXPECT_TRUE(vcpu_->has_wake_event());
    next_is<PortWrite>();
    answer(0);
    halts();
}

TEST_F(KvmVcpu, a_guest_that_does_not_exit_comes_back_when_its_time_is_up) {
    start(ax::x86::StartKind::Long, {0xeb, 0xfe});
    const u64 before = board_.now_ns();
    next_is<BudgetEnd>(20'000'000);
    const u64 passed = board_.now_ns() - before;
    EXPECT_GE(passed, 15'000'000U);
    EXPECT_LT(passed, 2'000'000'000U);
    EXPECT_GE(board_.retired, 15'000'000U);
    next_is<BudgetEnd>(1'000'000);
    next_is<BudgetEnd>(0);
}

TEST_F(KvmVcpu, the_hosts_timer_interrupts_the_guest) {
    start(ax::x86::StartKind::Long, {0xeb, 0xfe});
    board_.timer_is_due = true;
    EXPECT_EQ(next_is<HostInterrupt>().kind, HostInterruptKind::Timer);
    next_is<BudgetEnd>(1'000'000);
}

/// What was read stays read when the timer is due before KVM has it.
TEST_F(KvmVcpu, the_hosts_timer_between_an_answer_and_its_instruction_changes_neither) {
    // mov eax, [0x7e000000]; mov [0x7e000008], eax; mov dx, 0x3f8; in al, dx; out dx, al; hlt
    start(ax::x86::StartKind::Long, {0x8b, 0x04, 0x25, 0, 0, 0, 0x7e, 0x89, 0x04, 0x25, 8, 0, 0, 0x7e, 0x66, 0xba, 0xf8, 3, 0xec, 0xee, 0xf4});
    const auto interrupt = [&] {
        board_.timer_is_due = true;
        EXPECT_EQ(next_is<HostInterrupt>().kind, HostInterruptKind::Timer);
        vcpu_->finish(Answer::none());
    };
    next_is<MmioRead>();
    answer(0x1122'3344);
    interrupt();
    interrupt();
    EXPECT_EQ(next_is<MmioWrite>().value, 0x1122'3344U);
    answer(0);
    interrupt();
    next_is<PortRead>();
    answer(0x5a);
    interrupt();
    EXPECT_EQ(next_is<PortWrite>().value, 0x5aU);
    answer(0);
    interrupt();
    halts();
}

TEST_F(KvmVcpu, cpuid_is_the_cores) {
    // mov eax, 1; cpuid; mov [0x3000], ecx; hlt
    start(ax::x86::StartKind::Long, {0xb8, 1, 0, 0, 0, 0x0f, 0xa2, 0x89, 0x0c, 0x25, 0, 0x30, 0, 0, 0xf4});
    halts();
    const u32 expected = ax::x86::cpuid({}, 1, 0).ecx;
    std::array<u32, 4> host{};
    const u32 never_offered = get<u32>(0x3000) & ~expected;
    if (never_offered != 0 && __get_cpuid(1, &host[0], &host[1], &host[2], &host[3]) != 0 && (never_offered & ~host[2]) == 0)
        GTEST_SKIP() << "this KVM is paravirtual and does not intercept CPUID: the guest sees the host's";
    EXPECT_EQ(get<u32>(0x3000), expected);
}

TEST_F(KvmVcpu, msrs_are_the_cores) {
    // mov ecx, 0x1b; rdmsr; mov [0x3004], eax; mov ecx, 0x1a0; rdmsr; mov [0x3008], eax; hlt
    start(ax::x86::StartKind::Long, {0xb9, 0x1b, 0,    0,    0,    0x0f, 0x32, 0x89, 0x04, 0x25, 4,    0x30, 0, 0, 0xb9, 0xa0,
                                     1,    0,    0,    0x0f, 0x32, 0x89, 0x04, 0x25, 8,    0x30, 0,    0,    0xf4});
    for (int n = 0; n < 2; ++n) {
        EXPECT_EQ(next_is<Handled>().code, 31U);
        vcpu_->finish(Answer::none());
    }
    halts();
    EXPECT_EQ(get<u32>(0x3004), 0xfee0'0900U);
    EXPECT_EQ(get<u32>(0x3008), 1U);
}

TEST_F(KvmVcpu, an_unknown_msr_faults_and_a_fault_without_a_handler_is_a_triple_fault) {
    start(ax::x86::StartKind::Long, {0xb9, 0xad, 0xde, 0, 0, 0x0f, 0x32, 0xf4});
    EXPECT_EQ(next_is<Handled>().code, 31U);
    vcpu_->finish(Answer::none());
    static_cast<void>(next_is<CpuShutdown>());
}

TEST_F(KvmVcpu, a_deadline_in_tsc_ticks_is_one_in_board_time) {
    // rdtsc; mov ecx, 0x6e0; add edx, 1; wrmsr; rdmsr; hlt: 2^32 ticks from now
    start(ax::x86::StartKind::Long, {0x0f, 0x31, 0xb9, 0xe0, 6, 0, 0, 0x83, 0xc2, 1, 0x0f, 0x30, 0x0f, 0x32, 0xf4});
    EXPECT_EQ(next_is<Handled>().code, 32U);
    const u64 now = board_.now_ns();
    EXPECT_GT(vectors_.deadline, now + 500'000'000) << "a TSC of more than 8 GHz";
    EXPECT_LT(vectors_.deadline, now + 9'000'000'000) << "a TSC of less than 0.5 GHz";
    vcpu_->finish(Answer::none());
    EXPECT_EQ(next_is<Handled>().code, 31U);
    vcpu_->finish(Answer::none());
    halts();
}

TEST_F(KvmVcpu, a_deadline_follows_a_tsc_that_is_set) {
    // xor eax, eax; mov edx, 0x40000000; mov ecx, 0x6e0; wrmsr; dec edx; mov cl, 0x10; mov ch, 0; wrmsr; rdtsc; mov [0x3000], edx; hlt
    start(ax::x86::StartKind::Long, {0x31, 0xc0, 0xba, 0,    0,    0,    0x40, 0xb9, 0xe0, 6,    0,    0,    0x0f, 0x30, 0xff, 0xca,
                                     0xb1, 0x10, 0xb5, 0,    0x0f, 0x30, 0x0f, 0x31, 0x89, 0x14, 0x25, 0,    0x30, 0,    0,    0xf4});
    EXPECT_EQ(next_is<Handled>().code, 32U);
    EXPECT_GT(vectors_.deadline, board_.now_ns() + 100'000'000'000'000'000) << "2^62 ticks are years";
    vcpu_->finish(Answer::none());
    EXPECT_EQ(next_is<Handled>().code, 32U);
    const u64 deadline = vectors_.deadline, now = board_.now_ns();
    vcpu_->finish(Answer::none());
    halts();
    if (get<u32>(0x3000) < 0x3fff'ffff) GTEST_SKIP() << "this KVM lets nobody set a TSC";
    EXPECT_LT(deadline, now + 9'000'000'000) << "2^32 ticks are seconds";
}

TEST_F(KvmVcpu, cr8_is_the_task_priority) {
    // mov eax, 5; mov cr8, rax; hlt; mov rax, cr8; mov [0x3000], eax; hlt
    start(ax::x86::StartKind::Long, {0xb8, 5, 0, 0, 0, 0x44, 0x0f, 0x22, 0xc0, 0xf4, 0x44, 0x0f, 0x20, 0xc0, 0x89, 0x04, 0x25, 0, 0x30, 0, 0, 0xf4});
    halts();
    EXPECT_EQ(vectors_.priority, 5);
    vectors_.priority = 9;
    halts();
    EXPECT_EQ(get<u32>(0x3000), 9U);
}

TEST_F(KvmVcpu, a_reset_forgets_the_instruction_that_was_under_way) {
    start(ax::x86::StartKind::Long, {0x8b, 0x04, 0x25, 0, 0, 0, 0x7e, 0xf4});  // mov eax, [0x7e000000]; hlt
    next_is<MmioRead>();
    put_code({0xb0, 0x11, 0xe6, 0x80, 0xf4}, 0x9'0000);  // mov al, 0x11; out 0x80, al; hlt
    vcpu_->start_by_startup();
    vcpu_->reset({Gpa{0x9'0000}, 0, 0});
    EXPECT_EQ(vcpu_->pc(), Gva{0x9'0000});
    EXPECT_EQ(next_is<PortWrite>().value, 0x11U);
    answer(0);
    halts();
}

TEST_F(KvmVcpu, code_where_nothing_is_is_undefined) {
    put(0x4000, std::array<u16, 5>{0xfff, idt_at, 0, 0, 0});
    put_code({0xe6, 0x80, 0xf4}, handler_at);  // out 0x80, al; hlt
    // lidt; mov esp; mov eax, 0x7e000000; jmp rax
    start(ax::x86::StartKind::Long, {0x0f, 0x01, 0x1c, 0x25, 0, 0x40, 0, 0, 0xbc, 0, 0, 0x20, 0, 0xb8, 0, 0, 0, 0x7e, 0xff, 0xe0});
    const auto fault = next_is<Stage2Fault>();
    EXPECT_EQ(fault.gpa, Gpa{0x7e00'0000});
    EXPECT_EQ(fault.access, Access::Execute);
    vcpu_->finish(Answer::bus_fault());
    next_is<PortWrite>();
    answer(0);
    halts();
    // SDM vol. 3, "IA-32e Mode Stack Usage": no error code, so RIP is at the top.
    EXPECT_EQ(get<u64>(0x20'0000 - 40), 0x7e00'0000U);
}

TEST_F(KvmVcpu, code_is_read_through_the_guests_tables) {
    start(ax::x86::StartKind::Long, {0xf4, 0x12, 0x34, 0x56});
    halts();
    std::array<std::byte, 3> bytes{};
    ASSERT_TRUE(vcpu_->read_code(Gva{code_at + 1}, bytes));
    EXPECT_EQ(bytes[0], std::byte{0x12});
    EXPECT_EQ(bytes[2], std::byte{0x56});
    EXPECT_FALSE(vcpu_->read_code(Gva{0x7e00'0000}, bytes)) << "a device's memory";
}

TEST(KvmSystem, says_in_one_clause_what_is_missing) {
    struct Case {
        const char* path;
        const char* why;
    };
    for (const Case& c : {Case{"/nonexistent/kvm", "/nonexistent/kvm: No such file or directory"}, Case{"/dev/null", "/dev/null: this is no KVM device"}}) {
        const auto system = System::open(c.path);
        ASSERT_FALSE(system);
        EXPECT_EQ(system.error(), c.why);
    }
}

}  // namespace
}  // namespace ax::sim::kvm
