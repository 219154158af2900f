// What the words of an `ExitRecord` mean, kind by kind.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "sim/replay/exit_record.hpp"

namespace ax::sim {

/// `vm_exit_names`, and `kind N` for a number that no exit has.
[[nodiscard]] std::string exit_name(u8 kind);
/// Names of the words a kind uses, in order; none for a number that no exit has.
[[nodiscard]] std::span<const std::string_view> exit_word_names(u8 kind);
/// A word as text: small enumerations by name, sizes and flags in decimal, all else in hexadecimal.
[[nodiscard]] std::string exit_word_text(u8 kind, std::size_t position, u64 word);
/// `value 0x41`, `success 0x0`, `bus-fault`.
[[nodiscard]] std::string answer_text(const ExitRecord& record);
[[nodiscard]] std::string_view answer_name(AnswerKind kind);
[[nodiscard]] std::string_view status_name(CallStatus status);

}  // namespace ax::sim
