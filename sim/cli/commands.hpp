// The commands of axsim. Each returns the program's exit status: 0 for success, 1 for a failed check
// or guest, 2 for bad input.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/base/types.hpp"

namespace ax::sim::cli {

inline constexpr int success = 0, failed = 1, bad_input = 2;

struct RunSettings {
    std::vector<std::string> vms;
    std::string platform;
    std::string record;
    std::string console = "stdio";
    std::string exits;
    std::string until_text;
    std::string backend = "sim";
    u64 max_insns = ~u64{0};
    u64 max_exits = ~u64{0};
    u64 seed = 0;
    u64 state_hash_interval = 0;
    bool stats = false;
    bool json = false;
    std::vector<std::string> command_line;
};
[[nodiscard]] int run(const RunSettings& settings);

struct ReplaySettings {
    std::string trace;
    std::string until;  ///< `insn:N` or `exit:N`
    bool stats = false;
    bool json = false;
};
[[nodiscard]] int replay(const ReplaySettings& settings);

struct ExitsSettings {
    std::string trace;
    u64 first = 0;
    u64 count = ~u64{0};
};
[[nodiscard]] int trace_info(const std::string& trace, bool json);
[[nodiscard]] int trace_exits(const ExitsSettings& settings);
[[nodiscard]] int trace_verify(const std::string& trace);
[[nodiscard]] int trace_diff(const std::string& first, const std::string& second);

}  // namespace ax::sim::cli
