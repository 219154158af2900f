// A recorder that is killed at any moment leaves a trace that verifies and replays to its end.
#include <gtest/gtest.h>

#include <csignal>
#include <filesystem>
#include <thread>

#include "tests/scenario/support/child.hpp"
#include "tests/scenario/support/variants.hpp"
#include "tests/scenario/support/workspace.hpp"

namespace ax::scenario {
namespace {

constexpr unsigned kills = 50;

/// Five batches of ten for every instruction set, so that they run side by side.
class KilledRecorder : public testing::TestWithParam<std::tuple<const Isa*, unsigned>> {
protected:
    /// A guest that makes many exits and gets input: about a second of recording.
    [[nodiscard]] std::vector<std::string> command(const std::string& trace) const {
        return {"run",
                workspace_.bare_metal("trap_storm"),
                "--record",
                trace,
                "--console",
                "file:/dev/null",
                "--state-hash-every",
                "5000000",
                "--max-exits",
                "3000000"};
    }
    Workspace workspace_{*std::get<0>(GetParam())};
};

TEST_P(KilledRecorder, leaves_a_trace_that_verifies_and_replays) {
    SeededNumbers numbers(std::get<1>(GetParam()));
    unsigned found = 0;
    for (unsigned round = 0; round < kills / 5; ++round) {
        const std::string trace = workspace_.path("killed" + std::to_string(round) + ".axtrace");
        const auto moment = std::chrono::milliseconds(numbers.below(1500));
        SCOPED_TRACE("killed after " + std::to_string(moment.count()) + " ms");
        {
            Child recorder(command(trace));
            static_cast<void>(recorder.ends_within(moment));
            recorder.send_signal(SIGKILL);
            static_cast<void>(recorder.wait());
        }
        // Killed before the header block was there: no trace at all, and nothing to replay.
        if (!std::filesystem::exists(trace) || std::filesystem::file_size(trace) == 0) continue;
        ++found;
        const ChildResult verified = axsim({"trace", "verify", trace});
        EXPECT_EQ(verified.status, 0) << verified.out << verified.err;
        EXPECT_TRUE(verified.out.starts_with("ok: ")) << verified.out;
        const ChildResult replayed = axsim({"replay", trace, "--json"});
        EXPECT_EQ(replayed.status, 0) << replayed.err;
        EXPECT_EQ(json_value(replayed.out, "differences"), "0");
        const ChildResult info = axsim({"trace", "info", trace, "--json"});
        EXPECT_GE(std::stoull(json_value(replayed.out, "exits")), std::stoull(json_value(info.out, "exits")));
        std::filesystem::remove(trace);
    }
    EXPECT_GE(found, 5u) << "most moments fall into the recording";
}

INSTANTIATE_TEST_SUITE_P(Batches, KilledRecorder, testing::Combine(testing::ValuesIn(isas), testing::Range(0u, 5u)),
                         [](const auto& batch) { return std::get<0>(batch.param)->name + "_" + std::to_string(std::get<1>(batch.param)); });

}  // namespace
}  // namespace ax::scenario
