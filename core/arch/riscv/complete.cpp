// Giving a decoded exit its answer.
#include "core/arch/riscv/decode.hpp"
#include "core/arch/riscv/sbi.hpp"

namespace ax::riscv {

namespace {

constexpr u64 vendor_call_failed = ~u64{0};

void write_a0(Effects& effects, u64 value) { effects.first = GprWrite{Abi::a0, value}; }
void write_sbi(Effects& effects, i64 error, u64 value) {
    write_a0(effects, static_cast<u64>(error));
    effects.second = GprWrite{Abi::a1, value};
}

Effects step_over(const Completion& completion) {
    Effects effects;
    effects.advance = completion.length;
    return effects;
}

Effects take(Cause cause, u64 tval) {
    Effects effects;
    effects.exception = GuestException{cause, tval};
    return effects;
}

/// False for what decoding never makes but a damaged saved state can hold.
bool is_sound(const Completion& completion) {
    constexpr u8 register_count = 32;
    return completion.kind != CompletionKind::Load ||
           (completion.rd < register_count && completion.size >= 1 && completion.size <= sizeof(u64));
}

/// `Value` and `Call`; a value alone is a call that succeeded.
Effects complete_with(const Completion& completion, CallStatus status, u64 value) {
    const bool succeeded = status == CallStatus::Success;
    Effects effects = step_over(completion);
    switch (completion.kind) {
        case CompletionKind::None: return {};
        case CompletionKind::Store:
        case CompletionKind::Skip: break;
        case CompletionKind::Load:
            if (completion.rd != Abi::zero) {
                const u64 data = completion.is_signed ? sign_extend(value, completion.size) : zero_extend(value, completion.size);
                effects.first = GprWrite{completion.rd, data};
            }
            break;
        case CompletionKind::SbiCall: write_sbi(effects, sbi_error(status), value); break;
        case CompletionKind::LegacyCall: write_a0(effects, succeeded ? value : static_cast<u64>(sbi_error(status))); break;
        case CompletionKind::VendorCall: write_a0(effects, succeeded ? value : vendor_call_failed); break;
    }
    return effects;
}

/// `None`: the vCPU goes on without an answer from above.
Effects complete_without(const Completion& completion) {
    Effects effects = step_over(completion);
    switch (completion.kind) {
        case CompletionKind::None:
        case CompletionKind::Load:
        case CompletionKind::Store: return {};
        case CompletionKind::SbiCall: write_sbi(effects, completion.call_error, completion.call_value); break;
        case CompletionKind::LegacyCall: write_a0(effects, completion.call_value); break;
        case CompletionKind::VendorCall:
        case CompletionKind::Skip: break;
    }
    return effects;
}

}  // namespace

Effects complete(const Completion& completion, const Answer& answer) {
    if (!is_sound(completion)) return {};
    switch (answer.kind) {
        case AnswerKind::Value: return complete_with(completion, CallStatus::Success, answer.value);
        case AnswerKind::Call: return complete_with(completion, answer.status, answer.value);
        case AnswerKind::BusFault: return take(completion.fault, completion.fault_value);
        case AnswerKind::Undefined: return take(Cause::IllegalInstruction, completion.bits);
        case AnswerKind::Retry: return {};
        case AnswerKind::None: return complete_without(completion);
    }
    return {};
}

}  // namespace ax::riscv
