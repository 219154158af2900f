// Each case is a KVM exit as the kernel's documentation, "The kvm_run structure", describes it.
#include "sim/hal/kvm/exits.hpp"

#include <gtest/gtest.h>
#include <linux/kvm.h>

#include <cstring>

namespace ax::sim::kvm {
namespace {

/// The shared memory of a vCPU: the structure, and a page for the data of ports.
struct Shared {
    kvm_run run{};
    std::array<u8, 4096> data{};
};

Shared port_shared(u8 direction, u8 size, u32 count) {
    Shared shared;
    shared.run.exit_reason = KVM_EXIT_IO;
    shared.run.io.direction = direction;
    shared.run.io.size = size;
    shared.run.io.port = 0x3f8;
    shared.run.io.count = count;
    shared.run.io.data_offset = offsetof(Shared, data);
    return shared;
}

TEST(KvmExits, port_writes_are_told_one_by_one_with_no_bits_beyond_their_size) {
    Shared shared = port_shared(KVM_EXIT_IO_OUT, 2, 3);
    for (u8 i = 0; i < 8; ++i) shared.data[i] = static_cast<u8>(0x10 + i);
    EXPECT_EQ(question_of(shared.run), Question::Port);
    ASSERT_EQ(port_elements(shared.run), 3U);
    const u64 values[] = {0x1110, 0x1312, 0x1514};
    for (u32 i = 0; i < 3; ++i) {
        const VmExit exit = port_exit(shared.run, i);
        const auto* write = std::get_if<PortWrite>(&exit);
        ASSERT_NE(write, nullptr);
        EXPECT_EQ(write->port, 0x3f8);
        EXPECT_EQ(write->size, 2);
        EXPECT_EQ(write->value, values[i]);
    }
}

TEST(KvmExits, port_reads_are_answered_element_by_element) {
    for (const u8 size : {u8{1}, u8{2}, u8{4}}) {
        Shared shared = port_shared(KVM_EXIT_IO_IN, size, 2);
        shared.data.fill(0xcc);
        const VmExit exit = port_exit(shared.run, 0);
        ASSERT_TRUE(std::holds_alternative<PortRead>(exit));
        EXPECT_EQ(std::get<PortRead>(exit).size, size);
        answer_port(shared.run, 0, 0x4433'2211);
        answer_port(shared.run, 1, 0x8877'6655);
        const std::array<u8, 4> first{0x11, 0x22, 0x33, 0x44}, second{0x55, 0x66, 0x77, 0x88};
        EXPECT_EQ(std::memcmp(shared.data.data(), first.data(), size), 0);
        EXPECT_EQ(std::memcmp(shared.data.data() + size, second.data(), size), 0);
        EXPECT_EQ(shared.data[2 * std::size_t{size}], 0xcc) << "wrote behind its data";
    }
}

TEST(KvmExits, answer_to_a_port_write_changes_nothing) {
    Shared shared = port_shared(KVM_EXIT_IO_OUT, 1, 1);
    shared.data[0] = 0x5a;
    answer_port(shared.run, 0, 0xff);
    EXPECT_EQ(shared.data[0], 0x5a);
}

Shared memory_shared(bool is_write, u32 size) {
    Shared shared;
    shared.run.exit_reason = KVM_EXIT_MMIO;
    shared.run.mmio.phys_addr = 0xfec0'0010;
    shared.run.mmio.len = size;
    shared.run.mmio.is_write = is_write ? 1 : 0;
    for (u8 i = 0; i < 8; ++i) shared.run.mmio.data[i] = static_cast<u8>(0xa0 + i);
    return shared;
}

TEST(KvmExits, memory_accesses_carry_address_size_and_value) {
    const u64 values[] = {0xa0, 0xa1a0, 0xa3a2'a1a0, 0xa7a6'a5a4'a3a2'a1a0};
    for (unsigned log = 0; log < 4; ++log) {
        const u32 size = 1U << log;
        const VmExit write = memory_exit(memory_shared(true, size).run);
        ASSERT_TRUE(std::holds_alternative<MmioWrite>(write));
        EXPECT_EQ(std::get<MmioWrite>(write).gpa, Gpa{0xfec0'0010});
        EXPECT_EQ(std::get<MmioWrite>(write).size, size);
        EXPECT_EQ(std::get<MmioWrite>(write).value, values[log]);
        Shared shared = memory_shared(false, size);
        const VmExit read = memory_exit(shared.run);
        ASSERT_TRUE(std::holds_alternative<MmioRead>(read));
        EXPECT_EQ(std::get<MmioRead>(read).size, size);
        answer_memory(shared.run, 0x1234'5678'9abc'def0);
        u64 answered = 0;
        std::memcpy(&answered, shared.run.mmio.data, 8);
        EXPECT_EQ(answered, 0x1234'5678'9abc'def0);
    }
}

TEST(KvmExits, memory_accesses_of_odd_sizes_are_faults) {
    for (const u32 size : {3U, 5U, 6U, 7U}) {
        const VmExit exit = memory_exit(memory_shared(true, size).run);
        ASSERT_TRUE(std::holds_alternative<Stage2Fault>(exit)) << size;
        EXPECT_EQ(std::get<Stage2Fault>(exit).access, Access::Write);
        EXPECT_EQ(std::get<Stage2Fault>(memory_exit(memory_shared(false, size).run)).access, Access::Read);
    }
}

TEST(KvmExits, what_asks_nothing_has_its_neutral_word) {
    kvm_run run{};
    const auto exit = [&](u32 reason) {
        run.exit_reason = reason;
        return other_exit(run);
    };
    EXPECT_TRUE(std::holds_alternative<WaitForInterrupt>(exit(KVM_EXIT_HLT)));
    EXPECT_EQ(std::get<Handled>(exit(KVM_EXIT_IRQ_WINDOW_OPEN)).code, 7U);  // SDM vol. 3, appendix "VMX Basic Exit Reasons"
    EXPECT_EQ(std::get<Handled>(exit(KVM_EXIT_X86_RDMSR)).code, 31U);
    EXPECT_EQ(std::get<Handled>(exit(KVM_EXIT_X86_WRMSR)).code, 32U);
    run.s.regs.sregs.cr2 = 0x1234;
    EXPECT_EQ(std::get<CpuShutdown>(exit(KVM_EXIT_SHUTDOWN)).address, 0x1234U);
    run.internal.suberror = KVM_INTERNAL_ERROR_EMULATION;
    EXPECT_EQ(std::get<Unhandled>(exit(KVM_EXIT_INTERNAL_ERROR)).cause, kvm_cause + 17);
    run.fail_entry.hardware_entry_failure_reason = 0x8000'0021;
    EXPECT_EQ(std::get<EntryFailure>(exit(KVM_EXIT_FAIL_ENTRY)).reason, 0x8000'0021U);
    EXPECT_EQ(std::get<Unhandled>(exit(KVM_EXIT_NMI)).cause, kvm_cause + KVM_EXIT_NMI);
    run.system_event.type = KVM_SYSTEM_EVENT_RESET;
    EXPECT_EQ(std::get<PowerCall>(exit(KVM_EXIT_SYSTEM_EVENT)).op, PowerOp::SystemReset);
    run.system_event.type = KVM_SYSTEM_EVENT_SHUTDOWN;
    EXPECT_EQ(std::get<PowerCall>(exit(KVM_EXIT_SYSTEM_EVENT)).op, PowerOp::SystemOff);
    run.system_event.type = KVM_SYSTEM_EVENT_CRASH;
    EXPECT_TRUE(std::holds_alternative<Unhandled>(exit(KVM_EXIT_SYSTEM_EVENT)));
}

TEST(KvmExits, only_exits_within_an_instruction_leave_a_question) {
    struct Case {
        u32 reason;
        Question question;
    };
    for (const Case& c : {Case{KVM_EXIT_IO, Question::Port}, Case{KVM_EXIT_MMIO, Question::Memory}, Case{KVM_EXIT_X86_RDMSR, Question::Served},
                          Case{KVM_EXIT_X86_WRMSR, Question::Served}, Case{KVM_EXIT_HLT, Question::None}, Case{KVM_EXIT_SHUTDOWN, Question::None}}) {
        kvm_run run{};
        run.exit_reason = c.reason;
        EXPECT_EQ(question_of(run), c.question) << c.reason;
    }
}

}  // namespace
}  // namespace ax::sim::kvm
