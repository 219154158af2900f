// Every bare-metal test guest: its verdict, and the same run recorded, replayed, cut into chunks and
// moved between engines.
#include <gtest/gtest.h>

#include "tests/scenario/support/session.hpp"
#include "tests/scenario/support/variants.hpp"
#include "tests/scenario/support/workspace.hpp"

namespace ax::scenario {
namespace {

using sim::Outcome;

/// One machine and what becomes of it.
struct BareMetal {
    const char* guest;
    Workspace::BareMetalMachine machine = {};
    Outcome outcome = Outcome::PoweredOff;
    const char* text = nullptr;     ///< on the console; null for `PASS guest`
    const char* failure = nullptr;  ///< in the reason of a stop
    const char* script = "";
    u64 max_exits = 2'000'000;
};

class BareMetalGuest : public testing::TestWithParam<std::tuple<const Isa*, BareMetal>> {
protected:
    [[nodiscard]] static const BareMetal& param() { return std::get<1>(GetParam()); }
    [[nodiscard]] RunSpec spec() const {
        const BareMetal& p = param();
        return {.vm = workspace_.bare_metal(p.guest, p.machine),
                .script = p.script,
                .state_hash_interval = 1'000'000,
                .limits = {300'000'000, p.max_exits}};
    }
    Workspace workspace_{*std::get<0>(GetParam())};
};

TEST_P(BareMetalGuest, ends_as_specified_and_replays) {
    const BareMetal& p = param();
    RunSpec recording = spec();
    recording.record = workspace_.path("run.axtrace");
    const RunReport recorded = run(recording);
    EXPECT_STREQ(to_text(recorded.outcome), to_text(p.outcome)) << recorded.failure;
    const std::string text = p.text != nullptr ? p.text : std::string("PASS ") + p.guest;
    EXPECT_NE(recorded.console.find(text), std::string::npos) << recorded.console;
    if (p.failure != nullptr) {
        EXPECT_NE(recorded.failure.find(p.failure), std::string::npos) << recorded.failure;
    }
    if (std::string(p.guest) == "jump_nowhere") {
        EXPECT_NE(recorded.failure.find(std::get<0>(GetParam())->nowhere), std::string::npos) << recorded.failure;
    }
    expect_replays(recording.record, recorded);
}

TEST_P(BareMetalGuest, recording_changes_nothing) {
    RunSpec recording = spec();
    recording.record = workspace_.path("run.axtrace");
    const RunReport recorded = run(recording);
    expect_same(recorded, run(spec()));
}

TEST_P(BareMetalGuest, chunks_of_7919_instructions_change_nothing) { expect_same(run(spec()), run(in_chunks(spec(), 7919))); }

TEST_P(BareMetalGuest, fresh_engines_change_nothing) {
    const RunReport plain = run(spec());
    const RunReport moved = run(moved_at_random(spec(), plain.instructions, 20));
    expect_same(plain, moved);
}

constexpr const char* echo_script = "expect \"ready\"\nsend \"hello\\n\"\nexpect \"olleh\"\nsend \"quit\\n\"\n";

/// What every instruction set has, each in its own words.
const std::vector<BareMetal> guests{
    {.guest = "access_faults"},
    {.guest = "fp"},
    {.guest = "hello"},
    {.guest = "ipi_smp"},
    {.guest = "ipi_smp", .machine = {.vcpus = 2}},
    {.guest = "ipi_smp", .machine = {.vcpus = 4}},
    {.guest = "mmio_widths"},
    {.guest = "pt_on_mmio"},
    {.guest = "scribble"},
    {.guest = "selfmod"},
    {.guest = "timer"},
    {.guest = "echo", .script = echo_script},
    {.guest = "echo", .outcome = Outcome::AllIdle, .text = "ready"},
    {.guest = "jump_nowhere", .outcome = Outcome::GuestFailed, .text = "jumping", .failure = "vCPU 0"},
    {.guest = "trap_loop", .outcome = Outcome::GuestFailed, .text = "faulting", .failure = "vCPU 0"},
    {.guest = "pt_root_on_mmio", .outcome = Outcome::GuestFailed, .text = "root", .failure = "vCPU 0"},
    {.guest = "trap_storm", .outcome = Outcome::ExitLimit, .text = "faulting", .max_exits = 200'000},
};

// aarch64 has a guest `illegal` too: it waits for the model to take two traps that it misses.
const std::vector<BareMetal> riscv64_guests{
    {.guest = "console_sbi"}, {.guest = "illegal"}, {.guest = "lr_sc_amo"}, {.guest = "plic_out_of_range"}, {.guest = "sv39"}, {.guest = "unknown_sbi"},
};

const std::vector<BareMetal> aarch64_guests{
    {.guest = "exclusives"},
    {.guest = "gic_prio"},
    {.guest = "nested_aborts"},
    {.guest = "pc_alignment"},
    {.guest = "psci_cycle"},
    {.guest = "psci_cycle", .machine = {.vcpus = 4}},
    {.guest = "s2_perm",
     .machine = {.regions = "    [0x4800_0000, 0x1_0000, 0x5, 0],\n    [0x4900_0000, 0x1_0000, 0x3, 0],\n    [0x4a00_0000, 0x1_0000, 0x1, 0],\n"}},
    {.guest = "sgi_storm"},
    {.guest = "sgi_storm", .machine = {.vcpus = 4}},
    {.guest = "smp_coherence", .machine = {.vcpus = 4}},
    {.guest = "sysregs"},
    {.guest = "unknown_psci"},
    {.guest = "vmsa"},
    {.guest = "wfi_wake", .machine = {.vcpus = 4}},
    {.guest = "echo", .machine = {.gic = 2}, .script = echo_script},
    {.guest = "gic_prio", .machine = {.gic = 2}},
    {.guest = "mmio_widths", .machine = {.gic = 2}},
    {.guest = "scribble", .machine = {.gic = 2}},
    {.guest = "sgi_storm", .machine = {.vcpus = 4, .gic = 2}},
    {.guest = "timer", .machine = {.gic = 2}},
};

std::string guest_name(const testing::TestParamInfo<std::tuple<const Isa*, BareMetal>>& info) {
    const auto& [isa, guest] = info.param;
    std::string name = isa->name + "_" + guest.guest;
    if (guest.machine.vcpus > 1) name += "_on_" + std::to_string(guest.machine.vcpus);
    if (guest.machine.gic == 2) name += "_gicv2";
    if (guest.script[0] != '\0') name += "_with_input";
    return name;
}

INSTANTIATE_TEST_SUITE_P(Guests, BareMetalGuest, testing::Combine(testing::ValuesIn(isas), testing::ValuesIn(guests)), guest_name);
INSTANTIATE_TEST_SUITE_P(Riscv64Guests, BareMetalGuest, testing::Combine(testing::Values(&riscv64), testing::ValuesIn(riscv64_guests)), guest_name);
INSTANTIATE_TEST_SUITE_P(Aarch64Guests, BareMetalGuest, testing::Combine(testing::Values(&aarch64), testing::ValuesIn(aarch64_guests)), guest_name);

}  // namespace
}  // namespace ax::scenario
