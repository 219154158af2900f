// Giving a decoded exit its answer.
#include "core/arch/arm64/decode.hpp"
#include "core/arch/arm64/psci.hpp"

namespace ax::arm64 {

namespace {

/// An external abort: "ISS encoding for an exception from a Data Abort", FnV 0.
GuestException external_abort(const Completion& c) {
    const auto ec = c.is_fetch ? ExceptionClass::InstructionAbortLower : ExceptionClass::DataAbortLower;
    const u64 iss = IssData::DFSC::of(c.fault_status) | IssData::WnR::of(!c.is_fetch && c.is_write);
    return {Esr::EC::of(index(ec)) | Esr::IL::of(1) | iss, c.far};
}

GuestException undefined() { return {Esr::EC::of(index(ExceptionClass::Unknown)) | Esr::IL::of(1), std::nullopt}; }

Effects step_over(const Completion& completion) {
    Effects effects;
    effects.advance = completion.length;
    return effects;
}

void write(Effects& effects, u8 rd, u64 value) {
    // XZR: the value is lost.
    if (rd != 31) static_cast<void>(effects.gprs.push_back({rd, value}));
}

/// A general register takes the width and sign of its load; W registers clear the upper half.
u64 extended(const Completion& c, const Part& part, u64 value) {
    if (!c.is_signed) return zero_extend(value, part.size);
    const u64 wide = sign_extend(zero_extend(value, part.size), part.size);
    return c.is_64 ? wide : zero_extend(wide, 4);
}

/// All parts are answered: registers, then write-back. A load into its own base is UNPREDICTABLE; the load wins.
Effects finish_memory(const Completion& c) {
    Effects effects = step_over(c);
    if (c.base) static_cast<void>(effects.gprs.push_back({*c.base, c.base_value}));
    if (!c.is_load) return effects;
    for (std::size_t i = 0; i < c.parts.size(); ++i) {
        const Part& part = c.parts[i];
        if (!part.is_vector) {
            write(effects, part.reg, extended(c, part, c.values[i]));
        } else if (part.offset == 0) {
            // A scalar load clears the rest of the vector.
            static_cast<void>(effects.vectors.push_back({part.reg, {zero_extend(c.values[i], part.size), 0}}));
        } else {
            effects.vectors[effects.vectors.size() - 1].value[1] = c.values[i];
        }
    }
    return effects;
}

Effects complete_with(Completion& c, CallStatus status, u64 value) {
    Effects effects = step_over(c);
    switch (c.kind) {
        case CompletionKind::None:
        case CompletionKind::Memory:
        case CompletionKind::Abort: return {};
        case CompletionKind::Skip: break;
        case CompletionKind::Register: write(effects, c.rt, c.value); break;
        case CompletionKind::Hypercall: write(effects, 0, status == CallStatus::Success ? value : ~u64{0}); break;
        case CompletionKind::Call:
            write(effects, 0, c.is_answered ? c.value : c.gives_power_state ? affinity_info(status, value) : psci_result(status));
            break;
    }
    return effects;
}

}  // namespace

std::optional<Effects> complete(Completion& c, const Answer& answer, GuestView& /*guest*/) {
    Effects effects;
    if (c.kind == CompletionKind::Abort) {
        effects.exception = external_abort(c);
        return effects;
    }
    switch (answer.kind) {
        case AnswerKind::Retry: return effects;
        case AnswerKind::BusFault: effects.exception = external_abort(c); return effects;
        case AnswerKind::Undefined: effects.exception = undefined(); return effects;
        case AnswerKind::None:
            // Exits that the architecture layer has answered already; a call that does not return otherwise.
            if (c.kind == CompletionKind::Call && !c.is_answered) return effects;
            return complete_with(c, CallStatus::Success, 0);
        case AnswerKind::Call: return complete_with(c, answer.status, answer.value);
        case AnswerKind::Value: break;
    }
    if (c.kind != CompletionKind::Memory) return complete_with(c, CallStatus::Success, answer.value);
    c.values[c.next] = zero_extend(answer.value, c.parts[c.next].size);
    ++c.next;
    if (c.next < c.parts.size()) return std::nullopt;
    return finish_memory(c);
}

}  // namespace ax::arm64
