#include "sim/replay/trace_writer.hpp"

#include <xxhash.h>

#include <algorithm>

#include "sim/replay/event_codec.hpp"
#include "sim/replay/header_json.hpp"

namespace ax::sim {
namespace {

/// Longer console input is split, so that no record comes near the largest block.
constexpr std::size_t max_input_bytes = 32 * 1024;

}  // namespace

std::expected<TraceWriter, Error> TraceWriter::create(const std::string& path, const TraceHeader& header) {
    auto file = OutputFile::create(path);
    if (!file) return std::unexpected(file.error());
    TraceWriter writer(std::move(*file));
    writer.write_header(header);
    if (writer.error_) return std::unexpected(*writer.error_);
    return writer;
}

TraceWriter::TraceWriter(OutputFile file) : file_(std::move(file)) { raw_.make_room(block::target_raw_bytes); }

TraceWriter::~TraceWriter() {
    if (file_.is_open()) write_block();
}

void TraceWriter::add_input(const InputRecord& input) {
    InputRecord piece = input;
    std::string_view rest = input.data;
    do {
        piece.data = rest.substr(0, max_input_bytes);
        rest.remove_prefix(piece.data.size());
        add(piece);
        ++head_.inputs;
    } while (!rest.empty());
}

void TraceWriter::add_state_hash(const StateHashRecord& hash) {
    add(hash);
    ++head_.state_hashes;
}

std::expected<void, Error> TraceWriter::flush() {
    write_block();
    if (error_) return std::unexpected(*error_);
    return {};
}

std::expected<void, Error> TraceWriter::finish(EndRecord end) {
    end.exits = exits_;
    end.chain = chain_;
    add(end);
    write_block();
    const auto closed = file_.close();
    if (!closed && !error_) error_ = closed.error();
    if (error_) return std::unexpected(*error_);
    return {};
}

template <class Event>
void TraceWriter::add(const Event& event) {
    const std::size_t size = size_bound(event);
    if (raw_.size() + size > block::target_raw_bytes) write_block();
    raw_.make_room(size);
    encode(event, raw_);
}

void TraceWriter::write_header(const TraceHeader& header) {
    const std::string text = to_json_text(header);
    if (text.size() > block::max_raw_bytes) {
        error_ = Error{"cannot write the trace", "its header", "the configuration texts are larger than a block may be", ""};
        return;
    }
    raw_.make_room(text.size());
    for (const char c : text) raw_.put_byte(static_cast<unsigned char>(c));
    // The chain starts from the header, so that blocks of another recording do not fit behind it.
    chain_ = XXH64(text.data(), text.size(), 0);
    head_.type = block::Type::Header;
    write_block();
}

void TraceWriter::write_block() {
    if (raw_.size() == 0) return;
    head_.raw_size = static_cast<u32>(raw_.size());
    head_.exits = static_cast<u32>(exits_ - head_.first_exit);
    head_.chain_end = chain_;
    if (!error_ && !compressor_.compress(raw_.data(), stored_))
        error_ = Error{"cannot write the trace", "", "no memory is left to compress a block", ""};
    if (!error_) {
        const auto payload = std::span<const std::byte>(stored_).subspan(block::Head::size_bytes);
        head_.stored_size = static_cast<u32>(payload.size());
        head_.payload_check = block::payload_check(payload);
        std::ranges::copy(block::encode(head_), stored_.begin());
        if (const auto written = file_.append(stored_); !written) error_ = written.error();
    }
    raw_.clear();
    encoder_.restart();
    head_ = {.sequence = head_.sequence + 1, .first_exit = exits_, .chain_start = chain_};
}

}  // namespace ax::sim
