// One line on a terminal that says how far long work has come.
#pragma once

#include <ostream>
#include <string>
#include <string_view>

#include "core/base/types.hpp"

namespace ax::sim {

/// How far a run has come; `wall_ns` is host time since its start, measured by the caller.
struct Progress {
    u64 instructions = 0;
    u64 exits = 0;
    u64 virtual_ns = 0;
    u64 wall_ns = 0;
};

/// `1234.5 M instructions, 312 MIPS, 45678 exits, 3.21 s virtual`.
[[nodiscard]] std::string to_text(const Progress& progress);

/// Rewrites its line in place. Does nothing when `out` is no terminal, which the caller knows.
class ProgressLine {
public:
    ProgressLine(std::ostream& out, bool is_terminal) : out_(out), is_terminal_(is_terminal) {}
    ProgressLine(const ProgressLine&) = delete;
    ProgressLine& operator=(const ProgressLine&) = delete;
    ~ProgressLine() { clear(); }

    void show(std::string_view text);
    /// Removes the line, before other output or at the end.
    void clear();

private:
    std::ostream& out_;
    bool is_terminal_;
    bool is_shown_ = false;
};

}  // namespace ax::sim
