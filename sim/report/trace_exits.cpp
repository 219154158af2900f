#include <algorithm>

#include "sim/base/text.hpp"
#include "sim/replay/trace_reader.hpp"
#include "sim/report/record_text.hpp"
#include "sim/report/trace_report.hpp"

namespace ax::sim {
namespace {

std::string exit_line(u64 number, const ExitRecord& exit, const TraceExitsOptions& options) {
    constexpr std::size_t number_width = 10;
    constexpr std::size_t icount_width = 14;
    std::string line = pad_left(std::to_string(number), number_width) + pad_left(std::to_string(exit.icount), icount_width) +
                       "  vm" + std::to_string(exit.vm) + "/vcpu" + std::to_string(exit.vcpu) + "  " + hex(exit.pc, 16);
    if (options.symbol) {
        const std::string symbol = options.symbol(exit.vm, exit.pc);
        if (!symbol.empty()) line += " <" + symbol + ">";
    }
    line += "  " + describe(exit);
    if (options.code) {
        const CodeBytes code = options.code(exit.vm, exit.pc);
        const auto known = std::span(code.bytes).first(std::min(code.size, code.bytes.size()));
        const std::string insn = disassemble(options.isa, known, exit.pc);
        if (!insn.empty()) line += "  ; " + insn;
    }
    return line;
}

bool is_wanted(const Record& record, const TraceExitsOptions& options) {
    return std::visit(Overloaded{
                          [](const ExitRecord&) { return false; },
                          [&](const InputRecord&) { return options.shows_inputs; },
                          [&](const StateHashRecord&) { return options.shows_state_hashes; },
                          [](const EndRecord&) { return true; },
                      },
                      record);
}

}  // namespace

std::expected<void, Error> trace_exits(const std::string& path, const TraceExitsOptions& options, std::ostream& out) {
    auto reader = TraceReader::open(path);
    if (!reader) return std::unexpected(reader.error());
    u64 number = 0;
    while (number < options.first || number - options.first < options.count) {
        const auto record = reader->next();
        if (!record) return std::unexpected(record.error());
        if (*record == nullptr) break;
        const bool is_in_range = number >= options.first;
        if (const auto* exit = std::get_if<ExitRecord>(*record)) {
            if (is_in_range) out << exit_line(number, *exit, options) << '\n';
            ++number;
        } else if (is_in_range && is_wanted(**record, options)) {
            out << "  -- " << to_line(**record) << '\n';
        }
    }
    return {};
}

}  // namespace ax::sim
