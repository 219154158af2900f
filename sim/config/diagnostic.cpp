#include "sim/config/diagnostic.hpp"

#include <algorithm>

#include "core/base/expect.hpp"

namespace ax::sim {

namespace {

/// Bytes below 0x20 other than a tab would let a garbled file write to the user's terminal.
std::string printable(std::string_view text) {
    std::string result(text);
    for (char& c : result)
        if ((static_cast<unsigned char>(c) < 0x20 && c != '\t') || c == 0x7f) c = '?';
    return result;
}


}  // namespace

std::string Diagnostic::one_line() const {
    std::string text = file;
    if (at.line != 0) text += ":" + std::to_string(at.line) + ":" + std::to_string(at.column);
    text += severity == config::Severity::Error ? ": error: " : ": warning: ";
    if (!key.empty()) text += key + ": ";
    text += what;
    if (!why.empty()) text += ": " + why;
    if (!hint.empty()) text += "; " + hint;
    if (!rule.empty()) text += " [" + rule + "]";
    return text;
}

std::string Diagnostic::to_text() const {
    std::string text = one_line() + "\n";
    if (source_line.empty()) return text;
    text += "    " + source_line + "\n    ";
    for (std::size_t i = 0; i + 1 < at.column && i < source_line.size(); ++i) {
        const auto byte = static_cast<unsigned char>(source_line[i]);
        // Columns count characters: the later bytes of a UTF-8 sequence take no place.
        if ((byte & 0xc0) != 0x80) text += byte == '\t' ? '\t' : ' ';
    }
    return text + "^\n";
}

const Diagnostic& ConfigError::first() const {
    expect(!diagnostics.empty(), "a ConfigError holds a diagnostic");
    const auto found = std::ranges::find(diagnostics, config::Severity::Error, &Diagnostic::severity);
    return found == diagnostics.end() ? diagnostics.front() : *found;
}

std::string ConfigError::to_text() const {
    std::string text;
    for (const Diagnostic& diagnostic : diagnostics) text += diagnostic.to_text();
    return text;
}

std::string_view Diagnostics::line(u32 number) {
    constexpr std::size_t longest = 400;
    if (line_starts_.empty()) {
        line_starts_.push_back(0);
        for (std::size_t end = text_.find('\n'); end != std::string_view::npos; end = text_.find('\n', end + 1)) line_starts_.push_back(end + 1);
    }
    if (number == 0 || number > line_starts_.size()) return {};
    std::string_view found = text_.substr(line_starts_[number - 1]);
    found = found.substr(0, found.find('\n'));
    if (found.ends_with('\r')) found.remove_suffix(1);
    return found.substr(0, longest);
}

void Diagnostics::add(config::Severity severity, Position at, Report report) {
    if (severity == config::Severity::Error) ++error_count_;
    const auto place = std::ranges::upper_bound(diagnostics_, std::pair(at.line, at.column), {},
                                                [](const Diagnostic& d) { return std::pair(d.at.line, d.at.column); });
    diagnostics_.insert(place, {severity, file_, at, printable(line(at.line)), printable(report.key), std::move(report.rule),
                                printable(report.what), printable(report.why), printable(report.hint)});
}

std::vector<Diagnostic> Diagnostics::take() {
    error_count_ = 0;
    return std::move(diagnostics_);
}

}  // namespace ax::sim
