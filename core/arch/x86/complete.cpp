// Giving a decoded exit its answer.
#include <utility>

#include "core/arch/x86/decode.hpp"
#include "core/arch/x86/guest.hpp"
#include "core/arch/x86/inject.hpp"
#include "core/arch/x86/transfer.hpp"

namespace ax::x86 {

namespace {

constexpr u64 nothing_answers = ~u64{0};
constexpr u64 hypercall_failed = ~u64{0};
constexpr unsigned half = 4;  ///< bytes of EAX and its kin

std::optional<Question> raise(const GuestException& e, Completion& c, Guest& g) {
    c = {};
    if (inject_exception(g, e) == Injection::Delivered) return std::nullopt;
    c.kind = CompletionKind::Shutdown;
    return next_question(c, g);
}

void write_pair(Guest& g, u64 value) {
    using High = Bits<63, 32>;
    write_operand(g, {Gpr::RAX, false}, half, value);
    write_operand(g, {Gpr::RDX, false}, half, High::get(value));
}

/// `Value`, and `Call` with what its status says.
std::optional<Question> complete_with(Completion& c, CallStatus status, u64 value, Guest& g) {
    switch (c.kind) {
        case CompletionKind::None:
        case CompletionKind::Shutdown:
        case CompletionKind::Fault: return std::nullopt;
        case CompletionKind::Transfer: return advance_with(c, value, g);
        case CompletionKind::Cpuid: complete_cpuid(c, {}, g); return std::nullopt;
        case CompletionKind::Skip: break;
        case CompletionKind::Msr:
            if (c.is_read) write_pair(g, value);
            break;
        case CompletionKind::TimeStamp:
            write_pair(g, value);
            if (c.has_aux) write_operand(g, {Gpr::RCX, false}, half, g.regs.IA32_TSC_AUX);
            break;
        case CompletionKind::TaskPriority: {
            using Priority = Bits<3, 0>;
            if (c.is_read) write_gpr(g, c.reg, Priority::get(value));
            break;
        }
        case CompletionKind::Hypercall: write_gpr(g, Gpr::RAX, status == CallStatus::Success ? value : hypercall_failed); break;
    }
    step_over(g.vmcs, c.length);
    return std::nullopt;
}

std::optional<Question> complete_without_answer(Completion& c, Guest& g) {
    if (c.kind == CompletionKind::Transfer) return advance_with(c, nothing_answers, g);
    if (c.kind == CompletionKind::Fault) return raise(GuestException{c.fault}, c, g);
    if (c.kind == CompletionKind::Msr) return raise({Vector::GP, 0, std::nullopt}, c, g);
    return complete_with(c, CallStatus::Failed, nothing_answers, g);
}

}  // namespace

std::optional<Question> next_question(Completion& c, Guest& g) {
    if (c.kind == CompletionKind::Shutdown) return Question{Handled{index(ExitReason::TripleFault), 0}, TripleFault{}};
    return c.kind == CompletionKind::Transfer && can_advance(c) ? advance(c, g) : std::nullopt;
}

std::optional<Question> complete(Completion& c, const Answer& answer, Guest& g) {
    // An access across a page is asked about before it begins; where nothing answers it begins all the same.
    const bool begins = std::exchange(c.waits_for_halves, false) && answer.kind != AnswerKind::Retry;
    if (begins && answer.kind != AnswerKind::Undefined && answer.kind != AnswerKind::None) return advance(c, g);
    switch (answer.kind) {
        case AnswerKind::Retry: return c.kind == CompletionKind::Transfer ? advance_again(c, g) : std::nullopt;
        case AnswerKind::BusFault: return complete_without_answer(c, g);
        case AnswerKind::Undefined: return raise({Vector::UD, std::nullopt, std::nullopt}, c, g);
        case AnswerKind::None:
            if (c.kind == CompletionKind::Transfer || c.kind == CompletionKind::Fault) return std::nullopt;
            return complete_with(c, CallStatus::Success, 0, g);
        case AnswerKind::Call: return complete_with(c, answer.status, answer.value, g);
        case AnswerKind::Value: return complete_with(c, CallStatus::Success, answer.value, g);
    }
    return std::nullopt;
}

void complete_cpuid(const Completion& c, const CpuidResult& result, Guest& g) {
    write_operand(g, {Gpr::RAX, false}, half, result.eax);
    write_operand(g, {Gpr::RBX, false}, half, result.ebx);
    write_operand(g, {Gpr::RCX, false}, half, result.ecx);
    write_operand(g, {Gpr::RDX, false}, half, result.edx);
    step_over(g.vmcs, c.length);
}

}  // namespace ax::x86
