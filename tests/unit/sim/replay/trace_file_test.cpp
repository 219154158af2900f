#include <gtest/gtest.h>
#include <sys/resource.h>

#include <csignal>

#include "tests/unit/sim/replay/trace_samples.hpp"

namespace ax::sim::trace_test {
namespace {

std::vector<Record> with_end(std::vector<Record> records, const EndRecord& end) {
    records.emplace_back(end);
    return records;
}

TEST(TraceFile, gives_back_what_was_written) {
    const TemporaryFile file("whole");
    const auto records = small_records();
    const EndRecord end = write_trace(file.path(), records, 3);
    const ReadResult result = read_trace(file.path());
    EXPECT_EQ(result.error, "");
    EXPECT_TRUE(result.is_complete);
    EXPECT_FALSE(result.is_truncated);
    EXPECT_EQ(result.records, with_end(records, end));
}

TEST(TraceFile, header_survives) {
    const TemporaryFile file("header");
    write_trace(file.path(), {}, 1);
    const auto reader = TraceReader::open(file.path());
    ASSERT_TRUE(reader);
    EXPECT_EQ(reader->header(), sample_header());
}

TEST(TraceFile, random_exits_survive_over_many_blocks) {
    const TemporaryFile file("random");
    Numbers numbers(1);
    std::vector<Record> records;
    for (int i = 0; i < 5'000; ++i) records.emplace_back(random_exit(numbers));
    const EndRecord end = write_trace(file.path(), records, 100'000);
    const ReadResult result = read_trace(file.path());
    EXPECT_EQ(result.error, "");
    EXPECT_EQ(result.records, with_end(records, end));
    auto reader = TraceReader::open(file.path());
    ASSERT_TRUE(reader);
    while (reader->next().value_or(nullptr) != nullptr) {
    }
    EXPECT_GT(reader->totals().blocks, 3U);
    EXPECT_EQ(reader->totals().exits, 5'000U);
    EXPECT_EQ(reader->totals().stored_bytes, reader->file_bytes());
    EXPECT_EQ(reader->chain(), end.chain);
    EXPECT_EQ(end.exits, 5'000U);
}

TEST(TraceFile, long_input_arrives_whole) {
    const TemporaryFile file("long-input");
    const std::string text(100'000, 'x');
    write_trace(file.path(), {InputRecord{1, 2, 3, InputKind::Console, text}}, 1);
    std::string read;
    for (const Record& record : read_trace(file.path()).records)
        if (const auto* input = std::get_if<InputRecord>(&record)) read += input->data;
    EXPECT_EQ(read, text);
}

TEST(TraceFile, large_state_hash_record_arrives_whole) {
    const TemporaryFile file("large-hash");
    StateHashRecord hash{1, 2, 3, {}};
    for (u64 i = 0; i < 10'000; ++i) hash.components.push_back({"component " + std::to_string(i), i});
    write_trace(file.path(), {hash}, 1);
    const ReadResult result = read_trace(file.path());
    ASSERT_EQ(result.records.size(), 2U);
    EXPECT_EQ(std::get<StateHashRecord>(result.records[0]), hash);
}

TEST(TraceFile, cut_anywhere_is_valid_to_its_last_whole_block) {
    const TemporaryFile file("cut");
    const auto records = small_records();
    const auto all = with_end(records, write_trace(file.path(), records, 3));
    const std::string content = file.content();
    std::size_t longest = 0;
    std::size_t header_end = 0;
    for (std::size_t size = 0; size < content.size(); ++size) {
        file.replace(content.substr(0, size));
        const ReadResult result = read_trace(file.path());
        if (!result.is_open) {
            EXPECT_NE(result.error.find("axsim: error: cannot read the trace"), std::string::npos);
            header_end = size + 1;
            continue;
        }
        EXPECT_EQ(result.error, "") << size;
        EXPECT_FALSE(result.is_complete) << size;
        EXPECT_TRUE(is_prefix(result.records, all)) << size;
        EXPECT_EQ(result.records.size() % 3, 0U) << "whole blocks only, at " << size;
        EXPECT_GE(result.records.size(), longest);
        EXPECT_EQ(result.is_truncated, size != header_end && result.records.size() == longest) << size;
        longest = std::max(longest, result.records.size());
    }
    EXPECT_EQ(longest, 12U);
}

TEST(TraceFile, every_flipped_bit_is_reported_and_what_came_before_stays) {
    const TemporaryFile file("flip");
    const std::vector<Record> records = {ExitRecord{}, InputRecord{5, 777, 1, InputKind::Console, "ls"}};
    const auto all = with_end(records, write_trace(file.path(), records, 2, {}));
    std::string content = file.content();
    for (std::size_t at = 0; at < content.size() * 8; ++at) {
        const auto flip = [&] { content[at / 8] = static_cast<char>(content[at / 8] ^ (1 << (at % 8))); };
        flip();
        file.replace(content);
        const ReadResult result = read_trace(file.path());
        EXPECT_NE(result.error, "") << "bit " << at;
        EXPECT_NE(result.error.find(" at offset "), std::string::npos) << result.error;
        EXPECT_TRUE(is_prefix(result.records, all)) << "bit " << at;
        flip();
    }
}

TEST(TraceFile, damage_names_block_and_offset) {
    const TemporaryFile file("where");
    write_trace(file.path(), small_records(), 3);
    std::string content = file.content();
    content.back() = static_cast<char>(content.back() ^ 1);
    file.replace(content);
    const ReadResult result = read_trace(file.path());
    EXPECT_EQ(result.records.size(), 12U);
    EXPECT_NE(result.error.find(", block 5 at offset "), std::string::npos) << result.error;
}

/// Where the blocks of a sound trace start.
std::vector<std::size_t> block_starts(const std::string& content) {
    std::vector<std::size_t> starts;
    for (std::size_t at = 0; at < content.size();) {
        starts.push_back(at);
        ByteSource stored_size(std::as_bytes(std::span(content)).subspan(at + 12, 4));
        at += block::Head::size_bytes + stored_size.take_fixed(4);
    }
    return starts;
}

TEST(TraceFile, missing_swapped_or_repeated_block_is_reported) {
    const TemporaryFile file("order");
    write_trace(file.path(), small_records(), 3);
    const std::string content = file.content();
    const auto starts = block_starts(content);
    ASSERT_EQ(starts.size(), 6U);
    const auto piece = [&](std::size_t i) { return content.substr(starts[i], starts[i + 1] - starts[i]); };
    for (const std::string& other :
         {piece(0) + piece(2), piece(0) + piece(2) + piece(1), piece(0) + piece(1) + piece(1), piece(0) + piece(0) + piece(1)}) {
        file.replace(other);
        EXPECT_NE(read_trace(file.path()).error.find("does not belong"), std::string::npos);
    }
}

TEST(TraceFile, block_of_another_recording_does_not_fit) {
    const TemporaryFile file("mixed");
    write_trace(file.path(), small_records(), 3);
    const std::string first = file.content();
    const auto starts = block_starts(first);
    auto header = sample_header();
    header.seed = 1;
    {
        auto writer = TraceWriter::create(file.path(), header);
        ASSERT_TRUE(writer);
    }
    file.replace(file.content() + first.substr(starts[1]));
    EXPECT_NE(read_trace(file.path()).error.find("block 1 at offset"), std::string::npos);
}

TEST(TraceFile, files_that_are_no_traces_are_errors) {
    EXPECT_NE(read_trace("/nonexistent/trace").error.find("No such file"), std::string::npos);
    EXPECT_NE(read_trace("/tmp").error, "");
    const TemporaryFile file("garbage");
    for (const std::string& content : {std::string(), std::string("x"), std::string(200, 'x'), std::string(200, '\0')}) {
        file.replace(content);
        EXPECT_FALSE(read_trace(file.path()).is_open);
    }
}

TEST(TraceFile, flush_without_records_writes_nothing) {
    const TemporaryFile file("idle");
    auto writer = TraceWriter::create(file.path(), sample_header());
    ASSERT_TRUE(writer);
    const u64 size = writer->file_bytes();
    EXPECT_TRUE(writer->flush());
    EXPECT_EQ(writer->file_bytes(), size);
}

TEST(TraceFile, writer_that_goes_away_leaves_its_records) {
    const TemporaryFile file("dropped");
    {
        auto writer = TraceWriter::create(file.path(), sample_header());
        ASSERT_TRUE(writer);
        writer->add_exit(ExitRecord{});
        const TraceWriter moved = std::move(*writer);
    }
    const ReadResult result = read_trace(file.path());
    EXPECT_EQ(result.records.size(), 1U);
    EXPECT_FALSE(result.is_complete);
    EXPECT_EQ(result.error, "");
}

TEST(TraceFile, full_disk_is_an_error_value) {
    const auto writer = TraceWriter::create("/dev/full", sample_header());
    ASSERT_FALSE(writer);
    EXPECT_NE(writer.error().to_line().find("(/dev/full): No space left on device"), std::string::npos);
    const auto missing = TraceWriter::create("/nonexistent/dir/trace", sample_header());
    ASSERT_FALSE(missing);
    EXPECT_NE(missing.error().to_line().find("No such file"), std::string::npos);
}

TEST(TraceFile, disk_that_fills_up_leaves_whole_blocks) {
    const TemporaryFile file("limit");
    rlimit before{};
    ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &before), 0);
    const auto old_handler = std::signal(SIGXFSZ, SIG_IGN);
    const rlimit small{100'000, before.rlim_max};
    ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &small), 0);
    Numbers numbers(3);
    std::string error;
    {
        auto writer = TraceWriter::create(file.path(), sample_header());
        ASSERT_TRUE(writer);
        for (int i = 0; i < 5'000; ++i) writer->add_exit(random_exit(numbers));
        EXPECT_TRUE(writer->error());
        const auto finished = writer->finish({});
        if (!finished) error = finished.error().to_line();
    }
    ::setrlimit(RLIMIT_FSIZE, &before);
    static_cast<void>(std::signal(SIGXFSZ, old_handler));
    EXPECT_NE(error.find(file.path() + "): File too large"), std::string::npos) << error;
    const ReadResult result = read_trace(file.path());
    EXPECT_EQ(result.error, "");
    EXPECT_FALSE(result.is_truncated) << "the torn block was cut off";
    EXPECT_GT(result.records.size(), 100U);
    Numbers again(3);
    for (const Record& record : result.records) EXPECT_EQ(std::get<ExitRecord>(record), random_exit(again));
}

TEST(TraceFile, inputs_alone_skip_the_other_blocks) {
    const TemporaryFile file("inputs");
    write_trace(file.path(), small_records(), 3);
    auto reader = TraceReader::open(file.path());
    ASSERT_TRUE(reader);
    std::vector<u64> slices;
    for (;;) {
        const auto input = reader->next_input();
        ASSERT_TRUE(input);
        if (*input == nullptr) break;
        slices.push_back((*input)->slice);
    }
    EXPECT_EQ(slices, (std::vector<u64>{5, 8}));
    EXPECT_EQ(reader->totals().exits, 9U);
    EXPECT_EQ(reader->totals().inputs, 2U);
}

}  // namespace
}  // namespace ax::sim::trace_test
