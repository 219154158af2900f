// Reads a trace record by record, checking each block before any of it is believed.
#pragma once

#include <expected>
#include <fstream>
#include <optional>
#include <string>
#include <vector>

#include "sim/base/error.hpp"
#include "sim/replay/block.hpp"
#include "sim/replay/exit_codec.hpp"
#include "sim/replay/record.hpp"

namespace ax::sim {

/// Sums over what was read so far.
struct TraceTotals {
    u64 blocks = 0;  ///< the header block included
    u64 raw_bytes = 0;
    u64 stored_bytes = 0;  ///< block heads included
    u64 exits = 0;
    u64 inputs = 0;
    u64 state_hashes = 0;
};

class TraceReader {
public:
    /// An error when there is no such file, it is no trace, is from a newer axsim, or ends before the
    /// end of its header block.
    [[nodiscard]] static std::expected<TraceReader, Error> open(const std::string& path);

    [[nodiscard]] const TraceHeader& header() const { return header_; }

    /// The next record, valid until the next call; null behind the last one of the last whole block.
    /// An error names file, offset and block number of a damaged block; what came before is sound,
    /// and every later call gives the same error.
    [[nodiscard]] std::expected<const Record*, Error> next();
    /// The same for inputs alone: skips blocks that have none without reading them.
    [[nodiscard]] std::expected<const InputRecord*, Error> next_input();

    /// True when the end record has been read: the recording was finished.
    [[nodiscard]] bool is_complete() const { return is_complete_; }
    /// Where the part of the file starts that does not make a whole block; nothing when there is none.
    [[nodiscard]] std::optional<u64> truncated_at() const { return truncated_at_; }
    /// Offset behind the last sound block, and size of the file.
    [[nodiscard]] u64 sound_bytes() const { return offset_; }
    [[nodiscard]] u64 file_bytes() const { return file_bytes_; }
    [[nodiscard]] const TraceTotals& totals() const { return totals_; }
    /// The running hash over the exits read so far.
    [[nodiscard]] u64 chain() const { return chain_; }

private:
    TraceReader(std::string path, std::ifstream file, u64 file_bytes);

    std::expected<void, Error> read_header();
    std::expected<bool, Error> load_block(bool only_inputs);
    std::expected<bool, Error> read_head();
    std::expected<bool, Error> read_payload();
    std::expected<void, Error> check_order();
    std::expected<void, Error> close_block();
    std::expected<void, Error> decode_record();
    void accept_block();
    std::expected<bool, Error> truncated();
    std::unexpected<Error> damaged(std::string why, std::string hint = "what came before is sound");

    std::string path_;
    std::ifstream file_;
    u64 file_bytes_ = 0;
    u64 offset_ = 0;
    block::Decompressor decompressor_;
    std::vector<std::byte> stored_;
    std::vector<std::byte> raw_;
    ByteSource rest_;
    ExitDecoder decoder_;
    block::Head head_;
    TraceHeader header_;
    Record record_;
    TraceTotals totals_;
    u64 chain_ = 0;
    bool is_complete_ = false;
    std::optional<u64> truncated_at_;
    std::optional<Error> error_;
};

}  // namespace ax::sim
