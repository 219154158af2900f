// Feeds a machine the inputs of a trace and holds its exits against the recorded ones.
#pragma once

#include "sim/machine/machine.hpp"
#include "sim/replay/replay_source.hpp"

namespace ax::sim {

class Replayer final : public RunObserver, public InputSource {
public:
    explicit Replayer(ReplaySource source) : source_(std::move(source)) {}

    // RunObserver: stops the run at the first difference, and at the end of a cut recording.
    std::optional<Outcome> on_exit(const ExitRecord& exit, u64 cost_ns) override;
    std::optional<Outcome> on_state_hash(const StateHashRecord& hash) override;

    // InputSource
    const InputRecord* next(u64 slice, u64 now_ns, std::size_t room) override;
    u64 wait(u64 slice, u64 now_ns, u64 deadline_ns) override;

    /// How the recording ended, read ahead; nothing when it was cut off or is damaged.
    [[nodiscard]] static std::optional<EndRecord> recorded_end(const std::string& path);
    /// Where a machine must stop to end as the recorded one did: a limit of the recorded run is no event
    /// that the replayed machine would meet by itself.
    [[nodiscard]] static RunLimits limits_for(const std::optional<EndRecord>& end);

    [[nodiscard]] ReplaySource& source() { return source_; }
    /// Compares how the machine ended with how the recorded one did; true when they agree.
    bool check_end(const EndRecord& end) { return source_.check_end(end); }

private:
    std::optional<Outcome> verdict(bool agrees);

    ReplaySource source_;
};

}  // namespace ax::sim
