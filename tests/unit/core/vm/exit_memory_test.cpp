// Exits that touch memory: devices, lazily populated pages, and addresses where nothing is.
#include "tests/unit/core/vm/vm_fixture.hpp"

namespace ax::vm::test {
namespace {

class ExitMemoryTest : public VmTest {
protected:
    void SetUp() override { build(2); }
};

TEST_F(ExitMemoryTest, device_answers_a_load) { EXPECT_EQ(answer(MmioRead{device + 8, 4}), Answer::of_value(0x1234 + 8)); }

TEST_F(ExitMemoryTest, device_takes_a_store) {
    EXPECT_EQ(answer(MmioWrite{device, 8, 77}), Answer::of_value(0));
    EXPECT_EQ(guest->registers.value, 77U);
}

TEST_F(ExitMemoryTest, ports_are_a_space_of_their_own) {
    RegisterDevice ports;
    ASSERT_TRUE(guest->ports.attach({Gpa{0x3f8}, 0x10}, ports));
    EXPECT_EQ(answer(PortRead{0x3fc, 4}), Answer::of_value(0x1234 + 4));
    EXPECT_EQ(answer(PortWrite{0x3f8, 2, 0x55}), Answer::of_value(0));
    EXPECT_EQ(ports.value, 0x55U);
    EXPECT_EQ(guest->registers.value, 0x1234U);  // the device in memory is untouched
}

/// A bus without a device floats high; what a device refuses is as if it were not there. Never a fault.
TEST_F(ExitMemoryTest, ports_without_a_device_read_as_ones) {
    RegisterDevice ports;
    ASSERT_TRUE(guest->ports.attach({Gpa{0x3f8}, 0x10}, ports));
    for (const u16 port : {u16{0x80}, u16{0x3f8}, u16{0xffff}}) {
        EXPECT_EQ(answer(PortRead{port, 1}), Answer::of_value(0xff));
        EXPECT_EQ(answer(PortWrite{port, 1, 0}), Answer::of_value(0));
    }
    EXPECT_EQ(answer(PortRead{0x80, 2}), Answer::of_value(0xffff));
    EXPECT_EQ(answer(PortRead{0xffff, 4}), Answer::of_value(0xffff'ffff));
    EXPECT_EQ(ports.value, 0x1234U);  // as it was made
}

struct FaultCase {
    const char* name;
    VmExit exit;
    AnswerKind kind;
};
const FaultCase fault_cases[] = {
    {"load from nowhere", MmioRead{nowhere, 4}, AnswerKind::BusFault},
    {"store to nowhere", MmioWrite{nowhere, 4, 1}, AnswerKind::BusFault},
    {"load that the device refuses", MmioRead{device, 1}, AnswerKind::BusFault},
    {"store that the device refuses", MmioWrite{device, 1, 1}, AnswerKind::BusFault},
    {"load across the end of the device", MmioRead{device + 0xffe, 4}, AnswerKind::BusFault},
    {"fetch from a device", Stage2Fault{device, Access::Execute}, AnswerKind::BusFault},
    {"fetch from nowhere", Stage2Fault{nowhere, Access::Execute}, AnswerKind::BusFault},
    {"walk through nowhere", Stage2Fault{nowhere, Access::Read, true}, AnswerKind::BusFault},
    {"store to read-only memory", MmioWrite{rom, 4, 1}, AnswerKind::BusFault},
    {"fetch from memory without code", Stage2Fault{rom, Access::Execute}, AnswerKind::BusFault},
    {"load beyond the guest physical space", MmioRead{Gpa{~u64{0}}, 1}, AnswerKind::BusFault},
    {"load that another vCPU's touch already serves", MmioRead{ram, 8}, AnswerKind::Retry},
    {"first load from a lazy page", MmioRead{lazy, 8}, AnswerKind::Retry},
    {"first store to a lazy page", MmioWrite{lazy + 0x1008, 8, 1}, AnswerKind::Retry},
    {"first fetch from a lazy page", Stage2Fault{lazy + 0x2000, Access::Execute}, AnswerKind::Retry},
    {"page table in a lazy page", Stage2Fault{lazy + 0x3000, Access::Write, true}, AnswerKind::Retry},
};

TEST_F(ExitMemoryTest, exit_without_a_device_retries_or_faults) {
    for (const FaultCase& c : fault_cases) {
        EXPECT_EQ(exit(c.exit).answer.kind, c.kind) << c.name;
        EXPECT_EQ(vm().status(), VmStatus::Running) << c.name;
    }
}

TEST_F(ExitMemoryTest, first_touch_maps_one_page_and_only_one) {
    const u64 before = host.free_frames();
    EXPECT_EQ(answer(MmioRead{lazy + 0x4010, 8}), Answer::retry());
    EXPECT_TRUE(guest->mapper.translate(lazy + 0x4000));
    EXPECT_FALSE(guest->mapper.translate(lazy + 0x5000));
    const u64 after_first = host.free_frames();
    EXPECT_LT(after_first, before);
    EXPECT_EQ(answer(MmioRead{lazy + 0x4ff8, 8}), Answer::retry());
    EXPECT_EQ(host.free_frames(), after_first);
}

TEST_F(ExitMemoryTest, refused_store_leaves_the_device_alone) {
    static_cast<void>(exit(MmioWrite{device, 1, 99}));
    static_cast<void>(exit(MmioWrite{device + 0xffc, 8, 99}));
    EXPECT_EQ(guest->registers.value, 0x1234U);
}

TEST_F(ExitMemoryTest, lazy_page_without_host_memory_stops_the_vm) {
    Hpa rest;
    while (host.allocate(1, page_size, rest)) continue;
    static_cast<void>(exit(MmioWrite{lazy, 8, 1}, 1));
    EXPECT_EQ(vm().status(), VmStatus::Stopped);
    EXPECT_EQ(vm().stop_state().reason, StopReason::Failed);
    EXPECT_EQ(vm().stop_state().vcpu, VcpuId{1});
    EXPECT_EQ(vm().stop_state().detail, lazy.value());
}

/// Faults that a VM survives in a row; the next one ends it.
constexpr int survived_faults = 64;

TEST_F(ExitMemoryTest, faults_without_progress_stop_the_vm) {
    cpu().set_pc(Gva{0x4242});
    for (int i = 0; i < survived_faults; ++i) {
        ASSERT_EQ(exit(Stage2Fault{nowhere, Access::Execute}, 0, 0).answer.kind, AnswerKind::BusFault) << i;
        ASSERT_EQ(vm().status(), VmStatus::Running) << i;
    }
    static_cast<void>(exit(Stage2Fault{nowhere, Access::Execute}, 0, 0));
    EXPECT_EQ(vm().status(), VmStatus::Stopped);
    EXPECT_EQ(vm().stop_state().reason, StopReason::Failed);
    EXPECT_EQ(vm().stop_state().detail, nowhere.value());
    EXPECT_EQ(vm().stop_state().pc, Gva{0x4242});
}

TEST_F(ExitMemoryTest, faults_with_progress_go_on_for_ever) {
    for (int i = 0; i < 4 * survived_faults; ++i) static_cast<void>(exit(MmioRead{nowhere, 4}, 0, 1));
    EXPECT_EQ(vm().status(), VmStatus::Running);
}

TEST_F(ExitMemoryTest, fault_streaks_of_vcpus_are_their_own) {
    guest->power_on(1);
    for (int i = 0; i < survived_faults; ++i) {
        static_cast<void>(exit(MmioRead{nowhere, 4}, 0, 0));
        static_cast<void>(exit(MmioRead{nowhere, 4}, 1, 0));
    }
    EXPECT_EQ(vm().status(), VmStatus::Running);
}

TEST_F(ExitMemoryTest, undefined_instructions_without_progress_stop_the_vm) {
    for (int i = 0; i < survived_faults; ++i) {
        ASSERT_EQ(exit(UndefinedInstruction{0xdead}, 0, 0).answer, Answer::undefined()) << i;
    }
    static_cast<void>(exit(UndefinedInstruction{0xdead}, 0, 0));
    EXPECT_EQ(vm().stop_state().reason, StopReason::Failed);
    EXPECT_EQ(vm().stop_state().cause, 0xdeadU);
}

/// Where a run is cut must not show: instructions before a budget's end are progress like any others.
TEST_F(ExitMemoryTest, progress_before_a_budget_end_breaks_a_fault_streak) {
    for (int i = 0; i < 2 * survived_faults; ++i) {
        cpu().add(BudgetEnd{}, 5);
        cpu().add(MmioRead{nowhere, 4}, 0);
        static_cast<void>(vmm.step(PcpuId{0}, 5));
        static_cast<void>(vmm.step(PcpuId{0}, 5));
        ASSERT_EQ(task().fault_streak(), 1U);
    }
    EXPECT_EQ(vm().status(), VmStatus::Running);
}

}  // namespace
}  // namespace ax::vm::test
