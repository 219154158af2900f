// What hosted code says when something from outside is wrong: the four parts of the CLI's error line.
#pragma once

#include <string>

namespace ax::sim {

/// An error for the user. `what` failed, `where` (a file, an offset, a line), `why`, and what to do
/// about it; every part but `what` may be empty.
struct Error {
    std::string what;
    std::string where;
    std::string why;
    std::string hint;

    /// `axsim: error: WHAT (WHERE): WHY; HINT`, without the parts that are empty.
    [[nodiscard]] std::string to_line() const {
        std::string line = "axsim: error: " + what;
        if (!where.empty()) line += " (" + where + ")";
        if (!why.empty()) line += ": " + why;
        if (!hint.empty()) line += "; " + hint;
        return line;
    }
    bool operator==(const Error&) const = default;
};

}  // namespace ax::sim
