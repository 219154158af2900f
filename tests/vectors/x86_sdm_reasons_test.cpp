// Appendix C of the SDM: each basic exit reason, from what its section says the VMCS then holds. Written from the manual.
#include <set>

#include "tests/vectors/x86_sdm_vector.hpp"

namespace ax::x86::testing {
namespace {

constexpr u64 rip = FakeGuest::code_at;
constexpr Injected ud{.word = 0x8000'0306};
constexpr Injected gp{.word = 0x8000'0b0d};

/// The guest lacks the instruction (CPUID, CR4): #UD.
SdmVector lacks(u32 reason, const char* what, u64 length = 3) {
    return {section::unconditional,
            what,
            {{F::EXIT_REASON, reason}, {F::VM_EXIT_INSTRUCTION_LENGTH, length}},
            {{.exit = UndefinedInstruction{}, .answer = Answer::undefined()}},
            {},
            ud};
}
/// No control of the core's causes it, or the core wants none of it.
SdmVector stops(u32 reason, const char* what, u64 qualification = 0x1234'5678) {
    return {section::reasons,
            what,
            {{F::EXIT_REASON, reason}, {F::EXIT_QUALIFICATION, qualification}},
            only(Unhandled{reason & 0xffff, qualification})};
}

// clang-format off
const std::vector<SdmVector> vectors = {
    {section::reasons, "1: interrupt of the machine, vector 0x20", {{F::EXIT_REASON, 1}, {F::VM_EXIT_INTERRUPTION_INFO, 0x8000'0020}},
     only(HostInterrupt{HostInterruptKind::External})},
    {section::reasons, "1: the vector is not acknowledged", {{F::EXIT_REASON, 1}}, only(HostInterrupt{HostInterruptKind::External})},
    {section::reasons, "2: triple fault", {{F::EXIT_REASON, 2}}, request(TripleFault{})},
    stops(3, "3: INIT"),
    {section::sipi, "4: start-up, lowest page", {{F::EXIT_REASON, 4}, {F::EXIT_QUALIFICATION, 0}}, request(StartupIpi{0})},
    {section::sipi, "4: start-up, page 0x9a", {{F::EXIT_REASON, 4}, {F::EXIT_QUALIFICATION, 0x9a}}, request(StartupIpi{0x9a})},
    {section::sipi, "4: start-up, highest page", {{F::EXIT_REASON, 4}, {F::EXIT_QUALIFICATION, 0xff}}, request(StartupIpi{0xff})},
    stops(5, "5: I/O SMI"), stops(6, "6: other SMI"),
    {sdm::windows, "7: interrupt window", {{F::EXIT_REASON, 7}, {F::PRIMARY_CONTROLS, 0x8400'6176}},
     request(WindowOpened{false}), {{F::PRIMARY_CONTROLS, 0x8400'6172}}},
    {sdm::windows, "8: NMI window", {{F::EXIT_REASON, 8}, {F::PRIMARY_CONTROLS, 0x8440'6176}},
     request(WindowOpened{true}), {{F::PRIMARY_CONTROLS, 0x8400'6176}}},
    {sdm::windows, "7: the NMI window stays", {{F::EXIT_REASON, 7}, {F::PRIMARY_CONTROLS, 0x8440'6176}},
     request(WindowOpened{false}), {{F::PRIMARY_CONTROLS, 0x8440'6172}}},
    {section::task, "9: CALL to TSS 0x28", {{F::EXIT_REASON, 9}, {F::EXIT_QUALIFICATION, 0x0000'0028}}, only(Unhandled{9, 0x28})},
    {section::task, "9: IRET to TSS 0x30", {{F::EXIT_REASON, 9}, {F::EXIT_QUALIFICATION, 0x4000'0030}}, only(Unhandled{9, 0x4000'0030})},
    {section::task, "9: JMP to TSS 0x43", {{F::EXIT_REASON, 9}, {F::EXIT_QUALIFICATION, 0x8000'0043}}, only(Unhandled{9, 0x8000'0043})},
    {section::task, "9: task gate in the IDT, TSS 0xfff8", {{F::EXIT_REASON, 9}, {F::EXIT_QUALIFICATION, 0xc000'fff8}}, only(Unhandled{9, 0xc000'fff8})},
    {section::unconditional, "10: CPUID, leaf and subleaf are 32 bits", {{F::EXIT_REASON, 10}, {F::VM_EXIT_INSTRUCTION_LENGTH, 2},
     {Gpr::RAX, 0xffff'ffff'0000'0007}, {Gpr::RCX, 0xeeee'eeee'0000'0001}}, request(CpuidRead{7, 1})},
    {section::unconditional, "10: CPUID, extended leaf", {{F::EXIT_REASON, 10}, {F::VM_EXIT_INSTRUCTION_LENGTH, 2},
     {Gpr::RAX, 0x8000'0008}, {Gpr::RCX, 0}}, request(CpuidRead{0x8000'0008, 0})},
    lacks(11, "11: GETSEC without SMX", 2),
    {section::conditional, "12: HLT", {{F::EXIT_REASON, 12}, {F::VM_EXIT_INSTRUCTION_LENGTH, 1}},
     stepped_over(WaitForInterrupt{}), {{F::GUEST_RIP, rip + 1}}},
    {section::conditional, "12: HLT right after STI", {{F::EXIT_REASON, 12}, {F::VM_EXIT_INSTRUCTION_LENGTH, 1},
     {F::GUEST_INTERRUPTIBILITY_STATE, 1}, {F::GUEST_RFLAGS, 0x202}}, stepped_over(WaitForInterrupt{}),
     {{F::GUEST_RIP, rip + 1}, {F::GUEST_INTERRUPTIBILITY_STATE, 0}}},
    {section::unconditional, "13: INVD does nothing", {{F::EXIT_REASON, 13}, {F::VM_EXIT_INSTRUCTION_LENGTH, 2}},
     stepped_over(Handled{13}), {{F::GUEST_RIP, rip + 2}}},
    stops(14, "14: INVLPG is the guest's", 0x7000),
    {section::conditional, "15: RDPMC of a counter that is not there", {{F::EXIT_REASON, 15}, {F::VM_EXIT_INSTRUCTION_LENGTH, 2}},
     stepped_over(Handled{15}), {}, gp},
    {section::conditional, "16: RDTSC, EDX:EAX", {{F::EXIT_REASON, 16}, {F::VM_EXIT_INSTRUCTION_LENGTH, 2}},
     request(TimeStampRead{}, 0x1122'3344'5566'7788),
     {{F::GUEST_RIP, rip + 2}, {Gpr::RAX, 0x5566'7788}, {Gpr::RDX, 0x1122'3344}}},
    stops(17, "17: RSM"),
    {section::unconditional, "18: VMCALL, AxVisor's registers", {{F::EXIT_REASON, 18}, {F::VM_EXIT_INSTRUCTION_LENGTH, 3}, {Gpr::RAX, 5},
     {Gpr::RDI, 10}, {Gpr::RSI, 11}, {Gpr::RDX, 12}, {Gpr::RCX, 13}, {Gpr::R8, 14}, {Gpr::R9, 15}},
     {{.exit = Hypercall{5, {10, 11, 12, 13, 14, 15}}, .answer = Answer::of_value(0x77)}},
     {{F::GUEST_RIP, rip + 3}, {Gpr::RAX, 0x77}}},
    lacks(19, "19: VMCLEAR"), lacks(20, "20: VMLAUNCH"), lacks(21, "21: VMPTRLD"), lacks(22, "22: VMPTRST"),
    lacks(23, "23: VMREAD"), lacks(24, "24: VMRESUME"), lacks(25, "25: VMWRITE"), lacks(26, "26: VMXOFF"), lacks(27, "27: VMXON", 4),
    // 28 to 32 and 48 have files of their own.
    {section::entry, "33: guest state", {{F::EXIT_REASON, 0x8000'0021}}, only(EntryFailure{0x8000'0021})},
    {section::entry, "33: guest state, PDPTEs", {{F::EXIT_REASON, 0x8000'0021}, {F::EXIT_QUALIFICATION, 2}}, only(EntryFailure{0x8000'0021})},
    {section::entry, "33: guest state, link pointer", {{F::EXIT_REASON, 0x8000'0021}, {F::EXIT_QUALIFICATION, 4}}, only(EntryFailure{0x8000'0021})},
    {section::entry, "34: MSR loading, third entry", {{F::EXIT_REASON, 0x8000'0022}, {F::EXIT_QUALIFICATION, 3}}, only(EntryFailure{0x8000'0022})},
    stops(35, "35: is not assigned"),
    lacks(36, "36: MWAIT without MONITOR in CPUID"),
    stops(37, "37: monitor trap flag", 0), stops(38, "38: is not assigned"),
    lacks(39, "39: MONITOR that CPUID lacks"),
    {section::conditional, "40: PAUSE", {{F::EXIT_REASON, 40}, {F::VM_EXIT_INSTRUCTION_LENGTH, 2}},
     stepped_over(SpinHint{}), {{F::GUEST_RIP, rip + 2}}},
    {section::entry, "41: machine check", {{F::EXIT_REASON, 0x8000'0029}}, only(EntryFailure{0x8000'0029})},
    stops(42, "42: is not assigned"), stops(43, "43: TPR below threshold", 0),
    // "Exit Qualification for APIC-Access VM Exits": offset in bits 11:0, type in bits 15:12.
    stops(44, "44: APIC page, linear read of 0x80", 0x0080), stops(44, "44: APIC page, linear write of 0xb0", 0x10b0),
    stops(44, "44: APIC page, instruction fetch", 0x2000), stops(44, "44: APIC page, event delivery", 0x3300),
    stops(44, "44: APIC page, guest-physical, event delivery", 0xa000), stops(44, "44: APIC page, guest-physical, fetch or execution", 0xf000),
    stops(45, "45: virtualized EOI", 0x30), stops(46, "46: GDTR or IDTR", 0x20), stops(47, "47: LDTR or TR", 0),
    stops(49, "49: EPT misconfiguration", 0),
    lacks(50, "50: INVEPT", 5),
    {section::conditional, "51: RDTSCP, ECX is IA32_TSC_AUX", {{F::EXIT_REASON, 51}, {F::VM_EXIT_INSTRUCTION_LENGTH, 3}},
     request(TimeStampRead{}, 0xffff'ffff'0000'0001),
     {{F::GUEST_RIP, rip + 3}, {Gpr::RAX, 1}, {Gpr::RDX, 0xffff'ffff}, {Gpr::RCX, 0}}},
    {section::reasons, "52: preemption timer", {{F::EXIT_REASON, 52}}, only(HostInterrupt{HostInterruptKind::Timer})},
    lacks(53, "53: INVVPID", 5),
    {section::conditional, "54: WBINVD does nothing", {{F::EXIT_REASON, 54}, {F::VM_EXIT_INSTRUCTION_LENGTH, 2}},
     stepped_over(Handled{54}), {{F::GUEST_RIP, rip + 2}}},
    lacks(55, "55: XSETBV without OSXSAVE"),
    stops(56, "56: APIC write", 0x300),
    lacks(57, "57: RDRAND that CPUID lacks"), lacks(58, "58: INVPCID that CPUID lacks", 5), lacks(59, "59: VMFUNC"), lacks(60, "60: ENCLS without SGX"),
    lacks(61, "61: RDSEED that CPUID lacks"), stops(62, "62: modification log full", 0),
    lacks(63, "63: XSAVES that CPUID lacks", 4), lacks(64, "64: XRSTORS that CPUID lacks", 4),
    stops(65, "65: PCONFIG"), stops(66, "66: sub-page permissions"), stops(67, "67: UMWAIT"), stops(68, "68: TPAUSE"), stops(69, "69: LOADIWKEY"),
    // Beyond: defined later, and never.
    stops(70, "70: ENCLV"), stops(74, "74: bus lock"), stops(75, "75: notify", 1), stops(77, "77: TDCALL"), stops(0xffff, "the highest"),
    // "Basic VM-Exit Information": the basic reason is bits 15:0.
    {section::reasons, "bit 27 (enclave) is not part of the reason", {{F::EXIT_REASON, 0x0800'000c}, {F::VM_EXIT_INSTRUCTION_LENGTH, 1}},
     stepped_over(WaitForInterrupt{}), {{F::GUEST_RIP, rip + 1}}},
};
// clang-format on

TEST(X86SdmVectors, basic_exit_reasons) {
    for (const SdmVector& vector : vectors) check(vector);
}

TEST(X86SdmVectors, every_basic_reason_up_to_69_has_a_vector) {
    std::set<u64> seen{0, 28, 29, 30, 31, 32, 48};  // files of their own
    for (const SdmVector& vector : vectors)
        for (const Setting& s : vector.given)
            if (s.field == F::EXIT_REASON) seen.insert(s.value & 0xffff);
    for (u64 reason = 0; reason <= 69; ++reason) EXPECT_TRUE(seen.contains(reason)) << reason;
}

/// Whatever the reason, and whatever an NMI-unblocking bit or an undefined length says: a defined question, no more.
TEST(X86SdmVectors, reasons_that_nothing_defines_stop_the_vm) {
    for (u32 reason = 65; reason < 0x1'0000; ++reason) {
        FakeGuest fake;
        fake.vmcs.EXIT_REASON = reason;
        fake.vmcs.EXIT_QUALIFICATION = reason * u64{0x1'0001};
        const Vmcs before = fake.vmcs;
        Guest guest = fake.guest();
        const Decoded decoded = decode(guest);
        ASSERT_FALSE(decoded.question.request) << reason;
        ASSERT_EQ(numbers(decoded.question.exit), numbers(VmExit{Unhandled{reason, reason * u64{0x1'0001}}})) << reason;
        ASSERT_EQ(fake.vmcs, before) << reason;
    }
}

}  // namespace
}  // namespace ax::x86::testing
