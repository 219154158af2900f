#include "sim/replay/trace_reader.hpp"

#include <xxhash.h>

#include <filesystem>
#include <utility>

#include "sim/replay/event_codec.hpp"
#include "sim/replay/header_json.hpp"

namespace ax::sim {
namespace {

constexpr const char* cannot_read = "cannot read the trace";

bool read_exactly(std::ifstream& file, std::span<std::byte> to) {
    std::string bytes(to.size(), '\0');
    file.read(bytes.data(), static_cast<std::streamsize>(bytes.size()));
    if (file.gcount() != static_cast<std::streamsize>(bytes.size())) return false;
    std::ranges::transform(bytes, to.begin(), [](char c) { return static_cast<std::byte>(c); });
    return true;
}

}  // namespace

TraceReader::TraceReader(std::string path, std::ifstream file, u64 file_bytes)
    : path_(std::move(path)), file_(std::move(file)), file_bytes_(file_bytes) {}

std::expected<TraceReader, Error> TraceReader::open(const std::string& path) {
    std::error_code code;
    const u64 size = std::filesystem::file_size(path, code);
    if (code) return std::unexpected(Error{cannot_read, path, code.message(), "name a trace that `axsim run --record` wrote"});
    std::ifstream file(path, std::ios::binary);
    if (!file) return std::unexpected(Error{cannot_read, path, "it cannot be opened", "check its permissions"});
    TraceReader reader(path, std::move(file), size);
    if (const auto header = reader.read_header(); !header) return std::unexpected(header.error());
    return reader;
}

std::expected<const Record*, Error> TraceReader::next() {
    if (error_) return std::unexpected(*error_);
    while (rest_.is_empty()) {
        const auto loaded = load_block(false);
        if (!loaded) return std::unexpected(loaded.error());
        if (!*loaded) return nullptr;
    }
    if (const auto decoded = decode_record(); !decoded) return std::unexpected(decoded.error());
    return &record_;
}

std::expected<const InputRecord*, Error> TraceReader::next_input() {
    if (error_) return std::unexpected(*error_);
    for (;;) {
        while (rest_.is_empty()) {
            const auto loaded = load_block(true);
            if (!loaded) return std::unexpected(loaded.error());
            if (!*loaded) return nullptr;
        }
        if (const auto decoded = decode_record(); !decoded) return std::unexpected(decoded.error());
        if (const auto* input = std::get_if<InputRecord>(&record_)) return input;
    }
}

std::expected<void, Error> TraceReader::read_header() {
    const auto has_head = read_head();
    if (!has_head) return std::unexpected(has_head.error());
    const auto has_payload = *has_head ? read_payload() : *has_head;
    if (!has_payload) return std::unexpected(has_payload.error());
    if (!*has_payload) return damaged("the file ends within its header block", "the recording did not get far enough to be used");
    if (head_.type != block::Type::Header) return damaged("it does not start with a header block");
    std::string text(raw_.size(), '\0');
    std::ranges::transform(raw_, text.begin(), [](std::byte b) { return std::to_integer<char>(b); });
    if (head_.chain_end != XXH64(text.data(), text.size(), 0)) return damaged("its hash chain does not start from its header");
    auto header = header_from_json(text);
    if (!header) return damaged("its header cannot be used: " + header.error());
    header_ = std::move(*header);
    accept_block();
    return {};
}

std::expected<bool, Error> TraceReader::load_block(bool only_inputs) {
    if (truncated_at_) return false;
    for (;;) {
        if (const auto closed = close_block(); !closed) return std::unexpected(closed.error());
        const auto has_head = read_head();
        if (!has_head || !*has_head) return has_head;
        if (const auto fits = check_order(); !fits) return std::unexpected(fits.error());
        if (only_inputs && head_.inputs == 0) {
            file_.seekg(head_.stored_size, std::ios::cur);
            accept_block();
            chain_ = head_.chain_end;
            continue;
        }
        const auto has_payload = read_payload();
        if (!has_payload || !*has_payload) return has_payload;
        accept_block();
        rest_ = ByteSource(raw_);
        decoder_.restart();
        return true;
    }
}

std::expected<bool, Error> TraceReader::read_head() {
    const u64 left = file_bytes_ - offset_;
    if (left == 0) return false;
    if (left < block::Head::size_bytes) return truncated();
    block::HeadBytes bytes{};
    if (!read_exactly(file_, bytes)) return damaged("the system cannot read it");
    switch (block::decode(bytes, head_)) {
        case block::HeadProblem::None: break;
        case block::HeadProblem::NoMagic:
            return offset_ == 0 ? damaged("it is not a trace", "name a trace that `axsim run --record` wrote")
                                : damaged("no block starts here");
        case block::HeadProblem::OtherVersion:
            return damaged("its format is version " + std::to_string(head_.version) + ", this axsim reads version " +
                               std::to_string(block::format_version),
                           "use the axsim that recorded it");
        case block::HeadProblem::Damaged: return damaged("the head of the block is damaged");
    }
    if (left - block::Head::size_bytes < head_.stored_size) return truncated();
    return true;
}

std::expected<bool, Error> TraceReader::read_payload() {
    stored_.resize(head_.stored_size);
    if (!read_exactly(file_, stored_)) return damaged("the system cannot read it");
    if (block::payload_check(stored_) != head_.payload_check)
        return damaged("the content of the block is damaged: its checksum differs");
    if (!decompressor_.decompress(stored_, head_.raw_size, raw_)) return damaged("the content of the block does not decompress");
    return true;
}

std::expected<void, Error> TraceReader::check_order() {
    if (head_.type != block::Type::Events || head_.sequence != totals_.blocks || head_.first_exit != totals_.exits ||
        head_.chain_start != chain_)
        return damaged("the block does not belong behind the one before it");
    return {};
}

void TraceReader::accept_block() {
    ++totals_.blocks;
    totals_.raw_bytes += head_.raw_size;
    totals_.stored_bytes += block::Head::size_bytes + head_.stored_size;
    totals_.inputs += head_.inputs;
    totals_.state_hashes += head_.state_hashes;
    totals_.exits += head_.exits;
    if (head_.type == block::Type::Header) chain_ = head_.chain_end;
    offset_ += block::Head::size_bytes + head_.stored_size;
}

std::expected<void, Error> TraceReader::close_block() {
    if (chain_ != head_.chain_end) return damaged("the hash chain of the block before does not match its exits");
    return {};
}

std::expected<void, Error> TraceReader::decode_record() {
    const u8 first = rest_.take_byte();
    if (first < 0x80) {
        auto* exit = std::get_if<ExitRecord>(&record_);
        if (exit == nullptr) exit = &record_.emplace<ExitRecord>();
        decoder_.decode(first, rest_, *exit);
        chain_ = extend_chain(chain_, *exit);
    } else if (first == index(RecordTag::Input)) {
        record_ = decode_input(rest_);
    } else if (first == index(RecordTag::StateHash)) {
        record_ = decode_state_hash(rest_);
    } else if (first == index(RecordTag::End)) {
        const auto& end = record_.emplace<EndRecord>(decode_end(rest_));
        if (rest_.is_good() && (end.chain != chain_ || end.exits != totals_.exits))
            return damaged("the end record does not match the exits before it");
        if (!rest_.is_empty() || offset_ != file_bytes_) return damaged("something follows the end record");
        is_complete_ = true;
    } else {
        rest_.fail();
    }
    if (!rest_.is_good()) return damaged("the block before has a record that cannot be decoded");
    return {};
}

std::expected<bool, Error> TraceReader::truncated() {
    if (!truncated_at_) truncated_at_ = offset_;
    return false;
}

std::unexpected<Error> TraceReader::damaged(std::string why, std::string hint) {
    const std::string where = path_ + ", block " + std::to_string(totals_.blocks) + " at offset " + std::to_string(offset_);
    error_ = Error{cannot_read, where, std::move(why), std::move(hint)};
    return std::unexpected(*error_);
}

}  // namespace ax::sim
