// The same machine, run in different ways, is in the same state at every periodic hash and at its end.
#include <gtest/gtest.h>

#include "tests/scenario/support/session.hpp"
#include "tests/scenario/support/variants.hpp"
#include "tests/scenario/support/workspace.hpp"

namespace ax::scenario {
namespace {

/// U-Boot, from its first instruction to power-off.
class UbootDeterminism : public testing::Test {
protected:
    void SetUp() override { AX_NEEDS_GUESTS("uboot-riscv64.elf"); }
    [[nodiscard]] RunSpec spec() const {
        return {.vm = workspace_.vm("uboot-riscv64.toml"),
                .platform = {},
                .script =
                    "expect \"stop autoboot\"\nsend \" \"\nexpect \"=> \"\nsend \"bdinfo\\n\"\nexpect \"=> \"\nsend "
                    "\"poweroff\\n\"\n",
                .state_hash_interval = 5'000'000};
    }
    Workspace workspace_;
};

TEST_F(UbootDeterminism, two_runs_are_the_same) { expect_same(run(spec()), run(spec())); }
TEST_F(UbootDeterminism, chunks_of_7919_instructions_change_nothing) { expect_same(run(spec()), run(in_chunks(spec(), 7919))); }
TEST_F(UbootDeterminism, chunks_of_999983_instructions_change_nothing) {
    expect_same(run(spec()), run(in_chunks(spec(), 999'983)));
}
TEST_F(UbootDeterminism, fresh_engines_change_nothing) {
    const RunReport plain = run(spec());
    const RunReport moved = run(moved_at_random(spec(), plain.instructions, 20));
    EXPECT_GT(moved.stops, 15u);
    expect_same(plain, moved);
}
TEST_F(UbootDeterminism, busy_host_changes_nothing) {
    const RunReport plain = run(spec());
    const BusyHost busy;
    expect_same(plain, run(spec()));
}

/// Linux on as many pCPUs as vCPUs. The other harts start at about 183 M instructions.
class LinuxDeterminism : public testing::TestWithParam<unsigned> {
protected:
    static constexpr u64 first_insns = 300'000'000;

    void SetUp() override { AX_NEEDS_GUESTS("linux-riscv64", "initrd-riscv64.cpio"); }
    [[nodiscard]] RunSpec spec() const {
        return {.vm = workspace_.vm("linux-riscv64.toml", {GetParam(), "axsim_auto=1"}),
                .platform = workspace_.platform(GetParam()),
                .script = {},
                .state_hash_interval = 50'000'000,
                .limits = {first_insns, ~u64{0}}};
    }
    /// To the power-off.
    [[nodiscard]] RunSpec whole() const {
        RunSpec result = spec();
        result.limits = {};
        result.state_hash_interval = 100'000'000;
        return result;
    }
    Workspace workspace_;
};

TEST_P(LinuxDeterminism, two_runs_are_the_same) { expect_same(run(spec()), run(spec())); }
TEST_P(LinuxDeterminism, chunks_of_7919_instructions_change_nothing) { expect_same(run(spec()), run(in_chunks(spec(), 7919))); }
TEST_P(LinuxDeterminism, chunks_of_999983_instructions_change_nothing) {
    expect_same(run(spec()), run(in_chunks(spec(), 999'983)));
}
TEST_P(LinuxDeterminism, fresh_engines_change_nothing) {
    const RunReport moved = run(moved_at_random(spec(), first_insns, 20));
    EXPECT_EQ(moved.stops, 20u);
    expect_same(run(spec()), moved);
}
TEST_P(LinuxDeterminism, busy_host_changes_nothing) {
    const RunReport plain = run(spec());
    const BusyHost busy;
    expect_same(plain, run(spec()));
}
TEST_P(LinuxDeterminism, whole_boot_in_chunks_recorded_and_replayed_is_the_same) {
    RunSpec recording = whole();
    recording.record = workspace_.path("boot.axtrace");
    const RunReport recorded = run(recording);
    EXPECT_STREQ(to_text(recorded.outcome), "powered-off");
    expect_same(recorded, run(in_chunks(whole(), 999'983)));
    expect_replays(recording.record, recorded);
}
TEST_P(LinuxDeterminism, whole_boot_in_fresh_engines_is_the_same) {
    const RunReport plain = run(whole());
    const RunReport moved = run(moved_at_random(whole(), plain.instructions, 20));
    EXPECT_EQ(moved.stops, 20u);
    expect_same(plain, moved);
}

INSTANTIATE_TEST_SUITE_P(Vcpus, LinuxDeterminism, testing::Values(1u, 2u, 4u), testing::PrintToStringParamName());

}  // namespace
}  // namespace ax::scenario
