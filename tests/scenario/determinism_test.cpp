// The same machine, run in different ways, is in the same state at every periodic hash and at its end.
#include <gtest/gtest.h>

#include "tests/scenario/support/isa_test.hpp"
#include "tests/scenario/support/session.hpp"
#include "tests/scenario/support/variants.hpp"

namespace ax::scenario {
namespace {

/// U-Boot, from its first instruction to power-off.
class UbootDeterminism : public IsaTest {
protected:
    void SetUp() override { AX_NEEDS_GUESTS({isa().uboot}); }
    [[nodiscard]] RunSpec spec() const {
        return {.vm = workspace_.vm(isa().uboot_vm()),
                .script =
                    "expect \"stop autoboot\"\nsend \" \"\nexpect \"=> \"\nsend \"bdinfo\\n\"\nexpect \"=> \"\nsend \"" +
                    isa().uboot_poweroff + "\\n\"\n",
                .state_hash_interval = 5'000'000};
    }
};

TEST_P(UbootDeterminism, two_runs_are_the_same) { expect_same(run(spec()), run(spec())); }
TEST_P(UbootDeterminism, chunks_of_7919_instructions_change_nothing) { expect_same(run(spec()), run(in_chunks(spec(), 7919))); }
TEST_P(UbootDeterminism, chunks_of_999983_instructions_change_nothing) {
    expect_same(run(spec()), run(in_chunks(spec(), 999'983)));
}
TEST_P(UbootDeterminism, fresh_engines_change_nothing) {
    const RunReport plain = run(spec());
    const RunReport moved = run(moved_at_random(spec(), plain.instructions, 20));
    EXPECT_GT(moved.stops, 15u);
    expect_same(plain, moved);
}
TEST_P(UbootDeterminism, busy_host_changes_nothing) {
    const RunReport plain = run(spec());
    const BusyHost busy;
    expect_same(plain, run(spec()));
}

INSTANTIATE_TEST_SUITE_P(Isas, UbootDeterminism, every_isa(), isa_name);

/// Linux on as many pCPUs as vCPUs, up to where all CPUs have been started for long.
struct LinuxMachine {
    const Isa* isa;
    unsigned vcpus;
    u64 first_insns;
    const char* variant = "";  ///< of the VM file
};

class LinuxDeterminism : public testing::TestWithParam<LinuxMachine> {
protected:
    void SetUp() override { AX_NEEDS_GUESTS(machine().isa->linux_guests()); }
    [[nodiscard]] static const LinuxMachine& machine() { return GetParam(); }
    [[nodiscard]] RunSpec spec() const {
        return {.vm = workspace_.vm("linux-" + machine().isa->name + machine().variant + ".toml",
                                    {.vcpus = machine().vcpus, .cmdline = "earlycon axsim_auto=1"}),
                .platform = workspace_.platform(machine().vcpus),
                .state_hash_interval = 50'000'000,
                .limits = {machine().first_insns, ~u64{0}}};
    }
    /// To the power-off.
    [[nodiscard]] RunSpec whole() const {
        RunSpec result = spec();
        result.limits = {};
        result.state_hash_interval = 100'000'000;
        return result;
    }
    Workspace workspace_{*machine().isa};
};

/// Boots that are run to their end.
class LinuxWholeBoot : public LinuxDeterminism {};

TEST_P(LinuxDeterminism, two_runs_are_the_same) {
    const RunReport plain = run(spec());
    EXPECT_NE(plain.console.find("smp: Brought up 1 node, " + std::to_string(machine().vcpus) + " CPU"), std::string::npos) << plain.console;
    expect_same(plain, run(spec()));
}
TEST_P(LinuxDeterminism, chunks_of_7919_instructions_change_nothing) { expect_same(run(spec()), run(in_chunks(spec(), 7919))); }
TEST_P(LinuxDeterminism, chunks_of_999983_instructions_change_nothing) {
    expect_same(run(spec()), run(in_chunks(spec(), 999'983)));
}
TEST_P(LinuxDeterminism, fresh_engines_change_nothing) {
    const RunReport moved = run(moved_at_random(spec(), machine().first_insns, 20));
    EXPECT_EQ(moved.stops, 20u);
    expect_same(run(spec()), moved);
}
TEST_P(LinuxDeterminism, busy_host_changes_nothing) {
    const RunReport plain = run(spec());
    const BusyHost busy;
    expect_same(plain, run(spec()));
}
TEST_P(LinuxWholeBoot, in_chunks_recorded_and_replayed_is_the_same) {
    RunSpec recording = whole();
    recording.record = workspace_.path("boot.axtrace");
    const RunReport recorded = run(recording);
    EXPECT_STREQ(to_text(recorded.outcome), "powered-off");
    expect_same(recorded, run(in_chunks(whole(), 999'983)));
    expect_replays(recording.record, recorded);
}
TEST_P(LinuxWholeBoot, in_fresh_engines_is_the_same) {
    const RunReport plain = run(whole());
    const RunReport moved = run(moved_at_random(whole(), plain.instructions, 20));
    EXPECT_EQ(moved.stops, 20u);
    expect_same(plain, moved);
}

std::string machine_name(const testing::TestParamInfo<LinuxMachine>& info) {
    return info.param.isa->name + (info.param.variant[0] == '\0' ? "" : "_gicv2") + "_vcpus" + std::to_string(info.param.vcpus);
}

// riscv64 starts the other harts at about 183 M instructions.
const LinuxMachine riscv64_machines[] = {{&riscv64, 1, 300'000'000}, {&riscv64, 2, 300'000'000}, {&riscv64, 4, 300'000'000}};
const LinuxMachine aarch64_machines[] = {
    {&aarch64, 1, 150'000'000}, {&aarch64, 2, 150'000'000}, {&aarch64, 4, 150'000'000}, {&aarch64, 4, 150'000'000, "-gicv2"}};

// x86_64 unpacks itself first; each further CPU takes it about 100 M instructions to start.
const LinuxMachine x86_64_machines[] = {{&x86_64, 1, 300'000'000}, {&x86_64, 2, 400'000'000}, {&x86_64, 4, 600'000'000}};

INSTANTIATE_TEST_SUITE_P(Riscv64, LinuxDeterminism, testing::ValuesIn(riscv64_machines), machine_name);
INSTANTIATE_TEST_SUITE_P(Aarch64, LinuxDeterminism, testing::ValuesIn(aarch64_machines), machine_name);
INSTANTIATE_TEST_SUITE_P(X86, LinuxDeterminism, testing::ValuesIn(x86_64_machines), machine_name);
INSTANTIATE_TEST_SUITE_P(Riscv64, LinuxWholeBoot, testing::ValuesIn(riscv64_machines), machine_name);
// One boot of aarch64 takes as long as three of riscv64.
INSTANTIATE_TEST_SUITE_P(Aarch64, LinuxWholeBoot, testing::Values(aarch64_machines[2]), machine_name);
INSTANTIATE_TEST_SUITE_P(X86, LinuxWholeBoot, testing::Values(x86_64_machines[1]), machine_name);

}  // namespace
}  // namespace ax::scenario
