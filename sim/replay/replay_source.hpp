// Replays a trace against a machine: gives it the inputs, checks its exits one after the other.
#pragma once

#include <expected>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "sim/replay/trace_reader.hpp"

namespace ax::sim {

/// Where a replay first left its recording. A side without an exit there is empty.
struct ReplayDifference {
    u64 exit_number = 0;  ///< from 0; the number of exits that agreed
    FieldDifference difference;
    std::optional<ExitRecord> recorded;
    std::optional<ExitRecord> replayed;
};

/// The first field in which two state hashes, or two ends, differ.
[[nodiscard]] std::optional<FieldDifference> first_difference(const StateHashRecord& recorded, const StateHashRecord& replayed);
[[nodiscard]] std::optional<FieldDifference> first_difference(const EndRecord& recorded, const EndRecord& replayed);

class ReplaySource {
public:
    /// Reads header and inputs; the exits are read as they are checked.
    [[nodiscard]] static std::expected<ReplaySource, Error> open(const std::string& path);

    [[nodiscard]] const TraceHeader& header() const { return reader_->header(); }

    /// The number of the slice before which the next input becomes visible; nothing when none is left.
    [[nodiscard]] std::optional<u64> next_input_slice() const;
    /// The next input, without taking it; null when none is left.
    [[nodiscard]] const InputRecord* peek_input() const { return next_input_ < inputs_.size() ? &inputs_[next_input_] : nullptr; }
    /// The next input due at `slice` or before, valid until the source is destroyed; null when none
    /// is. Call it until it gives null.
    [[nodiscard]] const InputRecord* take_input(u64 slice);

    /// Compares the machine's next exit, or state hash, with the recorded one. False at the first
    /// difference, and when the recording has no more (`is_used_up`) or cannot be read (`error`).
    [[nodiscard]] bool check_exit(const ExitRecord& replayed);
    [[nodiscard]] bool check_state_hash(const StateHashRecord& replayed);
    /// The machine has stopped by itself: compares the outcome where the recording has one, and that
    /// no recorded exit is left.
    [[nodiscard]] bool check_end(const EndRecord& replayed);

    [[nodiscard]] const std::optional<ReplayDifference>& difference() const { return difference_; }
    [[nodiscard]] const std::optional<Error>& error() const { return error_; }
    /// True when a recording that was cut off has nothing more to compare: replay has reached its end
    /// and the machine stops there.
    [[nodiscard]] bool is_used_up();
    /// The recorded end, once reading has come to it.
    [[nodiscard]] const std::optional<EndRecord>& end() const { return end_; }
    [[nodiscard]] u64 exits_checked() const { return exits_checked_; }
    [[nodiscard]] u64 state_hashes_checked() const { return state_hashes_checked_; }

private:
    ReplaySource(std::unique_ptr<TraceReader> reader, std::vector<InputRecord> inputs);
    [[nodiscard]] bool is_over() const { return difference_ || error_; }
    const Record* peek();
    const Record* advance();
    void differ(FieldDifference difference, const Record* recorded, const ExitRecord* replayed);

    std::unique_ptr<TraceReader> reader_;
    std::vector<InputRecord> inputs_;
    std::size_t next_input_ = 0;
    const Record* peeked_ = nullptr;
    bool is_at_end_ = false;
    std::optional<EndRecord> end_;
    std::optional<ReplayDifference> difference_;
    std::optional<Error> error_;
    u64 exits_checked_ = 0;
    u64 state_hashes_checked_ = 0;
};

}  // namespace ax::sim
