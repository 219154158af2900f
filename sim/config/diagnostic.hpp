// What is wrong with a configuration file, and where: one message per finding, all of them at once.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/config/finding.hpp"

namespace ax::sim {

/// Place in a text; both count from 1. Line 0: the file as a whole.
struct Position {
    u32 line = 0;
    u32 column = 0;
};

struct Diagnostic {
    config::Severity severity = config::Severity::Error;
    std::string file;
    Position at;
    std::string source_line;  ///< text of the offending line, empty when there is none
    std::string key;          ///< path of the value, as `kernel.memory_regions[2].size`; empty for none
    std::string rule;         ///< short fixed name, as `unknown-key`
    std::string what;
    std::string why;  ///< may be empty
    std::string hint;

    /// `FILE:LINE:COL: error: KEY: WHAT: WHY; HINT [RULE]`, without the parts that are empty.
    [[nodiscard]] std::string one_line() const;
    /// The same, then the offending line and a mark under its column.
    [[nodiscard]] std::string to_text() const;
};

/// Why a configuration was not accepted. Holds at least one error; warnings may stand beside it.
struct ConfigError {
    std::vector<Diagnostic> diagnostics;

    /// The first error, for those who show only one.
    [[nodiscard]] const Diagnostic& first() const;
    [[nodiscard]] std::string to_text() const;
};

/// Collects the diagnostics of one text.
class Diagnostics {
public:
    Diagnostics(std::string file, std::string_view text) : file_(std::move(file)), text_(text) {}

    /// What a reader or rule says; file, source line and position are filled in here.
    struct Report {
        std::string key;
        std::string rule;
        std::string what;
        std::string hint;
        std::string why = {};
    };
    void error(Position at, Report report) { add(config::Severity::Error, at, std::move(report)); }
    void warning(Position at, Report report) { add(config::Severity::Warning, at, std::move(report)); }
    void add(config::Severity severity, Position at, Report report);

    [[nodiscard]] bool has_errors() const { return error_count_ != 0; }
    /// Everything reported, in the order of the text.
    [[nodiscard]] std::vector<Diagnostic> take();

private:
    [[nodiscard]] std::string_view line(u32 number);

    std::string file_;
    std::string_view text_;
    std::vector<std::size_t> line_starts_;  ///< made for the first diagnostic
    std::vector<Diagnostic> diagnostics_;
    std::size_t error_count_ = 0;
};

}  // namespace ax::sim
