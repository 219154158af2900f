// Writes a trace: records are appended to a buffer, and full buffers to the file as blocks.
#pragma once

#include <expected>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "sim/base/error.hpp"
#include "sim/replay/block.hpp"
#include "sim/replay/exit_codec.hpp"
#include "sim/replay/output_file.hpp"
#include "sim/replay/record.hpp"

namespace ax::sim {

/// Appending never fails: an error of the file (a full disk) is kept, what follows is dropped, and
/// `error`, `flush` and `finish` tell. The file is then valid up to its last whole block.
class TraceWriter {
public:
    /// Makes or empties the file and writes the header block.
    [[nodiscard]] static std::expected<TraceWriter, Error> create(const std::string& path, const TraceHeader& header);
    TraceWriter(TraceWriter&&) = default;
    TraceWriter& operator=(TraceWriter&&) = delete;
    /// Flushes; whoever wants to know whether that worked calls `flush` or `finish` before.
    ~TraceWriter();

    /// The cheap one, for every exit: no allocation, no virtual call.
    void add_exit(const ExitRecord& record) {
        if (raw_.size() + ExitEncoder::max_bytes > block::target_raw_bytes) write_block();
        chain_ = extend_chain(chain_, record);
        ++exits_;
        encoder_.encode(record, raw_);
    }
    void add_input(const InputRecord& input);
    void add_state_hash(const StateHashRecord& hash);

    /// Puts what is buffered into the file as a block. Calling it about every 200 ms bounds what a
    /// killed recorder loses.
    std::expected<void, Error> flush();
    /// Adds the end record, with the counts and chain filled in, and closes the file.
    std::expected<void, Error> finish(EndRecord end);

    [[nodiscard]] const std::optional<Error>& error() const { return error_; }
    [[nodiscard]] u64 exits() const { return exits_; }
    [[nodiscard]] u64 chain() const { return chain_; }
    [[nodiscard]] u64 file_bytes() const { return file_.size(); }

private:
    explicit TraceWriter(OutputFile file);
    template <class Event>
    void add(const Event& event);
    void write_header(const TraceHeader& header);
    void write_block();

    OutputFile file_;
    block::Compressor compressor_;
    ByteSink raw_;
    std::vector<std::byte> stored_;
    ExitEncoder encoder_;
    /// The head of the block that is being filled.
    block::Head head_;
    u64 exits_ = 0;
    u64 chain_ = 0;
    std::optional<Error> error_;
};

}  // namespace ax::sim
