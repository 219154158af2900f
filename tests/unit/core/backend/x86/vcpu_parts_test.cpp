// x86::Vcpu: instructions that ask several things, one exit each, and their state between two of them.
#include <optional>
#include <string>

#include "sim/state/hasher.hpp"
#include "sim/state/reader.hpp"
#include "sim/state/writer.hpp"
#include "tests/unit/core/arch/x86/random.hpp"
#include "tests/unit/core/backend/x86/vcpu_fixture.hpp"

namespace ax::x86 {
namespace {

using namespace testing;

/// REP INSB of `count` from port 0x1f0 into RAM, or REP OUTSW out of it.
void start_rep_insb(Rig& r, u64 count) {
    r.gpr(Gpr::RDI) = FakeCpu::ram;
    r.gpr(Gpr::RCX) = count;
    r.cpu.exit(ExitReason::IoInstruction, [](Vmcs& v) {
        v.EXIT_QUALIFICATION = 0x01f0'0038;
        v.VM_EXIT_INSTRUCTION_INFO = 0x100;
        v.VM_EXIT_INSTRUCTION_LENGTH = 2;
    });
}
/// OR [RBX], EAX at the device: a read, then a write.
void start_or_to_device(Rig& r) {
    r.gpr(Gpr::RBX) = device.value();
    r.gpr(Gpr::RAX) = 0xf0;
    r.cpu.code[entry] = {0x09, 0x03};
    r.cpu.exit(ExitReason::EptViolation, [](Vmcs& v) {
        v.EXIT_QUALIFICATION = 0x183;
        v.GUEST_PHYSICAL_ADDRESS = v.GUEST_LINEAR_ADDRESS = device.value();
    });
}

TEST_F(X86VcpuTest, plain_ports_are_one_exit) {
    gpr(Gpr::RAX) = 0x41;
    cpu.exit(ExitReason::IoInstruction, [](Vmcs& v) {
        v.EXIT_QUALIFICATION = 0x03f8'0000;
        v.VM_EXIT_INSTRUCTION_LENGTH = 1;
    });
    const VmExit out = run();
    ASSERT_TRUE(std::holds_alternative<ax::PortWrite>(out));
    EXPECT_EQ(std::get<ax::PortWrite>(out).port, 0x3f8U);
    EXPECT_EQ(std::get<ax::PortWrite>(out).value, 0x41U);
    vcpu.finish(Answer::of_value(0));
    EXPECT_EQ(vcpu.pc(), Gva{entry + 1});
    cpu.exit(ExitReason::IoInstruction, [](Vmcs& v) { v.EXIT_QUALIFICATION = 0x03fd'0008; });
    const VmExit in = run();
    ASSERT_TRUE(std::holds_alternative<ax::PortRead>(in));
    vcpu.finish(Answer::of_value(0x60));
    EXPECT_EQ(gpr(Gpr::RAX), 0x60U);
    EXPECT_EQ(vcpu.pc(), Gva{entry + 2});
}

TEST_F(X86VcpuTest, a_port_string_is_an_exit_for_each_element) {
    start_rep_insb(rig, 3);
    for (u64 n = 0; n < 3; ++n) {
        const hal::RunStop stop = vcpu.run(100);
        ASSERT_TRUE(std::holds_alternative<ax::PortRead>(stop.exit)) << n;
        EXPECT_EQ(stop.instructions, n == 0 ? 7U : 0U);
        EXPECT_EQ(gpr(Gpr::RCX), 3 - n);
        EXPECT_EQ(vcpu.pc(), Gva{entry});
        vcpu.finish(Answer::of_value(0x10 + n));
    }
    EXPECT_EQ(vcpu.pc(), Gva{entry + 2});
    EXPECT_EQ(cpu.load(Gpa{FakeCpu::ram}, 4), 0x0012'1110U);
    EXPECT_EQ(cpu.entered.size(), 1U) << "the guest was entered once";
    EXPECT_TRUE(std::holds_alternative<BudgetEnd>(run()));
}

/// A long string gives the guest back its interrupts: it is entered again, and goes on where it was.
TEST_F(X86VcpuTest, a_long_port_string_returns_to_the_guest) {
    start_rep_insb(rig, 1000);
    u64 elements = 0;
    while (std::holds_alternative<ax::PortRead>(run())) {
        ++elements;
        ASSERT_LE(elements, 1000U);
        vcpu.finish(Answer::of_value(1));
    }
    EXPECT_GT(elements, 1U);
    EXPECT_LT(elements, 1000U);
    EXPECT_EQ(gpr(Gpr::RCX), 1000 - elements);
    EXPECT_EQ(vcpu.pc(), Gva{entry});
}

TEST_F(X86VcpuTest, a_read_modify_write_is_two_exits) {
    start_or_to_device(rig);
    const VmExit first = run();
    ASSERT_TRUE(std::holds_alternative<MmioRead>(first));
    EXPECT_EQ(std::get<MmioRead>(first).gpa, device);
    vcpu.finish(Answer::of_value(0x0f));
    EXPECT_EQ(vcpu.pc(), Gva{entry});
    const VmExit second = run();
    ASSERT_TRUE(std::holds_alternative<MmioWrite>(second));
    EXPECT_EQ(std::get<MmioWrite>(second).value, 0xffU);
    vcpu.finish(Answer::of_value(0));
    EXPECT_EQ(vcpu.pc(), Gva{entry + 2});
}

TEST_F(X86VcpuTest, no_event_comes_between_two_parts) {
    cpu.v.GUEST_RFLAGS |= Rflags::IF::mask;
    start_or_to_device(rig);
    static_cast<void>(run());
    vcpu.finish(Answer::of_value(0x0f));
    vectors.waiting.push_back(0x30);
    vcpu.raise_nmi();
    EXPECT_TRUE(std::holds_alternative<MmioWrite>(run()));
    EXPECT_EQ(cpu.v.VM_ENTRY_INTERRUPTION_INFO, 0U);
    EXPECT_EQ(vectors.waiting.size(), 1U);
}

TEST_F(X86VcpuTest, reset_forgets_what_was_left_to_ask) {
    start_rep_insb(rig, 3);
    static_cast<void>(run());
    vcpu.finish(Answer::of_value(1));
    vcpu.reset({Gpa{entry}, 2, 0});
    EXPECT_TRUE(std::holds_alternative<BudgetEnd>(run()));
}

/// A stack that nothing backs while #DF is delivered: the bus fault is one exception too many, told with the next run.
void start_third_fault(Rig& r) {
    r.cpu.exit(ExitReason::EptViolation, [](Vmcs& v) {
        v.EXIT_QUALIFICATION = 0x182;
        v.GUEST_PHYSICAL_ADDRESS = v.GUEST_LINEAR_ADDRESS = 0x7000'0000;
        v.IDT_VECTORING_INFO = 0x8000'0b08;
    });
}
void expect_triple_fault(const VmExit& stopped) {
    EXPECT_TRUE(std::holds_alternative<CpuShutdown>(stopped)) << vm_exit_names[stopped.index()];
}
TEST_F(X86VcpuTest, a_fault_while_a_double_fault_is_delivered_is_a_triple_fault) {
    start_third_fault(rig);
    ASSERT_TRUE(std::holds_alternative<Stage2Fault>(run()));
    vcpu.finish(Answer::bus_fault());
    expect_triple_fault(run());
}

// A state saved between two parts is whole: another machine goes on from it.

/// What `start` begins, answered `parts` times, then moved to another vCPU: both must do the same from there.
void expect_moves(void (*start)(Rig&), const std::vector<Answer>& answers, std::size_t parts) {
    SCOPED_TRACE(std::to_string(parts) + " parts before the move");
    Rig first, second;
    start(first);
    for (std::size_t n = 0; n < parts; ++n) {
        static_cast<void>(first.run());
        first.vcpu.finish(answers[n]);
    }
    ASSERT_TRUE(sim::restore(second.vcpu, sim::save(first.vcpu)));
    second.cpu.code = first.cpu.code;
    EXPECT_EQ(sim::hash_of(first.vcpu), sim::hash_of(second.vcpu));
    for (std::size_t n = parts; n < answers.size(); ++n) {
        const VmExit here = first.run(), there = second.run();
        EXPECT_EQ(here.index(), there.index()) << n;
        first.vcpu.finish(answers[n]);
        second.vcpu.finish(answers[n]);
        EXPECT_EQ(sim::hash_of(first.vcpu), sim::hash_of(second.vcpu)) << n;
    }
    EXPECT_EQ(first.run().index(), second.run().index());
    EXPECT_EQ(sim::hash_of(first.vcpu), sim::hash_of(second.vcpu));
}
TEST_F(X86VcpuTest, a_state_between_two_parts_goes_on_elsewhere) {
    const Answer one = Answer::of_value(1);
    for (const std::size_t parts : {1U, 2U, 3U}) {
        expect_moves([](Rig& r) { start_rep_insb(r, 3); }, {one, one, one}, parts);
        if (parts <= 2) expect_moves(start_or_to_device, {one, one}, parts);
    }
    expect_moves(start_third_fault, {Answer::bus_fault()}, 1);
}

TEST_F(X86VcpuTest, the_hash_sees_what_is_left_to_ask) {
    start_or_to_device(rig);
    static_cast<void>(run());
    const u64 before = sim::hash_of(vcpu);
    vcpu.finish(Answer::of_value(0x0f));
    const u64 between = sim::hash_of(vcpu);
    EXPECT_NE(between, before);
    Rig other;
    start_or_to_device(other);
    static_cast<void>(other.run());
    other.vcpu.finish(Answer::of_value(0x1f));
    EXPECT_NE(between, sim::hash_of(other.vcpu)) << "another value was read";
}

/// Memory that comes to be there between two parts takes the write, and the instruction is done.
TEST_F(X86VcpuTest, memory_that_appears_between_two_parts_is_used) {
    start_or_to_device(rig);
    gpr(Gpr::RBX) = FakeCpu::ram;
    cpu.entries.clear();
    cpu.exit(ExitReason::EptViolation, [](Vmcs& v) {
        v.EXIT_QUALIFICATION = 0x183;
        v.GUEST_LINEAR_ADDRESS = FakeCpu::ram;
        v.GUEST_PHYSICAL_ADDRESS = device.value();
    });
    ASSERT_TRUE(std::holds_alternative<MmioRead>(run()));
    vcpu.finish(Answer::of_value(0x0f));
    // The same access, now to RAM: as a restored state may name it.
    class Move final : public FieldVisitor {
    public:
        void word(std::string_view name, u64& value, unsigned) override {
            if (name == "gpa" && value == device.value()) value = FakeCpu::ram;
        }
        void bytes(std::string_view, std::span<std::byte>) override {}
        void enter(std::string_view, std::size_t) override {}
        void leave() override {}
    } move;
    vcpu.fields(move);
    EXPECT_TRUE(std::holds_alternative<BudgetEnd>(run()));
    EXPECT_EQ(cpu.load(Gpa{FakeCpu::ram}, 4), 0xffU);
    EXPECT_EQ(vcpu.pc(), Gva{entry + 2});
}

/// Every field may come back damaged: the vCPU runs on, whatever it then asks.
class Damage final : public FieldVisitor {
public:
    explicit Damage(u64 seed) : random_(seed), rarity_(seed % 3 == 0 ? 4 : 64) {}
    void word(std::string_view name, u64& value, unsigned bits) override {
        if (name == "has_further") {
            value = 1;
        } else if (name == "gpa" && random_.below(2) == 0) {
            value = FakeCpu::ram + random_.below(FakeCpu::ram_bytes);
        } else if (random_.below(rarity_) == 0) {
            value = random_.interesting() & (bits == 64 ? ~u64{0} : (u64{1} << bits) - 1);
        }
    }
    void bytes(std::string_view, std::span<std::byte>) override {}
    void enter(std::string_view, std::size_t) override {}
    void leave() override {}

private:
    Random random_;
    u64 rarity_;  ///< one of so many fields is damaged
};
TEST_F(X86VcpuTest, a_damaged_state_neither_crashes_nor_hangs) {
    u64 asked = 0;
    for (u64 seed = 0; seed < 20'000; ++seed) {
        Rig r;
        seed % 2 == 0 ? start_rep_insb(r, 3) : start_or_to_device(r);
        static_cast<void>(r.run());
        r.vcpu.finish(Answer::of_value(1));
        Damage damage(seed);
        r.vcpu.fields(damage);
        for (int n = 0; n < 4; ++n) {
            if (!std::holds_alternative<BudgetEnd>(r.run())) ++asked;
            r.vcpu.finish(Answer::of_value(~u64{0}));
        }
    }
    EXPECT_GT(asked, 10'000U) << "some damage must leave something to ask, or this shows nothing";
}

}  // namespace
}  // namespace ax::x86
