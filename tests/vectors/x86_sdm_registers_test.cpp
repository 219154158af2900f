// Control registers, MSRs, CPUID and what stepping over an instruction ends, from the SDM's tables. Written from the manual.
#include <string>

#include "tests/vectors/x86_sdm_vector.hpp"

namespace ax::x86::testing {
namespace {

constexpr u64 rip = FakeGuest::code_at;
constexpr Injected gp{.word = 0x8000'0b0d};
constexpr u64 ept_access = 28;

// clang-format off
const std::vector<SdmVector> vectors = {
    {section::msr, "RDMSR: ECX, then EDX:EAX", {{F::EXIT_REASON, 31}, {F::VM_EXIT_INSTRUCTION_LENGTH, 2}, {Gpr::RCX, 0xffff'ffff'0000'001b}},
     request(MsrRead{0x1b}, 0x8877'6655'fee0'0900),
     {{F::GUEST_RIP, rip + 2}, {Gpr::RAX, 0xfee0'0900}, {Gpr::RDX, 0x8877'6655}}},
    {section::msr, "RDMSR of the extended range", {{F::EXIT_REASON, 31}, {F::VM_EXIT_INSTRUCTION_LENGTH, 2}, {Gpr::RCX, 0xc000'0103}},
     request(MsrRead{0xc000'0103}, 0), {{F::GUEST_RIP, rip + 2}, {Gpr::RAX, 0}, {Gpr::RDX, 0}}},
    {section::msr, "RDMSR of what is not there", {{F::EXIT_REASON, 31}, {F::VM_EXIT_INSTRUCTION_LENGTH, 2}, {Gpr::RCX, 0x1234'5678}},
     {{.request = MsrRead{0x1234'5678}, .answer = Answer::bus_fault()}}, {}, gp},
    {section::msr, "WRMSR: EDX:EAX, the low halves", {{F::EXIT_REASON, 32}, {F::VM_EXIT_INSTRUCTION_LENGTH, 2}, {Gpr::RCX, 0x6e0},
     {Gpr::RAX, 0xaaaa'aaaa'5566'7788}, {Gpr::RDX, 0xbbbb'bbbb'1122'3344}},
     request(MsrWrite{0x6e0, 0x1122'3344'5566'7788}, 0), {{F::GUEST_RIP, rip + 2}}},
    {section::msr, "WRMSR with a prefix", {{F::EXIT_REASON, 32}, {F::VM_EXIT_INSTRUCTION_LENGTH, 3}, {Gpr::RCX, 0x10}, {Gpr::RAX, 1}, {Gpr::RDX, 0}},
     request(MsrWrite{0x10, 1}, 0), {{F::GUEST_RIP, rip + 3}}},
    {section::msr, "WRMSR that is refused", {{F::EXIT_REASON, 32}, {F::VM_EXIT_INSTRUCTION_LENGTH, 2}, {Gpr::RCX, 0x1b}, {Gpr::RAX, 7}, {Gpr::RDX, 0}},
     {{.request = MsrWrite{0x1b, 7}, .answer = Answer::bus_fault()}}, {}, gp},
    {section::cr, "MOV RAX, CR8", {{F::EXIT_REASON, 28}, {F::EXIT_QUALIFICATION, 0x0018}, {F::VM_EXIT_INSTRUCTION_LENGTH, 4}},
     request(TaskPriorityRead{}, 9), {{F::GUEST_RIP, rip + 4}, {Gpr::RAX, 9}}},
    {section::cr, "MOV R15, CR8", {{F::EXIT_REASON, 28}, {F::EXIT_QUALIFICATION, 0x0f18}, {F::VM_EXIT_INSTRUCTION_LENGTH, 4}},
     request(TaskPriorityRead{}, 15), {{F::GUEST_RIP, rip + 4}, {Gpr::R15, 15}}},
    {section::cr, "MOV RSP, CR8", {{F::EXIT_REASON, 28}, {F::EXIT_QUALIFICATION, 0x0418}, {F::VM_EXIT_INSTRUCTION_LENGTH, 4}},
     request(TaskPriorityRead{}, 2), {{F::GUEST_RIP, rip + 4}, {F::GUEST_RSP, 2}}},
    {section::cr, "MOV CR8, RDX", {{F::EXIT_REASON, 28}, {F::EXIT_QUALIFICATION, 0x0208}, {F::VM_EXIT_INSTRUCTION_LENGTH, 4}, {Gpr::RDX, 0xe}},
     request(TaskPriorityWrite{0xe}, 0), {{F::GUEST_RIP, rip + 4}}},
    {section::cr, "MOV CR8, R8 of a reserved bit", {{F::EXIT_REASON, 28}, {F::EXIT_QUALIFICATION, 0x0808}, {F::VM_EXIT_INSTRUCTION_LENGTH, 4}, {Gpr::R8, 0x10}},
     stepped_over(Handled{28}), {}, gp},
    {section::cr, "MOV CR8, RAX of bit 63", {{F::EXIT_REASON, 28}, {F::EXIT_QUALIFICATION, 0x0008}, {F::VM_EXIT_INSTRUCTION_LENGTH, 4}, {Gpr::RAX, u64{1} << 63}},
     stepped_over(Handled{28}), {}, gp},
    // What stepping over an instruction ends.
    {sdm::shadow, "the shadow of STI", {{F::EXIT_REASON, 13}, {F::VM_EXIT_INSTRUCTION_LENGTH, 2}, {F::GUEST_INTERRUPTIBILITY_STATE, 0x1}, {F::GUEST_RFLAGS, 0x202}},
     stepped_over(Handled{13}), {{F::GUEST_RIP, rip + 2}, {F::GUEST_INTERRUPTIBILITY_STATE, 0}}},
    {sdm::shadow, "the shadow of MOV SS, but no blocking of NMIs", {{F::EXIT_REASON, 13}, {F::VM_EXIT_INSTRUCTION_LENGTH, 2}, {F::GUEST_INTERRUPTIBILITY_STATE, 0xa}},
     stepped_over(Handled{13}), {{F::GUEST_RIP, rip + 2}, {F::GUEST_INTERRUPTIBILITY_STATE, 0x8}}},
    {sdm::shadow, "RFLAGS.RF", {{F::EXIT_REASON, 13}, {F::VM_EXIT_INSTRUCTION_LENGTH, 2}, {F::GUEST_RFLAGS, 0x1'0002}},
     stepped_over(Handled{13}), {{F::GUEST_RIP, rip + 2}, {F::GUEST_RFLAGS, 0x2}}},
    {"Pending Debug Exceptions", "RFLAGS.TF is a pending single step", {{F::EXIT_REASON, 13}, {F::VM_EXIT_INSTRUCTION_LENGTH, 2}, {F::GUEST_RFLAGS, 0x102}},
     stepped_over(Handled{13}), {{F::GUEST_RIP, rip + 2}, {F::GUEST_PENDING_DEBUG_EXCEPTIONS, 0x4000}}},
    {"Single-Stepping on Branches", "no step of an instruction that does not branch where DEBUGCTL.BTF is set",
     {{F::EXIT_REASON, 13}, {F::VM_EXIT_INSTRUCTION_LENGTH, 2}, {F::GUEST_RFLAGS, 0x102}, {F::GUEST_IA32_DEBUGCTL, 2}},
     stepped_over(Handled{13}), {{F::GUEST_RIP, rip + 2}}},
    {sdm::shadow, "an instruction that faults ends nothing", {{F::EXIT_REASON, 36}, {F::GUEST_INTERRUPTIBILITY_STATE, 0x1}, {F::GUEST_RFLAGS, 0x202}},
     {{.exit = UndefinedInstruction{}, .answer = Answer::undefined()}}, {}, {.word = 0x8000'0306}},
    // Vol. 1, "Instruction Pointer": 32 bits outside 64-bit mode.
    {"Instruction Pointer", "EIP wraps in 32-bit code",
     {{F::EXIT_REASON, 13}, {F::VM_EXIT_INSTRUCTION_LENGTH, 2}, {F::GUEST_RIP, 0xffff'fffe}}, stepped_over(Handled{13}), {{F::GUEST_RIP, 0}}, {}, {}, CodeSize::Code32},
};
// clang-format on

TEST(X86SdmVectors, msrs_task_priority_and_stepping_over) {
    for (const SdmVector& vector : vectors) check(vector);
}

/// "CPUID": the four registers, upper halves cleared.
TEST(X86SdmVectors, cpuid_clears_the_upper_halves) {
    FakeGuest fake;
    fake.vmcs.EXIT_REASON = 10;
    fake.vmcs.VM_EXIT_INSTRUCTION_LENGTH = 2;
    Guest guest = fake.guest();
    const Decoded decoded = decode(guest);
    complete_cpuid(decoded.completion, {0x8000'0001, 2, 3, 0xffff'ffff}, guest);
    EXPECT_EQ(fake.regs.gprs[Gpr::RAX], 0x8000'0001U);
    EXPECT_EQ(fake.regs.gprs[Gpr::RBX], 2U);
    EXPECT_EQ(fake.regs.gprs[Gpr::RCX], 3U);
    EXPECT_EQ(fake.regs.gprs[Gpr::RDX], 0xffff'ffffU);
    EXPECT_EQ(fake.vmcs.GUEST_RIP, rip + 2);
}

TEST(X86SdmVectors, rdtscp_gives_the_auxiliary_value) {
    FakeGuest fake;
    fake.vmcs.EXIT_REASON = 51;
    fake.vmcs.VM_EXIT_INSTRUCTION_LENGTH = 3;
    fake.regs.IA32_TSC_AUX = 0x1003;
    Guest guest = fake.guest();
    Decoded decoded = decode(guest);
    EXPECT_FALSE(complete(decoded.completion, Answer::of_value(~u64{0}), guest));
    EXPECT_EQ(fake.regs.gprs[Gpr::RCX], 0x1003U);
}

/// A control register as the guest reads it: "Guest/Host Masks and Read Shadows for CR0 and CR4".
u64 seen(u64 mask, u64 shadow, u64 real) { return (shadow & mask) | (real & ~mask); }

/// How the guest runs before it writes.
enum class From { Long, Compatibility, Protected, ProtectedLme, ProtectedLmeNoPae, Paged32 };

struct CrVector {
    const char* what;
    From from;
    u64 qualification;  ///< the operand register is bits 11:8
    u64 operand;
    std::optional<u64> seen;  ///< none: #GP(0), and nothing changes
    bool is_ia32e = false;    ///< afterwards
};

// Vol. 3, "Control Registers"; vol. 2, MOV to CR0..CR4, LMSW, CLTS, with their exceptions. CPUID of the guest has DE, PSE, PAE,
// MCE, PGE, PCE, FXSR, SMEP, SMAP (the mask of `FakeGuest`), so that the other bits of CR4 are reserved.
// clang-format off
const CrVector cr0_vectors[] = {
    {"MOV CR0: TS and MP", From::Long, 0x000, 0x8000'001b, 0x8000'001b, true},
    {"MOV CR0: WP, AM, NE", From::Long, 0x000, 0x8005'0031, 0x8005'0031, true},
    {"MOV CR0: NE is not what the guest must have", From::Long, 0x000, 0x8000'0011, 0x8000'0011, true},
    {"MOV CR0: caches off", From::Long, 0x000, 0xc000'0011, 0xc000'0011, true},
    {"MOV CR0: caches off, not write-through", From::Long, 0x000, 0xe000'0011, 0xe000'0011, true},
    {"MOV CR0: NW without CD", From::Long, 0x000, 0xa000'0011, std::nullopt, true},
    {"MOV CR0: PG without PE", From::Long, 0x000, 0x8000'0010, std::nullopt, true},
    {"MOV CR0: paging off in 64-bit code", From::Long, 0x000, 0x0000'0011, std::nullopt, true},
    {"MOV CR0: upper half", From::Long, 0x000, 0x1'8000'0011, std::nullopt, true},
    {"MOV CR0: reserved bits of the lower half are dropped", From::Long, 0x000, 0x9ffa'ffd1 & ~u64{0x5'0000}, 0x8000'0011, true},
    {"MOV CR0: ET is one", From::Long, 0x000, 0x8000'0001, 0x8000'0011, true},
    {"MOV CR0: paging off in compatibility mode leaves IA-32e mode", From::Compatibility, 0x000, 0x4000'0011, 0x4000'0011, false},
    {"MOV CR0: paging on without LME", From::Protected, 0x000, 0xc000'0011, 0xc000'0011, false},
    {"MOV CR0: paging on with LME enters IA-32e mode", From::ProtectedLme, 0x000, 0xc000'0011, 0xc000'0011, true},
    {"MOV CR0: paging on with LME needs PAE", From::ProtectedLmeNoPae, 0x000, 0xc000'0011, std::nullopt, false},
    {"MOV CR0: paging off in 32-bit code", From::Paged32, 0x000, 0x4000'0011, 0x4000'0011, false},
    {"MOV CR0: back to real mode", From::Protected, 0x000, 0x4000'0010, 0x4000'0010, false},
    // Bits 31:16 of the qualification are LMSW's source; bit 6 a memory operand.
    {"LMSW: MP, EM, TS", From::Long, 0x000f'0030, 0, 0x8000'001f, true},
    {"LMSW: PE cannot be cleared", From::Long, 0x0000'0030, 0, 0x8000'0011, true},
    {"LMSW: bits above 3 are not looked at", From::Long, 0xfff2'0070, 0, 0x8000'0013, true},
    {"LMSW: sets PE", From::Protected, 0x0001'0030, 0, 0x0000'0011, false},
    {"CLTS", From::Long, 0x020, 0, 0x8000'0011, true},
};
const CrVector cr4_vectors[] = {
    {"MOV CR4: PAE alone", From::Long, 0x004, 0x20, 0x20, true},
    {"MOV CR4: all that CPUID has", From::Long, 0x004, 0x3007f8, 0x3007f8, true},
    {"MOV CR4: PAE cleared in IA-32e mode", From::Long, 0x004, 0x6b0 & ~u64{0x20}, std::nullopt, true},
    {"MOV CR4: PAE cleared in compatibility mode", From::Compatibility, 0x004, 0x0, std::nullopt, true},
    {"MOV CR4: PAE cleared with paging off", From::ProtectedLme, 0x004, 0x10, 0x10, false},
    {"MOV CR4: VMXE", From::Long, 0x004, 0x2020, std::nullopt, true},
    {"MOV CR4: SMXE", From::Long, 0x004, 0x4020, std::nullopt, true},
    {"MOV CR4: VME that CPUID lacks", From::Long, 0x004, 0x21, std::nullopt, true},
    {"MOV CR4: UMIP that CPUID lacks", From::Long, 0x004, 0x820, std::nullopt, true},
    {"MOV CR4: LA57 that CPUID lacks", From::Long, 0x004, 0x1020, std::nullopt, true},
    {"MOV CR4: FSGSBASE that CPUID lacks", From::Long, 0x004, 0x1'0020, std::nullopt, true},
    {"MOV CR4: PCIDE that CPUID lacks", From::Long, 0x004, 0x2'0020, std::nullopt, true},
    {"MOV CR4: OSXSAVE that CPUID lacks", From::Long, 0x004, 0x4'0020, std::nullopt, true},
    {"MOV CR4: reserved bit 15", From::Long, 0x004, 0x8020, std::nullopt, true},
    {"MOV CR4: PKE that CPUID lacks", From::Long, 0x004, 0x40'0020, std::nullopt, true},
    {"MOV CR4: upper half", From::Long, 0x004, 0x1'0000'0020, std::nullopt, true},
};
// clang-format on

FakeGuest guest_that_runs(From from) {
    FakeGuest fake(from == From::Long ? CodeSize::Code64 : CodeSize::Code32);
    Vmcs& v = fake.vmcs;
    const auto set = [&](u64 cr0, u64 cr4, u64 efer) {
        v.GUEST_CR0 = cr0 | 0x20;
        v.CR0_READ_SHADOW = cr0;
        v.GUEST_CR4 = cr4 | 0x2000;
        v.CR4_READ_SHADOW = cr4;
        v.GUEST_IA32_EFER = efer;
        const bool is_active = (efer & 0x400) != 0;
        v.VM_ENTRY_CONTROLS = (v.VM_ENTRY_CONTROLS & ~u32{0x200}) | (is_active ? 0x200U : 0U);
    };
    switch (from) {
        case From::Long: set(0x8000'0011, 0x20, 0x500); break;
        case From::Compatibility: set(0x8000'0011, 0x20, 0x500); break;
        case From::Protected: set(0x11, 0, 0); break;
        case From::ProtectedLme: set(0x11, 0x20, 0x100); break;
        case From::ProtectedLmeNoPae: set(0x11, 0, 0x100); break;
        case From::Paged32: set(0x8000'0011, 0, 0); break;
    }
    return fake;
}

void check_cr(const CrVector& c, Gpr reg) {
    SCOPED_TRACE(std::string(section::cr) + ": " + c.what + ", register " + std::to_string(index(reg)));
    FakeGuest fake = guest_that_runs(c.from);
    Vmcs& v = fake.vmcs;
    v.EXIT_REASON = ept_access;
    v.EXIT_QUALIFICATION = c.qualification | (c.qualification < 0x10 ? u64{index(reg)} << 8 : 0);
    v.VM_EXIT_INSTRUCTION_LENGTH = 3;
    (reg == Gpr::RSP ? v.GUEST_RSP : fake.regs.gprs[reg]) = c.operand;
    const FakeGuest before = fake;
    Guest guest = fake.guest();
    Decoded decoded = decode(guest);
    EXPECT_FALSE(decoded.question.request);
    EXPECT_EQ(numbers(decoded.question.exit), numbers(VmExit{Handled{28}}));
    EXPECT_FALSE(complete(decoded.completion, Answer::none(), guest));

    const bool is_cr4 = (c.qualification & 0xf) == 4;
    const u64 cr0 = seen(v.CR0_GUEST_HOST_MASK, v.CR0_READ_SHADOW, v.GUEST_CR0);
    const u64 cr4 = seen(v.CR4_GUEST_HOST_MASK, v.CR4_READ_SHADOW, v.GUEST_CR4);
    const u64 cr0_before = seen(v.CR0_GUEST_HOST_MASK, before.vmcs.CR0_READ_SHADOW, before.vmcs.GUEST_CR0);
    const u64 cr4_before = seen(v.CR4_GUEST_HOST_MASK, before.vmcs.CR4_READ_SHADOW, before.vmcs.GUEST_CR4);
    EXPECT_EQ(cr0, !is_cr4 && c.seen ? *c.seen : cr0_before);
    EXPECT_EQ(cr4, is_cr4 && c.seen ? *c.seen : cr4_before);
    EXPECT_EQ(v.GUEST_RIP, before.vmcs.GUEST_RIP + (c.seen ? 3 : 0));
    EXPECT_EQ(v.VM_ENTRY_INTERRUPTION_INFO, c.seen ? 0U : gp.word);
    // "Checks on Guest Control Registers": NE and VMXE are fixed; LMA, and the control that says so, follow PG and LME.
    EXPECT_EQ(v.GUEST_CR0 & 0x20, 0x20U);
    EXPECT_EQ(v.GUEST_CR4 & 0x2000, 0x2000U);
    EXPECT_EQ((v.GUEST_IA32_EFER & 0x400) != 0, c.is_ia32e);
    EXPECT_EQ((v.VM_ENTRY_CONTROLS & 0x200) != 0, c.is_ia32e);
    EXPECT_EQ(fake.regs, before.regs);
}

TEST(X86SdmVectors, control_register_writes) {
    for (const auto& table : {std::span<const CrVector>(cr0_vectors), std::span<const CrVector>(cr4_vectors)})
        for (const CrVector& c : table) check_cr(c, Gpr::RAX);
}

/// Bits 11:8 of the qualification, as in the table: RAX is 0, RSP is 4 and the VMCS's, R8 to R15 are 8 to 15.
TEST(X86SdmVectors, control_register_writes_from_each_register) {
    for (u8 n = 0; n < 16; ++n) {
        check_cr(cr0_vectors[3], static_cast<Gpr>(n));
        check_cr(cr4_vectors[1], static_cast<Gpr>(n));
        check_cr(cr4_vectors[5], static_cast<Gpr>(n));
    }
}

/// "Loading Paging-Structure Entries of PAE paging": MOV to CR0 that switches it on reads four entries at CR3[31:5].
TEST(X86SdmVectors, paging_with_pae_loads_four_entries) {
    constexpr u64 table = FakeGuest::ram + 0x20;
    struct Case {
        u64 entries[4];
        bool is_taken;
    };
    const Case cases[] = {
        {{0x20'1001, 0x20'2019, 0, 0x20'3001}, true},
        {{0, 0, 0, 0}, true},
        {{0x1e6, 0, 0, 0}, true},  // not present: no bit counts
        {{0x20'1003, 0, 0, 0}, false},
        {{0, 0x20'1021, 0, 0}, false},
        {{0, 0, 0x8000'0000'0020'1001, 0}, false},
        {{0, 0, 0, 0x20'1101}, false},
    };
    for (const Case& c : cases) {
        FakeGuest fake = guest_that_runs(From::Protected);
        fake.vmcs.GUEST_CR4 |= 0x20;
        fake.vmcs.CR4_READ_SHADOW = 0x20;
        fake.vmcs.GUEST_CR3 = table | 0x18;  // PWT and PCD are not part of the address
        for (unsigned n = 0; n < 4; ++n) ASSERT_TRUE(fake.store(Gpa{table + 8 * n}, 8, c.entries[n]));
        fake.vmcs.EXIT_REASON = ept_access;
        fake.vmcs.VM_EXIT_INSTRUCTION_LENGTH = 3;
        fake.regs.gprs[Gpr::RAX] = 0xc000'0011;
        Guest guest = fake.guest();
        Decoded decoded = decode(guest);
        EXPECT_FALSE(complete(decoded.completion, Answer::none(), guest));
        EXPECT_EQ(fake.vmcs.VM_ENTRY_INTERRUPTION_INFO, c.is_taken ? 0U : gp.word);
        if (!c.is_taken) {
            EXPECT_FALSE(Cr0::PG::test(fake.vmcs.GUEST_CR0));
            continue;
        }
        for (unsigned n = 0; n < 4; ++n) EXPECT_EQ(fake.vmcs.GUEST_PDPTE[n], c.entries[n]) << n;
    }
}

}  // namespace
}  // namespace ax::x86::testing
