// axsim trace info|exits|verify|diff
#include <cstdio>
#include <cstring>
#include <iostream>
#include <nlohmann/json.hpp>

#include "sim/cli/commands.hpp"
#include "sim/replay/trace_reader.hpp"
#include "sim/report/trace_report.hpp"
#include "sim/session/setup.hpp"

namespace ax::sim::cli {

namespace {

int report(const Error& error, int status) {
    std::fprintf(stderr, "%s\n", error.to_line().c_str());
    return status;
}

/// Kernel code as the image file has it: by guest physical address, and by the address that riscv64
/// Linux is linked at.
class ImageCode {
public:
    explicit ImageCode(const std::vector<Guest>& guests) : guests_(guests) {}

    [[nodiscard]] std::string symbol(u32 vm, u64 pc) const {
        const Guest* guest = find(vm);
        if (guest == nullptr || !guest->symbols) return {};
        return guest->symbols->describe(Gva{pc}).value_or("");
    }
    [[nodiscard]] CodeBytes code(u32 vm, u64 pc) const {
        CodeBytes result;
        const Guest* guest = find(vm);
        if (guest == nullptr) return result;
        constexpr u64 linux_link_address = 0xffff'ffff'8000'0000;
        for (const Segment& segment : guest->segments) {
            if (segment.name != "kernel") continue;
            u64 offset = pc - segment.gpa.value();
            if (pc >= linux_link_address) offset = pc - linux_link_address;
            if (offset >= segment.bytes.size()) continue;
            result.size = std::min(result.bytes.size(), segment.bytes.size() - offset);
            std::memcpy(result.bytes.data(), segment.bytes.data() + offset, result.size);
            break;
        }
        return result;
    }

private:
    [[nodiscard]] const Guest* find(u32 vm) const {
        for (const Guest& guest : guests_)
            if (guest.config->id() == vm) return &guest;
        return nullptr;
    }
    const std::vector<Guest>& guests_;
};

int print_json(const std::string& path) {
    auto reader = TraceReader::open(path);
    if (!reader) return report(reader.error(), bad_input);
    nlohmann::ordered_json json;
    int status = success;
    while (true) {
        const auto record = reader->next();
        if (!record) {
            json["error"] = record.error().to_line();
            status = failed;
            break;
        }
        if (*record == nullptr) break;
        if (const auto* end = std::get_if<EndRecord>(*record)) {
            json["outcome"] = end->outcome;
            json["instructions"] = end->icount;
            json["virtual_ns"] = end->virtual_ns;
        }
    }
    const TraceTotals& totals = reader->totals();
    json["is_complete"] = reader->is_complete();
    json["exits"] = totals.exits;
    json["inputs"] = totals.inputs;
    json["state_hashes"] = totals.state_hashes;
    json["blocks"] = totals.blocks;
    json["raw_bytes"] = totals.raw_bytes;
    json["stored_bytes"] = totals.stored_bytes;
    json["file_bytes"] = reader->file_bytes();
    if (totals.exits != 0) {
        json["raw_bytes_per_exit"] = static_cast<double>(totals.raw_bytes) / static_cast<double>(totals.exits);
        json["stored_bytes_per_exit"] = static_cast<double>(totals.stored_bytes) / static_cast<double>(totals.exits);
    }
    std::printf("%s\n", json.dump(2).c_str());
    return status;
}

}  // namespace

int trace_info(const std::string& trace, bool json) {
    if (json) return print_json(trace);
    const auto text = ax::sim::trace_info(trace);
    if (!text) return report(text.error(), bad_input);
    std::fputs(text->c_str(), stdout);
    return success;
}

int trace_exits(const ExitsSettings& settings) {
    auto reader = TraceReader::open(settings.trace);
    if (!reader) return report(reader.error(), bad_input);
    // Symbols and code are a help, not a need: without the images the exits are shown all the same.
    const auto setup = setup_from(reader->header());
    static const std::vector<Guest> no_guests;
    const ImageCode images(setup ? setup->guests : no_guests);
    TraceExitsOptions options;
    options.first = settings.first;
    options.count = settings.count;
    options.symbol = [&](u32 vm, u64 pc) { return images.symbol(vm, pc); };
    options.code = [&](u32 vm, u64 pc) { return images.code(vm, pc); };
    const auto done = ax::sim::trace_exits(settings.trace, options, std::cout);
    return done ? success : report(done.error(), failed);
}

int trace_verify(const std::string& trace) {
    const auto verdict = ax::sim::trace_verify(trace);
    if (!verdict) return report(verdict.error(), bad_input);
    std::fputs(verdict->text.c_str(), stdout);
    return verdict->soundness == TraceSoundness::Damaged ? failed : success;
}

int trace_diff(const std::string& first, const std::string& second) {
    const auto comparison = ax::sim::trace_diff(first, second);
    if (!comparison) return report(comparison.error(), bad_input);
    std::fputs(comparison->text.c_str(), stdout);
    return comparison->is_equal ? success : failed;
}

}  // namespace ax::sim::cli
