#include <vector>

#include "sim/base/text.hpp"
#include "sim/replay/replay_source.hpp"
#include "sim/replay/trace_reader.hpp"
#include "sim/report/record_text.hpp"
#include "sim/report/trace_report.hpp"

namespace ax::sim {
namespace {

/// One of the two traces, seen without its state hashes, which are kept aside.
struct Side {
    TraceReader reader;
    const Record* record = nullptr;
    std::vector<StateHashRecord> hashes{};

    std::expected<void, Error> advance() {
        for (;;) {
            const auto next = reader.next();
            if (!next) return std::unexpected(next.error());
            record = *next;
            const auto* hash = record == nullptr ? nullptr : std::get_if<StateHashRecord>(record);
            if (hash == nullptr) return {};
            hashes.push_back(*hash);
        }
    }
    [[nodiscard]] std::string text() const { return record == nullptr ? "nothing: the trace ends here" : to_line(*record); }
};

std::string differs(const std::string& what, const std::string& first, const std::string& second) {
    return what + " differs: " + first + " | " + second + "\n";
}

std::string image_text(const TraceImage& image) {
    return "vm" + std::to_string(image.vm) + " " + image.role + " " + image.path + " " + std::to_string(image.size_bytes) +
           " bytes " + hex(image.digest, 16);
}

/// The first line in which two texts differ.
std::string text_difference(const std::string& what, std::string_view first, std::string_view second) {
    for (u64 line = 1;; ++line) {
        const std::string_view a = first.substr(0, first.find('\n'));
        const std::string_view b = second.substr(0, second.find('\n'));
        if (a != b) return differs(what + " line " + std::to_string(line), quoted(a), quoted(b));
        if (first.size() == a.size() || second.size() == b.size())
            return differs(what + " length", std::to_string(first.size()), std::to_string(second.size()));
        first.remove_prefix(a.size() + 1);
        second.remove_prefix(b.size() + 1);
    }
}

std::string config_differences(const std::vector<TraceConfig>& first, const std::vector<TraceConfig>& second) {
    if (first.size() != second.size())
        return differs("number of configurations", std::to_string(first.size()), std::to_string(second.size()));
    std::string text;
    for (std::size_t i = 0; i < first.size(); ++i) {
        if (first[i].text == second[i].text) continue;
        text += text_difference(first[i].role + " configuration " + first[i].name, first[i].text, second[i].text);
    }
    return text;
}

std::string image_differences(const std::vector<TraceImage>& first, const std::vector<TraceImage>& second) {
    if (first.size() != second.size())
        return differs("number of images", std::to_string(first.size()), std::to_string(second.size()));
    std::string text;
    for (std::size_t i = 0; i < first.size(); ++i)
        if (first[i] != second[i]) text += differs("image", image_text(first[i]), image_text(second[i]));
    return text;
}

std::string option_differences(const std::map<std::string, std::string>& first,
                               const std::map<std::string, std::string>& second) {
    constexpr const char* absent = "(not given)";
    std::string text;
    for (const auto& [name, value] : first) {
        const auto other = second.find(name);
        if (other == second.end() || other->second != value)
            text += differs("option " + name, value, other == second.end() ? absent : other->second);
    }
    for (const auto& [name, value] : second)
        if (!first.contains(name)) text += differs("option " + name, absent, value);
    return text;
}

std::string header_differences(const TraceHeader& a, const TraceHeader& b) {
    std::string text;
    if (a.axsim_version != b.axsim_version) text += differs("axsim version", a.axsim_version, b.axsim_version);
    if (a.engine_version != b.engine_version) text += differs("engine version", a.engine_version, b.engine_version);
    if (a.seed != b.seed) text += differs("seed", std::to_string(a.seed), std::to_string(b.seed));
    return text + option_differences(a.options, b.options) + config_differences(a.configs, b.configs) +
           image_differences(a.images, b.images);
}

/// The field in which two records of one kind differ; empty when the lines of both say enough.
std::string field_of(const Record& first, const Record& second) {
    std::optional<FieldDifference> difference;
    if (const auto* a = std::get_if<ExitRecord>(&first), *b = std::get_if<ExitRecord>(&second); a != nullptr && b != nullptr)
        difference = first_difference(*a, *b);
    if (const auto* a = std::get_if<EndRecord>(&first), *b = std::get_if<EndRecord>(&second); a != nullptr && b != nullptr)
        difference = first_difference(*a, *b);
    return difference ? ": " + difference->field + ": " + difference->recorded + " | " + difference->replayed : "";
}

/// The first hashes of the same point that differ; hashes that were compared are dropped.
std::optional<std::string> hash_difference(Side& a, Side& b) {
    for (const StateHashRecord& first : a.hashes) {
        for (const StateHashRecord& second : b.hashes) {
            if (first.icount != second.icount) continue;
            if (const auto d = first_difference(first, second))
                return "at icount " + std::to_string(first.icount) + ": " + d->field + ": " + d->recorded + " | " + d->replayed +
                       "\n";
        }
    }
    a.hashes.clear();
    b.hashes.clear();
    return {};
}

}  // namespace

std::expected<TraceComparison, Error> trace_diff(const std::string& first_path, const std::string& second_path) {
    auto first = TraceReader::open(first_path);
    if (!first) return std::unexpected(first.error());
    auto second = TraceReader::open(second_path);
    if (!second) return std::unexpected(second.error());
    Side a{.reader = std::move(*first)};
    Side b{.reader = std::move(*second)};
    const std::string headers = header_differences(a.reader.header(), b.reader.header());
    TraceComparison result{headers.empty(), headers};
    const auto differ = [&](const std::string& text) {
        result.is_equal = false;
        result.text += text;
        return result;
    };
    for (u64 exits = 0;;) {
        for (Side* side : {&a, &b})
            if (const auto advanced = side->advance(); !advanced) return std::unexpected(advanced.error());
        if (const auto hashes = hash_difference(a, b)) return differ("first difference " + *hashes);
        if (a.record == nullptr && b.record == nullptr) break;
        if (a.record == nullptr || b.record == nullptr || *a.record != *b.record) {
            const std::string field = a.record != nullptr && b.record != nullptr ? field_of(*a.record, *b.record) : "";
            return differ("first difference at exit " + std::to_string(exits) + field + "\n  " + first_path + ": " + a.text() +
                          "\n  " + second_path + ": " + b.text() + "\n");
        }
        if (std::holds_alternative<ExitRecord>(*a.record)) ++exits;
    }
    if (result.is_equal) result.text = "0 differences in " + std::to_string(a.reader.totals().exits) + " exits\n";
    return result;
}

}  // namespace ax::sim
