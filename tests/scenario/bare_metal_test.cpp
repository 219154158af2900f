// Every bare-metal test guest: its verdict, and the same run recorded, replayed, cut into chunks and
// moved between engines.
#include <gtest/gtest.h>

#include "tests/scenario/support/session.hpp"
#include "tests/scenario/support/variants.hpp"
#include "tests/scenario/support/workspace.hpp"

namespace ax::scenario {
namespace {

using sim::Outcome;

struct BareMetal {
    const char* guest;
    unsigned vcpus = 1;
    Outcome outcome = Outcome::PoweredOff;
    const char* text = nullptr;     ///< on the console; null for `PASS guest`
    const char* failure = nullptr;  ///< in the reason of a stop
    const char* script = "";
    u64 max_exits = 2'000'000;
};

class BareMetalGuest : public testing::TestWithParam<BareMetal> {
protected:
    [[nodiscard]] RunSpec spec() const {
        const BareMetal& p = GetParam();
        return {.vm = workspace_.bare_metal(p.guest, p.vcpus),
                .platform = {},
                .script = p.script,
                .state_hash_interval = 1'000'000,
                .limits = {300'000'000, p.max_exits}};
    }
    Workspace workspace_;
};

TEST_P(BareMetalGuest, ends_as_specified_and_replays) {
    const BareMetal& p = GetParam();
    RunSpec recording = spec();
    recording.record = workspace_.path("run.axtrace");
    const RunReport recorded = run(recording);
    EXPECT_STREQ(to_text(recorded.outcome), to_text(p.outcome)) << recorded.failure;
    const std::string text = p.text != nullptr ? p.text : std::string("PASS ") + p.guest;
    EXPECT_NE(recorded.console.find(text), std::string::npos) << recorded.console;
    if (p.failure != nullptr) {
        EXPECT_NE(recorded.failure.find(p.failure), std::string::npos) << recorded.failure;
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

const BareMetal guests[] = {
    {.guest = "access_faults"},
    {.guest = "console_sbi"},
    {.guest = "fp"},
    {.guest = "hello"},
    {.guest = "illegal"},
    {.guest = "ipi_smp"},
    {.guest = "ipi_smp", .vcpus = 2},
    {.guest = "ipi_smp", .vcpus = 4},
    {.guest = "lr_sc_amo"},
    {.guest = "mmio_widths"},
    {.guest = "plic_out_of_range"},
    {.guest = "pt_on_mmio"},
    {.guest = "scribble"},
    {.guest = "selfmod"},
    {.guest = "sv39"},
    {.guest = "timer"},
    {.guest = "unknown_sbi"},
    {.guest = "echo", .script = "expect \"ready\"\nsend \"hello\\n\"\nexpect \"olleh\"\nsend \"quit\\n\"\n"},
    {.guest = "echo", .outcome = Outcome::AllIdle, .text = "ready"},
    {.guest = "jump_nowhere", .outcome = Outcome::GuestFailed, .text = "jumping", .failure = "pc 0x0000000008001000"},
    {.guest = "trap_loop", .outcome = Outcome::GuestFailed, .text = "faulting", .failure = "vCPU 0"},
    {.guest = "pt_root_on_mmio", .outcome = Outcome::GuestFailed, .text = "root", .failure = "vCPU 0"},
    {.guest = "trap_storm", .outcome = Outcome::ExitLimit, .text = "faulting", .max_exits = 200'000},
};

std::string guest_name(const testing::TestParamInfo<BareMetal>& info) {
    std::string name = info.param.guest;
    if (info.param.vcpus > 1) name += "_on_" + std::to_string(info.param.vcpus);
    if (info.param.script[0] != '\0') name += "_with_input";
    return name;
}

INSTANTIATE_TEST_SUITE_P(Guests, BareMetalGuest, testing::ValuesIn(guests), guest_name);

}  // namespace
}  // namespace ax::scenario
