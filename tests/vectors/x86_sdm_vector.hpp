// A VM exit as the SDM's tables describe it, with values derived from those tables by hand: the neutral exit, the event for
// the next entry, and everything that decoding and the answer change in the guest. Nothing else may change.
#pragma once

#include <gtest/gtest.h>

#include <utility>

#include "core/base/types.hpp"
#include "tests/vectors/x86_vector.hpp"

namespace ax::x86::testing {

using F = VmcsField;

/// Titles of the Intel SDM, vol. 3, beyond those of `section`.
namespace sdm {
inline constexpr const char* interruption =
    "Information for VM Exits Due to Vectored Events, table \"Format of the VM-Exit "
    "Interruption-Information Field\"";
inline constexpr const char* vectoring =
    "Information for VM Exits That Occur During Event Delivery, table \"Format of the "
    "IDT-Vectoring Information Field\"";
inline constexpr const char* unblocking = "Information About NMI Unblocking Due to IRET";
inline constexpr const char* debug = "Basic VM-Exit Information, table \"Exit Qualification for Debug Exceptions\"";
inline constexpr const char* strings =
    "Information for VM Exits Due to Instruction Execution, table \"Format of the "
    "VM-Exit Instruction-Information Field as Used for INS and OUTS\"";
inline constexpr const char* windows = "Other Causes of VM Exits";
inline constexpr const char* shadow =
    "Saving Non-Register State; vol. 3, \"Masking Exceptions and Interrupts When Switching Stacks\"";
}  // namespace sdm

/// The three fields of an event for the next entry; the code counts where the word says so, the length for software events.
struct Injected {
    u32 word = 0;
    u32 error_code = 0;
    u32 length = 0;
};

/// Memory of the guest in `FakeGuest::ram`.
struct Cells {
    u64 gpa = 0;
    std::vector<u8> bytes;
};

/// One question, and what it is answered. Where `request` is there, it is asked and the exit is `Handled{basic reason}`.
struct Asked {
    VmExit exit{};
    std::optional<Request> request{};
    std::optional<Answer> answer{};
};

struct SdmVector {
    const char* section;
    const char* what;
    std::vector<Setting> given;
    std::vector<Asked> asked;      ///< one after the other
    std::vector<Setting> after{};  ///< what decoding and the answers change, the event apart
    Injected event{};
    std::vector<u8> code{};  ///< at RIP, where decoding reads it
    CodeSize mode = CodeSize::Code64;
    std::vector<Cells> ram{};
    std::vector<Cells> ram_after{};
};

/// An exit as numbers that compare: its kind, then its fields. Of `Handled` and `UndefinedInstruction` the SDM says nothing
/// beyond the reason.
inline std::vector<u64> numbers(const VmExit& exit) {
    std::vector<u64> out{exit.index()};
    std::visit(Overloaded{[](const auto&) {},
                          [&](const MmioRead& e) {
                              out.insert(out.end(), {e.gpa.value(), e.size});
                          },
                          [&](const MmioWrite& e) {
                              out.insert(out.end(), {e.gpa.value(), e.size, e.value});
                          },
                          [&](const PortRead& e) {
                              out.insert(out.end(), {e.port, e.size});
                          },
                          [&](const PortWrite& e) {
                              out.insert(out.end(), {e.port, e.size, e.value});
                          },
                          [&](const Stage2Fault& e) {
                              out.insert(out.end(), {e.gpa.value(), index(e.access), e.by_walk});
                          },
                          [&](const Hypercall& e) {
                              out.push_back(e.number);
                              out.insert(out.end(), e.args.begin(), e.args.end());
                          },
                          [&](const Handled& e) { out.push_back(e.code); },
                          [&](const HostInterrupt& e) { out.push_back(index(e.kind)); },
                          [&](const Unhandled& e) {
                              out.insert(out.end(), {e.cause, e.detail});
                          },
                          [&](const EntryFailure& e) { out.push_back(e.reason); }},
               exit);
    return out;
}
inline std::vector<u64> numbers(const Request& request) {
    std::vector<u64> out{request.index()};
    std::visit(Overloaded{[](const auto&) {},
                          [&](const CpuidRead& r) {
                              out.insert(out.end(), {r.leaf, r.subleaf});
                          },
                          [&](const MsrRead& r) { out.push_back(r.index); },
                          [&](const MsrWrite& r) {
                              out.insert(out.end(), {r.index, r.value});
                          },
                          [&](const TaskPriorityWrite& r) { out.push_back(r.value); },
                          [&](const WindowOpened& r) { out.push_back(r.is_nmi); },
                          [&](const StartupIpi& r) { out.push_back(r.vector); }},
               request);
    return out;
}

inline void put(FakeGuest& fake, const std::vector<Setting>& settings) {
    for (const Setting& s : settings) {
        if (!s.field) fake.regs.gprs[s.reg] = s.value;
        const bool is_known = !s.field || fake.vmcs.write(*s.field, s.value);
        EXPECT_TRUE(is_known);
    }
}
inline void put(FakeGuest& fake, const std::vector<Cells>& cells) {
    for (const Cells& c : cells)
        for (std::size_t i = 0; i < c.bytes.size(); ++i) fake.memory.at(c.gpa - FakeGuest::ram + i) = c.bytes[i];
}

inline void expect_asked(const Question& question, const Asked& asked, u32 basic_reason) {
    ASSERT_EQ(question.request.has_value(), asked.request.has_value());
    if (asked.request) {
        EXPECT_EQ(numbers(*question.request), numbers(*asked.request));
    }
    EXPECT_EQ(numbers(question.exit), asked.request ? numbers(VmExit{Handled{basic_reason}}) : numbers(asked.exit));
}

/// The guest that the vector says must be left.
inline FakeGuest expected_guest(const SdmVector& vector, const FakeGuest& before, const Vmcs& now) {
    FakeGuest expected = before;
    const auto type = static_cast<EventType>(EventWord::Type::get(vector.event.word));
    const bool has_length = type == EventType::SoftwareInterrupt || type == EventType::SoftwareException ||
                            type == EventType::PrivilegedSoftwareException;
    expected.vmcs.VM_ENTRY_INTERRUPTION_INFO = vector.event.word;
    expected.vmcs.VM_ENTRY_EXCEPTION_ERROR_CODE =
        EventWord::DeliverErrorCode::test(vector.event.word) ? vector.event.error_code : now.VM_ENTRY_EXCEPTION_ERROR_CODE;
    expected.vmcs.VM_ENTRY_INSTRUCTION_LENGTH = has_length ? vector.event.length : now.VM_ENTRY_INSTRUCTION_LENGTH;
    put(expected, vector.after);
    put(expected, vector.ram_after);
    return expected;
}

inline void check(const SdmVector& vector) {
    SCOPED_TRACE(std::string(vector.section) + ": " + vector.what);
    FakeGuest fake(vector.mode);
    fake.code = vector.code;
    put(fake, vector.given);
    put(fake, vector.ram);
    const FakeGuest before = fake;
    const u32 basic = static_cast<u32>(ExitReasonWord::Basic::get(fake.vmcs.EXIT_REASON));

    Guest guest = fake.guest();
    Decoded decoded = decode(guest);
    std::optional<Question> question = decoded.question;
    for (const Asked& asked : vector.asked) {
        ASSERT_TRUE(question) << "fewer questions than expected";
        expect_asked(*question, asked, basic);
        question.reset();
        if (asked.answer) question = complete(decoded.completion, *asked.answer, guest);
    }
    EXPECT_FALSE(question) << "more questions than expected";

    const FakeGuest expected = expected_guest(vector, before, fake.vmcs);
    EXPECT_EQ(fake.regs, expected.regs);
    EXPECT_EQ(fake.memory, expected.memory);
    Vmcs::list(fake.vmcs,
               [&](VmcsField f, const char* name, auto& value) { EXPECT_EQ(u64{value}, expected.vmcs.read(f)) << name; });
}

/// Vectors that ask nothing but one exit, which needs no answer.
inline std::vector<Asked> only(const VmExit& exit) { return {{.exit = exit}}; }
inline std::vector<Asked> stepped_over(const VmExit& exit) { return {{.exit = exit, .answer = Answer::none()}}; }
inline std::vector<Asked> request(const Request& r) { return {{.request = r}}; }
inline std::vector<Asked> request(const Request& r, u64 value) { return {{.request = r, .answer = Answer::of_value(value)}}; }

}  // namespace ax::x86::testing
