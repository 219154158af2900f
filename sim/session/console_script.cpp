#include "sim/session/console_script.hpp"

#include <charconv>
#include <fstream>
#include <optional>
#include <sstream>

namespace ax::sim {

namespace {

/// One quoted text; `rest` is left behind the closing quote. Nothing when it is malformed.
std::optional<std::string> take_quoted(std::string_view& rest) {
    if (!rest.starts_with('"')) return std::nullopt;
    std::string text;
    for (std::size_t i = 1; i < rest.size(); ++i) {
        const char c = rest[i];
        if (c == '"') {
            rest.remove_prefix(i + 1);
            return text;
        }
        if (c != '\\') {
            text += c;
            continue;
        }
        if (++i == rest.size()) return std::nullopt;
        switch (rest[i]) {
            case 'n': text += '\n'; break;
            case 'r': text += '\r'; break;
            case 't': text += '\t'; break;
            case '0': text += '\0'; break;
            case 'e': text += '\x1b'; break;
            case '\\': text += '\\'; break;
            case '"': text += '"'; break;
            case 'x': {
                unsigned value = 0;
                const char* from = rest.data() + i + 1;
                const char* to = rest.data() + std::min(rest.size(), i + 3);
                const auto [end, failed] = std::from_chars(from, to, value, 16);
                if (failed != std::errc{} || end != from + 2) return std::nullopt;
                text += static_cast<char>(value);
                i += 2;
                break;
            }
            default: return std::nullopt;
        }
    }
    return std::nullopt;
}

std::string_view trim(std::string_view text) {
    const auto from = text.find_first_not_of(" \t\r");
    if (from == std::string_view::npos) return {};
    return text.substr(from, text.find_last_not_of(" \t\r") - from + 1);
}

}  // namespace

std::expected<std::vector<ScriptStep>, Error> parse_console_script(std::string_view text, const std::string& name) {
    std::vector<ScriptStep> steps;
    unsigned number = 0;
    while (!text.empty()) {
        const auto end = text.find('\n');
        std::string_view line = trim(text.substr(0, end));
        text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
        ++number;
        if (line.empty() || line.starts_with('#')) continue;
        const auto bad = [&](std::string why) {
            return std::unexpected(Error{"bad console script", name + ":" + std::to_string(number), std::move(why),
                                         "write lines of the form: expect \"TEXT\"  or  send \"TEXT\""});
        };
        const auto space = line.find_first_of(" \t");
        const std::string_view word = line.substr(0, space);
        if (word != "expect" && word != "send") return bad("unknown word '" + std::string(word) + "'");
        std::string_view rest = space == std::string_view::npos ? std::string_view{} : trim(line.substr(space));
        auto quoted = take_quoted(rest);
        if (!quoted) return bad("the text behind '" + std::string(word) + "' is not a quoted string with C escapes");
        if (!trim(rest).empty() && !trim(rest).starts_with('#')) return bad("there is more behind the text");
        if (quoted->empty()) return bad("the text is empty");
        steps.push_back({word == "send", std::move(*quoted), number});
    }
    return steps;
}

std::expected<std::vector<ScriptStep>, Error> read_console_script(const std::string& path) {
    std::ifstream file(path);
    if (!file) return std::unexpected(Error{"cannot read the console script", path, "no such file, or not readable", ""});
    std::stringstream text;
    text << file.rdbuf();
    return parse_console_script(text.view(), path);
}

}  // namespace ax::sim
