// Linux and U-Boot as two VMs of one machine: together they are as deterministic as each alone.
#include <gtest/gtest.h>

#include "tests/scenario/support/session.hpp"
#include "tests/scenario/support/variants.hpp"
#include "tests/scenario/support/workspace.hpp"

namespace ax::scenario {
namespace {

/// On this many pCPUs: on one the VMs take turns.
class Pair : public testing::TestWithParam<unsigned> {
protected:
    static constexpr u64 insns = 200'000'000;
    static constexpr u64 first_insns = 60'000'000;

    void SetUp() override { AX_NEEDS_GUESTS({aarch64.linux_image, aarch64.initrd, aarch64.uboot}); }
    /// The script talks to U-Boot.
    [[nodiscard]] RunSpec spec() const {
        return {.vm = workspace_.vm("uboot-aarch64-pair.toml"),
                .other_vms = {workspace_.vm("linux-aarch64-pair.toml", {.cmdline = "earlycon"})},
                .platform = workspace_.platform(GetParam()),
                .script = "expect \"stop autoboot\"\nsend \" \"\nexpect \"=> \"\nsend \"version\\n\"\nexpect \"GNU ld\"\n",
                .state_hash_interval = 20'000'000,
                .limits = {insns, ~u64{0}}};
    }
    /// Both in their first part, for what is run in other ways.
    [[nodiscard]] RunSpec start() const {
        RunSpec result = spec();
        result.limits.max_insns = first_insns;
        return result;
    }
    Workspace workspace_{aarch64};
};

TEST_P(Pair, both_run_and_replay) {
    RunSpec recording = spec();
    recording.record = workspace_.path("pair.axtrace");
    const RunReport recorded = run(recording);
    EXPECT_FALSE(recorded.script_failed) << recorded.console;
    EXPECT_STREQ(to_text(recorded.outcome), "insn-limit") << recorded.failure;
    ASSERT_EQ(recorded.vm_consoles.size(), 2u);
    EXPECT_NE(recorded.vm_consoles.at(VmId{1}).find("smp: Brought up 1 node, 1 CPU"), std::string::npos) << recorded.console;
    EXPECT_NE(recorded.vm_consoles.at(VmId{2}).find("GNU ld"), std::string::npos) << recorded.console;
    expect_replays(recording.record, recorded);
}
TEST_P(Pair, two_runs_are_the_same) {
    const RunReport plain = run(spec());
    EXPECT_GE(plain.state_hashes.size(), 3u);
    expect_same(plain, run(spec()));
}
TEST_P(Pair, chunks_of_7919_instructions_change_nothing) { expect_same(run(start()), run(in_chunks(start(), 7919))); }
TEST_P(Pair, fresh_engines_change_nothing) {
    const RunReport moved = run(moved_at_random(start(), first_insns, 20));
    EXPECT_EQ(moved.stops, 20u);
    expect_same(run(start()), moved);
}

INSTANTIATE_TEST_SUITE_P(Pcpus, Pair, testing::Values(1u, 4u), testing::PrintToStringParamName());

}  // namespace
}  // namespace ax::scenario
