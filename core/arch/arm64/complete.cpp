// Giving a decoded exit its answer.
#include "core/arch/arm64/decode.hpp"
#include "core/arch/arm64/psci.hpp"

namespace ax::arm64 {

namespace {

constexpr u64 hypercall_failed = ~u64{0};
constexpr u8 zero_register = 31;

/// "ISS encoding for an exception from a Data Abort" and "... an Instruction Abort".
GuestException external_abort(const Completion& c) {
    const auto ec = c.is_fetch ? ExceptionClass::InstructionAbortLower : ExceptionClass::DataAbortLower;
    const u64 iss =
        IssData::DFSC::of(c.fault_status) | IssData::WnR::of(!c.is_fetch && c.is_write) | IssData::FnV::of(!c.has_far);
    u64 distance = 0;
    for (std::size_t i = 0; i < c.next; ++i) distance += c.parts[i].size;
    const std::optional<Gva> far = c.has_far ? std::optional(c.far + distance) : std::nullopt;
    return {Esr::EC::of(index(ec)) | Esr::IL::of(1) | iss, far};
}

Effects take(const GuestException& exception) {
    Effects effects;
    effects.exception = exception;
    return effects;
}

Effects step_over(const Completion& completion) {
    Effects effects;
    effects.advance = completion.length;
    return effects;
}

void write(Effects& effects, u8 rd, u64 value) {
    if (rd != zero_register) static_cast<void>(effects.gprs.push_back({rd, value}));
}

/// A general register takes the width and sign of its load; W registers clear the upper half.
u64 extended(const Completion& c, const Part& part, u64 value) {
    constexpr unsigned w_bytes = 4;
    if (!c.is_signed) return value;
    const u64 wide = sign_extend(value, part.size);
    return c.is_64 ? wide : zero_extend(wide, w_bytes);
}

/// All parts are answered: write-back, then the registers, so that a load into its own base wins ("CONSTRAINED
/// UNPREDICTABLE behavior": the load is performed without write-back).
Effects finish_memory(const Completion& c) {
    Effects effects = step_over(c);
    if (c.base) static_cast<void>(effects.gprs.push_back({*c.base, c.base_value}));
    if (!c.is_load) return effects;
    for (std::size_t i = 0; i < c.parts.size(); ++i) {
        const Part& part = c.parts[i];
        if (!part.is_vector)
            write(effects, part.reg, extended(c, part, c.values[i]));
        else if (part.offset == 0)  // a scalar load clears the rest of the vector
            static_cast<void>(effects.vectors.push_back({part.reg, {c.values[i], 0}}));
        else
            effects.vectors[effects.vectors.size() - 1].value[1] = c.values[i];
    }
    return effects;
}

u64 call_result(const Completion& c, CallStatus status, u64 value) {
    if (c.is_answered) return c.value;
    return c.gives_power_state ? affinity_info(status, value) : psci_result(status);
}

/// `Value` and `Call` for what is no memory access; a value alone is a call that succeeded.
Effects complete_with(const Completion& c, CallStatus status, u64 value) {
    Effects effects = step_over(c);
    switch (c.kind) {
        case CompletionKind::None:
        case CompletionKind::Memory:
        case CompletionKind::Abort: return {};
        case CompletionKind::Skip: break;
        case CompletionKind::Register: write(effects, c.rt, c.value); break;
        case CompletionKind::Hypercall: write(effects, 0, status == CallStatus::Success ? value : hypercall_failed); break;
        case CompletionKind::Call: write(effects, 0, call_result(c, status, value)); break;
    }
    return effects;
}

std::optional<Effects> complete_part(Completion& c, u64 value) {
    if (c.next >= c.parts.size()) return Effects{};
    c.values[c.next] = zero_extend(value, c.parts[c.next].size);
    ++c.next;
    if (c.next < c.parts.size()) return std::nullopt;
    return finish_memory(c);
}

}  // namespace

std::optional<Effects> complete(Completion& c, const Answer& answer, GuestView& /*guest*/) {
    if (c.kind == CompletionKind::Abort) return take(external_abort(c));
    switch (answer.kind) {
        case AnswerKind::Retry:
            // The second half is memory, the first a device: repeated, the device would see the first half for ever.
            if (c.next != 0) return take(external_abort(c));
            return Effects{};
        case AnswerKind::BusFault: return take(external_abort(c));
        case AnswerKind::Undefined: return take({Esr::EC::of(index(ExceptionClass::Unknown)) | Esr::IL::of(1), std::nullopt});
        case AnswerKind::None:
            if (c.kind == CompletionKind::Call && !c.is_answered) return Effects{};
            return complete_with(c, CallStatus::Success, 0);
        case AnswerKind::Call: return complete_with(c, answer.status, answer.value);
        case AnswerKind::Value:
            return c.kind == CompletionKind::Memory ? complete_part(c, answer.value)
                                                    : complete_with(c, CallStatus::Success, answer.value);
    }
    return Effects{};
}

}  // namespace ax::arm64
