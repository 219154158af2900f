// Where the guests' console output goes, and the text that a run may wait for.
#pragma once

#include <cstdio>
#include <memory>
#include <string>

#include "sim/machine/machine.hpp"

namespace ax::sim::cli {

/// Keeps the last exits too, for the report of a guest that fails.
class ConsoleOutput final : public RunObserver {
public:
    /// Writes to `file`, which may be null. `until`, when not empty, ends the run once a guest wrote it.
    ConsoleOutput(Machine& machine, std::FILE* file, std::string until);

    std::optional<Outcome> on_exit(const ExitRecord& exit, u64 cost_ns) override;
    void on_console(VmId vm, u8 byte) override;

    [[nodiscard]] const std::vector<ExitRecord>& last_exits();

private:
    static constexpr std::size_t kept_exits = 8;

    Machine& machine_;
    std::FILE* file_;
    std::string until_;
    std::string tail_;
    std::array<ExitRecord, kept_exits> ring_{};
    u64 count_ = 0;
    std::vector<ExitRecord> ordered_;
};

}  // namespace ax::sim::cli
