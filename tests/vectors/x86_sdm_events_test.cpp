// Events that an exit reported or interrupted, from the SDM's tables: exceptions, IDT-vectoring information, NMI unblocking by
// IRET, exceptions on top of exceptions. Written from the manual.
#include "tests/vectors/x86_sdm_vector.hpp"

namespace ax::x86::testing {
namespace {

constexpr u64 rip = FakeGuest::code_at;
constexpr u64 nmi_blocking = 8;
/// Reason 0 is what these vectors are about, 1 an exit that has nothing to do with the event that it interrupted.
constexpr u64 exception = 0, interrupt = 1;

/// An exception that the exit reported and that the guest is given: the same word without bit 12.
SdmVector goes_back(const char* what, u32 word, u32 error_code = 0, u32 length = 0) {
    return {sdm::interruption,
            what,
            {{F::EXIT_REASON, exception},
             {F::VM_EXIT_INTERRUPTION_INFO, word},
             {F::VM_EXIT_INTERRUPTION_ERROR_CODE, error_code},
             {F::VM_EXIT_INSTRUCTION_LENGTH, length}},
            only(Handled{exception}),
            {},
            {word & ~u32{0x1000}, error_code, length}};
}
/// What an external interrupt of the machine interrupted, and what is delivered again.
SdmVector again(const char* what, u32 word, const Injected& event, u32 error_code = 0, u32 length = 0) {
    return {sdm::vectoring,
            what,
            {{F::EXIT_REASON, interrupt},
             {F::IDT_VECTORING_INFO, word},
             {F::IDT_VECTORING_ERROR_CODE, error_code},
             {F::VM_EXIT_INSTRUCTION_LENGTH, length}},
            only(HostInterrupt{HostInterruptKind::External}),
            {},
            event};
}
SdmVector with(SdmVector vector, const std::vector<Setting>& given, const std::vector<Setting>& after) {
    vector.given.insert(vector.given.end(), given.begin(), given.end());
    vector.after.insert(vector.after.end(), after.begin(), after.end());
    return vector;
}
SdmVector host_event(const char* what, u32 word) {
    return {sdm::interruption,
            what,
            {{F::EXIT_REASON, exception}, {F::VM_EXIT_INTERRUPTION_INFO, word}},
            only(HostInterrupt{HostInterruptKind::External})};
}

// clang-format off
const std::vector<SdmVector> reported = {
    host_event("NMI of the machine", 0x8000'0202),
    host_event("machine check", 0x8000'0312),
    goes_back("#DE", 0x8000'0300), goes_back("#BR", 0x8000'0305), goes_back("#UD", 0x8000'0306), goes_back("#NM", 0x8000'0307),
    goes_back("#DF, its code is 0", 0x8000'0b08), goes_back("#TS of selector 0x28", 0x8000'0b0a, 0x28),
    goes_back("#NP of IDT entry 0x20, external", 0x8000'0b0b, 0x103), goes_back("#SS", 0x8000'0b0c, 0),
    goes_back("#GP(0)", 0x8000'0b0d, 0), goes_back("#GP of a selector in the LDT", 0x8000'0b0d, 0xfffc),
    goes_back("#MF", 0x8000'0310), goes_back("#AC(0)", 0x8000'0b11, 0), goes_back("#XM", 0x8000'0313),
    goes_back("INT1, privileged software exception", 0x8000'0501, 0, 1),
    goes_back("INT1 behind a prefix", 0x8000'0501, 0, 2),
    goes_back("INT3", 0x8000'0603, 0, 1), goes_back("INTO", 0x8000'0604, 0, 1),
    goes_back("INT3 with three prefixes", 0x8000'0603, 0, 4),
    // "deliver error code" is never set in real-address mode.
    [] { SdmVector v = goes_back("#GP in real mode has no code", 0x8000'030d); v.mode = CodeSize::Code16; return v; }(),
    [] { SdmVector v = goes_back("#UD in protected mode", 0x8000'0306); v.mode = CodeSize::Code32; return v; }(),
};

struct DebugCase { const char* what; u64 qualification; u64 dr6; };
/// The qualification has the layout of DR6; hardware has changed neither DR6 nor DR7.GD when a #DB exits.
const DebugCase debug_cases[] = {
    {"#DB, breakpoint 0", 0x1, 0xffff'0ff1},
    {"#DB, breakpoint 3", 0x8, 0xffff'0ff8},
    {"#DB, all four", 0xf, 0xffff'0fff},
    {"#DB, single step", 0x4000, 0xffff'4ff0},
    {"#DB, access to a debug register", 0x2000, 0xffff'2ff0},
    {"#DB, step and breakpoint 1", 0x4002, 0xffff'4ff2},
};

const std::vector<SdmVector> delivered_again = {
    again("nothing was interrupted", 0x0000'0b0e, {}),
    again("interrupt 0x20", 0x8000'0020, {0x8000'0020}), again("interrupt 0xff", 0x8000'00ff, {0x8000'00ff}),
    again("bit 12 is undefined here", 0x8000'1041, {0x8000'0041}),
    again("#UD", 0x8000'0306, {0x8000'0306}), again("#DE", 0x8000'0300, {0x8000'0300}),
    again("#PF with its code", 0x8000'0b0e, {0x8000'0b0e, 0x15}, 0x15),
    again("#GP with its code", 0x8000'0b0d, {0x8000'0b0d, 0x2b}, 0x2b),
    again("#DF", 0x8000'0b08, {0x8000'0b08, 0}),
    again("INT 0x80 with its length", 0x8000'0480, {0x8000'0480, 0, 2}, 0, 2),
    again("INT 0 with a prefix", 0x8000'0400, {0x8000'0400, 0, 3}, 0, 3),
    again("INT1", 0x8000'0501, {0x8000'0501, 0, 1}, 0, 1),
    again("INT3", 0x8000'0603, {0x8000'0603, 0, 1}, 0, 1), again("INTO", 0x8000'0604, {0x8000'0604, 0, 1}, 0, 1),
    // "Checks on Guest Non-Register State": an NMI is injected only where NMIs are not blocked, and delivery blocked them.
    with(again("NMI, whose delivery had blocked NMIs", 0x8000'0202, {0x8000'0202}),
         {{F::GUEST_INTERRUPTIBILITY_STATE, nmi_blocking}}, {{F::GUEST_INTERRUPTIBILITY_STATE, 0}}),
    with(again("an interrupt leaves NMIs blocked", 0x8000'0030, {0x8000'0030}),
         {{F::GUEST_INTERRUPTIBILITY_STATE, nmi_blocking}}, {}),
    [] { SdmVector v = again("#GP in real mode", 0x8000'030d, {0x8000'030d}); v.mode = CodeSize::Code16; return v; }(),
    // Whatever the exit is.
    {sdm::vectoring, "EPT violation of the stack during the delivery of an interrupt",
     {{F::EXIT_REASON, 48}, {F::EXIT_QUALIFICATION, 0x182}, {F::GUEST_PHYSICAL_ADDRESS, 0x4ff8}, {F::GUEST_LINEAR_ADDRESS, 0x4ff8},
      {F::IDT_VECTORING_INFO, 0x8000'0031}},
     only(Stage2Fault{Gpa{0x4ff8}, Access::Write, false}), {}, {0x8000'0031}},
    {sdm::vectoring, "EPT violation of the IDT during the delivery of a #PF",
     {{F::EXIT_REASON, 48}, {F::EXIT_QUALIFICATION, 0x181}, {F::GUEST_PHYSICAL_ADDRESS, 0x50e0}, {F::GUEST_LINEAR_ADDRESS, 0x50e0},
      {F::IDT_VECTORING_INFO, 0x8000'0b0e}, {F::IDT_VECTORING_ERROR_CODE, 4}},
     only(Stage2Fault{Gpa{0x50e0}, Access::Read, false}), {}, {0x8000'0b0e, 4}},
    {sdm::vectoring, "task gate: the VM stops, the event stays known",
     {{F::EXIT_REASON, 9}, {F::EXIT_QUALIFICATION, 0xc000'0028}, {F::IDT_VECTORING_INFO, 0x8000'0b08}, {F::IDT_VECTORING_ERROR_CODE, 0}},
     only(Unhandled{9, 0xc000'0028}), {}, {0x8000'0b08, 0}},
};

const std::vector<SdmVector> unblocking = {
    // IRET had ended the blocking before its pop faulted: the blocking goes on.
    with(goes_back("#GP of an IRET that ended NMI blocking", 0x8000'1b0d, 0), {}, {{F::GUEST_INTERRUPTIBILITY_STATE, nmi_blocking}}),
    with(goes_back("#SS of an IRET that ended NMI blocking", 0x8000'1b0c, 0), {}, {{F::GUEST_INTERRUPTIBILITY_STATE, nmi_blocking}}),
    goes_back("#GP with bit 12 clear", 0x8000'0b0d, 0),
    // "is undefined" for #DF, and when an event was being delivered.
    goes_back("bit 12 of #DF means nothing", 0x8000'1b08, 0),
    {sdm::unblocking, "bit 12 means nothing while an event was delivered",
     {{F::EXIT_REASON, exception}, {F::VM_EXIT_INTERRUPTION_INFO, 0x8000'1b0d}, {F::VM_EXIT_INTERRUPTION_ERROR_CODE, 0x1f},
      {F::IDT_VECTORING_INFO, 0x8000'0031}},
     only(Handled{exception}), {}, {0x8000'0b0d, 0x1f}},
    {sdm::unblocking, "EPT violation of an IRET: bit 12 of the qualification",
     {{F::EXIT_REASON, 48}, {F::EXIT_QUALIFICATION, 0x1181}, {F::GUEST_PHYSICAL_ADDRESS, 0x4000}, {F::GUEST_LINEAR_ADDRESS, 0x4000}},
     only(Stage2Fault{Gpa{0x4000}, Access::Read, false}), {{F::GUEST_INTERRUPTIBILITY_STATE, nmi_blocking}}, {}, {0x48, 0xcf}},
    {sdm::unblocking, "EPT violation of an IRET's page walk",
     {{F::EXIT_REASON, 48}, {F::EXIT_QUALIFICATION, 0x1081}, {F::GUEST_PHYSICAL_ADDRESS, 0x4000}, {F::GUEST_LINEAR_ADDRESS, 0x7000}},
     only(Stage2Fault{Gpa{0x4000}, Access::Read, true}), {{F::GUEST_INTERRUPTIBILITY_STATE, nmi_blocking}}},
    {sdm::unblocking, "EPT violation: bit 12 means nothing while an event was delivered",
     {{F::EXIT_REASON, 48}, {F::EXIT_QUALIFICATION, 0x1182}, {F::GUEST_PHYSICAL_ADDRESS, 0x4000}, {F::GUEST_LINEAR_ADDRESS, 0x4000},
      {F::IDT_VECTORING_INFO, 0x8000'0031}},
     only(Stage2Fault{Gpa{0x4000}, Access::Write, false}), {}, {0x8000'0031}},
};
// clang-format on

TEST(X86SdmVectors, reported_exceptions) {
    for (const SdmVector& vector : reported) check(vector);
}
TEST(X86SdmVectors, interrupted_events) {
    for (const SdmVector& vector : delivered_again) check(vector);
}
TEST(X86SdmVectors, nmi_unblocking_by_iret) {
    for (const SdmVector& vector : unblocking) check(vector);
}

TEST(X86SdmVectors, page_faults_load_cr2_with_the_qualification) {
    for (const u64 address : {u64{0}, u64{0x1234}, u64{0xffff'8000'0000'0fff}}) {
        FakeGuest fake;
        fake.vmcs.EXIT_REASON = exception;
        fake.vmcs.VM_EXIT_INTERRUPTION_INFO = 0x8000'0b0e;
        fake.vmcs.VM_EXIT_INTERRUPTION_ERROR_CODE = 0x1f;
        fake.vmcs.EXIT_QUALIFICATION = address;
        fake.regs.CR2 = 0x5555;
        Guest guest = fake.guest();
        const Decoded decoded = decode(guest);
        EXPECT_EQ(numbers(decoded.question.exit), numbers(VmExit{Handled{0}}));
        EXPECT_EQ(fake.regs.CR2, address);
        EXPECT_EQ(fake.vmcs.VM_ENTRY_INTERRUPTION_INFO, 0x8000'0b0eU);
        EXPECT_EQ(fake.vmcs.VM_ENTRY_EXCEPTION_ERROR_CODE, 0x1fU);
        EXPECT_EQ(fake.vmcs.GUEST_RIP, rip);
    }
}

TEST(X86SdmVectors, debug_exceptions_do_what_hardware_left_undone) {
    for (const DebugCase& c : debug_cases) {
        FakeGuest fake;
        fake.vmcs.EXIT_REASON = exception;
        fake.vmcs.VM_EXIT_INTERRUPTION_INFO = 0x8000'0301;
        fake.vmcs.EXIT_QUALIFICATION = c.qualification;
        fake.vmcs.GUEST_DR7 = 0x2400;
        fake.vmcs.GUEST_IA32_DEBUGCTL = 0x3;
        Guest guest = fake.guest();
        static_cast<void>(decode(guest));
        EXPECT_EQ(fake.regs.DR6, c.dr6) << sdm::debug << ": " << c.what;
        EXPECT_EQ(fake.vmcs.VM_ENTRY_INTERRUPTION_INFO, 0x8000'0301U) << c.what;
        // Delivery of any #DB clears DR7.GD ("Debug Control Register (DR7)"), LBR and BTF ("IA32_DEBUGCTL MSR").
        EXPECT_EQ(fake.vmcs.GUEST_DR7, 0x400U) << c.what;
        EXPECT_EQ(fake.vmcs.GUEST_IA32_DEBUGCTL, 0U) << c.what;
    }
}

/// What a second exception does: vol. 3, "Interrupt 8 - Double Fault Exception (#DF)", its two tables.
enum class FaultClass { Benign, Contributory, PageFault, DoubleFault };
FaultClass class_of(u8 vector) {
    switch (vector) {
        case 0:
        case 10:
        case 11:
        case 12:
        case 13: return FaultClass::Contributory;
        case 14: return FaultClass::PageFault;
        case 8: return FaultClass::DoubleFault;
        default: return FaultClass::Benign;
    }
}
enum class Result { Second, DoubleFault, Shutdown };
Result combined(u8 first, u8 second) {
    const FaultClass a = class_of(first), b = class_of(second);
    if (a == FaultClass::Benign || b == FaultClass::Benign) return Result::Second;
    if (a == FaultClass::DoubleFault) return Result::Shutdown;
    if (a == FaultClass::Contributory && b == FaultClass::PageFault) return Result::Second;
    return Result::DoubleFault;
}
u32 word_of(u8 vector) {
    const bool has_code = vector == 8 || (vector >= 10 && vector <= 14) || vector == 17;
    return 0x8000'0300U | vector | (has_code ? 0x800U : 0U);
}

TEST(X86SdmVectors, an_exception_on_top_of_every_other) {
    constexpr u8 exceptions[] = {0, 1, 5, 6, 7, 8, 10, 11, 12, 13, 14, 16, 17, 19};
    for (const u8 first : exceptions)
        for (const u8 second : exceptions) {
            if (second == 8) continue;  // hardware never reports #DF on top of anything but what made it
            FakeGuest fake;
            fake.vmcs.EXIT_REASON = exception;
            fake.vmcs.VM_EXIT_INTERRUPTION_INFO = word_of(second);
            fake.vmcs.VM_EXIT_INTERRUPTION_ERROR_CODE = 0x2;
            fake.vmcs.IDT_VECTORING_INFO = word_of(first);
            fake.vmcs.IDT_VECTORING_ERROR_CODE = 0x4;
            Guest guest = fake.guest();
            const Decoded decoded = decode(guest);
            const Result result = combined(first, second);
            SCOPED_TRACE(std::to_string(second) + " on top of " + std::to_string(first));
            ASSERT_EQ(decoded.question.request.has_value(), result == Result::Shutdown);
            if (result == Result::Shutdown) {
                EXPECT_TRUE(std::holds_alternative<TripleFault>(*decoded.question.request));
                continue;
            }
            EXPECT_EQ(fake.vmcs.VM_ENTRY_INTERRUPTION_INFO, result == Result::DoubleFault ? 0x8000'0b08U : word_of(second));
            if (EventWord::DeliverErrorCode::test(fake.vmcs.VM_ENTRY_INTERRUPTION_INFO)) {
                EXPECT_EQ(fake.vmcs.VM_ENTRY_EXCEPTION_ERROR_CODE, result == Result::DoubleFault ? 0U : 2U);
            }
        }
}

TEST(X86SdmVectors, events_that_are_not_exceptions_are_benign) {
    // Interrupt, NMI, INT n, INT1, INT3: the exception is delivered alone, and what it interrupted is not repeated.
    for (const u32 first : {0x8000'0031U, 0x8000'0202U, 0x8000'040dU, 0x8000'0501U, 0x8000'0603U}) {
        FakeGuest fake;
        fake.vmcs.EXIT_REASON = exception;
        fake.vmcs.VM_EXIT_INTERRUPTION_INFO = 0x8000'0b0d;
        fake.vmcs.VM_EXIT_INTERRUPTION_ERROR_CODE = 0x11;
        fake.vmcs.IDT_VECTORING_INFO = first;
        fake.vmcs.VM_EXIT_INSTRUCTION_LENGTH = 2;
        Guest guest = fake.guest();
        const Decoded decoded = decode(guest);
        EXPECT_FALSE(decoded.question.request);
        EXPECT_EQ(fake.vmcs.VM_ENTRY_INTERRUPTION_INFO, 0x8000'0b0dU);
        EXPECT_EQ(fake.vmcs.VM_ENTRY_EXCEPTION_ERROR_CODE, 0x11U);
    }
}

TEST(X86SdmVectors, a_double_fault_in_real_mode_has_no_code) {
    FakeGuest fake(CodeSize::Code16);
    fake.vmcs.EXIT_REASON = exception;
    fake.vmcs.VM_EXIT_INTERRUPTION_INFO = 0x8000'030d;
    fake.vmcs.IDT_VECTORING_INFO = 0x8000'030d;
    Guest guest = fake.guest();
    static_cast<void>(decode(guest));
    EXPECT_EQ(fake.vmcs.VM_ENTRY_INTERRUPTION_INFO, 0x8000'0308U);
}

}  // namespace
}  // namespace ax::x86::testing
