#include "sim/base/text.hpp"
#include "sim/replay/trace_reader.hpp"
#include "sim/report/trace_report.hpp"

namespace ax::sim {
namespace {

std::string sound_part(const TraceReader& reader) {
    const TraceTotals& totals = reader.totals();
    return std::to_string(totals.blocks) + " blocks, " + std::to_string(reader.sound_bytes()) + " bytes, " +
           std::to_string(totals.exits) + " exits, " + std::to_string(totals.inputs) + " inputs, exit chain " +
           hex(reader.chain(), 16);
}

}  // namespace

std::expected<TraceVerdict, Error> trace_verify(const std::string& path) {
    auto reader = TraceReader::open(path);
    if (!reader) return std::unexpected(reader.error());
    for (;;) {
        const auto record = reader->next();
        if (!record)
            return TraceVerdict{TraceSoundness::Damaged,
                                "damaged: sound up to " + sound_part(*reader) + "\n" + record.error().to_line() + "\n"};
        if (*record == nullptr) break;
    }
    if (reader->is_complete()) return TraceVerdict{TraceSoundness::Complete, "ok: complete: " + sound_part(*reader) + "\n"};
    const u64 lost = reader->file_bytes() - reader->sound_bytes();
    return TraceVerdict{TraceSoundness::Cut, "ok: cut off: valid up to " + sound_part(*reader) + "; " + std::to_string(lost) +
                                                 " bytes behind are no whole block\n"};
}

}  // namespace ax::sim
