// From the exit to the guest's registers: whole instructions against a device that is asked step by step.
#include <gtest/gtest.h>

#include "core/arch/x86/cr_values.hpp"
#include "core/arch/x86/guest.hpp"
#include "tests/unit/core/arch/x86/fake_guest.hpp"
#include "tests/unit/core/arch/x86/show.hpp"

namespace ax::x86::testing {
namespace {

/// Decodes, then answers questions one by one; what was asked, joined by " | ".
std::string run(FakeGuest& fake, const std::vector<Answer>& answers) {
    Guest guest = fake.guest();
    Decoded decoded = decode(guest);
    std::string text = show(decoded.question);
    for (const Answer& answer : answers) {
        const auto next = complete(decoded.completion, answer, guest);
        text += " | " + show(next);
        if (!next) break;
    }
    return text;
}

struct MmioCase {
    const char* what;
    std::vector<u8> code;
    u64 offset;  ///< in the device
    bool is_write;
    std::vector<Answer> answers;
    const char* asked;
    Gpr reg;
    u64 value;   ///< of `reg` afterwards
    u64 status;  ///< status flags afterwards
};

constexpr u64 rdx = FakeGuest::pattern(2);
const Answer done = Answer::of_value(0);

// SDM vol. 2, the instruction's page. RAX is 0x8877665544332200, RDX 0x8877665544332202, RCX 3.
// clang-format off
const MmioCase mmio_cases[] = {
    {"mov eax,[rbx] clears the upper half", {0x8b, 0x03}, 0, false, {Answer::of_value(0x1234'5678)}, "mmio-read 0xfee00000 size 4 | done", Gpr::RAX, 0x1234'5678, 0},
    {"mov ax,[rbx] keeps the rest", {0x66, 0x8b, 0x03}, 0, false, {Answer::of_value(0xffff'ffff)}, "mmio-read 0xfee00000 size 2 | done", Gpr::RAX, 0x8877'6655'4433'ffff, 0},
    {"mov ah,[rbx] is the second byte", {0x8a, 0x23}, 0, false, {Answer::of_value(0xee)}, "mmio-read 0xfee00000 size 1 | done", Gpr::RAX, 0x8877'6655'4433'ee00, 0},
    {"mov rdx,[rbx]", {0x48, 0x8b, 0x13}, 0, false, {Answer::of_value(~u64{0})}, "mmio-read 0xfee00000 size 8 | done", Gpr::RDX, ~u64{0}, 0},
    {"movsx eax,byte", {0x0f, 0xbe, 0x03}, 0, false, {Answer::of_value(0x80)}, "mmio-read 0xfee00000 size 1 | done", Gpr::RAX, 0xffff'ff80, 0},
    {"movzx rax,word", {0x48, 0x0f, 0xb7, 0x03}, 0, false, {Answer::of_value(0xfedc)}, "mmio-read 0xfee00000 size 2 | done", Gpr::RAX, 0xfedc, 0},
    {"movsxd rax,dword", {0x48, 0x63, 0x03}, 0, false, {Answer::of_value(0x8000'0000)}, "mmio-read 0xfee00000 size 4 | done", Gpr::RAX, 0xffff'ffff'8000'0000, 0},
    {"mov [rbx],edx", {0x89, 0x13}, 0, true, {done}, "mmio-write 0xfee00000 size 4 value 0x44332202 | done", Gpr::RDX, rdx, 0},
    {"mov [rbx],dh", {0x88, 0x33}, 0, true, {done}, "mmio-write 0xfee00000 size 1 value 0x22 | done", Gpr::RDX, rdx, 0},
    {"mov qword, immediate", {0x48, 0xc7, 0x03, 0xfe, 0xff, 0xff, 0xff}, 0, true, {done}, "mmio-write 0xfee00000 size 8 value 0xfffffffffffffffe | done", Gpr::RDX, rdx, 0},
    {"or dword,8", {0x83, 0x0b, 0x08}, 0, false, {Answer::of_value(0x8000'0000), done}, "mmio-read 0xfee00000 size 4 | mmio-write 0xfee00000 size 4 value 0x80000008 | done", Gpr::RDX, rdx, 0x80},
    {"and eax,[rbx]", {0x23, 0x03}, 0, false, {Answer::of_value(0xff)}, "mmio-read 0xfee00000 size 4 | done", Gpr::RAX, 0, 0x44},
    {"sub byte,1 from 0", {0x80, 0x2b, 0x01}, 0, false, {Answer::of_value(0), done}, "mmio-read 0xfee00000 size 1 | mmio-write 0xfee00000 size 1 value 0xff | done", Gpr::RDX, rdx, 0x95},
    {"cmp dword,0", {0x83, 0x3b, 0x00}, 0, false, {Answer::of_value(0)}, "mmio-read 0xfee00000 size 4 | done", Gpr::RDX, rdx, 0x44},
    {"test byte,0x40", {0xf6, 0x03, 0x40}, 0, false, {Answer::of_value(0xbf)}, "mmio-read 0xfee00000 size 1 | done", Gpr::RDX, rdx, 0x44},
    {"xchg [rbx],edx", {0x87, 0x13}, 0, false, {Answer::of_value(7), done}, "mmio-read 0xfee00000 size 4 | mmio-write 0xfee00000 size 4 value 0x44332202 | done", Gpr::RDX, 7, 0},
    {"cmpxchg that matches", {0x0f, 0xb1, 0x13}, 0, false, {Answer::of_value(0x4433'2200), done}, "mmio-read 0xfee00000 size 4 | mmio-write 0xfee00000 size 4 value 0x44332202 | done", Gpr::RAX, FakeGuest::pattern(0), 0x44},
    {"cmpxchg that does not", {0x0f, 0xb1, 0x13}, 0, false, {Answer::of_value(0x4433'2201), done}, "mmio-read 0xfee00000 size 4 | mmio-write 0xfee00000 size 4 value 0x44332201 | done", Gpr::RAX, 0x4433'2201, 0x95},
    {"xadd [rbx],edx", {0x0f, 0xc1, 0x13}, 0, false, {Answer::of_value(0x10), done}, "mmio-read 0xfee00000 size 4 | mmio-write 0xfee00000 size 4 value 0x44332212 | done", Gpr::RDX, 0x10, 0x04},
    {"inc dword", {0xff, 0x03}, 0, false, {Answer::of_value(0xffff'ffff), done}, "mmio-read 0xfee00000 size 4 | mmio-write 0xfee00000 size 4 value 0x0 | done", Gpr::RDX, rdx, 0x54},
    {"neg dword", {0xf7, 0x1b}, 0, false, {Answer::of_value(1), done}, "mmio-read 0xfee00000 size 4 | mmio-write 0xfee00000 size 4 value 0xffffffff | done", Gpr::RDX, rdx, 0x95},
    {"not dword", {0xf7, 0x13}, 0, false, {Answer::of_value(0xf), done}, "mmio-read 0xfee00000 size 4 | mmio-write 0xfee00000 size 4 value 0xfffffff0 | done", Gpr::RDX, rdx, 0},
    {"bts dword,4", {0x0f, 0xba, 0x2b, 0x04}, 0, false, {Answer::of_value(0x10), done}, "mmio-read 0xfee00000 size 4 | mmio-write 0xfee00000 size 4 value 0x10 | done", Gpr::RDX, rdx, 0x01},
    {"btr dword,4", {0x0f, 0xba, 0x33, 0x04}, 0, false, {Answer::of_value(0x11), done}, "mmio-read 0xfee00000 size 4 | mmio-write 0xfee00000 size 4 value 0x1 | done", Gpr::RDX, rdx, 0x01},
    {"stosb", {0xaa}, 0, true, {done}, "mmio-write 0xfee00000 size 1 value 0x0 | done", Gpr::RDI, FakeGuest::device + 1, 0},
    {"movsd to the device", {0xa5}, 0, true, {done}, "mmio-write 0xfee00000 size 4 value 0x0 | done", Gpr::RSI, FakeGuest::ram + 4, 0},
    {"a read that nothing answers", {0x8b, 0x03}, 0, false, {Answer::bus_fault()}, "mmio-read 0xfee00000 size 4 | done", Gpr::RAX, 0xffff'ffff, 0},
    {"a write that nobody takes", {0x89, 0x13}, 0, true, {Answer::bus_fault()}, "mmio-write 0xfee00000 size 4 value 0x44332202 | done", Gpr::RDX, rdx, 0},
};

// clang-format on

TEST(X86Complete, device_instructions_do_what_the_manual_says) {
    for (const MmioCase& c : mmio_cases) {
        SCOPED_TRACE(c.what);
        FakeGuest fake;
        fake.code = c.code;
        fake.violate(FakeGuest::device + c.offset, c.is_write);
        fake.vmcs.GUEST_INTERRUPTIBILITY_STATE = 1;
        EXPECT_EQ(run(fake, c.answers), c.asked);
        EXPECT_EQ(fake.regs.gprs[c.reg], c.value);
        EXPECT_EQ(fake.vmcs.GUEST_RFLAGS & Rflags::status, c.status);
        EXPECT_EQ(fake.vmcs.GUEST_RIP, FakeGuest::code_at + c.code.size());
        EXPECT_EQ(fake.vmcs.GUEST_INTERRUPTIBILITY_STATE, 0U);
        EXPECT_EQ(show_event(fake.vmcs), "");
    }
}

TEST(X86Complete, single_step_is_pending_behind_a_completed_instruction) {
    FakeGuest fake;
    fake.code = {0x8b, 0x03};
    fake.violate(FakeGuest::device, false);
    fake.vmcs.GUEST_RFLAGS = 0x1'0102;  // RF and TF
    EXPECT_EQ(run(fake, {done}), "mmio-read 0xfee00000 size 4 | done");
    EXPECT_EQ(fake.vmcs.GUEST_PENDING_DEBUG_EXCEPTIONS, 0x4000U);
    EXPECT_EQ(fake.vmcs.GUEST_RFLAGS, 0x102U);
}

TEST(X86Complete, repeated_store_takes_one_element_an_exit) {
    FakeGuest fake;
    fake.code = {0xf3, 0xab};
    for (u64 left = 3; left > 0; --left) {
        const u64 at = fake.regs.gprs[Gpr::RDI];
        EXPECT_EQ(fake.regs.gprs[Gpr::RCX], left);
        EXPECT_EQ(fake.vmcs.GUEST_RIP, FakeGuest::code_at);
        fake.violate(at, true);
        EXPECT_EQ(run(fake, {done}), "mmio-write " + hex(at) + " size 4 value 0x44332200 | done");
        EXPECT_EQ(fake.regs.gprs[Gpr::RDI], at + 4);
    }
    EXPECT_EQ(fake.vmcs.GUEST_RIP, FakeGuest::code_at + 2);
    EXPECT_EQ(fake.regs.gprs[Gpr::RCX], 0U);
}

TEST(X86Complete, direction_flag_counts_down_in_the_width_of_the_address) {
    FakeGuest fake;
    fake.code = {0x67, 0xf3, 0xaa};
    fake.vmcs.GUEST_RFLAGS |= Rflags::DF::mask;
    fake.regs.gprs[Gpr::RDI] = 0xffff'ffff'0000'0000 | FakeGuest::device;
    fake.regs.gprs[Gpr::RCX] = 0xffff'ffff'0000'0001;
    fake.violate(FakeGuest::device, true);
    EXPECT_EQ(run(fake, {done}), "mmio-write 0xfee00000 size 1 value 0x0 | done");
    EXPECT_EQ(fake.regs.gprs[Gpr::RDI], FakeGuest::device - 1);
    EXPECT_EQ(fake.regs.gprs[Gpr::RCX], 0U);
    EXPECT_EQ(fake.vmcs.GUEST_RIP, FakeGuest::code_at + 3);
}

TEST(X86Complete, device_data_reaches_memory_that_appears_meanwhile) {
    FakeGuest fake;
    fake.code = {0xa5};
    fake.device_bytes = 2 * page_size;
    fake.regs.gprs[Gpr::RSI] = FakeGuest::device;
    fake.regs.gprs[Gpr::RDI] = FakeGuest::device + page_size;  // not backed yet
    fake.violate(FakeGuest::device, false);
    EXPECT_EQ(run(fake, {Answer::of_value(0xabcd), Answer::retry(), Answer::retry()}),
              "mmio-read 0xfee00000 size 4 | mmio-write 0xfee01000 size 4 value 0xabcd | "
              "mmio-write 0xfee01000 size 4 value 0xabcd | done");
    EXPECT_EQ(fake.vmcs.GUEST_RIP, FakeGuest::code_at + 1);
}

TEST(X86Complete, retry_before_any_answer_changes_nothing) {
    FakeGuest fake;
    fake.code = {0x83, 0x0b, 0x08};
    fake.violate(FakeGuest::device, true);
    const Vmcs before = fake.vmcs;
    EXPECT_EQ(run(fake, {Answer::retry()}), "mmio-read 0xfee00000 size 4 | done");
    EXPECT_EQ(fake.vmcs, before);
    fake.code = {0xa5};
    EXPECT_EQ(run(fake, {Answer::none()}), "mmio-write 0xfee00000 size 4 value 0x0 | done");
    EXPECT_EQ(fake.vmcs, before);
}

TEST(X86Complete, access_across_a_page_asks_for_memory_first) {
    FakeGuest fake;
    fake.code = {0x8b, 0x83, 0xfe, 0x0f, 0x00, 0x00};
    fake.device_bytes = 2 * page_size;
    fake.violate(FakeGuest::device + 0xffe, false);
    EXPECT_EQ(run(fake, {Answer::bus_fault()}), "stage2-fault 0xfee00ffe read | done");
    EXPECT_EQ(fake.regs.gprs[Gpr::RAX], 0xffff'ffffU);
    EXPECT_EQ(fake.vmcs.GUEST_RIP, FakeGuest::code_at + 6);
}

struct PortCase {
    const char* what;
    u64 qualification, info;
    std::vector<Answer> answers;
    const char* asked;
    Gpr reg;
    u64 value;
    bool is_over;  ///< stepped over
};

// SDM vol. 2, IN, OUT, INS, OUTS.
TEST(X86Complete, ports) {
    const PortCase cases[] = {
        {"in al,dx", 0x03fd'0008, 0, {Answer::of_value(0x60)}, "port-read 0x3fd size 1 | done", Gpr::RAX, 0x8877'6655'4433'2260, true},
        {"in ax,dx",
         0x01f0'0009,
         0,
         {Answer::of_value(0x1'abcd)},
         "port-read 0x1f0 size 2 | done",
         Gpr::RAX,
         0x8877'6655'4433'abcd,
         true},
        {"in eax,dx", 0x0cfc'000b, 0, {Answer::of_value(0x1237'8086)}, "port-read 0xcfc size 4 | done", Gpr::RAX, 0x1237'8086, true},
        {"in al,dx from nowhere",
         0x03fd'0008,
         0,
         {Answer::bus_fault()},
         "port-read 0x3fd size 1 | done",
         Gpr::RAX,
         0x8877'6655'4433'22ff,
         true},
        {"out dx,al", 0x03f8'0000, 0, {done}, "port-write 0x3f8 size 1 value 0x0 | done", Gpr::RAX, 0x8877'6655'4433'2200, true},
        {"out dx,al to nowhere",
         0x03f8'0000,
         0,
         {Answer::bus_fault()},
         "port-write 0x3f8 size 1 value 0x0 | done",
         Gpr::RAX,
         0x8877'6655'4433'2200,
         true},
        {"outsb", 0x03f8'0010, 0x1'8100, {done}, "port-write 0x3f8 size 1 value 0x11 | done", Gpr::RSI, FakeGuest::ram + 1, true},
        {"rep outsw, all in one go",
         0x01f0'0031,
         0x1'8100,
         {done, done, done},
         "port-write 0x1f0 size 2 value 0x2211 | port-write 0x1f0 size 2 value 0x4433 | port-write 0x1f0 size 2 value 0x6655 | done",
         Gpr::RCX,
         0,
         true},
        {"rep outsb, given up after two",
         0x03f8'0030,
         0x1'8100,
         {done, done, Answer::none()},
         "port-write 0x3f8 size 1 value 0x11 | port-write 0x3f8 size 1 value 0x22 | port-write 0x3f8 size 1 value 0x33 | done",
         Gpr::RCX,
         1,
         false},
    };
    for (const PortCase& c : cases) {
        SCOPED_TRACE(c.what);
        FakeGuest fake;
        for (unsigned i = 0; i < 6; ++i) fake.memory[i] = static_cast<u8>(0x11 * (i + 1));
        fake.vmcs.EXIT_REASON = 30;
        fake.vmcs.EXIT_QUALIFICATION = c.qualification;
        fake.vmcs.VM_EXIT_INSTRUCTION_INFO = static_cast<u32>(c.info);
        fake.vmcs.VM_EXIT_INSTRUCTION_LENGTH = 1;
        EXPECT_EQ(run(fake, c.answers), c.asked);
        EXPECT_EQ(fake.regs.gprs[c.reg], c.value);
        EXPECT_EQ(fake.vmcs.GUEST_RIP, FakeGuest::code_at + (c.is_over ? 1U : 0U));
    }
}

TEST(X86Complete, input_string_fills_memory_up_to_the_end_of_its_page) {
    FakeGuest fake;
    fake.regs.gprs[Gpr::RDI] = FakeGuest::ram + page_size - 2;
    fake.regs.gprs[Gpr::RCX] = 5;
    fake.vmcs.EXIT_REASON = 30;
    fake.vmcs.EXIT_QUALIFICATION = 0x0511'0038;
    fake.vmcs.VM_EXIT_INSTRUCTION_INFO = 0x100;
    fake.vmcs.VM_EXIT_INSTRUCTION_LENGTH = 2;
    const auto in = [](u64 v) { return Answer::of_value(v); };
    EXPECT_EQ(run(fake, {in(1), in(2), in(3), in(4), in(5)}),
              "port-read 0x511 size 1 | port-read 0x511 size 1 | port-read 0x511 size 1 | port-read 0x511 size 1 | port-read 0x511 size 1 | done");
    for (unsigned i = 0; i < 5; ++i) EXPECT_EQ(fake.memory[page_size - 2 + i], i + 1);
    EXPECT_EQ(fake.vmcs.GUEST_RIP, FakeGuest::code_at + 2);
}

TEST(X86Complete, a_port_string_ends_its_turn_after_its_most_elements) {
    FakeGuest fake;
    fake.regs.gprs[Gpr::RDI] = FakeGuest::ram;
    fake.regs.gprs[Gpr::RCX] = 1000;
    fake.vmcs.EXIT_REASON = 30;
    fake.vmcs.EXIT_QUALIFICATION = 0x0511'0038;
    fake.vmcs.VM_EXIT_INSTRUCTION_INFO = 0x100;
    fake.vmcs.VM_EXIT_INSTRUCTION_LENGTH = 2;
    Guest guest = fake.guest();
    Decoded decoded = decode(guest);
    unsigned asked = 1;
    while (complete(decoded.completion, done, guest)) ++asked;
    EXPECT_EQ(asked, 257U);
    EXPECT_EQ(fake.regs.gprs[Gpr::RCX], 1000U - asked);
    EXPECT_EQ(fake.vmcs.GUEST_RIP, FakeGuest::code_at);
}

TEST(X86Complete, msr_cpuid_time_and_priority_fill_their_registers) {
    FakeGuest fake;
    Guest guest = fake.guest();
    fake.vmcs.VM_EXIT_INSTRUCTION_LENGTH = 2;
    fake.vmcs.EXIT_REASON = 31;
    Decoded d = decode(guest);
    EXPECT_FALSE(complete(d.completion, Answer::of_value(0x1122'3344'5566'7788), guest));
    EXPECT_EQ(fake.regs.gprs[Gpr::RAX], 0x5566'7788U);
    EXPECT_EQ(fake.regs.gprs[Gpr::RDX], 0x1122'3344U);
    EXPECT_EQ(fake.vmcs.GUEST_RIP, FakeGuest::code_at + 2);
    d = decode(guest);
    EXPECT_FALSE(complete(d.completion, Answer::bus_fault(), guest));
    EXPECT_EQ(show_event(fake.vmcs), "#13 code 0x0");
    EXPECT_EQ(fake.vmcs.GUEST_RIP, FakeGuest::code_at + 2);
    fake.vmcs.EXIT_REASON = 10;
    d = decode(guest);
    complete_cpuid(d.completion, {1, 2, 3, 4}, guest);
    EXPECT_EQ(fake.regs.gprs[Gpr::RBX], 2U);
    EXPECT_EQ(fake.regs.gprs[Gpr::RDX], 4U);
    fake.vmcs.EXIT_REASON = 51;
    fake.regs.IA32_TSC_AUX = 0x77;
    d = decode(guest);
    EXPECT_FALSE(complete(d.completion, Answer::of_value(0x9'0000'0001), guest));
    EXPECT_EQ(fake.regs.gprs[Gpr::RAX], 1U);
    EXPECT_EQ(fake.regs.gprs[Gpr::RDX], 9U);
    EXPECT_EQ(fake.regs.gprs[Gpr::RCX], 0x77U);
    fake.vmcs.EXIT_REASON = 28;
    fake.vmcs.EXIT_QUALIFICATION = 0x918;
    d = decode(guest);
    EXPECT_FALSE(complete(d.completion, Answer::of_value(0xf5), guest));
    EXPECT_EQ(fake.regs.gprs[Gpr::R9], 5U);
    EXPECT_EQ(fake.vmcs.GUEST_RIP, FakeGuest::code_at + 8);
}

// SDM vol. 3, "Initializing IA-32e Mode", and "PDPTE Registers".
TEST(X86Complete, control_registers_change_mode_and_load_pdptes) {
    FakeGuest fake(CodeSize::Code32);
    Guest guest = fake.guest();
    fake.vmcs.VM_EXIT_INSTRUCTION_LENGTH = 3;
    fake.vmcs.EXIT_REASON = 28;
    fake.vmcs.EXIT_QUALIFICATION = 0;
    set_guest_cr4(fake.vmcs, 0x20);
    fake.vmcs.GUEST_IA32_EFER = Efer::LME::mask;
    fake.regs.gprs[Gpr::RAX] = 0x8000'0011;
    EXPECT_EQ(run(fake, {done}), "arch-call 28 0x0 | done");
    EXPECT_EQ(fake.vmcs.GUEST_IA32_EFER, 0x500U);
    EXPECT_TRUE(EntryControls::Ia32eModeGuest::test(fake.vmcs.VM_ENTRY_CONTROLS));
    EXPECT_EQ(fake.vmcs.GUEST_CR0, 0x8000'0031U);
    fake.regs.gprs[Gpr::RAX] = 0x11;
    EXPECT_EQ(run(fake, {done}), "arch-call 28 0x0 | done");
    EXPECT_EQ(fake.vmcs.GUEST_IA32_EFER, 0x100U);

    fake.vmcs.GUEST_IA32_EFER = 0;
    fake.vmcs.GUEST_CR3 = FakeGuest::ram + 0x20;
    EXPECT_TRUE(fake.store(Gpa{FakeGuest::ram + 0x20}, 8, 0x5001));
    fake.regs.gprs[Gpr::RAX] = 0x8000'0011;
    EXPECT_EQ(run(fake, {done}), "arch-call 28 0x0 | done");
    EXPECT_EQ(fake.vmcs.GUEST_PDPTE[0], 0x5001U);
    fake.regs.gprs[Gpr::RAX] = 0xc000'0011;
    EXPECT_TRUE(fake.store(Gpa{FakeGuest::ram + 0x28}, 8, 0x5003));
    const u64 before = guest_cr0(guest.vmcs);
    EXPECT_EQ(run(fake, {done}), "arch-call 28 0xd | done");
    EXPECT_EQ(show_event(fake.vmcs), "#13 code 0x0");
    EXPECT_EQ(guest_cr0(fake.vmcs), before);
}

TEST(X86Complete, faults_that_cannot_be_delivered_end_in_a_triple_fault) {
    FakeGuest fake;
    const auto push_fails = [&] {
        fake.violate(0x50'0ff8, true);
        fake.vmcs.IDT_VECTORING_INFO = fake.vmcs.VM_ENTRY_INTERRUPTION_INFO;
        return run(fake, {Answer::bus_fault()});
    };
    fake.vmcs.VM_ENTRY_INTERRUPTION_INFO = 0x8000'0030;
    EXPECT_EQ(push_fails(), "stage2-fault 0x500ff8 write | done");
    EXPECT_EQ(show_event(fake.vmcs), "#13 code 0x0");
    EXPECT_EQ(push_fails(), "stage2-fault 0x500ff8 write | done");
    EXPECT_EQ(show_event(fake.vmcs), "#8 code 0x0");
    EXPECT_EQ(push_fails(), "stage2-fault 0x500ff8 write | triple fault");
}

TEST(X86Complete, sixteen_bit_code_uses_its_segments) {
    FakeGuest fake(CodeSize::Code16);
    fake.code = {0x89, 0x44, 0x20};  // mov [si+0x20],ax
    fake.violate(FakeGuest::device + 0x20, true);
    EXPECT_EQ(run(fake, {done}), "mmio-write 0xfee00020 size 2 value 0x2200 | done");
    EXPECT_EQ(fake.vmcs.GUEST_RIP, 0x8003U);
}

}  // namespace
}  // namespace ax::x86::testing
