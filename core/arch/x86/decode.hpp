// From a raw exit to what it asks for, and from an answer to what it does to the vCPU.
#pragma once

#include "core/arch/x86/trap.hpp"

namespace ax::x86 {

/// What the exit that the VMCS describes asks for. Never fails:
/// - An event whose delivery the exit interrupted waits for the next entry again (`requeue_event`), and so does an exception
///   that the exit reported.
/// - `request` is what the vCPU itself must serve; it then chooses the exit.
/// - `MmioRead` and `MmioWrite` say only that stage 2 refused; memory may belong there (`Retry`).
/// - An access that no device completes (a fetch, a page walk, an instruction outside the table, event delivery, one across a
/// page)
///   is a `Stage2Fault`: removable by mapping memory and `Retry`; a bus fault gives the guest the exception that fits best.
/// - Code that does not explain the exit, because another vCPU changed it, is `Handled` with nothing to complete.
/// - What has no rule is `Unhandled{exit reason, qualification}`; a refused entry is `EntryFailure{exit reason}`.
[[nodiscard]] Decoded decode(Guest& guest);

/// Takes the answer to a question. The next question of the same instruction, or none when it is done. By kind of answer:
/// - `Value`, `Call`: results are written and the instruction stepped over.
/// - `None`: stepped over, but for memory and ports, which stay where they are.
/// - `BusFault`: reads give ones and writes are lost, as on a bus where nothing answers; MSRs give #GP(0).
/// - `Undefined`: #UD.
/// - `Retry`: nothing; but a device's data that is on its way to memory is written, not asked for again.
[[nodiscard]] std::optional<Question> complete(Completion& completion, const Answer& answer, Guest& guest);

/// The question that `complete` gave, again: of a state that was saved before it was asked. It is not the same where memory
/// has come to be behind the access; none where the instruction is then done, or where the state makes no sense.
[[nodiscard]] std::optional<Question> next_question(Completion& completion, Guest& guest);

/// The answer to `CpuidRead`.
struct CpuidResult {
    u32 eax = 0;
    u32 ebx = 0;
    u32 ecx = 0;
    u32 edx = 0;

    constexpr bool operator==(const CpuidResult&) const = default;
};
void complete_cpuid(const Completion& completion, const CpuidResult& result, Guest& guest);

}  // namespace ax::x86
