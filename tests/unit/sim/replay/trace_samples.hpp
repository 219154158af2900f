// Traces to test with: a file that goes away, made-up exits, and what a reader makes of a file.
#pragma once

#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "sim/replay/trace_reader.hpp"
#include "sim/replay/trace_writer.hpp"

namespace ax::sim::trace_test {

/// Splitmix64: the same numbers on every host.
class Numbers {
public:
    explicit Numbers(u64 seed) : state_(seed) {}
    u64 next() {
        u64 z = (state_ += 0x9e37'79b9'7f4a'7c15);
        z = (z ^ (z >> 30)) * 0xbf58'476d'1ce4'e5b9;
        z = (z ^ (z >> 27)) * 0x94d0'49bb'1331'11eb;
        return z ^ (z >> 31);
    }
    u64 below(u64 limit) { return next() % limit; }
    /// Numbers of all lengths alike, the extremes included.
    u64 any() { return next() >> below(64); }

private:
    u64 state_;
};

class TemporaryFile {
public:
    explicit TemporaryFile(const std::string& name)
        : path_(std::filesystem::temp_directory_path() / ("axsim-" + std::to_string(::getpid()) + "-" + name)) {}
    TemporaryFile(const TemporaryFile&) = delete;
    TemporaryFile& operator=(const TemporaryFile&) = delete;
    ~TemporaryFile() {
        std::error_code ignored;
        std::filesystem::remove(path_, ignored);
    }
    [[nodiscard]] std::string path() const { return path_.string(); }
    [[nodiscard]] std::string content() const {
        std::ifstream file(path_, std::ios::binary);
        return {std::istreambuf_iterator<char>(file), {}};
    }
    void replace(const std::string& content) const {
        // A fresh file: some file systems write a truncated one to the disk at once, which is slow.
        std::filesystem::remove(path_);
        std::ofstream file(path_, std::ios::binary | std::ios::trunc);
        file.write(content.data(), static_cast<std::streamsize>(content.size()));
    }

private:
    std::filesystem::path path_;
};

inline ExitRecord random_exit(Numbers& numbers) {
    ExitRecord record;
    record.vm = static_cast<u32>(numbers.any());
    record.vcpu = static_cast<u32>(numbers.below(4));
    record.icount = numbers.any();
    record.pc = numbers.any();
    for (u64& word : record.words) word = numbers.below(2) != 0 ? numbers.any() : 0;
    record.value = numbers.any();
    record.kind = static_cast<u8>(numbers.below(std::variant_size_v<VmExit>));
    record.answer = static_cast<AnswerKind>(numbers.below(6));
    record.status = static_cast<CallStatus>(numbers.below(10));
    return record;
}

inline TraceHeader sample_header() {
    TraceHeader header;
    header.axsim_version = "0.1.0";
    header.engine_version = "unicorn 2.1.4";
    header.command_line = {"axsim", "run", "guest \"one\".toml"};
    header.seed = ~u64{0};
    header.configs = {{"platform", "board.toml", "[board]\nname = \"ä\"\n"}, {"vm", "guest.toml", std::string(3, '\0')}};
    header.images = {{3, "kernel", "/boot/vmlinuz", 12'345, 0xfeed'face'dead'beef}};
    header.options = {{"max-insns", "100"}};
    return header;
}

/// Exits with an input and a state hash in between, and a block end after every third.
inline std::vector<Record> small_records() {
    Numbers numbers(7);
    std::vector<Record> records;
    for (int i = 0; i < 9; ++i) records.emplace_back(random_exit(numbers));
    records.emplace(records.begin() + 2, InputRecord{5, 777, 1, InputKind::Console, "ls\n"});
    records.emplace(records.begin() + 6, StateHashRecord{900, 1'000, 0xabcd, {{"memory", 1}, {"vm1/vcpu0", ~u64{0}}}});
    records.emplace(records.begin() + 8, InputRecord{8, 900, 1, InputKind::Stop, ""});
    return records;
}

inline void write(TraceWriter& writer, const Record& record) {
    std::visit(Overloaded{
                   [&](const ExitRecord& exit) { writer.add_exit(exit); },
                   [&](const InputRecord& input) { writer.add_input(input); },
                   [&](const StateHashRecord& hash) { writer.add_state_hash(hash); },
                   [&](const EndRecord& end) { static_cast<void>(writer.finish(end)); },
               },
               record);
}

/// Writes the records and an end; a block every `records_per_block` records.
inline EndRecord write_trace(const std::string& path, const std::vector<Record>& records, std::size_t records_per_block,
                             const TraceHeader& header = sample_header()) {
    auto writer = TraceWriter::create(path, header);
    if (!writer) return {};
    for (std::size_t i = 0; i < records.size(); ++i) {
        write(*writer, records[i]);
        if ((i + 1) % records_per_block == 0) static_cast<void>(writer->flush());
    }
    EndRecord end{.outcome = "guest shut down", .icount = 12, .virtual_ns = 34, .state_hash = 56, .exits = 0, .chain = 0};
    end.exits = writer->exits();
    end.chain = writer->chain();
    return writer->finish(end) ? end : EndRecord{};
}

struct ReadResult {
    bool is_open = false;
    std::vector<Record> records;
    std::string error;
    bool is_truncated = false;
    bool is_complete = false;
};

inline ReadResult read_trace(const std::string& path) {
    ReadResult result;
    auto reader = TraceReader::open(path);
    if (!reader) {
        result.error = reader.error().to_line();
        return result;
    }
    result.is_open = true;
    for (;;) {
        const auto next = reader->next();
        if (!next) result.error = next.error().to_line();
        if (!next || *next == nullptr) break;
        result.records.push_back(**next);
    }
    result.is_truncated = reader->truncated_at().has_value();
    result.is_complete = reader->is_complete();
    return result;
}

/// True when `records` are the first of `all`.
inline bool is_prefix(const std::vector<Record>& records, const std::vector<Record>& all) {
    return records.size() <= all.size() && std::equal(records.begin(), records.end(), all.begin());
}

}  // namespace ax::sim::trace_test
