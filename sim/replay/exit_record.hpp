// One exit and its answer as plain words: what a trace keeps of it and what replay compares.
#pragma once

#include <array>
#include <optional>
#include <string>

#include "core/exit/vm_exit.hpp"

namespace ax::sim {

/// Where an exit happened. `icount` is the machine's count of retired instructions when the exit
/// came back; `pc` is the guest's program counter at the exit, before it is completed.
struct ExitPlace {
    VmId vm{};
    VcpuId vcpu{};
    u64 icount = 0;
    Gva pc;
};

/// `kind` is the position in `VmExit`; `words` are that kind's values in the order of its members
/// (exit_words.hpp names them), zero behind the last one.
struct ExitRecord {
    static constexpr std::size_t max_words = 7;

    u32 vm = 0;
    u32 vcpu = 0;
    u64 icount = 0;
    u64 pc = 0;
    std::array<u64, max_words> words{};
    u64 value = 0;  ///< of the answer
    u8 kind = 0;
    AnswerKind answer = AnswerKind::None;
    CallStatus status = CallStatus::Success;

    bool operator==(const ExitRecord&) const = default;
};

[[nodiscard]] ExitRecord flatten(const VmExit& exit, const Answer& answer, const ExitPlace& place);

/// `mmio-write gpa=0x10000000 size=1 value=0x41 -> value 0x0`: what and answer, without the place.
[[nodiscard]] std::string describe(const ExitRecord& record);

/// A field in which two exits differ, with both values as text.
struct FieldDifference {
    std::string field;
    std::string recorded;
    std::string replayed;
    bool operator==(const FieldDifference&) const = default;
};

/// The first field that differs, in the order: place, kind, values, answer; nothing when equal.
[[nodiscard]] std::optional<FieldDifference> first_difference(const ExitRecord& recorded, const ExitRecord& replayed);

/// The running hash over exits: the chain before and one exit make the chain behind it. Every field
/// takes part, and for a given rest, different values of one field make different chains.
[[nodiscard]] u64 extend_chain(u64 chain, const ExitRecord& record);

}  // namespace ax::sim
