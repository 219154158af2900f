// Writes a run into a trace as it happens.
#pragma once

#include "sim/machine/observer.hpp"
#include "sim/replay/trace_writer.hpp"

namespace ax::sim {

class Recorder final : public RunObserver {
public:
    explicit Recorder(TraceWriter writer) : writer_(std::move(writer)) {}

    std::optional<Outcome> on_exit(const ExitRecord& exit, u64 cost_ns) override;
    std::optional<Outcome> on_state_hash(const StateHashRecord& hash) override;
    void on_input(const InputRecord& input) override;

    /// Puts what is buffered into the file, for example before the run waits for a person.
    void flush() { static_cast<void>(writer_.flush()); }
    std::expected<void, Error> finish(const EndRecord& end) { return writer_.finish(end); }
    [[nodiscard]] const TraceWriter& writer() const { return writer_; }

private:
    /// Exits between two flushes: what a killed recorder loses at most.
    static constexpr u64 flush_exits = 1024;

    [[nodiscard]] std::optional<Outcome> check() const;

    TraceWriter writer_;
    u64 unflushed_ = 0;
};

}  // namespace ax::sim
