// A console script: lines `expect "TEXT"` and `send "TEXT"`, as a list of steps.
#pragma once

#include <expected>
#include <string>
#include <string_view>
#include <vector>

#include "sim/base/error.hpp"

namespace ax::sim {

struct ScriptStep {
    bool is_send = false;  ///< otherwise: wait until the guest has written `text`
    std::string text;
    unsigned line = 0;
};

/// Parses a script. Empty lines and lines that begin with `#` are skipped; texts take the escapes of C
/// (`\n \r \t \0 \\ \" \e \xHH`). The error names file, line and what was expected there.
[[nodiscard]] std::expected<std::vector<ScriptStep>, Error> parse_console_script(std::string_view text, const std::string& name);

/// The same from a file.
[[nodiscard]] std::expected<std::vector<ScriptStep>, Error> read_console_script(const std::string& path);

}  // namespace ax::sim
