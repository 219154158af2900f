// A run with a person in front of it: Ctrl-C, and a prompt at which nobody types.
#include <gtest/gtest.h>

#include <csignal>

#include "tests/scenario/support/child.hpp"
#include "tests/scenario/support/workspace.hpp"

namespace ax::scenario {
namespace {

using std::chrono::milliseconds;

void expect_replays_at_cli(const std::string& trace, const std::string& recorded_json) {
    const ChildResult verified = axsim({"trace", "verify", trace});
    EXPECT_EQ(verified.status, 0);
    EXPECT_TRUE(verified.out.starts_with("ok: complete")) << verified.out;
    const ChildResult replayed = axsim({"replay", trace, "--json"});
    EXPECT_EQ(replayed.status, 0) << replayed.err;
    EXPECT_EQ(json_value(replayed.out, "differences"), "0");
    for (const char* member : {"outcome", "instructions", "exits", "virtual_ns", "state_hash"})
        EXPECT_EQ(json_value(replayed.out, member), json_value(recorded_json, member)) << member;
}

class Interruption : public testing::TestWithParam<int> {};

TEST_P(Interruption, ends_a_working_guest_with_a_whole_trace) {
    const Workspace workspace;
    const std::string trace = workspace.path("run.axtrace");
    Child recorder({"run", workspace.bare_metal("trap_storm"), "--record", trace, "--console", "file:/dev/null", "--json"});
    EXPECT_FALSE(recorder.ends_within(milliseconds(700)));
    recorder.send_signal(GetParam());
    EXPECT_TRUE(recorder.ends_within(milliseconds(20'000)));
    const ChildResult recorded = recorder.wait();
    EXPECT_EQ(recorded.status, 0) << recorded.err;
    EXPECT_EQ(json_value(recorded.out, "outcome"), "interrupted");
    expect_replays_at_cli(trace, recorded.out);
}

TEST_P(Interruption, ends_a_guest_that_waits_for_input) {
    const Workspace workspace;
    const std::string trace = workspace.path("run.axtrace");
    Child recorder({"run", workspace.bare_metal("echo"), "--record", trace, "--json"}, {.input = Child::Input::Silent});
    EXPECT_FALSE(recorder.ends_within(milliseconds(1000)));
    recorder.send_signal(GetParam());
    EXPECT_TRUE(recorder.ends_within(milliseconds(20'000)));
    const ChildResult recorded = recorder.wait();
    EXPECT_EQ(recorded.status, 0) << recorded.err;
    EXPECT_LT(recorded.cpu_seconds, 0.6);
    expect_replays_at_cli(trace, recorded.out);
}

INSTANTIATE_TEST_SUITE_P(Signals, Interruption, testing::Values(SIGINT, SIGTERM),
                         [](const auto& number) { return std::string(number.param == SIGINT ? "SIGINT" : "SIGTERM"); });

TEST(SilentInput, prompt_of_uboot_uses_little_cpu) {
    AX_NEEDS_GUESTS("uboot-riscv64.elf");
    const Workspace workspace;
    const std::string trace = workspace.path("run.axtrace");
    Child recorder({"run", workspace.vm("uboot-riscv64.toml"), "--record", trace, "--json"}, {.input = Child::Input::Silent});
    // U-Boot counts down for two seconds before its prompt, then asks the UART for ever.
    EXPECT_FALSE(recorder.ends_within(milliseconds(6000)));
    recorder.send_signal(SIGINT);
    const ChildResult recorded = recorder.wait();
    EXPECT_EQ(recorded.status, 0) << recorded.err;
    EXPECT_LT(recorded.cpu_seconds, 3.0) << "half of the time at most, all told";
    expect_replays_at_cli(trace, recorded.out);
}

}  // namespace
}  // namespace ax::scenario
