// A run with a person in front of it: Ctrl-C, and a prompt at which nobody types.
#include <gtest/gtest.h>

#include <csignal>

#include "tests/scenario/support/child.hpp"
#include "tests/scenario/support/isa_test.hpp"

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

class Interruption : public testing::TestWithParam<std::tuple<const Isa*, int>> {
protected:
    [[nodiscard]] int number() const { return std::get<1>(GetParam()); }
    Workspace workspace_{*std::get<0>(GetParam())};
};

TEST_P(Interruption, ends_a_working_guest_with_a_whole_trace) {
    const std::string trace = workspace_.path("run.axtrace");
    Child recorder({"run", workspace_.bare_metal("trap_storm"), "--record", trace, "--console", "file:/dev/null", "--json"});
    EXPECT_FALSE(recorder.ends_within(milliseconds(700)));
    recorder.send_signal(number());
    EXPECT_TRUE(recorder.ends_within(milliseconds(20'000)));
    const ChildResult recorded = recorder.wait();
    EXPECT_EQ(recorded.status, 0) << recorded.err;
    EXPECT_EQ(json_value(recorded.out, "outcome"), "interrupted");
    expect_replays_at_cli(trace, recorded.out);
}

TEST_P(Interruption, ends_a_guest_that_waits_for_input) {
    const std::string trace = workspace_.path("run.axtrace");
    Child recorder({"run", workspace_.bare_metal("echo"), "--record", trace, "--json"}, {.input = Child::Input::Silent});
    EXPECT_FALSE(recorder.ends_within(milliseconds(1000)));
    recorder.send_signal(number());
    EXPECT_TRUE(recorder.ends_within(milliseconds(20'000)));
    const ChildResult recorded = recorder.wait();
    EXPECT_EQ(recorded.status, 0) << recorded.err;
    EXPECT_LT(recorded.cpu_seconds, 0.6);
    expect_replays_at_cli(trace, recorded.out);
}

INSTANTIATE_TEST_SUITE_P(Signals, Interruption, testing::Combine(testing::ValuesIn(isas), testing::Values(SIGINT, SIGTERM)),
                         [](const auto& instance) { return std::get<0>(instance.param)->name + (std::get<1>(instance.param) == SIGINT ? "_SIGINT" : "_SIGTERM"); });

class SilentInput : public IsaTest {};

TEST_P(SilentInput, prompt_of_uboot_uses_little_cpu) {
    AX_NEEDS_GUESTS({isa().uboot});
    const std::string trace = workspace_.path("run.axtrace");
    Child recorder({"run", workspace_.vm(isa().uboot_vm()), "--record", trace, "--json"}, {.input = Child::Input::Silent});
    ASSERT_TRUE(recorder.says_within("stop autoboot", milliseconds(60'000)));
    recorder.type(" ");
    ASSERT_TRUE(recorder.says_within("=> ", milliseconds(60'000)));
    // From here on U-Boot asks the UART for ever.
    const double before = recorder.cpu_seconds();
    EXPECT_FALSE(recorder.ends_within(milliseconds(3000)));
    EXPECT_LT(recorder.cpu_seconds() - before, 1.5);
    recorder.send_signal(SIGINT);
    const ChildResult recorded = recorder.wait();
    EXPECT_EQ(recorded.status, 0) << recorded.err;
    expect_replays_at_cli(trace, recorded.out);
}

INSTANTIATE_TEST_SUITE_P(Isas, SilentInput, every_isa(), isa_name);

}  // namespace
}  // namespace ax::scenario
