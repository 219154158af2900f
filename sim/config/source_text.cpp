#include "sim/config/source_text.hpp"

namespace ax::sim {

namespace {

constexpr std::size_t longest = 80;

std::string_view line_of(std::string_view text, u32 line) {
    for (u32 i = 1; i < line; ++i) {
        const std::size_t end = text.find('\n');
        if (end == std::string_view::npos) return {};
        text.remove_prefix(end + 1);
    }
    return text.substr(0, text.find_first_of("\r\n"));
}

/// Columns count characters, of which UTF-8 may need several bytes each.
std::string_view from_column(std::string_view line, u32 column) {
    u32 at = 1;
    std::size_t i = 0;
    while (i < line.size() && at < column) {
        ++i;
        while (i < line.size() && (static_cast<unsigned char>(line[i]) & 0xc0) == 0x80) ++i;
        ++at;
    }
    return line.substr(i);
}

std::size_t end_of_string(std::string_view rest) {
    for (std::size_t i = 1; i < rest.size(); ++i) {
        if (rest[0] == '"' && rest[i] == '\\') ++i;
        else if (rest[i] == rest[0]) return i + 1;
    }
    return rest.size();
}

std::size_t end_of_value(std::string_view rest) {
    if (rest.empty()) return 0;
    if (rest[0] == '"' || rest[0] == '\'') return end_of_string(rest);
    int depth = 0;
    for (std::size_t i = 0; i < rest.size(); ++i) {
        const char c = rest[i];
        if (c == '#') return i;
        if (c == '"' || c == '\'') {
            i += end_of_string(rest.substr(i)) - 1;
            continue;
        }
        if (c == '[' || c == '{') ++depth;
        if (c == ']' || c == '}') --depth;
        if (depth < 0 || (depth == 0 && c == ',')) return i;
        if (depth == 0 && (c == ']' || c == '}')) return i + 1;
    }
    return rest.size();
}

}  // namespace

std::string value_text(std::string_view text, Position at) {
    if (at.line == 0) return {};
    const std::string_view rest = from_column(line_of(text, at.line), at.column);
    std::string_view value = rest.substr(0, end_of_value(rest));
    while (!value.empty() && (value.back() == ' ' || value.back() == '\t')) value.remove_suffix(1);
    std::string result(value.substr(0, longest));
    for (char& c : result)
        if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = ' ';
    return result;
}

}  // namespace ax::sim
