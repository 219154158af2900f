#include "sim/base/text.hpp"
#include "sim/replay/trace_reader.hpp"
#include "sim/report/record_text.hpp"
#include "sim/report/trace_report.hpp"

namespace ax::sim {
namespace {

/// `part / whole` with two decimals.
std::string ratio(u64 part, u64 whole) {
    if (whole == 0) return "-";
    const std::string decimals = std::to_string(part * 100 / whole % 100);
    return std::to_string(part / whole) + "." + (decimals.size() < 2 ? "0" : "") + decimals;
}

std::string header_text(const TraceHeader& header) {
    std::string text = "recorded by    axsim " + header.axsim_version + ", " + header.engine_version + "\n";
    text += "command line  ";
    for (const std::string& word : header.command_line) text += " " + word;
    text += "\nseed           " + std::to_string(header.seed) + "\n";
    for (const auto& [name, value] : header.options) text += "option         " + name + " = " + value + "\n";
    for (const TraceConfig& config : header.configs)
        text += "configuration  " + config.role + " " + config.name + ", " + std::to_string(config.text.size()) + " bytes\n";
    for (const TraceImage& image : header.images)
        text += "image          vm" + std::to_string(image.vm) + " " + image.role + " " + image.path + ", " +
                std::to_string(image.size_bytes) + " bytes, digest " + hex(image.digest, 16) + "\n";
    return text;
}

}  // namespace

std::expected<std::string, Error> trace_info(const std::string& path) {
    auto reader = TraceReader::open(path);
    if (!reader) return std::unexpected(reader.error());
    const u64 header_raw_bytes = reader->totals().raw_bytes;
    const u64 header_stored_bytes = reader->totals().stored_bytes;
    std::string outcome = "the recording was not finished";
    for (;;) {
        const auto record = reader->next();
        if (!record) return std::unexpected(record.error());
        if (*record == nullptr) break;
        if (const auto* end = std::get_if<EndRecord>(*record)) outcome = to_line(*end);
    }
    const TraceTotals& totals = reader->totals();
    std::string text = header_text(reader->header());
    text += "records        " + std::to_string(totals.exits) + " exits, " + std::to_string(totals.inputs) + " inputs, " +
            std::to_string(totals.state_hashes) + " state hashes\n";
    text += "size           " + std::to_string(reader->file_bytes()) + " bytes in " + std::to_string(totals.blocks) + " blocks\n";
    text += "bytes per exit " + ratio(totals.raw_bytes - header_raw_bytes, totals.exits) + " raw, " +
            ratio(totals.stored_bytes - header_stored_bytes, totals.exits) + " compressed\n";
    text += "outcome        " + outcome + "\n";
    if (const auto at = reader->truncated_at())
        text += "cut off        the last " + std::to_string(reader->file_bytes() - *at) + " bytes, from offset " +
                std::to_string(*at) + ", are no whole block\n";
    return text;
}

}  // namespace ax::sim
