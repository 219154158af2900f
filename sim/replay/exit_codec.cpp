#include "sim/replay/exit_codec.hpp"

#include "core/base/bits.hpp"
#include "core/base/expect.hpp"

namespace ax::sim {
namespace {

using Kind = Bits<4, 0>;
using IsSameVcpu = Bits<5>;
using IsSameAnswer = Bits<6>;

constexpr unsigned pc_changed = 7;

using AnswerCode = Bits<2, 0>;
using ValueChanged = Bits<3>;
using StatusCode = Bits<7, 4>;

static_assert(index(AnswerKind::None) <= AnswerCode::max && index(CallStatus::StartPending) <= StatusCode::max);

std::byte* put_distance(std::byte* at, u64 value, u64 before) { return put_varint(at, zigzag(value - before)); }
u64 take_distance(ByteSource& in, u64 before) { return before + unzigzag(in.take_varint()); }

bool has_same_answer(const ExitRecord& a, const ExitRecord& b) {
    return a.answer == b.answer && a.status == b.status && a.value == b.value;
}

}  // namespace

void ExitHistory::clear() {
    slots_.assign(slots_.size(), ExitRecord{});
    vm = 0;
    vcpu = 0;
    icount = 0;
}

void ExitEncoder::encode(const ExitRecord& record, ByteSink& out) {
    expect(out.room() >= max_bytes && record.kind <= Kind::max, "an exit to encode has room and a known kind");
    const bool is_same_vcpu = record.vm == history_.vm && record.vcpu == history_.vcpu;
    history_.vm = record.vm;
    history_.vcpu = record.vcpu;
    ExitRecord& guess = history_.guess(record.kind);
    const bool is_same_answer = has_same_answer(record, guess);
    // A local cursor: a byte written through the sink could be the sink's own size, for all the compiler knows.
    std::byte* at = out.cursor();
    *at++ = static_cast<std::byte>(Kind::of(record.kind) | IsSameVcpu::of(is_same_vcpu) | IsSameAnswer::of(is_same_answer));
    std::byte* const changes_at = at++;
    if (!is_same_vcpu) at = put_varint(put_varint(at, record.vm), record.vcpu);
    at = put_distance(at, record.icount, history_.icount);

    u64 changes = 0;
    if (record.pc != guess.pc) {
        changes |= bit(pc_changed);
        at = put_distance(at, record.pc, guess.pc);
    }
    for (unsigned i = 0; i < ExitRecord::max_words; ++i) {
        if (record.words[i] == guess.words[i]) continue;
        changes |= bit(i);
        at = put_distance(at, record.words[i], guess.words[i]);
    }
    *changes_at = static_cast<std::byte>(changes);
    if (!is_same_answer) {
        const bool has_new_value = record.value != guess.value;
        *at++ = static_cast<std::byte>(AnswerCode::of(index(record.answer)) | ValueChanged::of(has_new_value) |
                                       StatusCode::of(index(record.status)));
        if (has_new_value) at = put_distance(at, record.value, guess.value);
    }
    out.advance_to(at);
    history_.icount = record.icount;
    guess = record;
}

void ExitDecoder::decode(u8 first, ByteSource& in, ExitRecord& record) {
    const u8 changes = in.take_byte();
    if (!IsSameVcpu::test(first)) {
        history_.vm = in.take_u32();
        history_.vcpu = in.take_u32();
    }
    history_.icount = take_distance(in, history_.icount);
    const auto kind = static_cast<u8>(Kind::get(first));
    ExitRecord& guess = history_.guess(kind);
    guess.vm = history_.vm;
    guess.vcpu = history_.vcpu;
    guess.icount = history_.icount;
    guess.kind = kind;
    if ((changes & bit(pc_changed)) != 0) guess.pc = take_distance(in, guess.pc);
    for (unsigned i = 0; i < ExitRecord::max_words; ++i)
        if ((changes & bit(i)) != 0) guess.words[i] = take_distance(in, guess.words[i]);
    if (!IsSameAnswer::test(first)) {
        const u8 code = in.take_byte();
        if (AnswerCode::get(code) > index(AnswerKind::None) || StatusCode::get(code) > index(CallStatus::StartPending))
            in.fail();
        guess.answer = static_cast<AnswerKind>(AnswerCode::get(code));
        guess.status = static_cast<CallStatus>(StatusCode::get(code));
        if (ValueChanged::test(code)) guess.value = take_distance(in, guess.value);
    }
    if (kind >= std::variant_size_v<VmExit>) in.fail();
    record = guess;
}

}  // namespace ax::sim
