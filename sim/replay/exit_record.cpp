#include "sim/replay/exit_record.hpp"

#include <algorithm>
#include <bit>

#include "sim/base/text.hpp"
#include "sim/replay/exit_words.hpp"

namespace ax::sim {
namespace {

using Words = std::array<u64, ExitRecord::max_words>;

Words words_of(const VmExit& exit) {
    return std::visit(Overloaded{
                          [](const BudgetEnd&) { return Words{}; },
                          [](const MmioRead& e) {
                              return Words{e.gpa.value(), e.size};
                          },
                          [](const MmioWrite& e) {
                              return Words{e.gpa.value(), e.size, e.value};
                          },
                          [](const Stage2Fault& e) {
                              return Words{e.gpa.value(), index(e.access), e.by_walk};
                          },
                          [](const Hypercall& e) {
                              Words words{e.number};
                              std::ranges::copy(e.args, words.begin() + 1);
                              return words;
                          },
                          [](const PowerCall& e) {
                              return Words{index(e.op), e.target, e.entry.value(), e.argument, e.loses_state};
                          },
                          [](const SetTimer& e) { return Words{e.deadline_ticks}; },
                          [](const SendIpi& e) {
                              return Words{e.targets.all, e.targets.base, e.targets.mask, e.all_but_self, e.number, e.is_group1};
                          },
                          [](const RemoteFence& e) {
                              return Words{e.targets.all, e.targets.base, e.targets.mask, e.instruction};
                          },
                          [](const ConsoleCall& e) {
                              return Words{index(e.op), e.value, e.buffer.value(), e.length};
                          },
                          [](const WaitForInterrupt&) { return Words{}; },
                          [](const SpinHint&) { return Words{}; },
                          [](const Handled& e) {
                              return Words{e.code, e.value};
                          },
                          [](const UndefinedInstruction& e) { return Words{e.bits}; },
                          [](const HostInterrupt& e) { return Words{index(e.kind)}; },
                          [](const Unhandled& e) {
                              return Words{e.cause, e.detail};
                          },
                          [](const EntryFailure& e) { return Words{e.reason}; },
                          [](const PortRead& e) {
                              return Words{e.port, e.size};
                          },
                          [](const PortWrite& e) {
                              return Words{e.port, e.size, e.value};
                          },
                          [](const CpuShutdown& e) { return Words{e.address}; },
                      },
                      exit);
}

/// Odd, so that each maps different words to different products; otherwise arbitrary.
constexpr std::array<u64, 12> weights = {0x9e37'79b9'7f4a'7c15, 0xc2b2'ae3d'27d4'eb4f, 0x1656'67b1'9e37'79f9,
                                         0x85eb'ca77'c2b2'ae63, 0x27d4'eb2f'1656'67c5, 0xff51'afd7'ed55'8ccd,
                                         0xc4ce'b9fe'1a85'ec53, 0xbf58'476d'1ce4'e5b9, 0x94d0'49bb'1331'11eb,
                                         0xd6e8'feb8'6659'fd93, 0xa076'1d64'78bd'642f, 0xe703'7ed1'a0b4'28db};

constexpr u64 weighed(u64 word, std::size_t position) { return (word ^ (word >> 32)) * weights[position]; }

FieldDifference differing(std::string field, std::string recorded, std::string replayed) {
    return {std::move(field), std::move(recorded), std::move(replayed)};
}

}  // namespace

ExitRecord flatten(const VmExit& exit, const Answer& answer, const ExitPlace& place) {
    return {.vm = index(place.vm),
            .vcpu = index(place.vcpu),
            .icount = place.icount,
            .pc = place.pc.value(),
            .words = words_of(exit),
            .value = answer.value,
            .kind = static_cast<u8>(exit.index()),
            .answer = answer.kind,
            .status = answer.status};
}

std::string describe(const ExitRecord& record) {
    std::string text = exit_name(record.kind);
    const auto names = exit_word_names(record.kind);
    for (std::size_t i = 0; i < names.size(); ++i)
        text.append(" ").append(names[i]).append("=").append(exit_word_text(record.kind, i, record.words[i]));
    return text + " -> " + answer_text(record);
}

std::optional<FieldDifference> first_difference(const ExitRecord& recorded, const ExitRecord& replayed) {
    const ExitRecord& a = recorded;
    const ExitRecord& b = replayed;
    if (a == b) return {};
    if (a.vm != b.vm) return differing("vm", std::to_string(a.vm), std::to_string(b.vm));
    if (a.vcpu != b.vcpu) return differing("vcpu", std::to_string(a.vcpu), std::to_string(b.vcpu));
    if (a.icount != b.icount) return differing("icount", std::to_string(a.icount), std::to_string(b.icount));
    if (a.pc != b.pc) return differing("pc", hex(a.pc), hex(b.pc));
    if (a.kind != b.kind) return differing("exit", describe(a), describe(b));
    const auto names = exit_word_names(a.kind);
    for (std::size_t i = 0; i < ExitRecord::max_words; ++i) {
        if (a.words[i] == b.words[i]) continue;
        const std::string name = i < names.size() ? std::string(names[i]) : "word" + std::to_string(i);
        return differing(name, exit_word_text(a.kind, i, a.words[i]), exit_word_text(b.kind, i, b.words[i]));
    }
    return differing("answer", answer_text(a), answer_text(b));
}

u64 extend_chain(u64 chain, const ExitRecord& record) {
    // The products do not wait for one another; only their sum enters the serial part.
    u64 sum = weighed((u64{record.vm} << 32) | record.vcpu, 7) + weighed(record.icount, 8) + weighed(record.pc, 9) +
              weighed(record.value, 10) +
              weighed((u64{record.kind} << 16) | (u64{index(record.answer)} << 8) | index(record.status), 11);
    for (std::size_t i = 0; i < ExitRecord::max_words; ++i) sum += weighed(record.words[i], i);
    chain = (std::rotl(chain, 23) ^ sum) * weights[0];
    chain ^= chain >> 29;
    chain *= weights[1];
    return chain ^ (chain >> 32);
}

}  // namespace ax::sim
