// Trace records as lines for people.
#pragma once

#include <string>

#include "sim/replay/record.hpp"

namespace ax::sim {

/// Text in quotes, with C escapes for what is not printable ASCII.
[[nodiscard]] std::string quoted(std::string_view text);
/// `console`, `console-closed`, `stop`.
[[nodiscard]] std::string_view input_name(InputKind kind);

/// `icount 1234 vm1/vcpu0 pc 0x80200000 mmio-write gpa=… -> value 0x0`.
[[nodiscard]] std::string to_line(const ExitRecord& exit);
/// `input before slice 5 at 777 ns: vm1 console "ls\n"`.
[[nodiscard]] std::string to_line(const InputRecord& input);
[[nodiscard]] std::string to_line(const StateHashRecord& hash);
[[nodiscard]] std::string to_line(const EndRecord& end);
[[nodiscard]] std::string to_line(const Record& record);

}  // namespace ax::sim
